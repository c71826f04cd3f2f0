"""Availability of 60 pairs, kept and not kept, and of one pair with 10 to 10,000 events, beside the plainest reads there are.

What was timed is asserted: the figures shown are the stock that was put there.
"""

from __future__ import annotations

import asyncio
import shutil
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg

from core.database import Database
from core.domain.access import SYSTEM
from core.embedded import discard_private_data, start_postgres
from core.queries.availability import read_curves, timeline_of
from core.services.answer_availability import AvailabilityQuestion, SkuAvailability, answer_availability
from core.settings import Settings
from core.unit_of_work import UnitOfWork
from workers.commands.migrate import migrate_database

SKUS = 2_000
PLACES = 3
ASKED = 20
ROUNDS = 60
EVENTS = (10, 100, 1_000, 10_000)

COMPANY = f"""
insert into calendar (code, name, working_days) values ('DAILY', 'every day', '{{1,2,3,4,5,6,7}}');
insert into location (code, name, kind, time_zone, calendar_id, cutoff_time)
    select v.code, v.code, v.kind, 'UTC', c.id, '23:59' from calendar c,
    (values ('A', 'dc'), ('B', 'dc'), ('C', 'dc'), ('KR', 'destination')) v(code, kind);
insert into lane (from_location_id, to_location_id, transit_days, calendar_id)
    select f.id, t.id, 1, c.id from calendar c, location f, location t where f.code <> 'KR' and t.code = 'KR';
insert into delivery_zone (country, postal_prefix, location_id) select 'KR', '', id from location where code = 'KR';
insert into channel (code, name) values ('web', 'Web shop');
insert into sku (code, name, currency) select 'S' || n, jsonb_build_object('en', 'S' || n), 'EUR'
    from generate_series(1, {SKUS}) n;
insert into sku (code, name, currency) select 'E' || n, jsonb_build_object('en', 'E' || n), 'EUR'
    from unnest(array{list(EVENTS)}) n;
update sku_gate set version = version + 1, changed_by = pg_current_xact_id();
insert into stock_level (sku_id, location_id, on_hand) select k.id, l.id, 9 from sku k, location l where l.code <> 'KR';
insert into supply (sku_id, location_id, kind, quantity, usable_date)
    select k.id, l.id, 'production', 5, current_date + n * 3 from sku k, location l, generate_series(1, 4) n
    where l.code <> 'KR' and k.code like 'S%';
insert into reservation (sku_id, group_id, location_id, need_date, quantity, kind, holder, expires_at, hold_until_latest, state)
    select k.id, gen_random_uuid(), l.id, current_date + n * 2, 1, 'cart', 'x', now() + interval '1 day', now() + interval '1 day',
    'held' from sku k, location l, generate_series(1, 9) n where l.code <> 'KR' and k.code like 'S%';
insert into supply (sku_id, location_id, kind, quantity, usable_date)
    select k.id, l.id, 'production', 1, current_date + n from sku k, location l,
    generate_series(1, 10000) n where l.code = 'A' and k.code like 'E%' and n <= substr(k.code, 2)::int;
"""

Row = dict[str, Any]
Work = Callable[[], Awaitable[Any]]


def measure() -> list[Row]:
    """Microseconds per answer beside reading the same pairs' stock by key, and per event beside one window sum."""
    folder = Path(tempfile.mkdtemp(prefix="bm-bench-"))
    try:
        return asyncio.run(_measure(folder))
    finally:
        discard_private_data(folder)
        shutil.rmtree(folder, ignore_errors=True)


async def _measure(folder: Path) -> list[Row]:
    postgres = start_postgres(folder)
    try:
        await migrate_database(postgres.dsn)
        owner = await asyncpg.connect(postgres.dsn)
        async with owner.transaction():
            await owner.execute(COMPANY)
        await owner.execute("analyze")
        await owner.close()
        settings = Settings(database_url=postgres.dsn, env="test", pool_size=2)
        async with Database(settings) as database, database.system.acquire() as sql:
            return await _answers(sql) + await _events(sql)
    finally:
        postgres.stop()


async def _answers(sql: Any) -> list[Row]:
    uow = UnitOfWork(sql=sql, now=datetime.now(UTC), principal=SYSTEM, request_id="bench")
    codes = [f"S{n}" for n in range(1, ASKED + 1)]
    question = AvailabilityQuestion(codes, channel="web", ship_to=("KR", "04524"))
    ids = [row["id"] for row in await sql.fetch("select id from sku where code = any($1::text[])", codes)]
    places = [row["id"] for row in await sql.fetch("select id from location where kind = 'dc'")]

    async def kept() -> Any:
        return await answer_availability(uow, question)

    async def afresh() -> Any:
        await sql.execute("delete from availability_curve")
        return await answer_availability(uow, question)

    async def plain() -> Any:
        return await sql.fetch(
            """select s.code, l.location_id, l.on_hand, l.unsellable, l.allocated, g.version from sku s
            join sku_gate g on g.sku_id = s.id join stock_level l on l.sku_id = s.id
            where s.code = any($1::text[]) and l.location_id = any($2::bigint[])""",
            codes,
            places,
        )

    for answer in await kept():
        assert isinstance(answer, SkuAvailability)
        assert answer.available_now == PLACES * 8, "of nine units one is held before the next supply"
    yardstick, figure, cold = await _microseconds(plain), await _microseconds(kept), await _microseconds(afresh)
    name = "the stock of the same pairs, read by key"
    assert len(ids) == ASKED
    return [
        _row("availability of 60 pairs, curves kept", figure, "us", name, yardstick),
        _row("availability of 60 pairs, curves made and kept", cold, "us", name, yardstick),
    ]


async def _events(sql: Any) -> list[Row]:
    rows = []
    place = await sql.fetchval("select id from location where code = 'A'")
    for count in EVENTS:
        sku_id = await sql.fetchval("select id from sku where code = $1", f"E{count}")
        now = datetime.now(UTC)

        async def curve(sku_id: int = sku_id, now: datetime = now) -> Any:
            (row,) = await read_curves(sql, [sku_id], [place], now, "")
            return timeline_of(row).steps()

        async def window(sku_id: int = sku_id) -> Any:
            return await sql.fetch(
                """select usable_date, sum(quantity) over (order by usable_date) from supply
                where sku_id = $1 and location_id = $2 and quantity > received + cancelled""",
                sku_id,
                place,
            )

        steps = await curve()
        assert steps[-1] == (now.date() + timedelta(days=count), 9 + count), "every unit counts from its day on"
        assert len(steps) == count + 1
        figure, yardstick = await _microseconds(curve), await _microseconds(window)
        rows.append(
            _row(
                f"curve of one pair with {count:,} events",
                figure,
                "us",
                "running sum of the same rows by SQL",
                yardstick,
            )
        )
    return rows


def _row(name: str, figure: float, unit: str, yardstick: str, its_figure: float) -> Row:
    return {
        "name": name,
        "figure": figure,
        "unit": unit,
        "yardstick": yardstick,
        "yardstick_figure": its_figure,
        "ratio": figure / its_figure,
    }


async def _microseconds(work: Work) -> float:
    """The median of a number of rounds, after a few that warm up plans and caches."""
    for _ in range(8):
        await work()
    times = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        await work()
        times.append(time.perf_counter() - begun)
    return statistics.median(times) * 1e6
