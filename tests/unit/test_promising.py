"""What limits a promise, the horizon, cut-offs and calendars of a delivery proposal, by example."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest

from core.domain.allocation import serve_waiting
from core.domain.allowance import Allowance, WaitsFor
from core.domain.binding import BindingKind, DayEvent, Spot, events_on, name_binding
from core.domain.book import SkuBook
from core.domain.book_supplies import receive_transfer, ship_transfer
from core.domain.calendars import EVERY_DAY, WorkCalendar
from core.domain.network import Lane, Location, Network
from core.domain.promising import Demand, Proposal, available_now, commit, promise, propose
from core.domain.quotas import Asker, allowances_for, window_of
from core.domain.records import Hold, Line, Peg, Quota, StockLevel, Supply
from core.domain.states import OrderLineStatus, PegKind, PromiseReason

TODAY = date(2026, 11, 2)
"""A Monday."""
A, R, ZONE = 1, 2, 3
WEEK = WorkCalendar(frozenset({1, 2, 3, 4, 5}))


def day(n: int) -> date:
    return TODAY + timedelta(days=n)


def network() -> Network:
    places = {
        number: Location(number, code, kind, "UTC", time(12), WEEK)
        for number, code, kind in ((A, "A", "dc"), (R, "R", "warehouse"), (ZONE, "Z", "destination"))
    }
    lanes = {(a, b): Lane(a, b, n, WEEK) for a, b, n in ((A, ZONE, 1), (R, A, 2))}
    return Network(places, lanes)


def book_of(stock: int, *supplies: tuple[int, int], today: date = TODAY) -> SkuBook:
    now = datetime.combine(today, time(9), UTC)
    book = SkuBook(1, "S", 1, now, dict.fromkeys((A, R, ZONE), today))
    book.levels[A] = StockLevel(A, stock)
    book.supplies = [Supply(n, A, "purchase", units, day(at)) for n, (at, units) in enumerate(supplies, start=1)]
    return book


def ask(book: SkuBook, quantity: int, hour: int = 9, **more) -> Proposal:
    now = datetime.combine(book.today[A], time(hour), UTC)
    return propose(book, Demand(quantity, ZONE, sources=[A], **more), network(), now)


def binding(book: SkuBook, proposal: Proposal):
    spot = proposal.spot
    assert spot is not None
    return name_binding(spot, events_on(book, spot.location_id, spot.days, spot.demand_class))


def test_a_promise_to_somebody_else_limits_what_lies_on_the_shelf():
    book = book_of(10, (9, 20))
    book.pegs.append(Peg(1, A, day(3), 8, PegKind.OPEN, line_id=77))
    found = binding(book, ask(book, 5))
    assert (found.kind, found.day, found.free) == (BindingKind.LATER_PROMISE, day(3), 2)
    assert [(e.kind, e.day, e.quantity, e.order_line_id, e.supply_id) for e in found.events] == [
        (BindingKind.LATER_PROMISE, day(3), -8, 77, None),
        (BindingKind.SUPPLY, day(9), 20, None, 1),
    ]


def test_a_hold_and_protected_stock_limit_too():
    book = book_of(10, (9, 20))
    book.holds.append(Hold(1, "g", A, day(2), 9))
    assert binding(book, ask(book, 5)).kind == BindingKind.HOLD
    book = book_of(10, (9, 20))
    book.protected = {"": {A: [(day(1), 8)]}}
    found = binding(book, ask(book, 5))
    assert (found.kind, found.day, found.free) == (BindingKind.PROTECTED_STOCK, day(1), 2)


def test_protection_that_ends_is_what_the_asker_waits_for():
    book = book_of(10)
    book.protected = {"": {A: [(day(-5), 8), (day(7), 0)]}}
    found = binding(book, ask(book, 5))
    assert (found.kind, found.day, found.free) == (BindingKind.PROTECTED_STOCK, day(7), 2)


def test_the_supply_that_comes_only_then():
    book = book_of(2, (4, 1), (8, 9))
    found = binding(book, ask(book, 5))
    assert (found.kind, found.day, found.free) == (BindingKind.SUPPLY, day(8), 2)
    assert [(e.supply_id, e.quantity) for e in found.events if e.kind == BindingKind.SUPPLY] == [(2, 9)]


def test_cut_off_calendar_and_nothing():
    book = book_of(5)
    assert binding(book, ask(book, 5)).kind == BindingKind.NONE
    late = ask(book_of(5), 5, hour=12)
    assert (late.slices[0].ship_date, binding(book, late).kind) == (day(1), BindingKind.CUTOFF)
    saturday = book_of(5, today=day(5))
    found = ask(saturday, 5)
    assert (found.slices[0].ship_date, binding(saturday, found).kind) == (day(7), BindingKind.CALENDAR)


def test_supply_due_today_leaves_after_the_cut_off_tomorrow():
    book = book_of(0, (0, 5))
    assert ask(book, 5).slices[0].ship_date == TODAY
    assert ask(book, 5, hour=13).slices[0].ship_date == day(1)
    assert ask(book, 5, hour=13).slices[0].delivery_date == day(2)


def test_supply_that_comes_on_a_weekend_leaves_on_monday():
    (part,) = ask(book_of(0, (5, 5)), 5).slices
    assert (part.ship_date, part.delivery_date) == (day(7), day(8))


def test_beyond_the_horizon_the_lead_time_answers():
    book = book_of(0, (20, 50))
    assert [(s.kind, s.ship_date) for s in ask(book, 5, lead_time_days=14).slices] == [("LEAD_TIME", day(14))]
    assert [(s.kind, s.ship_date) for s in ask(book, 5, lead_time_days=21).slices] == [("DATED", day(21))], "a Monday"
    longer = ask(book, 5, lead_time_days=14, horizon_days=30)
    assert [(s.kind, s.ship_date) for s in longer.slices] == [("DATED", day(21))]
    assert binding(book, ask(book, 5, lead_time_days=14)).kind == BindingKind.LEAD_TIME


def test_the_look_ahead_does_not_stop_at_the_horizon():
    """All of a supply inside is promised for a day far beyond: it is not sold twice."""
    book = book_of(0, (5, 9))
    book.pegs.append(Peg(1, A, day(300), 9, PegKind.OPEN, line_id=1))
    assert [s.kind for s in ask(book, 5, lead_time_days=14).slices] == ["LEAD_TIME"]


def test_stock_of_a_donor_comes_over_its_lane():
    book = book_of(1)
    book.levels[R] = StockLevel(R, 9)
    found = ask(book, 4, hour=13)
    assert [(s.kind, s.quantity, s.ship_date) for s in found.slices] == [
        ("ON_HAND", 1, day(1)),
        ("TRANSFER", 3, day(3)),
    ], "the donor's cut-off has passed: it leaves on Tuesday, arrives on Thursday"
    assert binding(book, found).kind == BindingKind.TRANSFER


def line_of(quantity: int) -> Line:
    return Line(1, 1, 1, quantity, open=quantity, status=OrderLineStatus.VALIDATED, destination_id=ZONE)


def test_a_pre_order_is_promised_from_its_release_day_and_stays_open():
    book = book_of(20, (2, 9))
    book.available_from = day(9)
    demand = Demand(5, ZONE, sources=[A])
    assert available_now(book, [A]) == 0
    proposal = propose(book, demand, network(), book.now)
    assert [(s.kind, s.ship_date, s.waits_for) for s in proposal.slices] == [("DATED", day(9), WaitsFor.RELEASE_DATE)]
    line = line_of(5)
    commit(book, line, proposal, PromiseReason.PLACED)
    assert (line.open, line.allocated, line.backordered) == (5, 0, 0)
    assert promise(book, line, network(), book.now, PromiseReason.PLACED, cause_kind="PLACED")
    assert book.promises[0].evidence["binding"]["kind"] == "RELEASE_DATE"
    assert not any(book.may_have_stock(peg) for peg in book.pegs_of(line))


def test_a_pre_order_with_too_little_is_late_beyond_its_release_day():
    book = book_of(0, (2, 3))
    book.available_from = day(4)
    demand = Demand(5, ZONE, sources=[A], lead_time_days=10)
    line = line_of(5)
    commit(book, line, propose(book, demand, network(), book.now), PromiseReason.PLACED)
    assert (line.open, line.backordered) == (3, 2), "what comes after the release is late"


def test_what_exceeds_the_quota_waits_for_the_next_window():
    book = book_of(20)
    quota = Allowance(((day(0), 3), (day(7), 2), (day(14), None)), WaitsFor.QUOTA)
    found = ask(book, 10, allowances=[quota])
    assert [(s.kind, s.quantity, s.ship_date, s.waits_for) for s in found.slices] == [
        ("ON_HAND", 3, TODAY, None),
        ("DATED", 2, day(7), WaitsFor.QUOTA),
        ("DATED", 5, day(14), WaitsFor.QUOTA),
    ]
    assert binding(book, found).kind == BindingKind.QUOTA
    line = line_of(10)
    commit(book, line, found, PromiseReason.PLACED)
    waiting = [p for p in book.pegs_of(line) if p.kind != PegKind.HARD]
    assert [(p.kind, p.quantity, p.cause, book.may_have_stock(p)) for p in waiting] == [
        (PegKind.OPEN, 2, "QUOTA", False),
        (PegKind.OPEN, 5, "QUOTA", False),
    ]


def test_what_one_week_leaves_over_is_not_for_the_next():
    """Four a week and 40 units on day 9: no order finds room for more than four in that week."""
    book, quota = book_of(0, (9, 40)), Quota(1, None, None, None, "WEEK", TODAY, None, 4)
    book.quotas.append(quota)
    weeks: dict[date, int] = {}
    for n, units in enumerate((6, 4, 4, 4), start=1):
        line = replace(line_of(units), id=n)
        commit(book, line, ask(book, units, allowances=allowances_for(book, Asker(), [A])), PromiseReason.PLACED)
        for peg in book.pegs_of(line):
            monday = window_of(quota, peg.need_date)
            weeks[monday] = weeks.get(monday, 0) + peg.quantity
    assert weeks == {day(7): 4, day(14): 4, day(21): 4, day(28): 4, day(35): 2}


def test_weeks_before_the_day_asked_for_help_when_its_own_has_no_room():
    book = book_of(0, (1, 40))
    quota = Allowance(((day(0), 3), (day(7), 3), (day(14), 3), (day(21), None)), WaitsFor.QUOTA)
    found = ask(book, 8, requested_date=day(15), allowances=[quota])
    assert sorted((s.ship_date, s.quantity) for s in found.slices) == [(day(1), 3), (day(7), 2), (day(14), 3)]


def test_a_claim_that_waits_for_its_quota_is_merged_with_no_other():
    book, line = book_of(0), line_of(3)
    for cause in ("QUOTA", "PLACED", "kept", "QUOTA"):
        book.add_peg(A, day(7), 1, PegKind.OPEN, line=line, cause=cause)
    assert [(p.cause, p.quantity, book.waits_for_quota(p)) for p in book.pegs_of(line)] == [
        ("QUOTA", 2, True),
        ("PLACED", 2, False),
    ]


def test_the_tightest_of_several_quotas_wins():
    book = book_of(20)
    loose = Allowance(((day(0), 8), (day(7), None)), WaitsFor.QUOTA)
    tight = Allowance(((day(0), 2), (day(1), 9), (day(3), None)), WaitsFor.QUOTA)
    assert available_now(book, [A], allowances=[loose, tight]) == 2
    found = ask(book, 12, allowances=[loose, tight])
    assert [(s.quantity, s.ship_date) for s in found.slices] == [(2, TODAY), (6, day(1)), (4, day(7))]


@pytest.mark.parametrize(("quantity", "kind"), [(3, "ON_HAND"), (4, "DATED")])
def test_a_day_asked_for_limits_what_is_in_time(quantity, kind):
    book = book_of(3, (2, 5))
    found = ask(book, quantity, requested_date=day(9))
    assert found.slices[-1].kind == kind
    assert binding(book, found).kind == (BindingKind.NONE if kind == "ON_HAND" else BindingKind.REQUESTED_DATE)


@pytest.mark.parametrize(
    ("stock", "holds", "slices"),
    [
        (5, [(0, 4), (0, 4)], [("ON_HAND", 4, 0), ("ON_HAND", 1, 0)]),  # three of the units held were lost
        (1, [(2, 4)], [("ON_HAND", 1, 0), ("DATED", 3, 2)]),
        (9, [(2, 4)], [("ON_HAND", 4, 0)]),
        (3, [(2, 2), (2, 4)], [("ON_HAND", 2, 0), ("ON_HAND", 1, 0), ("DATED", 3, 2)]),
    ],
)
def test_a_hold_gives_what_is_there_of_it_and_the_rest_on_its_day(stock, holds, slices):
    held = [Hold(n, "g", A, day(at), units) for n, (at, units) in enumerate(holds, start=1)]
    found = ask(book_of(stock, (2, 9)), sum(units for _, units in holds), held=held)
    assert [(s.kind, s.quantity, s.ship_date) for s in found.slices[: len(slices)]] == [
        (kind, units, day(at)) for kind, units, at in slices
    ]


@pytest.mark.parametrize(
    ("asked", "quota", "slices"),
    [
        (4, 0, [(2, 1), (2, 7)]),
        (4, 2, [(2, 1), (2, 7)]),
        (2, 0, [(2, 1)]),  # sooner than it was held for
        (2, 1, [(1, 1), (1, 7)]),
    ],
)
def test_what_is_held_for_a_later_day_blocks_no_day_before(asked, quota, slices):
    book = book_of(0, (1, 2), (7, 2))
    if quota:
        book.quotas.append(Quota(1, None, None, None, "WEEK", TODAY, None, quota))
    held = [Hold(1, "g", A, day(7), 2)]
    found = ask(book, asked, held=held, allowances=allowances_for(book, Asker(), [A]))
    assert sorted((s.quantity, s.ship_date) for s in found.slices) == [(units, day(at)) for units, at in slices]


def test_what_has_no_source_is_ordered_to_where_it_reaches_the_customer_first():
    roads = network()
    roads.lanes[R, ZONE] = Lane(R, ZONE, 5, WEEK)
    book = book_of(0)
    book.levels[R] = StockLevel(R, 1)
    found = propose(book, Demand(4, ZONE, sources=[R, A], lead_time_days=7), roads, book.now)
    assert [(s.kind, s.location_id, s.quantity) for s in found.slices][-1] == ("LEAD_TIME", A, 3)


@pytest.mark.parametrize(
    ("stock", "supplies", "quota", "release", "lead", "expected"),
    [
        (9, [], 0, 7, 14, [(5, 7, "ON_HAND", "RELEASE_DATE")]),
        (3, [], 0, 7, 14, [(3, 7, "ON_HAND", "RELEASE_DATE"), (2, 14, "LEAD_TIME", None)]),
        (9, [], 3, None, 14, [(3, 0, "ON_HAND", None), (2, 7, "ON_HAND", "QUOTA")]),
        (4, [], 3, None, 5, [(3, 0, "ON_HAND", None), (1, 7, "ON_HAND", "QUOTA"), (1, 7, "LEAD_TIME", "QUOTA")]),
        (3, [(3, 9)], 3, None, 14, [(3, 0, "ON_HAND", None), (2, 7, "PURCHASE_ORDER", "QUOTA")]),
        (0, [(3, 9)], 3, None, 14, [(3, 3, "PURCHASE_ORDER", None), (2, 7, "PURCHASE_ORDER", "QUOTA")]),
        (0, [], 0, None, 14, [(5, 14, "LEAD_TIME", None)]),
        (9, [], 0, None, 14, [(5, 0, "ON_HAND", None)]),
    ],
)
def test_a_promise_names_what_its_parts_come_from(stock, supplies, quota, release, lead, expected):
    """What only waits for its quota or its release is no estimate, and an order says so as the answer before it did."""
    book = book_of(stock, *supplies)
    book.available_from = None if release is None else day(release)
    book.quotas = [Quota(1, None, None, None, "WEEK", TODAY, None, quota)] if quota else []
    line = Line(1, 1, 1, 5, open=5, status=OrderLineStatus.VALIDATED, destination_id=ZONE)
    book.lines[1] = line
    quotas = allowances_for(book, Asker(), [A])
    commit(book, line, ask(book, 5, lead_time_days=lead, allowances=quotas), PromiseReason.PLACED)
    promise(book, line, network(), book.now, PromiseReason.PLACED, cause_kind="PLACED")
    (told,) = book.promises
    days = [(part, (date.fromisoformat(part["shipDate"]) - TODAY).days) for part in told.slices]
    assert [(part["quantity"], n, part["source"], part.get("waitsFor")) for part, n in days] == expected


def test_stock_of_a_donor_that_waits_for_a_quota_is_on_its_way_and_nobody_elses():
    """Three a week, six at the donor: five move at once; what comes before its week waits for it here."""
    book = book_of(0)
    book.levels[R] = StockLevel(R, 6)
    book.quotas = [Quota(1, None, None, None, "WEEK", TODAY, None, 3)]
    line = Line(1, 1, 1, 5, open=5, status=OrderLineStatus.VALIDATED, destination_id=ZONE)
    book.lines[1] = line
    proposal = ask(book, 5, allowances=allowances_for(book, Asker(), [A]))
    assert [(p.kind, p.quantity, p.ship_date, p.waits_for) for p in proposal.slices] == [
        ("TRANSFER", 3, day(2), None),
        ("TRANSFER", 2, day(7), WaitsFor.QUOTA),
    ]
    commit(book, line, proposal, PromiseReason.PLACED)
    assert book.level(R).available == 1
    for supply in list(book.supplies):
        assert supply.transfer is not None
        ship_transfer(book, supply.transfer)
        receive_transfer(book, supply, supply.open, 0)
    waiting = [(p.kind, p.quantity, p.need_date, p.cause) for p in book.pegs_of(line) if p.kind != PegKind.HARD]
    assert (line.allocated, waiting) == (3, [(PegKind.OPEN, 2, day(7), "QUOTA")])


def test_a_constraint_names_the_largest_of_very_many_claims() -> None:
    events = [DayEvent(BindingKind.LATER_PROMISE, day(3), -(n % 50 + 1), order_line_id=n) for n in range(100)]
    events += [DayEvent(BindingKind.SUPPLY, day(9), n + 1, supply_id=n) for n in range(30)]
    told = name_binding(Spot(None, A, day(9), 0, day(3)), events).as_json()["events"]
    assert [row["quantity"] for row in told if row["kind"] == "LATER_PROMISE"] == sorted([*range(-50, -40)] * 2)
    assert sorted(row["quantity"] for row in told if row["kind"] == "SUPPLY") == [*range(11, 31)]
    few = name_binding(Spot(None, A, day(9), 0, day(3)), events[98:]).as_json()["events"]
    assert len(few) == 22


def test_of_thousands_of_claims_on_a_day_the_largest_are_looked_at() -> None:
    book = book_of(0)
    for n in range(60):
        book.pegs.append(Peg(n + 1, A, day(3) if n % 2 else day(-1), n + 1, PegKind.OPEN, line_id=n + 1))
    found = events_on(book, A, [day(0), day(3)], "")
    assert [(e.day, e.quantity) for e in found if e.quantity < 0] == [
        *((day(0), -n) for n in range(59, 19, -2)),
        *((day(3), -n) for n in range(60, 20, -2)),
    ]


@pytest.mark.parametrize(
    ("hour", "zone", "leaves"),
    [
        (9, "UTC", 0),
        (15, "UTC", 1),  # after the cut-off
        (1, "America/New_York", 0),  # leaves there on what was yesterday here
    ],
)
def test_what_is_moved_within_a_day_leaves_no_earlier_than_stock_would(hour, zone, leaves):
    roads = network()
    roads.lanes[R, A] = Lane(R, A, 0, EVERY_DAY)
    roads.locations[R] = Location(R, "R", "warehouse", zone, time(23, 59), EVERY_DAY)
    now = datetime.combine(day(1), time(hour), UTC)
    today = {place: roads.today(place, now) for place in (A, R, ZONE)}
    book = SkuBook(1, "S", 1, now, today, {R: StockLevel(R, 3)})
    (found,) = propose(book, Demand(2, ZONE, sources=[A]), roads, now).slices
    assert (found.kind, found.ship_date, found.delivery_date) == ("TRANSFER", day(1 + leaves), day(2 + leaves))
    assert found.arrival_date == day(1)
    line = Line(1, 1, 1, 2, open=2, status=OrderLineStatus.VALIDATED, destination_id=ZONE, location_id=A)
    book.add_peg(A, day(9), 2, PegKind.OPEN, line=line)
    serve_waiting(book, roads)
    (peg,) = book.pegs_of(line)
    assert peg.supply is not None
    assert (peg.need_date, peg.supply.usable_date) == (day(1 + leaves), day(1))


@pytest.mark.parametrize(("asked", "kind"), [(3, BindingKind.SUPPLY), (4, BindingKind.REQUESTED_DATE)])
def test_the_day_asked_for_binds_only_what_is_there_by_then(asked, kind):
    """What leaves on day 3 arrives on day 4."""
    book = book_of(0, (3, 2))
    assert binding(book, ask(book, 2, requested_date=day(asked))).kind == kind


def test_what_could_come_before_a_full_week_does_not_wait_for_its_quota():
    book = book_of(0, (3, 2))
    book.quotas = [Quota(1, None, None, None, "WEEK", TODAY, None, 3)]
    book.quota_used[1, day(8)] = 3  # the week before the day that is asked for
    quotas = allowances_for(book, Asker(), [A])
    (part,) = ask(book, 2, requested_date=day(15), allowances=quotas).slices
    assert (part.ship_date, part.waits_for) == (day(14), None)


def test_what_was_moved_for_others_is_not_what_a_part_waits_with():
    book = book_of(3)
    book.quotas = [Quota(1, None, None, None, "WEEK", TODAY, None, 2)]
    others = book.add_supply(Supply(9, A, "transfer", 4, day(2)))
    book.add_peg(A, day(2), 4, PegKind.FIRM, line_id=99, supply=others)
    line = Line(1, 1, 1, 3, open=3, status=OrderLineStatus.VALIDATED, destination_id=ZONE)
    book.lines[1] = line
    commit(book, line, ask(book, 3, allowances=allowances_for(book, Asker(), [A])), PromiseReason.PLACED)
    promise(book, line, network(), book.now, PromiseReason.PLACED, cause_kind="PLACED")
    (told,) = book.promises
    assert [(part["quantity"], part["source"]) for part in told.slices] == [(2, "ON_HAND"), (1, "ON_HAND")]
