"""Seals over the two ledgers: what is unsealed, the digests of the rows in a fixed written form, the chain itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

BATCH = 5_000
FORMAT = 2
"""Version of the written form below. A new form gets a new number; old seals are verified by theirs."""
FORMATS = (1, 2)
"""2: also when an audit entry was written (`created_at`)."""

_INSTANT = """to_char({} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""
_AUDIT = f"id, {_INSTANT.format('at')}, actor, operation, object, before, after, request_id"
_PROMISE = f"""jsonb_build_array(id, sku_id, order_line_id, customer_id, sequence, quantity, complete, cause_kind,
    cause_id, evidence, slices, actor, {_INSTANT.format("created_at")})"""
WRITTEN_FORM = {
    ("audit", 1): f"jsonb_build_array({_AUDIT})",
    ("audit", 2): f"jsonb_build_array({_AUDIT}, {_INSTANT.format('created_at')})",
    ("promise", 1): _PROMISE,
    ("promise", 2): _PROMISE,
}
"""By ledger and format."""
TABLE = {"audit": "audit_entry", "promise": "promise"}
LEDGERS = tuple(TABLE)


@dataclass(frozen=True, slots=True)
class Digest:
    """What a set of rows hashes to: sha256 over the sha256 of each row, in id order."""

    entries: int
    first_id: int
    last_id: int
    digest: bytes
    row_digests: bytes | None = None
    """Per row its id (8 bytes) and the first 8 bytes of its sha256: not what is proved, but what names a row. Where
    many seals are read, the sha256 of it."""


@dataclass(frozen=True, slots=True)
class StoredSeal:
    """One link of a chain as it stands in the database."""

    number: int
    entries: int
    first_id: int
    last_id: int
    previous: bytes
    hash: bytes
    format: int
    row_digests: bytes | None = None


_SEAL = "number, entries, first_id, last_id, previous, hash, format, row_digests"
ROW_BYTES = 16


def _row_digest(ledger: str, version: int) -> str:
    return f"sha256(convert_to({WRITTEN_FORM[ledger, version]}::text, 'UTF8'))"


_DIGEST = """count(*) as entries, min(id) as first_id, max(id) as last_id,
    sha256(string_agg(row, ''::bytea order by id)) as digest"""
_LISTED = "string_agg(int8send(id) || substr(row, 1, 8), ''::bytea order by id)"


async def lock_chain(sql: Any, ledger: str) -> StoredSeal | None:
    """The newest seal, while this transaction alone may add one."""
    await sql.execute("select pg_advisory_xact_lock(hashtextextended($1, 0))", f"seal:{ledger}")
    row = await sql.fetchrow(f"select {_SEAL} from {ledger}_seal order by number desc limit 1")
    return StoredSeal(**dict(row)) if row else None


async def stamp_unsealed(sql: Any, ledger: str, number: int, limit: int = BATCH) -> Digest | None:
    """Give the oldest unsealed rows that are visible this seal number; their digest, or None when there are none."""
    count = int(
        (
            await sql.execute(
                f"""update {TABLE[ledger]} set seal_number = $1 where id = any(array(
                    select id from {TABLE[ledger]} where seal_number is null order by id limit $2))
                    and seal_number is null""",
                number,
                limit,
            )
        ).split()[-1]
    )
    if not count:
        return None
    return await digest_of(sql, ledger, number, FORMAT)


async def digest_of(sql: Any, ledger: str, number: int, version: int) -> Digest | None:
    """Of the rows that name a seal, written in the form of `version`, with the digests of the rows; None without any."""
    row = await sql.fetchrow(
        f"""select {_DIGEST}, {_LISTED} as row_digests
        from (select id, {_row_digest(ledger, version)} as row from {TABLE[ledger]} where seal_number = $1) x""",
        number,
    )
    return Digest(**dict(row)) if row["entries"] else None


async def add_seal(sql: Any, ledger: str, seal: StoredSeal) -> None:
    await sql.execute(
        f"""insert into {ledger}_seal (number, entries, first_id, last_id, previous, hash, format, row_digests)
        values ($1, $2, $3, $4, $5, $6, $7, $8)""",
        seal.number,
        seal.entries,
        seal.first_id,
        seal.last_id,
        seal.previous,
        seal.hash,
        seal.format,
        seal.row_digests,
    )


async def seals_from(sql: Any, ledger: str, after: int, limit: int | None = None) -> list[StoredSeal]:
    """Seals behind a number, in order."""
    rows = await sql.fetch(
        f"select {_SEAL} from {ledger}_seal where number > $1 order by number limit $2",
        after,
        limit,
    )
    return [StoredSeal(**dict(row)) for row in rows]


async def digests(sql: Any, ledger: str) -> AsyncIterator[tuple[int, Digest]]:
    """Recompute every sealed batch from its rows, each in the form of its seal: (seal number, digest), in order."""
    forms = " ".join(f"when {version} then {_row_digest(ledger, version)}" for version in FORMATS)
    cursor = sql.cursor(
        f"""select seal_number, {_DIGEST}, sha256({_LISTED}) as row_digests
        from (select x.*, case coalesce(s.format, {FORMAT}) {forms} else ''::bytea end as row
            from (select * from {TABLE[ledger]} where seal_number is not null) x
            left join (select number, format from {ledger}_seal) s on s.number = x.seal_number) y
        group by seal_number order by seal_number""",
        prefetch=200,
    )
    async for row in cursor:
        facts = dict(row)
        yield facts.pop("seal_number"), Digest(**facts)


async def told_heads(sql: Any, ledger: str) -> dict[int, bytes]:
    """Hash of each seal by number, as kept events still tell it."""
    rows = await sql.fetch(
        """select (payload ->> 'number')::bigint as number, payload ->> 'hash' as hash from event
        where topic = 'seal' and payload ->> 'ledger' = $1 order by position""",
        ledger,
    )
    return {row["number"]: bytes.fromhex(row["hash"]) for row in rows}


async def id_ranges(sql: Any, ledger: str, numbers: list[int], limit: int = 1_000) -> list[tuple[int, int]]:
    """Ids, as (first, last) of each unbroken run, of the rows without a seal or under one of these seals."""
    rows = await sql.fetch(
        f"""select min(id) as first, max(id) as last from (
            select id, id - row_number() over (order by id) as run from {TABLE[ledger]}
            where seal_number is null or seal_number = any($1::bigint[])) x
        group by run order by min(id) limit $2""",
        numbers,
        limit,
    )
    return [(row["first"], row["last"]) for row in rows]


async def unsealed(sql: Any, ledger: str) -> tuple[int, float]:
    """Rows without a seal, and the age of the oldest of them in seconds of wall time."""
    row = await sql.fetchrow(
        f"""select count(*) as entries, coalesce(extract(epoch from now() - min(created_at)), 0)::float8 as age
        from {TABLE[ledger]} where seal_number is null"""
    )
    return row["entries"], row["age"]
