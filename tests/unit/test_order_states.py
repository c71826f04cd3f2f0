"""What a line's quantities say, and which line an order shows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.order import LINE_MOVES, check_line_move, line_status, order_status
from core.domain.states import OrderLineStatus as Line
from core.domain.states import OrderStatus
from core.errors import IllegalTransition, InvariantBroken


def status(open=0, allocated=0, backordered=0, shipped=0, cancelled=0, **more) -> Line:
    ordered = open + allocated + backordered + shipped + cancelled
    return line_status(
        ordered=ordered,
        open=open,
        allocated=allocated,
        backordered=backordered,
        shipped=shipped,
        cancelled=cancelled,
        **more,
    )


@pytest.mark.parametrize(
    ("quantities", "expected"),
    [
        ({"open": 4}, Line.VALIDATED),
        ({"open": 4, "is_validated": False}, Line.RECEIVED),
        ({"allocated": 6, "backordered": 4}, Line.BACKORDERED),
        ({"open": 1, "backordered": 4}, Line.BACKORDERED),
        ({"allocated": 6}, Line.ALLOCATED),
        ({"allocated": 6, "ready": 5}, Line.ALLOCATED),
        ({"allocated": 6, "ready": 6}, Line.READY_TO_SHIP),
        ({"allocated": 2, "ready": 2, "shipped": 4}, Line.READY_TO_SHIP),
        ({"shipped": 6, "delivered": 5, "cancelled": 4}, Line.SHIPPED),
        ({"shipped": 6, "delivered": 6, "cancelled": 4}, Line.DELIVERED),
        ({"cancelled": 4, "is_validated": False}, Line.CANCELLED),
    ],
)
def test_line_shows_its_least_advanced_quantity(quantities: dict, expected: Line):
    assert status(**quantities) is expected


@pytest.mark.parametrize("wrong", [{"ordered": 9}, {"ready": 6}, {"delivered": 1}, {"open": -1, "backordered": 6}])
def test_quantities_that_do_not_balance_are_a_bug(wrong: dict):
    sound = {"ordered": 10, "open": 0, "allocated": 5, "backordered": 5, "shipped": 0, "cancelled": 0}
    assert line_status(**sound) is Line.BACKORDERED
    with pytest.raises(InvariantBroken, match="line quantities"):
        line_status(**sound | wrong)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], OrderStatus.RECEIVED),
        ([Line.RECEIVED, Line.SHIPPED], OrderStatus.RECEIVED),
        ([Line.BACKORDERED, Line.DELIVERED], OrderStatus.VALIDATED),
        ([Line.ALLOCATED, Line.READY_TO_SHIP], OrderStatus.ALLOCATED),
        ([Line.READY_TO_SHIP, Line.SHIPPED], OrderStatus.SHIPMENT_RESERVED),
        ([Line.SHIPPED, Line.DELIVERED, Line.CANCELLED], OrderStatus.SHIPPED),
        ([Line.DELIVERED, Line.CANCELLED], OrderStatus.DELIVERED),
        ([Line.CANCELLED, Line.CANCELLED], OrderStatus.CANCELLED),
    ],
)
def test_order_shows_its_least_advanced_line_that_is_not_cancelled(lines: list[Line], expected: OrderStatus):
    assert order_status(lines) is expected


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (Line.CANCELLED, Line.VALIDATED),
        (Line.DELIVERED, Line.CANCELLED),
        (Line.SHIPPED, Line.ALLOCATED),
        (Line.SHIPPED, Line.CANCELLED),
        (Line.ALLOCATED, Line.RECEIVED),
    ],
)
def test_illegal_line_moves_are_errors(before: Line, after: Line):
    with pytest.raises(IllegalTransition) as refused:
        check_line_move("SO-1/2", before, after)
    assert refused.value.facts == {"kind": "order line", "key": "SO-1/2", "state": before, "wanted": after}


QUANTITY = st.integers(0, 5)


@given(QUANTITY, QUANTITY, QUANTITY, QUANTITY, QUANTITY, QUANTITY)
def test_cancelling_all_that_has_not_left_is_a_legal_move(open, allocated, backordered, shipped, delivered, cancelled):
    delivered = min(delivered, shipped)
    if open + allocated + backordered + shipped + cancelled == 0:
        return
    before = status(open, allocated, backordered, shipped, cancelled, delivered=delivered)
    after = status(0, 0, 0, shipped, cancelled + open + allocated + backordered, delivered=delivered)
    check_line_move("SO-1/1", before, after)


def test_every_state_has_its_moves():
    assert set(LINE_MOVES) == set(Line)
