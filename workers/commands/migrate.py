"""`migrate`: bring a database to the newest revision, and know cheaply when it already is."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Annotated

import asyncpg
import typer

from core.database import plain_dsn
from core.errors import ConfigurationError
from core.settings import load_settings

VERSIONS = Path(__file__).resolve().parents[2] / "migrations" / "versions"


def newest_revisions(folder: Path = VERSIONS) -> set[str]:
    """The heads of the migration scripts, read from their text: no Alembic import, no script is executed."""
    revisions: set[str] = set()
    followed: set[str] = set()
    for script in folder.glob("*.py"):
        text = script.read_text(encoding="utf-8")
        if own := re.search(r"""^revision(?:: str)? = ["']([^"']+)["']""", text, re.MULTILINE):
            revisions.add(own.group(1))
        if before := re.search(r"^down_revision(?:: [^=]+)? = (.+)$", text, re.MULTILINE):
            followed.update(re.findall(r"""["']([^"']+)["']""", before.group(1)))
    return revisions - followed


async def is_newest(dsn: str) -> bool:
    """True when the database stands at exactly the newest revisions."""
    connection = await asyncpg.connect(plain_dsn(dsn))
    try:
        rows = await connection.fetch("select version_num from alembic_version")
    except asyncpg.UndefinedTableError:
        return False
    finally:
        await connection.close()
    return {row["version_num"] for row in rows} == newest_revisions()


async def migrate_database(dsn: str) -> bool:
    """Upgrade when needed. Returns whether anything was done. Raises ConfigurationError when a migration fails."""
    if await is_newest(dsn):
        return False
    from sqlalchemy.exc import DBAPIError

    from migrations.upgrade import upgrade

    try:
        await upgrade(dsn)
    except DBAPIError as error:
        raise ConfigurationError(f"The database cannot be migrated: {error.orig}") from error
    return True


def migrate(
    database_url: Annotated[str, typer.Option(help="Database to migrate; DATABASE_URL when not given.")] = "",
) -> None:
    """Bring the database to the newest revision. Safe to repeat."""
    dsn = database_url or load_settings().database_url
    if not dsn:
        typer.echo("Set DATABASE_URL, or use `up`, which brings its own database and migrates it.", err=True)
        raise typer.Exit(2)
    done = asyncio.run(migrate_database(dsn))
    typer.echo(
        "The database was migrated to the newest revision." if done else "The database is at the newest revision."
    )
