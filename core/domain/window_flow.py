"""Units of several places through windows of several quotas at once: a maximum flow, where windows lie within each other.

A unit goes from its place, on a day it is there and still arrives in time, through the narrowest windows of that day and all that
contain them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict, deque
from collections.abc import Hashable, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from core.domain.allowance import Allowance, Claims

MUCH = 1 << 60

Stream = tuple[bool, int]
"""What gives units, by any name."""


class Window(NamedTuple):
    """Cells from `first` to before `end`, in which at most `units` may be claimed."""

    first: int
    end: int
    units: int


def windows_of(allowances: Sequence[Allowance], edges: Sequence[date], claims: Claims) -> list[Window]:
    """Every window that has a limit, in cells: the days between two neighbouring `edges`, the first cell before them all."""
    found: list[Window] = []
    for allowance in allowances:
        starts = [bisect_right(edges, since) for since, _ in allowance.steps]
        days = [since for since, _ in allowance.steps]
        if starts and starts[0] > 0:
            found.append(Window(0, starts[0], 0))
        for index, (first, day) in enumerate(zip(starts, days, strict=True)):
            left = allowance.left(day, claims)
            if left is not None:
                end = starts[index + 1] if index + 1 < len(starts) else len(edges) + 1
                found.append(Window(first, end, max(0, left)))
    return found


def most_through(
    streams: Mapping[Stream, Mapping[int, int | None]], windows: Sequence[Window], wanted: int
) -> dict[tuple[Stream, int], int]:
    """Units by stream and cell: as many as can be claimed, up to `wanted`, the early cells first.

    `streams`: by cell in which a stream may give, what it can have given in all by its end (None: any number).
    """
    room: dict[Hashable, dict[Hashable, int]] = defaultdict(dict)

    def edge(start: Hashable, end: Hashable, units: int) -> None:
        room[start][end] = room[start].get(end, 0) + units
        room[end].setdefault(start, 0)

    outer = _outer(windows)
    closed = {cell for window in outer if window.units <= 0 for cell in range(window.first, window.end)}
    cells = sorted({cell for by_cell in streams.values() for cell in by_cell})
    for name, by_cell in streams.items():
        before, rises = 0, 0
        last = max(by_cell, default=0)
        for cell in sorted(by_cell):
            limit = by_cell[cell]
            rises = MUCH if limit is None else max(0, limit - before)
            before = max(before, MUCH if limit is None else limit)
            edge("source", (name, cell), rises)
            if (
                cell not in closed
            ):  # also one within a week that goes on after the release: it gives later what it has then
                edge((name, cell), ("cell", cell), MUCH)
            following = min((c for c in by_cell if c > cell), default=None)
            if following is not None and cell < last:
                edge((name, cell), (name, following), MUCH)
    for cell in cells:
        inner = next((w for w in outer if w.first <= cell < w.end), None)
        edge(("cell", cell), "sink" if inner is None else inner, MUCH)
    for window in outer:
        parent = next((w for w in outer if w is not window and _within(window, w)), None)
        edge(window, "sink" if parent is None else ("in", parent), window.units)
        edge(("in", window), window, MUCH)
    _push(room, wanted)
    return {
        (name, cell): units
        for name, by_cell in streams.items()
        for cell in by_cell
        if (units := room["cell", cell].get((name, cell), 0)) > 0
    }


def _outer(windows: Sequence[Window]) -> list[Window]:
    """One window per span, the tightest; the narrowest first, so that the first that fits is the nearest."""
    tightest: dict[tuple[int, int], int] = {}
    for window in windows:
        key = (window.first, window.end)
        tightest[key] = min(window.units, tightest.get(key, window.units))
    found = [Window(first, end, units) for (first, end), units in tightest.items()]
    return sorted(found, key=lambda w: (w.end - w.first, w.first))


def _within(inner: Window, outer: Window) -> bool:
    return outer.first <= inner.first and inner.end <= outer.end


def _push(room: dict[Hashable, dict[Hashable, int]], wanted: int) -> None:
    """Shortest augmenting paths, in the order in which edges were laid, until `wanted` units go or no more can."""
    while wanted > 0:
        back: dict[Hashable, Hashable] = {"source": "source"}
        queue: deque[Hashable] = deque(["source"])
        while queue and "sink" not in back:
            node = queue.popleft()
            for other, units in room[node].items():
                if units > 0 and other not in back:
                    back[other] = node
                    queue.append(other)
        if "sink" not in back:
            return
        steps: list[tuple[Hashable, Hashable]] = []
        node: Hashable = "sink"
        while node != "source":
            steps.append((back[node], node))
            node = back[node]
        units = min(wanted, *(room[start][end] for start, end in steps))
        for start, end in steps:
            room[start][end] -= units
            room[end][start] += units
        wanted -= units
