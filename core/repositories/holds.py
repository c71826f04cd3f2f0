"""Rows of holds on orders."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.ports import Transaction


@dataclass(frozen=True, slots=True)
class LiveHold:
    """A hold that has not been released."""

    id: int
    order_id: int
    reason: str
    release_deadline: datetime | None
    on_deadline: str


async def live_holds(uow: Transaction, order_ids: Iterable[int]) -> dict[int, list[LiveHold]]:
    """The holds of these orders that are not released, oldest first; orders without one are absent."""
    return _grouped(
        await uow.sql.fetch(
            """select id, order_id, reason, release_deadline, on_deadline from order_hold
            where order_id = any($1::bigint[]) and released_at is null order by id""",
            sorted(set(order_ids)),
        )
    )


async def overdue_orders(uow: Transaction, limit: int) -> list[int]:
    """Orders with a live hold whose deadline has passed, longest first."""
    rows = await uow.sql.fetch(
        """select order_id, min(release_deadline) as deadline from order_hold
        where released_at is null and release_deadline <= $1 group by order_id order by deadline, order_id limit $2""",
        uow.now,
        limit,
    )
    return [row["order_id"] for row in rows]


async def release_holds(uow: Transaction, hold_ids: Collection[int]) -> None:
    if hold_ids:
        await uow.sql.execute(
            "update order_hold set released_at = $2, updated_at = $2 where id = any($1::bigint[])",
            list(hold_ids),
            uow.now,
        )


async def clear_deadlines(uow: Transaction, hold_ids: Collection[int]) -> None:
    """Holds that a person has to decide stay, without a deadline, so that they escalate once."""
    if hold_ids:
        await uow.sql.execute(
            "update order_hold set release_deadline = null, updated_at = $2 where id = any($1::bigint[])",
            list(hold_ids),
            uow.now,
        )


def _grouped(rows: list[Any]) -> dict[int, list[LiveHold]]:
    found: dict[int, list[LiveHold]] = defaultdict(list)
    for row in rows:
        found[row["order_id"]].append(LiveHold(**row))
    return dict(found)
