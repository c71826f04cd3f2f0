"""Ship notices, their lines, and what carriers report about them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from core.edi.resolve_acknowledgement import OpenLine
from core.ports import Transaction
from core.repositories.write_stock import draw_ids


@dataclass(frozen=True, slots=True)
class KnownNotice:
    """A ship notice of a supplier; `lines` are (PO line id, quantity), sorted, none of one that was withdrawn."""

    id: int
    last_sequence: str | None
    lines: list[tuple[int, int]]
    is_withdrawn: bool = False


async def lock_notice(uow: Transaction, supplier_id: int, number: str) -> None:
    """One message about a notice at a time, also before there is a row of it. Call it before any gate is taken."""
    await uow.sql.execute(
        "select pg_advisory_xact_lock(hashtextextended($1, 0))", f"ship_notice:{supplier_id}:{number}"
    )


async def find_notice(uow: Transaction, supplier_id: int, number: str) -> KnownNotice | None:
    """The notice with this number, if it was applied before."""
    row = await uow.sql.fetchrow(
        "select id, last_sequence, cancelled_at from ship_notice where supplier_id = $1 and number = $2",
        supplier_id,
        number,
    )
    if row is None:
        return None
    rows = await uow.sql.fetch(
        "select purchase_order_line_id, quantity from ship_notice_line where ship_notice_id = $1", row["id"]
    )
    lines = sorted((r[0] or 0, r[1]) for r in rows)
    return KnownNotice(row["id"], row["last_sequence"], lines, row["cancelled_at"] is not None)


async def line_ids_of(uow: Transaction, notice_id: int) -> set[int]:
    """The ids of a notice's lines; several may stand for one PO line (one per pack)."""
    rows = await uow.sql.fetch("select id from ship_notice_line where ship_notice_id = $1", notice_id)
    return {row["id"] for row in rows}


async def insert_notice(
    uow: Transaction,
    *,
    supplier_id: int,
    number: str,
    purchase_order_id: int,
    shipped_on: date | None,
    expected_date: date | None,
    carrier: str,
    tracking_number: str,
    document_id: int | None,
    sequence: str,
    lines: Sequence[tuple[int, int, int]],
) -> list[int]:
    """Insert a notice with lines (SKU id, PO line id, quantity); returns the ids of its lines. Gates are held.

    One that was withdrawn is filled anew.
    """
    (notice_id,) = await draw_ids(uow, "ship_notice", 1)
    notice_id = await uow.sql.fetchval(
        """insert into ship_notice (id, supplier_id, number, purchase_order_id, shipped_on, expected_date, carrier,
            tracking_number, edi_document_id, last_sequence) overriding system value
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        on conflict (supplier_id, number) do update set purchase_order_id = excluded.purchase_order_id,
            shipped_on = excluded.shipped_on, expected_date = excluded.expected_date, carrier = excluded.carrier,
            tracking_number = excluded.tracking_number, edi_document_id = excluded.edi_document_id,
            last_sequence = excluded.last_sequence, cancelled_at = null, updated_at = $11
        where ship_notice.cancelled_at is not null returning id""",
        notice_id,
        supplier_id,
        number,
        purchase_order_id,
        shipped_on,
        expected_date,
        carrier or None,
        tracking_number or None,
        document_id,
        sequence or None,
        uow.now,
    )
    ids = await draw_ids(uow, "ship_notice_line", len(lines))
    await uow.sql.execute(
        """insert into ship_notice_line (sku_id, id, ship_notice_id, line_number, purchase_order_line_id, quantity)
        overriding system value
        select u.sku_id, u.id, $1, u.number, u.line_id, u.quantity
        from unnest($2::bigint[], $3::bigint[], $4::int[], $5::bigint[], $6::int[])
            as u(sku_id, id, number, line_id, quantity)""",
        notice_id,
        [line[0] for line in lines],
        ids,
        list(range(1, len(lines) + 1)),
        [line[1] for line in lines],
        [line[2] for line in lines],
    )
    return ids


async def redate_notice(
    uow: Transaction,
    notice_id: int,
    expected_date: date | None,
    sequence: str,
    shipped_on: date | None = None,
    carrier: str = "",
    tracking_number: str = "",
) -> None:
    """Keep what the newest message says; what it does not say stays."""
    await uow.sql.execute(
        """update ship_notice set expected_date = coalesce($2, expected_date), last_sequence = coalesce($3,
            last_sequence), updated_at = $4, shipped_on = coalesce($5, shipped_on), carrier = coalesce($6, carrier),
            tracking_number = coalesce($7, tracking_number) where id = $1""",
        notice_id,
        expected_date,
        sequence or None,
        uow.now,
        shipped_on,
        carrier or None,
        tracking_number or None,
    )


async def forestall_notice(
    uow: Transaction, supplier_id: int, number: str, purchase_order_id: int, sequence: str, document_id: int
) -> None:
    """Enter a notice as withdrawn before it came: when it comes, it is older than its withdrawal."""
    await uow.sql.execute(
        """insert into ship_notice (supplier_id, number, purchase_order_id, last_sequence, cancelled_at, edi_document_id)
        values ($1, $2, $3, $4, $5, $6) on conflict (supplier_id, number) do nothing""",
        supplier_id,
        number,
        purchase_order_id,
        sequence or None,
        uow.now,
        document_id,
    )


async def drop_packs(uow: Transaction, notice_id: int) -> None:
    """The packs of a notice whose replacement packs the same goods otherwise."""
    await uow.sql.execute("delete from ship_notice_pack where ship_notice_id = $1", notice_id)


