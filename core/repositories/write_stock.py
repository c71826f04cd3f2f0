"""The one door to stock: ledger rows and counters, written together from the same figures."""

from __future__ import annotations

from datetime import datetime

from core.domain.book import SkuBook
from core.errors import InvariantBroken
from core.ports import Transaction


async def draw_ids(uow: Transaction, table: str, count: int) -> list[int]:
    """`count` ids of a table's identity, in order, so that parents and children are inserted in one go each."""
    if not count:
        return []
    rows = await uow.sql.fetch(
        """select nextval(s.name) as id from (select pg_get_serial_sequence($1, 'id')::regclass as name offset 0) s,
            generate_series(1, $2)""",
        table,
        count,
    )
    return [row["id"] for row in rows]


async def moved_since(uow: Transaction, sku_id: int, location_id: int, at: datetime, lot: str | None = None) -> int:
    """Units that came (above 0) or left after an instant; call it under the gate.

    What counts corrected meanwhile is none of them: it lay there, or was missing, before.
    """
    return await uow.sql.fetchval(
        """select coalesce(sum(on_hand_delta), 0)::int from stock_movement m
        where sku_id = $1 and location_id = $2 and occurred_at > $3 and kind <> 'counted' and ($4::text is null
            or lot_id in (select id from lot l where l.sku_id = $1 and l.location_id = $2 and l.code = $4))""",
        sku_id,
        location_id,
        at,
        lot,
    )


async def write_stock(uow: Transaction, books: list[SkuBook]) -> None:
    """Append the movements of the books and add the same figures to the counters, in one statement."""
    moves = [(book, move) for book in books for move in book.movements]
    await _open_lots(uow, books)
    if not moves:
        return
    pairs = {(book.sku_id, move.location_id) for book, move in moves}
    stored = {(book.sku_id, level.location_id) for book in books for level in book.levels.values() if level.is_stored}
    new = sorted(pairs - stored)
    if new:
        await uow.sql.execute(
            """insert into stock_level (sku_id, location_id) select * from unnest($1::bigint[], $2::bigint[])
            on conflict do nothing""",
            [sku_id for sku_id, _ in new],
            [location_id for _, location_id in new],
        )
    changed = await uow.sql.fetchval(
        """with m as (
            insert into stock_movement (sku_id, location_id, kind, on_hand_delta, unsellable_delta, allocated_delta,
                cause_kind, cause_id, order_line_id, lot_id, actor, occurred_at, gate_version)
            select u.sku_id, u.location_id, u.kind, u.on_hand, u.unsellable, u.allocated, u.cause_kind, u.cause_id,
                u.order_line_id, u.lot_id, $12, $13, u.gate_version
            from unnest($1::bigint[], $2::bigint[], $3::text[], $4::int[], $5::int[], $6::int[], $7::text[],
                $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[]) with ordinality as u(sku_id, location_id,
                kind, on_hand, unsellable, allocated, cause_kind, cause_id, order_line_id, lot_id, gate_version, n)
            order by u.n
            returning sku_id, location_id, lot_id, on_hand_delta, unsellable_delta, allocated_delta),
        d as (select sku_id, location_id, sum(on_hand_delta)::int as on_hand, sum(unsellable_delta)::int as unsellable,
            sum(allocated_delta)::int as allocated from m group by sku_id, location_id),
        s as (update stock_level l set on_hand = l.on_hand + d.on_hand, unsellable = l.unsellable + d.unsellable,
            allocated = l.allocated + d.allocated, updated_at = $13
            from d where l.sku_id = d.sku_id and l.location_id = d.location_id returning 1),
        t as (update lot l set on_hand = l.on_hand + e.on_hand, unsellable = l.unsellable + e.unsellable,
            allocated = l.allocated + e.allocated, updated_at = $13
            from (select sku_id, lot_id, sum(on_hand_delta)::int as on_hand, sum(unsellable_delta)::int as unsellable,
                sum(allocated_delta)::int as allocated from m where lot_id is not null group by sku_id, lot_id) e
            where l.sku_id = e.sku_id and l.id = e.lot_id)
        select count(*) from s""",
        [book.sku_id for book, _ in moves],
        [move.location_id for _, move in moves],
        [move.kind for _, move in moves],
        [move.on_hand for _, move in moves],
        [move.unsellable for _, move in moves],
        [move.allocated for _, move in moves],
        [move.cause_kind for _, move in moves],
        [
            move.cause_id if move.transfer is None or move.cause_id is not None else move.transfer.id
            for _, move in moves
        ],
        [move.line.id if move.line is not None else None for _, move in moves],
        [move.lot.id if move.lot is not None else None for _, move in moves],
        [book.version for book, _ in moves],
        uow.principal.id,
        uow.now,
    )
    if changed != len(pairs):
        raise InvariantBroken("stock_level_written", (changed, len(pairs)))


