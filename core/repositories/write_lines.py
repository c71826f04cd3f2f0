"""Write order lines, their pegs and their promises, set based."""

from __future__ import annotations

import msgspec

from core.domain.book import SkuBook
from core.domain.records import Line, Peg
from core.ports import Transaction
from core.repositories.write_stock import draw_ids


async def name_new_lines(uow: Transaction, books: list[SkuBook]) -> None:
    """Give ids to lines, promises and backorders that are new, before anything that refers to them is written."""
    lines = [line for book in books for line in book.new_lines if line.id is None]
    for line, line_id in zip(lines, await draw_ids(uow, "order_line", len(lines)), strict=True):
        line.id = line_id
    for book in books:
        for peg in book.pegs:
            if peg.line is not None:
                peg.line_id = peg.line.id


async def write_lines(uow: Transaction, books: list[SkuBook]) -> None:
    """Insert new lines and update changed ones; a changed line's version rises by one."""
    promises = [(book, p) for book in books for p in book.promises]
    ids = await draw_ids(uow, "promise", len(promises))
    for (_, draft), promise_id in zip(promises, ids, strict=True):
        draft.line.promise_id = promise_id
    new = [(book, line) for book in books for line in book.new_lines]
    if new:
        await _insert_lines(uow, new)
    changed = [(book, line) for book in books for line in book.lines.values() if line.is_changed and not line.is_new]
    if changed:
        await _update_lines(uow, changed)
    if promises:
        await _insert_promises(uow, promises, ids)


async def _insert_lines(uow: Transaction, rows: list[tuple[SkuBook, Line]]) -> None:
    await uow.sql.execute(
        """insert into order_line (sku_id, id, order_id, customer_id, line_number, ordered, open, allocated,
            backordered, shipped, cancelled, requested_date, ship_by, ship_policy, substitutes_allowed, priority_score,
            current_promise_id, substituted_for_line_id, status, location_id, promise_sequence, promised_date,
            ready, kit_sku_id, kit_line_number, kit_quantity, kit_ships_together, min_life_days) overriding system value
        select * from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::int[], $6::int[], $7::int[],
            $8::int[], $9::int[], $10::int[], $11::int[], $12::date[], $13::date[], $14::text[], $15::bool[],
            $16::bigint[], $17::bigint[], $18::bigint[], $19::text[], $20::bigint[], $21::int[], $22::date[], $23::int[],
            $24::bigint[], $25::int[], $26::int[], $27::bool[], $28::int[])""",
        [b.sku_id for b, _ in rows],
        [x.id for _, x in rows],
        [x.order_id for _, x in rows],
        [x.customer_id for _, x in rows],
        [x.line_number for _, x in rows],
        [x.ordered for _, x in rows],
        [x.open for _, x in rows],
        [x.allocated for _, x in rows],
        [x.backordered for _, x in rows],
        [x.shipped for _, x in rows],
        [x.cancelled for _, x in rows],
        [x.requested_date for _, x in rows],
        [x.ship_by for _, x in rows],
        [x.ship_policy for _, x in rows],
        [x.substitutes_allowed for _, x in rows],
        [x.priority for _, x in rows],
        [x.promise_id for _, x in rows],
        [x.substituted_for_line_id for _, x in rows],
        [x.status for _, x in rows],
        [x.location_id for _, x in rows],
        [x.promise_sequence for _, x in rows],
        [x.promised for _, x in rows],
        [x.ready for _, x in rows],
        [x.kit.sku_id if x.kit else None for _, x in rows],
        [x.kit.line_number if x.kit else None for _, x in rows],
        [x.kit.quantity if x.kit else None for _, x in rows],
        [x.kit.ships_together if x.kit else True for _, x in rows],
        [x.min_life_days for _, x in rows],
    )


async def _update_lines(uow: Transaction, rows: list[tuple[SkuBook, Line]]) -> None:
    for _, line in rows:
        line.version += 1
    await uow.sql.execute(
        """update order_line l set ordered = u.ordered, open = u.open, allocated = u.allocated,
            backordered = u.backordered, shipped = u.shipped, cancelled = u.cancelled, ready = u.ready,
            delivered = u.delivered, requested_date = u.requested_date, ship_by = u.ship_by,
            priority_score = u.priority, current_promise_id = u.promise_id, status = u.status,
            location_id = u.location_id, version = u.version, promise_sequence = u.promise_sequence,
            promised_date = u.promised, ship_policy = u.ship_policy,
            substitutes_allowed = u.substitutes_allowed, updated_at = $18
        from unnest($1::bigint[], $2::bigint[], $3::int[], $4::int[], $5::int[], $6::int[], $7::int[], $8::int[],
            $9::int[], $10::int[], $11::date[], $12::date[], $13::bigint[], $14::bigint[], $15::text[], $16::bigint[],
            $17::int[], $19::int[], $20::date[], $21::text[], $22::bool[])
            as u(sku_id, id, ordered, open, allocated, backordered, shipped, cancelled, ready, delivered,
            requested_date, ship_by, priority, promise_id, status, location_id, version, promise_sequence, promised,
            ship_policy, substitutes_allowed)
        where l.sku_id = u.sku_id and l.id = u.id""",
        [b.sku_id for b, _ in rows],
        [x.id for _, x in rows],
        [x.ordered for _, x in rows],
        [x.open for _, x in rows],
        [x.allocated for _, x in rows],
        [x.backordered for _, x in rows],
        [x.shipped for _, x in rows],
        [x.cancelled for _, x in rows],
        [x.ready for _, x in rows],
        [x.delivered for _, x in rows],
        [x.requested_date for _, x in rows],
        [x.ship_by for _, x in rows],
        [x.priority for _, x in rows],
        [x.promise_id for _, x in rows],
        [x.status for _, x in rows],
        [x.location_id for _, x in rows],
        [x.version for _, x in rows],
        uow.now,
        [x.promise_sequence for _, x in rows],
        [x.promised for _, x in rows],
        [x.ship_policy for _, x in rows],
        [x.substitutes_allowed for _, x in rows],
    )


