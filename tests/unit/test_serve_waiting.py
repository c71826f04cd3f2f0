"""Sharing out free stock: nobody's promise is touched, no rank is passed over in reach, shares and whole lines hold."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.allocation import serve_waiting
from core.domain.book import SkuBook
from core.domain.book_supplies import resource
from core.domain.calendars import WorkCalendar
from core.domain.network import Lane, Location, Network
from core.domain.priority import PriorityWeights, Standing, Tier
from core.domain.ranking import rank_again, rank_lines
from core.domain.records import Line, Movement, Supply
from core.domain.serving import (
    AllocationRule,
    CompleteLines,
    FairShares,
    Redistribution,
    ServePolicy,
    ShareGroup,
    serve_policy,
)
from core.domain.states import BackorderState, OrderLineStatus, PegKind, ShipPolicy
from core.errors import InvalidInput

TODAY = date(2026, 11, 2)
NOW = datetime(2026, 11, 2, 3, tzinfo=UTC)
DAILY = WorkCalendar(frozenset(range(1, 8)))
A, B, R, ZONE = 1, 2, 3, 4
KINDS = {A: "dc", B: "dc", R: "warehouse", ZONE: "destination"}
NETWORK = Network(
    {n: Location(n, kind, kind, "UTC", time(23), DAILY) for n, kind in KINDS.items()},
    {(a, b): Lane(a, b, days, DAILY) for a, b, days in ((A, ZONE, 1), (B, ZONE, 2), (R, A, 2))},
)
"""A and B ship to the zone; what lies at R reaches customers over A."""
GRADES = ("VIP", "GOLD", "STANDARD", "BASIC")

lines = st.lists(
    st.tuples(
        st.sampled_from(GRADES),
        st.integers(1, 8),  # units
        st.sampled_from([A, B]),
        st.integers(0, 20),  # days until its day
        st.booleans(),  # ships complete
        st.integers(0, 3),  # times bumped
    ),
    min_size=1,
    max_size=6,
)
stock = st.fixed_dictionaries({A: st.integers(0, 15), B: st.integers(0, 15), R: st.integers(0, 15)})
promised = st.lists(st.tuples(st.sampled_from([A, B, R]), st.integers(0, 10), st.integers(1, 6)), max_size=3)


def book_of(wanted, shelves, promises) -> SkuBook:
    """Waiting lines, stock, and dated promises of others whose lines are not loaded."""
    book = SkuBook(1, "S", 1, NOW, dict.fromkeys(KINDS, TODAY))
    for place, units in shelves.items():
        book.move(Movement(place, "adjusted", on_hand=units, cause_kind="test"))
    for place, days, units in promises:
        book.add_peg(place, TODAY + timedelta(days=days), units, PegKind.OPEN, line_id=1_000 + days)
    standings = {}
    for number, (grade, units, place, days, whole, bumped) in enumerate(wanted, start=1):
        line = Line(number, number, 1, units, open=units, status=OrderLineStatus.VALIDATED, destination_id=ZONE)
        line.ship_policy = ShipPolicy.COMPLETE if whole else ShipPolicy.PARTIAL_BACKORDER_REST
        line.times_bumped, line.customer_id, line.location_id = bumped, GRADES.index(grade), place
        book.lines[number] = line
        book.add_peg(place, TODAY + timedelta(days=days), units, PegKind.OPEN, line=line)
        book.settle(line, "test")
        standings[number] = Standing(NOW - timedelta(days=10 - number), grade)
    rank_lines(book, standings, PriorityWeights(), NOW)
    return book


def test_slack_is_counted_from_the_day_of_the_place():
    eight_in_seoul, tenth = datetime(2026, 11, 9, 23, tzinfo=UTC), date(2026, 11, 10)
    book = SkuBook(1, "S", 1, eight_in_seoul, {A: tenth})
    line = book.lines[1] = Line(1, 1, 1, 1, open=1, status=OrderLineStatus.VALIDATED, location_id=A, ship_by=tenth)
    rank_lines(book, {1: Standing(eight_in_seoul)}, PriorityWeights(), eight_in_seoul)
    assert line.rank is not None
    assert line.rank.values[0] == 1.0


def deficits(book: SkuBook) -> dict[int, int]:
    """How far the promises of others go below zero at each place, whatever the served lines do."""
    own = [peg for peg in book.pegs if peg.line is not None and peg.kind != PegKind.HARD]
    found = {}
    for place in (A, B, R):
        running, lowest = 0, 0
        curve = book.timeline_without(place, own)
        for day in sorted(curve._net):
            running += curve._net[day]
            lowest = min(lowest, running)
        found[place] = lowest
    return found


def check(book: SkuBook, before: dict[int, int]) -> None:
    for place, level in book.levels.items():
        assert 0 <= level.allocated <= level.on_hand
        assert level.allocated == sum(
            p.quantity for p in book.pegs if p.kind == PegKind.HARD and p.location_id == place
        )
    for line in book.lines.values():
        assert line.ordered == line.open + line.allocated + line.backordered
        assert sum(p.quantity for p in book.pegs_of(line)) == line.ordered
    after = deficits(book)
    assert all(after[place] >= min(before[place], 0) for place in (A, B, R)), "a promise of others is broken"


@settings(deadline=None)
@given(lines, stock, promised, st.sampled_from(list(CompleteLines)), st.booleans(), st.booleans())
def test_promises_of_others_stay_whole(wanted, shelves, promises, complete, moves, fair):
    book = book_of(wanted, shelves, promises)
    before, bumped = deficits(book), [line.times_bumped for line in book.lines.values()]
    rule = AllocationRule.FAIR_SHARE if fair else AllocationRule.PRIORITY
    serve_waiting(book, NETWORK, policy=ServePolicy(complete, Redistribution(moves), rule))
    check(book, before)
    assert all(line.times_bumped <= was + 1 for line, was in zip(book.lines.values(), bumped, strict=True)), "one event"
    assert len({id(draft.line) for draft in book.promises}) == len(book.promises), "one promise each"
    rank_again(book, book.lines.values(), NOW)
    is_as_before = bumped == [line.times_bumped for line in book.lines.values()]
    again = serve_waiting(book, NETWORK, policy=ServePolicy(complete, Redistribution(moves), rule))
    # only who was passed over ranks higher now; and there are new shares of what a whole line could not use
    if is_as_before and not (fair and complete is CompleteLines.FREE):
        assert sum(units for _, units in again) == 0, "a second look finds nothing that the first left"
    if not moves:
        assert not book.transfers
    if complete is CompleteLines.FREE:
        for line in book.lines.values():
            assert line.ship_policy != ShipPolicy.COMPLETE or line.allocated in (0, line.ordered)


@settings(deadline=None)
@given(lines, stock)
def test_nobody_gets_stock_that_a_higher_rank_in_reach_still_wants(wanted, shelves):
    book = book_of(wanted, shelves, [])
    rank = {line.id: (line.priority, -(line.id or 0)) for line in book.lines.values()}
    bumped = {line.id: line.times_bumped for line in book.lines.values()}
    served = {line.id: units for line, units in serve_waiting(book, NETWORK) if units}
    for line in book.lines.values():
        if line.allocated == line.ordered:
            continue
        assert all(rank[other] > rank[line.id] for other in served if other != line.id), "both A and B reach everybody"
        younger = any((other or 0) > (line.id or 0) for other in served)
        no_source = any(p.kind == PegKind.OPEN for p in book.pegs_of(line))
        if no_source:
            expected = bumped[line.id] + (younger and line.id not in served)
            assert line.times_bumped == expected


@settings(deadline=None)
@given(lines, stock)
def test_groups_get_their_shares_whatever_the_ranks(wanted, shelves):
    book = book_of(wanted, shelves, [])
    policy = ServePolicy(
        rule=AllocationRule.FAIR_SHARE,
        redistribution=Redistribution(is_on=False),
        shares=FairShares(ShareGroup.GRADE, weights={"VIP": 2.0}),
    )
    total = shelves[A] + shelves[B]
    serve_waiting(book, NETWORK, policy=policy)
    got, asked = dict.fromkeys(GRADES, 0), dict.fromkeys(GRADES, 0)
    for line in book.lines.values():
        assert line.standing is not None
        got[line.standing.grade] += line.allocated
        asked[line.standing.grade] += line.ordered
    assert sum(got.values()) == min(total, sum(asked.values()))
    for grade in GRADES:
        for other in GRADES:
            if got[grade] < asked[grade] and got[other]:
                mine, theirs = (2.0 if g == "VIP" else 1.0 for g in (grade, other))
                assert (got[other] - 0.5) / theirs <= (got[grade] + 0.5) / mine


def test_dated_supply_of_nobody_goes_before_a_transfer_when_it_is_in_time():
    book = book_of([("STANDARD", 4, A, 10, False, 0)], {A: 0, B: 0, R: 9}, [])
    book.add_supply(Supply(5, A, "production", 4, TODAY + timedelta(days=9), paper_date=TODAY))
    serve_waiting(book, NETWORK)
    assert not book.transfers
    (peg,) = book.pegs_of(book.lines[1])
    assert (peg.kind, peg.supply is not None and peg.supply.id, peg.need_date) == (
        PegKind.FIRM,
        5,
        TODAY + timedelta(days=10),
    )


packs_of_shares = st.builds(
    lambda pack, minimum, floor: FairShares(
        ShareGroup.GRADE, weights={"VIP": 2.0}, floors={"BASIC": floor}, pack=pack, minimum=minimum
    ),
    st.integers(1, 4),
    st.integers(0, 6),
    st.integers(0, 5),
)


@settings(max_examples=120)
@given(lines, stock, promised, packs_of_shares, st.sampled_from(CompleteLines))
def test_packs_and_the_least_gift_hold_whatever_others_cannot_use(wanted, shelves, promises, shares, complete):
    """Also where a group cannot reach all of its share and the rest goes to others; every sharing is remembered."""
    book = book_of(wanted, shelves, promises)
    policy = ServePolicy(
        rule=AllocationRule.FAIR_SHARE,
        shares=shares,
        complete_lines=complete,
        redistribution=Redistribution(is_on=False),
    )
    serve_waiting(book, NETWORK, policy=policy)
    given: dict[str, int] = {}
    for line in book.lines.values():
        group = shares.group_of(line)
        given[group] = given.get(group, 0) + line.allocated
    for group, units in given.items():
        assert units % shares.pack == 0, (group, units)
        assert units == 0 or units >= shares.minimum, (group, units)


def test_what_a_group_cannot_reach_is_shared_by_the_same_rule():
    """VIP's only claim is one of five units of ten: the other five go to GOLD and BASIC as 2 to 1, in packs."""
    wanted = [("VIP", 3, A, 5, False, 0), ("GOLD", 30, A, 5, False, 0), ("BASIC", 30, A, 5, False, 0)]
    book = book_of(wanted, {A: 15, B: 0, R: 0}, [])
    shares = FairShares(ShareGroup.GRADE, weights={"VIP": 9.0, "GOLD": 2.0}, pack=3)
    serve_waiting(book, NETWORK, policy=ServePolicy(rule=AllocationRule.FAIR_SHARE, shares=shares))
    assert [line.allocated for line in book.lines.values()] == [3, 9, 3]