async def withdraw_notice(uow: Transaction, notice_id: int, sequence: str) -> None:
    """The notice stays under its number without lines and packs: what replaces it may pack the same cartons otherwise.

    The gates of their SKUs are held, no supply names the lines any more.
    """
    await uow.sql.execute("delete from ship_notice_line where ship_notice_id = $1", notice_id)
    await uow.sql.execute("delete from ship_notice_pack where ship_notice_id = $1", notice_id)
    await uow.sql.execute(
        """update ship_notice set cancelled_at = $2, last_sequence = coalesce($3, last_sequence), updated_at = $2
        where id = $1""",
        notice_id,
        uow.now,
        sequence or None,
    )


@dataclass(frozen=True, slots=True)
class SupplyOnTheWay:
    """An open supply that a carrier's report speaks of."""

    sku_id: int
    supply_id: int
    location_id: int
    supplier_id: int
    ship_notice_id: int | None
    purchase_order_id: int | None


async def supplies_on_the_way(
    uow: Transaction, references: Sequence[str], po_numbers: Sequence[str], supplier_id: int | None
) -> list[SupplyOnTheWay]:
    """Open supplies of the ship notices with one of these tracking or notice numbers, else of these orders.

    Of an order only what is on a ship notice counts, unless none of it is.
    """
    rows = await uow.sql.fetch(
        """select s.sku_id, s.id, s.location_id, n.supplier_id, n.id as notice_id, q.purchase_order_id from ship_notice n
        join ship_notice_line l on l.ship_notice_id = n.id
        join supply s on s.sku_id = l.sku_id and s.ship_notice_line_id = l.id and s.quantity > s.received + s.cancelled
        left join purchase_order_line q on q.sku_id = s.sku_id and q.id = s.purchase_order_line_id
        where (n.tracking_number = any($1::text[]) or n.number = any($1::text[]))
            and ($2::bigint is null or n.supplier_id = $2) order by s.sku_id, s.id""",
        [r for r in references if r],
        supplier_id,
    )
    if not rows and po_numbers:
        rows = await uow.sql.fetch(
            """select s.sku_id, s.id, s.location_id, o.supplier_id, n.ship_notice_id as notice_id, l.purchase_order_id
            from purchase_order o
            join purchase_order_line l on l.purchase_order_id = o.id
            join supply s on s.sku_id = l.sku_id and s.purchase_order_line_id = l.id
                and s.quantity > s.received + s.cancelled
            left join ship_notice_line n on n.sku_id = s.sku_id and n.id = s.ship_notice_line_id
            where o.number = any($1::text[]) and ($2::bigint is null or o.supplier_id = $2)
            order by s.sku_id, s.id""",
            list(po_numbers),
            supplier_id,
        )
        if any(row["notice_id"] is not None for row in rows):
            rows = [row for row in rows if row["notice_id"] is not None]
    return [SupplyOnTheWay(*row.values()) for row in rows]


async def notices_on_the_way(
    uow: Transaction, references: Sequence[str], supplier_id: int | None
) -> list[tuple[int, str]]:
    """(supplier id, number) of the ship notices with one of these tracking or notice numbers that still stand."""
    rows = await uow.sql.fetch(
        """select supplier_id, number from ship_notice where cancelled_at is null
            and (tracking_number = any($1::text[]) or number = any($1::text[]))
            and ($2::bigint is null or supplier_id = $2) order by id""",
        [r for r in references if r],
        supplier_id,
    )
    return [(row["supplier_id"], row["number"]) for row in rows]


async def add_carrier_event(
    uow: Transaction,
    *,
    carrier: str,
    tracking_number: str,
    ship_notice_id: int | None,
    status_code: str,
    reason_code: str | None,
    estimated_date: date | None,
    occurred_at: datetime,
    document_id: int | None,
) -> int | None:
    """Record a report once; None when the carrier said the same before."""
    return await uow.sql.fetchval(
        """insert into carrier_event (carrier, tracking_number, ship_notice_id, status_code, reason_code,
            estimated_date, occurred_at, edi_document_id, applied) values ($1, $2, $3, $4, $5, $6, $7, $8, false)
        on conflict (carrier, tracking_number, status_code, occurred_at) do nothing returning id""",
        carrier,
        tracking_number,
        ship_notice_id,
        status_code,
        reason_code,
        estimated_date,
        occurred_at,
        document_id,
    )


async def newest_estimate(uow: Transaction, carrier: str, tracking_number: str) -> datetime | None:
    """When the newest applied estimate for this shipment was made."""
    return await uow.sql.fetchval(
        "select max(occurred_at) from carrier_event where carrier = $1 and tracking_number = $2 and applied",
        carrier,
        tracking_number,
    )


async def mark_event_applied(uow: Transaction, event_id: int) -> None:
    await uow.sql.execute("update carrier_event set applied = true where id = $1", event_id)


async def open_lines_of(uow: Transaction, supplier_id: int, numbers: Collection[str]) -> dict[str, list[OpenLine]]:
    """The lines of the supplier's orders with these numbers, as they can be named in a document."""
    rows = await uow.sql.fetch(
        """select o.number, l.line_number, k.code, coalesce(x.vendor_code, '') as vendor, coalesce(k.gtin, '') as gtin
        from purchase_order o join purchase_order_line l on l.purchase_order_id = o.id join sku k on k.id = l.sku_id
        left join supplier_sku x on x.sku_id = l.sku_id and x.supplier_id = l.supplier_id
        where o.supplier_id = $1 and o.number = any($2::text[]) order by o.number, l.line_number""",
        supplier_id,
        sorted(set(numbers)),
    )
    found: dict[str, list[OpenLine]] = {}
    for row in rows:
        found.setdefault(row["number"], []).append(
            OpenLine(row["line_number"], 0, row["code"], row["vendor"], row["gtin"])
        )
    return found
