"""One at a time, over all processes: a PostgreSQL advisory lock that dies with its connection."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from core.unit_of_work import unit_of_work

if TYPE_CHECKING:
    from core.database import Database


@asynccontextmanager
async def turn(database: Database, name: str) -> AsyncIterator[bool]:
    """True while this process alone holds the turn called `name`; False at once when another has it.

    The lock lives in an idle READ COMMITTED transaction, which holds no snapshot and so delays no vacuum.
    """
    key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
    async with unit_of_work(database) as uow:
        yield bool(await uow.sql.fetchval("select pg_try_advisory_xact_lock($1)", key))
