"""What the quotas of a SKU leave to lines that a run would serve in another window than the one they were promised for.

A line has its share of each window it was promised for. Within it, or of what earlier windows have counted for it
without its getting it, a run may move it freely; beyond that it uses up what the window has left, and leaves to others
what it had used of later ones. What a line that comes later gives up stays counted. Both are as when its day is moved
live (`quotas.move_use`). Days are ordinals.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

from core.domain.book import SkuBook
from core.domain.quotas import allowance_of, counts_on, window_of
from core.domain.records import Line, Quota
from core.domain.states import PegKind

NEVER = date.max.toordinal()


@dataclass(slots=True)
class Room:
    """One quota: its windows (first day, first day after), what each has left, and by line what it has of its own."""

    windows: list[tuple[int, int]]
    left: list[int]
    own: dict[int, list[int]] = field(default_factory=dict)
    """By line: units more that may be there by the end of each window without using any of it up."""
    used: dict[int, list[int]] = field(default_factory=dict)
    """By line: units that it has used of each window."""

    def spans(self, days: Sequence[int]) -> Iterator[tuple[int, range]]:
        """Of each window that holds some of the (ascending) days: its number and the places of those days."""
        for number, (first, end) in enumerate(self.windows):
            inside = range(bisect_left(days, first), bisect_left(days, end))
            if inside:
                yield number, inside

    def copy(self) -> Room:
        own, used = ({line: list(units) for line, units in by_line.items()} for by_line in (self.own, self.used))
        return Room(self.windows, list(self.left), own, used)

    def use(self, line: int, number: int, units: int) -> None:
        """The line takes units of a window, and gives back as many of those that it had used of later ones."""
        self.left[number] -= units
        used = self.used.get(line, [0] * len(self.windows))
        used[number] += units
        for later in range(number + 1, len(self.windows)):
            back = min(units, used[later])
            used[later] -= back
            self.left[later] += back
            units -= back


@dataclass(slots=True)
class Rooms:
    """All quotas of one SKU."""

    quotas: list[Room] = field(default_factory=list)

    def copy(self) -> Rooms:
        return Rooms([room.copy() for room in self.quotas])

    def after(self, before: Rooms, moves: Iterable[tuple[int, int, int]]) -> Rooms:
        """These rooms, which were `before` and are used up, once units are on other days: (line, day, units more)."""
        by_line: dict[int, list[tuple[int, int]]] = {}
        for line, day, units in moves:
            by_line.setdefault(line, []).append((day, units))
        found = self.copy()
        for room, was in zip(found.quotas, before.quotas, strict=True):
            nothing = [0] * len(room.windows)
            for line, own in was.own.items():
                used, now, then = 0, room.used.get(line, nothing), was.used.get(line, nothing)
                for number, (_, end) in enumerate(room.windows):
                    used += now[number] - then[number]
                    more = sum(units for day, units in by_line.get(line, ()) if day < end)
                    room.own[line][number] = max(0, own[number] + used - more)
        return found

    def clip(self, line: int, days: Sequence[int], curve: list[int], present: list[int], promised: list[int]) -> None:
        """Lower a new confirmation to what the quotas that bind the line allow; what it has on a day stays allowed.

        Curves are cumulative units by day; `promised` is the present one with units that have no source.
        """
        bound = [(room, own) for room in self.quotas if (own := room.own.get(line)) is not None]
        while bound:
            before = list(curve)
            for room, own in bound:
                beyond = _before(room, days, curve, promised)
                for number, inside in room.spans(days):
                    base = promised[inside[-1]] + own[number]
                    limit = base + beyond + room.left[number]
                    for at in inside:
                        curve[at] = min(curve[at], max(limit, present[at]))
                    beyond = max(beyond, curve[inside[-1]] - base)
            for at in range(len(curve) - 1, 0, -1):  # what is not there at the end of a window is not there before
                curve[at - 1] = min(curve[at - 1], curve[at])
            if curve == before:
                return

    def spend(self, line: int, days: Sequence[int], curve: list[int], promised: list[int]) -> None:
        """Count what a line is given: first its own units, then what the windows have left."""
        for room in self.quotas:
            if (own := room.own.get(line)) is None:
                continue
            beyond = _before(room, days, curve, promised)
            for number, inside in room.spans(days):
                more = max(0, curve[inside[-1]] - promised[inside[-1]])
                units = max(0, more - own[number] - beyond)
                room.use(line, number, units)
                beyond += units
                own[number] -= max(0, more - beyond)


def _before(room: Room, days: Sequence[int], curve: Sequence[int], promised: Sequence[int]) -> int:
    """Units that come before the quota begins to count: they are bound by nothing."""
    early = bisect_left(days, room.windows[0][0]) - 1
    return max(0, curve[early] - promised[early]) if early >= 0 else 0


def rooms_of(book: SkuBook) -> Rooms | None:
    """What the quotas of a book leave to its lines; None when no line is bound by one."""
    today = min(book.today.values())
    found = Rooms()
    for quota in book.quotas:
        lines = [line for line in book.lines.values() if book.quota_shares.get((quota.id, line.id or 0))]
        allowance = allowance_of(quota, {d: n for (q, d), n in book.quota_used.items() if q == quota.id}, today)
        if allowance is None or not lines:
            continue
        ends = [*(day.toordinal() for day, _ in allowance.steps[1:]), NEVER]
        limited = [
            (day.toordinal(), end, units)
            for (day, units), end in zip(allowance.steps, ends, strict=True)
            if units is not None
        ]
        if not limited:
            continue
        windows = [(first, end) for first, end, _ in limited]
        own = {line.id or 0: [_own(book, quota, line, end) for _, end in windows] for line in lines}
        used = {line.id or 0: _used(book, quota, line, windows) for line in lines}
        found.quotas.append(Room(windows, [units for _, _, units in limited], own, used))
    return found if found.quotas else None


def _own(book: SkuBook, quota: Quota, line: Line, end: int) -> int:
    """Units that the line has used of windows up to `end` and neither has nor claims by then."""
    shares = book.quota_shares[quota.id, line.id or 0]
    unbound = max(0, line.ordered - line.cancelled - sum(shares.values()))
    used = sum(units for day, units in shares.items() if day.toordinal() < end)
    claimed = sum(p.quantity for p in book.pegs_of(line) if p.kind != PegKind.HARD and p.need_date.toordinal() < end)
    return max(0, unbound + used - line.allocated - line.shipped - claimed)


def _used(book: SkuBook, quota: Quota, line: Line, windows: list[tuple[int, int]]) -> list[int]:
    shares = book.quota_shares[quota.id, line.id or 0]
    return [sum(n for day, n in shares.items() if first <= day.toordinal() < end) for first, end in windows]


def counts_as(book: SkuBook, line: Line, day: date, today: date) -> bool:
    """May what the line claims for `day` be given to it today, as far as quotas go: does it count in the same window?"""
    for quota in book.quotas:
        if not book.quota_shares.get((quota.id, line.id or 0)) or not counts_on(quota, today):
            continue
        if not counts_on(quota, day) or window_of(quota, day) != window_of(quota, today):
            return False
    return True


def days_used(book: SkuBook, lines: Iterable[Line]) -> dict[int, list[date]]:
    """Days that the claims of these lines stand on and a quota of the book counts, by line, ascending."""
    found: dict[int, list[date]] = {}
    for line in lines:
        days = {
            book.today[peg.location_id] if peg.kind == PegKind.HARD else peg.need_date for peg in book.pegs_of(line)
        }
        counted = sorted(day for day in days if any(counts_on(quota, day) for quota in book.quotas))
        if counted:
            found[line.id or 0] = counted
    return found
