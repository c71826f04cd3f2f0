"""The risk model: which one speaks, what it may never do, its reasons, and the leaks it must find."""

from __future__ import annotations

import json
import os
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from core.domain.risk_reasons import LANGUAGES, REASONS, say_reason
from ml.backorder_file import FLAGS, LABEL, NUMBERS, BackorderTable, Findings, other_column, read_backorder_file
from ml.backorder_risk import RiskModel, Settings, act_above, fit_risk, kind_for
from ml.cross_validation import cross_validate
from ml.evaluate_risk import evaluate_risk
from ml.leaks import find_leaks, suspicious_figures
from ml.risk_explanation import explain
from ml.risk_features import FEATURES, feature_matrix, ratio_rule
from ml.risk_training import training_set
from workers.commands.risk import app

SMALL = Settings(iterations=40, leaves=8, rows_per_leaf=10, learning_rate=0.1)


def played(rows: int, seed: int = 1, rate: float = 0.05) -> BackorderTable:
    """Items that go short the likelier the less they have for what is asked of them."""
    random = np.random.default_rng(seed)
    monthly = random.gamma(0.7, 9, rows).round()
    n = {name: np.zeros(rows) for name in NUMBERS}
    for months in (1, 3, 6, 9):
        n[f"sales_{months}_month"] = np.cumsum(random.poisson(monthly[:, None], (rows, months)), axis=1)[:, -1].astype(
            float
        )
    for a, b in ((1, 3), (3, 6), (6, 9)):
        n[f"sales_{b}_month"] = np.maximum(n[f"sales_{a}_month"], n[f"sales_{b}_month"])
    for months in (3, 6, 9):
        n[f"forecast_{months}_month"] = monthly * months
    n["national_inv"] = random.negative_binomial(1, 0.03, rows).astype(float)
    n["in_transit_qty"] = random.poisson(monthly).astype(float)
    n["min_bank"] = (monthly * 0.8).round()
    n["lead_time"] = random.choice([2.0, 8.0, 12.0, np.nan], rows)
    n["perf_6_month_avg"] = n["perf_12_month_avg"] = random.uniform(0.3, 1, rows).round(2)
    lack = ratio_rule(n) + random.normal(0, 0.3, rows) - n["perf_6_month_avg"]
    label = (lack >= np.sort(lack)[-int(rows * rate)]).astype(np.int8)
    sku = np.array([f"{number}" for number in random.permutation(rows) + 10_000 * seed * 100])
    return BackorderTable(n, np.zeros((rows, 6), np.int8), label, np.arange(rows), sku, Findings())


@lru_cache
def model() -> RiskModel:
    return fit_risk(training_set([played(6000)]), settings=SMALL)


def one(**changed: float) -> dict[str, np.ndarray]:
    ordinary = dict.fromkeys(NUMBERS, 0.0) | {
        "national_inv": 5, "lead_time": 8, "forecast_3_month": 30, "forecast_6_month": 60, "forecast_9_month": 90,
        "sales_1_month": 10, "sales_3_month": 30, "sales_6_month": 60, "sales_9_month": 90, "min_bank": 6,
        "perf_6_month_avg": 0.5, "perf_12_month_avg": 0.8,
    }  # fmt: skip
    return {name: np.array([float(value)]) for name, value in (ordinary | changed).items()}


def test_features_by_hand():
    row = dict(zip(FEATURES, feature_matrix(one(in_transit_qty=4, pieces_past_due=3))[0], strict=True))
    assert len(row) == 34
    assert {name: round(float(row[name]), 3) for name in (
        "position", "cover_by_forecast", "position_less_minimum", "ratio", "on_time_change", "past_due_to_forecast",
        "stock_less_lead_time_forecast", "sign_of_stock", "lead_time_unknown",
    )} == {
        "position": 9, "cover_by_forecast": 0.5, "position_less_minimum": 3, "ratio": -0.344, "on_time_change": -0.3,
        "past_due_to_forecast": 0.1, "stock_less_lead_time_forecast": -13.462, "sign_of_stock": 1, "lead_time_unknown": 0,
    }  # fmt: skip
    assert ratio_rule(one())[0] == pytest.approx(25 / 61)


