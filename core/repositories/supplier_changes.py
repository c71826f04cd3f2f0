"""Changes that suppliers ask for: kept whole, so that they can be applied later as they were asked for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from core.domain.sequences import newest
from core.ports import Transaction


async def lock_changes(uow: Transaction, purchase_order_id: int) -> None:
    """Only one transaction proposes or decides changes of an order at a time; call it before any gate is taken."""
    await uow.sql.execute(
        "select pg_advisory_xact_lock(hashtextextended($1, 0))", f"supplier_change:{purchase_order_id}"
    )


async def standing_changes(uow: Transaction, purchase_order_id: int) -> list[Any]:
    """What waits for a decision or was accepted, oldest first."""
    return await uow.sql.fetch(
        "select * from supplier_change where purchase_order_id = $1 and state in ('PROPOSED', 'ACCEPTED') order by id",
        purchase_order_id,
    )


async def priced_at(uow: Transaction, purchase_order_id: int) -> dict[int, str]:
    """The newest sequence of what was accepted about the price of a line, by line number."""
    rows = await uow.sql.fetch(
        """select (x ->> 'lineNumber')::int as line, c.sequence from supplier_change c
        cross join jsonb_array_elements(c.lines) x
        where c.purchase_order_id = $1 and c.state = 'ACCEPTED' and x ? 'price'""",
        purchase_order_id,
    )
    found: dict[int, str] = {}
    for row in rows:
        found[row["line"]] = newest([found.get(row["line"]), row["sequence"]])
    return found


async def find_change(uow: Transaction, change_id: int) -> Any:
    """One change with the number of its order; None where there is none."""
    return await uow.sql.fetchrow(
        """select c.*, o.number from supplier_change c join purchase_order o on o.id = c.purchase_order_id
        where c.id = $1""",
        change_id,
    )


async def add_change(
    uow: Transaction,
    *,
    purchase_order_id: int,
    supplier_id: int,
    source: str,
    lines: list[dict[str, Any]],
    note: str,
    sequence: str,
    document_id: int | None,
) -> int:
    """Keep a proposal; returns its id."""
    return await uow.sql.fetchval(
        """insert into supplier_change (purchase_order_id, supplier_id, source, lines, note, sequence, edi_document_id,
            created_at) values ($1, $2, $3, $4, $5, $6, $7, $8) returning id""",
        purchase_order_id,
        supplier_id,
        source,
        lines,
        note,
        sequence,
        document_id,
        uow.now,
    )


async def close_changes(
    uow: Transaction, ids: Iterable[int], state: str, decided_by: str | None = None, reason: str | None = None
) -> None:
    """Write what was decided of proposals."""
    await uow.sql.execute(
        """update supplier_change set state = $2, decided_by = $3, reason = $4, decided_at = $5, version = version + 1
        where id = any($1::bigint[])""",
        sorted(ids),
        state,
        decided_by,
        reason,
        uow.now,
    )
