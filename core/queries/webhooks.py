"""Webhooks and what was delivered to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg

from core.domain.access import Principal, Role
from core.queries.page import Filter, Page, Sort, SortKey, fetch_page
from core.queries.scope import NOBODY

SORT = Sort("webhook-", (SortKey("w.id", int, "bigint"),))
DELIVERIES = Sort("webhook-delivery-", (SortKey("d.id", int, "bigint"),))
_SELECT = """select w.id, w.url, w.description, w.topics, w.sku_ids, w.customer_id, w.supplier_id, w.state, w.retry_at,
    w.failing_since, w.last_error, w.last_delivered_at, w.attempts, w.version, w.created_at, w.updated_at
from webhook w"""
_DELIVERY = """select d.id, d.webhook_id, d.message_id, d.type, d.position, d.replay_of, d.body, d.state, d.attempts,
    d.delivered_at, d.created_at
from webhook_delivery d join webhook w on w.id = d.webhook_id"""


def _scoped(principal: Principal) -> Filter:
    """The first wall: a customer's or supplier's own, all of them for planners, administrators and auditors."""
    where = Filter()
    if principal.role is Role.CUSTOMER:
        where.add("w.customer_id = ?", principal.customer_id if principal.customer_id is not None else NOBODY)
    elif principal.role is Role.SUPPLIER:
        where.add("w.supplier_id = ?", principal.supplier_id if principal.supplier_id is not None else NOBODY)
    elif principal.role not in (Role.PLANNER, Role.ADMIN, Role.AUDITOR):
        where.add("false")
    return where


async def webhooks_page(
    sql: asyncpg.Connection, principal: Principal, page: Page
) -> tuple[Sequence[asyncpg.Record], bool]:
    """Webhooks the caller may see, newest first."""
    return await fetch_page(sql, _SELECT, _scoped(principal), SORT, page)


async def webhooks_by_ids(sql: asyncpg.Connection, principal: Principal, ids: Sequence[int]) -> list[asyncpg.Record]:
    """Those of the webhooks that the caller may see."""
    where = _scoped(principal)
    where.add("w.id = any(?::bigint[])", list(ids))
    return await sql.fetch(f"{_SELECT} where {' and '.join(where.conditions)}", *where.arguments)


async def deliveries_page(
    sql: asyncpg.Connection, principal: Principal, given: Mapping[str, Any], page: Page
) -> tuple[Sequence[asyncpg.Record], bool]:
    """Messages to webhooks the caller may see, newest first."""
    where = _scoped(principal)
    where.add_given("d.webhook_id = ?", given.get("webhook_id"))
    where.add_given("d.state = ?", given.get("state"))
    where.add_given("d.type = ?", given.get("type"))
    where.add_given("d.message_id = ?", given.get("event_id"))
    return await fetch_page(sql, _DELIVERY, where, DELIVERIES, page)


async def deliveries_by_ids(sql: asyncpg.Connection, principal: Principal, ids: Sequence[int]) -> list[asyncpg.Record]:
    """Those of the messages that the caller may see."""
    where = _scoped(principal)
    where.add("d.id = any(?::bigint[])", list(ids))
    return await sql.fetch(f"{_DELIVERY} where {' and '.join(where.conditions)}", *where.arguments)
