"""Ask for the next run of the automatic course wherever the facts of a backorder have changed."""

from __future__ import annotations

import hashlib

from core.domain.book import SkuBook
from core.domain.course import MARK
from core.events import JobRequest
from core.ports import Transaction

_CALLS = frozenset({"OPENED", "PEGGED", "PEG_LOST", "EXPECTED_MOVED", "STATE_CHANGED"})
CHUNK = 50
"""SKUs per run: its gates are held together."""


def follow_course(uow: Transaction, books: list[SkuBook]) -> None:
    """One request per chunk of SKUs with an open backorder that has changed; the course's own facts call nobody."""
    wanted = sorted(
        {
            book.sku_id
            for book in books
            for fact in book.backorder_facts
            if fact.kind in _CALLS and not fact.cause.startswith(MARK) and fact.backorder.closed_at is None
        }
    )
    request_course(uow, wanted)


def request_course(uow: Transaction, sku_ids: list[int]) -> None:
    """Ask for a run for these SKUs, under keys that let equal requests wait only once."""
    for start in range(0, len(sku_ids), CHUNK):
        chunk = sku_ids[start : start + CHUNK]
        name = str(chunk[0]) if len(chunk) == 1 else hashlib.sha256(repr(chunk).encode()).hexdigest()[:16]
        uow.enqueue(JobRequest("run_backorder_course", f"skus:{name}", {"skuIds": chunk}))
