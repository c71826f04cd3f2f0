"""Trading partners, stored files, documents, groups, the duplicate ledger, control numbers and outbound documents."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec

from core.edi.guide import DEFAULT_GUIDE, PartnerGuide
from core.ports import Transaction

LAST_CONTROL = 999_999_999


@dataclass(frozen=True, slots=True)
class Partner:
    """A trading partner with the guide that is in force."""

    id: int
    code: str
    supplier_id: int | None
    qualifier: str
    interchange_id: str
    our_qualifier: str
    our_interchange_id: str
    group_id: str
    our_group_id: str
    guide: PartnerGuide
    guide_version: int | None


@dataclass(frozen=True, slots=True)
class StoredFile:
    """Raw bytes as they came, and the partners in whose folders they lay."""

    id: int
    sha256: bytes
    content: bytes
    partner_ids: frozenset[int]
    deliveries: int


@dataclass(frozen=True, slots=True)
class Outbound:
    """A document to send; the file is written after the commit."""

    partner_id: int
    kind: str
    content: bytes
    file_name: str
    interchange_control: str
    group_control: str
    set_control: str
    purchase_order_id: int | None = None
    due: dict[str, Any] | None = None
    reference: str = ""
    """What an answer names it by, beside its control numbers: the number of a change."""


_PARTNER = """select p.*, g.guide, g.version as guide_version from partner p left join lateral (
    select guide, version from partner_guide x where x.partner_id = p.id and x.state = 'active'
    order by x.version desc limit 1) g on true where p.is_active and """


def _partner(row: Any) -> Partner:
    return Partner(
        row["id"],
        row["code"],
        row["supplier_id"],
        row["qualifier"],
        row["interchange_id"],
        row["our_qualifier"],
        row["our_interchange_id"],
        row["group_id"] or row["interchange_id"],
        row["our_group_id"] or row["our_interchange_id"],
        PartnerGuide.from_json(row["guide"]) if row["guide"] else DEFAULT_GUIDE,
        row["guide_version"],
    )


async def counted_units(uow: Transaction, supplier_id: int | None) -> frozenset[str]:
    """Units in which we count the articles of a supplier (None: all articles)."""
    rows = await uow.sql.fetch(
        """select distinct k.unit from sku k
        where $1::bigint is null or exists (select from supplier_sku s where s.sku_id = k.id and s.supplier_id = $1)""",
        supplier_id,
    )
    return frozenset(row["unit"] for row in rows)


async def partner_by_code(uow: Transaction, code: str) -> Partner | None:
    row = await uow.sql.fetchrow(_PARTNER + "p.code = $1", code)
    return _partner(row) if row is not None else None


async def partner_of_supplier(uow: Transaction, supplier_id: int) -> Partner | None:
    row = await uow.sql.fetchrow(_PARTNER + "p.supplier_id = $1 order by p.id limit 1", supplier_id)
    return _partner(row) if row is not None else None


async def partner_by_address(
    uow: Transaction, qualifier: str, sender: str, our_qualifier: str, receiver: str
) -> Partner | None:
    """The partner who may send under these identifiers to ours; None for strangers and wrong receivers."""
    row = await uow.sql.fetchrow(
        _PARTNER + "p.qualifier = $1 and p.interchange_id = $2 and p.our_qualifier = $3 and p.our_interchange_id = $4",
        qualifier,
        sender,
        our_qualifier,
        receiver,
    )
    return _partner(row) if row is not None else None


async def store_raw(uow: Transaction, data: bytes) -> int:
    """Keep the bytes once, whatever happens to them; returns their id."""
    digest = hashlib.sha256(data).digest()
    await uow.sql.execute(
        "insert into edi_raw (sha256, bytes, received_at) values ($1, $2, $3) on conflict (sha256) do nothing",
        digest,
        data,
        uow.now,
    )
    return await uow.sql.fetchval("select id from edi_raw where sha256 = $1", digest)


async def note_delivery(uow: Transaction, raw_id: int, partner_id: int, transport: str, transport_id: str) -> bool:
    """Record one arrival; False when this very arrival was recorded before.

    Senders reuse their names for files: the name with another file, or of another partner, is another arrival.
    """
    insert = """insert into edi_delivery (raw_id, transport, transport_id, partner_id) values ($1, $2, $3, $4)
        on conflict (transport, transport_id) do nothing returning id"""
    if await uow.sql.fetchval(insert, raw_id, transport, transport_id, partner_id) is not None:
        return True
    known = await uow.sql.fetchrow(
        "select raw_id, partner_id from edi_delivery where transport = $1 and transport_id = $2",
        transport,
        transport_id,
    )
    if known is not None and (known["raw_id"], known["partner_id"]) == (raw_id, partner_id):
        return False
    own_name = f"{transport_id}#{partner_id}:{raw_id}"
    return await uow.sql.fetchval(insert, raw_id, transport, own_name, partner_id) is not None


async def lock_raw(uow: Transaction, raw_id: int) -> None:
    """Only one transaction enters the documents of a file at a time."""
    # The table is append-only, so its rows cannot be locked.
    await uow.sql.execute("select pg_advisory_xact_lock(hashtextextended($1, 0))", f"edi_raw:{raw_id}")


async def read_raw(uow: Transaction, raw_id: int, known: Mapping[bytes, bytes]) -> StoredFile | None:
    """The file; its bytes come from `known` (by hash) where they are there, for a file of many sets is read often."""
    row = await uow.sql.fetchrow(
        """select r.id, r.sha256, array_agg(d.partner_id) as partners, count(d.id) as deliveries,
            case when r.erased_at is not null or r.sha256 <> all($2::bytea[]) then r.bytes end as bytes
        from edi_raw r left join edi_delivery d on d.raw_id = r.id where r.id = $1 group by r.id""",
        raw_id,
        list(known),
    )
    if row is None:
        return None
    partners = frozenset(p for p in row["partners"] if p is not None)
    content = known[row["sha256"]] if row["bytes"] is None else row["bytes"]
    return StoredFile(row["id"], row["sha256"], content, partners, row["deliveries"])


async def add_group(
    uow: Transaction, raw_id: int, position: int, partner_id: int | None, control: str, functional_id: str, sets: int
) -> int:
    """The group's row, made once per (file, position)."""
    made = await uow.sql.fetchval(
        """insert into edi_group (raw_id, position, partner_id, group_control, functional_id, sets)
        values ($1, $2, $3, $4, $5, $6) on conflict (raw_id, position) do nothing returning id""",
        raw_id,
        position,
        partner_id,
        control,
        functional_id,
        sets,
    )
    if made is not None:
        return made
    return await uow.sql.fetchval("select id from edi_group where raw_id = $1 and position = $2", raw_id, position)


