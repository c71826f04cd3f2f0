"""What supplies that arrive, move, shrink or are lost do to the claims on them, by example."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest

from core.domain.backorder_life import end_delay, follow
from core.domain.book import SkuBook
from core.domain.book_supplies import Portion, cover_open, free_by_loss, mark_delayed, reshape
from core.domain.buying import needs, peg_new_supplies
from core.domain.calendars import WorkCalendar
from core.domain.kit_groups import incomplete_kits
from core.domain.late_pegs import Cause, MovePolicy, repair
from core.domain.late_rescue import proof_of
from core.domain.network import Lane, Location, Network
from core.domain.records import Backorder, KitPart, Line, Lot, Movement, Supply
from core.domain.release_days import move_release
from core.domain.states import BackorderState, OrderLineStatus, PegKind, PromiseReason

TODAY = date(2026, 11, 2)
NOW = datetime(2026, 11, 2, 3, tzinfo=UTC)
DAILY = WorkCalendar(frozenset(range(1, 8)))
A, ZONE = 1, 2
NETWORK = Network(
    {n: Location(n, kind, kind, "UTC", time(23), DAILY) for n, kind in ((A, "dc"), (ZONE, "destination"))},
    {(A, ZONE): Lane(A, ZONE, 1, DAILY)},
)
LATE, EARLY = Cause(PromiseReason.SUPPLY_DELAYED), Cause(PromiseReason.SUPPLY_ADVANCED)


def day(n: int) -> date:
    return TODAY + timedelta(days=n)


def book_of(stock: int, *supplies: tuple[int, int]) -> tuple[SkuBook, list[Supply]]:
    """Supplies as (day, units)."""
    book = SkuBook(1, "S", 1, NOW, dict.fromkeys((A, ZONE), TODAY))
    book.move(Movement(A, "adjusted", on_hand=stock, cause_kind="test"))
    rows = [Supply(n, A, "purchase", units, day(at)) for n, (at, units) in enumerate(supplies, start=1)]
    return book, [book.add_supply(row) for row in rows]


def claim(book: SkuBook, number: int, units: int, at: int, supply: Supply | None = None, priority: int = 0) -> Line:
    """A line that claims all of its units for one day, in time for its customer."""
    line = Line(number, number, 1, units, open=units, status=OrderLineStatus.VALIDATED, destination_id=ZONE)
    line.priority, line.ship_by, line.location_id, line.promised = priority, day(at), A, day(at + 1)
    book.lines[number] = line
    kind = PegKind.OPEN if supply is None else PegKind.FIRM
    book.add_peg(A, day(at), units, kind, line=line, supply=supply)
    book.settle(line, "test")
    return line


def claims(book: SkuBook, line: Line) -> list[tuple[PegKind, date, int]]:
    return sorted((p.kind, p.need_date, p.quantity) for p in book.pegs_of(line))


def test_late_claims_take_stock_by_rank_and_the_backorder_shows_what_it_waits_for():
    book, (supply,) = book_of(5, (4, 8))
    second, first = claim(book, 1, 4, 4, supply, 1), claim(book, 2, 4, 4, supply, 9)
    book.redate_supply(supply, day(9), "SUPPLIER", None)
    repair(book, NETWORK, [supply], LATE, MovePolicy())
    assert claims(book, first) == [(PegKind.HARD, TODAY, 4)]
    assert claims(book, second) == [(PegKind.FIRM, day(9), 3), (PegKind.HARD, TODAY, 1)]
    (backorder,) = book.backorders
    assert (backorder.line, backorder.quantity) == (second, 3)
    assert (backorder.evidence["shortage"], backorder.evidence["explained"]) == (3, 3)
    assert backorder.evidence["supplies"][0]["quantity"] == 4


@pytest.mark.parametrize(("units_between", "moved_to"), [(0, 2), (2, 10)])
def test_a_claim_is_pulled_in_only_where_nobody_in_between_needs_the_units(units_between: int, moved_to: int):
    book, (supply,) = book_of(0, (10, 4))
    line = claim(book, 1, 4, 10, supply)
    book.add_peg(A, day(5), units_between, PegKind.OPEN, line_id=77)
    book.redate_supply(supply, day(2), "SUPPLIER", None)
    repair(book, NETWORK, [supply], EARLY, MovePolicy(pull_in_days=1))
    assert claims(book, line) == [(PegKind.FIRM, day(moved_to), 4)]


@pytest.mark.parametrize(("margin", "moved_to"), [(None, 10), (1, 8), (2, 8), (3, 10)])
def test_a_claim_whose_supply_comes_two_days_sooner_moves_only_from_the_margin_on(margin: int | None, moved_to: int):
    book, (supply,) = book_of(0, (10, 4))
    line = claim(book, 1, 4, 10, supply)
    book.redate_supply(supply, day(8), "SUPPLIER", None)
    repair(book, NETWORK, [supply], EARLY, MovePolicy(pull_in_days=margin))
    assert claims(book, line) == [(PegKind.FIRM, day(moved_to), 4)]


def test_lines_of_other_supplies_and_lines_that_keep_their_day_hear_nothing():
    """Of three one moves: another one's supply was not touched, and the third takes stock for the day it was promised."""
    book, (late, other) = book_of(2, (4, 4), (2, 4))
    untouched = claim(book, 3, 4, 5, other)
    kept, moved = claim(book, 1, 2, 0, late, priority=9), claim(book, 2, 2, 4, late, priority=1)
    kept.promise_sequence = moved.promise_sequence = untouched.promise_sequence = 1
    book.redate_supply(late, day(7), "SUPPLIER", None)
    lines = repair(book, NETWORK, [late], LATE, MovePolicy(pull_in_days=1))
    assert lines == [kept, moved]
    assert (claims(book, kept), claims(book, moved)) == ([(PegKind.HARD, TODAY, 2)], [(PegKind.FIRM, day(7), 2)])
    assert claims(book, untouched) == [(PegKind.FIRM, day(5), 4)]
    assert [draft.line for draft in book.promises] == [moved]
    assert [fact.line for fact in book.line_facts if fact.kind == "PROMISE_MOVED"] == [moved]


