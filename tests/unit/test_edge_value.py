"""Edges stay: one moves only where that takes lateness away, or is worth the margin to all of them together."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, date, datetime

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from core.domain import late_rescue
from core.domain.book import SkuBook
from core.domain.edge_value import gain, points
from core.domain.late_pegs import Cause, MovePolicy, repair
from core.domain.lots import Lots
from core.domain.policies import check_policy
from core.domain.priority import PriorityFacts, PriorityWeights, score
from core.domain.records import Backorder, Line, Lot, Peg
from core.domain.states import BackorderState, OrderLineStatus, PegKind, PromiseReason
from core.errors import InvalidInput
from tests.unit.test_changed_supplies import LATE, NETWORK, NOW, A, book_of, claim, claims, day

NEVER = 1e9


def ranked(line: Line, **facts) -> Line:
    placed = datetime(2026, 10, 1, tzinfo=UTC)
    line.rank = score(PriorityFacts(placed, **facts), PriorityWeights(), NOW)
    line.priority = line.rank.score
    return line


def of_points(line: Line, own: int) -> Line:
    """A line with a planner's own score."""
    line.priority, line.is_priority_manual = own * 1_000, True
    return line


def test_points_leave_out_what_the_move_itself_changes():
    line = Line(1, 1, 1, 5)
    sure, at_risk = (
        points(ranked(line, grade="VIP", is_at_risk=risk, supplier_risk=float(risk))) for risk in (False, True)
    )
    assert sure == at_risk
    assert points(ranked(line, grade="VIP", breach_on=NOW.date())) == sure + 1_000
    assert points(of_points(line, 7)) == 7
    assert gain(7, 4, 3, 2) == 7 * 4 - 3 * 2


def two_promises(own: int, other: int, other_day: int = 4) -> tuple[SkuBook, Line, Line]:
    """A line of `own` points whose supply slips from day 4 to day 9, and one of `other` points on sound supply of day 3."""
    book, (slips, sound) = book_of(0, (4, 5), (3, 5))
    first, second = of_points(claim(book, 2, 5, 4, slips), own), of_points(claim(book, 1, 5, other_day, sound), other)
    first.promise_sequence = second.promise_sequence = 1
    book.redate_supply(slips, day(9), "SUPPLIER", None)
    return book, first, second


@pytest.mark.parametrize(
    ("own", "margin", "takes"), [(101, 500, True), (100, 500, False), (100, 496, False), (100, 495, True)]
)
def test_another_promise_gives_way_from_the_margin_on(own: int, margin: float, takes: bool):
    book, first, second = two_promises(own, 1)
    lines = repair(book, NETWORK, [book.supplies[0]], LATE, MovePolicy(value_margin=margin))
    early, late = [(PegKind.FIRM, day(4), 5)], [(PegKind.FIRM, day(9), 5)]
    assert (claims(book, first), claims(book, second)) == ((early, late) if takes else (late, early))
    loser = second if takes else first
    assert [(draft.line, draft.cause_kind) for draft in book.promises] == [(loser, PromiseReason.SUPPLY_DELAYED)]
    assert lines == ([first, second] if takes else [first])
    assert (second.times_bumped, first.times_bumped) == (int(takes), 0)
    if takes:
        assert book.promises[0].evidence is not None
        assert book.promises[0].evidence["gaveWay"] == [{"toLine": 2, "units": 5, "gain": own * 5 - 5}]


def test_grades_and_age_do_not_reach_the_default_a_contract_about_to_break_does():
    for breach, holds in ((None, False), (NOW.date(), True)):
        book, first, second = two_promises(0, 0)
        first.is_priority_manual = second.is_priority_manual = False
        ranked(first, grade="STRATEGIC", margin=1.0, completes_order=True, breach_on=breach)
        ranked(second, grade="BASIC")
        repair(book, NETWORK, [book.supplies[0]], LATE, MovePolicy())
        assert (claims(book, first) == [(PegKind.FIRM, day(4), 5)]) is holds


