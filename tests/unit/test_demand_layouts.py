"""Histories in the layouts that people send, and broken figures in them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from ml.demand_file import DemandHistory, read_demand_file
from ml.demand_repairs import repair
from ml.table_file import UnreadableFile

MONTHS = [f"{1996 + number // 12}-{number % 12 + 1:02d}-01" for number in range(24)]
UNITS = np.random.default_rng(1).poisson(1.5, (40, 24))


def read(folder: Path, text: str) -> DemandHistory:
    path = folder / "history.csv"
    path.write_text(text)
    return read_demand_file(path)


def wide(heading: str, rows: list[str], separator: str = ",") -> str:
    return "\n".join([heading, *rows]).replace(",", separator)


def cells(row: int) -> str:
    return ",".join(map(str, UNITS[row]))


LAYOUTS = {
    "facts before the periods": wide(
        "ItemID,Description,Lead Time (months),Unit Cost," + ",".join(f"M{n + 1}" for n in range(24)),
        [f"P{n},Bolt {n},3,{n}.5,{cells(n)}" for n in range(40)],
    ),
    "semicolons, dates, days of lead time": wide(
        "part,LT_days,price," + ",".join(MONTHS), [f"P{n},91,{n}.5,{cells(n)}" for n in range(40)], ";"
    ),
    "facts first, decimal commas, the name in their midst": "\n".join(
        ["Unit Cost;part;lt;" + ";".join(f"M{n + 1}" for n in range(24))]
        + [f"{n},5;P{n};3;{cells(n).replace(',', ';')}" for n in range(40)]
    ),
    "a row per item and month": wide(
        "item_id,date,qty,leadTime,unitCost",
        [f"P{n},{month},{UNITS[n, at]},3,{n}.5" for n in range(40) for at, month in enumerate(MONTHS)],
    ),
    "headings that only their numbers tell apart, between other figures": wide(
        "Part,Supplier Lead Time (in days),Std Price (EUR),FixedOrderCost,MOQ,"
        + ",".join(f"Demand month {n}" for n in range(1, 25)),
        [f"P{n},91,{n}.5,50,{n},{cells(n)}" for n in range(40)],
    ),
    "facts after the periods": wide(
        "sku," + ",".join(str(n) for n in range(1, 25)) + ",lt,cost,class",
        [f"P{n},{cells(n)},3,{n}.5,A" for n in range(40)],
    ),
}


@pytest.mark.parametrize("text", LAYOUTS.values(), ids=list(LAYOUTS))
def test_periods_lead_times_and_costs_are_found(tmp_path, text):
    history = read(tmp_path, text)
    assert history.names == [f"P{n}" for n in range(40)]
    assert (history.units == UNITS).all()
    assert history.lead_time == pytest.approx(np.full(40, 3.0), abs=0.02)
    assert history.cost == pytest.approx(np.arange(40) + 0.5)
    assert history.columns["periods"][2] == 24


def test_items_across_and_months_down(tmp_path):
    text = wide(
        "date," + ",".join(f"P{n}" for n in range(40)),
        [f"{m}," + ",".join(map(str, UNITS[:, at])) for at, m in enumerate(MONTHS)],
    )
    history = read(tmp_path, text)
    assert (history.units == UNITS).all()
    assert history.columns["layout"] == "a column per item"


def test_no_headings(tmp_path):
    history = read(tmp_path, "\n".join(f"P{n},{cells(n)}" for n in range(40)))
    assert (history.names[0], history.units.tolist()) == ("P0", UNITS.tolist())


def test_broken_figures_are_mended_or_left_out_and_counted(tmp_path):
    units = UNITS.astype(float)
    units[3] = [2, 1, 3] * 8
    units[5] = [1, 2] * 12
    broken = units.copy()
    broken[3, 5] = 3000  # a slip of the unit
    broken[4] *= 1000  # a row in another unit
    broken[5, 7] = 1e9
    broken[6, 2] = -5
    rows = [f"P{n}," + ",".join(f"{x:g}" for x in broken[n]) for n in [*range(40), 9]]
    history = read(tmp_path, wide("sku," + ",".join(MONTHS), rows))
    expected = units.copy()
    expected[5, 7] = expected[6, 2] = np.nan
    assert np.array_equal(history.units, expected, equal_nan=True)
    assert {name: count for name, count in history.findings.items() if ":" in name and count} == {
        "repaired: thousandfold figures": 1, "repaired: rows in thousandths": 1, "cells_unknown: absurd": 1,
        "cells_unknown: negative": 1, "dropped: repeated row": 1,
    }  # fmt: skip


def test_slips_are_taken_back_however_many_they_are():
    random = np.random.default_rng(2)
    units = (random.random((300, 24)) < 0.4) * random.negative_binomial(2, 0.1, (300, 24)).astype(float)
    slipped = (random.random(units.shape) < 0.1) & (units > 0)
    mended = np.where(slipped, units * 1000, units)
    findings: Counter[str] = Counter()
    repair(mended, [f"P{row}" for row in range(300)], findings)
    wrong = slipped & (mended != units)
    assert wrong.sum() < 0.02 * slipped.sum()
    assert np.array_equal(mended[~slipped], units[~slipped])
    assert np.isnan(mended[wrong]).all(), "what is not taken back is unknown"


def bulk_goods() -> tuple[np.ndarray, np.ndarray]:
    """Goods that sell five a month, and 60 new ones sold three times each in lots of 2,000 to 8,000."""
    random = np.random.default_rng(5)
    small, bulk = random.poisson(5, (400, 24)).astype(float), np.zeros((60, 24))
    bulk[:, -3:] = 1000 * random.integers(2, 9, (60, 3))
    return np.vstack([small, bulk]), np.arange(460)[:, None] >= 400


def promotions() -> tuple[np.ndarray, np.ndarray]:
    """Goods that sell five a month, and 40 that sell 250 to 700 with two true peaks of 1,000 or 2,000 a year."""
    random = np.random.default_rng(6)
    small, large = random.poisson(5, (400, 24)).astype(float), random.integers(250, 700, (40, 24)).astype(float)
    for row in large:
        row[random.choice(24, 4, replace=False)] = 1000 * random.integers(1, 3, 4)
    return np.vstack([small, large]), np.arange(440)[:, None] >= 400


def whole_lots() -> tuple[np.ndarray, np.ndarray]:
    """Goods that sell 250 to 700 a month, and ten that sell in lots of 1,000 to 3,000 only."""
    random = np.random.default_rng(7)
    goods = random.integers(250, 700, (100, 24)).astype(float)
    goods[90:] = 1000 * random.integers(1, 4, (10, 24))
    return goods, np.arange(100)[:, None] >= 90


@pytest.mark.parametrize("slipped", [0.0, 0.007, 0.1])
@pytest.mark.parametrize("goods", [bulk_goods, promotions, whole_lots])
def test_true_demand_of_whole_thousands_is_never_divided(goods, slipped):
    units, is_large = goods()
    slips = (np.random.default_rng(8).random(units.shape) < slipped) & ~is_large & (units > 0)
    mended = np.where(slips, units * 1000, units)
    repair(mended, [f"P{row}" for row in range(len(units))], Counter())
    assert np.array_equal(mended[~slips], units[~slips])
    assert slips.sum() * 0.98 <= (mended == units)[slips].sum()


def test_series_without_a_figure_to_witness_slips_are_unknown_where_slips_are_many():
    random = np.random.default_rng(9)
    units = np.vstack([random.poisson(5, (200, 24)), np.zeros((100, 24))])
    units[200:, 3] = random.integers(1, 9, 100)
    slips = (random.random(units.shape) < 0.1) & (units > 0)
    mended = np.where(slips, units * 1000, units)
    findings: Counter[str] = Counter()
    repair(mended, [f"P{row}" for row in range(300)], findings)
    assert np.isnan(mended[200:][slips[200:]]).all()
    assert findings["cells_unknown: perhaps thousandfold"] == slips[200:].sum()
    assert np.array_equal(mended[~slips], units[~slips])


def test_what_is_missing_is_said(tmp_path):
    with pytest.raises(UnreadableFile, match=r"at least 6 periods.*sku, name, m1"):
        read(tmp_path, "sku,name,m1,m2\nA,b,1,2\n")
