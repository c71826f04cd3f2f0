"""Orders of three lines through GraphQL, on many SKUs and on one, beside pgbench that calls one function per order.

One API process (so one core of ours), private servers with the settings of the product, keep-alive connections that
send ready bytes. The function of the yardstick writes ten rows: the order, its lines, their stock and the movements that
prove it. What was timed is asserted: every order exists once, its units are allocated, none is oversold.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import msgspec
import psutil

from core.embedded import discard_private_data, start_postgres, start_valkey
from core.embedded.binaries import postgres_binaries
from workers.commands.benchmarks.api_process import ApiProcess, Connection
from workers.commands.migrate import migrate_database

ROOT = Path(__file__).resolve().parents[3]
SKUS = 10_000
STOCK = 1_000_000
CLIENTS = 32
WARM_SECONDS = 3.0
SECONDS = 8.0
YARDSTICK_CLIENTS = 8

COMPANY = f"""
insert into calendar (code, name, working_days) values ('DAILY', 'every day', '{{1,2,3,4,5,6,7}}');
insert into location (code, name, kind, time_zone, calendar_id, cutoff_time)
    select v.code, v.code, v.kind, 'UTC', c.id, '18:00' from calendar c, (values ('A', 'dc'), ('KR', 'destination')) v(code, kind);
insert into lane (from_location_id, to_location_id, transit_days, calendar_id)
    select f.id, t.id, 1, c.id from calendar c, location f, location t where f.code = 'A' and t.code = 'KR';
insert into delivery_zone (country, postal_prefix, location_id) select 'KR', '', id from location where code = 'KR';
insert into channel (code, name) values ('web', 'Web shop');
insert into sku (code, name, unit_cost, unit_price, currency)
    select 'S' || n, jsonb_build_object('en', 'S' || n), 1000, 2000, 'EUR' from generate_series(1, {SKUS}) n;
update sku_gate set version = version + 1, changed_by = pg_current_xact_id();
insert into stock_level (sku_id, location_id, on_hand) select k.id, l.id, {STOCK} from sku k, location l where l.code = 'A';
insert into stock_movement (sku_id, location_id, kind, on_hand_delta, cause_kind, actor, occurred_at, gate_version)
    select k.id, l.id, 'adjusted', {STOCK}, 'opening', 'bench', now(), 0 from sku k, location l where l.code = 'A';
"""

YARDSTICK = f"""
create table stock (sku int primary key, on_hand int not null,
    allocated int not null default 0 check (allocated <= on_hand));
create table orders (id bigint generated always as identity primary key, customer int not null,
    placed_at timestamptz not null default now());
create table line (id bigint generated always as identity primary key, order_id bigint not null references orders,
    sku int not null, quantity int not null);
create table movement (id bigint generated always as identity primary key, sku int not null references stock,
    order_id bigint not null references orders, allocated_delta int not null, at timestamptz not null default now());
insert into stock (sku, on_hand) select n, {STOCK} from generate_series(1, {SKUS}) n;
create function place_order(a int, b int, c int) returns bigint language plpgsql as $$
declare number bigint;
begin
  insert into orders (customer) values (1) returning id into number;
  insert into line (order_id, sku, quantity) select number, x, 1 from unnest(array[a, b, c]) x;
  update stock s set allocated = allocated + x.n from (select k as sku, count(*) as n from unnest(array[a, b, c]) k group by k
    order by k) x where s.sku = x.sku;
  insert into movement (sku, order_id, allocated_delta) select x, number, 1 from unnest(array[a, b, c]) x;
  return number;
