"""Business parameters as they are stored."""

from __future__ import annotations

import asyncpg


async def stored_policies(sql: asyncpg.Connection) -> dict[str, asyncpg.Record]:
    """(code, value, version, updated_at) by code; parameters at their default are absent."""
    return {row["code"]: row for row in await sql.fetch("select code, value, version, updated_at from policy")}
