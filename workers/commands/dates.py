"""`manage.py dates`: how often goods come by the day that was said, and how far off that day is, on a file."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from workers.commands.learning_output import Json, learning, print_json, print_table, say

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

SHOWN = ("lines", "p50_coverage", "p80_coverage", "p90_coverage", "p95_coverage", "p90_pinball", "table_p90_pinball",
         "promise_p90_pinball", "p50_mae", "promise_mae")  # fmt: skip


@app.callback()
def dates() -> None:
    """When promised goods really come, as a distribution."""


@app.command()
def evaluate(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Delivery history in the SCMS layout (CSV or .csv.gz).")],
    start: Annotated[
        datetime | None,
        typer.Option(
            "--from", formats=["%Y-%m-%d"], help="Judge from this day on; default: the second half of the history."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Play a delivery history half-year by half-year, and compare what was expected with what came.

    At the start of each half-year the delays known by then give P50, P80, P90 and P95 of the delay of every line promised
    in it. Read: p90_coverage (share that came by its P90; .90 is meant), p90_pinball (days; lower is better) beside
    the plain table of the last twelve months and the promise as it is, p50_mae beside promise_mae (mean days off).

    Needed columns: Scheduled Delivery Date, Delivered to Client Date, Fulfill Via, Vendor, Country.
    Exit codes: 0 done, 2 wrong usage, or a file that cannot be used.
    """
    with learning():
        from ml.evaluate_dates import evaluate_dates

        report = evaluate_dates(file, start.date() if start else None, say=say)
    if as_json:
        print_json(report)
        return
    print_table("Dates", ("", "all", *[half["from"] for half in report["half_years"]]),
                [[name, report[name], *[half[name] for half in report["half_years"]]] for name in SHOWN])  # fmt: skip
    print_table(
        "Suppliers", ("supplier", "lines", "P90 coverage", "P90 pinball", "table"),
        [[one["supplier"], one["lines"], one["p90_coverage"], one["p90_pinball"], one["table_p90_pinball"]]
         for one in report["suppliers"]],
    )  # fmt: skip
    print_table("File", ("", "lines"), list(report["file"].items()))
