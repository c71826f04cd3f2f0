"""`manage.py master`: does the master data fit together; exit 1 when something does not."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Annotated

import msgspec
import typer

from core.queries.master_data import Finding, find_faults
from core.unit_of_work import UnitOfWork
from workers.commands.connection import DataOption, operator_settings, run_on, said_plainly

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
SHOWN = 10
"""Codes of a finding in the text; `--json` has more."""


@app.callback()
def master() -> None:
    """Locations, channels, delivery zones, customers, SKUs and suppliers."""


@app.command()
def check(
    data: DataOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Look for master data that does not fit together; it changes nothing.

    Exit code 1 when something is found, 2 without a system to look at.
    """

    async def look(uow: UnitOfWork) -> list[Finding]:
        await uow.sql.execute("set transaction read only")
        return await find_faults(uow.sql)

    with said_plainly():
        found = run_on(operator_settings(data), look)
    if as_json:
        report = {"ok": not found, "findings": [asdict(finding) for finding in found]}
        sys.stdout.write(msgspec.json.encode(report).decode() + "\n")
    else:
        sys.stdout.write("\n".join(_lines(found)) + "\n")
    if found:
        raise typer.Exit(1)


def _lines(found: list[Finding]) -> list[str]:
    lines: list[str] = []
    for finding in found:
        lines.append(f"{finding.check}: {finding.count} {finding.meaning}")
        more = finding.count - SHOWN
        lines.append(f"  {', '.join(finding.objects[:SHOWN])}{f' and {more} more' if more > 0 else ''}")
    return lines or ["Master data: everything fits together."]
