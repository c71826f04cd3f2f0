"""Invoices of suppliers, and our own figures that documents are compared with."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from core.ports import Transaction


async def article_names(uow: Transaction, purchase_order_id: int) -> dict[int, tuple[str, str, str]]:
    """(our code, the supplier's code, GTIN) by line id of an order; empty where there is none."""
    rows = await uow.sql.fetch(
        """select l.id, k.code, coalesce(x.vendor_code, '') as vendor, coalesce(k.gtin, '') as gtin
        from purchase_order_line l
        join sku k on k.id = l.sku_id
        left join supplier_sku x on x.sku_id = l.sku_id and x.supplier_id = l.supplier_id
        where l.purchase_order_id = $1""",
        purchase_order_id,
    )
    return {row["id"]: (row["code"], row["vendor"], row["gtin"]) for row in rows}


async def currency_of(uow: Transaction, purchase_order_id: int) -> str:
    return await uow.sql.fetchval("select currency from purchase_order where id = $1", purchase_order_id)


async def billed_before(uow: Transaction, purchase_order_id: int, number: str) -> dict[int, int]:
    """Units that other invoices of the order ask for, by line number."""
    rows = await uow.sql.fetch(
        """select (x ->> 'lineNumber')::int as line, sum((x ->> 'quantity')::bigint)::bigint as quantity
        from supplier_invoice i cross join jsonb_array_elements(i.lines) x
        where i.purchase_order_id = $1 and i.number <> $2 and x ->> 'lineNumber' is not null group by 1""",
        purchase_order_id,
        number,
    )
    return {row["line"]: row["quantity"] or 0 for row in rows}


async def add_invoice(
    uow: Transaction,
    *,
    supplier_id: int,
    number: str,
    purchase_order_id: int,
    invoiced_on: date | None,
    total: str,
    currency: str,
    lines: list[dict[str, Any]],
    findings: list[dict[str, Any]],
    document_id: int | None,
) -> bool:
    """Keep an invoice; False when the supplier sent one with this number before."""
    found = await uow.sql.fetchval(
        """insert into supplier_invoice (supplier_id, number, purchase_order_id, invoiced_on, total, currency, lines,
            findings, edi_document_id, created_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        on conflict (supplier_id, number) do nothing returning id""",
        supplier_id,
        number,
        purchase_order_id,
        invoiced_on,
        total,
        currency,
        lines,
        findings,
        document_id,
        uow.now,
    )
    return found is not None


async def received_by_line(uow: Transaction, order_ids: Sequence[int]) -> dict[tuple[str, str], int]:
    """Units that we booked as received, by (order number, line number)."""
    rows = await uow.sql.fetch(
        """select o.number, l.line_number, l.received + l.over_delivered as received from purchase_order_line l
        join purchase_order o on o.id = l.purchase_order_id where o.id = any($1::bigint[])""",
        list(order_ids),
    )
    return {(row["number"], str(row["line_number"])): row["received"] for row in rows}


async def statuses_set_aside(uow: Transaction, references: Sequence[str]) -> list[int]:
    """Carriers' messages in quarantine because no goods were known under one of these references; at most 100."""
    rows = await uow.sql.fetch(
        """select id from edi_document where quarantine_state in ('new', 'assigned') and delivery = 'quarantined'
            and kind in ('214', 'IFTSTA') and exists (select from unnest($1::text[]) r
                where quarantine_reason like 'not_found:%' and position('''' || r || '''' in quarantine_reason) > 0)
        order by id limit 100""",
        list(references),
    )
    return [row["id"] for row in rows]
