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


@dataclass(frozen=True, slots=True)
class Waiting:
    """Which of the files that wait are meant: up to a row's id, of one purchase order, of the releases of one shipment."""

    last_id: int | None = None
    purchase_order_id: int | None = None
    shipment_id: int | None = None


async def newest_pending(sql: Any) -> int:
    """Id of the newest file not yet written, 0 where there is none."""
    return await sql.fetchval("select coalesce(max(id), 0) from edi_outbound where state = 'pending'")


async def lock_pending(
    sql: Any, limit: int, without: Collection[int] = (), which: Waiting = Waiting()
) -> list[OutboundFile]:
    """Files not yet written, oldest first, locked; those that another writer holds are left to it."""
    rows = await sql.fetch(
        """select o.id, p.code as partner, o.file_name as name, o.bytes as content
        from edi_outbound o join partner p on p.id = o.partner_id
        where o.state = 'pending' and o.id <> all($2::bigint[]) and ($3::bigint is null or o.id <= $3)
            and ($4::bigint is null or o.purchase_order_id = $4)
            and ($5::bigint is null or (o.kind = '940' and o.reference = (select number from shipment where id = $5)))
        order by o.id limit $1 for update of o skip locked""",
        limit,
        list(without),
        which.last_id,
        which.purchase_order_id,
        which.shipment_id,
    )
    return [OutboundFile(**dict(row)) for row in rows]


async def mark_written(sql: Any, ids: Sequence[int], at: datetime) -> None:
    """These files are in their folders."""
    await sql.execute(
        "update edi_outbound set state = 'written', written_at = $2 where id = any($1::bigint[]) and state = 'pending'",
        list(ids),
        at,
    )


async def unsettled(sql: Any, raw_id: int) -> list[int]:
    """Documents of a file that wait to be applied, or in quarantine."""
    rows = await sql.fetch(
        "select id from edi_document where raw_id = $1 and delivery in ('received', 'quarantined') order by id", raw_id
    )
    return [row["id"] for row in rows]


async def settled_before(sql: Any, before: datetime, limit: int) -> list[int]:
    """Files that came before this instant and were read, all of whose documents are settled, oldest first."""
    rows = await sql.fetch(
        """select r.id from edi_raw r where r.erased_at is null and r.received_at < $1
            and exists (select from edi_document d where d.raw_id = r.id) and not exists (
            select from edi_document d where d.raw_id = r.id and d.delivery in ('received', 'quarantined'))
        order by r.received_at, r.id limit $2""",
        before,
        limit,
    )
    return [row["id"] for row in rows]


async def erase(sql: Any, raw_ids: Sequence[int], at: datetime) -> None:
    """Erase bytes, and what their documents quote: values of faults, the sentence behind the reason's word, the result."""
    await sql.execute(
        "update edi_raw set bytes = '', erased_at = $2 where id = any($1::bigint[]) and erased_at is null",
        list(raw_ids),
        at,
    )
    await sql.execute(
        """update edi_document set faults = coalesce((select jsonb_agg(f - 'value' - 'message' || '{"message": "erased"}')
            from jsonb_array_elements(faults) f), '[]'), quarantine_reason = split_part(quarantine_reason, ':', 1),
            result = null, updated_at = $2 where raw_id = any($1::bigint[])""",
        list(raw_ids),
        at,
    )


async def folder_deliveries(sql: Any, raw_ids: Sequence[int]) -> list[Any]:
    """Arrivals of erased files through folders: hash, partner's code and the name of the arrival."""
    return await sql.fetch(
        """select r.sha256, p.code as partner, d.transport_id from edi_raw r join edi_delivery d on d.raw_id = r.id
        join partner p on p.id = d.partner_id
        where r.id = any($1::bigint[]) and r.erased_at is not null and d.transport = 'folder' order by d.id""",
        list(raw_ids),
    )


async def set_aside_before(sql: Any, raw_id: int, partner_id: int) -> list[Any]:
    """Documents of a file that another try may apply, locked: nothing is wrong with them as such, their sender is known
    now, and `partner_id`, from whom the file came again, is their sender where it lay in another's folder before."""
    return await sql.fetch(
        """select d.id, d.quarantine_state, coalesce(d.partner_id, p.id) as partner_id from edi_document d
        left join partner p on p.is_active and d.partner_id is null and starts_with(d.identity, concat_ws(
            '|', p.qualifier, p.interchange_id, p.our_qualifier, p.our_interchange_id, ''))
        where d.raw_id = $1 and d.delivery = 'quarantined' and d.group_id is not null and d.validation <> 'invalid'
            and coalesce(d.partner_id, p.id) is not null
            and (coalesce(d.partner_id, p.id) = $2 or d.quarantine_reason not like 'wrong_folder:%')
            and d.quarantine_reason not like 'control_number_reused:%'
        order by d.id for no key update of d""",
        raw_id,
        partner_id,
    )
