"""Saved variants of re-promising, and which of them are due."""

from __future__ import annotations

from datetime import time
from typing import Any

from core.errors import NotFound
from core.ports import Transaction

_COLUMNS = "id, code, name, definition, daily_at, time_zone, is_active, last_started_at, version"


async def variant_by_code(uow: Transaction, code: str) -> dict[str, Any]:
    """The saved variant. Raises NotFound."""
    row = await uow.sql.fetchrow(f"select {_COLUMNS} from repromising_variant where code = $1", code)
    if row is None:
        raise NotFound("re-promising variant", code, path=("input", "variant"))
    return dict(row)


async def lock_variant(uow: Transaction, code: str) -> dict[str, Any] | None:
    """The saved variant, locked; None when there is none yet."""
    row = await uow.sql.fetchrow(f"select {_COLUMNS} from repromising_variant where code = $1 for no key update", code)
    return None if row is None else dict(row)


async def write_variant(
    uow: Transaction,
    code: str,
    name: str,
    definition: dict[str, Any],
    daily_at: time | None,
    time_zone: str,
    is_active: bool,
) -> dict[str, Any]:
    """Insert or replace; a variant whose time of day is new does not start for a time that has passed today."""
    row = await uow.sql.fetchrow(
        f"""insert into repromising_variant as v (code, name, definition, daily_at, time_zone, is_active,
            last_started_at, created_at, updated_at) values ($1, $2, $3, $4, $5, $6, $7, $7, $7)
        on conflict (code) do update set name = excluded.name, definition = excluded.definition,
            daily_at = excluded.daily_at, time_zone = excluded.time_zone, is_active = excluded.is_active,
            last_started_at = $7, version = v.version + 1, updated_at = $7
        returning {_COLUMNS}""",
        code,
        name,
        definition,
        daily_at,
        time_zone,
        is_active,
        uow.now,
    )
    return dict(row)


async def take_due_variants(uow: Transaction) -> list[dict[str, Any]]:
    """Variants whose time of day, of today or yesterday, has come since they were last started, marked as started now."""
    rows = await uow.sql.fetch(
        f"""update repromising_variant v set last_started_at = $1, updated_at = $1
        where v.id in (select id from repromising_variant where is_active and daily_at is not null
            and coalesce(last_started_at, '-infinity') < (select max(due) from (
                select (date_trunc('day', $1 at time zone time_zone) - make_interval(days => n) + daily_at)
                    at time zone time_zone as due from generate_series(0, 1) n) d where due <= $1)
            for no key update skip locked)
        returning {_COLUMNS}""",
        uow.now,
    )
    return sorted((dict(row) for row in rows), key=lambda row: row["code"])
