"""The same snapshot taken from books under their gates, for SKUs that have changed since the run looked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np

from core.domain.book import SkuBook
from core.domain.records import Peg
from core.domain.repromising.columns import Classed, Events
from core.domain.repromising.rooms import Rooms, rooms_of
from core.domain.repromising.segments import Facts
from core.domain.repromising.snapshot import DATED, HARD, OPEN, Ints, Raw
from core.domain.states import PegKind

_KINDS = {PegKind.HARD: HARD, PegKind.FIRM: DATED, PegKind.SOFT: DATED, PegKind.OPEN: OPEN}
WAITS_FOR_QUOTA = "QUOTA"
"""Cause of a claim that has its day because a quota opens only then."""


def raw_of_books(
    books: Mapping[int, SkuBook],
    facts: Facts,
    location_ids: Ints,
    line_location: Ints,
    line_destination: Ints,
    lead_days: Mapping[int, int],
) -> Raw:
    """`facts` are those of the lines of these SKUs; books hold all lines that have stock or wait ("all")."""
    found = Gathered(sorted(books), facts, location_ids, line_location, line_destination)
    for sku_id, book in books.items():
        found.add(book, lead_days[sku_id])
    return found.raw()


class Gathered:
    """A snapshot that grows book by book: nothing of a book is kept but figures."""

    def __init__(
        self, sku_ids: Sequence[int], facts: Facts, location_ids: Ints, line_location: Ints, line_destination: Ints
    ) -> None:
        """`sku_ids` ascend; `facts` are those of the lines of all of them."""
        self.facts, self._ids = facts, location_ids
        self._line_location, self._line_destination = line_location, line_destination
        self._number = {sku_id: number for number, sku_id in enumerate(sku_ids)}
        self._row = {int(location_id): row for row, location_id in enumerate(location_ids)}
        self.line_row = {line_id: row for row, line_id in enumerate(facts.line.tolist())}
        self._classes = {name: code for code, name in enumerate(facts.names.get("class", ())) if name}
        self._sku_ids = np.array(sku_ids, np.int64)
        count = len(sku_ids)
        self._versions, self._lead = np.zeros(count, np.int64), np.zeros(count, np.int64)
        self._released = np.zeros(count, np.int64)
        self._line_sku = np.full(len(facts), -1, np.int64)
        self._today = np.zeros(len(location_ids), np.int64)
        self._pegs: list[tuple[int, int, int, int, int, int, bool]] = []
        self._stock: list[tuple[int, int, int]] = []
        self._supply: list[tuple[int, int, int]] = []
        self._fixed: list[tuple[int, int, int]] = []
        self._reserved: list[tuple[int, int, int]] = []
        self._classed: list[tuple[int, int, int, int]] = []
        self._rooms: dict[int, Rooms] = {}

    def add(self, book: SkuBook, lead_days: int) -> None:
        """One SKU, with all its lines; `lead_days`: calendar days of ordering it anew."""
        number, row_of, places = self._number[book.sku_id], self._row, len(self._ids)
        self._versions[number], self._lead[number] = book.version, lead_days
        self._released[number] = _ordinal(book.available_from)
        self._today[:] = [book.today[int(place)].toordinal() for place in self._ids]
        first = number * places
        for location_id, level in book.levels.items():
            if level.available and book.lots is None:
                self._stock.append((first + row_of[location_id], book.today[location_id].toordinal(), level.available))
        for item in book.supplies:
            if item.open > 0:
                day = item.effective_date(book.today[item.location_id]).toordinal()
                self._supply.append((first + row_of[item.location_id], day, item.open))
        for hold in book.holds:
            day = max(hold.need_date, book.today[hold.location_id]).toordinal()
            self._reserved.append((first + row_of[hold.location_id], day, hold.quantity))
        for location_id in book.protected.get("", {}):
            for from_date, rise in book.protection_rises(location_id, ""):
                day = max(from_date, book.today[location_id]).toordinal()
                self._reserved.append((first + row_of[location_id], day, rise))
        for name in book.protected.keys() & self._classes.keys():
            for location_id in book.protected[name]:
                today, pool = book.today[location_id].toordinal(), first + row_of[location_id]
                for sign, whose in ((1, name), (-1, "")):
                    rises = book.protection_rises(location_id, whose)
                    self._classed += [
                        (pool, self._classes[name], max(d.toordinal(), today), sign * n) for d, n in rises
                    ]
        if (rooms := rooms_of(book)) is not None:
            self._rooms[number] = rooms
        for line_id in book.lines:
            if line_id in self.line_row:
                self._line_sku[self.line_row[line_id]] = number
        for peg in book.pegs:
            self._add_peg(book, peg, first)

    def _add_peg(self, book: SkuBook, peg: Peg, first: int) -> None:
        line_id = peg.line.id if peg.line is not None else peg.line_id
        row, place = self.line_row.get(line_id or 0, -1), self._row[peg.location_id]
        need = peg.need_date.toordinal()
        if row < 0:
            if peg.kind != PegKind.HARD:
                day = max(need, book.today[peg.location_id].toordinal())
                self._fixed.append((first + place, day, peg.quantity))
            return
        usable = 0
        if peg.supply is not None:
            usable = peg.supply.effective_date(book.today[peg.location_id]).toordinal()
        ready = peg.line is not None and peg.line.ready > 0 and peg.kind == PegKind.HARD
        is_fixed = peg.lot_id is not None or peg.cause == WAITS_FOR_QUOTA or ready
        kind = _KINDS[peg.kind]
        self._pegs.append((row, place, need, peg.quantity, kind, usable if kind == DATED else 0, is_fixed))

    def raw(self) -> Raw:
        """Everything that was added."""
        columns = np.array(self._pegs, np.int64).reshape(len(self._pegs), 7)
        return Raw(
            self._sku_ids,
            self._versions,
            self._ids,
            self.facts,
            self._line_sku,
            self._line_location,
            self._line_destination,
            columns[:, 0],
            columns[:, 1],
            columns[:, 2],
            columns[:, 3],
            columns[:, 4],
            columns[:, 5],
            columns[:, 6] > 0,
            _events(self._stock),
            _events(self._supply),
            _events(self._fixed),
            _events(self._reserved),
            Classed(*np.array(sorted(self._classed), np.int64).reshape(len(self._classed), 4).T),
            self._rooms,
            self._lead,
            self._today,
            self._released,
        )


def _ordinal(day: date | None) -> int:
    return 0 if day is None else day.toordinal()


def _events(rows: list[tuple[int, int, int]]) -> Events:
    table = np.array(rows, np.int64).reshape(len(rows), 3)
    return Events(table[:, 0], table[:, 1], table[:, 2])
