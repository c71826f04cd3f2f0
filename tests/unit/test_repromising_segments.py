"""Filters and sort keys of a run, by example: bounds are of the set, a line without a day matches none and comes last."""

from __future__ import annotations

import numpy as np
import pytest

from core.domain.repromising.segments import NO_SEGMENT, Facts, matches, rank_of
from core.domain.repromising.snapshot import positions
from core.domain.repromising.variant import LineFilter, Segment, Sorter, SortField, Strategy, Variant

TODAY = 1_000
FACTS = Facts(
    np.array([11, 12, 13]),
    np.array([1, 2, 3]),
    None,
    np.array([TODAY + 1, 0, TODAY + 2]),
    np.array([TODAY + 4, 0, TODAY + 6]),
    np.array([TODAY + 9, TODAY + 8, 0]),
    np.array([50, 60, 70]),
    np.array([True, False, True]),
    {"tier": np.array([0, 1, 0])},
    {"tier": ["GOLD", "VIP"]},
    TODAY,
    np.ones(3, bool),
)


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ({"requested_from": 4, "requested_to": 6}, [11, 13]),
        ({"requested_from": 5}, [13]),
        ({"requested_to": 5}, [11]),
        ({"promised_to": 8}, [12]),
        ({"min_value": 60, "max_value": 60}, [12]),
        ({"is_late": True}, [11, 13]),
        ({"is_late": False}, [12]),
        ({"tiers": ("VIP",)}, [12]),
        ({"tiers": ()}, []),
    ],
)
def test_a_filter_takes_what_lies_within_all_of_its_bounds(given, taken):
    assert FACTS.line[matches(FACTS, LineFilter(**given))].tolist() == taken


@pytest.mark.parametrize(
    ("sorter", "served"),
    [
        (Sorter(SortField.REQUESTED), [11, 13, 12]),
        (Sorter(SortField.REQUESTED, descending=True), [13, 11, 12]),
        (Sorter(SortField.PROMISED), [12, 11, 13]),
        (Sorter(SortField.DAYS_LATE), [11, 12, 13]),
        (Sorter(SortField.VALUE, descending=True), [13, 12, 11]),
        (Sorter(SortField.TIER, values=("VIP",)), [12, 11, 13]),
        (Sorter(SortField.TIER, descending=True), [12, 11, 13]),
    ],
)
def test_lines_are_served_in_the_order_of_the_key(sorter, served):
    variant = Variant((Segment("all", Strategy.IMPROVE),), (sorter,))
    rows = np.arange(3)
    place = rank_of(FACTS, variant, np.full(3, NO_SEGMENT, np.int16), rows, lambda found: found)
    assert FACTS.line[np.argsort(place)].tolist() == served


def test_segments_with_sorters_of_their_own_ask_for_no_priority():
    segments = (
        Segment("last", Strategy.IMPROVE, sorters=(Sorter(SortField.VALUE, descending=True),)),
        Segment("first", Strategy.GAIN, sorters=(Sorter(SortField.PROMISED),)),
    )
    place = rank_of(FACTS, Variant(segments), np.array([0, NO_SEGMENT, 0], np.int16), np.arange(3), pytest.fail)
    assert place.tolist() == [1, 2, 0]


@pytest.mark.parametrize("ids", [[30, 10, 20], [30, 10**9, 20]])
def test_ids_are_found_wherever_they_stand(ids):
    wanted = [20, 9, 30, 21, 2 * 10**9]
    expected = [2, -1, 0, -1, -1]
    assert positions(np.array(ids), np.array(wanted)).tolist() == expected
    assert positions(np.array(ids), np.array(ids)).tolist() == [0, 1, 2]
    assert positions(np.array(ids), np.array(wanted[:2])).tolist() == expected[:2], "none that lies before all of them"
