"""Everything a re-promising run decides on, read as of one instant into arrays."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import numpy as np

from core.domain.network import Network
from core.domain.promising import DEFAULT_LEAD_TIME_DAYS
from core.domain.repromising.columns import Classed, Events
from core.domain.repromising.rooms import Rooms, rooms_of
from core.domain.repromising.segments import Facts
from core.domain.repromising.snapshot import HARD, Ints, Raw, positions
from core.domain.repromising.variant import Variant
from core.ports import Transaction
from core.repositories.copy_columns import copy_columns
from core.repositories.load_book import read_books
from core.repositories.repromising_facts import day_of, line_facts, narrowed, read_lines


async def read_snapshot(
    uow: Transaction, network: Network, variant: Variant, sku_ids: Iterable[int] | None = None
) -> Raw:
    """Read all open lines (or those of `sku_ids`) with pegs, supplies, stock and what is kept back.

    Every statement must see one instant: a REPEATABLE READ transaction, or the gates of `sku_ids`.
    """
    only = None if sku_ids is None else sorted(set(sku_ids))
    arguments = () if only is None else (only,)
    sql = uow.sql
    gates = await copy_columns(
        sql,
        f"select sku_id, version from sku_gate where {narrowed('sku_id', only)} order by sku_id",
        {"sku": "int8", "version": "int8"},
        *arguments,
    )
    location_ids = np.array(sorted(network.locations), np.int64)
    today = np.array([network.today(int(i), uow.now).toordinal() for i in location_ids], np.int64)
    sku = gates["sku"]
    lines = await read_lines(sql, only, arguments)
    latest = int(today.max()) if len(today) else uow.now.date().toordinal()
    facts = await line_facts(uow, variant, lines, sku, latest, only)
    pegs = await copy_columns(
        sql,
        f"""select sku_id, location_id, order_line_id, {day_of("need_date")}, quantity,
            (case kind when 'HARD' then 0 when 'OPEN' then 2 else 1 end)::int2, coalesce(supply_id, 0)::int8,
            (lot_id is not null or coalesce(cause = 'QUOTA', false))::int::int2
        from peg where order_line_id is not null and {narrowed("sku_id", only)}""",
        {
            "sku": "int8",
            "location": "int8",
            "line": "int8",
            "need": "date",
            "quantity": "int4",
            "kind": "int2",
            "supply": "int8",
            "fixed": "int2",
        },
        *arguments,
    )
    supplies = await copy_columns(
        sql,
        f"""select id, sku_id, location_id, quantity - received - cancelled, {day_of("usable_date")}, overdue_days
        from supply where quantity > received + cancelled and {narrowed("sku_id", only)}""",
        {"id": "int8", "sku": "int8", "location": "int8", "open": "int4", "day": "date", "overdue": "int2"},
        *arguments,
    )
    return await _assemble(
        uow, network, only, arguments, sku, gates["version"], location_ids, today, lines, facts, pegs, supplies
    )


async def _lead_days(sql: Any, sku: Ints, only: list[int] | None, arguments: tuple[Any, ...]) -> Ints:
    terms = await copy_columns(
        sql,
        f"""select distinct on (sku_id) sku_id, lead_time_p80 from supplier_sku where {narrowed("sku_id", only)}
        order by sku_id, is_preferred desc, lead_time_p80, supplier_id""",
        {"sku": "int8", "days": "int4"},
        *arguments,
    )
    found = np.full(len(sku), DEFAULT_LEAD_TIME_DAYS, np.int64)
    found[positions(sku, terms["sku"])] = terms["days"]
    return found


async def _assemble(
    uow: Transaction,
    network: Network,
    only: list[int] | None,
    arguments: tuple[Any, ...],
    sku: Ints,
    versions: Ints,
    location_ids: Ints,
    today: Ints,
    lines: dict[str, Ints],
    facts: Facts,
    pegs: dict[str, Ints],
    supplies: dict[str, Ints],
) -> Raw:
    sql, places = uow.sql, len(location_ids)

    def pool(rows: dict[str, Ints]) -> Ints:
        return positions(sku, rows["sku"]) * places + positions(location_ids, rows["location"])

    levels = await copy_columns(
        sql,
        f"""select sku_id, location_id, on_hand - unsellable - allocated from stock_level
        where on_hand - unsellable - allocated <> 0 and {narrowed("sku_id", only)}
            and sku_id not in (select id from sku where tracks_lots)""",
        {"sku": "int8", "location": "int8", "quantity": "int4"},
        *arguments,
    )
    stock = pool(levels)
    released = np.zeros(len(sku), np.int64)
    for row in await sql.fetch(
        "select id, available_from from sku where status = 'PREORDER' and available_from is not null"
    ):
        released[sku == row["id"]] = row["available_from"].toordinal()
    usable = supplies["day"].copy()
    here = today[positions(location_ids, supplies["location"])]
    usable = np.where(usable < here, here + supplies["overdue"], usable)
    at = positions(supplies["id"], pegs["supply"])
    line = positions(facts.line, pegs["line"])
    known = line >= 0  # a finished line may keep nothing but what is on its way out
    if not known.all():
        line, at = line[known], at[known]
        pegs = {name: column[known] for name, column in pegs.items()}
    ready = lines["ready"][line] > 0
    where = positions(location_ids, pegs["location"])
    return Raw(
        sku,
        versions,
        location_ids,
        facts,
        positions(sku, lines["sku"]),
        positions(location_ids, lines["location"]),
        lines["destination"],
        line,
        where,
        pegs["need"],
        pegs["quantity"],
        pegs["kind"],
        np.append(usable, 0)[at],  # without a supply: -1, the last
        (pegs["fixed"] > 0) | (ready & (pegs["kind"] == HARD)),
        Events(stock, today[stock % places] if places else stock, levels["quantity"]),
        Events(pool(supplies), usable, supplies["open"]),
        await _foreign_claims(sql, only, arguments, pool, today, places),
        await _kept_back(sql, uow.now, only, pool, today, places),
        await _classed(sql, only, pool, today, places, facts.names["class"]),
        await _rooms(uow, network, only, sku, versions),
        await _lead_days(sql, sku, only, arguments),
        today,
        released,
    )


async def _foreign_claims(
    sql: Any, only: list[int] | None, arguments: tuple[Any, ...], pool: Any, today: Ints, places: int
) -> Events:
    rows = await copy_columns(
        sql,
        f"""select sku_id, location_id, {day_of("need_date")}, quantity from peg
        where order_line_id is null and kind <> 'HARD' and {narrowed("sku_id", only)}""",
        {"sku": "int8", "location": "int8", "day": "date", "quantity": "int4"},
        *arguments,
    )
    where = pool(rows)
    return Events(where, np.maximum(rows["day"], today[where % places]), rows["quantity"])


async def _kept_back(sql: Any, now: datetime, only: list[int] | None, pool: Any, today: Ints, places: int) -> Events:
    holds = await copy_columns(
        sql,
        f"""select sku_id, location_id, {day_of("need_date")}, quantity from reservation
        where state = 'held' and expires_at > $2 and (sku_id = any($1::bigint[]) or $1::bigint[] is null)""",
        {"sku": "int8", "location": "int8", "day": "date", "quantity": "int4"},
        only,
        now,
    )
    steps = await copy_columns(
        sql,
        f"""select sku_id, location_id, {day_of("from_date")},
            quantity - lag(quantity, 1, 0) over (partition by sku_id, location_id order by from_date)
        from protected_stock where demand_class = '' and (sku_id = any($1::bigint[]) or $1::bigint[] is null)""",
        {"sku": "int8", "location": "int8", "day": "date", "quantity": "int4"},
        only,
    )
    rows = {name: np.concatenate([holds[name], steps[name]]) for name in holds}
    where = pool(rows)
    return Events(where, np.maximum(rows["day"], today[where % places]), rows["quantity"])


async def _classed(
    sql: Any, only: list[int] | None, pool: Any, today: Ints, places: int, classes: list[str]
) -> Classed:
    """By how much more or less than from all others is protected from each class with steps of its own."""
    rows = await copy_columns(
        sql,
        f"""select p.sku_id, p.location_id, p.of_class, {day_of("p.from_date")}, p.units from (
            select sku_id, location_id, array_position($2::text[], demand_class) - 1 as of_class, from_date,
                quantity - lag(quantity, 1, 0) over (partition by sku_id, location_id, demand_class order by from_date)
                    as units
            from protected_stock where demand_class <> '' and demand_class = any($2::text[])
                and (sku_id = any($1::bigint[]) or $1::bigint[] is null)
            union all select d.sku_id, d.location_id, array_position($2::text[], c.demand_class) - 1, d.from_date,
                lag(d.quantity, 1, 0) over (partition by d.sku_id, d.location_id, c.demand_class order by d.from_date)
                    - d.quantity
            from protected_stock d join (select distinct sku_id, location_id, demand_class from protected_stock
                    where demand_class <> '' and demand_class = any($2::text[])) c
                on c.sku_id = d.sku_id and c.location_id = d.location_id
            where d.demand_class = '' and (d.sku_id = any($1::bigint[]) or $1::bigint[] is null)) p""",
        {"sku": "int8", "location": "int8", "class": "int4", "day": "date", "quantity": "int4"},
        only,
        classes,
    )
    where = pool(rows)
    return Classed(where, rows["class"], np.maximum(rows["day"], today[where % places]), rows["quantity"])


async def _rooms(
    uow: Transaction, network: Network, only: list[int] | None, sku: Ints, versions: Ints
) -> dict[int, Rooms]:
    """What quotas leave, by row of the SKU; some SKUs at a time, since a book is large beside what is kept of it."""
    rows = await uow.sql.fetch(
        "select distinct sku_id from quota where sku_id = any($1::bigint[]) or $1::bigint[] is null", only
    )
    found: dict[int, Rooms] = {}
    ids = sorted(row["sku_id"] for row in rows)
    place = positions(sku, np.array(ids, np.int64)).tolist()
    row_of = dict(zip(ids, place, strict=True))
    for begin in range(0, len(ids), _BOOKS):
        part = {sku_id: int(versions[row_of[sku_id]]) for sku_id in ids[begin : begin + _BOOKS]}
        for sku_id, book in (await read_books(uow.sql, uow.now, part, network, lines="all")).items():
            if (rooms := rooms_of(book)) is not None:
                found[row_of[sku_id]] = rooms
    return found


_BOOKS = 200
