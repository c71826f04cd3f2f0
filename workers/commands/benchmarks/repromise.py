"""Re-promising a million open lines, beside a bare sort and running sum, and beside the sum of its own parts.

The company: 50,000 SKUs at 10 locations, 1,000,000 open lines, 200,000 dated supplies that were confirmed first come
first served; since then some supplies have moved. What is timed is the service that ships: read the snapshot, decide,
store the proposal. It runs in a process of its own, so that its memory can be told.
"""

from __future__ import annotations

import asyncio
import io
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import asyncpg
import numpy as np

from core.database import Database
from core.embedded import discard_private_data, start_postgres
from core.settings import Settings
from core.unit_of_work import run_unit_of_work, snapshot
from migrations.upgrade import upgrade

SKUS, PLACES, LINES, SUPPLIES = 50_000, 10, 1_000_000, 200_000
NOW = datetime(2026, 11, 2, 3, 0, tzinfo=UTC)
TODAY = date(2026, 11, 2)
LEAD_DAYS = 45
FAST = {"shared_buffers": "512MB", "fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
DEFINITION = {
    "segments": [
        {"name": "vip", "strategy": "GAIN", "include": {"tiers": ["VIP"]}},
        {"name": "marketplace", "strategy": "REDISTRIBUTE", "include": {"channels": ["c9"]}},
        {"name": "all others", "strategy": "IMPROVE"},
    ],
    "sorters": [{"field": "PRIORITY", "descending": True}, {"field": "REQUESTED"}, {"field": "PLACED"}],
    "budget": {"worsenedShare": 0.02, "maxDays": 14, "windowDays": 30},
}


class Standing:
    """A clock that stands."""

    async def now(self, sql: Any) -> datetime:
        return NOW


def company(lines: int = LINES, seed: int = 1) -> dict[str, dict[str, np.ndarray]]:
    """Rows of orders, lines, pegs and supplies: confirmed by age, then one supply in fifteen comes on another day."""
    draw = np.random.default_rng(seed)
    scale = lines / LINES
    skus, supplies = max(1, int(SKUS * scale)), max(1, int(SUPPLIES * scale))
    orders = -(-lines // 3)
    sku, place = draw.integers(0, skus, lines), draw.integers(0, PLACES, lines)
    quantity = draw.integers(1, 6, lines)
    wanted = np.where(draw.random(lines) < 0.5, 0, draw.integers(0, 41, lines))  # 0: at once
    supply_sku, supply_place = draw.integers(0, skus, supplies), draw.integers(0, PLACES, supplies)
    supply_quantity, day = draw.integers(1, 25, supplies), draw.integers(1, 61, supplies)
    pool, supply_pool = sku * PLACES + place, supply_sku * PLACES + supply_place

    # one claim per line: the first supply by date that still has as much, in the order of the lines
    order = np.lexsort((day, supply_pool))
    begins = np.searchsorted(supply_pool[order], np.arange(skus * PLACES + 1))
    left = supply_quantity[order].tolist()
    source = np.full(lines, -1, np.int64)
    for line in np.flatnonzero(begins[pool + 1] > begins[pool]).tolist():
        for at in range(begins[pool[line]], begins[pool[line] + 1]):
            if left[at] >= quantity[line]:
                left[at] -= quantity[line]
                source[line] = order[at]
                break
    has = source >= 0
    promised = np.where(has, np.maximum(day[source], wanted), np.maximum(LEAD_DAYS, wanted))
    pegged = np.bincount(source[has], quantity[has], supplies).astype(np.int64)
    moved = draw.random(supplies)
    day = np.where(moved < 0.05, np.maximum(1, day - draw.integers(2, 20, supplies)), day)
    day = np.where(moved > 0.985, day + draw.integers(1, 10, supplies), day)
    numbers = np.arange(1, lines + 1)
    return {
        "bench_order": {
            "id": np.arange(1, orders + 1),
            "customer": draw.integers(1, 20_001, orders),
            "channel": draw.integers(0, 10, orders),
        },
        "bench_supply": {
            "id": np.arange(1, supplies + 1),
            "sku": supply_sku + 1,
            "place": supply_place + 1,
            "quantity": supply_quantity,
            "pegged": pegged,
            "day": day,
        },
        "bench_line": {
            "id": numbers,
            "order": (numbers - 1) // 3 + 1,
            "number": (numbers - 1) % 3 + 1,
            "sku": sku + 1,
            "place": place + 1,
            "quantity": quantity,
            "wanted": wanted,
            "promised": promised,
            "supply": source + 1,
        },
    }


def binary_copy(columns: dict[str, np.ndarray]) -> io.BytesIO:
    """64-bit columns as PostgreSQL's binary COPY."""
    fields: list[tuple[str, str]] = [("fields", ">i2")]
    for name in columns:
        fields += [(f"{name} length", ">i4"), (name, ">i8")]
    rows = np.zeros(len(next(iter(columns.values()))), np.dtype(fields))
    rows["fields"] = len(columns)
    for name, values in columns.items():
        rows[f"{name} length"], rows[name] = 8, values
    return io.BytesIO(b"PGCOPY\n\xff\r\n\0" + b"\0" * 8 + rows.tobytes() + b"\xff\xff")


FILL = f"""
insert into calendar (code, name, working_days) values ('DAILY', 'every day', '{{1,2,3,4,5,6,7}}');
insert into location (code, name, kind, time_zone, calendar_id)
    select 'L' || n, 'L' || n, 'dc', 'UTC', 1 from generate_series(1, {PLACES}) n;
insert into channel (code, name) select 'c' || n, 'c' || n from generate_series(0, 9) n;
insert into customer (code, tier, language) select 'C' || n, case when n % 20 = 0 then 'VIP' else 'STANDARD' end, 'en'
    from generate_series(1, 20000) n;
insert into sku (code, name, currency) select 'S' || n, '{{}}'::jsonb, 'EUR' from generate_series(1, {SKUS}) n;
insert into supplier (code, name, time_zone) values ('SUP', 'Supplier', 'UTC');
insert into supplier_sku (supplier_id, sku_id, vendor_code, price, currency, lead_time_days, lead_time_p80)
    select 1, n, 'V', 1, 'EUR', {LEAD_DAYS}, {LEAD_DAYS} from generate_series(1, {SKUS}) n;
insert into sku_gate (sku_id, version) select n, 1 from generate_series(1, {SKUS}) n on conflict do nothing;
insert into sales_order (id, number, channel, customer_id, status, currency, placed_at) overriding system value
    select id, 'O' || id, 'c' || channel, customer, 'VALIDATED', 'EUR', '{NOW.isoformat()}' from bench_order;
insert into supply (sku_id, id, location_id, kind, quantity, pegged, paper_date, usable_date, date_basis)
    overriding system value
    select sku, id, place, 'production', quantity, pegged, date '{TODAY}' + day::int, date '{TODAY}' + day::int,
        'CONFIRMED_ORDER' from bench_supply;
insert into order_line (sku_id, id, order_id, customer_id, line_number, location_id, ordered, open, backordered,
    requested_date, ship_by, priority_score, promise_sequence, promised_date, status) overriding system value
    select l.sku, l.id, l."order", o.customer, l.number, l.place, l.quantity,
        case when l.supply > 0 and l.promised <= l.wanted then l.quantity else 0 end,
        case when l.supply > 0 and l.promised <= l.wanted then 0 else l.quantity end,
        case when l.wanted > 0 then date '{TODAY}' + l.wanted::int end,
        case when l.wanted > 0 then date '{TODAY}' + l.wanted::int end,
        case when o.customer % 20 = 0 then 4000000 else 1000000 end, 1, date '{TODAY}' + l.promised::int,
        case when l.supply > 0 and l.promised <= l.wanted then 'VALIDATED' else 'BACKORDERED' end
    from bench_line l join bench_order o on o.id = l."order";
insert into peg (sku_id, location_id, order_line_id, need_date, quantity, kind, supply_id)
    select sku, place, id, date '{TODAY}' + promised::int, quantity,
        case when supply > 0 then 'FIRM' else 'OPEN' end, nullif(supply, 0) from bench_line;
"""


async def fill(dsn: str, lines: int) -> None:
    """Write the company with triggers off: its rows are consistent by construction."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("set session_replication_role = replica")
        for table, columns in company(lines).items():
            names = ", ".join(f'"{name}" bigint' for name in columns)
            await connection.execute(f"create unlogged table {table} ({names})")
            await connection.copy_to_table(table, source=binary_copy(columns), format="binary")
        for statement in FILL.split(";\n"):
            if statement.strip():
                await connection.execute(statement, timeout=600)
        for table in ("sales_order", "order_line", "peg", "supply", "sku", "sku_gate", "customer", "supplier_sku"):
            await connection.execute(f"vacuum analyze {table}", timeout=600)
    finally:
        await connection.close()


# --- the yardsticks ---------------------------------------------------------------------------------------------------


def bare(pool: np.ndarray, rank: np.ndarray, quantity: np.ndarray, supply: tuple[np.ndarray, ...]) -> np.ndarray:
    """First come first served by rank and nothing else: one argsort, one running sum, one look-up per line."""
    order = np.argsort(pool << 24 | rank)
    sorted_pool, total = pool[order], np.cumsum(quantity[order])
    begins = np.flatnonzero(np.diff(sorted_pool, prepend=-1))
    total -= np.repeat(total[begins] - quantity[order][begins], np.diff(begins, append=len(pool)))
    supply_pool, day, units = supply
    by_date = np.argsort(supply_pool << 12 | day)
    found = supply_pool[by_date]
    cumulative = np.cumsum(units[by_date])
    starts = np.flatnonzero(np.diff(found, prepend=-1))
    cumulative -= np.repeat(cumulative[starts] - units[by_date][starts], np.diff(starts, append=len(found)))
    place = np.searchsorted(found << 24 | cumulative, sorted_pool << 24 | total)
    inside = np.minimum(place, len(found) - 1)
    days = np.where((place < len(found)) & (found[inside] == sorted_pool), day[by_date][inside], 1 << 30)
    answer = np.empty_like(days)
    answer[order] = days
    return answer


def best_of(times: int, work: Callable[[], Any]) -> float:
    """Seconds of processor time of the fastest of some tries: both run on one core, and the machine has other work."""
    found = []
    for _ in range(times):
        begun = time.process_time()
        work()
        found.append(time.process_time() - begun)
    return min(found)


async def parts(dsn: str, changed: int) -> dict[str, float]:
    """Seconds of reading by COPY, of writing so many rows by COPY into a staging table, and of updating from it."""
    connection = await asyncpg.connect(dsn)
    try:
        found: dict[str, float] = {}
        begun = time.perf_counter()
        for query in (
            "select id, sku_id, order_id, priority_score, ship_by, location_id, ordered from order_line",
            "select sku_id, location_id, order_line_id, need_date, quantity, supply_id from peg",
        ):
            sink = io.BytesIO()
            await connection.copy_from_query(query, output=sink, format="binary", timeout=600)
        found["copy out"] = time.perf_counter() - begun
        rows = await connection.fetch("select sku_id, id from order_line order by id limit $1", changed)
        await connection.execute("create temp table staging (sku_id bigint, id bigint, day date)")
        columns = {
            "sku_id": np.array([row["sku_id"] for row in rows]),
            "id": np.array([row["id"] for row in rows]),
        }
        begun = time.perf_counter()
        source = binary_copy(columns)
        await connection.copy_to_table("staging", source=source, columns=list(columns), format="binary")
        found["copy in"] = time.perf_counter() - begun
        await connection.execute("set session_replication_role = replica")
        await connection.execute("analyze staging")
        begun = time.perf_counter()
        async with connection.transaction():
            await connection.execute(
                """update order_line l set promised_date = l.promised_date + 1, version = version + 1 from staging s
                where l.sku_id = s.sku_id and l.id = s.id""",
                timeout=600,
            )
        found["update"] = time.perf_counter() - begun
        return found
    finally:
        await connection.close()


# --- what ships -------------------------------------------------------------------------------------------------------


async def run_once(dsn: str) -> dict[str, Any]:
    """One run by the services that ship; seconds of its steps, what it found, and the memory of this process."""
    from functools import partial

    from core.domain.repromising.plan import make_plan
    from core.services import compute_repromising_run as service
    from core.services.start_repromising_run import StartRun, start_repromising_run

    settings = Settings(database_url=dsn, env="test", pool_size=2)
    async with Database(settings) as database:
        run_id = await run_unit_of_work(
            database, lambda uow: start_repromising_run(uow, StartRun(definition=DEFINITION)), clock=Standing()
        )
        begun = time.perf_counter()
        async with snapshot(database, Standing()) as uow:
            inputs = await service.read_inputs(uow, run_id)
        assert inputs is not None
        read = time.perf_counter()
        proposal = await service.decide(inputs)
        decided = time.perf_counter()
        store = partial(service.store_proposal, run_id=run_id, inputs=inputs, proposal=proposal, snapshot_at=NOW)
        assert await run_unit_of_work(database, store, clock=Standing())
        stored = time.perf_counter()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        raw = inputs.raw

        def compute() -> None:
            make_plan(raw, inputs.variant, inputs.network, seed=inputs.seed)

        rank = np.lexsort((raw.facts.line, raw.facts.requested, raw.facts.codes["tier"]))
        place = np.empty_like(rank)
        place[rank] = np.arange(len(rank))
        pool = raw.line_sku * len(raw.location_ids) + raw.line_location
        quantity = np.bincount(raw.peg_line, raw.peg_quantity, len(raw.facts)).astype(np.int64)
        first = int(raw.supply.day.min())
        supply = (raw.supply.pool, raw.supply.day - first, raw.supply.quantity)
        ours, yardstick = [], []
        for _ in range(4):
            yardstick.append(best_of(1, lambda: bare(pool, place, quantity, supply)))
            ours.append(best_of(1, compute))
        check(
            proposal, await database.system.fetchval("select count(*) from repromising_diff where run_id = $1", run_id)
        )
        return {
            "lines": len(raw.facts),
            "changed": len(proposal.changes),
            "summary": proposal.summary,
            "facts": proposal.facts,
            "read": read - begun,
            "decide": decided - read,
            "store": stored - decided,
            "whole": stored - begun,
            "compute": min(ours),
            "bare": min(yardstick),
            "peak": peak,
        }


def check(proposal: Any, stored: int) -> None:
    """What was timed is right: all is stored and balances, Gain never loses, the budget holds."""
    assert stored == len(proposal.changes)
    assert proposal.summary["gained"] > 0
    assert proposal.summary["ordersWorsened"] <= proposal.summary["ordersMayWorsen"]
    for change in proposal.changes:
        assert change.segment != "vip" or change.effect != "LOST", change
        assert sum(part[2] for part in change.before) == sum(part[2] for part in change.after)


def measure(lines: int = LINES) -> list[dict[str, Any]]:
    """Rows for `manage.py bench`: compute beside the bare sum; the whole run beside the sum of its parts; memory."""
    folder = Path(tempfile.mkdtemp(prefix="bm-bench-"))
    server = start_postgres(folder, parameters=FAST)
    try:
        asyncio.run(upgrade(server.dsn))
        asyncio.run(fill(server.dsn, lines))
        done = subprocess.run(
            [sys.executable, "-m", "workers.commands.benchmarks.repromise", server.dsn],
            capture_output=True, text=True, timeout=900, cwd=Path(__file__).parents[3], check=False,
        )  # fmt: skip
        if done.returncode:
            raise AssertionError(done.stderr[-2_000:])
        found = json.loads(done.stdout.splitlines()[-1])
        bits = asyncio.run(parts(server.dsn, found["changed"]))
    finally:
        server.stop()
        discard_private_data(folder)
    total = sum(bits.values()) + found["bare"]
    share = found["changed"] / found["lines"]
    name = f"re-promise {found['lines']:,} lines"
    return [
        _row(f"{name}: compute", found["compute"], "s CPU", "argsort + segmented running sum", found["bare"]),
        _row(
            f"{name}: read, compute, write {share:.1%}",
            found["whole"],
            "s",
            "COPY out + bare sum + COPY in + update",
            total,
        ),
        _row(f"{name}: memory at its peak", found["peak"] / 2**20, "MB", "1 GB", 1_024.0),
    ]


def _row(name: str, figure: float, unit: str, yardstick: str, yardstick_figure: float) -> dict[str, Any]:
    return {
        "name": name,
        "figure": figure,
        "unit": unit,
        "yardstick": yardstick,
        "yardstick_figure": yardstick_figure,
        "ratio": figure / yardstick_figure,
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(run_once(sys.argv[1]))) + "\n")