def test_damaged_units_are_not_made_good_from_stock_that_others_are_promised():
    book, (supply,) = book_of(5, (0, 5))
    book.add_peg(A, day(3), 5, PegKind.OPEN, line_id=77)
    second, first = claim(book, 1, 2, 0, supply, 1), claim(book, 2, 3, 0, supply, 9)
    assert book.receive(supply, 5, 2, "receipt", 1) == [first, second]
    assert (first.allocated, second.allocated) == (3, 0)
    assert [(p.kind, p.quantity, p.cause) for p in book.pegs_of(second)] == [(PegKind.OPEN, 2, "damaged")]


def test_what_a_supplier_says_is_laid_beside_its_supplies_by_date():
    book, (late, soon) = book_of(0, (9, 6), (5, 4))
    portions = [Portion(4, day(12), day(11), "SUPPLIER"), Portion(6, day(7), day(6), "SUPPLIER")]
    kept, later = reshape(book, [late, soon], portions, "2")
    assert [(s.usable_date, s.open) for s in kept] == [(day(7), 4), (day(12), 4), (day(7), 2)]
    assert [(s.usable_date, s.open) for s in later] == [(day(7), 4), (day(12), 4)]
    assert (kept[0], kept[2]) == (soon, late)


def test_a_part_whose_day_stays_is_not_late():
    book, (supply,) = book_of(0, (5, 6))
    _, later = reshape(book, [supply], [Portion(4, day(5), None, "SUPPLIER"), Portion(2, None, None, "SUPPLIER")], None)
    assert later == []


def test_a_loss_takes_the_least_claim_first_and_planned_shipments_last():
    book, _ = book_of(12)
    high, low = claim(book, 1, 6, 0, priority=9), claim(book, 2, 6, 0, priority=1)
    for line, units, code in ((high, 3, "A"), (high, 3, "B"), (low, 6, "C")):
        book.drop_peg(next(p for p in book.pegs_of(line) if p.kind == PegKind.OPEN), units)
        book.move(Movement(A, "allocated", allocated=units, cause_kind="test", line=line))
        book.add_peg(A, TODAY, units, PegKind.HARD, line=line, lot=Lot(None, A, code))
        line.allocated += units
    low.ready, high.ready = 6, 3
    assert free_by_loss(book, A, 2, "count", {1: 3, 2: 6}) == [(high, 2)], "of it three stand on no shipment"
    book.move(Movement(A, "adjusted", on_hand=-2, cause_kind="count"))
    assert free_by_loss(book, A, 3, "count", {1: 3, 2: 6}) == [(high, 1), (low, 2)]
    assert (high.ready, low.ready, book.off_shipments) == (3, 4, {(2, A): 2})