@pytest.mark.parametrize(
    ("max_days", "supply_day", "is_pegged", "moved"),
    [
        (None, None, False, 4),
        (2, None, False, 4),  # two days on the road
        (1, None, False, 0),
        (None, 2, False, 0),  # supply of nobody comes as soon
        (None, 3, False, 4),
        (None, 2, True, 0),  # its own late supply comes as soon
        (None, 3, True, 4),
    ],
)
def test_stock_is_moved_here_only_within_the_days_allowed_and_when_nothing_comes_as_soon(
    max_days, supply_day, is_pegged, moved
):
    book = book_of([("STANDARD", 4, A, 1, False, 0)], {A: 0, B: 0, R: 9}, [])
    line = book.lines[1]
    if supply_day is not None:
        supply = book.add_supply(Supply(5, A, "purchase", 4, TODAY + timedelta(days=supply_day)))
        if is_pegged:
            (peg,) = book.pegs_of(line)
            resource(book, peg, supply, peg.need_date, "test")
            book.settle(line, "test")
    serve_waiting(book, NETWORK, policy=ServePolicy(redistribution=Redistribution(max_days=max_days)))
    assert sum(transfer.quantity for transfer in book.transfers) == moved


def test_a_line_that_is_not_validated_gets_nothing():
    book = book_of([("STANDARD", 4, A, 1, False, 0)], {A: 9, B: 0, R: 9}, [])
    book.lines[1].status = OrderLineStatus.RECEIVED
    assert serve_waiting(book, NETWORK) == []
    assert (book.lines[1].allocated, book.transfers) == (0, [])