def test_nothing_is_taken_over_for_a_delay_that_nobody_is_told():
    for certain, takes in ((False, False), (True, True)):
        book, first, second = two_promises(1_000, 1)
        book.redate_supply(book.supplies[0], day(5), "SUPPLIER", None)
        repair(book, NETWORK, [book.supplies[0]], Cause(PromiseReason.SUPPLY_DELAYED, certain), MovePolicy(2))
        assert {p.supply.id for p in book.pegs_of(first) if p.supply} == ({2} if takes else {1})
        assert claims(book, second) == [(PegKind.FIRM, day(5) if takes else day(4), 5)]


def test_who_is_on_hold_takes_nothing_over():
    book, line, _ = two_promises(1_000, 1)
    book.backorders.append(Backorder(1, line, 5, BackorderState.ON_HOLD, NOW))
    repair(book, NETWORK, [book.supplies[0]], LATE, MovePolicy())
    assert claims(book, line) == [(PegKind.FIRM, day(9), 5)]


@pytest.mark.parametrize(
    ("other_day", "short_on", "takes"),
    [(4, 4, True), (3, 5, True), (6, 4, False), (6, 5, False), (6, 6, True), (6, 30, True)],
)
def test_two_exchange_units_whatever_is_short_but_between_their_days(other_day: int, short_on: int, takes: bool):
    """More is claimed without a source than the late supply would leave, by somebody who loses nothing by the exchange."""
    book, first, second = two_promises(1_000, 1, other_day)
    book.add_peg(A, day(short_on), 12, PegKind.OPEN, line_id=77)
    repair(book, NETWORK, [book.supplies[0]], LATE, MovePolicy())
    days = [peg.need_date for line in (first, second) for peg in book.pegs_of(line)]
    assert days == ([day(4), day(9)] if takes else [day(9), day(other_day)])


def test_of_what_is_free_between_their_days_each_unit_is_exchanged_once():
    """Three units are free on day 5: as many of two promises for day 6 give way, not three of each."""
    book, (slips, sound) = book_of(0, (4, 8), (3, 8))
    first = of_points(claim(book, 1, 8, 4, slips), 1_000)
    others = [of_points(claim(book, number, 4, 6, sound), 1) for number in (2, 3)]
    book.add_peg(A, day(5), 5, PegKind.OPEN, line_id=77)
    book.redate_supply(slips, day(9), "SUPPLIER", None)
    repair(book, NETWORK, [slips], LATE, MovePolicy())
    assert sum(p.quantity for line in others for p in book.pegs_of(line) if p.supply is slips) == 3
    assert sum(p.quantity for p in book.pegs_of(first) if p.supply is sound) == 3


def test_who_has_given_way_and_waits_for_what_is_less_late_keeps_that_unit():
    """Of two units for day 6 one is free; who gave way to the first claim of it has it, the other one waits on."""
    book, (slips, _, sooner) = book_of(0, (4, 2), (3, 2), (6, 2))
    of_points(claim(book, 3, 2, 4, slips), 1_000)
    for number in (1, 2):
        of_points(claim(book, number, 1, 4, book.supplies[1]), 1)
    book.add_peg(A, day(7), 1, PegKind.OPEN, line_id=77)
    book.redate_supply(slips, day(9), "SUPPLIER", None)
    repair(book, NETWORK, [slips], LATE, MovePolicy())
    assert sorted(p.need_date for n in (1, 2) for p in book.pegs_of(book.lines[n])) == [day(6), day(9)]
    assert (claims(book, book.lines[3]), sooner.pegged) == ([(PegKind.FIRM, day(4), 2)], 1)


def test_an_exchange_leaves_no_lot_to_spoil():
    """The units of who claims earlier would be taken before they spoil; claimed later they are lost."""
    for expires, takes in ((5, False), (6, True)):
        book, (slips, sound) = book_of(0, (6, 5), (2, 5))
        first, second = of_points(claim(book, 2, 5, 6, slips), 1_000), of_points(claim(book, 1, 5, 3, sound), 1)
        book.lots = Lots("S", True, 0, NETWORK, NOW, [Lot(1, A, "L", day(expires), on_hand=5)])
        book.level(A).on_hand = 5
        book.add_peg(A, day(1), 5, PegKind.OPEN, line_id=77)
        book.redate_supply(slips, day(11), "SUPPLIER", None)
        book.forget_curves()
        repair(book, NETWORK, [slips], LATE, MovePolicy())
        assert ([p.need_date for p in book.pegs_of(second)] == [day(11)]) is takes, (expires, claims(book, first))


