"""Real servers for the tests: one PostgreSQL and one Valkey per test process, a fresh migrated database per test."""

import asyncio
import itertools
import os
import shutil
import tempfile
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
import redis
from hypothesis import HealthCheck, settings

from core.embedded import discard_private_data, start_postgres, start_valkey
from migrations.upgrade import upgrade

pytest_plugins = ["tests.world"]

UNTIMED: Any = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("steady", derandomize=True, **UNTIMED)
settings.register_profile("searching", **UNTIMED)
settings.load_profile("steady")

FAST = {
    "shared_buffers": "64MB",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "256MB",
}
"""Durability is not what these tests ask for; a killed process loses nothing even so."""

MEMORY = Path("/dev/shm")
ENOUGH_BYTES = 4 << 30

if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ENOUGH_BYTES:
    # a database per test is hundreds of files made and deleted: in memory that costs a tenth
    tempfile.tempdir = str(MEMORY)

_numbers = itertools.count(1)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--search", action="store_true", help="Property tests try other examples in each run.")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--search") or config.option.markexpr == "long":
        settings.load_profile("searching")


def _run(work: Coroutine[Any, Any, Any]) -> Any:
    """Await `work` in a thread of its own: a fixture may be set up while a test's loop runs."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


async def _execute(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


def with_database(url: str, name: str) -> str:
    """`url` for another database of the same server."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def data_folder() -> Iterator[Path]:
    """A short path of our own: pytest's is too long for sockets."""
    path = Path(tempfile.mkdtemp(prefix="bm-test-"))
    yield path
    discard_private_data(path)
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def server_url(data_folder: Path) -> Iterator[str]:
    """A PostgreSQL server: the one of DATABASE_URL when set (its login may create databases), else a private one."""
    if given := os.environ.get("DATABASE_URL"):
        yield given.replace("postgresql+asyncpg://", "postgresql://")
        return
    server = start_postgres(data_folder, parameters=FAST)
    yield server.dsn
    server.stop()


@pytest.fixture(scope="session")
def template_database(server_url: str) -> Iterator[str]:
    """Name of a database that holds the newest schema and no data; nobody may be connected to it."""
    name = f"backorder_template_{os.getpid()}"
    _run(_execute(server_url, f"drop database if exists {name} with (force)", f"create database {name}"))
    _run(upgrade(with_database(server_url, name)))
    yield name
    _run(_execute(server_url, f"drop database if exists {name} with (force)"))


@pytest.fixture
def empty_database_url(server_url: str) -> Iterator[str]:
    """A fresh database without any table."""
    name = f"backorder_empty_{os.getpid()}_{next(_numbers)}"
    _run(_execute(server_url, f"create database {name}"))
    yield with_database(server_url, name)
    _run(_execute(server_url, f"drop database if exists {name} with (force)"))


@pytest.fixture
def database_url(server_url: str, template_database: str) -> Iterator[str]:
    """A fresh, migrated, empty database, gone after the test."""
    name = f"backorder_test_{os.getpid()}_{next(_numbers)}"
    _run(_execute(server_url, f"create database {name} template {template_database} strategy file_copy"))
    yield with_database(server_url, name)
    _run(_execute(server_url, f"drop database if exists {name} with (force)"))


@pytest.fixture(scope="session")
def _valkey(data_folder: Path) -> Iterator[str]:
    server = start_valkey(data_folder)
    yield server.url
    server.stop()


@pytest.fixture
def valkey_url(_valkey: str) -> Iterator[str]:
    """A real Valkey on a Unix socket, empty at the start of the test."""
    client = redis.Redis.from_url(_valkey)
    client.flushall()
    yield _valkey
    client.close()