def test_the_policy_of_serving_is_read_as_planners_write_it():
    sharing = {"groupBy": "GRADE", "weights": {"VIP": 2}, "floors": {"VIP": 3, "BASIC": 0}, "pack": 0, "minimum": 4}
    policy = serve_policy({"redistribution": {"maxDays": 0}, "allocation": {"skus": {"S": "FAIR_SHARE"}, **sharing}})
    shares = FairShares(ShareGroup.GRADE, {"VIP": 2.0}, {"VIP": 3, "BASIC": 0}, 1, 4)
    assert (policy.fair("S"), policy.fair("T"), policy.redistribution) == (shares, None, Redistribution(max_days=0))
    for wrong in ({"floors": {"VIP": -1}}, {"floors": {"VIP": True}}, {"weights": {"VIP": 0}}, {"default": "LUCK"}):
        with pytest.raises(InvalidInput):
            serve_policy({"allocation": wrong})


@pytest.mark.parametrize(
    ("supply_day", "state", "tier"),
    [(9, "PEGGED", Tier.REST), (9, "DELAYED", Tier.AT_RISK), (11, "PEGGED", Tier.AT_RISK), (None, None, Tier.REST)],
)
def test_a_promise_is_at_risk_when_it_was_not_kept_or_its_supply_is_late(supply_day, state, tier):
    book = book_of([("BASIC", 4, A, 10, False, 0)], {A: 0, B: 0, R: 0}, [])
    if supply_day is not None:
        supply = book.add_supply(Supply(5, A, "purchase", 4, TODAY + timedelta(days=supply_day)))
        resource(book, book.pegs[0], supply, TODAY + timedelta(days=10), "test")
        book.backorders[0].state = BackorderState[state]
    rank_again(book, book.lines.values(), NOW)
    rank = book.lines[1].rank
    assert rank is not None
    assert rank.tier is tier


def test_what_a_line_was_promised_last_says_nothing_about_its_claim():
    """Two alike: that a part of the younger one comes sooner does not lift it over the older one."""
    book = book_of([("VIP", 4, A, 15, False, 0), ("VIP", 4, A, 5, False, 0)], {A: 0, B: 0, R: 0}, [])
    older, younger = book.lines.values()
    assert older.priority > younger.priority
    younger.ship_by, older.ship_by = TODAY, TODAY + timedelta(days=10)
    rank_again(book, book.lines.values(), NOW)
    assert younger.priority > older.priority, "what was asked does"
