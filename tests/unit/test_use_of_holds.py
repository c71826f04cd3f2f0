"""What an order leaves of a reservation: a pool's rest stays held from everybody, a cart's is free at once."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest

from core.domain.book import SkuBook
from core.domain.records import Hold, Movement
from core.domain.reserving import Held, HoldUse, close_use, take_own, use_up
from core.domain.states import ReservationKind

TODAY = date(2026, 11, 2)
A = 1


def book_of(*holds: Hold) -> SkuBook:
    book = SkuBook(7, "S", 1, datetime.combine(TODAY, time(9), UTC), {A: TODAY})
    book.move(Movement(A, "adjusted", on_hand=20, cause_kind="test"))
    for hold in holds:
        book.add_hold(hold)
    return book


@pytest.mark.parametrize(
    ("kind", "free", "counted"), [(ReservationKind.PROMOTION, 10, [(1, 1), (2, 5)]), (ReservationKind.CART, 16, [])]
)
def test_the_rest_of_a_pool_is_held_again_and_that_of_a_cart_is_free(kind, free, counted) -> None:
    rows = [Hold(1, "g", A, TODAY, 5), Hold(2, "g", A, TODAY + timedelta(days=4), 5)]
    book = book_of(*rows)
    held = Held("g", kind, None, [(7, hold) for hold in rows])
    own = take_own({7: book}, held)
    assert book.timeline(A).atp() == 20
    use_up(own[7], [(A, 4)])
    for _ in range(4):
        book.move(Movement(A, "adjusted", on_hand=-1, cause_kind="test"))  # what the order took
    is_pool = kind is ReservationKind.PROMOTION
    uses = close_use({7: book}, held, own, 99)
    assert uses == [HoldUse(7, 1, 4, 1, is_pool, 99), HoldUse(7, 2, 0, 5, is_pool, 99)]
    assert [(hold.id, hold.quantity) for hold in book.holds] == counted
    assert [(hold.id, hold.quantity) for _, hold in held.rows] == counted
    assert book.timeline(A).atp() == free