def test_unknown_sums_are_read_off_their_neighbours():
    nan = float("nan")
    row = dict(
        zip(FEATURES, feature_matrix(one(sales_3_month=nan, forecast_9_month=nan, min_bank=nan))[0], strict=True)
    )
    assert (row["sales_3"], row["forecast_9"], row["minimum_stock"]) == (30, 90, 0)
    row = dict(zip(FEATURES, feature_matrix(one(sales_1_month=nan, sales_3_month=nan))[0], strict=True))
    assert (row["sales_1"], row["sales_3"]) == (10, 30)


@pytest.mark.parametrize(
    ("positives", "kind"), [(0, "rule"), (49, "rule"), (50, "logistic"), (199, "logistic"), (200, "boosted")]
)
def test_cold_start(positives, kind):
    assert kind_for(positives) == kind


@pytest.mark.parametrize("rate", [0.0, 0.03, 0.1])
def test_simple_models_speak_when_examples_are_few(rate):
    table = played(1000, rate=max(rate, 0.002))
    if not rate:
        table.label[:] = 0
    fitted = fit_risk(training_set([table]))
    chance = fitted.probability(table.numbers)
    assert fitted.kind == ("logistic" if rate == 0.1 else "rule")
    assert np.isfinite(chance).all()
    assert chance.mean() == pytest.approx(table.label.mean(), abs=0.01)


@lru_cache
def logistic() -> RiskModel:
    return fit_risk(training_set([played(1500)]), "logistic")


@pytest.mark.parametrize("fitted", [model, logistic])
def test_more_stock_never_means_more_risk(fitted):
    numbers = played(1000, seed=4).numbers
    numbers["in_transit_qty"][::2] = 0
    before = fitted().probability(numbers)
    for more in (1, 7, 60, 500):
        numbers = numbers | {"national_inv": numbers["national_inv"] + more}
        after = fitted().probability(numbers)
        assert (after <= before + 1e-12).all()
        assert (after < before).any()
        before = after


def test_unknown_figures_are_scored_without_surprise():
    nan = float("nan")
    for name in NUMBERS:
        assert 0 < model().probability(one(**{name: nan}))[0] < 1
    unknown = model().probability(one(national_inv=nan))[0]
    assert model().probability(one(national_inv=200))[0] < unknown < model().probability(one(national_inv=-20))[0]


def test_the_same_input_gives_the_same_model():
    numbers = played(500, seed=9).numbers
    again = fit_risk(training_set([played(6000)]), settings=SMALL)
    assert (again.probability(numbers) == model().probability(numbers)).all()


def test_three_reasons_heaviest_first_and_none_for_the_safe():
    short, safe = explain(model(), one(national_inv=0))[0], explain(model(), one(national_inv=5000))[0]
    assert short[0].code in {"NO_STOCK", "INBOUND"}
    assert len(short) == 3
    assert [reason.weight for reason in short] == sorted((reason.weight for reason in short), reverse=True)
    assert short[0].weight > 1 > max((reason.weight for reason in safe), default=0)


def test_every_reason_has_words_in_every_language():
    facts = {"on_hand": 2.0, "cover": 0.25, "in_transit": 0.0, "forecast": 30.0, "sales": 12.0, "last_month": 9.0, "monthly": 4.0,
             "past_due": 3.0, "on_time": 61.0, "weeks": 8.0, "position": 2.0, "minimum": 6.0, "backordered": 1.0}  # fmt: skip
    assert {tuple(words) for words in REASONS.values()} == {LANGUAGES}
    assert all(say_reason(code, facts, language) for code in REASONS for language in LANGUAGES)
    assert say_reason("STOCK", facts) == "2 on hand lasts 0.2 months of forecast."
    assert say_reason("PAST_DUE", facts, "ko") == "공급처 납기가 지난 수량이 3개입니다."
    assert say_reason("LEAD_TIME", facts | {"weeks": float("nan")}) == "New goods take ? weeks."


