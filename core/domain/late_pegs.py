"""What becomes of pegs when a supply changes its day: covered otherwise, moved with a promise, or left as they are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from core.domain.book import SkuBook, claim_order
from core.domain.book_supplies import mark_delayed, move_need, refresh_expected
from core.domain.late_rescue import Cause, MovePolicy, Rescue, day_of
from core.domain.network import Network
from core.domain.promising import promise
from core.domain.quotas import may_serve, move_use
from core.domain.records import Line, Peg, Supply
from core.domain.states import BackorderCause, PegKind, PromiseReason

__all__ = ["Cause", "MovePolicy", "repair"]


def repair(book: SkuBook, network: Network, supplies: Iterable[Supply], cause: Cause, policy: MovePolicy) -> list[Line]:
    """Bring the pegs of changed supplies and the promises of their lines in step with the new days.

    A peg that is late now takes, by priority then age: other supply that is in time, then stock on hand that nobody
    needs, then supply that is late too but sooner by what is worth telling, then the source of a promise that weighs less
    by the margin of the policy (it takes over the late one). Else it stays on its supply; its day and promise move (with
    the cause) when the policy says so, and its backorder is DELAYED. Returns the lines touched, with `settle` done.
    """
    changed = {id(supply) for supply in supplies}
    mine = [p for p in book.pegs if p.supply is not None and id(p.supply) in changed and p.line is not None]
    rescue = Rescue(book, network, cause, policy)
    for peg in mine:
        rescue.touch(peg)
    firm = [p for p in mine if p.kind != PegKind.SOFT]
    for peg in [p for p in mine if p.kind == PegKind.SOFT and day_of(book, p) > p.need_date]:
        _find_other(book, peg, cause)
    early = sorted((p for p in firm if day_of(book, p) < p.need_date), key=claim_order)
    rescue.cover(sorted((p for p in firm if day_of(book, p) > p.need_date), key=claim_order))
    lines, moved, stocked = rescue.lines, rescue.moved, rescue.stocked
    for peg in early:
        if peg.quantity and peg.line is not None and _pull_in(book, network, peg, policy):
            moved.setdefault(id(peg.line), PromiseReason.SUPPLY_ADVANCED)
    for key, (line, previous) in lines.items():
        reason, told = moved.get(key, cause.reason), len(book.backorder_facts)
        book.settle(line, reason)
        _blame(book, line, cause, rescue.blamed.get(key, []))
        if key in moved or key in stocked:
            promise(
                book,
                line,
                network,
                book.now,
                reason,
                cause_kind=str(reason),
                cause_id=cause.id,
                evidence=rescue.evidence(line),
                only_if_moved=True,
            )
        if moved.get(key) == cause.reason and cause.reason != PromiseReason.SUPPLY_ADVANCED:
            mark_delayed(book, line, str(reason), rescue.told[key])
        refresh_expected(book, line, network, previous, str(reason))
        if len(book.backorder_facts) == told and rescue.is_as_it_was(line):
            line.is_changed = False
    return [line for line, _ in lines.values()]


def _blame(book: SkuBook, line: Line, cause: Cause, proof: list[dict[str, Any]]) -> None:
    """A backorder that opens because of this very change needs no search for its cause."""
    backorder = book.backorder_of(line)
    if backorder is None or not backorder.is_new or backorder.cause is not None or not proof:
        return
    short = cause.reason == PromiseReason.SUPPLIER_BACKORDERED
    backorder.cause = BackorderCause.SUPPLIER_SHORT if short else BackorderCause.SUPPLIER_DELAY
    explained = min(backorder.quantity, sum(row["quantity"] for row in proof))
    backorder.evidence = {"shortage": backorder.quantity, "explained": explained, "supplies": proof}


def _find_other(book: SkuBook, peg: Peg, cause: Cause) -> None:
    """A line that is not validated looks for another source in time, or waits OPEN; nobody is told before it counts."""
    line, location_id, need, left = peg.line, peg.location_id, peg.need_date, peg.quantity
    assert line is not None
    book.drop_peg(peg)
    book.peg_dated(line, location_id, need, left, str(cause.reason))


def _pull_in(book: SkuBook, network: Network, peg: Peg, policy: MovePolicy) -> bool:
    if policy.pull_in_days is None:
        return False
    day = network.ship_day_from(peg.location_id, day_of(book, peg))
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
