"""Promises against a solver that knows none of the engine's shortcuts: every day is tried, every unit is a flow.

Small worlds with two locations and a donor, calendars and cut-offs, holds, protected classes, weekly quotas and the
lead time at once.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from copy import deepcopy
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from msgspec.structs import replace
from scipy.optimize import Bounds, LinearConstraint, milp

from core.domain.binding import BindingKind
from core.domain.book import SkuBook
from core.domain.network import Network
from core.domain.promising import Demand, available_now, commit, propose
from core.domain.quotas import Asker, allowances_for
from core.domain.records import Hold, Peg, Quota, StockLevel, Supply
from core.domain.states import PegKind, PromiseReason
from core.services.answer_kits import _slices
from tests.unit.test_promising_properties import (
    ZONE,
    A,
    B,
    R,
    complete_day,
    line_of,
    network,
    offsets,
    quantities,
    worlds,
)

LEAD = 20
DAYS = 90
MUCH = 10_000
CLASSES = ("", "urgent")


@st.composite
def markets(draw: st.DrawFn) -> tuple[SkuBook, Network, datetime]:
    """A world in which two classes keep off different stock and a quota binds the web shop."""
    book, roads, now = draw(worlds())
    today = book.today[A]
    at = st.sampled_from((A, B))
    for place, day, units in draw(st.lists(st.tuples(at, offsets, st.integers(0, 5)), max_size=2)):
        steps = book.protected.setdefault("urgent", {}).setdefault(place, [])
        steps.append((today + timedelta(days=day), units))
        steps.sort()
    for number, (place, day, units) in enumerate(draw(st.lists(st.tuples(at, offsets, quantities), max_size=2))):
        book.pegs.append(
            Peg(50 + number, place, today + timedelta(days=day), units, PegKind.OPEN, line_id=950 + number,
                demand_class="urgent")
        )  # fmt: skip
    if draw(st.booleans()):
        starts = today + timedelta(days=draw(st.integers(-9, 9)))
        book.quotas = [Quota(1, "web", None, None, "WEEK", starts, None, draw(st.integers(2, 8)))]
        for day, units in draw(st.dictionaries(st.integers(-3, 12), st.integers(1, 4), max_size=2)).items():
            book.quota_used[1, today + timedelta(days=day)] = units
    return book, roads, now


def keeps_off(book: SkuBook, place: int, demand_class: str) -> str:
    """Whose steps a class keeps off at a place: its own where it has any, else the default's."""
    return demand_class if place in book.protected.get(demand_class, {}) else ""


def kept(book: SkuBook, place: int, name: str, day: date) -> int:
    """Units that are kept from who keeps off these steps."""
    return next((u for start, u in reversed(book.protected.get(name, {}).get(place, [])) if start <= day), 0)


def free_units(book: SkuBook, place: int, demand_class: str, day: date) -> int:
    """What the day leaves to the class: units that are there by then, less what others may take and what is kept."""
    today, level = book.today[place], book.level(place)
    units, own = level.on_hand - level.unsellable - level.allocated, keeps_off(book, place, demand_class)
    for supply in book.supplies:
        usable = supply.usable_date if supply.usable_date >= today else today + timedelta(days=supply.overdue_days)
        if supply.location_id == place and usable <= day:
            units += supply.quantity - supply.received - supply.cancelled
    units -= sum(h.quantity for h in book.holds if h.location_id == place and h.need_date <= day)
    waiting = 0
    for peg in book.pegs:
        if peg.location_id != place or peg.need_date > day:
            continue
        if keeps_off(book, place, peg.demand_class) == own:
            units -= peg.quantity
        else:
            waiting += peg.quantity
    other = next(name for name in CLASSES if name != own)
    units = max(units - waiting, min(units, kept(book, place, other, day)))  # they wait above what they keep off
    return units - kept(book, place, own, day)


def promisable(book: SkuBook, place: int, demand_class: str) -> list[int]:
    """Per day from today on: units that no later day needs."""
    today = book.today[place]
    left = [free_units(book, place, demand_class, today + timedelta(days=n)) for n in range(DAYS)]
    lowest = list(accumulate(reversed(left), min))[::-1]
    return [max(0, units) for units in lowest]


