"""Drop what is older than its retention, a part at a time: whoever runs it asks again until a part is less than full."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import NamedTuple

from core.repositories import outbox, webhooks
from core.services.erase_edi_files import AT_ONCE, erase_old_edi_files
from core.unit_of_work import UnitOfWork

RUN_DAYS = 7
"""Finished job runs are kept this long; dead letters stay."""
PART = 20_000
"""Rows that one transaction deletes."""


class Purge(NamedTuple):
    """One kind of history: `drop` takes a part of it and says how many; it is done when that is less than `part`."""

    name: str
    drop: Callable[[UnitOfWork], Awaitable[int]]
    part: int


def purges(event_days: int, idempotency_days: int) -> list[Purge]:
    """Idempotency answers, settled webhook deliveries, finished runs, old EDI files, and last the event partitions.

    Dropping a partition locks the whole log until the commit: nothing else may be done in that transaction.
    """

    async def answers(uow: UnitOfWork) -> int:
        return await outbox.purge_idempotency(uow.sql, uow.now - timedelta(days=idempotency_days), PART)

    async def deliveries(uow: UnitOfWork) -> int:
        return await webhooks.purge_deliveries(uow, uow.now - timedelta(days=event_days), PART)

    async def runs(uow: UnitOfWork) -> int:
        return await outbox.purge_runs(uow.sql, RUN_DAYS, PART)

    async def partitions(uow: UnitOfWork) -> int:
        return await outbox.drop_partitions(uow.sql, uow.now - timedelta(days=event_days))

    return [
        Purge("idempotency", answers, PART),
        Purge("webhookDeliveries", deliveries, PART),
        Purge("jobRuns", runs, PART),
        Purge("ediFiles", erase_old_edi_files, AT_ONCE),
        Purge("eventPartitions", partitions, 1_000),
    ]