@pytest.mark.parametrize("label", [0, 1])
def test_where_all_answers_are_alike_the_rule_speaks(label):
    training = training_set([played(600)])
    training.label[:] = label
    model = fit_risk(training)
    chance = model.probability(training.numbers)
    assert model.kind == "rule"
    assert np.isfinite(chance).all()


def test_threshold_by_cost():
    assert act_above(1, 20) == 0.05
    assert act_above(30, 20) == 1
    with pytest.raises(ValueError):
        act_above(1, 0)


def test_clean_files_show_no_leak():
    assert find_leaks([played(3000)], played(1000, seed=2)) == []


def in_order_of(column: str, table: BackorderTable) -> BackorderTable:
    table = table.take(np.argsort(table.numbers[column], kind="stable"))
    table.index = np.arange(len(table))
    table.sku = np.array([f"{number}" for number in 10_000 + table.index])
    return table


def short_of_stock_often() -> BackorderTable:
    """8 % go short, and of the 12 % that have nothing 45 %."""
    random = np.random.default_rng(5)
    table = played(4000, seed=5)
    none = random.random(4000) < 0.12
    table.numbers["national_inv"] = np.where(none, 0.0, table.numbers["national_inv"] + 1)
    table.label[:] = random.random(4000) < np.where(none, 0.45, 0.03)
    return table


def owed_already() -> BackorderTable:
    """6 % go short, and of the 5 % that are owed already 60 %."""
    random = np.random.default_rng(6)
    table = played(4000, seed=6)
    owed = random.random(4000) < 0.05
    table.numbers["local_bo_qty"] = np.where(owed, random.integers(1, 9, 4000), 0.0)
    table.label[:] = random.random(4000) < np.where(owed, 0.6, 0.03)
    return table


def slow_ones_first() -> BackorderTable:
    """Goods that take longer go short more often (ROC .63), and the file is in the order of lead times."""
    random = np.random.default_rng(7)
    table = played(4000, seed=7)
    table.numbers["lead_time"] = random.choice([2.0, 4.0, 8.0, 12.0], 4000)
    table.label[:] = random.random(4000) < 0.012 * table.numbers["lead_time"]
    return in_order_of("lead_time", table)


@pytest.mark.parametrize("ordinary", [short_of_stock_often, owed_already, slow_ones_first])
def test_what_ordinary_files_tell_is_no_leak(ordinary):
    assert find_leaks([ordinary()], played(1000, seed=2)) == []


def test_the_order_of_files_that_only_add_positives_is_no_leak():
    later = played(1000, seed=3)
    later = later.take(np.argsort(-later.label, kind="stable"))
    later.index = np.arange(1000)
    assert [leak.what for leak in find_leaks([later], played(1000, seed=2))] == ["training"]
    assert find_leaks([played(3000), later], played(1000, seed=2)) == []


