"""How much to buy, what an answer does to a line, and the reorder formulas."""

from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.purchasing import (
    PART_MOVES,
    PARTS,
    PurchaseLine,
    answer,
    check_status_move,
    close_short,
    is_approved_by_rule,
    move,
    order_quantity,
    purchase_order_status,
    receive,
    reorder_need,
    ship,
)
from core.domain.replenishment import (
    economic_order_quantity,
    inventory_position,
    lead_time_demand_sd,
    reorder_point,
    safety_stock,
    suggest,
)
from core.domain.states import PurchaseOrderStatus as Status
from core.errors import IllegalTransition, InvalidInput, InvariantBroken, QuantityExceeded


def new_line(ordered: int) -> PurchaseLine:
    """A line the supplier has not answered."""
    return PurchaseLine(ordered=ordered, unanswered=ordered)


@pytest.mark.parametrize(
    ("shortage", "moq", "multiple", "expected"),
    [(0, 10, 5, 0), (-3, 10, 5, 0), (4, 1, 1, 4), (4, 10, 1, 10), (11, 10, 6, 12), (12, 10, 6, 12), (4, 10, 6, 12)],
)
def test_order_quantity(shortage: int, moq: int, multiple: int, expected: int):
    assert order_quantity(shortage, moq, multiple) == expected


def test_order_quantity_refuses_a_multiple_of_nothing():
    with pytest.raises(InvalidInput):
        order_quantity(4, 1, 0)


@pytest.mark.parametrize(
    ("position", "point", "quantity", "expected"),
    [(21, 20, 50, 0), (20, 20, 50, 50), (-60, 20, 50, 81), (-4, 0, 50, 0)],
)
def test_what_the_reorder_point_asks_for(position: int, point: int, quantity: int, expected: int):
    assert reorder_need(position, point, quantity) == expected


def test_855_with_two_acks_splits_the_line():
    line = answer(new_line(10), accepted=6, supplier_backordered=4)
    assert (line.unanswered, line.accepted, line.supplier_backordered) == (0, 6, 4)
    line = ship(line, 5)
    assert (line.accepted, line.supplier_backordered, line.in_transit) == (1, 4, 5)
    line = answer(line, accepted=5)  # a later answer restates the unshipped rest
    assert (line.accepted, line.supplier_backordered, line.in_transit) == (5, 0, 5)


def test_an_answer_that_does_not_sum_up_is_refused():
    with pytest.raises(InvalidInput) as refused:
        answer(new_line(10), accepted=6, supplier_backordered=3)
    assert refused.value.facts == {"stated": 9, "expected": 10}


def test_receipt_takes_what_was_announced_first_and_keeps_what_is_too_much():
    line = receive(ship(answer(new_line(10), accepted=6, supplier_backordered=4), 3), 5)
    assert (line.in_transit, line.accepted, line.supplier_backordered, line.received) == (0, 1, 4, 5)
    line = receive(line, 7)
    assert (line.received, line.over_delivered, line.open) == (10, 2, 0)


def test_closing_short_cancels_every_open_part():
    line = close_short(receive(answer(new_line(10), accepted=6, rejected=4), 2))
    assert asdict(line) == asdict(PurchaseLine(ordered=10, received=2, rejected=4, cancelled=4))


def test_what_the_supplier_closes_short_it_has_refused_also_what_it_had_announced():
    line = close_short(ship(receive(new_line(10), 2), 3), by_supplier=True)
    assert asdict(line) == asdict(PurchaseLine(ordered=10, received=2, rejected=8))


@pytest.mark.parametrize(
    ("source", "target"),
    [("received", "accepted"), ("rejected", "accepted"), ("cancelled", "received"), ("in_transit", "rejected")],
)
def test_impossible_moves_are_errors(source: str, target: str):
    line = PurchaseLine(ordered=4, received=1, rejected=1, cancelled=1, in_transit=1)
    with pytest.raises(IllegalTransition):
        move(line, source, target, 1)


