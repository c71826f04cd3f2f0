"""What suppliers say they have: staged whole, then written in chunks; hints that confirm nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from core.ports import Transaction


class StagedStock(NamedTuple):
    """What a report says of one SKU, in base units over all places of the supplier."""

    sku_id: int
    available: int
    next_date: date | None = None
    next_quantity: int | None = None


async def supplied_skus(uow: Transaction, supplier_id: int) -> dict[int, tuple[str, str]]:
    """(our code, the supplier's code) of everything that the supplier delivers, by SKU id."""
    rows = await uow.sql.fetch(
        """select k.id, k.code, coalesce(x.vendor_code, '') as vendor from supplier_sku x join sku k on k.id = x.sku_id
        where x.supplier_id = $1""",
        supplier_id,
    )
    return {row["id"]: (row["code"], row["vendor"]) for row in rows}


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


async def next_chunk(uow: Transaction, document_id: int, size: int) -> int:
    """Write the next `size` SKUs of a staged report, in their order; returns how many there were."""
    return await uow.sql.fetchval(
        """with taken as (
            delete from edi_stock_line where document_id = $1 and sku_id in (
                select sku_id from edi_stock_line where document_id = $1 order by sku_id limit $2)
            returning *),
        written as (
            insert into supplier_stock_report (supplier_id, sku_id, as_of, available, next_date, next_quantity,
                edi_document_id, actor, created_at)
            select supplier_id, sku_id, as_of, available, next_date, next_quantity, document_id, $3, $4 from taken
            returning 1)
        select count(*) from written""",
        document_id,
        size,
        uow.principal.id,
        uow.now,
    )
