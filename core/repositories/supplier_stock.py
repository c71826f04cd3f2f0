"""What suppliers say they have: staged whole, then written in chunks; hints that confirm nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from core.ports import Transaction


class StagedStock(NamedTuple):
    """What a report says of one SKU, in base units over all places of the supplier."""

    sku_id: int
    available: int
    next_date: date | None = None
    next_quantity: int | None = None


async def supplied_skus(uow: Transaction, supplier_id: int) -> dict[int, tuple[str, str, str]]:
    """(our code, the supplier's code, GTIN) of everything that the supplier delivers, by SKU id; empty where there is none."""
    rows = await uow.sql.fetch(
        """select k.id, k.code, coalesce(x.vendor_code, '') as vendor, coalesce(k.gtin, '') as gtin
        from supplier_sku x join sku k on k.id = x.sku_id where x.supplier_id = $1""",
        supplier_id,
    )
    return {row["id"]: (row["code"], row["vendor"], row["gtin"]) for row in rows}


async def newest_stock(uow: Transaction, supplier_id: int) -> tuple[datetime | None, dict[int, int]]:
    """When the newest report of a document was made, and what is known to be available, by SKU id."""
    rows = await uow.sql.fetch(
        """select distinct on (sku_id) sku_id, available, as_of from supplier_stock_report
        where supplier_id = $1 and edi_document_id is not null order by sku_id, as_of desc, id desc""",
        supplier_id,
    )
    newest = max((row["as_of"] for row in rows), default=None)
    return newest, {row["sku_id"]: row["available"] or 0 for row in rows}


async def stage(
    uow: Transaction, document_id: int, supplier_id: int, as_of: datetime, rows: Sequence[StagedStock]
) -> None:
    """Keep the whole report; `next_chunk` writes it."""
    await uow.sql.execute(
        """insert into edi_stock_line (document_id, supplier_id, as_of, sku_id, available, next_date, next_quantity)
        select $1, $2, $3, * from unnest($4::bigint[], $5::int[], $6::date[], $7::int[])""",
        document_id,
        supplier_id,
        as_of,
        [row.sku_id for row in rows],
        [row.available for row in rows],
        [row.next_date for row in rows],
        [row.next_quantity for row in rows],
    )


async def take_chunk(uow: Transaction, document_id: int, size: int) -> list[Any]:
    """Take the next `size` SKUs of a staged report off it, in their order."""
    return await uow.sql.fetch(
        """with taken as (
            delete from edi_stock_line where document_id = $1 and sku_id in (
                select sku_id from edi_stock_line where document_id = $1 order by sku_id limit $2)
            returning *)
        select * from taken order by sku_id""",
        document_id,
        size,
    )


async def skus_of_unknown_day(uow: Transaction, supplier_id: int, sku_ids: Sequence[int]) -> list[int]:
    """Those of the SKUs of which something is on order from this supplier that nobody has given a day for."""
    rows = await uow.sql.fetch(
        """select distinct s.sku_id from supply s where s.sku_id = any($2::bigint[]) and s.supplier_id = $1
            and s.purchase_order_line_id is not null and s.ship_notice_line_id is null and s.date_basis = 'LEAD_TIME'
            and s.quantity > s.received + s.cancelled""",
        supplier_id,
        list(sku_ids),
    )
    return [row["sku_id"] for row in rows]
