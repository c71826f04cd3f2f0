"""What the slices of a backorder say, and the moves that are legal."""

from datetime import date

import pytest

from core.domain.backorder import MOVES, PARKED, TERMINAL, Slice, backorder_state, check_move, path
from core.domain.states import BackorderState as State
from core.domain.states import PegKind
from core.errors import IllegalTransition

EARLY, LATE = date(2026, 6, 10), date(2026, 6, 20)


@pytest.mark.parametrize(
    ("slices", "expected"),
    [
        ([], State.FILLED),
        ([Slice(6, PegKind.HARD)], State.FILLED),
        ([Slice(0, PegKind.OPEN)], State.FILLED),
        ([Slice(4, PegKind.OPEN, is_searched=False)], State.PROVISIONAL),
        ([Slice(4, PegKind.OPEN)], State.AWAITING_SUPPLY),
        ([Slice(4, PegKind.SOFT, EARLY, LATE)], State.AWAITING_SUPPLY),
        ([Slice(4, PegKind.FIRM, EARLY, LATE)], State.PEGGED),
        ([Slice(4, PegKind.FIRM, LATE, LATE)], State.PEGGED),
        ([Slice(4, PegKind.FIRM, LATE, EARLY)], State.DELAYED),
        ([Slice(3, PegKind.FIRM, EARLY, LATE), Slice(1, PegKind.FIRM, LATE, EARLY)], State.DELAYED),
        ([Slice(3, PegKind.FIRM, LATE, EARLY), Slice(1, PegKind.OPEN)], State.AWAITING_SUPPLY),
        ([Slice(1, PegKind.OPEN), Slice(3, PegKind.FIRM, LATE, EARLY)], State.AWAITING_SUPPLY),
    ],
)
def test_the_least_advanced_slice_decides(slices: list[Slice], expected: State):
    assert backorder_state(slices) is expected


def test_the_published_table_is_legal():
    table = {
        State.PROVISIONAL: {State.SOURCING, State.CANCELLED, State.FILLED},
        State.SOURCING: {State.AWAITING_SUPPLY, State.PEGGED, State.FILLED, State.OPTION_OFFERED},
        State.AWAITING_SUPPLY: {State.PEGGED, State.OPTION_OFFERED, State.CANCEL_PENDING},
        State.PEGGED: {State.FILLED, State.DELAYED, State.AWAITING_SUPPLY},
        State.DELAYED: {State.PEGGED, State.FILLED, State.OPTION_OFFERED, State.CANCEL_PENDING},
        State.OPTION_OFFERED: {State.PEGGED, State.FILLED, State.SUBSTITUTED, State.CANCEL_PENDING},
        State.CANCEL_PENDING: {State.CANCELLED},
    }
    for before, following in table.items():
        assert following <= MOVES[before]
    assert set(MOVES) == set(State)


@pytest.mark.parametrize("terminal", sorted(TERMINAL))
def test_terminal_states_are_immutable(terminal: State):
    for state in set(State) - {terminal}:
        with pytest.raises(IllegalTransition):
            check_move("7", terminal, state)
        with pytest.raises(IllegalTransition):
            path("7", terminal, state)


@pytest.mark.parametrize("parked", sorted(PARKED))
def test_a_parked_backorder_goes_back_to_where_it_was(parked: State):
    check_move("7", parked, State.PEGGED, held_from=State.PEGGED)
    with pytest.raises(IllegalTransition) as refused:
        check_move("7", parked, State.FILLED, held_from=State.PEGGED)
    assert refused.value.facts == {"kind": "backorder", "key": "7", "state": parked, "wanted": State.FILLED}
    with pytest.raises(IllegalTransition):
        path("7", parked, State.PEGGED)


@pytest.mark.parametrize(
    ("before", "after", "way"),
    [
        (State.PEGGED, State.PEGGED, ()),
        (State.PROVISIONAL, State.PEGGED, (State.SOURCING, State.PEGGED)),
        (State.PROVISIONAL, State.AWAITING_SUPPLY, (State.SOURCING, State.AWAITING_SUPPLY)),
        (State.PROVISIONAL, State.DELAYED, (State.SOURCING, State.PEGGED, State.DELAYED)),
        (State.AWAITING_SUPPLY, State.DELAYED, (State.PEGGED, State.DELAYED)),
        (State.AWAITING_SUPPLY, State.FILLED, (State.FILLED,)),
        (State.PEGGED, State.CANCELLED, (State.CANCEL_PENDING, State.CANCELLED)),
        (State.PROVISIONAL, State.CANCELLED, (State.CANCELLED,)),
        (State.PEGGED, State.SUBSTITUTED, (State.OPTION_OFFERED, State.SUBSTITUTED)),
    ],
)
def test_several_steps_of_one_transaction(before: State, after: State, way: tuple[State, ...]):
    assert path("7", before, after) == way


def test_a_released_hold_goes_on_from_where_it_was():
    assert path("7", State.ON_HOLD, State.FILLED, held_from=State.PEGGED) == (State.PEGGED, State.FILLED)
    assert path("7", State.ON_HOLD, State.PEGGED, held_from=State.PEGGED) == (State.PEGGED,)
    assert path("7", State.ON_HOLD, State.CANCELLED, held_from=State.PEGGED) == (State.CANCEL_PENDING, State.CANCELLED)


def test_every_step_of_every_path_is_a_legal_move():
    for before in State:
        for after in State:
            try:
                way = path("7", before, after, held_from=State.SOURCING)
            except IllegalTransition:
                continue
            for step in way:
                check_move("7", before, step, held_from=State.SOURCING)
                before = step