def most_by(book: SkuBook, roads: Network, now: datetime, sources: list[int], demand_class: str, target: date) -> int:
    """The most units that can have arrived by `target`: a maximum flow from shelves and supplies through weeks."""
    room: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))

    def edge(start: str, end: str, units: int) -> None:
        room[start][end] += units

    def week(day: date) -> str:
        quota = next(iter(book.quotas), None)
        if quota is None or day < quota.from_day:
            edge_to = f"free {day}"
            room[edge_to]["sink"] = MUCH
            return edge_to
        monday = day - timedelta(days=day.weekday())
        used = sum(
            units
            for (_, when), units in book.quota_used.items()
            if monday <= when < monday + timedelta(days=7) and when >= quota.from_day
        )
        room[f"week {monday}"]["sink"] = max(0, quota.quantity - used)
        return f"week {monday}"

    def arrives(place: int, ship: date) -> date:
        return roads.delivery_date(place, ZONE, ship) or ship

    for place in sources:
        today, first = book.today[place], roads.first_ship_day(place, now)
        levels = promisable(book, place, demand_class)
        anew = roads.ship_day_from(place, today + timedelta(days=LEAD))
        shelf = max(0, min(levels[0], book.level(place).available))
        if shelf and arrives(place, first) <= target:
            edge(f"{place} 0", week(today), shelf)
        for n in range(DAYS):
            day, before = today + timedelta(days=n), levels[n - 1] if n else 0
            edge("source", f"{place} {n}", levels[n] - before)
            edge(f"{place} {n}", f"{place} {n + 1}", MUCH)
            if day >= first and roads.ship_day_from(place, day) == day and arrives(place, day) <= target:
                edge(f"{place} {n}", week(day), MUCH)
                if day >= anew:
                    edge("source", week(day), MUCH)
        if place == A:
            reaches = roads.ship_day_from(A, roads.arrive(roads.lanes[R, A], roads.first_ship_day(R, now)))
            edge("source", "donor", max(0, min(promisable(book, R, demand_class)[0], book.level(R).available)))
            for n in range(DAYS):
                day = today + timedelta(days=n)
                if day >= reaches and roads.ship_day_from(A, day) == day and arrives(A, day) <= target:
                    edge("donor", week(day), MUCH)
    total = 0
    while True:
        back, queue = {"source": ""}, ["source"]
        while queue and "sink" not in back:
            node = queue.pop(0)
            for other, units in list(room[node].items()):
                if units > 0 and other not in back:
                    back[other] = node
                    queue.append(other)
        if "sink" not in back:
            return total
        path = ["sink"]
        while path[-1] != "source":
            path.append(back[path[-1]])
        steps = [(path[i + 1], path[i]) for i in range(len(path) - 1)]
        units = min(room[start][end] for start, end in steps)
        for start, end in steps:
            room[start][end] -= units
            room[end][start] += units
        total += units


def most_through_windows(
    book: SkuBook, roads: Network, now: datetime, sources: list[int], demand_class: str, target: date
) -> int:
    """As `most_by`, with as many quotas as there are: an integer program over units by place and day."""
    ways: list[tuple[str, date]] = []
    limits: list[tuple[dict[int, int], int]] = []

    def arrives(place: int, ship: date) -> date:
        return roads.delivery_date(place, ZONE, ship) or ship

    def way(name: str, day: date) -> int:
        ways.append((name, day))
        if book.available_from is not None and day < book.available_from:
            limits.append(({len(ways) - 1: 1}, 0))
        return len(ways) - 1

    for place in sources:
        today, first = book.today[place], roads.first_ship_day(place, now)
        levels, mine = promisable(book, place, demand_class), []
        anew = roads.ship_day_from(place, today + timedelta(days=LEAD))
        if arrives(place, first) <= target:
            mine.append((0, way("shelf", today)))
            limits.append(({mine[0][1]: 1}, max(0, min(levels[0], book.level(place).available))))
        reaches = roads.ship_day_from(A, roads.arrive(roads.lanes[R, A], roads.first_ship_day(R, now)))
        donated: dict[int, int] = {}
        for n in range(DAYS):
            day = today + timedelta(days=n)
            if roads.ship_day_from(place, day) == day and arrives(place, day) <= target:
                if day >= first:
                    mine.append((n, way("dated", day)))
                if day >= max(first, anew):
                    way("anew", day)
                if place == A and day >= reaches:
                    donated[way("donor", day)] = 1
        limits += [({i: 1 for at, i in mine if at <= n}, levels[n]) for n in range(DAYS)]
        limits.append((donated, max(0, min(promisable(book, R, demand_class)[0], book.level(R).available))))
    for quota in book.quotas:
        windows: dict[date, list[int]] = defaultdict(list)
        for index, (_, day) in enumerate(ways):
            if quota.from_day <= day <= (quota.until_day or date.max):
                windows[quota.from_day if quota.period == "WINDOW" else day - timedelta(days=day.weekday())].append(
                    index
                )
        limits += [(dict.fromkeys(chosen, 1), quota.quantity) for chosen in windows.values()]
    if not ways:
        return 0
    rows = [(row, most) for row, most in limits if row]
    matrix = [[row.get(index, 0) for index in range(len(ways))] for row, _ in rows]
    bound = LinearConstraint(matrix, ub=[most for _, most in rows])  # type: ignore[arg-type]
    found = milp([-1] * len(ways), constraints=bound, integrality=[1] * len(ways), bounds=Bounds(0, 40))
    return round(-found.fun)


