"""Write what happened in the books of a transaction: set based, checked, announced."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from core.domain.backorder_life import date_filled
from core.domain.book import SkuBook
from core.domain.ranking import keep_ranks
from core.errors import InvariantBroken
from core.ports import Transaction
from core.repositories.announce_changes import announce_changes
from core.repositories.follow_course import follow_course
from core.repositories.planned_shipments import shrink_planned_shipments
from core.repositories.priority_facts import write_bumps
from core.repositories.quotas import write_quota_uses
from core.repositories.write_backorders import judge_causes, park_on_hold, write_backorders
from core.repositories.write_lines import name_new_lines, write_lines, write_pegs
from core.repositories.write_stock import write_stock, write_supplies


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """What every event about an order carries."""

    id: int
    number: str
    channel: str
    customer_id: int | None
    status: str
    version: int


async def save_books(
    uow: Transaction, books: Iterable[SkuBook], new_orders: dict[int, OrderFacts] | None = None
) -> dict[int, OrderFacts]:
    """Save all changed books; returns the facts of every order touched, by order id.

    Takes the rows of the touched orders (sorted) and brings their status and version in step; `new_orders` are those
    this transaction has inserted itself. Raises InvariantBroken when an identity of data-model section 4 would break.
    """
    changed = [book for book in books if book.is_changed]
    if not changed:
        return dict(new_orders or {})
    for book in changed:
        book.forget_unborn()
        date_filled(book.backorders)
    await name_new_lines(uow, changed)
    await judge_causes(uow, changed)
    await park_on_hold(uow, changed)
    keep_ranks(changed, uow.now)
    orders = await _lock_orders(uow, changed, new_orders or {})
    await write_supplies(uow, changed)
    await write_lines(uow, changed)
    await write_quota_uses(uow, changed)
    await write_stock(uow, changed)
    await write_pegs(uow, changed)
    await write_backorders(uow, changed)
    await write_bumps(uow, changed)
    await _check_identities(uow, changed)
    orders |= await _refresh_orders(uow, [o for o in orders if o not in (new_orders or {})])
    orders |= new_orders or {}
    await shrink_planned_shipments(uow, {book.sku_id: book.off_shipments for book in changed if book.off_shipments})
    announce_changes(uow, changed, orders)
    follow_course(uow, changed)
    await _write_notices(uow, changed, orders)
    return orders


async def _lock_orders(uow: Transaction, books: list[SkuBook], new: dict[int, OrderFacts]) -> dict[int, OrderFacts]:
    touched = {
        line.order_id
        for book in books
        for line in [*book.lines.values(), *book.new_lines]
        if (line.is_changed or line.is_new) and line.order_id not in new
    }
    rows = (
        await uow.sql.fetch(
            """select id, number, channel, customer_id, status, version from sales_order where id = any($1::bigint[])
        order by id for no key update""",
            sorted(touched),
        )
        if touched
        else []
    )
    return {
        r["id"]: OrderFacts(r["id"], r["number"], r["channel"], r["customer_id"], r["status"], r["version"])
        for r in rows
    }


_RANK = """case l.status when 'RECEIVED' then 0 when 'VALIDATED' then 1 when 'BACKORDERED' then 1 when
    'ALLOCATED' then 2 when 'READY_TO_SHIP' then 3 when 'SHIPPED' then 4 when 'DELIVERED' then 5 end"""


async def _refresh_orders(uow: Transaction, order_ids: list[int]) -> dict[int, OrderFacts]:
    """An order shows its least advanced line that is not cancelled."""
    if not order_ids:
        return {}
    rows = await uow.sql.fetch(
        f"""update sales_order o set version = o.version + 1, updated_at = $2,
            status = coalesce((array['RECEIVED', 'VALIDATED', 'ALLOCATED', 'SHIPMENT_RESERVED', 'SHIPPED',
                'DELIVERED'])[s.rank + 1], 'CANCELLED')
        from (select l.order_id, min({_RANK}) as rank from order_line l where l.order_id = any($1::bigint[])
            group by l.order_id) s
        where o.id = s.order_id returning o.id, o.number, o.channel, o.customer_id, o.status, o.version""",
        order_ids,
        uow.now,
    )
    return {
        r["id"]: OrderFacts(r["id"], r["number"], r["channel"], r["customer_id"], r["status"], r["version"])
        for r in rows
    }


async def _check_identities(uow: Transaction, books: list[SkuBook]) -> None:
    """The sums that no CHECK can hold, over the touched lines and supplies."""
    lines = [(b.sku_id, x.id) for b in books for x in [*b.new_lines, *b.lines.values()] if x.is_new or x.is_changed]
    if lines:
        wrong = await uow.sql.fetch(
            """select l.sku_id, l.id, l.allocated, l.open + l.backordered as waiting, p.hard, p.soft, b.quantity
            from unnest($1::bigint[], $2::bigint[]) as u(sku_id, id)
            join order_line l on l.sku_id = u.sku_id and l.id = u.id
            left join lateral (select coalesce(sum(quantity) filter (where kind = 'HARD'), 0) as hard,
                coalesce(sum(quantity) filter (where kind <> 'HARD'), 0) as soft from peg p
                where p.sku_id = l.sku_id and p.order_line_id = l.id) p on true
            left join backorder b on b.sku_id = l.sku_id and b.order_line_id = l.id and b.closed_at is null
            where l.allocated <> p.hard or l.open + l.backordered <> p.soft
                or l.backordered <> coalesce(b.quantity, 0)""",
            [sku_id for sku_id, _ in lines],
            [line_id for _, line_id in lines],
        )
        if wrong:
            raise InvariantBroken("line_pegs_backorder", [dict(row) for row in wrong[:5]])
    await _check_lots(uow, [b.sku_id for b in books if b.lots is not None and b.movements])
    supplies = [(b.sku_id, s.id) for b in books for s in b.supplies if s.is_new or s.is_changed]
    if supplies:
        wrong = await uow.sql.fetch(
            """select s.sku_id, s.id, s.pegged, p.total from unnest($1::bigint[], $2::bigint[]) as u(sku_id, id)
            join supply s on s.sku_id = u.sku_id and s.id = u.id
            left join lateral (select coalesce(sum(quantity), 0) as total from peg p
                where p.sku_id = s.sku_id and p.supply_id = s.id) p on true
            where s.pegged <> p.total""",
            [sku_id for sku_id, _ in supplies],
            [supply_id for _, supply_id in supplies],
        )
        if wrong:
            raise InvariantBroken("supply_pegged", [dict(row) for row in wrong[:5]])


async def _check_lots(uow: Transaction, sku_ids: list[int]) -> None:
    """Lots sum to the counters of their location; what is allocated of a lot are its HARD pegs."""
    if not sku_ids:
        return
    wrong = await uow.sql.fetch(
        """select s.sku_id, s.location_id, s.on_hand, l.on_hand as in_lots from stock_level s
        left join (select sku_id, location_id, sum(on_hand) as on_hand, sum(unsellable) as unsellable,
            sum(allocated) as allocated from lot where sku_id = any($1::bigint[]) group by 1, 2) l
            on l.sku_id = s.sku_id and l.location_id = s.location_id
        where s.sku_id = any($1::bigint[]) and (s.on_hand, s.unsellable, s.allocated)
            is distinct from (coalesce(l.on_hand, 0), coalesce(l.unsellable, 0), coalesce(l.allocated, 0))
        union all
        select t.sku_id, t.id, t.allocated, p.hard from lot t left join (
            select sku_id, lot_id, sum(quantity) as hard from peg
            where sku_id = any($1::bigint[]) and kind = 'HARD' group by 1, 2) p
            on p.sku_id = t.sku_id and p.lot_id = t.id
        where t.sku_id = any($1::bigint[]) and t.allocated <> coalesce(p.hard, 0)""",
        sku_ids,
    )
    if wrong:
        raise InvariantBroken("lots", [dict(row) for row in wrong[:5]])


async def _write_notices(uow: Transaction, books: list[SkuBook], orders: dict[int, OrderFacts]) -> None:
    """Customers hear of a new backorder, of a promise that moves, and of a backorder that is filled."""
    rows = []
    for book in books:
        for fact in book.backorder_facts:
            template = {"OPENED": "BACKORDER_OPENED", "FILLED": "BACKORDER_FILLED"}.get(fact.kind)
            line, backorder = fact.backorder.line, fact.backorder
            quantity = fact.quantity
            if template == "BACKORDER_FILLED":  # a later wish or an earlier date fills it too, but puts nothing here
                gained = sum(move.allocated for move in book.movements if move.line is line)
                quantity = min(fact.filled, gained)
            if template is not None and quantity > 0:
                rows.append(
                    (
                        line,
                        backorder.id,
                        book,
                        template,
                        f"{template}:{book.sku_id}:{backorder.id}",
                        {
                            "quantity": quantity,
                            "expected": line.promised.isoformat() if line.promised else None,
                            "shipDate": None,
                        },
                    )
                )
        for fact in book.line_facts:
            if fact.kind == "PROMISE_MOVED" and fact.promised is not None:
                rows.append(
                    (
                        fact.line,
                        None,
                        book,
                        "PROMISE_MOVED",
                        f"PROMISE_MOVED:{book.sku_id}:{fact.line.id}:{fact.line.promise_sequence}",
                        {
                            "quantity": fact.quantity,
                            "promised": fact.promised.isoformat(),
                            "previousPromised": fact.previous_promised.isoformat() if fact.previous_promised else None,
                            "reason": fact.reason,
                        },
                    )
                )
    rows = [_of_run(row) for row in sorted(rows, key=_told_first) if row[0].customer_id is not None]
    if not rows:
        return
    await uow.sql.execute(
        """insert into notice (customer_id, order_id, backorder_id, sku_id, template, language, facts, dedupe_key,
            created_at)
        select u.customer_id, u.order_id, u.backorder_id, u.sku_id, u.template, c.language,
            u.facts || jsonb_build_object('sku', k.code, 'skuName', k.name),
            u.dedupe_key, $8
        from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::jsonb[], $7::text[])
            as u(customer_id, order_id, backorder_id, sku_id, template, facts, dedupe_key)
        join customer c on c.id = u.customer_id join sku k on k.id = u.sku_id
        on conflict (dedupe_key) do nothing""",
        [row[0].customer_id for row in rows],
        [row[0].order_id for row in rows],
        [row[1] for row in rows],
        [row[2].sku_id for row in rows],
        [row[3] for row in rows],
        [{**row[5], "orderNumber": orders[row[0].order_id].number, "lineNumber": row[0].line_number} for row in rows],
        [row[4] for row in rows],
        uow.now,
    )


def _told_first(row: tuple) -> bool:
    """Of what a re-promising run does to an order, its customer is told the moved day before all else."""
    return row[2].run_id is not None and row[3] != "PROMISE_MOVED"


def _of_run(row: tuple) -> tuple:
    """A run sends one notice per order, however many of its lines and SKUs it moves."""
    line, backorder_id, book, template, key, facts = row
    if book.run_id is None:
        return row
    key = f"REPROMISED:{book.run_id}:{line.order_id}"
    return (line, backorder_id, book, template, key, {**facts, "runId": book.run_id})
