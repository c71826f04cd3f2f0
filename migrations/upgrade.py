"""Brings a database to the newest schema; the `migrate` command and the tests call it."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

ROOT = Path(__file__).resolve().parent.parent


def engine_url(dsn: str) -> sa.URL:
    """The asyncpg URL of `dsn`: any postgres scheme, over TCP or with `?host=/folder` over a socket."""
    url = sa.make_url(dsn)
    if url.get_backend_name() not in ("postgresql", "postgres"):
        raise ValueError(f"not a PostgreSQL URL: {url.drivername}")
    return url.set(drivername="postgresql+asyncpg")


def alembic_config(connection: sa.Connection | None = None) -> Config:
    """Our Alembic settings, from pyproject.toml, bound to `connection` when given."""
    config = Config(toml_file=ROOT / "pyproject.toml")
    config.set_main_option("script_location", str(ROOT / "migrations"))
    if connection is not None:
        config.attributes["connection"] = connection
    return config


async def upgrade(dsn: str, revision: str = "head") -> None:
    """Run every migration the database lacks, up to `revision`. Safe to call twice and from two processes at once.

    Raises sqlalchemy.exc.DBAPIError when a migration fails (that migration is rolled back, earlier ones stay), or when
    a table lock cannot be had in about a minute.
    """
    engine = create_async_engine(engine_url(dsn), poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(lambda c: command.upgrade(alembic_config(c), revision))
    finally:
        await engine.dispose()
