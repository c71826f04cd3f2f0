"""Write backorders and their history; the cause of a new one is judged here, by the rows that prove it."""

from __future__ import annotations

from collections import defaultdict

from core.domain.book import SkuBook
from core.domain.causes import classify
from core.domain.holding import park
from core.domain.records import Backorder
from core.ports import Transaction
from core.repositories.shortage_facts import load_shortage_facts
from core.repositories.write_stock import draw_ids


async def judge_causes(uow: Transaction, books: list[SkuBook]) -> None:
    """Give every new backorder its cause and evidence, unless the service that opened it knows better."""
    new = [(book, b) for book in books for b in book.backorders if b.is_new and b.cause is None]
    if not new:
        return
    for (_, backorder), facts in zip(new, await load_shortage_facts(uow, new), strict=True):
        verdict = classify(facts)
        backorder.cause, backorder.evidence = verdict.kind, verdict.evidence


async def park_on_hold(uow: Transaction, books: list[SkuBook]) -> None:
    """A backorder that opens while its order is on hold waits for the end of the hold like those before it."""
    new = [(book, b) for book in books for b in book.backorders if b.is_new and b.closed_at is None]
    if not new:
        return
    held = {
        row["order_id"]
        for row in await uow.sql.fetch(
            "select distinct order_id from order_hold where order_id = any($1::bigint[]) and released_at is null",
            sorted({b.line.order_id for _, b in new}),
        )
    }
    for book, backorder in new:
        if backorder.line.order_id in held:
            park(book, backorder.line, "ORDER_ON_HOLD")


async def write_backorders(uow: Transaction, books: list[SkuBook]) -> None:
    """Update and insert backorders, then append their history.

    Those that end are written before those that open: a line may do both in one change, and has one open row at most.
    """
    changed = await _update(uow, books)
    await _insert(uow, books)
    await _withdraw_offers(uow, [(book.sku_id, b.id or 0) for book, b in changed if b.closed_at is not None])
    await _write_history(uow, books)


async def _insert(uow: Transaction, books: list[SkuBook]) -> None:
    new = [(book, b) for book in books for b in book.backorders if b.is_new]
    for (_, backorder), backorder_id in zip(new, await draw_ids(uow, "backorder", len(new)), strict=True):
        backorder.id = backorder_id
    if new:
        await uow.sql.execute(
            """insert into backorder (sku_id, id, order_line_id, customer_id, location_id, quantity, state, cause,
                evidence, expected_date, priority, opened_at, closed_at, held_from_state, delayed_from)
                overriding system value
            select * from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::int[],
                $7::text[], $8::text[], $9::jsonb[], $10::date[], $11::jsonb[], $12::timestamptz[],
                $13::timestamptz[], $14::text[], $15::date[])""",
            [book.sku_id for book, _ in new],
            [b.id for _, b in new],
            [b.line.id for _, b in new],
            [b.line.customer_id for _, b in new],
            [b.location_id for _, b in new],
            [b.quantity for _, b in new],
            [b.state for _, b in new],
            [b.cause for _, b in new],
            [b.evidence for _, b in new],
            [b.expected_date for _, b in new],
            [b.priority or {"score": b.line.priority} for _, b in new],
            [b.opened_at for _, b in new],
            [b.closed_at for _, b in new],
            [b.held_from_state for _, b in new],
            [b.delayed_from for _, b in new],
        )


async def _update(uow: Transaction, books: list[SkuBook]) -> list[tuple[SkuBook, Backorder]]:
    changed = [(book, b) for book in books for b in book.backorders if b.is_changed and not b.is_new]
    if changed:
        for _, backorder in changed:
            backorder.version += 1
        await uow.sql.execute(
            """update backorder b set quantity = u.quantity, state = u.state, held_from_state = u.held_from,
                cause = u.cause, evidence = u.evidence, expected_date = u.expected_date, priority = u.priority,
                closed_at = u.closed_at, version = u.version, location_id = u.location_id,
                delayed_from = u.delayed_from, updated_at = $12
            from unnest($1::bigint[], $2::bigint[], $3::int[], $4::text[], $5::text[], $6::text[], $7::jsonb[],
                $8::date[], $9::jsonb[], $10::timestamptz[], $11::int[], $13::bigint[], $14::date[])
                as u(sku_id, id, quantity, state, held_from, cause, evidence, expected_date, priority, closed_at,
                    version, location_id, delayed_from) where b.sku_id = u.sku_id and b.id = u.id""",
            [book.sku_id for book, _ in changed],
            [b.id for _, b in changed],
            [b.quantity for _, b in changed],
            [b.state for _, b in changed],
            [b.held_from_state for _, b in changed],
            [b.cause for _, b in changed],
            [b.evidence for _, b in changed],
            [b.expected_date for _, b in changed],
            [b.priority for _, b in changed],
            [b.closed_at for _, b in changed],
            [b.version for _, b in changed],
            uow.now,
            [b.location_id for _, b in changed],
            [b.delayed_from for _, b in changed],
        )
    return changed


async def _withdraw_offers(uow: Transaction, ended: list[tuple[int, int]]) -> None:
    """Who waits for nothing any more has nothing to choose: the options of backorders that end are withdrawn."""
    if ended:
        await uow.sql.execute(
            """update option_offer o set state = 'WITHDRAWN', closed_at = $3, closed_by = $4, reason = 'BACKORDER_ENDED',
                updated_at = $3
            from unnest($1::bigint[], $2::bigint[]) as u(sku_id, backorder_id)
            where o.sku_id = u.sku_id and o.backorder_id = u.backorder_id and o.state = 'OPEN'""",
            [sku_id for sku_id, _ in ended],
            [backorder_id for _, backorder_id in ended],
            uow.now,
            uow.principal.id,
        )


async def _write_history(uow: Transaction, books: list[SkuBook]) -> None:
    facts = [(book, fact) for book in books for fact in book.backorder_facts]
    if not facts:
        return
    known = {
        row["backorder_id"]: row["sequence"]
        for row in await uow.sql.fetch(
            """select e.backorder_id, max(e.sequence) as sequence from backorder_event e
            join unnest($1::bigint[], $2::bigint[]) as u(sku_id, id) on e.sku_id = u.sku_id and e.backorder_id = u.id
            group by e.backorder_id""",
            [book.sku_id for book, fact in facts if not fact.backorder.is_new],
            [fact.backorder.id for _, fact in facts if not fact.backorder.is_new],
        )
    }
    sequences: dict[int, int] = defaultdict(int, known)
    numbers = []
    for _, fact in facts:
        assert fact.backorder.id is not None
        sequences[fact.backorder.id] += 1
        numbers.append(sequences[fact.backorder.id])
    await uow.sql.execute(
        """insert into backorder_event (sku_id, backorder_id, sequence, from_state, to_state, quantity, cause, actor,
            created_at)
        select u.*, $8, $9 from unnest($1::bigint[], $2::bigint[], $3::int[], $4::text[], $5::text[], $6::int[],
            $7::text[]) as u""",
        [book.sku_id for book, _ in facts],
        [fact.backorder.id for _, fact in facts],
        numbers,
        [fact.from_state for _, fact in facts],
        [fact.to_state for _, fact in facts],
        [fact.quantity for _, fact in facts],
        [fact.cause for _, fact in facts],
        uow.principal.id,
        uow.now,
    )
