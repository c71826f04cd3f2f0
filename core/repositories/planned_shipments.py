"""Take units out of shipments that have not left, when the stock for them is lost."""

from __future__ import annotations

from core.ports import Transaction


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


async def shrink_planned_shipments(
    uow: Transaction, sku_id: int, location_id: int, losses: list[tuple[int, int]]
) -> None:
    """Reduce planned shipment lines of these order lines (id, units) at a location; an empty shipment is cancelled.

    Call it under the SKU's gate, after the lines' `ready` was lowered by as much.
    """
    if not losses:
        return
    left = dict(losses)
    rows = await uow.sql.fetch(
        """select l.id, l.order_line_id, l.quantity, l.shipment_id from shipment_line l
        join shipment s on s.id = l.shipment_id and s.status = 'PLANNED'
        where l.sku_id = $1 and l.location_id = $2 and l.order_line_id = any($3::bigint[]) order by l.id desc""",
        sku_id,
        location_id,
        list(left),
    )
    keep: list[tuple[int, int]] = []
    gone: list[int] = []
    touched: set[int] = set()
    for row in rows:
        part = min(left[row["order_line_id"]], row["quantity"])
        if part <= 0:
            continue
        left[row["order_line_id"]] -= part
        touched.add(row["shipment_id"])
        if part == row["quantity"]:
            gone.append(row["id"])
        else:
            keep.append((row["id"], row["quantity"] - part))
    await uow.sql.execute("delete from shipment_line where sku_id = $1 and id = any($2::bigint[])", sku_id, gone)
    await uow.sql.execute(
        """update shipment_line l set quantity = u.quantity from unnest($2::bigint[], $3::int[]) as u(id, quantity)
        where l.sku_id = $1 and l.id = u.id""",
        sku_id,
        [line_id for line_id, _ in keep],
        [quantity for _, quantity in keep],
    )
    await uow.sql.execute(
        """update shipment s set version = version + 1, updated_at = $2, status = case when exists (
            select from shipment_line l where l.shipment_id = s.id) then status else 'CANCELLED' end
        where id = any($1::bigint[])""",
        sorted(touched),
        uow.now,
    )
