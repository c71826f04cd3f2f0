"""What becomes of pegs when a supply changes its day: covered otherwise, moved with a promise, or left as they are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from core.domain.book import SkuBook, claim_order
from core.domain.book_supplies import expected_of, mark_delayed, move_need, refresh_expected
from core.domain.eta import should_move
from core.domain.network import Network
from core.domain.promising import promise
from core.domain.quotas import may_serve, move_use
from core.domain.records import Line, LineFact, Peg, Supply
from core.domain.states import BackorderCause, PegKind, PromiseReason


@dataclass(frozen=True, slots=True)
class MovePolicy:
    """When a customer's day may move: an estimate by at least `hysteresis_days`; earlier only from `pull_in_days` on
    (None: never by itself)."""

    hysteresis_days: int = 2
    pull_in_days: int | None = None


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a supply changed: the reason the customer reads, whether somebody said so, and the row that proves it."""

    reason: PromiseReason
    certain: bool = True
    id: int | None = None
    evidence: dict | None = None


def repair(book: SkuBook, network: Network, supplies: Iterable[Supply], cause: Cause, policy: MovePolicy) -> list[Line]:
    """Bring the pegs of changed supplies and the promises of their lines in step with the new days.

    A peg that is late now takes, by priority then age: other supply that is in time, then stock on hand that nobody
    needs, else it stays on its supply; its day and promise move (with the cause) when the policy says so, and its
    backorder is DELAYED. Returns the lines touched, with `settle` done.
    """
    changed = {id(supply) for supply in supplies}
    mine = [p for p in book.pegs if p.supply is not None and id(p.supply) in changed and p.line is not None]
    lines: dict[int, tuple[Line, date | None]] = {}
    for peg in mine:
        assert peg.line is not None
        lines.setdefault(id(peg.line), (peg.line, expected_of(book, peg.line)))
    firm = [p for p in mine if p.kind != PegKind.SOFT]
    for peg in [p for p in mine if p.kind == PegKind.SOFT and _day(book, p) > p.need_date]:
        _find_other(book, peg, cause)
    late = sorted((p for p in firm if _day(book, p) > p.need_date), key=claim_order)
    early = sorted((p for p in firm if _day(book, p) < p.need_date), key=claim_order)
    told = {key: line.promised for key, (line, _) in lines.items()}
    moved: dict[int, PromiseReason] = {}
    stocked: set[int] = set()
    proof = {id(peg): _proof(book, peg) for peg in late}
    blamed: dict[int, list[dict[str, Any]]] = {}
    for position, peg in enumerate(late):
        line = peg.line
        assert line is not None
        took, day_moved = _rescue(book, network, peg, late[position + 1 :], cause, policy)
        if took:
            stocked.add(id(line))
        if day_moved:
            moved[id(line)] = cause.reason
            blamed.setdefault(id(line), []).append(proof[id(peg)])
    for peg in early:
        if peg.line is not None and _pull_in(book, network, peg, policy):
            moved.setdefault(id(peg.line), PromiseReason.SUPPLY_ADVANCED)
    for key, (line, previous) in lines.items():
        reason = moved.get(key, cause.reason)
        book.settle(line, reason)
        _blame(book, line, cause, blamed.get(key, []))
        if key in moved or key in stocked:
            promise(
                book,
                line,
                network,
                book.now,
                reason,
                cause_kind=str(reason),
                cause_id=cause.id,
                evidence=cause.evidence,
                only_if_moved=True,
            )
        if moved.get(key) == cause.reason and cause.reason != PromiseReason.SUPPLY_ADVANCED:
            mark_delayed(book, line, str(reason), told[key])
        refresh_expected(book, line, network, previous, str(reason))
    return [line for line, _ in lines.values()]


def _proof(book: SkuBook, peg: Peg) -> dict[str, Any]:
    """The row that shows a late supply, in the terms of `causes`."""
    supply = peg.supply
    assert supply is not None
    day = _day(book, peg)
    return {
        "id": supply.id or (supply.split_from.id if supply.split_from is not None else None),
        "purchaseOrderLineId": supply.purchase_order_line_id,
        "quantity": peg.quantity,
        "daysLate": (day - peg.need_date).days,
        "expected": day.isoformat(),
    }


def _blame(book: SkuBook, line: Line, cause: Cause, proof: list[dict[str, Any]]) -> None:
    """A backorder that opens because of this very change needs no search for its cause."""
    backorder = book.backorder_of(line)
    if backorder is None or not backorder.is_new or backorder.cause is not None or not proof:
        return
    short = cause.reason == PromiseReason.SUPPLIER_BACKORDERED
    backorder.cause = BackorderCause.SUPPLIER_SHORT if short else BackorderCause.SUPPLIER_DELAY
    explained = min(backorder.quantity, sum(row["quantity"] for row in proof))
    backorder.evidence = {"shortage": backorder.quantity, "explained": explained, "supplies": proof}


def _day(book: SkuBook, peg: Peg) -> date:
    assert peg.supply is not None
    return peg.supply.effective_date(book.today[peg.location_id])


def _find_other(book: SkuBook, peg: Peg, cause: Cause) -> None:
    """A line that is not validated looks for another source in time, or waits OPEN; nobody is told before it counts."""
    line, location_id, need, left = peg.line, peg.location_id, peg.need_date, peg.quantity
    assert line is not None
    book.drop_peg(peg)
    book.peg_dated(line, location_id, need, left, str(cause.reason))


def _rescue(
    book: SkuBook, network: Network, peg: Peg, others: list[Peg], cause: Cause, policy: MovePolicy
) -> tuple[bool, bool]:
    """Cover one late claim; (stock was given, its day moved)."""
    line, supply, location_id, need = peg.line, peg.supply, peg.location_id, peg.need_date
    assert line is not None
    assert supply is not None
    day, left = _day(book, peg), peg.quantity
    may = may_serve(book, peg, book.today[location_id])
    book.drop_peg(peg)
    left -= book.cover_dated(line, location_id, need, left, str(cause.reason))
    free = book.timeline_without(location_id, others, line.demand_class).atp() if left else 0
    given = min(left, may, free, max(0, book.shelf(location_id, line))) if book.may_have_stock(peg) else 0
    if given > 0:
        book.allocate(line, location_id, given, "reschedule", cause.id)
        move_use(book, line, book.today[location_id])
        book.line_facts.append(LineFact(line, "ALLOCATED", given))
        left -= given
    target = network.ship_day_from(location_id, day)
    moves = left > 0 and should_move(need, target, policy.hysteresis_days, cause.certain)
    book.add_peg(
        location_id,
        target if moves else need,
        left,
        PegKind.FIRM,
        line=line,
        supply=supply,
        cause=str(cause.reason),
    )
    return given > 0, moves


def _pull_in(book: SkuBook, network: Network, peg: Peg, policy: MovePolicy) -> bool:
    if policy.pull_in_days is None:
        return False
    day = network.ship_day_from(peg.location_id, _day(book, peg))
    if (peg.need_date - day).days < max(1, policy.pull_in_days):
        return False
    demand_class = peg.line.demand_class if peg.line is not None else ""
    if book.timeline_without(peg.location_id, [peg], demand_class).atp(day) < peg.quantity:
        return False
    if may_serve(book, peg, day) < peg.quantity:
        return False
    moved = move_need(book, peg, day, str(PromiseReason.SUPPLY_ADVANCED))
    if moved.line is not None:
        move_use(book, moved.line, day)
    return True
