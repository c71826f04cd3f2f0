"""Rows of `api_key`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from core.domain.access import Role
from core.domain.api_keys import NewApiKey
from core.ports import Transaction

_LIVE = "revoked_at is null and (expires_at is null or expires_at > now())"


async def live_ids(uow: Transaction, name: str) -> list[int]:
    """Ids of the keys of this name that are good now, the newest last; nobody else changes them meanwhile."""
    await uow.sql.execute("select pg_advisory_xact_lock(hashtextextended('api_key:' || $1, 0))", name)
    rows = await uow.sql.fetch(f"select id from api_key where name = $1 and {_LIVE} order by id", name)
    return [row["id"] for row in rows]


async def is_of_others(
    uow: Transaction, name: str, role: Role, customer_id: int | None, supplier_id: int | None
) -> bool:
    """Did a key of this name, dead or alive, ever act for another role, customer or supplier?"""
    return await uow.sql.fetchval(
        """select exists (select from api_key where name = $1 and (role <> $2
            or customer_id is distinct from $3::bigint or supplier_id is distinct from $4::bigint))""",
        name,
        role.value,
        customer_id,
        supplier_id,
    )


async def party_id(uow: Transaction, kind: str, code: str) -> int | None:
    """Id of a customer or supplier."""
    table = {"customer": "customer", "supplier": "supplier"}[kind]
    return await uow.sql.fetchval(f"select id from {table} where code = $1", code)


async def add(
    uow: Transaction,
    made: NewApiKey,
    name: str,
    role: Role,
    scope: list[str],
    customer_id: int | None,
    supplier_id: int | None,
    expires_at: datetime | None,
) -> int:
    """Write a key; its id."""
    return await uow.sql.fetchval(
        """insert into api_key (prefix, secret_hash, role, scope, customer_id, supplier_id, expires_at, name)
        values ($1, $2, $3, $4, $5, $6, $7, $8) returning id""",
        made.prefix,
        made.secret_hash,
        role.value,
        scope,
        customer_id,
        supplier_id,
        expires_at,
        name,
    )


async def copy(uow: Transaction, id: int, made: NewApiKey) -> int:
    """Write a key with the name and rights of another; its id."""
    return await uow.sql.fetchval(
        """insert into api_key (prefix, secret_hash, role, scope, customer_id, supplier_id, expires_at, name)
        select $2, $3, role, scope, customer_id, supplier_id, expires_at, name from api_key where id = $1 returning id""",
        id,
        made.prefix,
        made.secret_hash,
    )


async def end_in(uow: Transaction, ids: Sequence[int], overlap: timedelta) -> None:
    """Let keys expire so much later, in wall time as all that guards the door, unless they do so sooner."""
    await uow.sql.execute(
        "update api_key set expires_at = least(expires_at, now() + $2::interval) where id = any($1::bigint[])",
        ids,
        overlap,
    )


async def is_past(uow: Transaction, instant: datetime) -> bool:
    """Is it over, in wall time."""
    return await uow.sql.fetchval("select $1::timestamptz <= now()", instant)


async def revoke(uow: Transaction, name: str, prefix: str | None) -> list[int]:
    """End live keys now; their ids."""
    rows = await uow.sql.fetch(
        f"""update api_key set revoked_at = now() where name = $1 and ($2::text is null or prefix = $2) and {_LIVE}
        returning id""",
        name,
        prefix,
    )
    return [row["id"] for row in rows]


async def note_use(uow: Transaction, ids: Sequence[int]) -> None:
    """Keys were used just now; a row is written once a minute at most, whoever else writes it."""
    await uow.sql.execute(
        """update api_key set last_used_at = now() where id = any(array(select id from api_key
            where id = any($1::bigint[]) and coalesce(last_used_at, '-infinity') < now() - interval '1 minute'
            order by id for update skip locked))""",
        ids,
    )
