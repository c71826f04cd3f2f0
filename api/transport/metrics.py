"""`GET /metrics`: counters of all web processes on this port together, and what the whole system has waiting."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import structlog
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Gauge, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from starlette.requests import Request
from starlette.responses import Response

from core.queries.system_figures import SystemFigures

log = structlog.get_logger(__name__)

READ_SECONDS = 2.0
QUEUES = ("fast", "bulk", "learning")
FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""Set where several processes share a port: each writes its figures there, and any of them tells them all."""

ReadFigures = Callable[[], Awaitable[SystemFigures]]


class PoolUse(NamedTuple):
    """Connections of one pool of this process."""

    size: int
    idle: int
    limit: int


def forget_dead_processes() -> None:
    """Take back what processes that are gone counted as open; called when a process starts."""
    if (folder := os.environ.get(FOLDER)) is None:
        return
    for file in Path(folder).glob("gauge_live*.db"):
        pid = file.stem.rpartition("_")[2]
        if pid.isdigit() and not psutil.pid_exists(int(pid)):
            mark_process_dead(int(pid), folder)


def _processes() -> CollectorRegistry:
    if os.environ.get(FOLDER) is None:
        return REGISTRY
    together = CollectorRegistry()
    MultiProcessCollector(together)
    return together


def _system(figures: SystemFigures | None, pools: Mapping[str, PoolUse], position: int) -> CollectorRegistry:
    registry = CollectorRegistry()

    def gauge(name: str, text: str, labels: tuple[str, ...] = ()) -> Gauge:
        return Gauge(f"backorder_{name}", text, labels, registry=registry)

    gauge("database_up", "Did PostgreSQL answer this scrape").set(figures is not None)
    use = gauge("pool_connections", "Connections of the process that answered, by pool", ("pool", "state"))
    for pool, counted in pools.items():
        use.labels(pool, "in_use").set(counted.size - counted.idle)
        use.labels(pool, "idle").set(counted.idle)
        use.labels(pool, "limit").set(counted.limit)
    if figures is None:
        return registry
    gauge("event_position", "Position of the newest event").set(figures.position)
    gauge("stream_behind_events", "Events that the process that answered has not handed on yet").set(
        max(0, figures.position - position)
    )
    gauge("outbox_rows", "Facts and job requests that the relay has not moved").set(figures.outbox_rows)
    gauge("outbox_lag_seconds", "Age of the oldest of them").set(figures.outbox_age)
    age = gauge("queue_age_seconds", "How long the oldest run that may begin has waited", ("queue",))
    for queue in QUEUES:
        age.labels(queue).set(figures.queue_age.get(queue, 0))
    runs = gauge("job_runs", "Runs that wait, run, or ended without success", ("queue", "state"))
    for (queue, state), count in figures.runs.items():
        runs.labels(queue, state).set(count)
    edi = gauge("edi_backlog", "Files not read, documents in quarantine, documents not sent", ("kind",))
    for kind, count in (
        ("unread", figures.edi_unread),
        ("quarantined", figures.edi_quarantined),
        ("unsent", figures.edi_unsent),
    ):
        edi.labels(kind).set(count)
    hooks = gauge("webhooks", "Webhooks by state; FAILING ones are active", ("state",))
    for state in ("ACTIVE", "FAILING", "PAUSED", "DISABLED"):
        hooks.labels(state).set(figures.webhooks.get(state, 0))
    gauge("webhook_waiting", "Messages that wait for active webhooks").set(figures.webhook_waiting)
    gauge("webhook_lag_seconds", "Age of the oldest of them").set(figures.webhook_age)
    gauge("ledger_alarms", "Differences in the ledgers that are not cleared").set(figures.alarms)
    dates = gauge(
        "date_coverage", "Share of a supplier's deliveries that came by the day said before", ("supplier", "level")
    )
    for (supplier, level), share in figures.date_coverage.items():
        dates.labels(supplier, level).set(share)
    judged = gauge("dates_judged", "Deliveries that the coverage of a supplier rests on", ("supplier",))
    for supplier, count in figures.dates_judged.items():
        judged.labels(supplier).set(count)
    gauge("dates_drifting", "Groups of stated days whose coverage has drifted").set(figures.dates_drifting)
    return registry


def metrics_of(
    read: ReadFigures, pools: Callable[[], Mapping[str, PoolUse]], position: Callable[[], int]
) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint. Without PostgreSQL it still tells what the processes know, and `backorder_database_up 0`."""

    async def metrics(request: Request) -> Response:
        figures: SystemFigures | None = None
        try:
            async with asyncio.timeout(READ_SECONDS):
                figures = await read()
        except Exception as error:
            log.warning("system figures could not be read", error=type(error).__name__)
        text = generate_latest(_processes()) + generate_latest(_system(figures, pools(), position()))
        return Response(text, headers={"content-type": CONTENT_TYPE_LATEST})

    return metrics


def use_of(pool: Any) -> PoolUse:
    """How many connections a pool of asyncpg has, how many of them are idle, and how many it may have."""
    return PoolUse(pool.get_size(), pool.get_idle_size(), pool.get_max_size())
