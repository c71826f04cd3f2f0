"""Take the next steps for backorders by themselves: other places, substitute, purchase, options to the customer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from core.domain.backorder import path
from core.domain.backorder_life import step as take_step
from core.domain.book import SkuBook
from core.domain.causes import rejudge
from core.domain.course import DEFAULT_COURSE, MARK, POLICY, CourseFacts, StepRule, applies, read_course
from core.domain.delay_rules import rule_for
from core.domain.network import Network
from core.domain.offering import MAY_OFFER, note, offer, withdraw
from core.domain.options import (
    DEFAULT_POLICY,
    OptionFacts,
    OptionSet,
    SubstituteOffer,
    best_substitute,
    make_options,
    read_policy,
)
from core.domain.options import POLICY as OPTIONS_POLICY
from core.domain.promising import Demand, available_now
from core.domain.records import Backorder, Line
from core.domain.sourcing import search_sites
from core.domain.states import BackorderState, CourseStep, OptionOfferState, PegKind, ShipPolicy
from core.ports import Transaction
from core.repositories.course_facts import (
    CourseOrder,
    CourseRow,
    SubstituteRow,
    course_orders,
    course_rows,
    delay_rules,
    prices,
    save_course_rows,
    substitutes,
)
from core.repositories.customer_notices import NoticeDraft, put_notices
from core.repositories.gates import take_gates
from core.repositories.load_book import load_books, read_books
from core.repositories.network import load_network
from core.repositories.option_offers import Key, Offer, close_offers, insert_offers, open_offers
from core.repositories.save_book import save_books
from core.repositories.shortage_facts import load_shortage_facts
from core.repositories.supplying import load_lead_days, load_policies
from core.services.allocate_waiting import serve_books
from core.services.follow_up import request_purchase, request_shipments
from core.services.substitute_line import SubstituteLine

_ASLEEP = frozenset({BackorderState.ON_HOLD, BackorderState.CANCEL_PENDING})


@dataclass(slots=True)
class _Run:
    """One run over the backorders of some SKUs."""

    uow: Transaction
    network: Network
    policies: dict[str, Any]
    orders: dict[int, CourseOrder]
    rows: dict[Key, CourseRow]
    offers: dict[Key, Offer]
    prices: dict[int, tuple[int, str]]
    substitutes: dict[int, list[SubstituteRow]]
    substitute_books: dict[int, SkuBook]
    lead_days: dict[int, int]
    rules: list[Any]
    uncovered: dict[int, int] = field(default_factory=dict)
    """Units without a source before the run, by backorder."""
    to_buy: set[int] = field(default_factory=set)
    to_ship: set[int] = field(default_factory=set)
    wanted: list[SubstituteLine] = field(default_factory=list)
    offered: list[tuple[Key, OptionSet, int, date | None, str, str, str | None]] = field(default_factory=list)
    withdrawn: list[Key] = field(default_factory=list)
    notices: list[NoticeDraft] = field(default_factory=list)


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
    left alone. Returns the substitutions to carry out, each in a transaction of its own: they need more gates.
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
) -> _Run:
    replacing = await substitutes(uow, books) if any(b.line.substitutes_allowed for _, b in found) else {}
    others = {row.substitute_sku_id for rows in replacing.values() for row in rows}
    return _Run(
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
    )


async def _judge_causes(run: _Run, found: list[tuple[SkuBook, Backorder]]) -> None:
    """A cause that rows of our own now contradict gives way; what it was before stays in the evidence."""
    if not found:
        return
    for (book, backorder), facts in zip(found, await load_shortage_facts(run.uow, found), strict=True):
        assert backorder.cause is not None
        verdict = rejudge(backorder.cause, backorder.evidence, facts, book.now.date())
        if verdict is not None:
            before, backorder.cause, backorder.evidence = backorder.cause, verdict.kind, verdict.evidence
            note(book, backorder, "CAUSE_CHANGED", f"{MARK}CAUSE:{before}>{verdict.kind}")


def _walk(run: _Run, book: SkuBook, backorder: Backorder, course: list[StepRule], only: OneStep | None) -> None:
    row, order = run.rows[book.sku_id, backorder.id or 0], run.orders[backorder.line.order_id]
    if only is not None and only.backorder_id != backorder.id:
        return
    if backorder.state in _ASLEEP or (row.is_paused and only is None):
        return
    for rule in course:
        if backorder.closed_at is not None:
            return
        is_due = only is not None or applies(rule, _facts(run, book, backorder, order))
        if rule.step is CourseStep.OTHER_SITES and is_due:
            _other_sites(run, book, backorder, row, order)
        elif rule.step is CourseStep.SUBSTITUTE and is_due:
            if _substitute(run, book, backorder, row, order, is_forced=only is not None):
                return  # the rest of the course waits for what becomes of it
        elif rule.step is CourseStep.PURCHASE and is_due:
            _purchase(run, book, backorder, row)
        elif rule.step is CourseStep.OPTIONS:
            _options(run, book, backorder, row, order, is_due=is_due, is_forced=only is not None)


def _facts(run: _Run, book: SkuBook, backorder: Backorder, order: CourseOrder) -> CourseFacts:
    age = (run.uow.now - backorder.opened_at).total_seconds() / 3600
    value = backorder.quantity * run.prices[book.sku_id][0]
    return CourseFacts(backorder.state, order.tier, age, wait_days(book, backorder), value)


def wait_days(book: SkuBook, backorder: Backorder) -> int | None:
    """Days from the day the goods were wanted (else the opening) to the expected day; None without one."""
    if backorder.expected_date is None:
        return None
    return (backorder.expected_date - (backorder.line.requested_date or backorder.opened_at.date())).days


def _record(
    run: _Run, book: SkuBook, backorder: Backorder, row: CourseRow, step: CourseStep, outcome: str, of: Any = None
) -> None:
    """Keep the outcome of a step and say it once: the same outcome of the same facts is no news."""
    known = row.steps.get(step)
    if known is not None and (known["outcome"], known["of"]) == (outcome, of):
        return
    row.steps = {**row.steps, str(step): {"at": run.uow.now.isoformat(), "outcome": outcome, "of": of}}
    row.is_changed = True
    if backorder.closed_at is None:
        note(book, backorder, "COURSE_STEP", f"{MARK}{step}:{outcome}")


def _begin(book: SkuBook, backorder: Backorder, target: BackorderState, step: CourseStep) -> None:
    """Move a backorder that has no source on to `target`, if that is ahead of where it stands."""
    ahead = {BackorderState.PROVISIONAL: 0, BackorderState.SOURCING: 1, BackorderState.AWAITING_SUPPLY: 2}
    if backorder.state not in ahead or ahead[backorder.state] >= ahead[target]:
        return
    for state in path(str(backorder.id), backorder.state, target):
        book.backorder_facts.append(take_step(backorder, state, f"{MARK}{step}"))
    backorder.line.is_changed = book.is_changed = True


def _other_sites(run: _Run, book: SkuBook, backorder: Backorder, row: CourseRow, order: CourseOrder) -> None:
    line = backorder.line
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
    gained = search_sites(book, run.network, line, demand)
    gained = max(gained, run.uncovered[backorder.id or 0] - _uncovered(book, backorder))
    if gained:
        run.to_ship.add(line.order_id)
        _record(run, book, backorder, row, CourseStep.OTHER_SITES, "FOUND", [gained, backorder.quantity, line.version])
    elif str(CourseStep.OTHER_SITES) not in row.steps:
        _record(run, book, backorder, row, CourseStep.OTHER_SITES, "NOTHING")


def _substitute(
    run: _Run, book: SkuBook, backorder: Backorder, row: CourseRow, order: CourseOrder, *, is_forced: bool
) -> bool:
    """Ask for the substitution when one needs no consent; what was tried for these facts is not tried again."""
    if not _takes_substitutes(backorder.line) or backorder.state is BackorderState.OPTION_OFFERED:
        return False
    offers = _substitute_offers(run, book, backorder, order)
    facts = OptionFacts(
        backorder.quantity, *run.prices[book.sku_id], run.uow.now, backorder.expected_date, substitutes=offers
    )
    best = best_substitute(facts, without_consent=True)
    of = [backorder.quantity, None if best is None else best.sku_id]
    known = row.steps.get(CourseStep.SUBSTITUTE)
    if best is None:
        _record(run, book, backorder, row, CourseStep.SUBSTITUTE, "NOTHING", of)
        return False
    if known is not None and known["of"] == of and not is_forced:
        return False
    _record(run, book, backorder, row, CourseStep.SUBSTITUTE, "ASKED", of)
    run.wanted.append(SubstituteLine(book.sku_id, backorder.id or 0, best.sku_id, backorder.quantity))
    return True


def _substitute_offers(
    run: _Run, book: SkuBook, backorder: Backorder, order: CourseOrder
) -> tuple[SubstituteOffer, ...]:
    """What the substitutes of a line could give now; only an estimate, their gates are not held."""
    if not _takes_substitutes(backorder.line):
        return ()
    sources = run.network.sources(order.destination_id, order.allowed_locations)
    found = []
    for row in run.substitutes.get(book.sku_id, ()):
        other = run.substitute_books.get(row.substitute_sku_id)
        if other is None or not sources:
            continue
        free = available_now(other, sources, backorder.line.demand_class)
        ship = run.network.first_ship_day(sources[0], run.uow.now)
        day = run.network.delivery_date(sources[0], order.destination_id, ship) or ship
        found.append(
            SubstituteOffer(
                row.substitute_sku_id, row.ratio, row.unit_price, row.currency, free, day, row.needs_consent, row.rank
            )
        )
    return tuple(found)


def _takes_substitutes(line: Line) -> bool:
    """A component is replaced with its whole kit or not at all."""
    return line.substitutes_allowed and line.kit is None


def _purchase(run: _Run, book: SkuBook, backorder: Backorder, row: CourseRow) -> None:
    units = _uncovered(book, backorder)
    if not units:
        return
    _begin(book, backorder, BackorderState.AWAITING_SUPPLY, CourseStep.PURCHASE)
    if run.policies.get("purchase_requests", "AT_ONCE") == "DAILY":
        _record(run, book, backorder, row, CourseStep.PURCHASE, "LEFT_TO_REVIEW", units)
        return
    run.to_buy.add(book.sku_id)
    _record(run, book, backorder, row, CourseStep.PURCHASE, "REQUESTED", units)


def _uncovered(book: SkuBook, backorder: Backorder) -> int:
    return sum(peg.quantity for peg in book.pegs_of(backorder.line) if peg.kind == PegKind.OPEN)


def _options(
    run: _Run,
    book: SkuBook,
    backorder: Backorder,
    row: CourseRow,
    order: CourseOrder,
    *,
    is_due: bool,
    is_forced: bool,
) -> None:
    key = (book.sku_id, backorder.id or 0)
    day = backorder.expected_date.isoformat() if backorder.expected_date else None
    present = run.offers.get(key)
    if present is not None:
        same = (present.quantity, present.expected_date) == (backorder.quantity, backorder.expected_date)
        if same and not is_forced:
            return
        withdraw(book, backorder, f"{MARK}OPTIONS:FACTS_CHANGED")
        run.withdrawn.append((book.sku_id, present.id))
        del run.offers[key]
        is_due = is_forced or (is_due and wait_days(book, backorder) != 0)
    known = row.steps.get(CourseStep.OPTIONS)
    if not is_due or order.customer_id is None or backorder.state not in MAY_OFFER:
        return
    if present is None and known is not None and not is_forced and not _is_worse(run, known["of"], backorder):
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
        substitutes=_substitute_offers(run, book, backorder, order),
        rule=rule,
    )
    made = make_options(facts, read_policy(run.policies.get(OPTIONS_POLICY, DEFAULT_POLICY)))
    if made is None:
        return
    offer(book, backorder, f"{MARK}OPTIONS")
    row.steps = {
        **row.steps,
        str(CourseStep.OPTIONS): {"at": run.uow.now.isoformat(), "outcome": "OFFERED", "of": [backorder.quantity, day]},
    }
    row.is_changed = True
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
                "deadline": made.deadline.date().isoformat(),
            },
        )
    )


def _is_worse(run: _Run, of: list[Any], backorder: Backorder) -> bool:
    """Have the facts become worse than those the customer has answered? Then the question is another."""
    quantity, day = of
    if backorder.quantity > quantity:
        return True
    if day is None or backorder.expected_date is None:
        return day is not None and backorder.expected_date is None
    days = (backorder.expected_date - date.fromisoformat(day)).days
    return days >= max(1, int(run.policies.get("promise_hysteresis_days", 2)))
