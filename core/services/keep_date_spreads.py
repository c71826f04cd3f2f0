"""Keep what was measured of dates, and tell whose dates no longer hold what was said of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.events import Event
from core.ports import Transaction


async def keep_date_spreads(uow: Transaction, rows: Sequence[Any]) -> dict[str, int]:
    """Replace all distributions by these; a group whose coverage begins to drift is announced once.

    `rows` are `ml/live_dates.py:SpreadRow`.
    """
    before = {row["path"] for row in await uow.sql.fetch("select path from date_spread where is_drifting for update")}
    await uow.sql.execute("delete from date_spread where path <> all($1::text[])", [row.path for row in rows])
    await uow.sql.executemany(
        """insert into date_spread (path, stage, basis, supplier_id, observations, says, p50, p80, p95, days, shares, coverage,
            judged, bias, spread, is_drifting, computed_at, coverage_p50, coverage_p95)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
        on conflict (path) do update set observations = excluded.observations, says = excluded.says, p50 = excluded.p50,
            p80 = excluded.p80, p95 = excluded.p95, days = excluded.days, shares = excluded.shares,
            coverage = excluded.coverage, coverage_p50 = excluded.coverage_p50, coverage_p95 = excluded.coverage_p95,
            judged = excluded.judged, bias = excluded.bias, spread = excluded.spread,
            is_drifting = excluded.is_drifting, computed_at = excluded.computed_at""",
        [
            (
                row.path, row.stage, row.basis, row.supplier_id, row.observations, row.says, row.days[0.5], row.days[0.8],
                row.days[0.95], row.support, row.shares, row.coverage[0.8], row.judged, row.bias, row.spread, row.is_drifting,
                uow.now, row.coverage[0.5], row.coverage[0.95],
            )
            for row in rows
        ],
    )  # fmt: skip
    drifting = [row for row in rows if row.is_drifting]
    for row in drifting:
        if row.path not in before:
            level = row.drifts[0]
            facts = {
                "path": row.path,
                "level": round(100 * level),
                "coverage": row.coverage[level],
                "judged": row.judged,
                "untold": level in row.untold,
                "supplierId": row.supplier_id,
            }
            uow.announce(Event("alarm", "DATE_COVERAGE", facts, key=row.path))
    return {"groups": len(rows), "drifting": len(drifting)}
