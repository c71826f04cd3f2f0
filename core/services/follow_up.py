"""Jobs that a change of stock or supply asks for, under keys that let equal requests wait only once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from core.events import JobRequest
from core.ports import Transaction


def _key(ids: list[int]) -> str:
    if len(ids) == 1:
        return str(ids[0])
    return f"{len(ids)}:{hashlib.sha256(repr(ids).encode()).hexdigest()[:16]}"


def request_allocation(uow: Transaction, sku_ids: Iterable[int], key: str | None = None) -> None:
    """Offer stock that became free to those who wait for it."""
    if ids := sorted(set(sku_ids)):
        uow.enqueue(JobRequest("allocate_waiting_demand", key or f"skus:{_key(ids)}", {"skuIds": ids}))


def request_purchase(uow: Transaction, sku_ids: Iterable[int]) -> None:
    """Buy what has no source any more."""
    if ids := sorted(set(sku_ids)):
        uow.enqueue(JobRequest("raise_purchase_request", f"skus:{_key(ids)}", {"skuIds": ids}))


def request_shipments(uow: Transaction, order_ids: Iterable[int]) -> None:
    """Plan what may leave now."""
    if ids := sorted(set(order_ids)):
        uow.enqueue(JobRequest("plan_shipments", f"orders:{_key(ids)}", {"orderIds": ids}))
