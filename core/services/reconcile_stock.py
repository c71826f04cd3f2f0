"""Keep the alarms of the recount: one open alarm per identity that does not hold, closed when it holds again."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from core.events import Event
from core.services.recount_ledgers import Difference, recount
from core.unit_of_work import UnitOfWork

__all__ = ["Difference", "reconcile_stock", "recount", "write_alarms"]

log = structlog.get_logger("reconcile")
TOLD = 10
"""Rows that an alarm's event carries; the alarm itself keeps more."""


async def reconcile_stock(uow: UnitOfWork) -> list[Difference]:
    """Recount everything in one transaction and keep the alarms; the job does it range by range."""
    found = await recount(uow)
    await write_alarms(uow, found)
    return found


async def write_alarms(uow: UnitOfWork, found: Sequence[Difference]) -> None:
    """Raise, renew or clear alarms after a whole recount. Nothing is ever repaired.

    An alarm that stands is told again only when its rows are others than before.
    """
    broken = {difference.check: difference for difference in found}
    standing = {
        row["check_name"]: row
        for row in await uow.sql.fetch(
            "select check_name, rows, count from ledger_alarm where cleared_at is null for update"
        )
    }
    await uow.sql.execute(
        """update ledger_alarm set cleared_at = $1, updated_at = $1
        where cleared_at is null and not check_name = any($2::text[])""",
        uow.now,
        list(broken),
    )
    for check, difference in broken.items():
        log.error("ledger difference", check=check, rows=difference.count, first=difference.rows[0])
        await uow.sql.execute(
            """insert into ledger_alarm (check_name, rows, count, found_at, updated_at) values ($1, $2, $3, $4, $4)
            on conflict (check_name) where cleared_at is null
            do update set rows = excluded.rows, count = excluded.count, updated_at = excluded.updated_at""",
            check,
            difference.rows,
            difference.count,
            uow.now,
        )
        before = standing.get(check)
        if before is None or (before["rows"], before["count"]) != (difference.rows, difference.count):
            facts = {"check": check, "rows": difference.count, "first": difference.rows[:TOLD]}
            uow.announce(Event("alarm", "LEDGER_DIFFERENCE", facts, key=check))
    for check in standing.keys() - broken.keys():
        uow.announce(Event("alarm", "LEDGER_CLEARED", {"check": check, "rows": 0}, key=check))
