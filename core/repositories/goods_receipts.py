"""Goods receipts, what was expected of them, and inspection results."""

from __future__ import annotations

from dataclasses import dataclass

from core.errors import NotFound
from core.ports import Transaction
from core.repositories.write_stock import draw_ids


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt to insert; without a number it gets one from its id."""

    number: str | None
    location_id: int
    purchase_order_id: int | None
    ship_notice_id: int | None


@dataclass(frozen=True, slots=True)
class KnownReceipt:
    """A receipt booked before."""

    id: int
    over_delivered: int


@dataclass(frozen=True, slots=True)
class Expected:
    """A row of the referenced document: where its units are expected."""

    line_id: int | None = None
    notice_line_id: int | None = None
    supply_id: int | None = None


async def find_receipt(uow: Transaction, number: str) -> KnownReceipt | None:
    """The receipt with this number, if any."""
    row = await uow.sql.fetchrow(
        """select r.id, coalesce(sum(l.over_delivered), 0)::int as over from goods_receipt r
        left join goods_receipt_line l on l.goods_receipt_id = r.id where r.number = $1 group by r.id""",
        number,
    )
    return KnownReceipt(row["id"], row["over"]) if row is not None else None


async def insert_receipt(uow: Transaction, receipt: Receipt) -> int:
    """Insert the receipt; returns its id."""
    (receipt_id,) = await draw_ids(uow, "goods_receipt", 1)
    await uow.sql.execute(
        """insert into goods_receipt (id, number, location_id, purchase_order_id, ship_notice_id, actor, received_at)
        overriding system value values ($1, $2, $3, $4, $5, $6, $7)""",
        receipt_id,
        receipt.number or f"GR{receipt_id:08d}",
        receipt.location_id,
        receipt.purchase_order_id,
        receipt.ship_notice_id,
        uow.principal.id,
        uow.now,
    )
    return receipt_id


async def insert_receipt_lines(
    uow: Transaction, receipt_id: int, rows: list[tuple[int, int | None, int, int, int]]
) -> None:
    """Rows are (SKU id, supply id, quantity, damaged, over-delivered); gates are held."""
    await uow.sql.execute(
        """insert into goods_receipt_line (sku_id, goods_receipt_id, supply_id, quantity, damaged, over_delivered)
        select u.sku_id, $1, u.supply_id, u.quantity, u.damaged, u.over
        from unnest($2::bigint[], $3::bigint[], $4::int[], $5::int[], $6::int[])
            as u(sku_id, supply_id, quantity, damaged, over)""",
        receipt_id,
        [row[0] for row in rows],
        [row[1] for row in rows],
        [row[2] for row in rows],
        [row[3] for row in rows],
        [row[4] for row in rows],
    )


async def expected_of_ship_notice(uow: Transaction, number: str) -> tuple[int, list[Expected]]:
    """The notice's id and its lines. Raises NotFound; a number that two suppliers use must be named by its order."""
    rows = await uow.sql.fetch(
        """select n.id, l.id as line_id, l.purchase_order_line_id from ship_notice n
        left join ship_notice_line l on l.ship_notice_id = n.id where n.number = $1""",
        number,
    )
    if len({row["id"] for row in rows}) != 1:
        raise NotFound("ship notice", number)
    found = [Expected(r["purchase_order_line_id"], r["line_id"]) for r in rows if r["line_id"] is not None]
    return rows[0]["id"], found


async def expected_of_transfer(uow: Transaction, transfer_id: int) -> list[Expected]:
    """The supply that stands for the transfer at its destination. Raises NotFound."""
    rows = await uow.sql.fetch("select id from supply where transfer_id = $1", transfer_id)
    if not rows:
        raise NotFound("transfer", str(transfer_id))
    return [Expected(supply_id=row["id"]) for row in rows]


async def uninspected_lines(uow: Transaction, sku_id: int, location_id: int) -> list[tuple[int, int]]:
    """Receipt lines of the SKU at this location with damaged units nobody has judged yet, oldest first: (id, units)."""
    rows = await uow.sql.fetch(
        """select l.id, l.damaged - coalesce(i.judged, 0) as units from goods_receipt_line l
        join goods_receipt r on r.id = l.goods_receipt_id
        left join lateral (select sum(accepted + rejected) as judged from inspection_result x
            where x.sku_id = l.sku_id and x.goods_receipt_line_id = l.id) i on true
        where l.sku_id = $1 and r.location_id = $2 and l.damaged > coalesce(i.judged, 0) order by l.id""",
        sku_id,
        location_id,
    )
    return [(row["id"], int(row["units"])) for row in rows]


async def insert_inspections(uow: Transaction, sku_id: int, rows: list[tuple[int, int, int]], reason: str) -> None:
    """Rows are (receipt line id, accepted, rejected)."""
    await uow.sql.execute(
        """insert into inspection_result (sku_id, goods_receipt_line_id, accepted, rejected, reason, inspected_at, actor)
        select $1, u.line_id, u.accepted, u.rejected, $2, $3, $4
        from unnest($5::bigint[], $6::int[], $7::int[]) as u(line_id, accepted, rejected)""",
        sku_id,
        reason or None,
        uow.now,
        uow.principal.id,
        [row[0] for row in rows],
        [row[1] for row in rows],
        [row[2] for row in rows],
    )
