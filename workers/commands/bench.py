"""`manage.py bench`: our figures beside their yardsticks, measured in one run on this machine."""

from __future__ import annotations

import importlib
import sys
import time
from importlib.util import find_spec
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from workers.commands.benchmarks.goals import judged

BENCHMARKS = {
    "availability": "Availability of 60 pairs, and of one pair with 10 to 10,000 events.",
    "place_orders": "Orders of three lines through GraphQL, on many SKUs and on one.",
    "site_choice": "Which locations ship an order.",
    "repromise": "Re-promising a million open lines: compute, and with reading and writing.",
    "answers": "Availability of 60 pairs over HTTP, asked again while nothing has changed.",
    "subscribers": "A thousand WebSocket subscribers of one SKU.",
    "edi_sets": "Validated 855 transaction sets per second and core.",
    "edi_backlog": "A stock report of 13,000 lines; a backlog of answers drained by two bulk workers, and the fast queue beside it.",
}
PACKAGE = "workers.commands.benchmarks"


def available() -> list[str]:
    """The benchmarks of this version, in the order in which they run."""
    return [name for name in BENCHMARKS if find_spec(f"{PACKAGE}.{name}") is not None]


def measure(name: str) -> list[dict[str, Any]]:
    """Run one benchmark; each row has name, figure, unit, yardstick, yardstick_figure and ratio (figure / yardstick)."""
    rows = importlib.import_module(f"{PACKAGE}.{name}").measure()
    rows = [rows] if isinstance(rows, dict) else rows
    return [{"benchmark": name, **row} for row in rows]


def _number(value: object) -> str:
    return "" if value is None else f"{value:,.3g}" if isinstance(value, float) and value < 100 else f"{value:,.0f}"


def _print(rows: list[dict[str, Any]]) -> None:
    table = Table(title="Our figure beside its yardstick, same run; compare ratios, not runs")
    for title in ("what", "figure", "unit", "yardstick", "its figure", "ratio", "to reach", "reached"):
        table.add_column(title, justify="right" if title in ("figure", "its figure", "ratio") else "left")
    for row in rows:
        table.add_row(
            row["name"],
            _number(row["figure"]),
            row["unit"],
            row["yardstick"],
            _number(row["yardstick_figure"]),
            "" if row["ratio"] is None else f"{row['ratio']:.3g}",
            row["reach"] or "",
            {None: "", True: "yes", False: "NO"}[row["reaches"]],
        )
    Console(width=160 if not sys.stdout.isatty() else None).print(table)


def bench(
    names: Annotated[list[str] | None, typer.Argument(help="Which benchmarks; all without any.")] = None,
    as_list: Annotated[bool, typer.Option("--list", help="Say which there are, and stop.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object: rows (with reach and reaches), seconds.")
    ] = False,
) -> None:
    """Measure what the README quotes, each figure beside a yardstick that runs in the same minute.

    A benchmark starts its own private servers, asserts the results that it times, and removes what it made. Wall times
    move from run to run: compare the ratios. Exit code 1 when a result was wrong, 2 for an unknown name.
    """
    there = available()
    if as_list:
        sys.stdout.write("".join(f"{name:14} {BENCHMARKS[name]}\n" for name in there))
        return
    unknown = [name for name in names or () if name not in there]
    if unknown:
        sys.stderr.write(f"There is no benchmark {unknown[0]!r}; there are {', '.join(there)}.\n")
        raise typer.Exit(2)
    rows: list[dict[str, Any]] = []
    wrong = False
    begun = time.monotonic()
    for name in names or there:
        sys.stderr.write(f"{name}: {BENCHMARKS[name]}\n")
        try:
            rows += [judged(row) for row in measure(name)]
        except AssertionError as error:
            wrong = True
            sys.stderr.write(f"{name}: the result that was timed is wrong: {error}\n")
    if as_json:
        report = {"rows": rows, "seconds": round(time.monotonic() - begun, 1)}
        sys.stdout.write(msgspec.json.encode(report).decode() + "\n")
    else:
        _print(rows)
    if wrong:
        raise typer.Exit(1)