async def _insert_promises(uow: Transaction, rows: list, ids: list[int]) -> None:
    for _, draft in rows:
        for part, supply in zip(draft.slices, draft.slice_supplies, strict=True):
            part["supply"] = supply.id if supply is not None else None
    await uow.sql.execute(
        """insert into promise (sku_id, id, order_line_id, customer_id, sequence, quantity, complete, cause_kind,
            cause_id, evidence, slices, actor, created_at) overriding system value
        select u.sku_id, u.id, u.line_id, u.customer_id, u.sequence, u.quantity, u.complete, u.cause_kind, u.cause_id,
            u.evidence, u.slices::jsonb, $12, $13
        from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::int[], $6::int[], $7::bool[],
            $8::text[], $9::bigint[], $10::jsonb[], $11::text[]) as u(sku_id, id, line_id, customer_id, sequence,
            quantity, complete, cause_kind, cause_id, evidence, slices)""",
        [b.sku_id for b, _ in rows],
        ids,
        [p.line.id for _, p in rows],
        [p.line.customer_id for _, p in rows],
        [p.sequence for _, p in rows],
        [p.quantity for _, p in rows],
        [p.complete for _, p in rows],
        [p.cause_kind for _, p in rows],
        [p.cause_id for _, p in rows],
        [p.evidence for _, p in rows],
        [msgspec.json.encode(p.slices).decode() for _, p in rows],  # a list of lists would be taken for a matrix
        uow.principal.id,
        uow.now,
    )


async def write_pegs(uow: Transaction, books: list[SkuBook]) -> None:
    """Delete, update and insert pegs so that the tables say what the books say."""
    gone = [(book.sku_id, peg_id) for book in books for peg_id in book.removed_pegs]
    if gone:
        await uow.sql.execute(
            """delete from peg p using unnest($1::bigint[], $2::bigint[]) as u(sku_id, id)
            where p.sku_id = u.sku_id and p.id = u.id""",
            [sku_id for sku_id, _ in gone],
            [peg_id for _, peg_id in gone],
        )
    changed: list[tuple[SkuBook, Peg]] = [(b, p) for b in books for p in b.pegs if p.is_changed]
    old = [(b, p) for b, p in changed if p.id is not None]
    if old:
        await uow.sql.execute(
            """update peg p set quantity = u.quantity, need_date = u.need_date, kind = u.kind, cause = u.cause,
                updated_at = $7
            from unnest($1::bigint[], $2::bigint[], $3::int[], $4::date[], $5::text[], $6::text[])
                as u(sku_id, id, quantity, need_date, kind, cause) where p.sku_id = u.sku_id and p.id = u.id""",
            [b.sku_id for b, _ in old],
            [p.id for _, p in old],
            [p.quantity for _, p in old],
            [p.need_date for _, p in old],
            [p.kind for _, p in old],
            [p.cause for _, p in old],
            uow.now,
        )
    new = [(b, p) for b, p in changed if p.id is None]
    if new:
        await uow.sql.execute(
            """insert into peg (sku_id, location_id, order_line_id, transfer_id, need_date, quantity, kind, supply_id,
                lot_id, cause, run_id)
            select * from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::date[], $6::int[],
                $7::text[], $8::bigint[], $9::bigint[], $10::text[], $11::bigint[])""",
            [b.sku_id for b, _ in new],
            [p.location_id for _, p in new],
            [p.line_id for _, p in new],
            [p.transfer.id if p.transfer is not None else p.transfer_id for _, p in new],
            [p.need_date for _, p in new],
            [p.quantity for _, p in new],
            [p.kind for _, p in new],
            [p.supply.id if p.supply is not None else None for _, p in new],
            [p.lot_id for _, p in new],
            [p.cause for _, p in new],
            [p.run_id for _, p in new],
        )
