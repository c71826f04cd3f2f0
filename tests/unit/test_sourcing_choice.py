"""The choice among the sources of a SKU: what it takes, why, and what the next best single source would cost more."""

from __future__ import annotations

from typing import Any

import pytest

from core.domain.supplier_choice import Costs, Need, Offer
from core.repositories.sourcing import Source
from core.services.choose_sources import choose, evidence


def source(code: str, price: int, p50: int = 10, p80: int = 10, **more: Any) -> Source:
    facts: dict[str, Any] = {
        "supplier_id": ord(code[0]),
        "code": code,
        "name": code,
        "sku_id": 1,
        "currency": "KRW",
        "price": price,
        "breaks": (),
        "moq": 1,
        "multiple": 1,
        "p50": p50,
        "p80": p80,
        "observations": 0,
        "expedite_days": None,
        "expedite_fee": 0,
        "expedite_unit_fee": 0,
        "reliability": 1.0,
        "finished_lines": 0,
        "is_preferred": code == "A",
        "location_id": None,
    }
    return Source(**facts | more)


def chosen(sources: list[Source], days: int, units: int = 10, late: float = 10.0) -> Any:
    return choose(1, sources, [Need(days, units)], Costs(late))


def quantities(choice: Any) -> list[tuple[str, bool, int]]:
    return [(p.offer.code, p.offer.is_expedited, p.quantity) for p in choice.plan.parts]


@pytest.mark.parametrize(
    ("sources", "days", "taken", "reason", "saves"),
    [
        ([source("A", 100)], 3, [("A", False, 10)], "ONLY_SOURCE", None),
        ([source("A", 120), source("B", 100)], 20, [("B", False, 10)], "CHEAPEST", 200),
        ([source("A", 100), source("B", 110, 4, 4)], 4, [("B", False, 10)], "LESS_LATE", 10 * 6 * 10 - 100),
        (
            [source("A", 100, reliability=0.5), source("B", 110)],
            10,
            [("B", False, 10)],
            "MORE_RELIABLE",
            10 * 5 * 10 - 100,
        ),
        (
            [source("A", 100), source("B", 110, 4, 4, capacity_per_week=7)],
            4,
            [("B", False, 4), ("A", False, 6)],
            "SPLIT",
            4 * 60 - 40,
        ),
        (
            [source("A", 100, expedite_days=4, expedite_fee=50, expedite_unit_fee=5)],
            4,
            [("A", True, 10)],
            "LESS_LATE",
            600 - 100,
        ),
    ],
    ids=["only", "cheapest", "less late", "more reliable", "split", "expedited"],
)
def test_the_choice_says_what_it_takes_and_why(sources, days, taken, reason, saves):
    choice = chosen(sources, days)
    assert (quantities(choice), choice.reason, choice.saves) == (taken, reason, saves)
    kept = evidence(choice)
    assert [(p["supplier"], p["isExpedited"], p["quantity"]) for p in kept["parts"]] == taken
    assert (kept["reason"], kept["saves"]) == (reason, saves)


def test_expediting_costs_its_fees_and_what_is_available_bounds_it():
    one = source("A", 100, expedite_days=4, expedite_fee=50, expedite_unit_fee=5, available=2, capacity_per_week=14)
    part = chosen([one], 4).plan.parts[0]
    assert (part.offer.most, part.purchase, part.fee) == (2 + 8, 10 * 105, 50)
    assert one.price_at(10) == 100
    assert one.offers(expedited=False) == [one.offers(expedited=True)[0]]
    assert one.offers(expedited=False)[0].most == 2 + 20


def test_units_beyond_the_need_are_worth_what_they_could_be_had_for():
    """At their own price six of the dear ones would be the cheaper, for two that nobody needs."""
    few = source("A", 63, capacity_per_week=5, p50=7, p80=7, multiple=2)
    dear = source("B", 194, breaks=((6, 172),), moq=4, p50=2, p80=2)
    assert sorted(quantities(chosen([few, dear], 30, 8, 0.5))) == [("A", False, 4), ("B", False, 4)]


def test_who_has_nothing_does_not_say_what_surplus_is_worth():
    """Six of the dear ones are the cheaper, though two are over: nobody else has any, whatever his list says."""
    none = source("A", 20, available=0, capacity_per_week=0, multiple=2)
    dear = source("B", 194, breaks=((6, 140),), moq=4, p50=2, p80=2)
    assert quantities(chosen([none, dear], 30, 4, 0.5)) == [("B", False, 6)]


def test_with_equal_costs_one_order_is_made():
    twice = [source("A", 100, moq=5), source("B", 100, moq=5)]
    assert quantities(chosen(twice, 20)) in ([("A", False, 10)], [("B", False, 10)])


def test_what_does_not_come_is_bought_again_at_the_same_pace():
    offer = Offer("S", ((1, 1),), 10, 10, reliability=0.7)
    assert [round(offer.late_days(day), 6) for day in (-2, 4, 20)] == [15.0, 9.0, 3.0]
