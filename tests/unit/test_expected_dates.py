"""Delays as distributions: shrinkage, open deliveries, the conformal step, and that the future is never used."""

from __future__ import annotations

import json
import os
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from ml.dates import GRID, NO_CORRECTION, Correction, DateSettings, Delay, DelayTables, conformal, expected_days
from ml.delivery_file import OPEN, Deliveries, read_delivery_file
from ml.evaluate_dates import evaluate_dates, pinball
from ml.table_file import UnreadableFile
from workers.commands.dates import app

DAY = date(2012, 1, 1).toordinal()
HEAD = "Fulfill Via,Vendor,Country,Scheduled Delivery Date,Delivered to Client Date"


def delivered(*lines: tuple[int, int | None, str]) -> Deliveries:
    """Lines as (days promised before DAY, delay or None for open, supplier)."""
    promised = np.array([DAY - ago for ago, _, _ in lines])
    actual = np.array([OPEN if delay is None else DAY - ago + delay for ago, delay, _ in lines])
    routes = np.array(["truck"] * len(lines))
    suppliers = np.array([f"truck|{name}" for _, _, name in lines])
    return Deliveries(promised, actual, (routes, suppliers, suppliers), {})


def curve(*delays: int) -> Delay:
    return Delay((GRID[:, None] >= np.array(delays)).mean(axis=1), len(delays), "all")


def test_quantiles_by_hand():
    delay = curve(-2, 0, 0, 5, 30)
    assert [delay.quantile(level) for level in (0.2, 0.5, 0.6, 0.8, 0.81, 1)] == [-2, 0, 0, 5, 30, 30]
    assert (delay.below(0), delay.below(1), delay.below(30.5)) == (pytest.approx(0.2), pytest.approx(0.6), 1)


@given(st.lists(st.integers(-300, 700), min_size=1, max_size=30), st.floats(0.01, 0.99), st.integers(-350, 720))
def test_score_and_quantile_agree(delays, level, came):
    """A delivery is held by the quantile of exactly those levels that are above its score."""
    delay = curve(*delays)
    if abs(delay.below(came) - level) > 1e-6:
        assert (came <= delay.quantile(level)) == (delay.below(came) < level)


def test_what_is_left_once_it_is_late():
    late = curve(-2, 0, 4, 8, 30).given_late(3)
    assert [late.quantile(level) for level in (0.3, 0.6, 0.9)] == [4, 8, 30]
    assert curve(0, 1).given_late(10).quantile(0.5) == 11


def test_one_supplier_is_shrunk_to_its_route():
    lines = [(30, 0, "good")] * 40 + [(30, 20, "bad")] * 4
    plain = DelayTables(delivered(*lines), DAY, DateSettings(shrinkage=1e-9))
    shrunk = DelayTables(delivered(*lines), DAY, DateSettings(shrinkage=4))
    assert plain.delay(("truck", "truck|bad")).quantile(0.5) == 20
    assert shrunk.delay(("truck", "truck|bad")).quantile(0.5) in (0, 20)
    assert plain.delay(("truck", "truck|bad")).cdf[GRID == 0] == pytest.approx(0, abs=1e-6)
    assert 0.3 < shrunk.delay(("truck", "truck|bad")).cdf[GRID == 0] < 0.6
    assert shrunk.delay(("truck", "truck|new")) is shrunk.delay(("truck",))
    assert (shrunk.delay(("truck", "truck|bad")).deliveries, shrunk.delay(("truck",)).deliveries) == (4, 44)


def test_old_deliveries_fade():
    tables = DelayTables(delivered(*[(800, 30, "a")] * 10, *[(30, 0, "a")] * 10), DAY, DateSettings(half_life_days=100))
    assert tables.delay(("truck",)).quantile(0.9) == 0


def test_what_is_still_open_counts_as_later():
    """Three came punctually, one is 10 days late and open: one in four is later than 10 days."""
    tables = DelayTables(delivered(*[(20, 0, "a")] * 3, (10, None, "a")), DAY, DateSettings(half_life_days=1e9))
    cdf = tables.delay(("truck",)).cdf
    assert (cdf[GRID == 0][0], cdf[-1]) == (pytest.approx(0.75), pytest.approx(0.75))
    assert tables.delay(("truck",)).quantile(0.9) == GRID[-1]


def test_conformal_step_is_bounded_and_needs_examples():
    pairs = [(curve(*range(10)), 20.0)] * 60
    assert conformal(pairs[:49], (0.9,), DateSettings()) is NO_CORRECTION
    assert conformal(pairs, (0.9,), DateSettings(widest_correction=0.02)).ask(0.9) == pytest.approx(0.92)
    held = conformal([(curve(*range(10)), 6.0)] * 60, (0.9,), DateSettings(widest_correction=0.5))
    assert curve(*range(10)).quantile(held.ask(0.9)) == 6