async def lock_group(uow: Transaction, raw_id: int, position: int) -> Any:
    return await uow.sql.fetchrow(
        "select * from edi_group where raw_id = $1 and position = $2 for no key update", raw_id, position
    )


async def documents_of(uow: Transaction, raw_id: int) -> list[Any]:
    """The documents of a file, by place."""
    return await uow.sql.fetch("select * from edi_document where raw_id = $1 order by position, id", raw_id)


async def deliveries_of(uow: Transaction, raw_id: int) -> dict[int, tuple[str, str]]:
    """What became of the documents of a file and their identities, by place."""
    rows = await uow.sql.fetch("select position, delivery, identity from edi_document where raw_id = $1", raw_id)
    return {row["position"]: (row["delivery"], row["identity"]) for row in rows}


async def add_documents(uow: Transaction, rows: list[dict[str, Any]]) -> None:
    """Insert documents that were found in a file."""
    if not rows:
        return
    names = (
        "raw_id",
        "group_id",
        "position",
        "partner_id",
        "supplier_id",
        "standard",
        "kind",
        "usage",
        "identity",
        "guide_version",
        "validation",
        "delivery",
        "acknowledgement",
        "faults",
        "quarantine_state",
        "quarantine_reason",
    )
    await uow.sql.execute(
        f"""insert into edi_document ({", ".join(names)})
        select a, b, c, d, e, f, g, h, i, j, k, l, m, n::jsonb, o, p
        from unnest($1::bigint[], $2::bigint[], $3::int[], $4::bigint[], $5::bigint[], $6::text[], $7::text[],
            $8::text[], $9::text[], $10::int[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[],
            $16::text[]) as u(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p)""",
        *[[_text(row.get(name)) if name == "faults" else row.get(name) for row in rows] for name in names],
    )


def _text(faults: Any) -> str:
    # A list inside a list of parameters would be taken for a matrix.
    return msgspec.json.encode(faults or []).decode()


async def lock_document(uow: Transaction, raw_id: int, position: int) -> Any:
    return await uow.sql.fetchrow(
        "select * from edi_document where raw_id = $1 and position = $2 for no key update", raw_id, position
    )


async def close_document(uow: Transaction, document_id: int, **values: Any) -> None:
    """Write what became of a document."""
    names = list(values)
    marks = ", ".join(f"{name} = ${n}" for n, name in enumerate(names, start=3))
    await uow.sql.execute(
        f"update edi_document set {marks}, updated_at = $2 where id = $1", document_id, uow.now, *values.values()
    )


async def acknowledge_documents(uow: Transaction, rows: list[tuple[int, str]]) -> None:
    """Note what was answered for each document: (id, acknowledgement)."""
    await uow.sql.execute(
        """update edi_document d set acknowledgement = u.answer, updated_at = $3
        from unnest($1::bigint[], $2::text[]) as u(id, answer) where d.id = u.id""",
        [row[0] for row in rows],
        [row[1] for row in rows],
        uow.now,
    )


async def seen_before(
    uow: Transaction, partner_id: int, usage: str, identity: str, digest: bytes, window_days: int
) -> str | None:
    """What the duplicate ledger says: `repeat` (same content), `conflict` (other content in the window) or None.

    Waits for a transaction that looks at the same identity; call it before any gate is taken.
    """
    await uow.sql.execute(
        "select pg_advisory_xact_lock(hashtextextended($1, 0))", f"edi_identity:{partner_id}:{usage}:{identity}"
    )
    rows = await uow.sql.fetch(
        """select content_sha256, seen_at from edi_identity
        where partner_id = $1 and usage = $2 and level = 'set' and identity = $3""",
        partner_id,
        usage,
        identity,
    )
    since = uow.now - timedelta(days=window_days)
    recent = [row for row in rows if row["seen_at"] >= since]
    if any(row["content_sha256"] == digest for row in recent):
        return "repeat"
    return "conflict" if recent else None


