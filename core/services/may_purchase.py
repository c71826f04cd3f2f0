"""Which waiting lines the automatic course lets us buy for; whoever asks for a purchase, the policy decides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from core.domain.book import SkuBook
from core.domain.course import DEFAULT_COURSE, POLICY, CourseFacts, applies, is_before, read_course, rule_of
from core.domain.states import CourseStep
from core.ports import Transaction
from core.repositories.course_facts import course_orders, course_rows, prices


async def not_to_buy_for(uow: Transaction, books: Iterable[SkuBook], policies: Mapping[str, Any]) -> set[int]:
    """Ids of lines whose short part is not bought now: the step is off or does not apply, the course is paused, or a
    substitute that comes first in the course has not been tried, or what became of it is not known yet."""
    course = read_course(policies.get(POLICY, DEFAULT_COURSE))
    purchase, replace = rule_of(course, CourseStep.PURCHASE), rule_of(course, CourseStep.SUBSTITUTE)
    found = [(book, b) for book in books for b in book.backorders if b.closed_at is None and b.id is not None]
    if not found:
        return set()
    rows = await course_rows(uow, [(book.sku_id, b.id or 0) for book, b in found])
    orders = await course_orders(uow, {b.line.order_id for _, b in found})
    price = await prices(uow, {book.sku_id for book, _ in found})
    left_out: set[int] = set()
    for book, backorder in found:
        row, line = rows[book.sku_id, backorder.id or 0], backorder.line
        age = (uow.now - backorder.opened_at).total_seconds() / 3600
        wanted, expected = line.requested_date or backorder.opened_at.date(), backorder.expected_date
        facts = CourseFacts(
            backorder.state,
            orders[line.order_id].tier,
            age,
            (expected - wanted).days if expected else None,
            backorder.quantity * price[book.sku_id][0],
        )
        waits_for_substitute = (
            line.substitutes_allowed
            and applies(replace, facts)
            and is_before(course, CourseStep.SUBSTITUTE, CourseStep.PURCHASE)
            and row.steps.get(CourseStep.SUBSTITUTE, {}).get("outcome") in (None, "ASKED")
        )
        if row.is_paused or not applies(purchase, facts) or waits_for_substitute:
            left_out.add(line.id or 0)
    return left_out
