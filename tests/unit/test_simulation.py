"""Scenarios on a book: nothing changes nothing, and each overlay moves what it should and in its direction."""

from __future__ import annotations

import copy
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.book import SkuBook
from core.domain.calendars import EVERY_DAY
from core.domain.late_pegs import MovePolicy
from core.domain.lots import Lots
from core.domain.network import Lane, Location, Network
from core.domain.promising import Demand, commit, promise, propose
from core.domain.records import Line, Movement, StockLevel, Supply
from core.domain.simulation.compare import Comparison
from core.domain.simulation.overlay import (
    ExtraPurchase,
    LeadTimeChange,
    Parties,
    PriorityRule,
    Promotion,
    SafetyStockChange,
    Scenario,
    Scope,
    SupplyOutage,
    lay_over,
)
from core.domain.simulation.projection import Expected, LineOutcome, Outcome, Replenishment, Setting, _poisson, project
from core.domain.states import OrderLineStatus, PromiseReason

NOW = datetime(2026, 3, 2, 3, tzinfo=UTC)
TODAY = date(2026, 3, 2)
NETWORK = Network(
    {
        1: Location(1, "A", "dc", "UTC", time(18), EVERY_DAY),
        9: Location(9, "KR", "destination", "UTC", time(18), EVERY_DAY),
    },
    {(1, 9): Lane(1, 9, 1, EVERY_DAY)},
)
BASELINE = Scenario("baseline")
POLICY = MovePolicy()


def make_book(on_hand: int, supplies: list[tuple[int, int]] | None = None, lines: list[int] | None = None) -> SkuBook:
    """Stock, supplies as (days, quantity), and open lines placed in order."""
    book = SkuBook(7, "S", 1, NOW, dict.fromkeys(NETWORK.locations, TODAY), {1: StockLevel(1, on_hand)})
    for number, (days, quantity) in enumerate(supplies or [], start=1):
        usable = TODAY + timedelta(days=days)
        supply = Supply(number, 1, "purchase", quantity, usable, paper_date=usable, supplier_id=5)
        book.supplies.append(supply)
    for number, quantity in enumerate(lines or [], start=1):
        line = Line(number, number, 1, quantity, customer_id=number, open=quantity, destination_id=9)
        line.status = OrderLineStatus.VALIDATED
        book.lines[number] = line
        commit(book, line, propose(book, Demand(quantity, 9, None, [1]), NETWORK, NOW), PromiseReason.PLACED)
        promise(book, line, NETWORK, NOW, PromiseReason.PLACED, cause_kind=PromiseReason.PLACED)
    return book


def play(
    book: SkuBook, *changes: Any, days: int = 20, rate: float = 0.0, buying: Replenishment | None = None
) -> Outcome:
    setting = Setting(buying or Replenishment(None), Expected(rate, 3.0, 9, [1]))
    parties = Parties({1: "VIP", 2: "STANDARD"})
    scenario = Scenario("what if", changes)
    return project(copy.deepcopy(book), NETWORK, setting, scenario, POLICY, parties, horizon_days=days, seed=1)


def days_of(outcome: Outcome) -> list[int | None]:
    return [None if line.filled_on is None else (line.filled_on - TODAY).days for line in outcome.lines]


def test_supplies_arrive_and_fill_who_waits_for_them() -> None:
    outcome = play(make_book(2, [(5, 4)], [2, 4]))
    assert days_of(outcome) == [0, 5]
    assert outcome.backordered_by_day == [4] * 5 + [0] * 16
    assert outcome.late_unit_days == 20


def test_goods_in_lots_arrive_too_and_what_is_in_the_shelf_expires() -> None:
    """Of three that live until the third day two are taken; the four that come later serve whoever waits."""
    book = make_book(0, [(5, 4)])
    book.lots = Lots("S", True, 0, NETWORK, NOW)
    lot = book.lots.open(1, "L", TODAY + timedelta(days=3))
    book.move(Movement(1, "adjusted", on_hand=3, cause_kind="found", lot=lot))
    for number, quantity in enumerate((2, 4), start=1):
        line = Line(number, number, 1, quantity, customer_id=number, open=quantity, destination_id=9)
        line.status = OrderLineStatus.VALIDATED
        book.lines[number] = line
        commit(book, line, propose(book, Demand(quantity, 9, None, [1]), NETWORK, NOW), PromiseReason.PLACED)
    assert days_of(play(book)) == [0, 5]