def test_what_is_compared_grows_with_the_claims_not_with_their_pairs(monkeypatch):
    """Many claims are late, many could give way, and a short day between theirs lets none: no curve is made per pair."""
    book, (slips, sound) = book_of(0, (4, 20), (3, 20))
    for number in range(1, 21):
        of_points(claim(book, number, 1, 4, slips), 500)
        of_points(claim(book, 100 + number, 1, 6, sound), 1)
    book.add_peg(A, day(5), 30, PegKind.OPEN, line_id=77)
    book.redate_supply(slips, day(9), "SUPPLIER", None)
    curves, weighed = [], []
    build = SkuBook.timeline_without
    monkeypatch.setattr(SkuBook, "timeline_without", lambda *a: curves.append(a) or build(*a))
    monkeypatch.setattr(late_rescue, "points", lambda line: weighed.append(line) or points(line))
    repair(book, NETWORK, [slips], LATE, MovePolicy())
    assert {p.need_date for p in book.pegs if p.supply is slips} == {day(9)}
    assert (len(curves), len(weighed)) == (20, 40)


def test_one_that_could_come_earlier_and_gives_its_source_in_exchange_is_left_at_its_day():
    book, (slipped, sooner, _) = book_of(0, (4, 5), (4, 5), (8, 5))
    late, patient = claim(book, 1, 5, 4, slipped), claim(book, 2, 5, 8, sooner)
    book.redate_supply(slipped, day(9), "SUPPLIER", None)
    book.redate_supply(sooner, day(2), "SUPPLIER", None)
    repair(book, NETWORK, [slipped, sooner], LATE, MovePolicy(pull_in_days=1))
    assert (claims(book, late), claims(book, patient)) == ([(PegKind.FIRM, day(4), 5)], [(PegKind.FIRM, day(8), 5)])


def test_a_late_claim_takes_what_is_less_late_by_what_is_worth_telling():
    for free_from, taken in ((6, 6), (7, 7), (8, 9)):
        book, (slips, _) = book_of(0, (4, 5), (free_from, 5))
        line = claim(book, 1, 5, 4, slips)
        book.redate_supply(slips, day(9), "SUPPLIER", None)
        repair(book, NETWORK, [slips], LATE, MovePolicy(hysteresis_days=2))
        assert claims(book, line) == [(PegKind.FIRM, day(taken), 5)]


@pytest.mark.parametrize(("short_on", "taken"), [(6, 9), (7, 9), (8, 9), (9, 6), (30, 6)])
def test_what_is_less_late_is_left_where_another_needs_it_before_the_late_units_come(short_on: int, taken: int):
    book, (slips, other) = book_of(0, (4, 5), (6, 5))
    line = claim(book, 1, 5, 4, slips)
    book.add_peg(A, day(short_on), 12, PegKind.OPEN, line_id=77)
    book.redate_supply(slips, day(9), "SUPPLIER", None)
    repair(book, NETWORK, [slips], LATE, MovePolicy())
    assert claims(book, line) == [(PegKind.FIRM, day(taken), 5)]
    assert other.unpegged == (5 if taken == 9 else 0)


def test_the_policy_is_a_number_from_one_on():
    check_policy("peg_value_margin", 20)
    for wrong in (0, -1, "much", True, None):
        with pytest.raises(InvalidInput):
            check_policy("peg_value_margin", wrong)


