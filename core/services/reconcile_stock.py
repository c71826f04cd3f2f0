"""Recount every identity of the data model; differences raise an alarm and are never repaired."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import structlog

from core.events import Event
from core.queries.identities import CHECKS
from core.unit_of_work import UnitOfWork

log = structlog.get_logger("reconcile")
SHOWN = 50
"""Rows of a difference that are kept with its alarm; `count` tells all."""


@dataclass(frozen=True, slots=True)
class Difference:
    """An identity that does not hold: its name, the first rows at fault, and how many there are."""

    check: str
    rows: list[dict[str, Any]]
    count: int


def _plain(row: Any) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, (date, datetime)) else _number(value)
        for name, value in dict(row).items()
    }


def _number(value: Any) -> Any:
    # Sums of bigint arrive as Decimal; they are whole.
    return value if value is None or isinstance(value, (bool, int, str, list)) else int(value)


async def recount(uow: UnitOfWork) -> list[Difference]:
    """All differences, without any trace of having looked."""
    found: list[Difference] = []
    for check, query in CHECKS.items():
        rows = await uow.sql.fetch(f"select *, count(*) over () as all_rows from ({query}) q limit {SHOWN}")
        if rows:
            plain = [_plain(row) for row in rows]
            count = plain[0]["all_rows"]
            found.append(Difference(check, [{k: v for k, v in row.items() if k != "all_rows"} for row in plain], count))
    return found


async def reconcile_stock(uow: UnitOfWork) -> list[Difference]:
    """Recount, keep one open alarm per identity that does not hold, close the alarms of those that hold again."""
    found = await recount(uow)
    broken = {difference.check: difference for difference in found}
    open_alarms = {
        row["check_name"]
        for row in await uow.sql.fetch("select distinct check_name from ledger_alarm where cleared_at is null")
    }
    await uow.sql.execute(
        "update ledger_alarm set cleared_at = $1 where cleared_at is null and not check_name = any($2::text[])",
        uow.now,
        list(broken),
    )
    for check, difference in broken.items():
        log.error("ledger difference", check=check, rows=difference.count, first=difference.rows[0])
        if check in open_alarms:
            continue
        await uow.sql.execute(
            "insert into ledger_alarm (check_name, rows, found_at) values ($1, $2, $3)",
            check,
            difference.rows,
            uow.now,
        )
        facts = {"check": check, "rows": difference.count}
        uow.announce(Event("alarm", "LEDGER_DIFFERENCE", facts, key=check))
    for check in open_alarms - broken.keys():
        uow.announce(Event("alarm", "LEDGER_CLEARED", {"check": check, "rows": 0}, key=check))
    return found
