"""Take the next steps for backorders by themselves: other places, substitute, purchase, options to the customer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from core.domain.backorder import path
from core.domain.backorder_life import step as take_step
from core.domain.book import SkuBook
from core.domain.buying import to_buy
from core.domain.causes import rejudge
from core.domain.course import DEFAULT_COURSE, MARK, POLICY, CourseFacts, StepRule, applies, read_course
from core.domain.network import Network
from core.domain.offering import note
from core.domain.options import (
    OptionFacts,
    best_substitute,
)
from core.domain.promising import Demand
from core.domain.quotas import waits_for_quota
from core.domain.records import Backorder
from core.domain.sourcing import SiteSearch
from core.domain.states import BackorderState, CourseStep, OptionOfferState, PegKind
from core.giving_way import GivingWay
from core.ports import Transaction
from core.repositories.course_facts import (
    CourseOrder,
    CourseRow,
    course_orders,
    course_rows,
    delay_rules,
    prices,
    save_course_rows,
    substitutes,
)
from core.repositories.customer_notices import put_notices
from core.repositories.gates import take_gates
from core.repositories.load_book import load_books, read_books
from core.repositories.network import load_network
from core.repositories.option_offers import close_offers, compensated, insert_offers, open_offers
from core.repositories.save_book import save_books
from core.repositories.shortage_facts import load_shortage_facts
from core.repositories.supplying import load_lead_days, load_policies
from core.services.allocate_waiting import serve_books
from core.services.course_run import (
    CourseRun,
    may_ask_again,
    record,
    repeat_step,
    substitute_offers,
    takes_substitutes,
    wait_days,
)
from core.services.follow_up import request_purchase, request_shipments
from core.services.offer_options import offer_options, take_back_outdated
from core.services.substitute_line import SubstituteLine

MAX_SEARCHES = 5
"""Rounds of the search of other places for all backorders of a run; one that gains nothing is the last."""
_ASLEEP = frozenset({BackorderState.ON_HOLD, BackorderState.CANCEL_PENDING})


@dataclass(frozen=True, slots=True)
class OneStep:
    """A step that a person wants now for one backorder, whatever its conditions say."""

    backorder_id: int
    step: CourseStep


async def run_backorder_course(
    uow: Transaction, sku_ids: Iterable[int], only: OneStep | None = None
) -> list[SubstituteLine]:
    """Judge the causes of these SKUs' backorders anew and take the steps of the policy, in its order.

    Running it again does nothing until facts change. Backorders that are paused, on hold or about to be cancelled are
    left alone, but for options that are outdated: those are taken back. Returns the substitutions to carry out, each
    in a transaction of its own: they need more gates.
    """
    versions = await take_gates(uow, sku_ids)
    if not versions:
        return []
    network = await load_network(uow)
    books = await load_books(uow, versions, network, lines="waiting")
    policies = await load_policies(uow)
    course = read_course(policies.get(POLICY, DEFAULT_COURSE))
    if only is not None:
        course = [StepRule(only.step)]
    found = _open_backorders(books.values())
    run = await _prepare(uow, network, books, found, policies)
    await _judge_causes(run, found)
    run.uncovered = {backorder.id or 0: _uncovered(book, backorder) for book, backorder in found}
    if any(rule.step is CourseStep.OTHER_SITES and rule.is_on for rule in course):
        await serve_books(uow, books.values(), network)
    if only is None and course and course[0].step is CourseStep.OTHER_SITES:
        await _search_for_all(run, books, found, course[0])
    for book, backorder in found:
        _walk(run, book, backorder, course, only)
    await save_books(uow, books.values())
    await close_offers(uow, run.withdrawn, OptionOfferState.WITHDRAWN, "FACTS_CHANGED")
    await insert_offers(uow, run.offered)
    await save_course_rows(uow, run.rows)
    await put_notices(uow, run.notices)
    if run.to_buy:
        request_purchase(uow, run.to_buy)
    request_shipments(uow, run.to_ship)
    return run.wanted


def _open_backorders(books: Iterable[SkuBook]) -> list[tuple[SkuBook, Backorder]]:
    found = [(book, b) for book in books for b in book.backorders if b.closed_at is None and b.id is not None]
    return sorted(found, key=lambda pair: (-pair[1].line.priority, pair[1].line.id or 0))


async def _prepare(
    uow: Transaction,
    network: Network,
    books: dict[int, SkuBook],
    found: list[tuple[SkuBook, Backorder]],
    policies: dict[str, Any],
) -> CourseRun:
    replacing = await substitutes(uow, books) if any(b.line.substitutes_allowed for _, b in found) else {}
    others = {row.substitute_sku_id for rows in replacing.values() for row in rows}
    return CourseRun(
        uow,
        network,
        policies,
        await course_orders(uow, {b.line.order_id for _, b in found}),
        await course_rows(uow, [(book.sku_id, b.id or 0) for book, b in found]),
        await open_offers(uow, books),
        await prices(uow, books),
        replacing,
        await read_books(uow.sql, uow.now, dict.fromkeys(others, 0), network) if others else {},
        await load_lead_days(uow, list(books)),
        await delay_rules(uow),
        await compensated(uow, books),
    )


async def _judge_causes(run: CourseRun, found: list[tuple[SkuBook, Backorder]]) -> None:
    """A cause that rows of our own now contradict gives way; what it was before stays in the evidence."""
    if not found:
        return
    for (book, backorder), facts in zip(found, await load_shortage_facts(run.uow, found), strict=True):
        assert backorder.cause is not None
        verdict = rejudge(backorder.cause, backorder.evidence, facts, book.now.date())
        if verdict is not None:
            before, backorder.cause, backorder.evidence = backorder.cause, verdict.kind, verdict.evidence
            note(book, backorder, "CAUSE_CHANGED", f"{MARK}CAUSE:{before}>{verdict.kind}")


def _walk(run: CourseRun, book: SkuBook, backorder: Backorder, course: list[StepRule], only: OneStep | None) -> None:
    row, order = run.rows[book.sku_id, backorder.id or 0], run.orders[backorder.line.order_id]
    if only is not None and only.backorder_id != backorder.id:
        return
    if backorder.state in _ASLEEP:
        return
    if run.is_searched or (row.is_paused and only is None):  # the steps look at where it really stands
        take_back_outdated(run, book, backorder, row)
    if row.is_paused and only is None:
        return
    rationed, waiting = waits_for_quota(book, backorder.line)
    for rule in course:
        if backorder.closed_at is not None:
            return
        is_due = only is not None or applies(rule, _facts(run, book, backorder, order))
        if rule.step is CourseStep.OTHER_SITES and is_due:
            _other_sites(run, book, backorder, row, order)
        elif rule.step is CourseStep.SUBSTITUTE and is_due:
            if rationed and only is None:
                continue  # the units are there or come: another SKU in their place would go round the quota
            if _substitute(run, book, backorder, row, order, is_forced=only is not None):
                return  # the rest of the course waits for what becomes of it
        elif rule.step is CourseStep.PURCHASE and is_due:
            _purchase(run, book, backorder, row)
        elif rule.step is CourseStep.OPTIONS:
            is_due = is_due and (rationed < waiting or only is not None)
            offer_options(run, book, backorder, row, order, is_due=is_due, is_forced=only is not None)
    if all(
        rule.step is not CourseStep.OPTIONS for rule in course
    ):  # nothing is offered any more, but a set always ends
        take_back_outdated(run, book, backorder, row)


def _facts(run: CourseRun, book: SkuBook, backorder: Backorder, order: CourseOrder) -> CourseFacts:
    age = (run.uow.now - backorder.opened_at).total_seconds() / 3600
    value = backorder.quantity * run.prices[book.sku_id][0]
    return CourseFacts(backorder.state, order.tier, age, wait_days(book, backorder), value)


def _begin(book: SkuBook, backorder: Backorder, target: BackorderState, step: CourseStep) -> None:
    """Move a backorder that has no source on to `target`, if that is ahead of where it stands."""
    ahead = {BackorderState.PROVISIONAL: 0, BackorderState.SOURCING: 1, BackorderState.AWAITING_SUPPLY: 2}
    if backorder.state not in ahead or ahead[backorder.state] >= ahead[target]:
        return
    for state in path(str(backorder.id), backorder.state, target):
        book.backorder_facts.append(take_step(backorder, state, f"{MARK}{step}"))
    backorder.line.is_changed = book.is_changed = True


async def _search_for_all(
    run: CourseRun, books: dict[int, SkuBook], found: list[tuple[SkuBook, Backorder]], rule: StepRule
) -> None:
    """Search until nobody gains: what one gives up for something better, another may take."""
    waiting = [pair for pair in found if pair[1].closed_at is None]
    others = GivingWay()
    for _ in range(MAX_SEARCHES):
        gained = 0
        searches = {book.sku_id: SiteSearch(book, run.network) for book in books.values()}
        for book, backorder in found:
            await others.between()
            row, order = run.rows[book.sku_id, backorder.id or 0], run.orders[backorder.line.order_id]
            if backorder.closed_at is not None or backorder.state in _ASLEEP or row.is_paused:
                continue
            if applies(rule, _facts(run, book, backorder, order)):
                gained += _search(run, searches[book.sku_id], backorder, order)
        if not gained:
            break
        await serve_books(run.uow, books.values(), run.network)
    run.is_searched = True
    for book, backorder in waiting:
        if backorder.closed_at is not None:  # what is filled takes no further step
            row = run.rows[book.sku_id, backorder.id or 0]
            _other_sites(run, book, backorder, row, run.orders[backorder.line.order_id])


def _search(run: CourseRun, search: SiteSearch, backorder: Backorder, order: CourseOrder) -> int:
    book, line = search.book, backorder.line
    _begin(book, backorder, BackorderState.SOURCING, CourseStep.OTHER_SITES)
    sources = run.network.sources(order.destination_id, order.allowed_locations) or run.network.sources(None)
    demand = Demand(
        0,
        order.destination_id,
        line.requested_date,
        sources,
        run.lead_days[book.sku_id],
        demand_class=line.demand_class,
        min_life=book.min_life(line),
    )
    gained = search.search(line, demand)
    run.gained[backorder.id or 0] = run.gained.get(backorder.id or 0, 0) + gained
    return gained


def _other_sites(run: CourseRun, book: SkuBook, backorder: Backorder, row: CourseRow, order: CourseOrder) -> None:
    line = backorder.line
    if not run.is_searched:
        _search(run, SiteSearch(book, run.network), backorder, order)
    covered = run.uncovered[backorder.id or 0] - _uncovered(book, backorder)
    gained = max(run.gained.get(backorder.id or 0, 0), covered)
    if gained:
        run.to_ship.add(line.order_id)
        record(run, book, backorder, row, CourseStep.OTHER_SITES, "FOUND", [gained, backorder.quantity, line.version])
    elif str(CourseStep.OTHER_SITES) not in row.steps:
        record(run, book, backorder, row, CourseStep.OTHER_SITES, "NOTHING")


def _substitute(
    run: CourseRun, book: SkuBook, backorder: Backorder, row: CourseRow, order: CourseOrder, *, is_forced: bool
) -> bool:
    """Ask for the substitution when one needs no consent; what was refused for these facts is not tried again at once.

    What was asked for and has no result yet is asked for again: who was at it may have been killed.
    """
    if not takes_substitutes(backorder.line) or backorder.state is BackorderState.OPTION_OFFERED:
        return False
    offers = substitute_offers(run, book, backorder, order)
    facts = OptionFacts(
        backorder.quantity, *run.prices[book.sku_id], run.uow.now, backorder.expected_date, substitutes=offers
    )
    best = best_substitute(facts, without_consent=True)
    of = [backorder.quantity, None if best is None else best.sku_id]
    known = row.steps.get(CourseStep.SUBSTITUTE)
    if best is None:
        record(run, book, backorder, row, CourseStep.SUBSTITUTE, "NOTHING", of)
        return False
    if known is not None and known["of"] == of and known["outcome"] == "REFUSED":
        if not is_forced and not may_ask_again(run, row, CourseStep.SUBSTITUTE):
            return False
        repeat_step(row, CourseStep.SUBSTITUTE, "ASKED")
    record(run, book, backorder, row, CourseStep.SUBSTITUTE, "ASKED", of)
    run.wanted.append(SubstituteLine(book.sku_id, backorder.id or 0, best.sku_id, backorder.quantity))
    return True


def _purchase(run: CourseRun, book: SkuBook, backorder: Backorder, row: CourseRow) -> None:
    units = to_buy(book, [peg for peg in book.pegs_of(backorder.line) if peg.kind == PegKind.OPEN])
    if not units:
        return
    _begin(book, backorder, BackorderState.AWAITING_SUPPLY, CourseStep.PURCHASE)
    if run.policies.get("purchase_requests", "AT_ONCE") == "DAILY":
        record(run, book, backorder, row, CourseStep.PURCHASE, "LEFT_TO_REVIEW", units)
        return
    run.to_buy.add(book.sku_id)
    record(run, book, backorder, row, CourseStep.PURCHASE, "REQUESTED", units)


def _uncovered(book: SkuBook, backorder: Backorder) -> int:
    return sum(peg.quantity for peg in book.pegs_of(backorder.line) if peg.kind == PegKind.OPEN)
