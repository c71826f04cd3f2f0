"""A SKU's book under random orders, receipts, delays, losses and cancellations: no identity ever breaks."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from core.domain.book import SkuBook
from core.domain.calendars import WorkCalendar
from core.domain.network import Lane, Location, Network
from core.domain.promising import Demand, commit, promise, propose
from core.domain.records import Line, StockLevel, Supply
from core.domain.states import OrderLineStatus, PegKind, PromiseReason

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


class BookMachine(RuleBasedStateMachine):
    """Drives the pure book as services do."""

    @initialize(stock=st.integers(0, 30), reserve=st.integers(0, 10), kept=st.integers(0, 4))
    def open_book(self, stock: int, reserve: int, kept: int) -> None:
        self.network = network()
        self.book = SkuBook(1, "S", 1, NOW, dict.fromkeys((A, R, ZONE), TODAY))
        self.book.levels = {A: StockLevel(A, stock), R: StockLevel(R, reserve)}
        self.book.protected = {"": {A: [(TODAY, kept), (TODAY + timedelta(days=9), 1)]}, "urgent": {A: [(TODAY, 0)]}}
        self.stock = stock + reserve
        self.lines: list[Line] = []

    @rule(quantity=st.integers(1, 15), wait=st.none() | st.integers(0, 40), name=st.sampled_from(("", "urgent")))
    def place(self, quantity: int, wait: int | None, name: str) -> None:
        requested = None if wait is None else TODAY + timedelta(days=wait)
        available = self.book.timeline(A, name).atp()
        line = Line(
            len(self.lines) + 1,
            1,
            1,
            quantity,
            open=quantity,
            requested_date=requested,
            status=OrderLineStatus.VALIDATED,
            destination_id=ZONE,
            demand_class=name,
        )
        demand = Demand(quantity, ZONE, requested, [A], 20, demand_class=name)
        proposal = propose(self.book, demand, self.network, NOW)
        assert proposal.quantity == quantity
        assert proposal.available_now == min(quantity, available)
        commit(self.book, line, proposal, PromiseReason.PLACED)
        promise(self.book, line, self.network, NOW, PromiseReason.PLACED, cause_kind=PromiseReason.PLACED)
        assert line.allocated == min(quantity, available)
        self.lines.append(line)

    @rule(quantity=st.integers(1, 20), wait=st.integers(1, 30))
    def buy(self, quantity: int, wait: int) -> None:
        self.book.add_supply(Supply(None, A, "purchase", quantity, TODAY + timedelta(days=wait)))

    @precondition(lambda self: any(s.open for s in self.book.supplies if s.kind == "purchase"))
    @rule(data=st.data())
    def receive(self, data: st.DataObject) -> None:
        supply = data.draw(st.sampled_from([s for s in self.book.supplies if s.open and s.kind == "purchase"]))
        quantity = data.draw(st.integers(1, supply.open))
        damaged = data.draw(st.integers(0, quantity))
        for line in {id(x): x for x in self.book.receive(supply, quantity, damaged, "goods_receipt", 1)}.values():
            self.book.settle(line, "received")
        self.stock += quantity

    @precondition(lambda self: any(s.open for s in self.book.supplies if s.kind == "purchase"))
    @rule(data=st.data())
    def lose(self, data: st.DataObject) -> None:
        supply = data.draw(st.sampled_from([s for s in self.book.supplies if s.open and s.kind == "purchase"]))
        lost = self.book.cancel_supply(supply, data.draw(st.integers(1, supply.open)), "rejected")
        for line in {id(x): x for x in lost}.values():
            self.book.settle(line, "lost")

    @precondition(lambda self: any(s.open > 1 for s in self.book.supplies if s.kind == "purchase"))
    @rule(data=st.data(), later=st.integers(0, 20))
    def split(self, data: st.DataObject, later: int) -> None:
        supply = data.draw(st.sampled_from([s for s in self.book.supplies if s.open > 1 and s.kind == "purchase"]))
        quantity = data.draw(st.integers(1, supply.open - 1))
        self.book.split_supply(supply, quantity, supply.usable_date + timedelta(days=later), "CONFIRMED_ORDER", "1")

    @invariant()
    def lines_balance(self) -> None:
        for line in getattr(self, "lines", ()):
            assert line.ordered == line.open + line.allocated + line.backordered + line.shipped + line.cancelled
            pegs = self.book.pegs_of(line)
            assert sum(p.quantity for p in pegs if p.kind == PegKind.HARD) == line.allocated
            assert sum(p.quantity for p in pegs if p.kind != PegKind.HARD) == line.open + line.backordered
            backorder = self.book.backorder_of(line)
            assert (backorder.quantity if backorder else 0) == line.backordered

    @invariant()
    def supplies_are_not_over_pegged(self) -> None:
        for supply in getattr(self, "book", None).supplies if hasattr(self, "book") else ():
            pegged = sum(p.quantity for p in self.book.pegs if p.supply is supply)
            assert pegged == supply.pegged <= supply.open

    @invariant()
    def stock_is_conserved(self) -> None:
        if not hasattr(self, "book"):
            return
        for level in self.book.levels.values():
            assert level.allocated + level.unsellable <= level.on_hand
            hard = sum(
                p.quantity for p in self.book.pegs if p.kind == PegKind.HARD and p.location_id == level.location_id
            )
            assert hard == level.allocated
        assert sum(level.on_hand for level in self.book.levels.values()) == self.stock

    @invariant()
    def the_kept_curve_is_the_curve(self) -> None:
        if hasattr(self, "book"):
            for name in ("", "urgent", "unknown"):
                assert self.book.timeline(A, name).steps() == self.book.timeline_without(A, [], name).steps()


BookMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestBook = BookMachine.TestCase


class LongBookMachine(BookMachine):
    """The same, with longer and many more lives of a book."""


LongBookMachine.TestCase.settings = settings(max_examples=1_500, stateful_step_count=60, deadline=None)
TestLongBook = pytest.mark.timeout(1800)(pytest.mark.long(LongBookMachine.TestCase))
