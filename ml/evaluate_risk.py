"""Fits the risk model on training files, scores a test file once, and says how good, how sure and how quick it is."""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.backorder_file import BackorderTable, read_backorder_file
from ml.backorder_risk import RiskModel, act_above, fit_risk
from ml.calibration import mean_ratio, prior_shift
from ml.leaks import find_leaks, suspicious_figures
from ml.ranking import bootstrap_bands, risk_metrics
from ml.risk_explanation import explain
from ml.risk_features import ratio_rule
from ml.risk_training import training_set

Floats = NDArray[np.float64]
Say = Callable[[str], None]

EARLY_WARNING = "in_stock"
TIMED_ROWS = 1000
TIMED_SECONDS = 2.0
SHOWN_ITEMS = 5
COST_OF_ACTING = 1.0
COST_OF_BACKORDER = 20.0


def evaluate_risk(
    train: list[Path],
    test: Path,
    *,
    calibrate_every: int | None = None,
    bootstrap: int = 200,
    say: Say = lambda _: None,
) -> dict[str, Any]:
    """Everything of reference/ml.md section 1 item 3 for all rows and for those with stock (`national_inv > 0`).

    `calibrate_every` = n lets the test rows with index mod n = 0 serve the base rate; they are left out of every
    score. Raises UnreadableFile for a file that is not in the layout.
    """
    say(f"Reading {', '.join(path.name for path in [*train, test])} ...")
    tables = [read_backorder_file(path) for path in train]
    tested = read_backorder_file(test)
    training = training_set(tables)
    say(f"Fitting on {len(training):,} rows, {int(training.label.sum()):,} of them positive ...")
    start, cpu = time.perf_counter(), time.process_time()
    model = fit_risk(training)
    fit_seconds, fit_cpu = time.perf_counter() - start, time.process_time() - cpu
    baselines: dict[str, RiskModel] = {"ratio_rule": fit_risk(training, "rule")}
    if model.kind == "boosted":
        say("Fitting the baselines ...")
        baselines["logistic"] = fit_risk(training, "logistic")
    say(f"Scoring {len(tested):,} rows ...")
    model_bytes = len(pickle.dumps(model.estimator))
    served = _serves_calibration(tested, calibrate_every)
    scored = tested.take(~served & ~_repeated(tested))
    calibration: dict[str, Any] = {"rows": int(served.sum()), "left_out_of_every_score": True, "every": calibrate_every}
    if served.any():
        shift = prior_shift(model.probability(tested.take(served).numbers), float(tested.label[served].mean()))
        model = model.calibrated(shift)
        calibration |= {"rate": float(tested.label[served].mean()), "log_odds_shift": shift.shift}
    report = _scored(model, scored, bootstrap)
    milliseconds, cpu_milliseconds = _milliseconds(model, tested)
    leaks = find_leaks(tables, tested) + suspicious_figures(report["all"])
    return {
        **report,
        "model": model.kind,
        "fit_seconds": round(fit_seconds, 3),
        "fit_cpu_seconds": round(fit_cpu, 3),
        "predict_ms_per_1000": round(milliseconds, 3),
        "predict_cpu_ms_per_1000": round(cpu_milliseconds, 3),
        "model_bytes": model_bytes,
        "calibration": calibration if calibrate_every else None,
        "mean_prediction_over_rate": mean_ratio(model.probability(scored.numbers), scored.label),
        "baselines": {name: _baseline(other, scored) for name, other in baselines.items()},
        "leaks": [leak.as_json() for leak in leaks],
        "training": {
            "rows": len(training), "positives": int(training.label.sum()), "rate": training.rate,
            "added_positives": training.added_positives, "duplicates_dropped": training.duplicates_dropped,
            "repeated_rows_dropped": training.repeated_dropped,
        },
        "acting": _acting(model, scored),
        "riskiest": _riskiest(model, scored),
        "files": {str(path): table.findings.as_json() for path, table in zip([*train, test], [*tables, tested], strict=True)},
    }  # fmt: skip


