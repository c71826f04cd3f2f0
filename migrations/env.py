"""Runs migrations: one run at a time, short lock waits with retries, one transaction per migration, then ANALYZE."""

import asyncio
import os
import time

import sqlalchemy as sa
from alembic import context
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from core.tables import metadata
from migrations.upgrade import engine_url

RUN_LOCK = 7_146_002_001
LOCK_TIMEOUT = "3s"
ATTEMPTS = 20


def include_name(name: str | None, kind: str, parents: object) -> bool:
    """Partitions of `event` come and go at run time; they are not part of the model."""
    return not (kind == "table" and name is not None and name.startswith("event_p"))


def migrate(connection: sa.Connection) -> None:
    """Run what the command asked for on `connection`, alone; wait for a lock at most LOCK_TIMEOUT, ATTEMPTS times."""
    applied: list[object] = []
    connection.execute(sa.text("select pg_advisory_lock(:key)"), {"key": RUN_LOCK})
    connection.execute(sa.text(f"set lock_timeout = '{LOCK_TIMEOUT}'"))
    connection.commit()
    try:
        context.configure(
            connection=connection,
            target_metadata=metadata,
            transaction_per_migration=True,
            include_name=include_name,
            compare_type=True,
            compare_server_default=True,
            on_version_apply=lambda **facts: applied.append(facts["step"]),  # pyright: ignore[reportArgumentType]
        )
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with context.begin_transaction():
                    context.run_migrations()
                break
            except DBAPIError as error:
                connection.rollback()
                if getattr(error.orig, "sqlstate", None) != "55P03" or attempt == ATTEMPTS:
                    raise
                time.sleep(0.25 * attempt)
        if applied:
            # plans made for empty tables are slow until they are replaced
            connection.execute(sa.text("analyze"))
            connection.commit()
    finally:
        connection.rollback()
        connection.execute(sa.text("reset lock_timeout"))
        connection.execute(sa.text("select pg_advisory_unlock(:key)"), {"key": RUN_LOCK})
        connection.commit()


async def connect_and_migrate() -> None:
    """Build a connection from DATABASE_URL; the command line comes here, programs bring their connection."""
    engine = create_async_engine(engine_url(os.environ["DATABASE_URL"]), poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(migrate)
    finally:
        await engine.dispose()


given = context.config.attributes.get("connection")
if given is not None:
    migrate(given)
else:
    asyncio.run(connect_and_migrate())
