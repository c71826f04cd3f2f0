"""`seed`: fill an empty database with a small believable company."""

from __future__ import annotations

import asyncio
from typing import Annotated

import asyncpg
import typer

from core.database import plain_dsn
from core.settings import load_settings
from workers.commands.local_keys import utc_now


async def is_empty(dsn: str) -> bool:
    """True when the migrated database holds no SKU yet."""
    connection = await asyncpg.connect(plain_dsn(dsn))
    try:
        return not await connection.fetchval("select exists (select from sku)")
    finally:
        await connection.close()


async def seed_database(dsn: str) -> bool:
    """Seed when empty. Returns whether anything was done."""
    if not await is_empty(dsn):
        return False
    from migrations.demo_data import seed as write_demo_data

    await write_demo_data(dsn, utc_now())
    return True


def seed(
    database_url: Annotated[str, typer.Option(help="Database to fill; DATABASE_URL when not given.")] = "",
) -> None:
    """Fill an empty database with a small company; one that holds SKUs is left as it is."""
    dsn = database_url or load_settings().database_url
    if not dsn:
        typer.echo("Set DATABASE_URL, or use `up`, which seeds its own database when it is empty.", err=True)
        raise typer.Exit(2)
    typer.echo("The database was seeded." if asyncio.run(seed_database(dsn)) else "The database holds data already.")
