"""Deadlines of suppliers in the database: what is owed for open purchase orders, and how far each clock has gone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from core.domain.supplier_deadlines import Times
from core.domain.supplier_states import DeadlineKind, DeadlineState
from core.ports import Transaction

_OWED = """
select o.id, o.number, o.supplier_id, s.code as supplier, o.status, o.version, o.sent_at, o.acknowledged_at, p.time_zone,
    q.unanswered, q.accepted, q.gone, f.first_day, g.hours, q.answered, e.state, e.created_at,
    (e.due ->> 'functionalAcknowledgement')::timestamptz
from purchase_order o join supplier s on s.id = o.supplier_id join location p on p.id = o.location_id
cross join lateral (select sum(l.unanswered)::int as unanswered, sum(l.accepted)::int as accepted,
        sum(l.in_transit + l.received)::int as gone,
        sum(l.ordered - l.unanswered - l.cancelled)::int as answered
    from purchase_order_line l where l.purchase_order_id = o.id) q
left join lateral (select min(x.paper_date) as first_day from purchase_order_line l
    join supply x on x.sku_id = l.sku_id and x.purchase_order_line_id = l.id and x.ship_notice_line_id is null
        and x.quantity > x.received + x.cancelled and x.date_basis <> 'LEAD_TIME'
    where l.purchase_order_id = o.id and l.accepted > 0) f on true
left join lateral (select e.state, e.created_at, e.due from edi_outbound e where e.purchase_order_id = o.id
        and e.kind in ('850', 'ORDERS') order by e.id desc limit 1) e on true
left join lateral (select g.guide -> 'deadlines' as hours from partner t join partner_guide g on g.partner_id = t.id
        and g.state = 'active' where t.supplier_id = o.supplier_id and t.is_active order by g.version desc limit 1) g on true
where o.sent_at is not null and ($1::bigint[] is null or o.id = any($1))
    and (o.status in ('SENT', 'ACKNOWLEDGED', 'PARTIALLY_RECEIVED') or exists (
    select from supplier_deadline d where d.purchase_order_id = o.id
        and d.state in ('OPEN', 'WARNED', 'BREACHED', 'ESCALATED')))
order by o.id
"""


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """A sent order with what its lines owe; `first_day` is the earliest confirmed day of units that are not shipped."""

    id: int
    number: str
    supplier_id: int
    supplier: str
    status: str
    version: int
    sent_at: datetime
    acknowledged_at: datetime | None
    time_zone: str
    unanswered: int
    accepted: int
    gone: int
    first_day: date | None
    guide_hours: dict[str, Any] | None
    answered: int
    document_state: str | None
    """Of the last document by which it was sent; None where it went out otherwise."""
    document_at: datetime | None
    receipt_due: datetime | None


@dataclass(frozen=True, slots=True)
class Deadline:
    """A deadline as it stands."""

    id: int
    purchase_order_id: int
    kind: DeadlineKind
    state: DeadlineState
    times: Times


async def orders_that_owe(uow: Transaction, order_ids: Sequence[int] | None = None) -> list[OpenOrder]:
    """Sent orders that are not closed, and those with a deadline that is still live; of `order_ids` when given."""
    wanted = None if order_ids is None else list(order_ids)
    return [OpenOrder(*tuple(row)) for row in await uow.sql.fetch(_OWED, wanted)]


async def deadlines_of(uow: Transaction, order_ids: Sequence[int]) -> dict[tuple[int, DeadlineKind], Deadline]:
    """The deadlines of these orders by (order id, kind)."""
    rows = await uow.sql.fetch(
        """select id, purchase_order_id, kind, state, warn_at, due_at, escalate_at from supplier_deadline
        where purchase_order_id = any($1::bigint[])""",
        list(order_ids),
    )
    found = [
        Deadline(
            r["id"],
            r["purchase_order_id"],
            DeadlineKind(r["kind"]),
            DeadlineState(r["state"]),
            Times(r["warn_at"], r["due_at"], r["escalate_at"]),
        )
        for r in rows
    ]
    return {(d.purchase_order_id, d.kind): d for d in found}


async def open_deadline(
    uow: Transaction, order: OpenOrder, kind: DeadlineKind, state: DeadlineState, times: Times
) -> bool:
    """Insert a deadline; False when another run was faster."""
    return bool(
        await uow.sql.fetchval(
            """insert into supplier_deadline (purchase_order_id, supplier_id, kind, state, warn_at, due_at, escalate_at,
                changed_at, created_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $8)
            on conflict (purchase_order_id, kind) do nothing returning id""",
            order.id,
            order.supplier_id,
            str(kind),
            str(state),
            times.warn_at,
            times.due_at,
            times.escalate_at,
            uow.now,
        )
    )


async def move_deadline(uow: Transaction, deadline: Deadline, state: DeadlineState, times: Times) -> bool:
    """Write state and times; False when another run has moved it from the state that was read."""
    return bool(
        await uow.sql.fetchval(
            """update supplier_deadline set state = $3, warn_at = $4, due_at = $5, escalate_at = $6,
                changed_at = case when state = $3 then changed_at else $7 end
            where id = $1 and state = $2 returning id""",
            deadline.id,
            str(deadline.state),
            str(state),
            times.warn_at,
            times.due_at,
            times.escalate_at,
            uow.now,
        )
    )


async def note_chase(uow: Transaction, purchase_order_id: int, kind: DeadlineKind, note: str) -> bool:
    """Keep who has chased the supplier; False without such a live deadline."""
    return bool(
        await uow.sql.fetchval(
            """update supplier_deadline set chased_by = $3, chased_at = $4, chase_note = $5
            where purchase_order_id = $1 and kind = $2 and state in ('OPEN', 'WARNED', 'BREACHED', 'ESCALATED')
            returning id""",
            purchase_order_id,
            str(kind),
            uow.principal.id,
            uow.now,
            note,
        )
    )
