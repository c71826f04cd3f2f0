"""Notices to customers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from core.ports import Transaction


async def lock_pending(uow: Transaction, limit: int) -> list[Any]:
    """Notices that wait, oldest first, locked; those another sender holds are left to it."""
    return await uow.sql.fetch(
        """select n.id, n.customer_id, n.order_id, n.template, n.language, n.facts, o.number as order_number,
            c.code as customer
        from notice n left join sales_order o on o.id = n.order_id left join customer c on c.id = n.customer_id
        where n.state = 'pending' order by n.id limit $1 for update of n skip locked""",
        limit,
    )


async def write_sent(uow: Transaction, rows: list[tuple[int, str, str | None, str | None]]) -> None:
    """Rows are (id, state, subject, text)."""
    await uow.sql.execute(
        """update notice n set state = u.state, subject = u.subject, text = u.text,
            sent_at = case when u.state = 'sent' then $5::timestamptz end
        from unnest($1::bigint[], $2::text[], $3::text[], $4::text[]) as u(id, state, subject, text)
        where n.id = u.id""",
        [row[0] for row in rows],
        [row[1] for row in rows],
        [row[2] for row in rows],
        [row[3] for row in rows],
        uow.now,
    )


async def lock_notice(uow: Transaction, notice_id: int, customer_id: int | None) -> Any:
    """The notice, locked; None when it does not exist or belongs to another customer than `customer_id`."""
    return await uow.sql.fetchrow(
        """select n.id, n.customer_id, n.state, n.read_at, n.template, n.language, n.subject, o.number as order_number,
            c.code as customer
        from notice n left join sales_order o on o.id = n.order_id left join customer c on c.id = n.customer_id
        where n.id = $1 and ($2::bigint is null or n.customer_id = $2) for no key update of n""",
        notice_id,
        customer_id,
    )


async def write_read(uow: Transaction, notice_id: int, at: datetime) -> None:
    await uow.sql.execute("update notice set state = 'read', read_at = $2 where id = $1", notice_id, at)
