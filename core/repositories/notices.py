"""Notices to customers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from core.ports import Transaction


async def lock_pending(uow: Transaction, limit: int) -> list[Any]:
    """Notices that wait, oldest first, locked; those another sender holds are left to it."""
    return await uow.sql.fetch(
        """select id, customer_id, order_id, template, language, facts from notice where state = 'pending'
        order by id limit $1 for update skip locked""",
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
        """select id, customer_id, state, read_at from notice
        where id = $1 and ($2::bigint is null or customer_id = $2) for no key update""",
        notice_id,
        customer_id,
    )


async def write_read(uow: Transaction, notice_id: int, at: datetime) -> None:
    await uow.sql.execute("update notice set state = 'read', read_at = $2 where id = $1", notice_id, at)
