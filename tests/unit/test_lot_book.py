"""A book with lots under random orders, receipts, cancellations, counts and transfers: lots always add up, FEFO holds."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from core.domain.book import SkuBook
from core.domain.calendars import WorkCalendar
from core.domain.kit_groups import in_whole_kits
from core.domain.lots import Lots
from core.domain.network import Lane, Location, Network
from core.domain.promising import Demand, available_now, commit, promise, propose
from core.domain.records import Hold, KitPart, Line, Lot, Movement, Supply
from core.domain.states import OrderLineStatus, PegKind, PromiseReason
from core.errors import InvalidInput, QuantityExceeded

TODAY = date(2026, 11, 2)
NOW = datetime(2026, 11, 2, 3, tzinfo=UTC)
DAILY = WorkCalendar(frozenset(range(1, 8)))
A, R, ZONE = 1, 2, 3


def network() -> Network:
    places = {
        number: Location(number, code, kind, "UTC", time(23), DAILY)
        for number, code, kind in ((A, "A", "dc"), (R, "R", "warehouse"), (ZONE, "Z", "destination"))
    }
    lanes = {(a, b): Lane(a, b, days, DAILY) for a, b, days in ((A, ZONE, 1), (R, A, 2))}
    return Network(places, lanes)


class LotBookMachine(RuleBasedStateMachine):
    """Drives the pure book as services do; customers 1, 2 and 3 ask for 0, 5 and 20 days of life at delivery."""

    @initialize()
    def open_book(self) -> None:
        self.network = network()
        self.book = SkuBook(1, "S", 1, NOW, dict.fromkeys((A, R, ZONE), TODAY))
        self.book.lots = Lots("S", True, 5, self.network, NOW, by_customer={1: 0, 3: 20})
        self.lines: list[Line] = []
        self.codes = 0

    @rule(units=st.integers(1, 12), life=st.integers(-2, 40), place=st.sampled_from((A, R)))
    def find(self, units: int, life: int, place: int) -> None:
        assert self.book.lots is not None
        self.codes += 1
        lot = self.book.lots.open(place, f"L{self.codes}", TODAY + timedelta(days=life))
        self.book.move(Movement(place, "adjusted", on_hand=units, cause_kind="found", lot=lot))

    @rule(units=st.integers(1, 12), wait=st.integers(1, 30))
    def buy(self, units: int, wait: int) -> None:
        self.book.add_supply(Supply(None, A, "purchase", units, TODAY + timedelta(days=wait)))

    @precondition(lambda self: any(s.open for s in self.book.supplies if s.kind == "purchase"))
    @rule(data=st.data(), life=st.integers(0, 40))
    def receive(self, data: st.DataObject, life: int) -> None:
        assert self.book.lots is not None
        supply = data.draw(st.sampled_from([s for s in self.book.supplies if s.open and s.kind == "purchase"]))
        quantity = data.draw(st.integers(1, supply.open))
        self.codes += 1
        lot = self.book.lots.open(A, f"L{self.codes}", TODAY + timedelta(days=life))
        for line in {id(x): x for x in self.book.receive(supply, quantity, 0, "goods_receipt", 1, lot)}.values():
            self.book.settle(line, "received")

    @rule(quantity=st.integers(1, 15), customer=st.sampled_from((1, 2, 3)))
    def place(self, quantity: int, customer: int) -> None:
        book = self.book
        assert book.lots is not None
        line = Line(
            len(self.lines) + 1,
            1,
            1,
            quantity,
            customer_id=customer,
            open=quantity,
            status=OrderLineStatus.VALIDATED,
            destination_id=ZONE,
        )
        life = book.min_life(line)
        keep = book.lots.keep_of(A, line)
        free = available_now(book, [A], "", (), ZONE, life)
        last = TODAY + timedelta(days=keep)
        before = [
            (lot.expires_on, lot, lot.available)
            for lot in book.lots.rows
            if lot.location_id == A and lot.expires_on is not None and lot.expires_on >= last
        ]
        proposal = propose(book, Demand(quantity, ZONE, None, [A], 20, min_life=life), self.network, NOW)
        assert proposal.quantity == quantity
        assert proposal.available_now == min(quantity, free)
        commit(book, line, proposal, PromiseReason.PLACED)
        promise(book, line, self.network, NOW, PromiseReason.PLACED, cause_kind=PromiseReason.PLACED)
        assert line.allocated == min(quantity, free)
        self.lines.append(line)
        taken = [(expires, units - lot.available, lot.available) for expires, lot, units in before]
        assert sum(units for _, units, _ in taken) == line.allocated
        latest = max((expires for expires, units, _ in taken if units), default=date.min)
        assert not any(left for expires, _, left in taken if expires < latest), "a lot that expires earlier was left"

    @precondition(lambda self: any(line.allocated for line in self.lines))
    @rule(data=st.data())
    def give_back(self, data: st.DataObject) -> None:
        line = data.draw(st.sampled_from([x for x in self.lines if x.allocated]))
        peg = data.draw(st.sampled_from([p for p in self.book.pegs_of(line) if p.kind == PegKind.HARD]))
        units = data.draw(st.integers(1, peg.quantity))
        self.book.release(peg, units, "cancel")
        line.cancelled += units
        self.book.settle(line, "cancelled")

    @invariant()
    def lots_add_up(self) -> None:
        book = getattr(self, "book", None)
        if book is None:
            return
        for place in (A, R):
            level, lots = book.level(place), [lot for lot in book.lots.rows if lot.location_id == place]
            assert level.on_hand == sum(lot.on_hand for lot in lots)
            assert level.allocated == sum(lot.allocated for lot in lots)
            assert level.unsellable == sum(lot.unsellable for lot in lots)
        for lot in book.lots.rows:
            hard = sum(p.quantity for p in book.pegs if p.kind == PegKind.HARD and p.lot is lot)
            assert hard == lot.allocated
            assert 0 <= lot.allocated <= lot.on_hand

    @invariant()
    def nobody_has_a_lot_that_is_too_old(self) -> None:
        for line in getattr(self, "lines", ()):
            for peg in self.book.pegs_of(line):
                if peg.kind == PegKind.HARD and peg.lot is not None and peg.location_id == A:
                    last = TODAY + timedelta(days=self.book.lots.keep_of(A, line))
                    assert peg.lot.expires_on is not None
                    assert peg.lot.expires_on >= last

    @invariant()
    def the_kept_curve_is_the_curve(self) -> None:
        if hasattr(self, "book"):
            assert self.book.timeline(A).steps() == self.book.timeline_without(A, []).steps()


LotBookMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)
TestLotBook = LotBookMachine.TestCase


@given(
    sizes=st.lists(st.tuples(st.integers(1, 5), st.integers(0, 3)), min_size=1, max_size=4),
    kits=st.integers(1, 6),
    cut=st.integers(1, 40),
    which=st.integers(0, 3),
)
def test_any_cut_keeps_the_ratio_of_a_kit(sizes: list[tuple[int, int]], kits: int, cut: int, which: int) -> None:
    """`sizes`: (units per kit, kits of the component that have left)."""
    book = SkuBook(1, "S", 1, NOW, {A: TODAY})
    lines = []
    for number, (units, left) in enumerate(sizes, start=1):
        gone = min(left, kits) * units
        lines.append((book, Line(number, 1, number, kits * units, shipped=gone, allocated=kits * units - gone)))
        lines[-1][1].kit = KitPart(9, 1, units)
    chosen = lines[which % len(lines)][1]
    wanted = min(cut, chosen.allocated)
    found = in_whole_kits(lines, {id(chosen): wanted} if wanted else {})
    gone = {found.get(id(line), 0) / line.kit.quantity for _, line in lines if line.kit is not None}
    assert len(gone) == 1
    cut_kits = gone.pop()
    assert cut_kits == int(cut_kits)
    whole = kits - max(min(left, kits) for _, left in sizes)
    assert cut_kits == min(-(-wanted // (chosen.kit.quantity if chosen.kit else 1)), whole)


def test_time_passes_for_the_lots_of_a_book_that_is_played_forward() -> None:
    book = SkuBook(1, "S", 1, NOW, dict.fromkeys((A, R, ZONE), TODAY))
    book.lots = Lots("S", True, 0, network(), NOW)
    book.move(
        Movement(A, "adjusted", on_hand=3, cause_kind="found", lot=book.lots.open(A, "L", TODAY + timedelta(days=3)))
    )
    line = Line(1, 1, 1, 3, open=3, destination_id=ZONE)
    assert book.shelf(A, line) == 3
    book.live_on(NOW + timedelta(days=3), dict.fromkeys((A, R, ZONE), TODAY + timedelta(days=3)))
    assert book.shelf(A, line) == 0, "it would be a day too old at the customer"


@pytest.mark.parametrize(
    ("figures", "is_legal"),
    [
        ({"allocated": 1}, True),
        ({"allocated": 2}, False),  # what is unsellable is nobody's
        ({"unsellable": -2}, True),
        ({"unsellable": -3}, False),
        ({"on_hand": -2}, False),
        ({"on_hand": -2, "allocated": -2}, True),
    ],
)
def test_a_lot_gives_only_what_it_has(figures: dict[str, Any], is_legal: bool):
    lots = Lots("S", True, 0, network(), NOW)
    lot = lots.open(A, "L", TODAY)
    lot.on_hand, lot.unsellable, lot.allocated = 5, 2, 2
    movement = Movement(A, "adjusted", **figures, cause_kind="test", lot=lot)
    if is_legal:
        lots.apply(movement)
        assert lot.available == 1 - figures.get("allocated", 0) - figures.get("unsellable", 0) + figures.get(
            "on_hand", 0
        )
    else:
        with pytest.raises(QuantityExceeded):
            lots.apply(movement)
        assert (lot.on_hand, lot.unsellable, lot.allocated) == (5, 2, 2)


def test_a_code_has_one_last_day_wherever_it_lies():
    lots = Lots("S", True, 0, network(), NOW)
    lots.rows.append(Lot(None, A, "L"))  # found before anybody said how long it lives
    lots.open(R, "L", TODAY)
    assert lots.open(A, "M", TODAY + timedelta(days=9)).expires_on == TODAY + timedelta(days=9)
    with pytest.raises(InvalidInput, match="expires on"):
        lots.open(R, "L", TODAY + timedelta(days=1))
    with pytest.raises(InvalidInput, match="tracks expiry"):
        lots.open(R, "N", None)


def test_what_is_too_old_for_one_is_not_taken_from_who_can_still_use_it():
    """Four of five are held for day 8; who wants five days of life more can use them now, but not on day 8."""
    book = SkuBook(1, "S", 1, NOW, dict.fromkeys((A, R, ZONE), TODAY))
    book.lots = Lots("S", True, 0, network(), NOW)
    lot = book.lots.open(A, "L", TODAY + timedelta(days=10))
    book.move(Movement(A, "adjusted", on_hand=5, cause_kind="found", lot=lot))
    assert available_now(book, [A], min_life=5) == 5
    book.add_hold(Hold(1, "g", A, TODAY + timedelta(days=8), 4))
    assert available_now(book, [A], min_life=5) == 1
    assert [
        (p.kind, p.quantity) for p in propose(book, Demand(3, ZONE, None, [A], min_life=5), network(), NOW).slices
    ] == [
        ("ON_HAND", 1),
        ("LEAD_TIME", 2),
    ]