@st.composite
def slips(draw: st.DrawFn) -> tuple[SkuBook, int, dict[int, date]]:
    """Promises that hold, and one supply (by its place) of which they are told that it comes later."""
    book, supplies = book_of(draw(st.integers(0, 3)), *draw(st.lists(
        st.tuples(st.integers(1, 9), st.integers(1, 6)), min_size=2, max_size=4)))  # fmt: skip
    for number in range(1, draw(st.integers(2, 7))):
        supply = draw(st.sampled_from(supplies))
        if supply.unpegged:
            need = (supply.usable_date - day(0)).days + draw(st.integers(0, 4))
            line = claim(book, number, draw(st.integers(1, supply.unpegged)), need, supply)
            of_points(line, draw(st.sampled_from((0, 1, 20, 100, 400))))
    asked = {number: peg.need_date for number, line in book.lines.items() for peg in book.pegs_of(line)}
    for at, units in draw(st.lists(st.tuples(st.integers(0, 16), st.integers(1, 8)), max_size=2)):
        book.add_peg(A, day(at), units, PegKind.OPEN, line_id=77)
    return book, draw(st.integers(0, len(supplies) - 1)), asked


def late_by(book: SkuBook, peg: Peg, asked: date) -> int:
    assert peg.supply is not None
    return max(0, (peg.supply.effective_date(book.today[A]) - asked).days)


def loss(book: SkuBook, asked: dict[int, date]) -> float:
    """What lateness costs all lines together."""
    return sum(
        points(line) * peg.quantity * late_by(book, peg, asked[number])
        for number, line in book.lines.items()
        for peg in book.pegs_of(line)
        if peg.supply is not None
    )


def missing(book: SkuBook) -> list[int]:
    """Units short on each day."""
    steps = [(s.effective_date(book.today[A]), s.open) for s in book.supplies]
    steps += [(p.need_date, -p.quantity) for p in book.pegs if p.kind != PegKind.HARD]
    free = book.level(A).available
    return [min(0, free + sum(units for at, units in steps if at <= day(n))) for n in range(40)]


def edges(book: SkuBook) -> list[tuple]:
    return sorted((p.line_id or 0, p.kind, p.need_date, p.quantity, p.supply.id if p.supply else 0) for p in book.pegs)


@given(slips(), st.integers(0, 12), st.sampled_from((0, 2)), st.booleans(), st.sampled_from((1, 50, 500)))
@settings(max_examples=250, deadline=None)
def test_nobody_becomes_later_for_another_but_for_the_margin(given_, days, hysteresis, certain, margin):
    book, place, asked = given_
    slipped = book.supplies[place]
    bystanders = {n for n, line in book.lines.items() if all(p.supply is not slipped for p in book.pegs_of(line))}
    before, was = edges(book), slipped.usable_date
    book.redate_supply(slipped, date.fromordinal(was.toordinal() + days), "SUPPLIER", None)
    still = all(late_by(book, p, asked[n]) == 0 for n, line in book.lines.items() for p in book.pegs_of(line))
    control = deepcopy(book)
    cause = Cause(PromiseReason.SUPPLY_DELAYED, certain)
    repair(control, NETWORK, [control.supplies[place]], cause, MovePolicy(hysteresis, None, NEVER))
    repair(book, NETWORK, [slipped], cause, MovePolicy(hysteresis, None, margin))
    if still:
        assert edges(book) == edges(control) == before, "nothing is late, nothing moves"
    later = {
        which: sum(
            peg.quantity
            for number in bystanders
            for peg in one.pegs_of(one.lines[number])
            if peg.supply is not None and late_by(one, peg, asked[number])
        )
        for which, one in (("book", book), ("control", control))
    }
    assert later["control"] == 0, "without a margin that is reached no other promise is touched"
    assert loss(book, asked) <= loss(control, asked) - margin * later["book"] + 1e-6
    if certain and not hysteresis:  # else a claim may stand on a day that nobody is told it misses
        less = [own < other for own, other in zip(missing(book), missing(control), strict=True)]
        assert not any(less), "others find as much on every day as if nobody had given way"
    if not later["book"] and loss(book, asked) == loss(control, asked):
        assert edges(book) == edges(control)
    for number, line in book.lines.items():
        assert sum(peg.quantity for peg in book.pegs_of(line)) == line.ordered, number
        assert line.status != OrderLineStatus.RECEIVED
    settled = edges(book)
    repair(book, NETWORK, [slipped], cause, MovePolicy(hysteresis, None, margin))
    assert edges(book) == settled, "once more changes nothing"