end $$;
analyze;
"""
SCRIPT = f"""\\set a random(1, {SKUS // 3})
\\set b random({SKUS // 3 + 1}, {2 * (SKUS // 3)})
\\set c random({2 * (SKUS // 3) + 1}, {SKUS})
select place_order(:a, :b, :c);
"""


def measure() -> list[dict[str, Any]]:
    """Orders per second on uniform SKUs beside pgbench, and on one hot SKU beside our own uniform figure."""
    folder = Path(tempfile.mkdtemp(prefix="bm-bench-"))
    try:
        return asyncio.run(_measure(folder))
    finally:
        discard_private_data(folder)
        shutil.rmtree(folder, ignore_errors=True)


async def _measure(folder: Path) -> list[dict[str, Any]]:
    postgres = start_postgres(folder)
    valkey = start_valkey(folder)
    try:
        await _prepare(postgres.dsn)
        yardstick = await _pgbench(postgres.dsn, folder)
        async with ApiProcess(folder, postgres.dsn, valkey.url) as api:
            await _drive(api, _uniform, WARM_SECONDS, "warm")
            await _analyze(postgres.dsn)
            cpu, its_server = api.cpu_seconds(), _server_seconds(postgres.pid)
            uniform, orders = await _drive(api, _uniform, SECONDS, "uniform")
            cpu = (api.cpu_seconds() - cpu) * 1_000 / orders
            its_server = (_server_seconds(postgres.pid) - its_server) * 1_000 / orders
            await _check(postgres.dsn, "uniform", orders)
            await _drive(api, _hot, WARM_SECONDS, "warm-hot")
            hot, orders = await _drive(api, _hot, SECONDS, "hot")
            oversold = await _check(postgres.dsn, "hot", orders)
            alone, _ = await _drive(api, _uniform, 3.0, "alone", clients=1)
    finally:
        valkey.stop()
        postgres.stop()
    return [
        _row("orderPlace, 3 lines, uniform SKUs, one API process", uniform, "pgbench, one function call per order, 8 clients", yardstick),
        _row(f"the same, every line on one hot SKU (oversold {oversold})", hot, "our own uniform figure", uniform),
        _row("the same, uniform, one caller at a time", alone, "pgbench, one function call per order, 8 clients", yardstick),
        {"name": "orders that a core of the API is good for, by its CPU: other work moves it less", "figure": round(1_000 / cpu, 1),
         "unit": "orders/s", "yardstick": "", "yardstick_figure": None, "ratio": None},
        {"name": "CPU of the API process per order, uniform", "figure": round(cpu, 2), "unit": "ms", "yardstick": "",
         "yardstick_figure": None, "ratio": None},
        {"name": "CPU of its PostgreSQL per order, uniform", "figure": round(its_server, 2), "unit": "ms", "yardstick": "",
         "yardstick_figure": None, "ratio": None},
    ]  # fmt: skip


def _row(name: str, figure: float, yardstick: str, its: float) -> dict[str, Any]:
    return {
        "name": name,
        "figure": round(figure, 1),
        "unit": "orders/s",
        "yardstick": yardstick,
        "yardstick_figure": round(its, 1),
        "ratio": round(figure / its, 3),
    }


async def _prepare(dsn: str) -> None:
    await migrate_database(dsn)
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction():
            await connection.execute(COMPANY)
        await connection.execute("analyze")
        await connection.execute("create database yardstick")
    finally:
        await connection.close()
    other = await asyncpg.connect(_other(dsn))
    try:
        await other.execute(YARDSTICK)
    finally:
        await other.close()


def _other(dsn: str) -> str:
    return urlunsplit(urlsplit(dsn)._replace(path="/yardstick"))


async def _analyze(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("analyze")
    finally:
        await connection.close()


def _server_seconds(pid: int) -> float:
    """CPU that a PostgreSQL server and its sessions have used so far, those included that have ended."""
    server = psutil.Process(pid)
    own = server.cpu_times()
    total = own.user + own.system + own.children_user + own.children_system
    for session in server.children():
        with contextlib.suppress(psutil.Error):
            times = session.cpu_times()
            total += times.user + times.system
    return total


async def _pgbench(dsn: str, folder: Path) -> float:
    """Orders per second of pgbench with prepared statements; its count is compared with the rows it made."""
    script = folder / "order.sql"
    script.write_text(SCRIPT)
    program = postgres_binaries(None) / "pgbench"
    given = ["-n", "-c", str(YARDSTICK_CLIENTS), "-j", "2", "-M", "prepared", "-f", str(script)]
    for seconds in ("2", str(int(SECONDS))):
        done = await asyncio.to_thread(
            subprocess.run,
            [str(program), *given, "-T", seconds, _other(dsn)],
            capture_output=True,
            text=True,
            check=True,
        )
    found = re.search(r"^tps = ([\d.]+)", done.stdout, re.MULTILINE)
    assert found is not None, done.stdout
    connection = await asyncpg.connect(_other(dsn))
    try:
        wrong = await connection.fetchval(
            "select (select sum(allocated) from stock) <> (select sum(allocated_delta) from movement)"
            " or (select count(*) * 3 from orders) <> (select count(*) from line)"
            " or (select count(*) from line) <> (select count(*) from movement)"
        )
    finally:
        await connection.close()
    assert not wrong, "the yardstick does not add up"
    return float(found.group(1))


DOCUMENT = """mutation($input: OrderPlaceInput!, $key: String!) { orderPlace(input: $input, idempotencyKey: $key) {
  order { number status } backorders { id } userErrors { code } } }"""


def _uniform(number: int) -> list[str]:
    """Three SKUs spread over all: a fixed walk with steps that share no factor with their count."""
    return [f"S{(number * step) % SKUS + 1}" for step in (3_331, 7_177, 9_973)]


def _hot(number: int) -> list[str]:
    return ["S1", "S1", "S1"]


async def _drive(api: ApiProcess, skus: Any, seconds: float, name: str, *, clients: int = CLIENTS) -> tuple[float, int]:
    """Orders per second, and how many orders were placed; every answer is checked."""
    end = time.perf_counter() + seconds
    count = 0

    def request() -> bytes:
        nonlocal count
        count += 1
        body = msgspec.json.encode(
            {
                "query": DOCUMENT,
                "variables": {
                    "key": f"{name}-{count}",
                    "input": {
                        "channel": "web",
                        "externalNumber": f"{name}-{count}",
                        "shipTo": {"country": "KR", "postalCode": "04524"},
                        "lines": [{"sku": sku, "quantity": 1} for sku in skus(count)],
                    },
                },
            }
        )
        head = (
            f"POST /graphql HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {api.token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body

    async def caller() -> int:
        connection = await Connection.open(api.port)
        placed = 0
        try:
            while time.perf_counter() < end:
                answer = await connection.send(request())
                assert b'"status":"ALLOCATED"' in answer.replace(b" ", b""), answer
                placed += 1
        finally:
            connection.close()
        return placed

    began = time.perf_counter()
    orders = sum(await asyncio.gather(*(caller() for _ in range(clients))))
    return orders / (time.perf_counter() - began), orders


async def _check(dsn: str, name: str, orders: int) -> int:
    """Every order once, with all its units allocated; the number of units oversold, which is 0."""
    connection = await asyncpg.connect(dsn)
    try:
        found = await connection.fetchrow(
            """select count(distinct o.id) as orders, coalesce(sum(l.allocated), 0) as units from sales_order o
            join order_line l on l.order_id = o.id where o.external_number like $1""",
            f"{name}-%",
        )
        differs = await connection.fetchval(
            """select count(*) from stock_level s where s.allocated <> (select coalesce(sum(p.quantity), 0) from peg p
                where p.sku_id = s.sku_id and p.location_id = s.location_id and p.kind = 'HARD')"""
        )
        oversold = await connection.fetchval(
            "select coalesce(sum(greatest(0, allocated + unsellable - on_hand)), 0)::bigint from stock_level"
        )
    finally:
        await connection.close()
    assert (found["orders"], found["units"]) == (orders, orders * 3), (name, dict(found), orders)
    assert (differs, oversold) == (0, 0)
    return oversold
