"""What an operator watches: how old and how many the things are that wait, over all processes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.queries.date_spreads import supplier_coverage

MOST_SUPPLIERS = 50
"""Suppliers told one by one, those with the most deliveries judged: more would be more series than a scrape should have."""


@dataclass(frozen=True, slots=True)
class SystemFigures:
    """Ages in seconds by wall time; 0 when nothing waits."""

    position: int
    outbox_rows: int
    outbox_age: float
    queue_age: Mapping[str, float]
    """By queue: how long the oldest run that may begin has not begun."""
    runs: Mapping[tuple[str, str], int]
    """By queue and state."""
    edi_unread: int
    edi_quarantined: int
    edi_unsent: int
    alarms: int
    webhooks: Mapping[str, int]
    """By state; those that are active and fail count as `FAILING`."""
    webhook_waiting: int
    webhook_age: float
    """Of the oldest message that waits for an active webhook."""
    date_coverage: Mapping[tuple[str, str], float]
    """By supplier code and level (P50, P80, P95): share of deliveries that came by it; of MOST_SUPPLIERS."""
    dates_judged: Mapping[str, int]
    dates_drifting: int
    """Groups of stated days, over all stages, whose coverage is an alarm."""


async def system_figures(sql: Any) -> SystemFigures:
    """Few statements over partial indexes and the outbox, which is nearly empty."""
    row = await sql.fetchrow(
        """select (select position from relay) as position,
            (select count(*) from outbox) as outbox_rows,
            (select extract(epoch from now() - min(created_at)) from outbox) as outbox_age,
            (select count(*) from job_run where function = 'ingest_edi_document'
                and state in ('waiting','queued','running')) as edi_unread,
            (select count(*) from edi_document where quarantine_state in ('new', 'assigned', 'fixed')) as edi_quarantined,
            (select count(*) from edi_outbound where state = 'pending') as edi_unsent,
            (select count(*) from ledger_alarm where cleared_at is null) as alarms,
            (select count(*) from date_spread where is_drifting) as drifting"""
    )
    ages = await sql.fetch(
        """select queue, max(extract(epoch from now() - greatest(created_at, run_after))) as age from job_run
        where state in ('waiting', 'queued') and coalesce(run_after, created_at) <= now() group by queue"""
    )
    runs = await sql.fetch(
        """select queue, state, count(*) as runs from job_run where state in ('waiting','queued') group by queue, state
        union all select queue, state, count(*) from job_run where state = 'running' group by queue, state
        union all select queue, state, count(*) from job_run where state in ('dead', 'failed') group by queue, state"""
    )
    webhooks = await sql.fetch(
        """select case when state = 'ACTIVE' and failing_since is not null then 'FAILING' else state end as state,
            count(*) as webhooks from webhook group by 1"""
    )
    waiting = await sql.fetchrow(
        """select count(*) as messages, extract(epoch from now() - min(d.created_at)) as age
        from webhook_delivery d join webhook w on w.id = d.webhook_id
        where d.state = 'PENDING' and w.state = 'ACTIVE'"""
    )
    covered = await supplier_coverage(sql, MOST_SUPPLIERS)
    return SystemFigures(
        row["position"] or 0,
        row["outbox_rows"],
        float(row["outbox_age"] or 0),
        {one["queue"]: float(one["age"] or 0) for one in ages},
        {(one["queue"], one["state"]): one["runs"] for one in runs},
        row["edi_unread"],
        row["edi_quarantined"],
        row["edi_unsent"],
        row["alarms"],
        {one["state"]: one["webhooks"] for one in webhooks},
        waiting["messages"],
        float(waiting["age"] or 0),
        {
            (one["code"], level.upper()): one[level]
            for one in covered
            for level in ("p50", "p80", "p95")
            if one[level] is not None
        },
        {one["code"]: one["judged"] for one in covered},
        row["drifting"],
    )
