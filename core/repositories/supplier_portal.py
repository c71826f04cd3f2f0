"""Writes of the work with suppliers: messages, urgent requests, stock hints, packs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from core.errors import NotFound
from core.ports import Transaction
from core.repositories.purchase_orders import PurchaseOrderHead, find_orders
from core.repositories.write_stock import draw_ids


async def supplier_id_of(uow: Transaction, code: str) -> int:
    """The supplier with this code. Raises NotFound."""
    found = await uow.sql.fetchval("select id from supplier where code = $1", code)
    if found is None:
        raise NotFound("supplier", code, path=("input", "supplier"))
    return found


async def sent_order(uow: Transaction, number: str, supplier_id: int | None) -> PurchaseOrderHead:
    """An order that the supplier knows of: one of its own (None: of anybody) that was sent. Raises NotFound."""
    head = (await find_orders(uow, [number], supplier_id, only_approved=True))[number]
    if supplier_id is not None and not await uow.sql.fetchval(
        "select sent_at is not null from purchase_order where id = $1", head.id
    ):
        raise NotFound("purchase order", number, path=("input", "number"))
    return head


async def add_message(uow: Transaction, head: PurchaseOrderHead, is_from_supplier: bool, body: str) -> int:
    return await uow.sql.fetchval(
        """insert into purchase_order_message (purchase_order_id, supplier_id, is_from_supplier, author, body, created_at)
        values ($1, $2, $3, $4, $5, $6) returning id""",
        head.id,
        head.supplier_id,
        is_from_supplier,
        uow.principal.id,
        body,
        uow.now,
    )


async def add_request(
    uow: Transaction,
    supplier_id: int,
    kind: str,
    sku_id: int,
    purchase_order_id: int | None,
    quantity: int,
    need_date: date,
    note: str,
    asked_by: str | None = None,
) -> str:
    """Insert an urgent request, asked by the caller unless it is somebody else; returns its number."""
    (request_id,) = await draw_ids(uow, "supplier_request", 1)
    number = f"RQ{request_id:08d}"
    await uow.sql.execute(
        """insert into supplier_request (id, number, supplier_id, kind, sku_id, purchase_order_id, quantity, need_date,
            note, asked_by, created_at) overriding system value
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)""",
        request_id,
        number,
        supplier_id,
        kind,
        sku_id,
        purchase_order_id,
        quantity,
        need_date,
        note,
        asked_by or uow.principal.id,
        uow.now,
    )
    return number


async def lock_request(uow: Transaction, number: str, supplier_id: int | None) -> Any:
    """The request's row, locked; only of `supplier_id` when given. Raises NotFound."""
    row = await uow.sql.fetchrow(
        """select * from supplier_request where number = $1 and ($2::bigint is null or supplier_id = $2)
        for no key update""",
        number,
        supplier_id,
    )
    if row is None:
        raise NotFound("supplier request", number, path=("input", "number"))
    return row


async def write_answer(
    uow: Transaction, request_id: int, state: str, quantity: int | None, day: date | None, note: str
) -> None:
    await uow.sql.execute(
        """update supplier_request set state = $2, answer_quantity = $3, answer_date = $4, answer_note = $5,
            answered_by = $6, answered_at = $7 where id = $1""",
        request_id,
        state,
        quantity,
        day,
        note,
        uow.principal.id,
        uow.now,
    )


async def supplied_skus(uow: Transaction, supplier_id: int, codes: Sequence[str]) -> dict[str, int]:
    """Ids of those of the SKUs that this supplier delivers, by our code."""
    rows = await uow.sql.fetch(
        """select k.code, k.id from supplier_sku x join sku k on k.id = x.sku_id
        where x.supplier_id = $1 and k.code = any($2::text[])""",
        supplier_id,
        sorted(set(codes)),
    )
    return {row["code"]: row["id"] for row in rows}


async def newest_reports(uow: Transaction, supplier_id: int, sku_ids: Sequence[int]) -> dict[int, datetime]:
    """When the newest hint of each SKU was true."""
    rows = await uow.sql.fetch(
        """select sku_id, max(as_of) as as_of from supplier_stock_report
        where supplier_id = $1 and sku_id = any($2::bigint[]) group by sku_id""",
        supplier_id,
        list(sku_ids),
    )
    return {row["sku_id"]: row["as_of"] for row in rows}


async def add_stock_reports(
    uow: Transaction,
    supplier_id: int,
    as_of: datetime,
    rows: Sequence[tuple[int, int | None, int | None, date | None, int | None]],
    document_id: int | None,
) -> None:
    """Insert hints (SKU id, available, capacity a week, next day, next quantity)."""
    await uow.sql.execute(
        """insert into supplier_stock_report (supplier_id, sku_id, as_of, available, capacity_per_week, next_date,
            next_quantity, edi_document_id, actor, created_at)
        select $1, u.sku_id, $2, u.available, u.capacity, u.next_date, u.next_quantity, $3, $4, $5
        from unnest($6::bigint[], $7::int[], $8::int[], $9::date[], $10::int[])
            as u(sku_id, available, capacity, next_date, next_quantity)""",
        supplier_id,
        as_of,
        document_id,
        uow.principal.id,
        uow.now,
        [row[0] for row in rows],
        [row[1] for row in rows],
        [row[2] for row in rows],
        [row[3] for row in rows],
        [row[4] for row in rows],
    )


async def packs_of(uow: Transaction, supplier_id: int, codes: Sequence[str], since: datetime) -> dict[str, int]:
    """The notice under which this supplier used each of these SSCCs since then."""
    rows = await uow.sql.fetch(
        """select sscc, max(ship_notice_id) as notice from ship_notice_pack
        where supplier_id = $1 and sscc = any($2::text[]) and created_at >= $3 group by sscc""",
        supplier_id,
        sorted(set(codes)),
        since,
    )
    return {row["sscc"]: row["notice"] for row in rows}


async def packed_units(uow: Transaction, notice_id: int, without: Sequence[str]) -> dict[str, int]:
    """Units by SKU in the packs of a notice, those under the SSCCs `without` left out."""
    rows = await uow.sql.fetch(
        """select c ->> 'sku' as sku, sum((c ->> 'quantity')::int)::int as units
        from ship_notice_pack, jsonb_array_elements(contents) c
        where ship_notice_id = $1 and not sscc = any($2::text[]) group by 1""",
        notice_id,
        list(without),
    )
    return {row["sku"]: row["units"] for row in rows}


async def add_packs(
    uow: Transaction, supplier_id: int, notice_id: int, packs: Sequence[tuple[str, str, list[dict[str, Any]]]]
) -> None:
    """Insert packs (SSCC, kind, contents); those the notice has already are left as they are."""
    await uow.sql.execute(
        """insert into ship_notice_pack (supplier_id, ship_notice_id, sscc, kind, contents, created_at)
        select $1, $2, p ->> 'sscc', p ->> 'kind', p -> 'contents', $3 from jsonb_array_elements($4::jsonb) as p
        on conflict (ship_notice_id, sscc) do nothing""",
        supplier_id,
        notice_id,
        uow.now,
        [{"sscc": sscc, "kind": kind, "contents": contents} for sscc, kind, contents in packs],
    )
