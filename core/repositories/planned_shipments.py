"""Take units out of shipments that have not left, when the stock for them is lost."""

from __future__ import annotations

from core.ports import Transaction
from core.repositories.warehouse_releases import ask_warehouses


async def planned_at(uow: Transaction, sku_id: int, location_id: int) -> dict[int, int]:
    """Units of each order line of the SKU on planned shipments from this location. Call it under the SKU's gate."""
    rows = await uow.sql.fetch(
        """select l.order_line_id, sum(l.quantity)::int as units from shipment_line l
        join shipment s on s.id = l.shipment_id and s.status = 'PLANNED'
        where l.sku_id = $1 and l.location_id = $2 group by l.order_line_id""",
        sku_id,
        location_id,
    )
    return {row["order_line_id"]: row["units"] for row in rows}


async def shrink_planned_shipments(uow: Transaction, off: dict[int, dict[tuple[int, int], int]]) -> None:
    """Take units off planned shipments, by SKU, order line and location; an empty shipment is cancelled.

    Call it behind the rows of the orders, after the lines' `ready` was lowered by as much: whoever plans shipments of
    other SKUs of these orders holds those rows, and is seen only when they are free.
    """
    if not off:
        return
    left = {(line_id, location_id): units for parts in off.values() for (line_id, location_id), units in parts.items()}
    rows = await uow.sql.fetch(
        """select l.sku_id, l.id, l.order_line_id, l.location_id, l.quantity, l.shipment_id from shipment_line l
        join shipment s on s.id = l.shipment_id and s.status = 'PLANNED'
        where (l.sku_id, l.order_line_id, l.location_id) in (select * from unnest($1::bigint[], $2::bigint[], $3::bigint[]))
        order by l.id desc""",
        [sku_id for sku_id, parts in off.items() for _ in parts],
        [line_id for parts in off.values() for line_id, _ in parts],
        [location_id for parts in off.values() for _, location_id in parts],
    )
    keep: list[tuple[int, int, int]] = []
    gone: list[tuple[int, int]] = []
    touched: set[int] = set()
    for row in rows:
        key = (row["order_line_id"], row["location_id"])
        part = min(left[key], row["quantity"])
        if part <= 0:
            continue
        left[key] -= part
        touched.add(row["shipment_id"])
        if part == row["quantity"]:
            gone.append((row["sku_id"], row["id"]))
        else:
            keep.append((row["sku_id"], row["id"], row["quantity"] - part))
    await uow.sql.execute(
        """delete from shipment_line l using unnest($1::bigint[], $2::bigint[]) as u(sku_id, id)
        where l.sku_id = u.sku_id and l.id = u.id""",
        [sku_id for sku_id, _ in gone],
        [line_id for _, line_id in gone],
    )
    await uow.sql.execute(
        """update shipment_line l set quantity = u.quantity from unnest($1::bigint[], $2::bigint[], $3::int[])
            as u(sku_id, id, quantity) where l.sku_id = u.sku_id and l.id = u.id""",
        [sku_id for sku_id, _, _ in keep],
        [line_id for _, line_id, _ in keep],
        [quantity for _, _, quantity in keep],
    )
    await uow.sql.execute(
        """update shipment s set version = version + 1, updated_at = $2, status = case when exists (
            select from shipment_line l where l.shipment_id = s.id) then status else 'CANCELLED' end
        where id = any($1::bigint[])""",
        sorted(touched),
        uow.now,
    )
    await ask_warehouses(uow, touched)
