"""Lines of orders, what was promised for them and what covers them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import asyncpg

from core.domain.access import Principal
from core.queries.page import Filter
from core.queries.scope import scoped_to_customer

Key = tuple[int, int]
"""(SKU id, id): how rows of SKU-keyed tables are found."""

_LINE = """select l.sku_id, l.id, l.order_id, l.line_number, l.status, l.ordered, l.open, l.allocated, l.backordered,
    l.shipped, l.cancelled, l.requested_date, l.ship_policy, l.substitutes_allowed, l.min_life_days, l.version,
    l.kit_sku_id, l.kit_line_number, l.kit_quantity
from order_line l"""


def by_keys(where: Filter, alias: str, keys: Sequence[Key], id_column: str = "id") -> None:
    """Add "one of these keys" to a filter."""
    where.add(
        f"({alias}.sku_id, {alias}.{id_column}) in (select * from unnest(?::bigint[], ?::bigint[]))",
        [key[0] for key in keys],
        [key[1] for key in keys],
    )


async def lines_by_order_ids(sql: asyncpg.Connection, principal: Principal, ids: Sequence[int]) -> list[asyncpg.Record]:
    """Lines of these orders by number."""
    where = scoped_to_customer(principal, "l.customer_id")
    where.add("l.order_id = any(?::bigint[])", list(ids))
    return await sql.fetch(
        f"{_LINE} where {' and '.join(where.conditions)} order by l.order_id, l.line_number", *where.arguments
    )


async def lines_by_keys(sql: asyncpg.Connection, principal: Principal, keys: Sequence[Key]) -> list[asyncpg.Record]:
    """Those of the lines that the caller may see."""
    where = scoped_to_customer(principal, "l.customer_id")
    by_keys(where, "l", keys)
    return await sql.fetch(f"{_LINE} where {' and '.join(where.conditions)}", *where.arguments)


_PROMISE = """select p.sku_id, p.order_line_id, p.sequence, p.quantity, p.complete, p.cause_kind as reason,
    p.created_at as made_at, case when p.evidence #> '{binding,kind}' is not null then p.evidence -> 'binding' end as binding,
    s.slices, s.promised, s.basis
from promise p cross join lateral (
    select jsonb_agg(x.slice || jsonb_build_object('timezone', l.time_zone, 'delivery_timezone', d.time_zone,
            'destination', o.destination_id)
            order by x.slice ->> 'shipDate') as slices,
        max(coalesce(x.slice ->> 'deliveryDate', x.slice ->> 'shipDate'))::date as promised,
        (array_agg(x.slice ->> 'basis' order by coalesce(x.slice ->> 'deliveryDate', x.slice ->> 'shipDate') desc))[1]
            as basis
    from jsonb_array_elements(p.slices) x(slice)
    left join location l on l.id = (x.slice ->> 'location')::bigint
    left join order_line ol on ol.sku_id = p.sku_id and ol.id = p.order_line_id
    left join sales_order o on o.id = ol.order_id
    left join location d on d.id = o.destination_id) s"""


async def promises_by_line_keys(
    sql: asyncpg.Connection, principal: Principal, keys: Sequence[Key]
) -> list[asyncpg.Record]:
    """All promises of these lines, oldest first, each slice with the zones its days are counted in."""
    where = scoped_to_customer(principal, "p.customer_id")
    by_keys(where, "p", keys, "order_line_id")
    return await sql.fetch(
        f"{_PROMISE} where {' and '.join(where.conditions)} order by p.sku_id, p.order_line_id, p.sequence",
        *where.arguments,
    )


async def pegs_by_line_keys(sql: asyncpg.Connection, principal: Principal, keys: Sequence[Key]) -> list[asyncpg.Record]:
    """Pegs of these lines, firmest and soonest first; `supply_id` names the supply of FIRM and SOFT ones."""
    where = scoped_to_customer(principal, "l.customer_id")
    by_keys(where, "p", keys, "order_line_id")
    return await sql.fetch(
        f"""select p.sku_id, p.id, p.order_line_id, p.location_id as location, p.need_date, p.quantity,
            p.kind as firmness, p.supply_id, w.time_zone as timezone
        from peg p join order_line l on l.sku_id = p.sku_id and l.id = p.order_line_id
        join location w on w.id = p.location_id
        where {" and ".join(where.conditions)}
        order by array_position(array['HARD', 'FIRM', 'SOFT', 'OPEN'], p.kind), p.need_date, p.id""",
        *where.arguments,
    )


async def supplies_by_keys(sql: asyncpg.Connection, keys: Sequence[Key]) -> list[asyncpg.Record]:
    """What these supplies are and when they become usable; for callers that may see a peg on them."""
    where = Filter()
    by_keys(where, "s", keys)
    return await sql.fetch(
        f"""select s.sku_id, s.id, s.location_id, s.usable_date, coalesce(s.date_basis, 'LEAD_TIME') as basis,
            s.purchase_order_line_id, s.transfer_id, n.ship_notice_id,
            case when s.ship_notice_line_id is not null then 'SHIP_NOTICE' when s.kind = 'purchase' then 'PURCHASE_ORDER'
                else upper(s.kind) end as source
        from supply s
        left join ship_notice_line n on n.sku_id = s.sku_id and n.id = s.ship_notice_line_id
        where {" and ".join(where.conditions)}""",
        *where.arguments,
    )


def covered(peg: Any, supply: Any | None, shows_source: bool) -> dict[str, Any]:
    """A peg with its source and day; without `shows_source` (customers) the source stays a kind and a day."""
    row: dict[str, Any] = dict(peg)
    if supply is not None:
        row |= {"source": supply["source"], "expected_date": supply["usable_date"], "basis": supply["basis"]}
        if shows_source:
            names = ("purchase_order_line_id", "transfer_id", "ship_notice_id")
            row |= {name: supply[name] for name in names}
    else:
        kind = "ON_HAND" if peg["firmness"] == "HARD" else "LEAD_TIME"
        row |= {"source": kind, "expected_date": peg["need_date"], "basis": kind}
    return row