@pytest.mark.parametrize(
    ("supplies", "covered"),
    [
        ([(3, 4), (8, 4)], (PegKind.FIRM, 8, 10)),  # in time: the latest
        ([(14, 4), (12, 4)], (PegKind.FIRM, 12, 12)),  # late: the soonest, and the claim with it
        ([(14, 4), (10, 4)], (PegKind.FIRM, 10, 10)),
        ([(31, 4)], (PegKind.OPEN, None, 10)),  # ordering anew comes first
    ],
)
def test_open_claims_take_inbound_in_time_or_sooner_than_ordering_anew(supplies, covered):
    book, _ = book_of(0, *supplies)
    line = claim(book, 1, 4, 10)
    cover_open(book, NETWORK, 30, "test")
    (peg,) = book.pegs_of(line)
    kind, comes, needed = covered
    assert (peg.kind, peg.need_date) == (kind, day(needed))
    assert (peg.supply and peg.supply.usable_date) == (comes and day(comes))


def test_what_another_can_wait_for_is_exchanged_before_anything_is_bought():
    book, (early, _) = book_of(0, (5, 4), (18, 6))
    patient = claim(book, 1, 4, 19, early)
    hurried, later = claim(book, 2, 5, 10, priority=1), claim(book, 3, 2, 9)
    assert set(cover_open(book, NETWORK, 14, "test")) == {id(hurried)}
    assert claims(book, patient) == [(PegKind.FIRM, day(19), 4)], "its day is what it was"
    assert claims(book, hurried) == [(PegKind.FIRM, day(10), 4), (PegKind.OPEN, day(10), 1)]
    assert claims(book, later) == [(PegKind.OPEN, day(9), 2)]


def short(book: SkuBook, supply: Supply, state: BackorderState) -> tuple[Line, Backorder]:
    """A line whose claim is late for its customer, with a backorder in `state`."""
    line = claim(book, 1, 4, 5, supply)
    line.ship_by = day(3)
    book.settle(line, "test")
    (backorder,) = book.backorders
    backorder.state = state
    return line, backorder


@pytest.mark.parametrize(("expected", "ends"), [(6, True), (7, False), (None, False)])
def test_a_delay_ends_when_the_goods_are_expected_by_the_day_before_it(expected: int | None, ends: bool):
    book, (supply,) = book_of(0, (5, 4))
    line, backorder = short(book, supply, BackorderState.DELAYED)
    backorder.delayed_from, backorder.expected_date = day(6), None if expected is None else day(expected)
    fact = end_delay(backorder, book.pegs_of(line), "test")
    assert (fact is not None, backorder.state is BackorderState.PEGGED) == (ends, ends)
    assert backorder.delayed_from == (None if ends else day(6))


def test_a_backorder_on_hold_comes_back_to_its_delay():
    book, (supply,) = book_of(0, (5, 4))
    line, backorder = short(book, supply, BackorderState.ON_HOLD)
    backorder.held_from_state = BackorderState.PEGGED
    mark_delayed(book, line, "test", day(6))
    found = (backorder.state, backorder.held_from_state, backorder.delayed_from)
    assert found == (BackorderState.ON_HOLD, BackorderState.DELAYED, day(6))
    line.backordered = 3
    assert [f.kind for f in follow(book.backorders, line, book.pegs_of(line), NOW, "test")] == ["STATE_CHANGED"]
    assert backorder.held_from_state is BackorderState.DELAYED, "a smaller one is still on hold"


