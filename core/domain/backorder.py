"""Backorder states: what the slices of a backorder say, and the legal moves between states."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from core.domain.states import BackorderState, PegKind
from core.errors import IllegalTransition

_S = BackorderState

TERMINAL = frozenset({_S.FILLED, _S.SUBSTITUTED, _S.CANCELLED})
PARKED = frozenset({_S.ON_HOLD, _S.CANCEL_PENDING})
"""States that are left to the state before them (`backorder.held_from_state`)."""

# reference/promising.md section 7, and four moves its rules imply: the customer may cancel in any open state; a receipt
# may fill any backorder that is not parked; a peg can be lost in any state that has one; a dated backorder may be
# offered options too.
MOVES: dict[BackorderState, frozenset[BackorderState]] = {
    _S.PROVISIONAL: frozenset({_S.SOURCING, _S.FILLED, _S.CANCELLED, _S.CANCEL_PENDING, _S.ON_HOLD}),
    _S.SOURCING: frozenset(
        {_S.AWAITING_SUPPLY, _S.PEGGED, _S.FILLED, _S.OPTION_OFFERED, _S.CANCEL_PENDING, _S.ON_HOLD}
    ),
    _S.AWAITING_SUPPLY: frozenset({_S.PEGGED, _S.FILLED, _S.OPTION_OFFERED, _S.CANCEL_PENDING, _S.ON_HOLD}),
    _S.PEGGED: frozenset({_S.FILLED, _S.DELAYED, _S.AWAITING_SUPPLY, _S.OPTION_OFFERED, _S.CANCEL_PENDING, _S.ON_HOLD}),
    _S.DELAYED: frozenset({_S.PEGGED, _S.FILLED, _S.OPTION_OFFERED, _S.AWAITING_SUPPLY, _S.CANCEL_PENDING, _S.ON_HOLD}),
    _S.OPTION_OFFERED: frozenset(
        {_S.PEGGED, _S.FILLED, _S.SUBSTITUTED, _S.AWAITING_SUPPLY, _S.CANCEL_PENDING, _S.ON_HOLD}
    ),
    _S.ON_HOLD: frozenset({_S.CANCEL_PENDING}),
    _S.CANCEL_PENDING: frozenset({_S.CANCELLED}),
    _S.FILLED: frozenset(),
    _S.SUBSTITUTED: frozenset(),
    _S.CANCELLED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Slice:
    """One peg of the short part of a line.

    `expected` is the usable date of its supply (None without one), `promised` the ship day the customer was told, and
    `is_searched` whether other locations, substitutes and purchase have been looked at.
    """

    quantity: int
    kind: PegKind
    expected: date | None = None
    promised: date | None = None
    is_searched: bool = True


def _slice_state(part: Slice) -> BackorderState:
    if part.kind is PegKind.OPEN:
        return _S.AWAITING_SUPPLY if part.is_searched else _S.PROVISIONAL
    if part.kind is PegKind.SOFT:  # its supply is free to move: nobody has committed it to this line
        return _S.AWAITING_SUPPLY
    if part.expected is not None and part.promised is not None and part.expected > part.promised:
        return _S.DELAYED
    return _S.PEGGED


_ADVANCE = {_S.PROVISIONAL: 0, _S.AWAITING_SUPPLY: 1, _S.DELAYED: 2, _S.PEGGED: 3}


def backorder_state(slices: Iterable[Slice]) -> BackorderState:
    """The state of the least advanced slice; FILLED when nothing is left. HARD pegs are stock: they do not count."""
    states = [_slice_state(part) for part in slices if part.quantity > 0 and part.kind is not PegKind.HARD]
    return min(states, key=_ADVANCE.__getitem__) if states else _S.FILLED


def check_move(
    backorder: str, before: BackorderState, after: BackorderState, held_from: BackorderState | None = None
) -> None:
    """Raise IllegalTransition unless `before` may become `after` in one step; `held_from`: where it was parked from."""
    if after in MOVES[before]:
        return
    if before in PARKED and held_from is not None and after is held_from:
        return
    raise IllegalTransition("backorder", backorder, before, after)


@lru_cache(maxsize=256)
def _shortest(before: BackorderState, after: BackorderState) -> tuple[BackorderState, ...] | None:
    waypoints = {_S.SOURCING, _S.AWAITING_SUPPLY, _S.PEGGED}
    if after is _S.CANCELLED:
        waypoints = {_S.CANCEL_PENDING}
    elif after is _S.SUBSTITUTED:
        waypoints |= {_S.OPTION_OFFERED}
    queue: deque[tuple[BackorderState, tuple[BackorderState, ...]]] = deque([(before, ())])
    seen = {before}
    while queue:
        state, way = queue.popleft()
        for following in sorted(MOVES[state], key=list(_S).index):
            if following is after:
                return (*way, following)
            if following in waypoints and following not in seen:
                seen.add(following)
                queue.append((following, (*way, following)))
    return None


def path(
    backorder: str, before: BackorderState, after: BackorderState, held_from: BackorderState | None = None
) -> tuple[BackorderState, ...]:
    """The states to write, one event each, to get from `before` to `after`; empty when nothing changes.

    One transaction may do several steps: cancelling passes CANCEL_PENDING, a supply that is late at once passes
    PEGGED. A parked backorder goes back to `held_from` and on from there. Raises IllegalTransition without a way.
    """
    if before is after:
        return ()
    if before in PARKED and after is not _S.CANCELLED and after is not _S.CANCEL_PENDING:
        if held_from is None:
            raise IllegalTransition("backorder", backorder, before, after)
        return (held_from, *path(backorder, held_from, after))
    way = _shortest(before, after)
    if way is None:
        raise IllegalTransition("backorder", backorder, before, after)
    return way
