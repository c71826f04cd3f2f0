"""Broken figures, classes and lost sales: what is decided about them."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import pytest

from core.domain.input_faults import judge_line, kept_share, missing_weeks
from core.domain.stock_classes import abc_classes, replenishment_rules, stock_flags, xyz_class
from core.errors import InvalidInput
from ml.live_demand import clean_history

DAY = date(2026, 11, 2)


def test_a_thousandfold_line_is_taken_back_and_any_other_left_out():
    slip, odd = judge_line(1, 2, 3, DAY, 12_000, 10), judge_line(1, 2, 4, DAY, 12_345, 10)
    assert (slip.reason, slip.action, slip.units_off) == ("UNIT_SLIP", "REPAIRED", 11_988)
    assert (odd.reason, odd.action, odd.units_off) == ("OUTLIER", "LEFT_OUT", 12_345)


def test_a_week_without_any_record_is_a_gap_only_between_busy_ones():
    assert missing_weeks([0, 0, 50, 60, 0, 40, 0]) == [4]
    assert missing_weeks([1, 0, 2, 0, 1]) == []
    assert missing_weeks([0, 0]) == []


def test_lost_sales_are_measured_not_assumed():
    assert kept_share([(4, 1.0, 10)] * 40) == pytest.approx(0.4)
    assert kept_share([(10, 1.0, 10)] * 40) == 1.0
    assert kept_share([(0, 1.0, 10)] * 29) == 1.0
    assert kept_share([(5, 0.5, 10)] * 40) == 0.0, "the five were sold while it was there"
    assert kept_share([(7, 0.5, 10), (2, 1.0, 10)] * 20) == pytest.approx(1 - 11 / 15)
    assert kept_share([(12, 0.5, 10)] * 40) == 1.0


def test_weeks_in_which_nothing_could_be_sold_are_put_up_whole_or_unknown():
    empty = range(1, 41)  # half of each of forty weeks
    demand = [
        {"sku_id": 1, "location_id": 2, "weeks_ago": ago, "units": 5 if ago in empty else 10, "lines": 1, "odd": None}
        for ago in range(1, 60)
    ]
    out = [{"sku_id": 1, "location_id": 2, "weeks_ago": ago, "share": 0.5 if ago else 1.0} for ago in range(41)]
    found = clean_history(demand, out, datetime(2026, 11, 2, tzinfo=UTC), 60)
    assert found.units[0, :-1].tolist() == [10.0] * 59
    assert np.isnan(found.units[0, -1]), "nothing was there, and nothing could be asked for"
    assert found.corrected.tolist() == [40]


def test_classes_by_value_and_regularity():
    assert abc_classes([80, 15, 5, 0]) == ["A", "B", "C", "C"]
    assert [xyz_class(10, sd) for sd in (4, 9, 10)] == ["X", "Y", "Z"]
    assert [xyz_class(mean, 0.1) for mean in (0, 0.3, 1)] == ["Z", "X", "X"]


def test_what_stands_out_of_a_position():
    rules = replenishment_rules({"overstockWeeks": 10, "serviceLevels": {"AX": 0.99}})
    assert (rules.service["AX"], rules.service["AY"]) == (0.99, 0.97)
    common = {"reorder_point": 20, "weekly_mean": 5.0, "protected_mean": 12.0, "idle_weeks": 0}
    assert stock_flags(rules, on_hand=25, position=21, **common) == []
    assert stock_flags(rules, on_hand=11, position=11, **common) == ["REPLENISH", "STOCKOUT_RISK"]
    assert stock_flags(rules, on_hand=71, position=71, **common) == ["OVERSTOCK"]
    assert stock_flags(rules, on_hand=1, position=30, **{**common, "idle_weeks": 26}) == ["AGEING"]
    for wrong in (
        {"overstockWeeks": 0},
        {"serviceLevels": {"AX": 1.0}},
        {"holdingRate": "x"},
        {"other": 1},
        {"isAutomatic": 1},
    ):
        with pytest.raises(InvalidInput):
            replenishment_rules(wrong)
