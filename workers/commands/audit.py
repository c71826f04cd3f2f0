"""`manage.py audit`: recount the ledgers and, with --verify, prove the seals; exit 1 when something is wrong."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import asdict
from typing import Annotated, Any

import msgspec
import typer

from core.services.anchor_seals import inspect_heads
from core.services.recount_ledgers import recount
from core.services.verify_ledgers import verify_ledgers
from core.settings import Settings
from core.unit_of_work import UnitOfWork
from workers.commands.connection import DataOption, operator_settings, said_plainly, work_on

SHOWN = 10
"""Rows of a difference in the text; `--json` has more."""


async def audit_report(settings: Settings, verify: bool) -> dict[str, Any]:
    """What `audit --json` prints: `ok`, `differences`; with `verify` one of `ledgers` per sealed ledger and `sealFile`."""

    async def look(uow: UnitOfWork) -> list[dict[str, Any]]:
        await uow.sql.execute("set transaction read only")
        return [asdict(difference) for difference in await recount(uow)]

    differences = await work_on(settings, look)
    report: dict[str, Any] = {"ok": not differences, "differences": differences}
    if verify:
        # the file first: whatever stands in it was committed before the snapshot is taken
        key = settings.seal_key.get_secret_value().encode()
        file = inspect_heads(settings.seal_file, key)
        ledgers = await work_on(settings, lambda uow: verify_ledgers(uow, file.heads, key=key), of_one_instant=True)
        report["ledgers"] = [{**asdict(ledger), "sound": ledger.is_sound} for ledger in ledgers]
        report["sealFile"] = {
            "path": str(settings.seal_file),
            "seals": len(file.heads),
            "faults": [asdict(fault) for fault in file.faults],
        }
        report["ok"] = report["ok"] and not file.faults and all(ledger.is_sound for ledger in ledgers)
    return report


def _lines(report: dict[str, Any]) -> list[str]:
    lines: list[str] = []
    for item in report["differences"]:
        lines.append(f"{item['check']}: {item['count']} rows differ")
        lines += [f"  {row}" for row in item["rows"][:SHOWN]]
    lines = lines or ["Recount: every identity holds."]
    for ledger in report.get("ledgers", []):
        lines.append(f"{ledger['ledger']}: {ledger['seals']} seals over {ledger['entries']} rows")
        lines += [f"  seal {fault['seal']}: {fault['kind']}, {fault['detail']}" for fault in ledger["faults"]]
        if ledger["unsealed_entries"]:
            age = ledger["oldest_unsealed_seconds"]
            lines.append(f"  {ledger['unsealed_entries']} rows not sealed yet, the oldest for {age:.0f} s")
        if ledger["unanchored_seals"]:
            lines.append(f"  seals not yet anchored in the seal file: {ledger['unanchored_seals']}")
        if ledger["unanchored_ids"]:
            ids = ", ".join(
                f"{first}-{last}" if last > first else str(first) for first, last in ledger["unanchored_ids"]
            )
            lines.append(f"  not yet anchored, rows {ids}")
    file = report.get("sealFile")
    if file is not None:
        lines.append(f"{file['path']}: {file['seals']} seals")
        lines += [f"  line {fault['line']}: {fault['kind']}, {fault['detail']}" for fault in file["faults"]]
    return lines


def audit(
    verify: Annotated[bool, typer.Option(help="Recompute every seal and compare it with the seal file.")] = False,
    data: DataOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Recount stock, pegs, lines, promises and supplies; find tampering with the sealed ledgers.

    Exit code 1 when something does not add up, 2 without a system to look at.
    """
    with said_plainly():
        report = asyncio.run(audit_report(operator_settings(data), verify))
    if as_json:
        sys.stdout.write(msgspec.json.encode(report).decode() + "\n")
    else:
        sys.stdout.write("\n".join(_lines(report)) + "\n")
    if not report["ok"]:
        raise typer.Exit(1)
