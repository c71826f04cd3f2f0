"""What filters and sorters of a run know of the open lines, read into arrays."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import numpy as np

from core.domain.network import Network
from core.domain.priority import PriorityWeights
from core.domain.repromising.columns import Ints
from core.domain.repromising.segments import Facts
from core.domain.repromising.snapshot import distinct, positions
from core.domain.repromising.standings import Standings
from core.domain.repromising.variant import SortField, Variant
from core.domain.states import OrderLineStatus
from core.ports import Transaction
from core.repositories.copy_columns import copy_columns
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


def day_of(expression: str) -> str:
    """A date of type `date` in `copy_columns`: an ordinal, 0 for none."""
    return f"coalesce({expression}, date '0001-12-31 BC')"


def narrowed(column: str, sku_ids: Collection[int] | None) -> str:
    return "true" if sku_ids is None else f"{column} = any($1::bigint[])"


async def read_facts(
    uow: Transaction, network: Network, variant: Variant, sku_ids: Iterable[int]
) -> tuple[Facts, Ints, Ints, Ints]:
    """Facts of the open lines of these SKUs under their gates: (facts, location ids, location row and zone per line)."""
    only = sorted(set(sku_ids))
    lines = await read_lines(uow.sql, only, (only,))
    location_ids = np.array(sorted(network.locations), np.int64)
    today = max((network.today(int(i), uow.now).toordinal() for i in location_ids), default=0)
    facts = await line_facts(uow, variant, lines, np.array(only, np.int64), today, only)
    return facts, location_ids, positions(location_ids, lines["location"]), lines["destination"]


async def read_open_facts(uow: Transaction, network: Network, variant: Variant) -> Facts:
    """Facts of all open lines, of as many kinds as the variant asks for."""
    lines = await read_lines(uow.sql, None, ())
    today = max((network.today(i, uow.now).toordinal() for i in network.locations), default=uow.now.date().toordinal())
    return await line_facts(uow, variant, lines, distinct(lines["sku"]), today, None)


async def read_lines(sql: Any, only: list[int] | None, arguments: tuple[Any, ...]) -> dict[str, Ints]:
    lines = await copy_columns(
        sql,
        f"""select l.id, l.sku_id, l.order_id, case when l.is_priority_manual then l.priority_score
            else -1 - l.times_bumped::int8 end, l.ordered, l.ready, {day_of("l.ship_by")},
            {day_of("l.requested_date")}, {day_of("l.promised_date")},
            ({_STATUS} + case when l.open + l.backordered > 0 then {_WAITS} else 0 end)::int2, coalesce(l.location_id, 0)::int8
        from order_line l where l.open + l.backordered + l.allocated > 0 and {narrowed("l.sku_id", only)}""",
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


async def line_facts(
    uow: Transaction, variant: Variant, lines: dict[str, Ints], sku: Ints, today: int, only: list[int] | None
) -> Facts:
    """Facts of `lines`, of the SKUs `sku`; `only`: nothing but these SKUs was read, None: all open lines there are."""
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
        prices = await _of_skus(sql, sku, "id, unit_price", {"id": "int8", "price": "int8"})
        price = prices["price"][positions(prices["id"], sku)]
    standings = None
    if weights is not None:
        standings = await _standings(
            uow, weights, lines, sku, orders, at, ["", *countries], codes["tier"], names["tier"], only
        )
    held = await sql.fetch(
        f"select distinct order_id from order_hold where released_at is null and {narrowed('order_id', only)}",
        *(() if only is None else (order_ids.tolist(),)),
    )
    parked = await _open_backorders(sql, only, "ON_HOLD", "CANCEL_PENDING")
    is_served = lines["status"] != STATUSES.index(OrderLineStatus.RECEIVED)
    is_served &= ~np.isin(lines["order"], np.array([row["order_id"] for row in held], np.int64))
    is_served &= ~np.isin(lines["id"], parked)
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


async def _open_backorders(sql: Any, only: list[int] | None, *states: str) -> Ints:
    """Lines whose open backorder is in one of the states."""
    rows = await sql.fetch(
        f"""select order_line_id from backorder where closed_at is null and {narrowed("sku_id", only)}
        and state in ({", ".join(f"'{state}'" for state in states)})""",
        *(() if only is None else (only,)),
    )
    return np.array([row["order_line_id"] for row in rows], np.int64)


async def _of_skus(sql: Any, sku: Ints, wanted: str, types: dict[str, str]) -> dict[str, Ints]:
    """Columns of these SKUs; of many the whole table is read, which is faster."""
    if len(sku) > 10_000:
        return await copy_columns(sql, f"select {wanted} from sku", types)
    return await copy_columns(sql, f"select {wanted} from sku where id = any($1::bigint[])", types, sku.tolist())


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
    only: list[int] | None,
) -> Standings:
    """What the live priority of each line is made of; `at` is the row of its order."""
    sql = uow.sql
    waits = lines["waits"] > 0
    waiting = np.bincount(at[waits], minlength=len(orders["id"]))
    if only is not None:  # lines of other SKUs belong to these orders too
        counted = await copy_columns(
            sql,
            """select order_id, count(*)::int4 from order_line
            where order_id = any($1::bigint[]) and open + backordered > 0 group by order_id""",
            {"id": "int8", "count": "int4"},
            orders["id"].tolist(),
        )
        waiting = np.zeros(len(orders["id"]), np.int64)
        waiting[positions(orders["id"], counted["id"])] = counted["count"]
    facts = await _of_skus(
        sql,
        sku,
        "id, unit_price, unit_cost, (status = 'PREORDER')::int::int2",
        {"id": "int8", "price": "int8", "cost": "int8", "preorder": "int2"},
    )
    mine = positions(facts["id"], sku)
    price, cost = facts["price"][mine], facts["cost"][mine]
    return Standings(
        uow.now.replace(hour=23, minute=59, second=59, microsecond=0),
        weights,
        lines["given"],
        orders["placed"][at],
        tier,
        [name or "STANDARD" for name in tiers],
        orders["country"][at] if len(countries) > 1 else None,
        countries,
        waiting[at] == waits,
        np.isin(lines["id"], await _open_backorders(sql, only, "DELAYED")),
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