def test_median_is_the_promise_where_medians_were_no_better():
    off = conformal([(curve(5, 5), 0.0)] * 60, (0.5,), DateSettings())
    assert expected_days(curve(5, 5), off, (0.5, 0.9)) == {0.5: 0, 0.9: 5}
    assert expected_days(curve(5, 5), NO_CORRECTION, (0.5, 0.9)) == {0.5: 5, 0.9: 5}


def test_a_median_leaves_the_promise_only_as_far_as_it_did_before():
    """One unusual half-year moves a median by weeks; the next rarely repeats it."""
    said = [
        expected_days(curve(now), NO_CORRECTION, (0.5,), before=curve(before))[0.5]
        for now, before in ((-30, -2), (-2, -30), (9, 12), (7, 0), (7, -3))
    ]
    assert said == [-2, -2, 9, 0, 0]


def test_where_more_than_half_never_came_no_day_is_a_median():
    lost, off = Delay(0.4 * curve(3).cdf, 40, "all"), Correction({}, False)
    said = [
        expected_days(lost, rule, (0.5,), before)[0.5] for rule in (NO_CORRECTION, off) for before in (None, curve(3))
    ]
    assert said == [GRID[-1]] * 4


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_coverage_is_kept_for_deliveries_like_those_before(seed):
    """Split conformal on 2,000 past forecasts that were far too narrow still holds half."""
    random = np.random.default_rng(seed)
    narrow = curve(*range(-5, 6))
    past, future = (np.rint(random.normal(0, 8, 2000)) for _ in range(2))
    wide = DateSettings(widest_correction=1.0)
    level = conformal([(narrow, came) for came in past], (0.5,), wide).ask(0.5)
    assert 0.41 < (future <= narrow.quantile(level)).mean() < 0.63, "a whole day is five of a hundred here"


@given(st.lists(st.integers(-300, 700), min_size=1, max_size=20), st.floats(0.8, 0.99), st.floats(0.8, 0.99))
def test_levels_never_cross(delays, a, b):
    days = expected_days(curve(*delays), Correction({0.9: a, 0.95: b}, True), (0.5, 0.8, 0.9, 0.95))
    assert list(days.values()) == sorted(days.values())


def test_pinball_by_hand():
    assert pinball(np.array([10.0, 0.0]), np.array([0.0, 10.0]), 0.9) == pytest.approx((9 + 1) / 2)


