"""Time-phased availability of one SKU at one location: cumulative ATP with look-ahead."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from datetime import date

Step = tuple[date, int]


class Timeline:
    """P(t) - SS(t) as differences per day, and the cumulative ATP that follows from it.

    ATP(t) = max(0, min over u >= t of P(u) - SS(u)), in base units. What lies before `today` counts today. The
    look-ahead never ends: a promise far in the future keeps its supply. Claims of another demand class that have no
    source yet (`wait`) never reach below what is protected from that class.

    Where units expire (`expire`), L(t) of them are lost by t (`losses`), and
    ATP(t) = max(0, min over u >= t of max(P(u) - SS(u), L(u)) - L(t)): a new claim on t takes, before they spoil, units
    that would be lost later, but none that is lost by t; what a later claim loses to expiry anyway binds nobody.
    Source: the definition that Dynamics 365 and Infor LN publish for cumulative ATP with look-ahead.
    """

    __slots__ = (
        "_atp",
        "_claims",
        "_days",
        "_expiring",
        "_floors",
        "_gone",
        "_net",
        "_others",
        "_projected",
        "_spare",
        "_waiting",
        "today",
    )

    def __init__(self, today: date, events: Iterable[Step] = ()) -> None:
        self.today = today
        self._net: dict[date, int] = {}
        self._waiting: dict[str, dict[date, int]] = {}
        self._floors: dict[str, dict[date, int]] = {}
        self._expiring: list[Step] = []
        self._claims: list[Step] = []
        self._others: list[Step] = []
        self._days: list[date] | None = None
        self._atp: list[int] = []
        self._projected: list[int] = []
        self._gone: list[int] = []
        self._spare: list[int] = []
        for day, quantity in events:
            self.add(day, quantity)

    def add(self, day: date, quantity: int) -> None:
        """Supply (positive) or demand (negative) of `quantity` base units on `day`."""
        if quantity:
            day = max(day, self.today)
            self._net[day] = self._net.get(day, 0) + quantity
            self._days = None
            if self._expiring and quantity < 0:
                self._claims.append((day, -quantity))

    def expire(self, expiring: Iterable[Step], claims: Iterable[Step]) -> None:
        """Units of the balance by the first day they can no longer serve, and who claims units on which day.

        Call it last: what is taken off later by `add` counts as a claim.
        """
        self._expiring, self._claims, self._days = list(expiring), list(claims), None

    def keeping(self, expiring: Iterable[Step], taken: int = 0, others: Iterable[Step] = ()) -> Timeline:
        """A copy for which units expire so instead, and of which `taken` are claimed today.

        `others`: how the same units expire for those who have claims, where they can use them longer: what is too old for
        this asker is not lost to them.
        """
        other = Timeline(self.today)
        other._net = dict(self._net)
        other._waiting = {name: dict(claims) for name, claims in self._waiting.items()}
        other._floors = {name: dict(floors) for name, floors in self._floors.items()}
        other.expire(expiring, self._claims)
        other._others = list(others)
        other.add(self.today, -taken)
        return other

    def wait(self, demand_class: str, day: date, quantity: int) -> None:
        """`quantity` more (negative: less) are claimed for `day`, without a source, by another class."""
        if quantity:
            of_class, day = self._waiting.setdefault(demand_class, {}), max(day, self.today)
            of_class[day] = of_class.get(day, 0) + quantity
            self._days = None

    def keep_from(self, demand_class: str, day: date, quantity: int) -> None:
        """From `day` on, `quantity` more (negative: less) are protected from that class than from this curve's own."""
        if quantity:
            of_class, day = self._floors.setdefault(demand_class, {}), max(day, self.today)
            of_class[day] = of_class.get(day, 0) + quantity
            self._days = None

    def _curve(self) -> tuple[list[date], list[int]]:
        if self._days is None and not self._waiting and not self._expiring and self._net.keys() <= {self.today}:
            units = self._net.get(self.today, 0)  # mostly there is nothing but the shelf
            self._days, self._atp, self._projected, self._gone = [self.today], [max(0, units)], [units], [0]
            self._spare = [units]
        if self._days is None:
            others = [name for name, claims in self._waiting.items() if any(claims.values())]
            marks = self._net.keys() | {self.today}
            for name in others:
                marks |= self._waiting[name].keys() | self._floors.get(name, {}).keys()
            lost = losses(self._expiring, self._claims, self.today) if self._expiring else []
            kept = losses(self._others, self._claims, self.today) if self._others else []
            marks |= {day for day, _ in lost} | {day for day, _ in kept}
            days = sorted(marks)
            running, projected = 0, []
            for day in days:
                running += self._net.get(day, 0)
                projected.append(running)
            if others:
                self._give_way(others, days, projected)
            theirs = _least(projected, _levels(kept, days)) if self._others else None
            gone = _levels(lost, days) if lost else [0] * len(days)
            spare = [balance - level for balance, level in zip(projected, gone, strict=True)] if lost else projected
            if lost:
                projected = [max(balance, level) for balance, level in zip(projected, gone, strict=True)]
            atp = _least(projected, gone)
            if theirs is not None:
                atp = [min(own, most) for own, most in zip(atp, theirs, strict=True)]
            self._days, self._atp, self._projected, self._gone = days, atp, projected, gone
            self._spare = spare
        return self._days, self._atp

    def _give_way(self, others: list[str], days: list[date], projected: list[int]) -> None:
        """Lower the balance by other classes' claims without a source, each down to its floor at most."""
        claimed, floor = dict.fromkeys(others, 0), dict.fromkeys(others, 0)
        for index, day in enumerate(days):
            for name in others:
                claimed[name] += self._waiting[name].get(day, 0)
                floor[name] += self._floors.get(name, {}).get(day, 0)
            balance = projected[index]
            for name in sorted(others, key=lambda n: -floor[n]):
                balance = max(balance - claimed[name], min(balance, floor[name]))
            projected[index] = balance

    def atp(self, day: date | None = None) -> int:
        """Units that can be promised for `day` (default: today) without touching any later promise."""
        days, atp = self._curve()
        index = bisect_right(days, max(day or self.today, self.today)) - 1
        return atp[index]

    def free_beside(self, before: Timeline) -> int:
        """Units free today where a day that was short already in `before` needs no more than it had then."""
        days, _ = self._curve()
        earlier, _ = before._curve()
        lowest = min(
            self._projected[bisect_right(days, day) - 1] - min(0, before._projected[bisect_right(earlier, day) - 1])
            for day in {*days, *earlier}
        )
        return max(0, lowest - self._gone[0])

    def lacking(self, day: date, but: Sequence[Step] = ()) -> int:
        """Units that the claims on `day` and after it lack on their worst day, besides what is protected or expires.

        `but`: claims of this curve, units by day, that are not asked about.
        """
        days, _ = self._curve()
        first = bisect_right(days, max(day, self.today)) - 1
        spare = zip(days[first:], self._spare[first:], strict=True)
        return max(0, -min(left + sum(units for at, units in but if at <= here) for here, left in spare))

    def free_until(self, day: date, before: date) -> int:
        """Units of a claim that stands on `before` which may be moved to `day`: what no day between them needs.

        From `before` on nothing changes by the move, so that what is short there already binds nobody.
        """
        days, _ = self._curve()
        first = bisect_right(days, max(day, self.today)) - 1
        last = max(bisect_left(days, before), first + 1)
        return max(0, min(self._projected[first:last]) - self._gone[first])

    def steps(self) -> list[Step]:
        """The days on which the cumulative ATP changes, with its value from then on; the first is today."""
        days, atp = self._curve()
        return [(day, atp[i]) for i, day in enumerate(days) if i == 0 or atp[i] != atp[i - 1]]

    def earliest(self, quantity: int) -> date | None:
        """The first day on which `quantity` can be promised whole; None when that never comes."""
        return next((day for day, atp in self.steps() if atp >= quantity), None)

    def binding(self, day: date) -> date:
        """The day that limits ATP(`day`): the first one from `day` on where the projected balance is smallest."""
        days, _ = self._curve()
        first = bisect_right(days, max(day, self.today)) - 1
        return days[min(range(first, len(days)), key=self._projected.__getitem__)]


