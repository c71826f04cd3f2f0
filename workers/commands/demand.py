"""`manage.py demand`: how good, how biased and how quick demand forecasts are, on a history file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workers.commands.connection import DataOption, operator_settings, run_on, said_plainly
from workers.commands.learning_output import Json, learning, print_json, print_table, say

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def demand() -> None:
    """What will be asked for, as a distribution."""


@app.command("import")
def import_drivers(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="CSV with the columns series, sku (may be empty), day, value.")
    ],
    data: DataOption = None,
    as_json: Json = False,
) -> None:
    """Import figures that may move demand: prices of SKUs (series "price"), or series for all (weather, a rate, searches).

    Forecasts use a series from the next run on, where it wins the backtest. A figure of the same day is replaced. Days are
    ISO; rows that cannot be read are counted and left out. Exit codes: 0 done, 1 refused by the system, 2 no system, or an
    unusable file.
    """
    with learning():
        from core.services.import_demand_drivers import import_demand_drivers
        from ml.driver_file import read_driver_file

        found = read_driver_file(file)
    with said_plainly():
        done = run_on(operator_settings(data), lambda uow: import_demand_drivers(uow, found.rows))
    report = {"rows": done.rows, "unknown_skus": done.unknown_skus, "rejected": found.rejected}
    if as_json:
        print_json(report)
        return
    print_table(
        "Imported", ("", "count"), [["rows", done.rows], *([reason, count] for reason, count in found.rejected.items())]
    )
    if done.unknown_skus:
        say(
            f"Nobody knows the SKUs {', '.join(done.unknown_skus[:10])}{' ...' if len(done.unknown_skus) > 10 else ''}."
        )


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
        "Time",
        ("", "seconds"),
        [
            ["these series", report["seconds"]],
            ["10,000 series", report["seconds_per_10000"]],
            ["10,000 series, processor", report["cpu_seconds_per_10000"]],
        ],
    )
    print_table("File", ("", "count"), list(report["file"].items()))
