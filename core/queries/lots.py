"""Lots, serialised units and kits as they are told to staff: what there is, and to whom it went."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

_LOT = """select t.sku_id, t.id, t.location_id, t.code, t.expires_on, t.state, t.on_hand, t.unsellable, t.allocated
from lot t"""


async def lots_by_sku_ids(sql: asyncpg.Connection, ids: Sequence[int]) -> list[asyncpg.Record]:
    """Lots with units, and those that are blocked, first expired first; only for callers that work with stock."""
    return await sql.fetch(
        f"""{_LOT} where t.sku_id = any($1::bigint[]) and (t.on_hand > 0 or t.state = 'quarantined')
        order by t.sku_id, t.expires_on nulls last, t.code, t.location_id""",
        list(ids),
    )


async def lots_by_code(sql: asyncpg.Connection, sku_id: int, code: str) -> list[asyncpg.Record]:
    """The lot at every location that has ever had units of it."""
    return await sql.fetch(f"{_LOT} where t.sku_id = $1 and t.code = $2 order by t.location_id", sku_id, code)


async def lines_with_lot(sql: asyncpg.Connection, sku_id: int, code: str, limit: int) -> list[asyncpg.Record]:
    """Order lines to which units of the lot are allocated or have left, newest first; at most `limit`."""
    return await sql.fetch(
        """select x.sku_id, x.order_line_id, max(x.id) as id,
            coalesce(sum(x.allocated_delta) filter (where x.kind in ('allocated', 'released', 'shipped')), 0)::int as allocated,
            coalesce(-sum(x.on_hand_delta) filter (where x.kind = 'shipped'), 0)::int as shipped,
            coalesce(sum(x.on_hand_delta) filter (where x.kind = 'returned'), 0)::int as returned
        from stock_movement x join lot t on t.sku_id = x.sku_id and t.id = x.lot_id
        where x.sku_id = $1 and t.code = $2 and x.order_line_id is not null
        group by x.sku_id, x.order_line_id
        having sum(x.allocated_delta) filter (where x.kind in ('allocated', 'released', 'shipped')) > 0
            or sum(x.on_hand_delta) filter (where x.kind = 'shipped') < 0
        order by max(x.id) desc limit $3""",
        sku_id,
        code,
        limit,
    )


async def serial_units(sql: asyncpg.Connection, sku_id: int, codes: Sequence[str]) -> list[asyncpg.Record]:
    """The units with these serial numbers that are known."""
    return await sql.fetch(
        """select s.sku_id, s.id, s.code, s.state, s.location_id, s.order_line_id, t.code as lot
        from serial_unit s left join lot t on t.sku_id = s.sku_id and t.id = s.lot_id
        where s.sku_id = $1 and s.code = any($2::text[]) order by s.code""",
        sku_id,
        list(codes),
    )


async def serial_steps(sql: asyncpg.Connection, keys: Sequence[tuple[int, int]]) -> list[asyncpg.Record]:
    """The life of units by (SKU, unit), oldest step first."""
    return await sql.fetch(
        """select m.sku_id, m.serial_unit_id, m.kind, m.location_id, m.order_line_id, m.occurred_at
        from serial_movement m join unnest($1::bigint[], $2::bigint[]) as u(sku_id, id)
            on u.sku_id = m.sku_id and u.id = m.serial_unit_id order by m.id""",
        [key[0] for key in keys],
        [key[1] for key in keys],
    )


async def components_by_kit_ids(sql: asyncpg.Connection, ids: Sequence[int]) -> list[asyncpg.Record]:
    """What these kits are made of; nothing for SKUs that are none."""
    return await sql.fetch(
        """select x.kit_sku_id, x.component_sku_id as sku_id, x.quantity from kit_component x
        where x.kit_sku_id = any($1::bigint[]) order by x.kit_sku_id, x.component_sku_id""",
        list(ids),
    )


async def kit_dates(sql: asyncpg.Connection, keys: Sequence[tuple[int, int]]) -> list[asyncpg.Record]:
    """By (order, kit line number): the last day that was promised for one of its component lines."""
    return await sql.fetch(
        """select l.order_id, l.kit_line_number, max(l.promised_date) as promised,
            min((l.ordered - l.cancelled) / l.kit_quantity)::int as quantity
        from order_line l join unnest($1::bigint[], $2::int[]) as u(order_id, number)
            on u.order_id = l.order_id and u.number = l.kit_line_number
        group by l.order_id, l.kit_line_number""",
        [key[0] for key in keys],
        [key[1] for key in keys],
    )


async def lots_by_keys(sql: asyncpg.Connection, keys: Sequence[tuple[int, int]]) -> list[asyncpg.Record]:
    """These lots by (SKU, id)."""
    return await sql.fetch(
        f"{_LOT} join unnest($1::bigint[], $2::bigint[]) as u(sku_id, id) on u.sku_id = t.sku_id and u.id = t.id",
        [key[0] for key in keys],
        [key[1] for key in keys],
    )


async def shipped_serials(sql: asyncpg.Connection, keys: Sequence[tuple[int, int, int, int]]) -> list[asyncpg.Record]:
    """Serial numbers that left, by (SKU, shipment, order line, lot or 0)."""
    return await sql.fetch(
        """select m.sku_id, m.shipment_id, m.order_line_id, coalesce(m.lot_id, 0) as lot_id, s.code
        from serial_movement m join serial_unit s on s.sku_id = m.sku_id and s.id = m.serial_unit_id
        join unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) as u(sku_id, shipment_id, line_id, lot_id)
            on u.sku_id = m.sku_id and u.shipment_id = m.shipment_id and u.line_id = m.order_line_id
            and u.lot_id = coalesce(m.lot_id, 0)
        where m.kind = 'shipped' order by m.id""",
        *[[key[n] for key in keys] for n in range(4)],
    )
