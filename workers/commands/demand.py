"""`manage.py demand`: how good, how biased and how quick demand forecasts are, on a history file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workers.commands.learning_output import Json, learning, print_json, print_table, say

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def demand() -> None:
    """What will be asked for, as a distribution."""


@app.command()
def evaluate(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="One row per series: its name, then a column per period.")
    ],
    horizon: Annotated[int, typer.Option(min=1, help="Periods to forecast together.")] = 3,
    origins: Annotated[int, typer.Option(min=1, help="Blocks of that many periods at the end to judge.")] = 4,
    as_json: Json = False,
) -> None:
    """Forecast every series at past origins, method chosen per series by a backtest before the origin, and judge.

    Read: rmsse (root mean squared error; 1 is "as last period"), bias (0 is none), coverage (of the quantiles of the
    demand over the horizon; .95 should hold .95), seconds_per_10000. Mean absolute errors are not shown: on
    intermittent demand they reward the forecast "nothing", which stands beside for comparison ("zero").

    FILE is a CSV, plain or gzipped; empty cells are unknown. Exit codes: 0 done, 2 wrong usage, or an unusable file.
    """
    with learning():
        from ml.evaluate_demand import evaluate_demand

        report = evaluate_demand(file, horizon, origins, say)
    if as_json:
        print_json(report)
        return
    methods = {"chosen per series": report, **report["methods"]}
    print_table(
        f"Demand, {report['series']:,} series at {report['origins']} origins, {report['horizon']} periods each",
        ("method", "RMSSE", "median", "pooled", "bias", "chosen"),
        [[name, one["rmsse"], one["rmsse_median"], one["rmsse_pooled"], one["bias"], report["chosen"].get(name)]
         for name, one in methods.items()],
    )  # fmt: skip
    others = (report["coverage_uncorrected"], report["coverage_normal"])
    print_table(
        "Coverage of the demand over the horizon", ("meant", "reached", "uncorrected", "normal"),
        [[level, share, *[other[level] for other in others]] for level, share in report["coverage"].items()],
    )  # fmt: skip
    print_table(
        "Time", ("", "seconds"), [["these series", report["seconds"]], ["10,000 series", report["seconds_per_10000"]]]
    )
    print_table("File", ("", "count"), list(report["file"].items()))
