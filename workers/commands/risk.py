"""`manage.py risk`: how well the backorder risk is ranked and how honest its probabilities are, on files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from core.domain.learning_plots import model_plots
from core.queries.learning_models import models_of, track_record
from core.services.keep_model import RISK, roll_back_model
from core.unit_of_work import UnitOfWork
from workers.commands.connection import DataOption, operator_settings, run_on, said_plainly
from workers.commands.learning_output import Json, figure, learning, print_json, print_table, say

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

LEAK_FOUND = 1
SHOWN = ("roc_auc", "pr_auc", "recall_at_1pct", "recall_at_5pct", "precision_at_100", "brier_skill", "ece")


@app.callback()
def risk() -> None:
    """Which items are about to go short, how sure that is, and why."""


@app.command()
def evaluate(
    train: Annotated[list[Path], typer.Option(help="Training file; those after the first only add positives.")],
    test: Annotated[Path, typer.Option(help="File to score once; nothing is learned from it.")],
    calibrate_every: Annotated[
        int | None,
        typer.Option(min=2, help="Let every Nth test row (index mod N = 0) serve the base rate, and score it nowhere."),
    ] = None,
    bootstrap: Annotated[int, typer.Option(min=0, help="Draws for the 5-95 % bands; 0 for none.")] = 200,
    strict: Annotated[bool, typer.Option("--strict", help="End with code 1 when a leak is suspected.")] = False,
    as_json: Json = False,
) -> None:
    """Fit on training files, score a test file, and report with bands, for all rows and for those that have stock.

    The files have the columns of the public backorder set (CSV, plain or gzipped). The probability of each row comes from
    boosted trees, under 200 positives from logistic regression, under 50 from the ratio rule. Read: roc_auc, pr_auc
    (ranking), recall at the riskiest 1 % and 5 %, brier_skill (probabilities against always saying the rate; above
    0 is better), ece (how far probabilities are from what happens). Accuracy is never shown: "never short" has 99 %.

    Broken rows and cells are counted under "files"; ways in which the answer leaked into the question under "leaks".
    Exit codes: 0 done, 1 a leak is suspected (with --strict), 2 wrong usage, or a file that cannot be used.
    """
    with learning():
        from ml.evaluate_risk import evaluate_risk

        report = evaluate_risk(train, test, calibrate_every=calibrate_every, bootstrap=bootstrap, say=say)
    for leak in report["leaks"]:
        say(f"{'HINT' if leak['kind'] == 'hint' else 'LEAK?'} {leak['sentence']}")
    if as_json:
        print_json(report)
    else:
        _print(report)
    if strict and any(leak["kind"] != "hint" for leak in report["leaks"]):
        raise typer.Exit(LEAK_FOUND)


@app.command("cross-validate")
def cross_validate(
    train: Annotated[list[Path], typer.Option(help="Training file; those after the first only add positives.")],
    folds: Annotated[int, typer.Option(min=2, help="Parts the look-alikes are divided into.")] = 5,
    as_json: Json = False,
) -> None:
    """Judge the model on training files alone: what to do before anybody looks at a test file.

    Look-alikes (the same part under another name) stay together: sellers by minimum stock, lead time, on-time share
    and long forecast, items without sales by all columns. Exit codes: 0 done, 2 wrong usage, or an unusable file.
    """
    with learning():
        from ml.cross_validation import cross_validate as judge

        report = judge(train, folds, say=say)
    if as_json:
        print_json(report)
        return
    columns = ("", "mean", *[str(number + 1) for number in range(len(report["folds"]))], "ratio rule")
    rows = [
        [name, report["mean"].get(name), *[one[name] for one in report["folds"]], report["ratio_rule"].get(name)]
        for name in SHOWN
    ]
    print_table(f"Cross-validation over {report['groups']:,} groups of look-alikes", columns, rows)


def _print(report: dict[str, Any]) -> None:
    rows = []
    for name in SHOWN:
        row: list[Any] = [name]
        for part in ("all", "in_stock"):
            low, high = report[part]["bands"].get(name, (None, None))
            row += [report[part][name], f"{figure(low)} to {figure(high)}"]
        rows.append(
            [*row, *[report["baselines"].get(base, {}).get("all", {}).get(name) for base in ("ratio_rule", "logistic")]]
        )
    counts = f"{report['all']['rows']:,} rows, {report['all']['positives']:,} positive"
    columns = ("", "all", "5 % to 95 %", "in stock", "5 % to 95 %", "ratio rule", "logistic")
    print_table(f"Backorder risk ({report['model']}), {counts}", columns, rows)
    costs = (
        "fit_seconds",
        "predict_ms_per_1000",
        "predict_cpu_ms_per_1000",
        "model_bytes",
        "mean_prediction_over_rate",
    )
    print_table("What it costs", ("", "figure"), [[name, report[name]] for name in costs])
    if report["calibration"]:
        served = report["calibration"]
        say(
            f"{served['rows']:,} test rows (every {served['every']}th) served the base rate and are left out of every score."
        )
    print_table(
        "Riskiest", ("item", "chance", "because"),
        [[item["sku"] or item["row"], item["probability"], " ".join(reason["en"] for reason in item["reasons"])]
         for item in report["riskiest"]],
    )  # fmt: skip
    faults = [
        [Path(path).name, kind, reason, count]
        for path, found in report["files"].items()
        for kind in ("rejected", "cells_unknown", "repaired", "suspects")
        for reason, count in found[kind].items()
    ]
    print_table("Broken rows and cells", ("file", "", "reason", "count"), faults)


@app.command()
def report(
    out: Annotated[Path, typer.Option(help="Folder for calibration.svg and backtest.svg.")] = Path("."),
    data: DataOption = None,
    as_json: Json = False,
) -> None:
    """The models of the running system: who speaks, how good each was on unseen days, and what came of what they said.

    Writes calibration.svg (said against came, by tenths of the judged rows) of the model that speaks, and backtest.svg
    (precision of each model beside the ratio rule). Exit codes: 0 done, 1 refused by the system, 2 no system.
    """

    async def look(uow: UnitOfWork) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        models = [dict(row) for row in await models_of(uow.sql, RISK)]
        return models, [dict(row) for row in await track_record(uow.sql, RISK)]

    with said_plainly():
        models, record = run_on(operator_settings(data), look)
    written: list[str] = []
    charts = {f"{kind.lower()}.svg": text for kind, text in model_plots(models).items()}
    if charts:
        out.mkdir(parents=True, exist_ok=True)
    for name, text in charts.items():
        (out / name).write_text(text, encoding="utf-8")
        written.append(str(out / name))
    if as_json:
        shown = ("id", "spoke", "state", "rows", "positives", "cause", "verdict", "metrics", "baseline")
        print_json({"models": [{name: model[name] for name in shown} for model in models],
                    "record": [{**row, "first_day": str(row["first_day"]), "last_day": str(row["last_day"])} for row in record],
                    "charts": written})  # fmt: skip
        return
    print_table(
        "Models", ("id", "speaks", "state", "positives", "PR-AUC", "rule", "verdict"),
        [[m["id"], m["spoke"], m["state"], m["positives"], m["metrics"].get("pr_auc"), m["baseline"].get("pr_auc"), m["verdict"]]
         for m in models],
    )  # fmt: skip
    for name in written:
        say(f"Wrote {name}.")


@app.command()
def rollback(
    model: Annotated[
        int | None, typer.Option(min=1, help="Id of a model that spoke before; default: the last one.")
    ] = None,
    reason: Annotated[str, typer.Option(help="Why; goes into the audit log.")] = "",
    data: DataOption = None,
) -> None:
    """Let an earlier model speak again at once; everything is scored anew. Exit codes: 0 done, 1 there is none, 2 no system."""
    with said_plainly():
        speaks = run_on(operator_settings(data), lambda uow: roll_back_model(uow, RISK, model, reason))
    say(f"Model {speaks} speaks again.")
