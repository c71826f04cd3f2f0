"""Drop what is older than its retention."""

from __future__ import annotations

from datetime import timedelta

from core.repositories import outbox, webhooks
from core.services.erase_edi_files import erase_old_edi_files
from core.unit_of_work import UnitOfWork

RUN_DAYS = 7
"""Finished job runs are kept this long; dead letters stay."""


async def purge_history(uow: UnitOfWork, event_days: int, idempotency_days: int) -> dict[str, int]:
    """Drop whole event partitions; delete idempotency answers, settled webhook deliveries, finished runs; erase old EDI
    files; how many."""
    return {
        "eventPartitions": await outbox.drop_partitions(uow.sql, uow.now - timedelta(days=event_days)),
        "idempotency": await outbox.purge_idempotency(uow.sql, uow.now - timedelta(days=idempotency_days)),
        "webhookDeliveries": await webhooks.purge_deliveries(uow, uow.now - timedelta(days=event_days)),
        "ediFiles": await erase_old_edi_files(uow),
        "jobRuns": await outbox.purge_runs(uow.sql, RUN_DAYS),
    }
