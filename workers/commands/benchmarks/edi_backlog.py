"""What waits in a partner's folder: a stock report of 13,000 lines, and a backlog of answers drained by two worker processes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import asyncpg

from core.database import Database, plain_dsn
from core.edi.decode_855 import EFFECTS
from core.edi.documents import AcknowledgedLine, Acknowledgement, LineStatus
from core.edi.stock_documents import InventoryReport, StockKind, StockLine, StockQuantity
from core.edi.supplier_changes import write_846
from core.edi.supplier_side import write_855
from core.edi.x12_writer import Envelope
from core.embedded import discard_private_data, start_postgres, start_valkey
from core.events import JobRequest
from core.services.ingest_edi_document import ingest_edi_file
from core.services.receive_edi_file import store_edi_file
from core.settings import Settings
from core.unit_of_work import run_unit_of_work
from migrations.upgrade import upgrade

ARTICLES, DOCUMENTS, WORKERS = 13_000, int(os.environ.get("BENCH_EDI_DOCUMENTS", "1000")), 2
"""At most 13,000 documents: each is about an article of its own."""
QUIET_JOBS, LIMIT_SECONDS = 20, 900
COMPANY = f"""
insert into calendar (code, name, working_days) values ('DAILY', 'every day', '{{1,2,3,4,5,6,7}}');
insert into location (code, name, kind, time_zone, calendar_id, cutoff_time)
    select 'A', 'A', 'dc', 'UTC', id, '18:00' from calendar;
insert into sku (code, name, unit_cost, unit_price, currency)
    select 'S' || n, jsonb_build_object('en', 'S' || n), 1000, 2000, 'EUR' from generate_series(1, {ARTICLES}) n;
update sku_gate set version = version + 1, changed_by = pg_current_xact_id();
insert into supplier (code, name, time_zone) values ('SUP', 'Supplier', 'UTC');
insert into supplier_sku (supplier_id, sku_id, vendor_code, price, currency, lead_time_days, lead_time_p80, is_preferred)
    select p.id, k.id, 'V-' || k.code, 700, 'EUR', 10, 14, true from supplier p, sku k;
insert into partner (code, supplier_id, qualifier, interchange_id, our_qualifier, our_interchange_id)
    select 'sup', id, 'ZZ', 'SUPPLIER', 'ZZ', 'BACKORDER' from supplier;
insert into purchase_order (supplier_id, number, location_id, status, currency)
    select s.id, 'PO' || n, l.id, 'SENT', 'EUR' from supplier s, location l, generate_series(1, {DOCUMENTS}) n;
insert into purchase_order_line (sku_id, purchase_order_id, line_number, supplier_id, ordered, unanswered, price)
    select k.id, o.id, 1, o.supplier_id, 10, 10, 700 from purchase_order o join sku k on k.code = replace(o.number, 'PO', 'S');
insert into supply (sku_id, location_id, kind, quantity, usable_date, date_basis, supplier_id, purchase_order_line_id)
    select l.sku_id, o.location_id, 'purchase', 10, date '2026-12-01', 'LEAD_TIME', l.supplier_id, l.id
    from purchase_order_line l join purchase_order o on o.id = l.purchase_order_id;
