"""Everything a re-promising run decides on, read as of one instant into arrays."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

import numpy as np

from core.domain.network import Network
from core.domain.priority import PriorityWeights
from core.domain.promising import DEFAULT_LEAD_TIME_DAYS
from core.domain.repromising.columns import Classed, Events
from core.domain.repromising.rooms import Rooms, rooms_of
from core.domain.repromising.segments import Facts
from core.domain.repromising.snapshot import HARD, Ints, Raw, distinct, positions
from core.domain.repromising.standings import Standings
from core.domain.repromising.variant import SortField, Variant
from core.domain.states import OrderLineStatus
from core.ports import Transaction
from core.repositories.copy_columns import copy_columns
from core.repositories.load_book import read_books
from core.repositories.priority_facts import read_weights

STATUSES = tuple(OrderLineStatus)
_OFTEN = (OrderLineStatus.BACKORDERED, OrderLineStatus.VALIDATED, OrderLineStatus.ALLOCATED)
_STATUS = (
    "case l.status "
    + " ".join(f"when '{s}' then {STATUSES.index(s)}" for s in (*_OFTEN, *(s for s in STATUSES if s not in _OFTEN)))
    + " end::int2"
)
"""A status as a number, the frequent ones compared first."""
_WAITS = 64
"""Added to it for a line that waits."""


def _day(expression: str) -> str:
    """A date of type `date` in `copy_columns`: an ordinal, 0 for none."""
    return f"coalesce({expression}, date '0001-12-31 BC')"


def _of(column: str, sku_ids: Collection[int] | None) -> str:
    return "true" if sku_ids is None else f"{column} = any($1::bigint[])"


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
        f"select sku_id, version from sku_gate where {_of('sku_id', only)} order by sku_id",
        {"sku": "int8", "version": "int8"},
        *arguments,
    )
    location_ids = np.array(sorted(network.locations), np.int64)
    today = np.array([network.today(int(i), uow.now).toordinal() for i in location_ids], np.int64)
    sku = gates["sku"]
    lines = await _read_lines(sql, only, arguments)
    facts = await _facts(uow, variant, lines, sku, int(today.max()) if len(today) else uow.now.date().toordinal())
    pegs = await copy_columns(
        sql,
        f"""select sku_id, location_id, order_line_id, {_day("need_date")}, quantity,
            (case kind when 'HARD' then 0 when 'OPEN' then 2 else 1 end)::int2, coalesce(supply_id, 0)::int8,
            (lot_id is not null or coalesce(cause = 'QUOTA', false))::int::int2
        from peg where order_line_id is not null and {_of("sku_id", only)}""",
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
        f"""select id, sku_id, location_id, quantity - received - cancelled, {_day("usable_date")}, overdue_days
        from supply where quantity > received + cancelled and {_of("sku_id", only)}""",
        {"id": "int8", "sku": "int8", "location": "int8", "open": "int4", "day": "date", "overdue": "int2"},
        *arguments,
    )
    return await _assemble(
        uow, network, only, arguments, sku, gates["version"], location_ids, today, lines, facts, pegs, supplies
    )


async def read_facts(
    uow: Transaction, network: Network, variant: Variant, sku_ids: Iterable[int]
) -> tuple[Facts, Ints, Ints, Ints]:
    """Facts of the open lines of these SKUs under their gates: (facts, location ids, location row and zone per line)."""
    only = sorted(set(sku_ids))
    lines = await _read_lines(uow.sql, only, (only,))
    location_ids = np.array(sorted(network.locations), np.int64)
    today = max((network.today(int(i), uow.now).toordinal() for i in location_ids), default=0)
    facts = await _facts(uow, variant, lines, np.array(only, np.int64), today)
    return facts, location_ids, positions(location_ids, lines["location"]), lines["destination"]


async def read_open_facts(uow: Transaction, network: Network, variant: Variant) -> Facts:
    """Facts of all open lines, of as many kinds as the variant asks for."""
    lines = await _read_lines(uow.sql, None, ())
    today = max((network.today(i, uow.now).toordinal() for i in network.locations), default=uow.now.date().toordinal())
    return await _facts(uow, variant, lines, distinct(lines["sku"]), today)


async def _read_lines(sql: Any, only: list[int] | None, arguments: tuple[Any, ...]) -> dict[str, Ints]:
    lines = await copy_columns(
        sql,
        f"""select l.id, l.sku_id, l.order_id, case when l.is_priority_manual then l.priority_score
            else -1 - l.times_bumped::int8 end, l.ordered, l.ready, {_day("l.ship_by")},
            {_day("l.requested_date")}, {_day("l.promised_date")},
            ({_STATUS} + case when l.open + l.backordered > 0 then {_WAITS} else 0 end)::int2, coalesce(l.location_id, 0)::int8
        from order_line l where l.open + l.backordered + l.allocated > 0 and {_of("l.sku_id", only)}""",
        {
            "id": "int8",
            "sku": "int8",
            "order": "int8",
            "given": "int8",
            "ordered": "int4",
            "ready": "int4",
            "wanted": "date",
            "requested": "date",
            "promised": "date",
            "status": "int2",
            "location": "int8",
        },
        *arguments,
    )
    lines["waits"], lines["status"] = lines["status"] // _WAITS, lines["status"] % _WAITS
    return lines


async def _facts(uow: Transaction, variant: Variant, lines: dict[str, Ints], sku: Ints, today: int) -> Facts:
    sql = uow.sql
    sku_row = positions(sku, lines["sku"])
    order_ids = distinct(lines["order"])
    some = len(order_ids) <= 50_000
    used = _used(variant)
    weights = await read_weights(sql) if "priority" in used else None
    countries = sorted(weights.country_deadline_days) if weights is not None else []
    orders = await copy_columns(
        sql,
        f"""select o.id, coalesce(o.customer_id, 0)::int8, coalesce(o.destination_id, 0)::int8, c.n::int4, o.placed_at,
            {"coalesce(array_position($1::text[], upper(o.ship_to ->> 'country')), 0)" if countries else "cardinality($1::text[])"}
        from sales_order o join (select code, row_number() over (order by code) - 1 as n from channel) c on c.code = o.channel
        where """
        + ("o.id = any($2::bigint[])" if some else "o.status not in ('DELIVERED', 'CANCELLED')"),
        {
            "id": "int8",
            "customer": "int8",
            "destination": "int8",
            "channel": "int4",
            "placed": "timestamptz",
            "country": "int4",
        },
        countries,
        *([order_ids.tolist()] if some else []),
    )
    at = positions(orders["id"], lines["order"])
    channels = await sql.fetch("select code, protected_class from channel order by code")
    names: dict[str, list[str]] = {"channel": [row["code"] for row in channels], "status": [str(s) for s in STATUSES]}
    codes: dict[str, Ints] = {"channel": orders["channel"][at], "status": lines["status"]}
    _name_classes(channels, codes, names)
    customer = orders["customer"][at]
    if used & {"tier", "customer"}:
        await _name_customers(sql, customer, codes, names)
    if "sku" in used:
        found = await sql.fetch("select code from sku where id = any($1::bigint[]) order by id", sku.tolist())
        names["sku"], codes["sku"] = [row["code"] for row in found], sku_row
    if "supplier" in used:
        await _name_suppliers(sql, sku, sku_row, codes, names)
    price = np.zeros(len(sku), np.int64)
    if "value" in used:
        prices = await copy_columns(sql, "select id, unit_price from sku", {"id": "int8", "price": "int8"})
        price = prices["price"][positions(prices["id"], sku)]
    standings = None
    if weights is not None:
        standings = await _standings(
            uow, weights, lines, sku, orders, at, ["", *countries], codes["tier"], names["tier"]
        )
    held = await sql.fetch("select distinct order_id from order_hold where released_at is null")
    parked = await sql.fetch(
        "select order_line_id from backorder where closed_at is null and state in ('ON_HOLD', 'CANCEL_PENDING')"
    )
    is_served = lines["status"] != STATUSES.index(OrderLineStatus.RECEIVED)
    is_served &= ~np.isin(lines["order"], np.array([row["order_id"] for row in held], np.int64))
    is_served &= ~np.isin(lines["id"], np.array([row["order_line_id"] for row in parked], np.int64))
    late = (lines["promised"] > 0) & (lines["promised"] > np.where(lines["requested"] > 0, lines["requested"], today))
    facts = Facts(
        lines["id"],
        lines["order"],
        standings,
        lines["wanted"],
        lines["requested"],
        lines["promised"],
        lines["ordered"] * price[sku_row],
        late,
        codes,
        names,
        today,
        is_served,
    )
    lines["destination"] = orders["destination"][at]
    return facts


def _used(variant: Variant) -> set[str]:
    """Facts that a filter or a sorter asks for; the others are not read."""
    found: set[str] = set()
    for segment in variant.segments:
        for filter in (segment.include, segment.exclude):
            if filter is not None:
                found |= {"tier"} if filter.tiers is not None else set()
                found |= {"customer"} if filter.customers is not None else set()
                found |= {"sku"} if filter.skus is not None else set()
                found |= {"supplier"} if filter.suppliers is not None else set()
                found |= {"value"} if filter.min_value is not None or filter.max_value is not None else set()
    for by in variant.sorts_by():
        found |= _NEEDS.get(by, set())
    return found


_NEEDS = {
    SortField.TIER: {"tier"},
    SortField.CUSTOMER: {"customer"},
    SortField.VALUE: {"value"},
    SortField.PRIORITY: {"priority", "tier"},
}


def _name_classes(channels: Iterable[Any], codes: dict[str, Ints], names: dict[str, list[str]]) -> None:
    """Demand classes are those of the channels; 0 is the one of all without."""
    of_channel = [row["protected_class"] for row in channels]
    names["class"] = sorted({"", *of_channel})
    number = {name: code for code, name in enumerate(names["class"])}
    table = np.array([number[name] for name in of_channel] or [0], np.int64)
    codes["class"] = table[codes["channel"]] if table.any() else np.zeros(len(codes["channel"]), np.int64)


async def _standings(
    uow: Transaction,
    weights: PriorityWeights,
    lines: dict[str, Ints],
    sku: Ints,
    orders: dict[str, Ints],
    at: Ints,
    countries: list[str],
    tier: Ints,
    tiers: list[str],
) -> Standings:
    """What the live priority of each line is made of; `at` is the row of its order."""
    sql = uow.sql
    waits = lines["waits"] > 0
    waiting = np.bincount(at[waits], minlength=len(orders["id"]))
    if len(sku) < await sql.fetchval("select count(*) from sku_gate"):  # lines of other SKUs belong to these orders too
        counted = await copy_columns(
            sql,
            """select order_id, count(*)::int4 from order_line
            where order_id = any($1::bigint[]) and open + backordered > 0 group by order_id""",
            {"id": "int8", "count": "int4"},
            orders["id"].tolist(),
        )
        waiting = np.zeros(len(orders["id"]), np.int64)
        waiting[positions(orders["id"], counted["id"])] = counted["count"]
    facts = await copy_columns(
        sql,
        "select id, unit_price, unit_cost, (status = 'PREORDER')::int::int2 from sku"
        + (" where id = any($1::bigint[])" if len(sku) <= 10_000 else ""),
        {"id": "int8", "price": "int8", "cost": "int8", "preorder": "int2"},
        *([sku.tolist()] if len(sku) <= 10_000 else []),
    )
    mine = positions(facts["id"], sku)
    price, cost = facts["price"][mine], facts["cost"][mine]
    delayed = await sql.fetch("select order_line_id from backorder where closed_at is null and state = 'DELAYED'")
    return Standings(
        uow.now,
        weights,
        lines["given"],
        orders["placed"][at],
        tier,
        [name or "STANDARD" for name in tiers],
        orders["country"][at] if len(countries) > 1 else None,
        countries,
        waiting[at] == waits,
        np.isin(lines["id"], np.array([row["order_line_id"] for row in delayed], np.int64)),
        np.where(price > 0, (price - cost) / np.maximum(price, 1), 0.0),
        facts["preorder"][mine] > 0,
    )


async def _name_customers(sql: Any, customer: Ints, codes: dict[str, Ints], names: dict[str, list[str]]) -> None:
    ids = distinct(customer)
    rows = await sql.fetch("select id, code, tier from customer where id = any($1::bigint[]) order by id", ids.tolist())
    known = np.array([0, *(row["id"] for row in rows)], np.int64)
    at = positions(known, customer)
    tiers = sorted({"", *(row["tier"] for row in rows)})
    number = {tier: n for n, tier in enumerate(tiers)}
    codes["customer"], names["customer"] = at, ["", *(row["code"] for row in rows)]
    codes["tier"] = np.array([number[""], *(number[row["tier"]] for row in rows)], np.int64)[at]
    names["tier"] = tiers


async def _name_suppliers(
    sql: Any, sku: Ints, sku_row: Ints, codes: dict[str, Ints], names: dict[str, list[str]]
) -> None:
    rows = await sql.fetch(
        """select distinct on (x.sku_id) x.sku_id, s.code from supplier_sku x join supplier s on s.id = x.supplier_id
        where x.sku_id = any($1::bigint[]) order by x.sku_id, x.is_preferred desc, x.lead_time_p80, x.supplier_id""",
        sku.tolist(),
    )
    found = sorted({"", *(row["code"] for row in rows)})
    number = {code: n for n, code in enumerate(found)}
    of_sku = np.full(len(sku), number[""], np.int64)
    of_sku[positions(sku, np.array([row["sku_id"] for row in rows], np.int64))] = [number[row["code"]] for row in rows]
    codes["supplier"], names["supplier"] = of_sku[sku_row], found


async def _lead_days(sql: Any, sku: Ints, only: list[int] | None, arguments: tuple[Any, ...]) -> Ints:
    terms = await copy_columns(
        sql,
        f"""select distinct on (sku_id) sku_id, lead_time_p80 from supplier_sku where {_of("sku_id", only)}
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
        where on_hand - unsellable - allocated <> 0 and {_of("sku_id", only)}
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
        f"""select sku_id, location_id, {_day("need_date")}, quantity from peg
        where order_line_id is null and kind <> 'HARD' and {_of("sku_id", only)}""",
        {"sku": "int8", "location": "int8", "day": "date", "quantity": "int4"},
        *arguments,
    )
    where = pool(rows)
    return Events(where, np.maximum(rows["day"], today[where % places]), rows["quantity"])


async def _kept_back(sql: Any, now: datetime, only: list[int] | None, pool: Any, today: Ints, places: int) -> Events:
    holds = await copy_columns(
        sql,
        f"""select sku_id, location_id, {_day("need_date")}, quantity from reservation
        where state = 'held' and expires_at > $2 and (sku_id = any($1::bigint[]) or $1::bigint[] is null)""",
        {"sku": "int8", "location": "int8", "day": "date", "quantity": "int4"},
        only,
        now,
    )
    steps = await copy_columns(
        sql,
        f"""select sku_id, location_id, {_day("from_date")},
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
        f"""select p.sku_id, p.location_id, p.of_class, {_day("p.from_date")}, p.units from (
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