def test_the_fact_that_a_backorder_is_filled_says_how_many_units_were_short():
    book, (supply,) = book_of(0, (5, 4))
    line, _ = short(book, supply, BackorderState.PEGGED)
    book.receive(supply, 4, 0, "receipt", 1)
    book.settle(line, "test")
    assert [(f.kind, f.quantity, f.filled) for f in book.backorder_facts if f.kind == "FILLED"] == [("FILLED", 0, 4)]


def test_the_day_before_a_delay_is_that_of_the_promise():
    book, (supply,) = book_of(0, (5, 4))
    line, backorder = short(book, supply, BackorderState.PEGGED)
    supply.usable_date = day(8)
    book.settle(line, "test")
    assert (backorder.state, backorder.delayed_from) == (BackorderState.DELAYED, day(6))


def test_what_is_not_validated_loses_a_cancelled_supply_before_any_rank():
    book, (supply,) = book_of(0, (5, 8))
    low, soft = claim(book, 1, 4, 5, supply, 1), Line(2, 2, 1, 4, open=4, priority=9, location_id=A)
    book.lines[2] = soft
    book.add_peg(A, day(5), 4, PegKind.SOFT, line=soft, supply=supply)
    assert book.cancel_supply(supply, 5, "test") == [soft, low]
    assert claims(book, soft) == [(PegKind.OPEN, day(5), 4)]
    assert claims(book, low) == [(PegKind.FIRM, day(5), 3), (PegKind.OPEN, day(5), 1)]


def test_stock_is_protected_from_the_very_day_its_step_begins():
    book, _ = book_of(9)
    book.protected = {"": {A: [(TODAY, 2), (day(3), 5)]}, "urgent": {A: [(day(1), 0)]}}
    assert [book.protected_at(A, "", day(n)) for n in (-1, 0, 2, 3, 4)] == [0, 2, 2, 5, 5]
    assert [book.protected_at(A, "urgent", day(n)) for n in (0, 1)] == [0, 0], "exempt by a step of its own"


def test_a_supply_that_was_just_split_off_is_proven_by_the_row_it_came_from():
    book, (supply,) = book_of(0, (5, 4))
    line = claim(book, 1, 4, 5, supply)
    book.split_supply(supply, 3, day(9), "SUPPLIER", None)
    proofs = [proof_of(book, peg) for peg in book.pegs_of(line)]
    assert sorted((proof["id"], proof["quantity"], proof["daysLate"]) for proof in proofs) == [(1, 1, 0), (1, 3, 4)]


@pytest.mark.parametrize(("comes", "stands"), [(8, 10), (10, 10), (11, 10), (12, 12)])
def test_what_was_just_ordered_moves_a_claim_only_when_it_is_worth_telling(comes: int, stands: int):
    book, (supply,) = book_of(0, (comes, 4))
    line = claim(book, 1, 4, 10)
    peg_new_supplies(book, NETWORK, [supply], book.pegs_of(line), MovePolicy(hysteresis_days=2))
    assert claims(book, line) == [(PegKind.FIRM, day(stands), 4)]


def test_stock_that_is_free_for_who_waits_is_not_bought():
    book, _ = book_of(3)
    claim(book, 1, 2, 10)
    claim(book, 2, 4, 10)
    (need,) = needs(book, A, 0, 0, 1, 1)
    assert (need.location_id, need.quantity, need.waiting) == (A, 3, 3)


@pytest.mark.parametrize("release", [6, 12])
def test_a_pre_order_is_in_time_when_it_leaves_on_the_release_day_that_moved(release: int):
    book, _ = book_of(4)
    book.available_from = day(9)
    line = claim(book, 1, 4, 9)
    book.available_from = day(release)
    assert move_release(book, NETWORK, day(9)) == [line]
    assert (claims(book, line), line.ship_by) == ([(PegKind.OPEN, day(release), 4)], day(release))


def test_a_kit_of_which_as_much_waits_in_time_as_late_does_not_leave():
    book, _ = book_of(0)
    parts = [
        Line(n, 1, n, 4, open=units, backordered=units, allocated=4 - 2 * units, kit=KitPart(9, 1, 1))
        for n, units in ((1, 2), (2, 0))
    ]
    assert incomplete_kits([(book, line) for line in parts]) == {id(line) for line in parts}
