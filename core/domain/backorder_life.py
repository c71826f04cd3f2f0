"""How a backorder follows its line: opened when the line is short, moved with its pegs, closed at zero."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from core.domain.backorder import Slice, backorder_state, path
from core.domain.records import Backorder, BackorderFact, Line, Peg
from core.domain.states import BackorderState as S
from core.domain.states import OrderLineStatus

_NO_SUPPLY = frozenset({S.PROVISIONAL, S.SOURCING, S.AWAITING_SUPPLY, S.OPTION_OFFERED, S.CANCEL_PENDING})
_COVERED = frozenset({S.PEGGED, S.DELAYED})
_PARKED = frozenset({S.ON_HOLD, S.CANCEL_PENDING, S.OPTION_OFFERED})


def follow(
    backorders: list[Backorder], line: Line, waiting: list[Peg], now: datetime, reason: str
) -> list[BackorderFact]:
    """Bring the line's backorder in step with its quantity and pegs; returns the steps taken, oldest first."""
    facts: list[BackorderFact] = []
    backorder = next((b for b in backorders if b.line is line and b.closed_at is None), None)
    if backorder is None:
        if not line.backordered:
            return facts
        backorder = Backorder(
            None, line, line.backordered, S.PROVISIONAL, now, location_id=line.location_id, is_new=True
        )
        backorders.append(backorder)
        facts.append(BackorderFact(backorder, "OPENED", None, S.PROVISIONAL, line.backordered, reason))
    short = backorder.quantity
    changed = short != line.backordered
    backorder.quantity = line.backordered
    target = _target(backorder, line, waiting)
    if target is S.DELAYED and backorder.state is not S.DELAYED and backorder.delayed_from is None:
        backorder.delayed_from = line.promised
    for state in path(str(backorder.id or "of this line"), backorder.state, target, backorder.held_from_state):
        kind = {S.PEGGED: "PEGGED", S.FILLED: "FILLED", S.CANCELLED: "CLOSED", S.SUBSTITUTED: "CLOSED"}.get(
            state, "PEG_LOST" if backorder.state in _COVERED and state == S.AWAITING_SUPPLY else "STATE_CHANGED"
        )
        filled = short if state == S.FILLED else 0
        facts.append(BackorderFact(backorder, kind, backorder.state, state, backorder.quantity, reason, filled=filled))
        backorder.state = state
        changed = True
    if changed and backorder.state not in _PARKED:
        backorder.held_from_state = None
        if backorder.state is not S.DELAYED:
            backorder.delayed_from = None
    if line.backordered == 0:
        backorder.closed_at = now
        changed = True
    elif changed and not facts:
        facts.append(
            BackorderFact(backorder, "STATE_CHANGED", backorder.state, backorder.state, backorder.quantity, reason)
        )
    backorder.is_changed = backorder.is_changed or changed
    return facts


def _target(backorder: Backorder, line: Line, waiting: list[Peg]) -> S:
    state = backorder.state
    if line.backordered == 0:
        return S.CANCELLED if line.status == OrderLineStatus.CANCELLED else S.FILLED
    if state in _PARKED:
        return state
    covered = state_of_pegs(waiting)
    if covered is S.AWAITING_SUPPLY and state in _NO_SUPPLY:
        return state
    return S.DELAYED if covered is S.PEGGED and state is S.DELAYED else covered


def date_filled(backorders: Iterable[Backorder]) -> None:
    """What has just been filled is expected when the customer is told now, not when its old source would have come."""
    for backorder in backorders:
        if backorder.state is S.FILLED and backorder.is_changed:
            backorder.expected_date = backorder.line.promised


def state_of_pegs(waiting: list[Peg]) -> S:
    """What the claims without stock say by themselves: AWAITING_SUPPLY, DELAYED or PEGGED."""
    return backorder_state(
        Slice(peg.quantity, peg.kind, peg.supply.usable_date if peg.supply is not None else None, peg.need_date)
        for peg in waiting
    )


def end_delay(backorder: Backorder, waiting: list[Peg], reason: str) -> BackorderFact | None:
    """Let a backorder leave DELAYED once its claims are in time and it is expected by the day promised before."""
    before, expected = backorder.delayed_from, backorder.expected_date
    held = backorder.state is S.ON_HOLD and backorder.held_from_state is S.DELAYED
    if not (held or backorder.state is S.DELAYED) or state_of_pegs(waiting) is not S.PEGGED:
        return None
    if before is not None and (expected is None or expected > before):
        return None
    if held:
        backorder.held_from_state, backorder.delayed_from, backorder.is_changed = S.PEGGED, None, True
        return None
    return step(backorder, S.PEGGED, reason)


def step(backorder: Backorder, state: S, reason: str, kind: str = "STATE_CHANGED") -> BackorderFact:
    """Take one legal step (the caller has asked `path`); returns the fact of it."""
    fact = BackorderFact(backorder, kind, backorder.state, state, backorder.quantity, reason)
    backorder.state = state
    if state in (S.PEGGED, S.AWAITING_SUPPLY):
        backorder.delayed_from = None
    backorder.is_changed = True
    return fact