"""
ROOT = Path(__file__).resolve().parents[3]
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def measure() -> list[dict[str, Any]]:
    """Rows for `manage.py bench`: wall seconds of the report, documents per second of the backlog (BENCH_EDI_DOCUMENTS of them);
    both are asserted."""
    folder = Path(tempfile.mkdtemp(prefix="bm-bench-"))
    server = start_postgres(folder, parameters=FAST)
    try:
        valkey = start_valkey(folder)
        try:
            return asyncio.run(_measure(server.dsn, valkey.url, folder))
        finally:
            valkey.stop()
    finally:
        server.stop()
        discard_private_data(folder)


async def _measure(dsn: str, redis_url: str, folder: Path) -> list[dict[str, Any]]:
    await upgrade(dsn)
    async with Database(Settings(database_url=dsn, env="test", pool_size=WORKERS + 1)) as database:
        async with database.system.acquire() as sql, sql.transaction():
            await sql.execute(COMPANY)
        # what follows is the state of a system that runs: its statistics are known
        admin = await asyncpg.connect(plain_dsn(dsn))
        await admin.execute("analyze")
        await admin.close()

        async def run(use_case: Any) -> Any:
            return await run_unit_of_work(database, use_case)

        raw_id = await run(lambda uow: store_edi_file(uow, "sup", "bench", "846", _report()))
        begun = time.perf_counter()
        await ingest_edi_file(run, raw_id)
        report = time.perf_counter() - begun
        if await database.system.fetchval("select count(*) from supplier_stock_report") != ARTICLES:
            raise AssertionError("Not every article of the report was written.")
        async with _processes(dsn, redis_url, folder):
            await _fast_jobs(database, run, lambda: _ask_times(1), "first")  # every process has begun
            alone = await _fast_jobs(database, run, lambda: _ask_times(QUIET_JOBS), "alone")
            begun = time.perf_counter()
            _drop(folder / "edi" / "sup" / "in")
            beside = await _fast_jobs(database, run, lambda: _until_applied(database), "beside")
            backlog = time.perf_counter() - begun
        plain = await _plain_commits(database, DOCUMENTS)
    return [
        _row(f"stock report of {ARTICLES:,} lines: read, staged, applied", report, "s", None, None),
        _row(
            f"backlog of {DOCUMENTS:,} 855 files, two bulk workers: applied and answered",
            DOCUMENTS / backlog,
            "files/s",
            "bare commits",
            plain,
        ),
        _row("a fast job meanwhile, P95", beside, "ms", "with nothing else to do", alone),
    ]


@contextlib.asynccontextmanager
async def _processes(dsn: str, redis_url: str, folder: Path) -> AsyncIterator[None]:
    """A relay, a fast worker and two bulk workers, as `up` and its like start them."""
    (folder / "edi" / "sup" / "in").mkdir(parents=True)
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "DATABASE_URL": dsn,
        "REDIS_URL": redis_url,
        "DATA_DIR": str(folder),
        "ENV": "test",
        "SEAL_KEY": "key of a benchmark",
    }
    commands = [
        ["workers.relay"],
        ["workers.settings", "fast"],
        *(["workers.settings", "bulk"] for _ in range(WORKERS)),
    ]
    with (folder / "processes.log").open("ab") as log:
        running = [
            await asyncio.create_subprocess_exec(
                sys.executable, "-m", *command, cwd=ROOT, env=environment, stdout=log, stderr=log
            )
            for command in commands
        ]
    try:
        yield
    finally:
        for process in running:
            process.terminate()
        await asyncio.gather(*(process.wait() for process in running))


def _drop(inbox: Path) -> None:
    for number in range(1, DOCUMENTS + 1):
        partial = inbox / f"855-{number}.tmp"
        partial.write_bytes(_answer(number))
        partial.rename(inbox / f"855-{number}.edi")


async def _ask_times(count: int) -> AsyncIterator[None]:
    for _ in range(count):
        yield
        await asyncio.sleep(0.1)


async def _until_applied(database: Database) -> AsyncIterator[None]:
    """Go on asking until every answer has been applied, and answered in the partner's folder."""
    end = time.perf_counter() + LIMIT_SECONDS
    done = """select (select count(*) from edi_document where delivery = 'applied' and kind = '855') = $1
        and (select count(*) from edi_outbound where kind = '997' and state = 'written') >= $1"""
    while not await database.system.fetchval(done, DOCUMENTS):
        if time.perf_counter() > end:
            raise AssertionError(f"The backlog was not drained in {LIMIT_SECONDS} s.")
        yield
        await asyncio.sleep(0.25)


async def _fast_jobs(database: Database, run: Any, turns: Any, name: str) -> float:
    """Ask for a small job of the fast queue at every turn; P95 of the milliseconds from asking to its end."""
    asked = 0
    async for _ in turns():
        asked += 1
        key = f"{name}-{asked}"
        await run(lambda uow, key=key: _ask(uow, key))
    taken: list[float] = []
    while len(taken) < asked:
        rows = await database.system.fetch(
            """select extract(epoch from r.finished_at - e.occurred_at)::float8 * 1000 as ms from job_run r
            join event e on e.job = r.function and e.job_key = r.key
            where r.function = 'write_edi_files' and r.key like $1 and r.state = 'done'""",
            f"{name}-%",
        )
        taken = sorted(row["ms"] for row in rows)
        await asyncio.sleep(0.1)
    return taken[max(0, -(-len(taken) * 95 // 100) - 1)]


async def _ask(uow: Any, key: str) -> None:
    uow.enqueue(JobRequest("write_edi_files", key))


async def _plain_commits(database: Database, count: int) -> float:
    """Transactions of one row a second, one after the other on as many connections: what the server gives at most."""
    begun = time.perf_counter()

    async def worker() -> None:
        for _ in range(count // WORKERS):
            await database.system.execute("update simulation_clock set simulated_at = now()")

    await asyncio.gather(*(worker() for _ in range(WORKERS)))
    return count / (time.perf_counter() - begun)


def _row(name: str, figure: float, unit: str, yardstick: str | None, other: float | None) -> dict[str, Any]:
    return {
        "name": name,
        "figure": round(figure, 2),
        "unit": unit,
        "yardstick": yardstick or "",
        "yardstick_figure": other if other is None else round(other),
        "ratio": None if other is None else round(figure / other, 4),
    }


def _envelope(control: int) -> Envelope:
    at = datetime(2026, 11, 20, 9, 0)
    return Envelope("ZZ", "SUPPLIER", "ZZ", "BACKORDER", "SUP", "US", control, control, 1, at)


def _report() -> bytes:
    lines = tuple(
        StockLine(str(n), f"S{n}", "", "", (StockQuantity(StockKind.AVAILABLE, "33", n % 50),))
        for n in range(1, ARTICLES + 1)
    )
    return write_846(InventoryReport("R1", date(2026, 11, 20), lines), _envelope(900_000))


def _answer(number: int) -> bytes:
    parts = (("IA", 6, date(2026, 12, 1)), ("IB", 4, date(2026, 12, 20)))
    statuses = tuple(LineStatus(code, n, on, "067", EFFECTS[code], code) for code, n, on in parts)
    line = AcknowledgedLine("1", "1", f"S{number}", "", "", 10, "EA", statuses)
    return write_855(Acknowledgement(f"PO{number}", "AC", date(2026, 11, 20), "", (line,)), _envelope(number))