async def _open_lots(uow: Transaction, books: list[SkuBook]) -> None:
    """Insert new lots, with nothing in them yet, and write the state of those that have another one."""
    rows = [(book, lot) for book in books if book.lots is not None for lot in book.lots.rows]
    new = [(book, lot) for book, lot in rows if lot.is_new]
    for (_, lot), lot_id in zip(new, await draw_ids(uow, "lot", len(new)), strict=True):
        lot.id = lot_id
    if new:
        await uow.sql.execute(
            """insert into lot (sku_id, id, location_id, code, expires_on, state, created_at, updated_at)
            overriding system value
            select u.sku_id, u.id, u.location_id, u.code, u.expires_on, u.state, $7, $7
            from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::date[], $6::text[])
                as u(sku_id, id, location_id, code, expires_on, state)""",
            [book.sku_id for book, _ in new],
            [lot.id for _, lot in new],
            [lot.location_id for _, lot in new],
            [lot.code for _, lot in new],
            [lot.expires_on for _, lot in new],
            [lot.state for _, lot in new],
            uow.now,
        )
    changed = [(book, lot) for book, lot in rows if lot.is_changed and not lot.is_new]
    if changed:
        await uow.sql.execute(
            """update lot l set state = u.state, updated_at = $4
            from unnest($1::bigint[], $2::bigint[], $3::text[]) as u(sku_id, id, state)
            where l.sku_id = u.sku_id and l.id = u.id""",
            [book.sku_id for book, _ in changed],
            [lot.id for _, lot in changed],
            [lot.state for _, lot in changed],
            uow.now,
        )


