"""How a backorder follows its line: opened when the line is short, moved with its pegs, closed at zero."""

from __future__ import annotations

from datetime import datetime

from core.domain.backorder import path
from core.domain.records import Backorder, BackorderFact, Line, Peg
from core.domain.states import BackorderState as S
from core.domain.states import OrderLineStatus, PegKind

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
    target = _target(backorder.state, line, waiting)
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
    if line.backordered == 0:
        backorder.closed_at = now
        changed = True
    elif changed and not facts:
        facts.append(
            BackorderFact(backorder, "STATE_CHANGED", backorder.state, backorder.state, backorder.quantity, reason)
        )
    backorder.is_changed = backorder.is_changed or changed
    return facts


def _target(state: S, line: Line, waiting: list[Peg]) -> S:
    if line.backordered == 0:
        return S.CANCELLED if line.status == OrderLineStatus.CANCELLED else S.FILLED
    if state in _PARKED:
        return state
    if any(peg.kind == PegKind.OPEN for peg in waiting):
        return state if state in _NO_SUPPLY else S.AWAITING_SUPPLY
    if any(p.supply is not None and p.supply.usable_date > p.need_date for p in waiting):
        return S.DELAYED
    return state if state in _COVERED else S.PEGGED
