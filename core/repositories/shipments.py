"""Rows of shipments and their lines, read and written set based under the gates of their SKUs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from core.domain.records import Lot
from core.ports import Transaction
from core.repositories.warehouse_releases import ask_warehouses
from core.repositories.write_stock import draw_ids


@dataclass(frozen=True, slots=True)
class ShipmentRow:
    """A shipment as it is in the table."""

    id: int
    number: str
    order_id: int
    customer_id: int | None
    location_id: int
    status: str
    version: int


@dataclass(frozen=True, slots=True)
class PlannedLine:
    """A quantity of one order line in a shipment."""

    id: int
    shipment_id: int
    sku_id: int
    line_id: int
    location_id: int
    lot_id: int | None
    quantity: int


@dataclass(frozen=True, slots=True)
class LeftLine:
    """What left of one order line in one lot (None where none are tracked), with its serial numbers."""

    shipment_id: int
    sku_id: int
    line_id: int
    location_id: int
    lot: Lot | None
    quantity: int
    serials: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class NewShipment:
    """One shipment to plan: (sku id, order line id, lot id, quantity) per line."""

    order_id: int
    customer_id: int | None
    location_id: int
    planned_ship_date: date
    lines: list[tuple[int, int, int | None, int]]


async def shipments_by_number(uow: Transaction, numbers: Collection[str]) -> dict[str, ShipmentRow]:
    rows = await uow.sql.fetch(
        """select id, number, order_id, customer_id, location_id, status, version from shipment
        where number = any($1::text[])""",
        sorted(set(numbers)),
    )
    return {row["number"]: ShipmentRow(**row) for row in rows}


async def planned_shipments(uow: Transaction, order_ids: Iterable[int]) -> dict[tuple[int, int], ShipmentRow]:
    """The planned shipment of each (order, location) that has one; what a warehouse lacks of another is none to join."""
    rows = await uow.sql.fetch(
        """select id, number, order_id, customer_id, location_id, status, version from shipment
        where order_id = any($1::bigint[]) and status = 'PLANNED' and rest_of is null order by id""",
        sorted(set(order_ids)),
    )
    return {(row["order_id"], row["location_id"]): ShipmentRow(**row) for row in rows}


async def shipment_lines(uow: Transaction, shipment_ids: Iterable[int]) -> list[PlannedLine]:
    """All lines of these shipments, by shipment and id."""
    return [
        PlannedLine(**row)
        for row in await uow.sql.fetch(_LINES + "order by x.shipment_id, x.id", sorted(set(shipment_ids)))
    ]


async def skus_that_may_leave(uow: Transaction, shipment_ids: Iterable[int]) -> set[int]:
    """SKUs on these shipments, and those that a planner who is at it this moment may put on a planned one."""
    rows = await uow.sql.fetch(
        """select x.sku_id from shipment_line x where x.shipment_id = any($1::bigint[])
        union select l.sku_id from shipment s join order_line l on l.order_id = s.order_id
        where s.id = any($1::bigint[]) and s.status = 'PLANNED' and l.allocated > l.ready""",
        sorted(set(shipment_ids)),
    )
    return {row["sku_id"] for row in rows}


_LINES = """select x.id, x.shipment_id, x.sku_id, x.order_line_id as line_id, x.location_id, x.lot_id, x.quantity
from shipment_line x where x.shipment_id = any($1::bigint[]) """


async def planned_lines(uow: Transaction, order_ids: Iterable[int]) -> list[PlannedLine]:
    """The lines of the planned shipments of these orders."""
    return [
        PlannedLine(**row)
        for row in await uow.sql.fetch(
            """select x.id, x.shipment_id, x.sku_id, x.order_line_id as line_id, x.location_id, x.lot_id, x.quantity
            from shipment s join shipment_line x on x.shipment_id = s.id
            where s.order_id = any($1::bigint[]) and s.status = 'PLANNED' order by x.shipment_id, x.id""",
            sorted(set(order_ids)),
        )
    ]


async def plan(uow: Transaction, new: Sequence[NewShipment], existing: dict[tuple[int, int], ShipmentRow]) -> list[int]:
    """Write planned shipments; what goes from a place that has one already joins it. Returns one id per item of `new`."""
    fresh = [item for item in new if (item.order_id, item.location_id) not in existing]
    ids = {
        (item.order_id, item.location_id): shipment_id
        for item, shipment_id in zip(fresh, await draw_ids(uow, "shipment", len(fresh)), strict=True)
    }
    if fresh:
        await uow.sql.execute(
            """insert into shipment (id, number, order_id, customer_id, location_id, planned_ship_date, created_at)
            overriding system value
            select u.id, 'SH' || lpad(u.id::text, 8, '0'), u.order_id, u.customer_id, u.location_id, u.day, $6
            from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::date[])
                as u(id, order_id, customer_id, location_id, day)""",
            [ids[item.order_id, item.location_id] for item in fresh],
            [item.order_id for item in fresh],
            [item.customer_id for item in fresh],
            [item.location_id for item in fresh],
            [item.planned_ship_date for item in fresh],
            uow.now,
        )
    joined = {key: row.id for key, row in existing.items()} | ids
    rows = [(joined[item.order_id, item.location_id], item, line) for item in new for line in item.lines]
    if rows:
        await uow.sql.execute(
            """insert into shipment_line (sku_id, shipment_id, order_line_id, location_id, lot_id, quantity, created_at)
            select u.*, $7 from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::int[])
                as u""",
            [line[0] for _, _, line in rows],
            [shipment_id for shipment_id, _, _ in rows],
            [line[1] for _, _, line in rows],
            [item.location_id for _, item, _ in rows],
            [line[2] for _, _, line in rows],
            [line[3] for _, _, line in rows],
            uow.now,
        )
    enlarged = [existing[key].id for key in {(i.order_id, i.location_id) for i in new} if key in existing]
    if enlarged:
        await uow.sql.execute(
            "update shipment set version = version + 1, updated_at = $2 where id = any($1::bigint[])", enlarged, uow.now
        )
    if new:
        await ask_warehouses(uow, list(joined.values()))
    return [joined[item.order_id, item.location_id] for item in new]


async def take_off(uow: Transaction, planned: Sequence[PlannedLine], off: dict[tuple[int, int], int]) -> None:
    """Take units off planned shipments; `off` is by (line id, location). A shipment left without lines is CANCELLED."""
    left = {key: units for key, units in off.items() if units > 0}
    if not left:
        return
    changed: list[tuple[PlannedLine, int]] = []
    for row in reversed(planned):
        units = min(left.get((row.line_id, row.location_id), 0), row.quantity)
        if units > 0:
            left[row.line_id, row.location_id] -= units
            changed.append((row, row.quantity - units))
    gone = [row for row, rest in changed if rest == 0]
    kept = [(row, rest) for row, rest in changed if rest > 0]
    if gone:
        await uow.sql.execute(
            """delete from shipment_line x using unnest($1::bigint[], $2::bigint[]) as u(sku_id, id)
            where x.sku_id = u.sku_id and x.id = u.id""",
            [row.sku_id for row in gone],
            [row.id for row in gone],
        )
    if kept:
        await uow.sql.execute(
            """update shipment_line x set quantity = u.quantity
            from unnest($1::bigint[], $2::bigint[], $3::int[]) as u(sku_id, id, quantity)
            where x.sku_id = u.sku_id and x.id = u.id""",
            [row.sku_id for row, _ in kept],
            [row.id for row, _ in kept],
            [rest for _, rest in kept],
        )
    await uow.sql.execute(
        """update shipment s set version = s.version + 1, updated_at = $2, status = case when exists (
            select from shipment_line x where x.shipment_id = s.id) then s.status else 'CANCELLED' end
        where s.id = any($1::bigint[])""",
        sorted({row.shipment_id for row, _ in changed}),
        uow.now,
    )
    await ask_warehouses(uow, {row.shipment_id for row, _ in changed})


async def split_off(uow: Transaction, shipment_id: int, root_id: int, off: Sequence[tuple[int, int]]) -> str:
    """Move (line id, units) of a planned shipment to a new one, the rest of `root_id`; returns its number."""
    (rest_id,) = await draw_ids(uow, "shipment", 1)
    number = await uow.sql.fetchval(
        """insert into shipment (id, number, order_id, customer_id, location_id, planned_ship_date, created_at, rest_of)
        overriding system value
        select $2, 'SH' || lpad($2::bigint::text, 8, '0'), order_id, customer_id, location_id, planned_ship_date, $4, $3
        from shipment where id = $1 returning number""",
        shipment_id,
        rest_id,
        root_id,
        uow.now,
    )
    await uow.sql.execute(
        """with moved as (
            select x.*, u.units from shipment_line x join unnest($2::bigint[], $3::int[]) as u(id, units) on u.id = x.id
            where x.shipment_id = $1
        ), gone as (
            delete from shipment_line x using moved m where x.sku_id = m.sku_id and x.id = m.id and m.units = m.quantity
        ), kept as (
            update shipment_line x set quantity = x.quantity - m.units from moved m
            where x.sku_id = m.sku_id and x.id = m.id and m.units < m.quantity
        )
        insert into shipment_line (sku_id, shipment_id, order_line_id, location_id, lot_id, quantity, created_at)
        select sku_id, $4, order_line_id, location_id, lot_id, units, $5 from moved""",
        shipment_id,
        [line_id for line_id, _ in off],
        [units for _, units in off],
        rest_id,
        uow.now,
    )
    await uow.sql.execute(
        "update shipment set version = version + 1, updated_at = $2 where id = $1", shipment_id, uow.now
    )
    return number


def by_place(planned: Iterable[PlannedLine]) -> dict[int, dict[int, int]]:
    """Units on planned shipments by line id, then location."""
    found: dict[int, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for row in planned:
        found[row.line_id][row.location_id] += row.quantity
    return found


async def write_left_lines(uow: Transaction, left: Sequence[LeftLine]) -> None:
    """Put the lots that left in the place of the planned rows; rows of SKUs without lots stay as they are."""
    rows = [part for part in left if part.lot is not None]
    if not rows:
        return
    await uow.sql.execute(
        """delete from shipment_line x using unnest($1::bigint[], $2::bigint[], $3::bigint[]) as u(sku_id, shipment_id,
            line_id) where x.sku_id = u.sku_id and x.shipment_id = u.shipment_id and x.order_line_id = u.line_id""",
        [part.sku_id for part in rows],
        [part.shipment_id for part in rows],
        [part.line_id for part in rows],
    )
    await uow.sql.execute(
        """insert into shipment_line (sku_id, shipment_id, order_line_id, location_id, lot_id, quantity, created_at)
        select u.*, $7 from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::int[]) as u""",
        [part.sku_id for part in rows],
        [part.shipment_id for part in rows],
        [part.line_id for part in rows],
        [part.location_id for part in rows],
        [part.lot.id for part in rows if part.lot is not None],
        [part.quantity for part in rows],
        uow.now,
    )


async def mark_shipped(
    uow: Transaction, rows: Sequence[tuple[int, str | None, str | None, datetime]]
) -> dict[int, int]:
    """(shipment id, carrier, tracking number, when) that have left; returns the new versions by id."""
    found = await uow.sql.fetch(
        """update shipment s set status = 'SHIPPED', carrier = coalesce(u.carrier, s.carrier),
            tracking_number = coalesce(u.tracking, s.tracking_number), shipped_at = u.at, version = s.version + 1,
            updated_at = $5
        from unnest($1::bigint[], $2::text[], $3::text[], $4::timestamptz[]) as u(id, carrier, tracking, at)
        where s.id = u.id returning s.id, s.version""",
        [row[0] for row in rows],
        [row[1] for row in rows],
        [row[2] for row in rows],
        [row[3] for row in rows],
        uow.now,
    )
    return {row["id"]: row["version"] for row in found}


async def mark_delivered(uow: Transaction, rows: Sequence[tuple[int, datetime]]) -> dict[int, int]:
    """(shipment id, when) that have arrived; returns the new versions by id."""
    found = await uow.sql.fetch(
        """update shipment s set status = 'DELIVERED', delivered_at = u.at, version = s.version + 1, updated_at = $3
        from unnest($1::bigint[], $2::timestamptz[]) as u(id, at) where s.id = u.id returning s.id, s.version""",
        [row[0] for row in rows],
        [row[1] for row in rows],
        uow.now,
    )
    return {row["id"]: row["version"] for row in found}
