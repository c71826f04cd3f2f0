"""`manage.py dates`: how often goods come by the day that was said, and how far off that day is, on a file."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from core.domain.learning_plots import MOST_BARS, coverage_plot
from core.queries.date_spreads import stage_spreads, supplier_coverage, supplier_spreads
from core.unit_of_work import UnitOfWork
from workers.commands.connection import DataOption, operator_settings, run_on, said_plainly
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
    for sentence in report["suspicions"]:
        say(f"LEAK? {sentence}")
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


@app.command()
def report(
    out: Annotated[Path, typer.Option(help="Folder for coverage.svg.")] = Path("."),
    data: DataOption = None,
    as_json: Json = False,
) -> None:
    """The running system: how far suppliers' stated days are off, how long our own stages take, and whether what was said of
    both was kept.

    Writes coverage.svg: by supplier, the share of the last half-year's deliveries that came by the P80 said before, .80 is
    meant; those with the most deliveries.
    Exit codes: 0 done, 1 refused by the system, 2 no system.
    """

    async def look(uow: UnitOfWork) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[Any]]:
        names = {row["id"]: row["code"] for row in await uow.sql.fetch("select id, code from supplier")}
        rows = await supplier_spreads(uow.sql)
        shown = [
            {**dict(row), "supplier": names[row["supplier_id"]], "computed_at": row["computed_at"].isoformat()}
            for row in rows
        ]
        places = {row["id"]: row["code"] for row in await uow.sql.fetch("select id, code from location")}
        own = [
            {**dict(row), "location": places.get(row["location_id"]), "destination": places.get(row["destination_id"]),
             "computed_at": row["computed_at"].isoformat()}
            for row in await stage_spreads(uow.sql)
        ]  # fmt: skip
        return shown, own, list(await supplier_coverage(uow.sql, MOST_BARS))

    with said_plainly():
        rows, stages, covered = run_on(operator_settings(data), look)
    written: list[str] = []
    for drawn in coverage_plot(covered).values():
        out.mkdir(parents=True, exist_ok=True)
        path = out / "coverage.svg"
        path.write_text(drawn, encoding="utf-8")
        written.append(str(path))
    if as_json:
        print_json({"suppliers": rows, "stages": stages, "charts": written})
        return
    shown = (
        "supplier",
        "basis",
        "observations",
        "bias",
        "spread",
        "p50",
        "p80",
        "p95",
        "coverage_p50",
        "coverage",
        "coverage_p95",
        "judged",
    )
    print_table("Stated days of suppliers", shown, [[_shown(row, name) for name in shown] for row in rows])
    columns = ("stage", "location", "destination", *shown[2:])
    print_table("Stages of our own", columns, [[_shown(row, name) for name in columns] for row in stages])
    for name in written:
        say(f"Wrote {name}.")


def _shown(row: Mapping[str, Any], name: str) -> Any:
    """A level that no day holds is told as such."""
    return "never" if name in {f"p{level}" for level in row["untold"]} else row[name]
