"""Versions of partners' guides and the samples that each must read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from core.edi.guide import PartnerGuide
from core.errors import NotFound
from core.ports import Transaction
from core.repositories.edi import Partner


@dataclass(frozen=True, slots=True)
class Sample:
    """A message of a partner; `expected` by set position, None where only its syntax and content are tried."""

    name: str
    content: bytes
    expected: dict[str, Any] | None


async def read_guide(uow: Transaction, partner_id: int, version: int) -> PartnerGuide:
    """The guide of this version, whatever its state. Raises NotFound."""
    found = await uow.sql.fetchval(
        "select guide from partner_guide where partner_id = $1 and version = $2", partner_id, version
    )
    if found is None:
        raise NotFound("guide version", str(version), path=("input", "guideVersion"))
    return PartnerGuide.from_json(found)


async def active_version(uow: Transaction, partner_id: int) -> int | None:
    """The version in force; None where the defaults are."""
    return await uow.sql.fetchval(
        "select max(version) from partner_guide where partner_id = $1 and state = 'active'", partner_id
    )


async def with_guide(uow: Transaction, partner: Partner, version: int) -> Partner:
    """The partner as under this version of its guide."""
    return replace(partner, guide=await read_guide(uow, partner.id, version), guide_version=version)


async def lock_guides(uow: Transaction, partner_id: int) -> None:
    """Only one transaction changes the versions of a partner at a time."""
    await uow.sql.execute("select id from partner where id = $1 for no key update", partner_id)


async def add_version(uow: Transaction, partner_id: int, guide: Mapping[str, Any]) -> int:
    """Store a draft; returns its version."""
    return await uow.sql.fetchval(
        """insert into partner_guide (partner_id, version, guide, state)
        select $1, coalesce(max(version), 0) + 1, $2, 'draft' from partner_guide where partner_id = $1
        returning version""",
        partner_id,
        dict(guide),
    )


async def activate_version(uow: Transaction, partner_id: int, version: int) -> None:
    """This version holds from now on, the one before is retired."""
    await uow.sql.execute(
        """update partner_guide set updated_at = $3, active_from = case when version = $2 then $3 else active_from end,
            state = case when version = $2 then 'active' else 'retired' end
        where partner_id = $1 and (version = $2 or state = 'active')""",
        partner_id,
        version,
        uow.now,
    )


async def versions_of(uow: Transaction, partner_id: int) -> list[Any]:
    """All versions with their state, the newest first."""
    return await uow.sql.fetch(
        "select version, state, guide, active_from, created_at from partner_guide where partner_id = $1"
        " order by version desc",
        partner_id,
    )


async def samples_of(uow: Transaction, partner_id: int) -> list[Sample]:
    """The samples that every version must read, by name."""
    rows = await uow.sql.fetch(
        "select name, bytes, expected from guide_sample where partner_id = $1 order by name", partner_id
    )
    return [Sample(row["name"], bytes(row["bytes"]), row["expected"]) for row in rows]


async def put_sample(uow: Transaction, partner_id: int, sample: Sample) -> None:
    """Keep a sample under its name; one of the same name is replaced."""
    await uow.sql.execute(
        """insert into guide_sample (partner_id, name, bytes, expected) values ($1, $2, $3, $4)
        on conflict (partner_id, name) do update set bytes = excluded.bytes, expected = excluded.expected""",
        partner_id,
        sample.name,
        sample.content,
        sample.expected,
    )


async def add_sample(uow: Transaction, partner_id: int, sample: Sample) -> bool:
    """Keep a sample, unless it is kept already: then it keeps what its lines come to. False where another has its name."""
    return bool(
        await uow.sql.fetchval(
            """insert into guide_sample as kept (partner_id, name, bytes, expected) values ($1, $2, $3, $4)
            on conflict (partner_id, name) do update set expected = coalesce(excluded.expected, kept.expected)
                where kept.bytes = excluded.bytes
            returning true""",
            partner_id,
            sample.name,
            sample.content,
            sample.expected,
        )
    )