def solve(
    book: SkuBook, roads: Network, now: datetime, sources: list[int], name: str, quantity: int, most: Any = most_by
) -> date | None:
    """The first day by which all can have arrived: what can arrive never falls with the day."""
    days = range(DAYS - 10)
    first = bisect_left(
        days,
        True,
        key=lambda n: most(book, roads, now, sources, name, book.today[A] + timedelta(days=n)) >= quantity,
    )
    return book.today[A] + timedelta(days=first) if first in days else None


def ask(book: SkuBook, quantity: int, sources: list[int], demand_class: str, held: list[Hold] | None = None) -> Demand:
    allowances = allowances_for(book, Asker("web"), sources)
    return Demand(quantity, ZONE, None, sources, LEAD, held or [], demand_class, allowances=allowances)


def check(market, quantity: int, sources: list[int], demand_class: str) -> None:
    book, roads, now = market
    expected = solve(book, roads, now, sources, demand_class, quantity)
    proposal = propose(book, ask(book, quantity, sources, demand_class), roads, now)
    if expected is not None:
        assert proposal.quantity == quantity
        assert complete_day(proposal) == expected


one_place = st.sampled_from(([A], [B]))
names = st.sampled_from(CLASSES)


@given(markets(), st.integers(1, 16), one_place, names)
@settings(max_examples=40, deadline=None)
def test_no_plan_of_a_place_is_complete_earlier(market, quantity, sources, demand_class):
    check(market, quantity, sources, demand_class)


@given(markets(), st.integers(1, 16), st.sampled_from(([A, B], [B, A])), names)
@settings(max_examples=30, deadline=None)
def test_no_plan_of_several_places_is_complete_earlier(market, quantity, sources, demand_class):
    check(market, quantity, sources, demand_class)


@st.composite
def crowded(draw: st.DrawFn, is_nested: bool = True) -> tuple[SkuBook, Network, datetime]:
    """A market whose shop several quotas bind at once: weeks within weeks and spans of whole weeks, or any spans."""
    book, roads, now = draw(worlds())
    book.protected.clear()
    monday = book.today[A] - timedelta(days=book.today[A].weekday())
    book.quotas = []
    for number in range(1, draw(st.integers(2, 3)) + 1):
        units, since = draw(st.integers(1, 7)), monday + timedelta(days=7 * draw(st.integers(-1, 2)))
        if draw(st.booleans()):
            book.quotas.append(
                Quota(number, draw(st.sampled_from(("web", None))), None, None, "WEEK", since, None, units)
            )
            continue
        until = since + timedelta(days=7 * draw(st.integers(1, 3)) - 1)
        if not is_nested:
            since, until = (
                since + timedelta(days=draw(st.integers(0, 6))),
                until + timedelta(days=draw(st.integers(0, 6))),
            )
        book.quotas.append(Quota(number, "web", None, None, "WINDOW", since, until, units))
    if draw(st.booleans()):
        book.available_from = book.today[A] + timedelta(days=draw(st.integers(1, 16)))
    return book, roads, now