def test_an_outage_holds_back_its_window_and_a_lost_supply_never_comes() -> None:
    book = make_book(0, [(5, 4), (12, 4)], [4, 4])
    held = SupplyOutage(TODAY, TODAY + timedelta(days=10), Scope(supplier_ids=frozenset({5})))
    assert days_of(play(book, held)) == [10, 12]
    assert days_of(play(book, SupplyOutage(TODAY))) == [None, None]
    assert days_of(play(book, SupplyOutage(TODAY, scope=Scope(supplier_ids=frozenset({6}))))) == [5, 12]


def test_shorter_lead_times_bring_purchases_not_shipped_yet_and_new_ones() -> None:
    book = make_book(0, [(10, 4)], [4, 4])
    buying = Replenishment(5, 14, main_location_id=1)
    assert days_of(play(book, buying=buying)) == [10, 14]
    assert days_of(play(book, LeadTimeChange(-4), buying=buying)) == [6, 10]


def test_an_extra_purchase_and_a_priority_rule_change_who_waits() -> None:
    book = make_book(0, [], [4, 4])
    assert days_of(play(book, ExtraPurchase(7, 1, 4, TODAY + timedelta(days=3)))) == [3, None]
    first = PriorityRule("STANDARD", 9_000_000)
    assert days_of(play(book, first, ExtraPurchase(7, 1, 4, TODAY + timedelta(days=3)))) == [None, 3]


def test_more_safety_stock_leaves_less_to_sell() -> None:
    book = make_book(30)
    usual, careful = play(book, rate=1.0), play(book, SafetyStockChange(quantity=25), rate=1.0)
    assert usual.demand_units == careful.demand_units > 5
    assert careful.filled_at_once_units < usual.filled_at_once_units


def test_a_promotion_meets_the_same_days_with_more_demand() -> None:
    book = make_book(1000)
    window = Promotion(TODAY + timedelta(days=1), TODAY + timedelta(days=20), 2.0)
    usual, promoted = play(book, rate=2.0), play(book, window, rate=2.0)
    assert promoted.demand_units == 2 * usual.demand_units


def test_playing_uses_up_only_the_copy() -> None:
    book = make_book(2, [(5, 4)], [2, 4])
    before = repr((book.levels, book.supplies, book.pegs, book.lines))
    play(book, SupplyOutage(TODAY), rate=2.0)
    assert repr((book.levels, book.supplies, book.pegs, book.lines)) == before


def test_a_comparison_counts_who_is_moved_and_lists_the_hardest_first() -> None:
    book = make_book(0, [(5, 4), (12, 4)], [4, 4])
    usual = play(book)
    comparison = Comparison()
    comparison.add(play(book, SupplyOutage(TODAY, TODAY + timedelta(days=18))), usual)
    assert (comparison.later_lines, comparison.earlier_lines, len(comparison.later_customers)) == (2, 0, 2)
    assert [(m.line_id, m.days_later) for m in comparison.moved] == [(1, 13), (2, 6)]
    assert comparison.as_json()["totals"]["late_unit_days"] == 4 * 18 * 2


def test_what_never_comes_is_not_bought_and_whom_it_leaves_waiting_is_later_than_the_end() -> None:
    book = make_book(0, [(5, 4), (12, 4)], [4, 4])
    buying = Replenishment(5, 9, main_location_id=1)
    usual, lost = play(book, buying=buying), play(book, SupplyOutage(TODAY), buying=buying)
    assert (usual.bought_units, lost.bought_units) == (0, 0)
    comparison = Comparison()
    comparison.add(lost, usual)
    assert [(m.line_id, m.days_later) for m in comparison.moved] == [(1, 21 - 5), (2, 21 - 12)]


