"""Ask for the course of every open backorder, and find the option sets that nobody has answered in time."""

from __future__ import annotations

from core.ports import Transaction
from core.repositories.follow_course import request_course
from core.repositories.option_offers import Key, due_offers


async def review_backorders(uow: Transaction) -> int:
    """Ask for a run of the course for all SKUs with an open backorder; returns how many SKUs."""
    rows = await uow.sql.fetch("select distinct sku_id from backorder where closed_at is null order by sku_id")
    sku_ids = [row["sku_id"] for row in rows]
    request_course(uow, sku_ids)
    return len(sku_ids)


async def overdue_options(uow: Transaction, limit: int) -> list[Key]:
    """(SKU id, offer id) whose deadline has passed, longest first."""
    return await due_offers(uow, limit)