def test_answers_in_a_file_that_is_sorted_by_a_column_are_still_found():
    table = slow_ones_first()
    turn = np.lexsort((-table.label, table.index // 1000))
    table = table.take(turn)
    table.index = np.arange(len(table))
    assert ("order", "training") in [(leak.kind, leak.what) for leak in find_leaks([table], played(1000, seed=2))]


def test_a_figure_derived_from_others_is_hinted_at():
    table = played(3000)
    table.others["cover"] = np.minimum(ratio_rule(table.numbers), 1.0)
    (leak,) = find_leaks([table], played(1000, seed=2))
    assert (leak.kind, leak.what) == ("hint", "cover")
    assert leak.sentence.endswith("it knows the answer, or sums up what others say. No model reads it.")


@pytest.mark.parametrize(("period", "places"), [(2, 1), (4, 2), (20, 10)])
def test_answers_in_an_even_period_are_found(period, places):
    table = played(3000)
    free = np.flatnonzero(table.index % period < places)
    random = np.random.default_rng(3)
    short = random.choice(free, int(table.label.sum()), replace=False)
    turn = np.empty(3000, int)
    turn[short] = np.flatnonzero(table.label == 1)
    turn[np.setdiff1d(np.arange(3000), short)] = random.permutation(np.flatnonzero(table.label == 0))
    table = table.take(turn)
    table.index = np.arange(3000)
    assert [leak.kind for leak in find_leaks([table], played(1000, seed=2))] == ["order"]


def _empty(table: BackorderTable, known: np.ndarray) -> None:
    table.numbers["lead_time"][known] = np.nan


def _flagged(table: BackorderTable, known: np.ndarray) -> None:
    table.flags[known, 1] = 1


def _halved(table: BackorderTable, known: np.ndarray) -> None:
    table.numbers["national_inv"][known] += 0.5


def _one_value(table: BackorderTable, known: np.ndarray) -> None:
    table.numbers["pieces_past_due"][known] = 13.0


PARTLY = {
    "empty for half": (0.7, _empty), "flag for six in ten": (0.6, _flagged), "fraction for a fifth": (0.2, _halved),
    "one value for a sixth": (0.16, _one_value),
}  # fmt: skip


def planted(kind: str) -> tuple[list[BackorderTable], BackorderTable]:
    train, test = played(3000), played(1000, seed=2)
    if kind == "column":
        train.numbers["pieces_past_due"] = train.label * 3.0
    elif kind == "empty column":
        train.numbers["perf_6_month_avg"] = np.where(train.label == 1, np.nan, 0.5)
    elif kind == "flag":
        test.flags[:, 2] = test.label
    elif kind == "code without an order":
        other = np.where(train.numbers["lead_time"] == 7, 8.0, train.numbers["lead_time"])
        train.numbers["lead_time"] = np.where(train.label == 1, 7.0, other)
    elif kind == "every other answer":
        known = (train.label == 1) & (np.arange(len(train)) % 2 == 0)
        train.numbers["perf_6_month_avg"] = np.where(known, 1.0, 0.5)
    elif kind == "letters of the SKU":
        train.sku = np.array([f"{'PN'[int(one)]}{number:05}" for number, one in enumerate(train.label)])
    elif kind == "a later day":
        days = [f"{5 + 3 * int(one):02}-Mar-13" for one in test.label]
        test.others["decided_on"] = other_column(tuple(days))
    elif kind == "a later figure":
        test.others["sales_next_month"] = np.zeros(len(test))
    elif kind == "order":
        test = test.take(np.argsort(-test.label, kind="stable"))
        test.index = np.arange(len(test))
    elif kind in PARTLY:
        share, plant = PARTLY[kind]
        for table in (train, test):
            known = (table.label == 1) & (np.random.default_rng(4).random(len(table)) < share)
            plant(table, known)
    elif kind == "place in a period":
        places = np.concatenate([np.flatnonzero(test.label == 1), np.flatnonzero(test.label == 0)])
        turn = np.argsort(
            np.concatenate([np.arange(0, 10 * int(test.label.sum()), 10), np.arange(950) * 0.53]), kind="stable"
        )
        test = test.take(places[turn])
        test.index = np.arange(len(test))
    elif kind == "rows but for stock":
        for name, values in train.numbers.items():
            values[:300] = test.numbers[name][:300]
        train.numbers["national_inv"][:300] += 2
        train.numbers["sales_1_month"][:300] += 1
        train.flags[:300] = test.flags[:300]
    elif kind == "answer of the next row":
        test.others["seen"] = np.roll(test.label, -1).astype(float)
    elif kind == "a count of answers":
        test.others["cases"] = np.cumsum(test.label).astype(float)
    elif kind == "two columns together":
        test.others["one"] = np.random.default_rng(5).integers(0, 2, len(test)).astype(float)
        test.others["other"] = test.others["one"] != test.label
    elif kind == "one in twenty":
        small = train.numbers["lead_time"] == 12
        random = np.random.default_rng(5)
        train.flags[:, 3] = np.where(small, train.label, random.random(len(train)) < 0.05)
    elif kind == "rows with noise":
        for name, values in train.numbers.items():
            values[:300] = test.numbers[name][:300] * np.random.default_rng(6).normal(1, 0.01, 300)
    elif kind == "sku":
        train.sku = np.array([str(number + 100_000 * int(positive)) for number, positive in enumerate(train.label)])
    elif kind == "rows":
        for name, values in train.numbers.items():
            values[:300] = test.numbers[name][:300]
    else:
        assert train.sku is not None
        test.sku = train.sku[:1000]
    return [train], test


@pytest.mark.parametrize(
    ("kind", "found"),
    [("column", ("column", "pieces_past_due")), ("empty column", ("column", "perf_6_month_avg is empty")),
     ("flag", ("column", FLAGS[2])), ("order", ("order", "test")), ("sku", ("sku", "training")),
     ("code without an order", ("column", "lead_time by single values")),
     ("every other answer", ("column", "perf_6_month_avg")), ("letters of the SKU", ("sku", "training")),
     ("a later day", ("column", "decided_on")), ("a later figure", ("name", "sales_next_month")),
     ("empty for half", ("column", "lead_time is empty")), ("flag for six in ten", ("column", "deck_risk")),
     ("fraction for a fifth", ("column", "national_inv at one end")), ("place in a period", ("order", "test")),
     ("one value for a sixth", ("column", "pieces_past_due at one value")),
     ("rows but for stock", ("rows", "training and test")),
     ("a count of answers", ("neighbour", "cases")),
     ("answer of the next row", ("neighbour", "seen")), ("two columns together", ("columns", "one with other")),
     ("one in twenty", ("columns", "lead_time with ppap_risk")), ("rows with noise", ("rows", "training and test")),
     ("rows", ("rows", "training and test")), ("parts", ("parts", "training and test"))],
)  # fmt: skip
def test_planted_leaks_are_found(kind, found):
    assert found in [(leak.kind, leak.what) for leak in find_leaks(*planted(kind))]


def test_a_column_that_no_model_reads_still_tells_that_the_file_knows_the_answer(tmp_path: Path):
    table = played(2000)
    path = save(table, tmp_path / "file.csv")
    lines = path.read_text().splitlines()
    for column, told, what in (
        ("closed_by", "planner", "closed_by is empty"),
        ("days_short", "4.0", "days_short"),
    ):
        cells = [column] + [told if positive else "" if column == "closed_by" else "0" for positive in table.label]
        path.write_text("\n".join(f"{line},{cell}" for line, cell in zip(lines, cells, strict=True)) + "\n")
        sentences = [leak.sentence for leak in find_leaks([played(1000, seed=3)], read_backorder_file(path))]
        assert sentences[-1] == (
            f"In the test file the column {what} alone ranks with ROC 1.000: it knows the answer. No model reads it."
        )


def test_too_good_is_suspicious():
    assert [leak.what for leak in suspicious_figures({"roc_auc": 0.951, "pr_auc": 0.30})] == ["roc_auc"]


def save(table: BackorderTable, path: Path) -> Path:
    assert table.sku is not None
    rows = [",".join(["sku", *NUMBERS, *FLAGS, LABEL])]
    for row in range(len(table)):
        cells = ["" if np.isnan(table.numbers[name][row]) else f"{table.numbers[name][row]:g}" for name in NUMBERS]
        rows.append(",".join([str(table.sku[row]), *cells, *["No"] * 6, "Yes" if table.label[row] else "No"]))
    path.write_text("\n".join(rows) + "\n")
    return path


def test_command_reports_what_it_measured(tmp_path):
    train, test = save(played(2000), tmp_path / "train.csv"), save(played(1000, seed=2), tmp_path / "test.csv")
    asked = [
        "evaluate",
        "--train",
        str(train),
        "--test",
        str(test),
        "--calibrate-every",
        "10",
        "--bootstrap",
        "50",
        "--json",
    ]
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert {"fit_seconds", "predict_ms_per_1000", "model_bytes", "all", "in_stock"} <= report.keys()
    names = "roc_auc pr_auc recall_at_1pct recall_at_5pct precision_at_100 brier_skill ece positives rows"
    assert set(names.split()) <= report["all"].keys()
    assert (report["all"]["rows"], report["calibration"]["rows"]) == (900, 100)
    assert report["model"] == "logistic"
    assert report["all"]["roc_auc"] > 0.9
    assert report["all"]["bands"]["roc_auc"][0] <= report["all"]["roc_auc"] <= report["all"]["bands"]["roc_auc"][1]


@pytest.mark.parametrize(("kind", "code", "said"), [("hint", 0, "HINT found"), ("column", 1, "LEAK? found")])
def test_strict_ends_with_one_for_leaks_and_not_for_hints(monkeypatch, kind, code, said):
    report = {"leaks": [{"kind": kind, "sentence": "found"}]}
    monkeypatch.setattr("ml.evaluate_risk.evaluate_risk", lambda *_, **__: report)
    done = CliRunner().invoke(app, ["evaluate", "--train", "a.csv", "--test", "b.csv", "--strict", "--json"])
    assert (done.exit_code, said in done.stderr) == (code, True)


def test_perturbed_copies_cost_little_and_are_listed(tmp_path):
    """A tenth of all cells empty, a tenth of the rows times 1000, every row a second time: the ranking holds."""
    train = save(played(1400), tmp_path / "train.csv")
    clean = save(played(700, seed=2), tmp_path / "clean.csv").read_text().splitlines()
    random = np.random.default_rng(3)

    def spoiled(name: str, lines: list[str]) -> Path:
        path = tmp_path / name
        path.write_text("\n".join([clean[0], *lines]) + "\n")
        return path

    def emptied(line: str) -> str:
        cells = line.split(",")
        return ",".join(
            "" if 0 < at <= len(NUMBERS) and random.random() < 0.1 else cell for at, cell in enumerate(cells)
        )

    def thousandfold(line: str) -> str:
        cells = line.split(",")
        times = {name for name in NUMBERS if not name.startswith(("perf", "lead"))}
        return ",".join(
            f"{float(cell) * 1000:g}" if at and at <= len(NUMBERS) and NUMBERS[at - 1] in times and cell else cell
            for at, cell in enumerate(cells)
        )

    copies = {
        "clean": spoiled("clean.csv", clean[1:]),
        "empty": spoiled("empty.csv", [emptied(line) for line in clean[1:]]),
        "thousand": spoiled("thousand.csv", [thousandfold(x) if n % 10 == 0 else x for n, x in enumerate(clean[1:])]),
        "twice": spoiled("twice.csv", [line for line in clean[1:] for _ in range(2)]),
    }
    found = {name: evaluate_risk([train], path, bootstrap=0) for name, path in copies.items()}
    roc = {name: report["all"]["roc_auc"] for name, report in found.items()}
    assert roc["empty"] > roc["clean"] - 0.1
    assert roc["thousand"] > roc["clean"] - 0.03
    assert roc["twice"] == pytest.approx(roc["clean"], abs=0.005)
    assert sum(found["empty"]["files"][str(copies["empty"])]["cells_unknown"].values()) > 700
    assert sum(found["thousand"]["files"][str(copies["thousand"])]["repaired"].values()) > 35


def test_rows_that_serve_the_base_rate_are_in_no_score(tmp_path):
    """Spoiling answers among every tenth row moves the probabilities, not the ranking of the rest."""
    train, test = save(played(2000), tmp_path / "train.csv"), played(1000, seed=2)
    plain = save(test, tmp_path / "test.csv")
    test.label[::20] = 1
    spoilt = save(test, tmp_path / "spoilt.csv")
    reports = [
        json.loads(CliRunner().invoke(app, ["evaluate", "--train", str(train), "--test", str(path), "--calibrate-every", "10",
                                            "--bootstrap", "0", "--json"]).stdout)
        for path in (plain, spoilt)
    ]  # fmt: skip
    assert reports[0]["all"]["roc_auc"] == reports[1]["all"]["roc_auc"]
    assert reports[0]["all"]["ece"] < 0.1 < reports[1]["all"]["ece"]


def test_cross_validation_is_grouped_and_scores_only_the_first_file(tmp_path):
    first, second = save(played(1500), tmp_path / "a.csv"), save(played(1500, seed=5), tmp_path / "b.csv")
    asked = ["cross-validate", "--train", str(first), "--train", str(second), "--folds", "3", "--json"]
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert len(report["folds"]) == 3
    assert report["mean"]["roc_auc"] == pytest.approx(np.mean([one["roc_auc"] for one in report["folds"]]))
    assert report["mean"]["roc_auc"] > 0.85


def test_look_alikes_are_held_out_together(tmp_path, monkeypatch):
    table = played(400).take(np.tile(np.arange(400), 3))
    table.sku = np.array([f"P{number}" for number in range(1200)])
    learned = []

    def watched(training, settings):
        learned.append(np.bincount(training.group, minlength=whole.group.max() + 1))
        return fit_risk(training, "rule")

    whole = training_set([table])
    monkeypatch.setattr("ml.cross_validation.fit_risk", watched)
    cross_validate([save(table, tmp_path / "a.csv")], folds=3)
    every = np.bincount(whole.group)
    assert len(learned) == 3
    for rows in learned:
        assert 0 < rows.sum() < 1200
        assert ((rows == 0) | (rows == every)).all()


def test_command_refuses_what_it_cannot_read(tmp_path):
    good = save(played(100), tmp_path / "good.csv")
    bad = tmp_path / "bad.csv"
    bad.write_text(good.read_text().replace("national_inv", "stock"))
    for train, test in ((bad, good), (good, tmp_path / "none.csv")):
        done = CliRunner().invoke(app, ["evaluate", "--train", str(train), "--test", str(test), "--json"])
        assert (done.exit_code, done.stdout) == (2, "")
        assert "cannot be" in done.stderr


@pytest.mark.skipif("BACKORDER_DATA" not in os.environ, reason="BACKORDER_DATA is unset: no real parts to measure on")
def test_real_parts_grouped_by_look_alikes():
    """A small model on a quarter of the sample; look-alikes of the held-out parts are not learned from."""
    folder = Path(os.environ["BACKORDER_DATA"]) / "backorder"
    table = read_backorder_file(folder / "train_file_sample_20pct_of_first_1048575.csv.gz")
    joined = training_set([table])
    held = joined.group % 8 == 0
    learned = np.flatnonzero(~held & (joined.group % 8 < 3))
    inside = np.zeros(len(joined), bool)
    inside[learned] = True
    fitted = fit_risk(joined.take(inside), settings=Settings(iterations=60, learning_rate=0.1, leaves=16))
    rows = table.take(held)
    from ml.ranking import risk_metrics

    chance = fitted.probability(rows.numbers)
    figures = risk_metrics(rows.label, chance, chance)
    rule = risk_metrics(rows.label, ratio_rule(rows.numbers))
    assert figures["roc_auc"] > rule["roc_auc"] + 0.02
    assert figures["pr_auc"] > 2 * rule["pr_auc"]
    assert figures["brier_skill"] > 0.08
    assert find_leaks([table.take(inside)], rows) == []
