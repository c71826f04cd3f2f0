"""The same snapshot taken from books under their gates, for SKUs that have changed since the run looked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import numpy as np

from core.domain.book import SkuBook
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
    sku_ids = np.array(sorted(books), np.int64)
    places = len(location_ids)
    row_of = {int(location_id): row for row, location_id in enumerate(location_ids)}
    line_row = {int(line_id): row for row, line_id in enumerate(facts.line)}
    line_sku = np.full(len(facts), -1, np.int64)
    pegs: list[tuple[int, int, int, int, int, int, bool]] = []
    stock: list[tuple[int, int, int]] = []
    supply: list[tuple[int, int, int]] = []
    fixed: list[tuple[int, int, int]] = []
    reserved: list[tuple[int, int, int]] = []
    classed: list[tuple[int, int, int, int]] = []
    rooms: dict[int, Rooms] = {}
    classes = {name: code for code, name in enumerate(facts.names.get("class", ())) if name}
    for number, sku_id in enumerate(sku_ids.tolist()):
        book = books[sku_id]
        for location_id, level in book.levels.items():
            if level.available and book.lots is None:
                today = book.today[location_id].toordinal()
                stock.append((number * places + row_of[location_id], today, level.available))
        for item in book.supplies:
            if item.open > 0:
                day = item.effective_date(book.today[item.location_id]).toordinal()
                supply.append((number * places + row_of[item.location_id], day, item.open))
        for hold in book.holds:
            day = max(hold.need_date, book.today[hold.location_id]).toordinal()
            reserved.append((number * places + row_of[hold.location_id], day, hold.quantity))
        for location_id in book.protected.get("", {}):
            for from_date, rise in book.protection_rises(location_id, ""):
                day = max(from_date, book.today[location_id]).toordinal()
                reserved.append((number * places + row_of[location_id], day, rise))
        for name in book.protected.keys() & classes.keys():
            for location_id in book.protected[name]:
                today, pool = book.today[location_id].toordinal(), number * places + row_of[location_id]
                for sign, rises in (
                    (1, book.protection_rises(location_id, name)),
                    (-1, book.protection_rises(location_id, "")),
                ):
                    classed += [(pool, classes[name], max(d.toordinal(), today), sign * n) for d, n in rises]
        if (room := rooms_of(book)) is not None:
            rooms[number] = room
        for line_id in book.lines:
            if line_id in line_row:
                line_sku[line_row[line_id]] = number
        for peg in book.pegs:
            line_id = peg.line.id if peg.line is not None else peg.line_id
            row = line_row.get(line_id or 0, -1)
            need = peg.need_date.toordinal()
            if row < 0:
                if peg.kind != PegKind.HARD:
                    day = max(need, book.today[peg.location_id].toordinal())
                    fixed.append((number * places + row_of[peg.location_id], day, peg.quantity))
                continue
            usable = 0
            if peg.supply is not None:
                usable = peg.supply.effective_date(book.today[peg.location_id]).toordinal()
            ready = peg.line is not None and peg.line.ready > 0 and peg.kind == PegKind.HARD
            is_fixed = peg.lot_id is not None or peg.cause == WAITS_FOR_QUOTA or ready
            kind = _KINDS[peg.kind]
            pegs.append(
                (row, row_of[peg.location_id], need, peg.quantity, kind, usable if kind == DATED else 0, is_fixed)
            )
    columns = np.array(pegs, np.int64).reshape(len(pegs), 7)
    first = next(iter(books.values()), None)
    today = [first.today[int(i)].toordinal() if first is not None else 0 for i in location_ids]
    return Raw(
        sku_ids,
        np.array([books[s].version for s in sku_ids.tolist()], np.int64),
        location_ids,
        facts,
        line_sku,
        line_location,
        line_destination,
        columns[:, 0],
        columns[:, 1],
        columns[:, 2],
        columns[:, 3],
        columns[:, 4],
        columns[:, 5],
        columns[:, 6] > 0,
        _events(stock),
        _events(supply),
        _events(fixed),
        _events(reserved),
        Classed(*np.array(sorted(classed), np.int64).reshape(len(classed), 4).T),
        rooms,
        np.array([lead_days[s] for s in sku_ids.tolist()], np.int64),
        np.array(today, np.int64),
        np.array([_ordinal(books[s].available_from) for s in sku_ids.tolist()], np.int64),
    )


def _ordinal(day: date | None) -> int:
    return 0 if day is None else day.toordinal()


def _events(rows: list[tuple[int, int, int]]) -> Events:
    table = np.array(rows, np.int64).reshape(len(rows), 3)
    return Events(table[:, 0], table[:, 1], table[:, 2])