def check_crowded(market, quantity: int, sources: list[int], *, exactly: bool) -> None:
    book, roads, now = market
    expected = solve(book, roads, now, sources, "", quantity, most_through_windows)
    proposal = propose(book, ask(book, quantity, sources, ""), roads, now)
    if expected is not None:
        assert proposal.quantity == quantity
        assert complete_day(proposal) == expected if exactly else complete_day(proposal) >= expected


@given(crowded(), st.integers(1, 14), st.sampled_from(([A, B], [B, A])))
@settings(max_examples=12, deadline=None)
def test_no_plan_of_several_places_through_several_quotas_is_complete_earlier(market, quantity, sources):
    check_crowded(market, quantity, sources, exactly=True)


@pytest.mark.long
@pytest.mark.timeout(1_800)
@given(crowded(), st.integers(1, 16), st.sampled_from(([A], [A, B], [B, A])))
@settings(max_examples=600, deadline=None)
def test_hundreds_of_crowded_markets(market, quantity, sources):
    check_crowded(market, quantity, sources, exactly=True)


@pytest.mark.long
@pytest.mark.timeout(1_800)
@given(crowded(is_nested=False), st.integers(1, 16), st.sampled_from(([A], [A, B], [B, A])))
@settings(max_examples=300, deadline=None)
def test_where_quotas_cross_no_promise_is_sooner_than_they_allow_and_of_one_place_none_is_later(
    market, quantity, sources
):
    check_crowded(market, quantity, sources, exactly=len(sources) == 1)


@pytest.mark.long
@pytest.mark.timeout(1_800)
@given(markets(), st.integers(1, 20), st.sampled_from(([A], [B], [A, B], [B, A])), names)
@settings(max_examples=3_000, deadline=None)
def test_thousands_of_markets(market, quantity, sources, demand_class):
    check(market, quantity, sources, demand_class)


@given(markets(), st.integers(1, 12), st.integers(1, 6), st.sampled_from((A, B)), names)
@settings(max_examples=60, deadline=None)
def test_what_the_asker_holds_for_today_never_makes_it_later(market, quantity, units, place, demand_class):
    """Against the same world in which nobody holds it, and one in which somebody else does."""
    book, roads, now = market
    units = min(units, available_now(book, [place], demand_class))
    if not units:
        return
    nobody = complete_day(propose(deepcopy(book), ask(book, quantity, [A, B], demand_class), roads, now))
    mine = Hold(9, "mine", place, book.today[place], units)
    other = deepcopy(book)
    other.add_hold(mine)
    foreign = propose(other, ask(other, quantity, [A, B], demand_class), roads, now)
    line = line_of(quantity, 77)
    line.demand_class = demand_class
    own = propose(book, ask(book, quantity, [A, B], demand_class, [mine]), roads, now)
    day = roads.delivery_date(place, ZONE, roads.first_ship_day(place, now)) or now.date()
    assert complete_day(own) <= max(nobody, day)
    assert complete_day(own) <= max(complete_day(foreign), day)
    assert own.available_now >= (min(units, quantity) if not book.quotas else 0)
    commit(book, line, own, PromiseReason.PLACED)


@given(st.lists(st.tuples(st.integers(1, 3), st.lists(st.tuples(st.integers(1, 6), st.integers(1, 5)), min_size=1,
    max_size=4)), min_size=1, max_size=3))  # fmt: skip