def losses(expiring: Iterable[Step], claims: Iterable[Step], today: date) -> list[Step]:
    """Units lost to expiry by each day, as rising steps, when every claim takes what expires first.

    `expiring` are units by the first day on which they can no longer serve, `claims` units by the day they leave.
    L(t) = max(0, max over expiry days e <= t of (units expired by e - claims before e)): what a first-expired-first-out
    simulation throws away.
    """
    spoiled: dict[date, int] = {}
    for day, units in expiring:
        day = max(day, today)
        spoiled[day] = spoiled.get(day, 0) + units
    wanted = sorted((max(day, today), units) for day, units in claims)
    steps: list[Step] = []
    expired = claimed = level = index = 0
    for day in sorted(spoiled):
        expired += spoiled[day]
        while index < len(wanted) and wanted[index][0] < day:
            claimed += wanted[index][1]
            index += 1
        if expired - claimed > level:
            level = expired - claimed
            steps.append((day, level))
    return steps


def _least(balances: list[int], lost: list[int]) -> list[int]:
    """Per day the least that it and the days after it leave, besides what is lost by then."""
    found, lowest = [0] * len(balances), None
    for index in range(len(balances) - 1, -1, -1):
        here = max(balances[index], lost[index]) if lost[-1] else balances[index]
        lowest = here if lowest is None or here < lowest else lowest
        found[index] = max(0, lowest - lost[index])
    return found


def _levels(steps: list[Step], days: list[date]) -> list[int]:
    """The level of ascending steps on each of the ascending days."""
    levels, level, index = [], 0, 0
    for day in days:
        while index < len(steps) and steps[index][0] <= day:
            level, index = steps[index][1], index + 1
        levels.append(level)
    return levels
