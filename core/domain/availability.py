"""Time-phased availability of one SKU at one location: cumulative ATP with look-ahead."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from datetime import date

Step = tuple[date, int]


class Timeline:
    """P(t) - SS(t) as differences per day, and the cumulative ATP that follows from it.

    ATP(t) = max(0, min over u >= t of P(u) - SS(u)), in base units. What lies before `today` counts today. The
    look-ahead never ends: a promise far in the future keeps its supply.
    Source: the definition that Dynamics 365 and Infor LN publish for cumulative ATP with look-ahead.
    """

    __slots__ = ("_atp", "_days", "_net", "today")

    def __init__(self, today: date, events: Iterable[Step] = ()) -> None:
        self.today = today
        self._net: dict[date, int] = {}
        self._days: list[date] | None = None
        self._atp: list[int] = []
        for day, quantity in events:
            self.add(day, quantity)

    def add(self, day: date, quantity: int) -> None:
        """Supply (positive) or demand (negative) of `quantity` base units on `day`."""
        if quantity:
            day = max(day, self.today)
            self._net[day] = self._net.get(day, 0) + quantity
            self._days = None

    def _curve(self) -> tuple[list[date], list[int]]:
        if self._days is None:
            days = sorted(self._net.keys() | {self.today})
            running, projected = 0, []
            for day in days:
                running += self._net.get(day, 0)
                projected.append(running)
            lowest = projected[-1]
            for index in range(len(projected) - 1, -1, -1):
                lowest = min(lowest, projected[index])
                projected[index] = max(0, lowest)
            self._days, self._atp = days, projected
        return self._days, self._atp

    def atp(self, day: date | None = None) -> int:
        """Units that can be promised for `day` (default: today) without touching any later promise."""
        days, atp = self._curve()
        index = bisect_right(days, max(day or self.today, self.today)) - 1
        return atp[index]

    def steps(self) -> list[Step]:
        """The days on which the cumulative ATP changes, with its value from then on; the first is today."""
        days, atp = self._curve()
        return [(day, atp[i]) for i, day in enumerate(days) if i == 0 or atp[i] != atp[i - 1]]

    def earliest(self, quantity: int) -> date | None:
        """The first day on which `quantity` can be promised whole; None when that never comes."""
        return next((day for day, atp in self.steps() if atp >= quantity), None)

    def binding(self, day: date) -> date:
        """The day that limits ATP(`day`): where the projected balance from `day` on is smallest."""
        days, _ = self._curve()
        first = bisect_right(days, max(day, self.today)) - 1
        running, lowest = sum(self._net.get(d, 0) for d in days[:first]), None
        binding = days[first]
        for candidate in days[first:]:
            running += self._net.get(candidate, 0)
            if lowest is None or running < lowest:
                lowest, binding = running, candidate
        return binding