@settings(max_examples=100, deadline=None)
def test_a_kit_is_told_whole_with_its_last_component(parts):
    """Per component (units per kit, units by day): kits by a day are what every component reaches by then."""

    def told(slices: list[tuple[int, int]]) -> list[dict]:
        return [
            {
                "quantity": units,
                "shipDate": f"2026-11-{day:02}",
                "deliveryDate": None,
                "location": A,
                "source": "ON_HAND",
            }
            for day, units in slices
        ]

    answers = [(type("Answer", (), {"slices": told(slices)})(), units) for units, slices in parts]
    found: dict[str, int] = {}
    for row in _slices(answers):  # type: ignore[arg-type]
        found[row["shipDate"]] = found.get(row["shipDate"], 0) + row["quantity"]
    for last in range(1, 8):
        kits = min(sum(units for day, units in slices if day <= last) // per_kit for per_kit, slices in parts)
        assert sum(units for day, units in found.items() if day <= f"2026-11-{last:02}") == kits


def test_a_claim_without_source_waits_above_what_is_kept_from_it():
    """Six of ten are kept from all but the urgent; eight are wanted already: four of them at most will be taken."""
    today = date(2026, 11, 2)
    book = SkuBook(1, "S", 1, datetime(2026, 11, 2, 9, tzinfo=UTC), {A: today}, {A: StockLevel(A, 10)})
    book.protected = {"": {A: [(today, 6)]}, "urgent": {A: [(today, 0)]}}
    book.pegs.append(Peg(1, A, today, 8, PegKind.OPEN, line_id=9))
    assert [available_now(book, [A], name) for name in CLASSES] == [0, 6]


@pytest.mark.parametrize("sources", [[A, B], [B, A]])
def test_who_arrives_later_uses_the_early_weeks(sources):
    """Two a week; three on the shelf of the slow place, two arrive at the fast one: the last week is left to the fast."""
    monday = date(2026, 11, 2)
    book = SkuBook(1, "S", 1, datetime(2026, 11, 2, 9, tzinfo=UTC), dict.fromkeys((A, B, R, ZONE), monday))
    book.levels[B] = StockLevel(B, 3)
    book.supplies.append(Supply(1, A, "purchase", 2, monday + timedelta(days=3)))
    book.quotas = [Quota(1, "web", None, None, "WEEK", monday, None, 2)]
    proposal = propose(book, ask(book, 5, sources, ""), network((0, 1, 0), weekends=True), book.now)
    assert complete_day(proposal) == monday + timedelta(days=14)
    assert [(p.location_id, p.quantity, (p.ship_date - monday).days) for p in proposal.slices] == [
        (B, 2, 0), (B, 1, 7), (A, 1, 7), (A, 1, 14),
    ]  # fmt: skip
    assert proposal.spot is not None
    assert (proposal.spot.kind, proposal.spot.day) == (BindingKind.QUOTA, monday + timedelta(days=14))


@pytest.mark.parametrize("sources", [[A, B], [B, A]])
def test_who_can_claim_after_a_span_of_weeks_leaves_the_span_to_who_cannot(sources):
    """One unit in two weeks: the slow place has its only in the second; that of the fast place can leave after them."""
    monday = date(2026, 11, 2)
    book = SkuBook(1, "S", 1, datetime(2026, 11, 2, 9, tzinfo=UTC), dict.fromkeys((A, B, R, ZONE), monday))
    book.levels[B] = StockLevel(B, 1)
    book.supplies.append(Supply(1, A, "purchase", 1, monday + timedelta(days=8)))
    book.quotas = [
        Quota(1, "web", None, None, "WINDOW", monday, monday + timedelta(days=13), 1),
        Quota(2, None, None, None, "WEEK", monday, None, 5),
    ]
    roads = network((3, 0, 0), weekends=True)
    proposal = propose(book, ask(book, 2, sources, ""), roads, book.now)
    assert complete_day(proposal) == solve(book, roads, book.now, sources, "", 2, most_through_windows)
    assert [(p.location_id, p.quantity, (p.ship_date - monday).days) for p in proposal.slices] == [
        (A, 1, 8),
        (B, 1, 14),
    ]


@pytest.mark.parametrize("sources", [[A, B], [B, A]])
def test_the_days_of_a_week_before_the_release_within_it_give_nothing(sources):
    """Two units in the next two weeks, from Wednesday on: of two at the fast place one leaves after them all the same."""
    monday = date(2026, 11, 2)
    book = SkuBook(1, "S", 1, datetime(2026, 11, 2, 9, tzinfo=UTC), dict.fromkeys((A, B, R, ZONE), monday))
    book.levels[B], book.available_from = StockLevel(B, 2), monday + timedelta(days=9)
    book.supplies.append(Supply(1, A, "purchase", 1, monday + timedelta(days=15)))
    book.quotas = [
        Quota(1, "web", None, None, "WINDOW", monday + timedelta(days=7), monday + timedelta(days=20), 2),
        Quota(2, None, None, None, "WEEK", monday, None, 5),
    ]
    demand = replace(ask(book, 3, sources, ""), lead_time_days=60)
    proposal = propose(book, demand, network((3, 0, 0), weekends=True), book.now)
    assert [(p.location_id, p.quantity, (p.ship_date - monday).days) for p in proposal.slices] == [
        (B, 1, 9),
        (A, 1, 15),
        (B, 1, 21),
    ]
