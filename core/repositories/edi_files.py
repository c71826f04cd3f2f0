"""Outbound EDI files that wait to be written into their partner's folder."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class OutboundFile:
    """A finished document: `name` is unique for ever, `partner` is the folder."""

    id: int
    partner: str
    name: str
    content: bytes


async def lock_pending(sql: Any, limit: int, without: Collection[int] = ()) -> list[OutboundFile]:
    """Files not yet written, oldest first, locked; those that another writer holds are left to it."""
    rows = await sql.fetch(
        """select o.id, p.code as partner, o.file_name as name, o.bytes as content
        from edi_outbound o join partner p on p.id = o.partner_id
        where o.state = 'pending' and o.id <> all($2::bigint[]) order by o.id limit $1 for update of o skip locked""",
        limit,
        list(without),
    )
    return [OutboundFile(**dict(row)) for row in rows]


async def mark_written(sql: Any, ids: Sequence[int], at: datetime) -> None:
    """These files are in their folders."""
    await sql.execute(
        "update edi_outbound set state = 'written', written_at = $2 where id = any($1::bigint[]) and state = 'pending'",
        list(ids),
        at,
    )
