"""Pegging: as late as possible, nobody becomes late for another, and nobody moves who need not."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.pegging import make_room, take_unpegged
from core.domain.records import Line, Peg, Supply
from core.domain.states import PegKind

TODAY = date(2026, 3, 2)


def day(n: int) -> date:
    return TODAY + timedelta(days=n)


def supply(number: int, usable: int, quantity: int, pegged: int = 0) -> Supply:
    return Supply(number, 1, "purchase", quantity, day(usable), pegged=pegged)


def peg(number: int, need: int, quantity: int, source: Supply | None, kind: PegKind = PegKind.FIRM) -> Peg:
    line = Line(number, number, 1, quantity)
    if source is not None:
        source.pegged += quantity
    return Peg(number, 1, day(need), quantity, kind, line_id=number, line=line, supply=source)


def test_a_demand_takes_the_latest_supply_that_is_in_time() -> None:
    early, late, too_late = supply(1, 2, 5), supply(2, 8, 3), supply(3, 11, 9)
    shares = take_unpegged([early, late, too_late], day(10), 4, TODAY)
    assert [(s.supply.id, s.quantity) for s in shares] == [(2, 3), (1, 1)]


def test_what_is_usable_on_the_very_day_is_in_time_and_what_is_overdue_slides_to_tomorrow() -> None:
    on_the_day, a_day_late, overdue = supply(1, 10, 2), supply(2, 11, 9), supply(3, -4, 3)
    shares = take_unpegged([a_day_late, overdue, on_the_day], day(10), 9, TODAY)
    assert [(s.supply.id, s.quantity) for s in shares] == [(1, 2), (3, 3)]


def test_two_exchanges_in_a_row_make_room_and_nobody_becomes_late() -> None:
    first, second, third = supply(1, 1, 1), supply(2, 8, 1), supply(3, 15, 1)
    one, two = peg(1, 10, 1, first), peg(2, 20, 1, second)
    exchanges, shares = make_room([first, second, third], [one, two], day(2), 1, TODAY)
    assert [(e.peg.id, e.supply.id, e.quantity) for e in exchanges] == [(2, 3, 1), (1, 2, 1)]
    assert [(s.supply.id, s.quantity) for s in shares] == [(1, 1)]


def test_who_need_not_move_stays() -> None:
    wanted, later, free = supply(1, 1, 2), supply(2, 5, 2), supply(3, 6, 9)
    near, far = peg(1, 3, 1, wanted), peg(2, 30, 1, wanted)
    other = peg(3, 30, 2, later)
    exchanges, shares = make_room([wanted, later, free], [near, far, other], day(2), 1, TODAY)
    assert [(e.peg.id, e.supply.id, e.quantity) for e in exchanges] == [(2, 3, 1)]
    assert [(s.supply.id, s.quantity) for s in shares] == [(1, 1)]


def test_of_equals_the_one_that_is_free_to_move_moves() -> None:
    wanted, later = supply(1, 1, 2), supply(2, 9, 2)
    firm, soft = peg(9, 9, 1, wanted), peg(1, 9, 1, wanted, PegKind.SOFT)
    exchanges, _ = make_room([wanted, later], [firm, soft], day(2), 1, TODAY)
    assert [e.peg.id for e in exchanges] == [1]


def test_a_late_peg_keeps_its_source_and_gives_nobody_room() -> None:
    late, free = supply(1, 6, 2), supply(2, 7, 5)
    waiting = peg(1, 3, 2, late)
    exchanges, shares = make_room([late, free], [waiting], day(6), 1, TODAY)
    assert (exchanges, shares) == ([], [])


@st.composite
def books(draw: st.DrawFn) -> tuple[list[Supply], list[Peg]]:
    supplies = [
        supply(n + 1, draw(st.integers(-3, 12)), draw(st.integers(1, 6))) for n in range(draw(st.integers(1, 5)))
    ]
    pegs: list[Peg] = []
    for n in range(draw(st.integers(0, 8))):
        source = draw(st.sampled_from(supplies))
        if source.unpegged:
            quantity = draw(st.integers(1, source.unpegged))
            kind = draw(st.sampled_from([PegKind.FIRM, PegKind.SOFT]))
            pegs.append(peg(n + 1, draw(st.integers(0, 20)), quantity, source, kind))
    return supplies, pegs


def is_late(one: Peg) -> bool:
    assert one.supply is not None
    return one.supply.effective_date(TODAY) > one.need_date


def most_that_fits(supplies: list[Supply], pegs: list[Peg], need: date, quantity: int) -> int:
    """Hall's condition for one-sided deadlines: what is needed by t fits into what is usable by t, for every t."""
    taken = {id(s): 0 for s in supplies}
    for one in pegs:
        if is_late(one):
            taken[id(one.supply)] += one.quantity
    movable = [one for one in pegs if not is_late(one)]
    for units in range(quantity, -1, -1):
        demands = [(one.need_date, one.quantity) for one in movable] + [(need, units)]
        days = {d for d, _ in demands}
        if all(
            sum(q for d, q in demands if d <= t)
            <= sum(s.open - taken[id(s)] for s in supplies if s.effective_date(TODAY) <= t)
            for t in days
        ):
            return units
    raise AssertionError("the book itself does not fit")


@settings(max_examples=300, deadline=None)
@given(books(), st.integers(0, 20), st.integers(1, 8))
def test_exchanges_cover_as_much_as_any_could(book: tuple[list[Supply], list[Peg]], need: int, quantity: int) -> None:
    supplies, pegs = book
    best = most_that_fits(supplies, pegs, day(need), quantity)
    free = sum(s.unpegged for s in supplies if s.effective_date(TODAY) <= day(need))
    exchanges, shares = make_room(supplies, pegs, day(need), quantity, TODAY)
    assert sum(s.quantity for s in shares) == best
    if free >= quantity:
        assert exchanges == []
    used = {id(s): s.pegged for s in supplies}
    for exchange in exchanges:
        assert not is_late(exchange.peg)
        assert exchange.supply.effective_date(TODAY) <= exchange.peg.need_date
        used[id(exchange.peg.supply)] -= exchange.quantity
        used[id(exchange.supply)] += exchange.quantity
    for share in shares:
        assert share.supply.effective_date(TODAY) <= day(need)
        used[id(share.supply)] += share.quantity
    assert all(0 <= used[id(s)] <= s.open for s in supplies)
    assert sum(e.quantity for e in exchanges) <= best * len(supplies)