async def waiting_before(uow: Transaction, partner_id: int, document: Any, window_days: int) -> list[Any]:
    """Places (raw_id, position) of documents under the same control numbers that came earlier and may still have an
    effect: they are in line, or set aside. Not those that our answer rejects, nor those from another's folder."""
    return await uow.sql.fetch(
        """select raw_id, position from edi_document
        where partner_id = $1 and identity = $2 and delivery in ('received', 'quarantined') and usage = $3
            and (raw_id, position) < ($4, $5) and created_at >= $6 and validation <> 'invalid'
            and coalesce(quarantine_reason, '') not like 'wrong_folder:%'""",
        partner_id,
        document["identity"],
        document["usage"],
        document["raw_id"],
        document["position"],
        uow.now - timedelta(days=window_days),
    )


async def remember(
    uow: Transaction, partner_id: int, usage: str, identity: str, digest: bytes, document_id: int
) -> None:
    """Enter an applied document into the duplicate ledger."""
    await uow.sql.execute(
        """insert into edi_identity (partner_id, usage, level, identity, content_sha256, first_document_id, seen_at)
        values ($1, $2, 'set', $3, $4, $5, $6)
        on conflict (partner_id, usage, level, identity, content_sha256) do update set seen_at = excluded.seen_at""",
        partner_id,
        usage,
        identity,
        digest,
        document_id,
        uow.now,
    )


async def next_controls(uow: Transaction, partner_id: int, levels: Sequence[str]) -> list[int]:
    """The next outbound control number of each of these levels: never used twice, they wrap at 999,999,999.

    The rows are locked in the order of the levels' names. Call it only while no gate is held.
    """
    rows = await uow.sql.fetch(
        """insert into edi_counter (partner_id, direction, level, next) select $1, 'out', u.level, 2
            from unnest($2::text[]) u(level) order by u.level
        on conflict (partner_id, direction, level) do update set next = edi_counter.next + 1
        returning level, next - 1 as number""",
        partner_id,
        list(levels),
    )
    numbers = {row["level"]: (row["number"] - 1) % LAST_CONTROL + 1 for row in rows}
    return [numbers[level] for level in levels]


async def add_outbound(uow: Transaction, document: Outbound) -> int | None:
    """Insert a document to send; None when a file of this name exists already."""
    return await uow.sql.fetchval(
        """insert into edi_outbound (partner_id, kind, purchase_order_id, interchange_control, group_control,
            set_control, bytes, file_name, due, created_at, reference)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        on conflict (file_name) do nothing returning id""",
        document.partner_id,
        document.kind,
        document.purchase_order_id,
        document.interchange_control,
        document.group_control,
        document.set_control,
        document.content,
        document.file_name,
        document.due,
        uow.now,
        document.reference,
    )


async def answer_group(uow: Transaction, group_id: int, document: Outbound) -> None:
    """Queue the answer to a group and keep its bytes: one statement, for the control numbers are locked meanwhile."""
    await uow.sql.execute(
        """with sent as (
            insert into edi_outbound (partner_id, kind, interchange_control, group_control, set_control, bytes, file_name,
                created_at) values ($2, $3, $4, $5, $6, $7, $8, $9) on conflict (file_name) do nothing)
        update edi_group set acknowledged_at = $9, acknowledgement_raw = $7 where id = $1""",
        group_id,
        document.partner_id,
        document.kind,
        document.interchange_control,
        document.group_control,
        document.set_control,
        document.content,
        document.file_name,
        uow.now,
    )


async def mark_group_acknowledged(uow: Transaction, group_id: int, raw: bytes | None) -> None:
    await uow.sql.execute(
        "update edi_group set acknowledged_at = $2, acknowledgement_raw = $3 where id = $1", group_id, uow.now, raw
    )


def due_times(guide: PartnerGuide, sent_at: datetime) -> dict[str, Any]:
    """When answers to a document sent now are due, ISO; only those the guide expects."""
    hours = {
        "functionalAcknowledgement": guide.deadlines.functional_acknowledgement_hours,
        "acknowledgement": guide.deadlines.acknowledgement_hours,
        "shipNotice": guide.deadlines.ship_notice_hours,
    }
    return {name: (sent_at + timedelta(hours=n)).isoformat() for name, n in hours.items() if n is not None}


async def outbound_bytes(uow: Transaction, file_name: str) -> bytes | None:
    """The bytes of the document that we sent under this name."""
    return await uow.sql.fetchval("select bytes from edi_outbound where file_name = $1", file_name)


async def is_staged(uow: Transaction, document_id: int) -> bool:
    """Has this document chunks that are still to be applied."""
    return await uow.sql.fetchval("select exists (select from edi_stock_line where document_id = $1)", document_id)
