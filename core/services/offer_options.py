"""Offer a customer the options of a backorder, keep an offer in step with the facts, and take it back when it is wrong."""

from __future__ import annotations

from datetime import date
from typing import Any

from core.domain.book import SkuBook
from core.domain.course import MARK
from core.domain.delay_rules import rule_for
from core.domain.notices import zoned
from core.domain.offering import MAY_OFFER, offer, withdraw
from core.domain.options import DEFAULT_POLICY, OptionFacts, make_options, read_policy
from core.domain.options import POLICY as OPTIONS_POLICY
from core.domain.records import Backorder
from core.domain.states import CourseStep, ShipPolicy
from core.repositories.course_facts import CourseOrder, CourseRow, note_options
from core.repositories.customer_notices import NoticeDraft
from core.repositories.option_offers import Offer
from core.services.course_run import CourseRun, substitute_offers, wait_days


def offer_options(
    run: CourseRun,
    book: SkuBook,
    backorder: Backorder,
    row: CourseRow,
    order: CourseOrder,
    *,
    is_due: bool,
    is_forced: bool,
) -> None:
    """Offer a set when the step is due and nobody has answered these facts; take back one whose facts have changed.

    A customer is asked again only when the facts have become worse than those it was asked about.
    """
    key = (book.sku_id, backorder.id or 0)
    take_back_outdated(run, book, backorder, row)
    day = backorder.expected_date.isoformat() if backorder.expected_date else None
    present = run.offers.get(key)
    if present is not None:
        if not is_forced:
            return
        _take_back(run, book, backorder, row, present)
    known = row.steps.get(CourseStep.OPTIONS)
    if not is_due or order.customer_id is None or backorder.state not in MAY_OFFER:
        return
    if (
        known is not None
        and known["outcome"] == "OFFERED"
        and not is_forced
        and not _is_worse(run, known["of"], backorder)
    ):
        return
    line, (price, currency) = backorder.line, run.prices[book.sku_id]
    whole = order.ship_complete or line.ship_policy == ShipPolicy.COMPLETE
    rule = rule_for(run.rules, order.country, run.uow.now.date())
    facts = OptionFacts(
        backorder.quantity,
        price,
        currency,
        run.uow.now,
        backorder.expected_date,
        wait_days(book, backorder),
        withheld=line.allocated - line.ready if whole and line.kit is None else 0,
        is_compensated=key in run.compensated,
        substitutes=substitute_offers(run, book, backorder, order),
        rule=rule,
    )
    made = make_options(facts, read_policy(run.policies.get(OPTIONS_POLICY, DEFAULT_POLICY)))
    if made is None:
        return
    offer(book, backorder, f"{MARK}OPTIONS")
    note_options(row, run.uow.now, "OFFERED", [backorder.quantity, day])
    name = None if rule is None else f"{rule.pack}/{rule.code}"
    run.offered.append((key, made, backorder.quantity, backorder.expected_date, currency, "COURSE", name))
    run.notices.append(
        NoticeDraft(
            order.customer_id,
            order.id,
            "OPTION_OFFERED",
            f"OPTION_OFFERED:{book.sku_id}:{backorder.id}:{backorder.version}:{run.uow.now.isoformat()}",
            book.sku_id,
            {
                "orderNumber": order.number,
                "lineNumber": line.line_number,
                "quantity": backorder.quantity,
                "expected": day,
                "options": [str(option.kind) for option in made.options],
                "default": str(made.default.kind),
                "deadline": zoned(made.deadline, run.network.time_zone(order.destination_id)),
            },
        )
    )


def take_back_outdated(run: CourseRun, book: SkuBook, backorder: Backorder, row: CourseRow) -> None:
    """Take back an open set whose quantity or day is no longer that of the backorder, whatever the course offers."""
    present = run.offers.get((book.sku_id, backorder.id or 0))
    if present is None or backorder.closed_at is not None:  # the set of one that has ended ends with it
        return
    if not present.is_outdated(backorder.quantity, backorder.expected_date):
        return
    _take_back(run, book, backorder, row, present)


def _take_back(run: CourseRun, book: SkuBook, backorder: Backorder, row: CourseRow, present: Offer) -> None:
    withdraw(book, backorder, f"{MARK}OPTIONS:FACTS_CHANGED")
    run.withdrawn.append((book.sku_id, present.id))
    del run.offers[book.sku_id, backorder.id or 0]
    note_options(row, run.uow.now, "WITHDRAWN", [present.quantity, None])


def _is_worse(run: CourseRun, of: list[Any], backorder: Backorder) -> bool:
    """Have the facts become worse than those the customer has answered? Then the question is another."""
    quantity, day = of
    if backorder.quantity > quantity:
        return True
    if day is None or backorder.expected_date is None:
        return day is not None and backorder.expected_date is None
    days = (backorder.expected_date - date.fromisoformat(day)).days
    return days >= max(1, int(run.policies.get("promise_hysteresis_days", 2)))
