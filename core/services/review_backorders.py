"""Ask for the course of every open backorder and for what has come, and find the option sets nobody has answered in time."""

from __future__ import annotations

from core.ports import Transaction
from core.repositories.follow_course import request_course
from core.repositories.option_offers import Key, due_offers
from core.services.follow_up import request_shipments

ORDERS_AT_ONCE = 50


async def review_backorders(uow: Transaction) -> int:
    """Ask for a run of the course for all SKUs with an open backorder; returns how many SKUs.

    What is allocated and on no shipment is looked at too: the rule that kept it from the warehouse may be another now.
    """
    rows = await uow.sql.fetch("select distinct sku_id from backorder where closed_at is null order by sku_id")
    sku_ids = [row["sku_id"] for row in rows]
    request_course(uow, sku_ids)
    orders = [
        row["order_id"]
        for row in await uow.sql.fetch(
            "select distinct order_id from order_line where allocated > ready order by order_id"
        )
    ]
    for begin in range(0, len(orders), ORDERS_AT_ONCE):
        request_shipments(uow, orders[begin : begin + ORDERS_AT_ONCE])
    return len(sku_ids)


async def overdue_options(uow: Transaction, limit: int) -> list[Key]:
    """(SKU id, offer id) whose deadline has passed, longest first."""
    return await due_offers(uow, limit)
