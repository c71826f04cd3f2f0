"""`manage.py replenish`: what a stock policy would have cost and served, played on a demand history."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from workers.commands.learning_output import Json, learning, print_json, print_table, say

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def replenish() -> None:
    """How much stock is enough."""


@app.command()
def simulate(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="One row per item: its name, then a column per period; lead_time, cost if known."
        ),
    ],
    lead_time: Annotated[
        float, typer.Option(min=0, help="Periods from order to receipt, where the file names none.")
    ] = 2.0,
    lead_time_sd: Annotated[float, typer.Option(min=0, help="Standard deviation of it, periods.")] = 0.0,
    start: Annotated[
        int | None, typer.Option("--from", min=6, help="First period to play; default: the second half.")
    ] = None,
    holding_cost: Annotated[float, typer.Option(min=0, help="Of a unit in stock, per period and unit cost.")] = 0.02,
    backorder_cost: Annotated[float, typer.Option(min=0, help="Of a unit not served at once, per unit cost.")] = 1.0,
    order_cost: Annotated[float, typer.Option(min=0, help="Of an order; above 0 orders are at least the EOQ.")] = 0.0,
    seed: Annotated[int, typer.Option(help="Of drawn lead times and of the bootstrap.")] = 1,
    as_json: Json = False,
) -> None:
    """Play demand period by period against order-up-to levels, at many service levels: stock, fill rate, cost as a curve.

    Each period what is due arrives, demand is served or owed, and the position is raised to a level that rests on what
    was known by then. Three ways to make the level: negative binomial (forecast chosen per item, levels put right),
    bootstrap of the item's past, and the yardstick normal(mean, sd). Read: coverage (how often the demand until the next
    order could arrive stayed within the level) against the service level that was asked for; level_multiple (the
    level over the mean demand of that time, mean over items); and what the yardstick covers with the same stock.

    Exit codes: 0 done, 2 wrong usage, or a file that cannot be used.
    """
    with learning():
        from ml.evaluate_replenishment import Costs, simulate_replenishment

        costs = Costs(holding_cost, backorder_cost, order_cost)
        report = simulate_replenishment(file, lead_time, lead_time_sd, start, costs, seed, say=say)
    if as_json:
        print_json(report)
    else:
        _print(report)


def _print(report: dict[str, Any]) -> None:
    names = (
        "service_level",
        "coverage",
        "level_multiple",
        "periods_without_backlog",
        "fill_rate",
        "stock",
        "cost_per_period",
    )
    for method, curve in report["curves"].items():
        print_table(
            f"{method}: {report['items']:,} items, {report['periods_played']} periods",
            names, [[point[name] for name in names] for point in curve],
        )  # fmt: skip
    rows = []
    for one in report["targets"]:
        for method in ("negative_binomial", "bootstrap"):
            told = one[method]
            rows.append([method, one["target"], told["coverage"], one["normal"]["coverage"], told["normal_coverage_at_same_stock"],
                         "yes" if told["nearer_at_same_stock"] else "no"])  # fmt: skip
    columns = ("", "target", "coverage", "normal", "normal, same stock", "nearer, same stock")
    print_table("Nearer to the target than normal(mean, sd)?", columns, rows)