async def write_supplies(uow: Transaction, books: list[SkuBook]) -> None:
    """Insert and update transfers, then supplies."""
    transfers = [(book, t) for book in books for t in book.transfers if t.is_new or t.is_changed]
    new = [pair for pair in transfers if pair[1].is_new]
    for (_, transfer), transfer_id in zip(new, await draw_ids(uow, "transfer", len(new)), strict=True):
        transfer.id = transfer_id
    if new:
        await uow.sql.execute(
            """insert into transfer (sku_id, id, from_location_id, to_location_id, quantity, state, created_at)
            overriding system value
            select u.*, $7 from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::int[], $6::text[]) as u""",
            [b.sku_id for b, _ in new],
            [t.id for _, t in new],
            [t.from_location_id for _, t in new],
            [t.to_location_id for _, t in new],
            [t.quantity for _, t in new],
            [t.state for _, t in new],
            uow.now,
        )
    old = [pair for pair in transfers if not pair[1].is_new]
    if old:
        await uow.sql.execute(
            """update transfer t set shipped = u.shipped, received = u.received, lost = u.lost, state = u.state,
                quantity = u.quantity, updated_at = $8
            from unnest($1::bigint[], $2::bigint[], $3::int[], $4::int[], $5::int[], $6::text[], $7::int[])
                as u(sku_id, id, shipped, received, lost, state, quantity)
            where t.sku_id = u.sku_id and t.id = u.id""",
            [b.sku_id for b, _ in old],
            [t.id for _, t in old],
            [t.shipped for _, t in old],
            [t.received for _, t in old],
            [t.lost for _, t in old],
            [t.state for _, t in old],
            [t.quantity for _, t in old],
            uow.now,
        )
    rows = [(book, s) for book in books for s in book.supplies if s.is_new]
    for (_, supply), supply_id in zip(rows, await draw_ids(uow, "supply", len(rows)), strict=True):
        supply.id = supply_id
    changed = [(book, s) for book in books for s in book.supplies if s.is_changed and not s.is_new]
    if changed:
        await uow.sql.execute(
            """update supply s set quantity = u.quantity, received = u.received, cancelled = u.cancelled,
                pegged = u.pegged, usable_date = u.usable_date, date_basis = u.date_basis,
                date_revision = u.date_revision, last_sequence = u.last_sequence, paper_date = u.paper_date,
                ship_notice_line_id = u.ship_notice_line_id, overdue_days = u.overdue_days,
                overdue_checked_on = u.overdue_checked_on, updated_at = $15
            from unnest($1::bigint[], $2::bigint[], $3::int[], $4::int[], $5::int[], $6::int[], $7::date[], $8::text[],
                $9::int[], $10::text[], $11::date[], $12::bigint[], $13::smallint[], $14::date[]) as u(sku_id, id, quantity,
                received, cancelled, pegged, usable_date, date_basis, date_revision, last_sequence, paper_date,
                ship_notice_line_id, overdue_days, overdue_checked_on)
            where s.sku_id = u.sku_id and s.id = u.id""",
            [b.sku_id for b, _ in changed],
            [s.id for _, s in changed],
            [s.quantity for _, s in changed],
            [s.received for _, s in changed],
            [s.cancelled for _, s in changed],
            [s.pegged for _, s in changed],
            [s.usable_date for _, s in changed],
            [s.date_basis for _, s in changed],
            [s.date_revision for _, s in changed],
            [s.last_sequence for _, s in changed],
            [s.paper_date for _, s in changed],
            [s.ship_notice_line_id for _, s in changed],
            [s.overdue_days for _, s in changed],
            [s.overdue_checked_on for _, s in changed],
            uow.now,
        )
    if rows:
        await uow.sql.execute(
            """insert into supply (sku_id, id, location_id, kind, supplier_id, purchase_order_line_id,
                ship_notice_line_id, transfer_id, split_from_id, quantity, received, cancelled, pegged, paper_date,
                usable_date, overdue_days, date_basis, date_revision, last_sequence, created_at, updated_at)
                overriding system value
            select u.*, $20, $20 from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::bigint[],
                $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::int[], $11::int[], $12::int[], $13::int[],
                $14::date[], $15::date[], $16::smallint[], $17::text[], $18::int[], $19::text[]) as u""",
            [b.sku_id for b, _ in rows],
            [s.id for _, s in rows],
            [s.location_id for _, s in rows],
            [s.kind for _, s in rows],
            [s.supplier_id for _, s in rows],
            [s.purchase_order_line_id for _, s in rows],
            [s.ship_notice_line_id for _, s in rows],
            [s.transfer.id if s.transfer is not None else None for _, s in rows],
            [s.split_from.id if s.split_from is not None else None for _, s in rows],
            [s.quantity for _, s in rows],
            [s.received for _, s in rows],
            [s.cancelled for _, s in rows],
            [s.pegged for _, s in rows],
            [s.paper_date for _, s in rows],
            [s.usable_date for _, s in rows],
            [s.overdue_days for _, s in rows],
            [s.date_basis for _, s in rows],
            [s.date_revision for _, s in rows],
            [s.last_sequence for _, s in rows],
            uow.now,
        )
