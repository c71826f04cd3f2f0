"""What the automatic course of backorders reads: orders, prices, substitutes, rules on delay; and how far it has come."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from core.domain.delay_rules import DelayRule
from core.domain.states import CourseStep
from core.ports import Transaction
from core.repositories.option_offers import Key


@dataclass(frozen=True, slots=True)
class CourseOrder:
    """The order of a backorder, as the course needs it."""

    id: int
    number: str
    customer_id: int | None
    tier: str
    country: str | None
    destination_id: int | None
    ship_complete: bool
    allowed_locations: list[int] | None


@dataclass(slots=True)
class CourseRow:
    """How far the course of a backorder has come: per step when, with what outcome, and of which facts."""

    is_paused: bool = False
    steps: dict[str, dict[str, Any]] = field(default_factory=dict)
    is_changed: bool = False


@dataclass(frozen=True, slots=True)
class SubstituteRow:
    """What may replace a SKU."""

    sku_id: int
    substitute_sku_id: int
    ratio: int
    rank: int
    needs_consent: bool
    unit_price: int
    currency: str


def note_options(row: CourseRow, now: datetime, outcome: str, of: list[Any]) -> None:
    """Remember what became of the question to the customer: `of` are the quantity and day it was asked about."""
    row.steps = {**row.steps, str(CourseStep.OPTIONS): {"at": now.isoformat(), "outcome": outcome, "of": of}}
    row.is_changed = True


async def note_refused(uow: Transaction, sku_id: int, backorder_id: int) -> None:
    """A substitution that was asked for could not be carried out; call it under the gate."""
    await uow.sql.execute(
        """update backorder_course set steps = jsonb_set(steps, array[$3, 'outcome'], '"REFUSED"')
        where sku_id = $1 and backorder_id = $2 and steps #>> array[$3, 'outcome'] = 'ASKED'""",
        sku_id,
        backorder_id,
        str(CourseStep.SUBSTITUTE),
    )


async def course_orders(uow: Transaction, order_ids: Iterable[int]) -> dict[int, CourseOrder]:
    """These orders by id."""
    rows = await uow.sql.fetch(
        """select o.id, o.number, o.customer_id, coalesce(c.tier, 'STANDARD') as tier, o.ship_to ->> 'country' as country,
            o.destination_id, o.ship_complete, h.location_ids as allowed_locations
        from sales_order o join channel h on h.code = o.channel left join customer c on c.id = o.customer_id
        where o.id = any($1::bigint[])""",
        sorted(set(order_ids)),
    )
    return {row["id"]: CourseOrder(**row) for row in rows}


async def prices(uow: Transaction, sku_ids: Iterable[int]) -> dict[int, tuple[int, str]]:
    """(unit price in minor units, currency) by SKU."""
    rows = await uow.sql.fetch(
        "select id, unit_price, currency from sku where id = any($1::bigint[])", sorted(set(sku_ids))
    )
    return {row["id"]: (row["unit_price"], row["currency"]) for row in rows}


async def substitutes(uow: Transaction, sku_ids: Iterable[int]) -> dict[int, list[SubstituteRow]]:
    """What may replace these SKUs and may be sold, best ranked first."""
    found: dict[int, list[SubstituteRow]] = {}
    for row in await uow.sql.fetch(
        """select s.sku_id, s.substitute_sku_id, s.ratio, s.rank, s.needs_consent, k.unit_price, k.currency
        from substitute s join sku k on k.id = s.substitute_sku_id and k.status = 'ACTIVE'
        where s.sku_id = any($1::bigint[]) order by s.sku_id, s.rank, s.substitute_sku_id""",
        sorted(set(sku_ids)),
    ):
        found.setdefault(row["sku_id"], []).append(SubstituteRow(**row))
    return found