def history(path: Path, lines: int = 900, until: int = 10**9, seed: int = 1) -> Path:
    """Three years; deliveries after the day `until` are made up anew from another seed."""
    random, other = np.random.default_rng(seed), np.random.default_rng(99)
    rows = [HEAD]
    for number in range(lines):
        promised = date(2010, 1, 1) + timedelta(days=number * 1095 // lines)
        delay = round(random.gamma(1, 10)) if number % 3 else 0
        if promised.toordinal() >= until:
            delay = int(other.integers(0, 200))
        came = promised + timedelta(days=delay)
        rows.append(f"Road,V{number % 5},C{number % 3},{promised:%d-%b-%y},{came:%d-%b-%y}")
    path.write_text("\n".join(rows) + "\n")
    return path


def test_a_day_that_was_lost_is_no_delivery_that_never_came(tmp_path):
    """Every tenth delivery day is gone: lines of years ago are left out, those of the last days may still be open."""
    whole = history(tmp_path / "whole.csv")
    rows = whole.read_text().splitlines()
    holes = [row if number % 10 else row.rpartition(",")[0] + "," for number, row in enumerate(rows[1:])]
    (tmp_path / "holes.csv").write_text("\n".join([rows[0], *holes]) + "\n")
    read = read_delivery_file(tmp_path / "holes.csv").findings
    assert read["rejected: actual day missing"] + read["open"] == 90
    assert 0 < read["open"] < 10
    reports = [evaluate_dates(path) for path in (whole, tmp_path / "holes.csv")]
    assert reports[1]["p90_coverage"] == pytest.approx(reports[0]["p90_coverage"], abs=0.02)


def test_one_long_name_makes_no_other_line_longer(tmp_path):
    path = history(tmp_path / "a.csv")
    path.write_text(path.read_text().replace("Road,V0", f"Road,{'V' * 20_000}", 1))
    assert all(level.nbytes < 2_000_000 for level in read_delivery_file(path).levels)


def test_a_schedule_that_was_written_afterwards_is_told(tmp_path):
    honest = evaluate_dates(history(tmp_path / "a.csv"))
    assert honest["suspicions"] == []
    rows = (tmp_path / "a.csv").read_text().splitlines()
    told = [row.split(",") for row in rows[1:]]
    lines = [rows[0], *(",".join([*row[:3], row[4], row[4]]) for row in told)]
    (tmp_path / "b.csv").write_text("\n".join(lines) + "\n")
    (sentence,) = evaluate_dates(tmp_path / "b.csv")["suspicions"]
    assert sentence.startswith("Road: 100% of the lines came on the very day that was promised.")


def test_days_as_offices_write_them_and_rows_that_are_repeated(tmp_path):
    row = "Road,V,C,{},{},7"
    days = [
        ("2-Jun-10", "5-Jun-10"),
        ("02.06.2010", "5.6.2010"),
        ("2010-06-02 00:00:00", "2010-06-05T10:00"),
        ("6/2/2010", "6/5/10"),
    ]
    (tmp_path / "a.csv").write_text(
        "\n".join([f"{HEAD},id", *(row.format(*pair) for pair in days), row.format(*days[0])])
    )
    read = read_delivery_file(tmp_path / "a.csv")
    assert read.delay.tolist() == [3.0] * 4
    assert read.findings["dropped: repeated row"] == 1
    (tmp_path / "b.csv").write_text(f"{HEAD}\nRoad,V,C,June 2nd,5-Jun-10\n")
    with pytest.raises(UnreadableFile, match=r"Days are read as 2-Jun-06, .* not as 'June 2nd'"):
        read_delivery_file(tmp_path / "b.csv")


def test_judging_may_begin_with_the_first_half_year(tmp_path):
    """Before it nothing was delivered: then the promise is all there is, and no table is empty by mistake."""
    report = evaluate_dates(history(tmp_path / "a.csv"), date(2010, 1, 1))
    assert report["half_years"][0]["from"] == "2010-07-01"


def test_the_future_is_never_used(tmp_path):
    """Other deliveries after a half-year's start change what came, never what was expected at its start."""
    border = date(2012, 7, 1).toordinal()
    settings = DateSettings()
    tables = [
        DelayTables(read_delivery_file(history(tmp_path / name, until=until)), border, settings)
        for name, until in (("a.csv", 10**9), ("b.csv", border))
    ]
    for path in ((), ("Road",), ("Road", "Road|V1"), ("Road", "Road|V1", "Road|V1|C2")):
        assert (tables[0].delay(path).cdf == tables[1].delay(path).cdf).all()
    reports = [evaluate_dates(tmp_path / name)["half_years"] for name in ("a.csv", "b.csv")]
    assert [half["from"] for half in reports[0]] == ["2011-07-01", "2012-01-01", "2012-07-01"]
    assert reports[0][:2] == reports[1][:2]
    assert reports[0][2]["p90_coverage"] > 0.8 > 0.5 > reports[1][2]["p90_coverage"]


def test_file_faults_are_counted(tmp_path):
    path = tmp_path / "odd.csv"
    path.write_text(f"{HEAD}\nRoad,V,C,soon,02-Jun-06\nRoad,V,C,02-Jun-06,?\nRoad,V,C,02-Jun-06,NULL\nRoad,V,C,1/2/2006,2006-01-09\n"
                    "Road,V,C,02-Jun-06,02-Jun-26\nRoad,V\n")  # fmt: skip
    found = read_delivery_file(path)
    assert found.delay.tolist()[1:] == [7]
    assert found.findings == {
        "rows_read": 6, "rejected: promised day unreadable": 1, "rejected: actual day unreadable": 1,
        "rejected: more than three years off": 1, "rejected: another number of cells": 1, "rows_used": 2, "open": 1,
    }  # fmt: skip
    path.write_text("Vendor,Country\nV,C\n")
    with pytest.raises(
        UnreadableFile, match="Scheduled Delivery Date, Delivered to Client Date, Fulfill Via cannot be found"
    ):
        read_delivery_file(path)


def test_command(tmp_path):
    done = CliRunner().invoke(app, ["evaluate", str(history(tmp_path / "a.csv")), "--from", "2012-01-01", "--json"])
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert {"p90_coverage", "p90_pinball", "table_p90_pinball", "p50_mae", "promise_mae", "lines"} <= report.keys()
    assert len(report["half_years"]) == 2
    refused = CliRunner().invoke(app, ["evaluate", str(tmp_path / "none.csv")])
    assert (refused.exit_code, refused.stdout) == (2, "")


@pytest.mark.skipif(
    "BACKORDER_DATA" not in os.environ, reason="BACKORDER_DATA is unset: no real deliveries to measure on"
)
def test_real_deliveries():
    path = Path(os.environ["BACKORDER_DATA"]) / "leadtime" / "scms_delivery_history_to_2013.csv.gz"
    for start, lines in ((date(2008, 1, 1), 7010), (None, 4106), (date(2011, 1, 1), 3524)):
        report = evaluate_dates(path, start)
        assert report["lines"] == lines
        assert 0.88 <= report["p90_coverage"] <= 0.92
        assert report["p90_pinball"] < report["table_p90_pinball"]
        assert report["p50_mae"] <= report["promise_mae"]
