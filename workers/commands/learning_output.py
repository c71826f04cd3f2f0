"""What the commands of foresight share: threads, progress on stderr, one JSON object or tables, and named refusals."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from core.errors import BackorderManagerError

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout; progress stays on stderr.")]
REFUSED = 2


@contextmanager
def learning() -> Iterator[None]:
    """Run a piece of foresight: one thread per process, and a file that cannot be used ends with one sentence, code 2."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # before scikit-learn is loaded: many threads are many times slower
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in ("sklearn", "scipy", "numpy"):
            raise
        typer.echo(f"{error.name} is not installed here; the extra `learning` of pyproject.toml brings it.", err=True)
        raise typer.Exit(REFUSED) from None
    except BackorderManagerError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(REFUSED) from None


def say(line: str) -> None:
    """Progress, for people who wait."""
    typer.echo(line, err=True)


def print_json(report: dict[str, Any]) -> None:
    """One object; a figure that does not exist is null, never NaN."""
    sys.stdout.write(json.dumps(report, allow_nan=False, ensure_ascii=False) + "\n")


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    table = Table(*columns, title=title, title_justify="left")
    for column in table.columns[1:]:
        column.justify = "right"
    for row in rows:
        table.add_row(*[figure(value) for value in row])
    Console().print(table)


def figure(value: Any) -> str:
    """A figure as people read it: three decimals, thousands separated, "-" where there is none."""
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.3f}" if abs(value) < 100 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