async def replaceable_by(uow: Transaction, sku_ids: Iterable[int]) -> list[int]:
    """SKUs that wait and take substitutes, and that one of these may replace."""
    rows = await uow.sql.fetch(
        """select distinct s.sku_id from substitute s where s.substitute_sku_id = any($1::bigint[]) and exists (
            select from backorder b join order_line l on l.sku_id = b.sku_id and l.id = b.order_line_id
            where b.sku_id = s.sku_id and b.closed_at is null and l.substitutes_allowed)
        order by s.sku_id""",
        sorted(set(sku_ids)),
    )
    return [row["sku_id"] for row in rows]


async def delay_rules(uow: Transaction) -> list[DelayRule]:
    """All rules on late delivery that were loaded."""
    rows = await uow.sql.fetch(
        """select pack, code, country, valid_from, valid_to, notice_days, consent_needed, consent_days, refund_days
        from delay_rule"""
    )
    return [DelayRule(**row) for row in rows]


async def course_rows(uow: Transaction, keys: Sequence[Key]) -> dict[Key, CourseRow]:
    """How far these backorders have come; one the course has not met yet has an empty row."""
    rows = {
        (row["sku_id"], row["backorder_id"]): CourseRow(row["is_paused"], row["steps"])
        for row in await uow.sql.fetch(
            """select c.sku_id, c.backorder_id, c.is_paused, c.steps from backorder_course c
            join unnest($1::bigint[], $2::bigint[]) as u(sku_id, id) on c.sku_id = u.sku_id and c.backorder_id = u.id""",
            [sku_id for sku_id, _ in keys],
            [backorder_id for _, backorder_id in keys],
        )
    }
    return {key: rows.get(key) or CourseRow() for key in keys}


async def save_course_rows(uow: Transaction, rows: dict[Key, CourseRow]) -> None:
    """Write what has changed."""
    changed = [(key, row) for key, row in rows.items() if row.is_changed]
    if changed:
        await uow.sql.execute(
            """insert into backorder_course (sku_id, backorder_id, steps, created_at, updated_at)
            select u.*, $4, $4 from unnest($1::bigint[], $2::bigint[], $3::jsonb[]) as u
            on conflict (sku_id, backorder_id) do update set steps = excluded.steps, updated_at = excluded.updated_at""",
            [key[0] for key, _ in changed],
            [key[1] for key, _ in changed],
            [row.steps for _, row in changed],
            uow.now,
        )


async def pause_course(uow: Transaction, key: Key, is_paused: bool, reason: str) -> None:
    """Stop the course of one backorder, or let it go on."""
    await uow.sql.execute(
        """insert into backorder_course (sku_id, backorder_id, is_paused, paused_reason, paused_by, created_at, updated_at)
        values ($1, $2, $3, $4, $5, $6, $6)
        on conflict (sku_id, backorder_id) do update set is_paused = excluded.is_paused,
            paused_reason = excluded.paused_reason, paused_by = excluded.paused_by, updated_at = excluded.updated_at""",
        *key,
        is_paused,
        reason or None,
        uow.principal.id if is_paused else None,
        uow.now,
    )


async def let_out(uow: Transaction, sku_id: int, line_id: int) -> None:
    """A person lets a line that was short go to the warehouse, although the course does not do so by itself."""
    await uow.sql.execute(
        """insert into backorder_course (sku_id, backorder_id, released_at, created_at, updated_at)
        select sku_id, id, $3, $3, $3 from backorder where sku_id = $1 and order_line_id = $2
        on conflict (sku_id, backorder_id) do update set released_at = excluded.released_at, updated_at = $3""",
        sku_id,
        line_id,
        uow.now,
    )


async def kept_from_warehouse(uow: Transaction, line_ids: Iterable[int]) -> set[int]:
    """Those of the lines that were short and that nobody has let out."""
    rows = await uow.sql.fetch(
        """select distinct b.order_line_id from backorder b left join backorder_course c
            on c.sku_id = b.sku_id and c.backorder_id = b.id
        where b.order_line_id = any($1::bigint[]) and c.released_at is null""",
        sorted(set(line_ids)),
    )
    return {row["order_line_id"] for row in rows}