def _serves_calibration(table: BackorderTable, every: int | None) -> NDArray[np.bool_]:
    return table.index % every == 0 if every else np.zeros(len(table), bool)


def _repeated(table: BackorderTable) -> NDArray[np.bool_]:
    """Rows that stand in the file before, under the same SKU: a repeated snapshot is scored once."""
    repeated = np.zeros(len(table), bool)
    if table.sku is not None:
        repeated[:] = True
        repeated[np.unique(table.row_keys(with_sku=True), return_index=True)[1]] = False
    return repeated


def _scored(model: RiskModel, table: BackorderTable, bootstrap: int) -> dict[str, Any]:
    chance = model.probability(table.numbers)
    in_stock = np.nan_to_num(table.numbers["national_inv"]) > 0
    report = {}
    for name, rows in (("all", np.ones(len(table), bool)), (EARLY_WARNING, in_stock)):
        label, chances = table.label[rows], chance[rows]
        figures: dict[str, Any] = {**risk_metrics(label, chances, chances)}
        figures |= {"positives": int(label.sum()), "rows": len(label)}
        figures["bands"] = bootstrap_bands(label, chances, chances, bootstrap) if bootstrap else {}
        report[name] = figures
    return report


def _baseline(model: RiskModel, table: BackorderTable) -> dict[str, Any]:
    chance = model.probability(table.numbers)
    score = ratio_rule(table.numbers) if model.kind == "rule" else chance
    in_stock = np.nan_to_num(table.numbers["national_inv"]) > 0
    return {
        "all": risk_metrics(table.label, score, chance),
        EARLY_WARNING: risk_metrics(table.label[in_stock], score[in_stock], chance[in_stock]),
    }


def _milliseconds(model: RiskModel, table: BackorderTable) -> tuple[float, float]:
    """The quickest of many batches of 1,000 rows, features included, and its processor time: other programs only slow
    some of them down."""
    rows = np.resize(np.arange(len(table)), TIMED_ROWS)
    numbers = {name: values[rows] for name, values in table.numbers.items()}
    times, busy = [], []
    until = time.perf_counter() + TIMED_SECONDS
    while len(times) < 5 or time.perf_counter() < until:
        start, cpu = time.perf_counter(), time.process_time()
        model.probability(numbers)
        times.append(time.perf_counter() - start)
        busy.append(time.process_time() - cpu)
    return min(times) * 1000, min(busy) * 1000


def _acting(model: RiskModel, table: BackorderTable) -> dict[str, Any]:
    """What acting on every item above the threshold by cost would have caught; the costs are an example."""
    threshold = act_above(COST_OF_ACTING, COST_OF_BACKORDER)
    alarmed = model.probability(table.numbers) > threshold
    caught = int((table.label[alarmed] == 1).sum())
    return {
        "threshold": threshold, "cost_of_acting": COST_OF_ACTING, "cost_of_backorder": COST_OF_BACKORDER,
        "alarms": int(alarmed.sum()), "caught": caught, "saved": caught * COST_OF_BACKORDER - int(alarmed.sum()) * COST_OF_ACTING,
    }  # fmt: skip


def _riskiest(model: RiskModel, table: BackorderTable) -> list[dict[str, Any]]:
    chance = model.probability(table.numbers)
    first = np.argsort(-chance, kind="stable")[:SHOWN_ITEMS]
    shown = table.take(first)
    return [
        {
            "row": int(shown.index[place]), "sku": None if shown.sku is None else str(shown.sku[place]),
            "probability": round(float(chance[first[place]]), 4),
            "reasons": [{"code": reason.code, "weight": round(reason.weight, 3), "en": reason.say("en"), "ko": reason.say("ko")}
                        for reason in reasons],
        }
        for place, reasons in enumerate(explain(model, shown.numbers))
    ]  # fmt: skip