def test_more_than_there_is_cannot_move():
    with pytest.raises(QuantityExceeded) as refused:
        move(new_line(4), "unanswered", "accepted", 5)
    assert refused.value.facts == {"wanted": 5, "openQuantity": 4}
    with pytest.raises(QuantityExceeded):
        ship(new_line(4), 5)
    with pytest.raises(InvalidInput):
        move(new_line(4), "unanswered", "accepted", 0)
    with pytest.raises(InvariantBroken):
        PurchaseLine(ordered=4, accepted=3)


@given(st.integers(1, 50), st.lists(st.tuples(st.sampled_from(PARTS), st.sampled_from(PARTS), st.integers(1, 20))))
def test_any_sequence_of_moves_keeps_the_identity(ordered: int, steps: list[tuple[str, str, int]]):
    line = new_line(ordered)
    for source, target, quantity in steps:
        if target in PART_MOVES[source] and quantity <= getattr(line, source):
            line = move(line, source, target, quantity)
        assert sum(getattr(line, part) for part in PARTS) == ordered


@pytest.mark.parametrize(
    ("current", "lines", "expected"),
    [
        (Status.DRAFT, [new_line(4)], Status.DRAFT),
        (Status.APPROVED, [close_short(new_line(4))], Status.CANCELLED),
        (Status.SENT, [new_line(4), new_line(2)], Status.SENT),
        (Status.SENT, [new_line(4), close_short(new_line(2))], Status.SENT),
        (Status.ACKNOWLEDGED, [new_line(4), close_short(answer(new_line(2), accepted=2))], Status.ACKNOWLEDGED),
        (Status.SENT, [new_line(4), answer(new_line(2), held=2)], Status.ACKNOWLEDGED),
        (Status.ACKNOWLEDGED, [new_line(4), receive(new_line(2), 1)], Status.PARTIALLY_RECEIVED),
        (Status.PARTIALLY_RECEIVED, [receive(new_line(4), 5), receive(new_line(2), 2)], Status.RECEIVED),
        (Status.PARTIALLY_RECEIVED, [receive(new_line(4), 4), close_short(new_line(2))], Status.CLOSED),
        (Status.SENT, [answer(new_line(4), rejected=4)], Status.CANCELLED),
        (Status.CLOSED, [receive(new_line(4), 4)], Status.CLOSED),
    ],
)
def test_purchase_order_status_follows_its_lines(current: Status, lines: list[PurchaseLine], expected: Status):
    assert purchase_order_status(current, lines) is expected
    check_status_move("PO-1", current, expected)


def test_purchase_order_does_not_go_back():
    with pytest.raises(IllegalTransition):
        check_status_move("PO-1", Status.SENT, Status.DRAFT)
    with pytest.raises(IllegalTransition):
        check_status_move("PO-1", Status.PARTIALLY_RECEIVED, Status.CANCELLED)


def test_approval_by_rule():
    assert [is_approved_by_rule(total, 100_000) for total in (99_999, 100_000, 100_001)] == [True, True, False]
    assert not is_approved_by_rule(1, None)


def test_reorder_point_rule():
    assert suggest(21, 20, 50, 1, 1) == 0
    assert suggest(20, 20, 50, 1, 1) == 50
    assert suggest(-40, 20, 50, 1, 12) == 72  # 61 lift it above the reorder point, in packs of 12
    assert suggest(-40, 0, 50, 1, 1) == 0
    assert inventory_position(on_hand=10, unsellable=1, allocated=4, open=2, backordered=8, on_order=20) == 15


def test_formulas_of_the_literature():
    assert lead_time_demand_sd(10, 3, 9, 2) == pytest.approx(481**0.5)
    assert safety_stock(0.95, 10, 3, 9, 2) == 37  # 1.6449 * 21.93 = 36.07
    assert safety_stock(0.5, 10, 3, 9, 2) == 0
    assert reorder_point(10, 9, 37) == 127
    assert economic_order_quantity(1000, 10, 2) == 100
    assert economic_order_quantity(0, 10, 2) == 0
    with pytest.raises(ValueError, match="order once for ever"):
        economic_order_quantity(10, 1, 0)