@pytest.mark.parametrize("mean", [0.1, 1.0, 30.0, 800.0])
def test_a_draw_has_the_mean_it_should(mean: float) -> None:
    draws = [_poisson((n + 0.5) / 2000, mean) for n in range(2000)]
    assert sum(draws) / 2000 == pytest.approx(mean, rel=0.02, abs=0.01)
    assert sum((draw - mean) ** 2 for draw in draws) / 2000 == pytest.approx(mean, rel=0.02, abs=0.01)
    assert draws == sorted(draws)


books = st.builds(
    make_book,
    st.integers(0, 12),
    st.lists(st.tuples(st.integers(0, 15), st.integers(1, 9)), max_size=3),
    st.lists(st.integers(1, 6), max_size=4),
)


@settings(max_examples=60, deadline=None)
@given(books, st.sampled_from([0.0, 0.7]), st.booleans())
def test_no_change_is_no_difference_and_units_balance(book: SkuBook, rate: float, buys: bool) -> None:
    buying = Replenishment(5, 6, 1, 1, 4, 10, 1) if buys else None
    coming = sum(s.open for s in book.supplies if s.usable_date <= TODAY + timedelta(days=15))
    free = book.levels[1].available
    one, two = (
        play(book, days=15, rate=rate, buying=buying),
        play(book, LeadTimeChange(0), days=15, rate=rate, buying=buying),
    )
    assert one == two
    assert 0 <= one.free_stock_by_day[-1] <= free + coming + one.bought_units
    assert one.filled_at_once_units <= one.demand_units
    worse = play(book, SupplyOutage(TODAY), days=15, rate=0.0, buying=None)
    usual = play(book, days=15, rate=0.0, buying=None)
    waiting = sum(line.open + line.backordered for line in book.lines.values())
    assert usual.free_stock_by_day[-1] == free + coming - min(waiting, free + coming)
    assert worse.late_unit_days >= usual.late_unit_days


def test_a_comparison_lists_by_days_either_way_and_counts_a_customer_once() -> None:
    def outcome(*days: int) -> Outcome:
        lines = [
            LineOutcome(n, n, customer, TODAY + timedelta(days=day), None, TODAY)
            for n, (customer, day) in enumerate(zip((1, 1, 2), days, strict=True), start=1)
        ]
        return Outcome(7, lines=lines)

    comparison = Comparison()
    comparison.add(outcome(2, 15, 13), outcome(10, 10, 10))
    assert [(m.line_id, m.days_later) for m in comparison.moved] == [(1, -8), (2, 5), (3, 3)]
    found = comparison.as_json()
    assert (found["later_customers"], found["earlier_customers"], found["affected_customers"]) == (2, 1, 2)


def test_an_outage_takes_its_first_day_and_leaves_its_last() -> None:
    scenario = Scenario("out", (SupplyOutage(TODAY, TODAY + timedelta(days=4)),))
    days = [scenario.delayed_until(7, 5, TODAY + timedelta(days=n)) for n in (-1, 0, 3, 4)]
    assert [(day - TODAY).days for day in days if day is not None] == [-1, 4, 4, 4]


def test_what_is_shipped_keeps_its_day_when_the_supplier_needs_longer() -> None:
    book = make_book(0, [(5, 4), (5, 4)])
    book.supplies[0].ship_notice_line_id = 1
    lay_over(book, Scenario("slow", (LeadTimeChange(3),)), NETWORK, POLICY, Parties())
    assert [(supply.usable_date - TODAY).days for supply in book.supplies] == [5, 8]


def test_a_priority_rule_is_not_overruled_by_the_score_of_the_day() -> None:
    book = make_book(0, [(9, 4)], [4])
    lay_over(book, Scenario("first", (PriorityRule("VIP", 9),)), NETWORK, POLICY, Parties({1: "VIP"}))
    assert (book.lines[1].priority, book.lines[1].is_priority_manual) == (9, True)
