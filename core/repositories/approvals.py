"""Approvals of purchase orders and who stands in for whom."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from core.domain.approval_routes import Absence
from core.ports import Transaction


@dataclass(frozen=True, slots=True)
class OrderToApprove:
    """What a route asks of an order: its total in minor units as it was judged when it was made (list prices, fees and
    its whole plan), and who made it (None: a rule)."""

    total: int
    currency: str
    maker: str | None
    time_zone: str


async def order_to_approve(uow: Transaction, purchase_order_id: int) -> OrderToApprove:
    row = await uow.sql.fetchrow(
        """select greatest((select coalesce(sum((l.ordered - l.cancelled) * l.price), 0)::bigint
                from purchase_order_line l where l.purchase_order_id = o.id),
                (o.cause ->> 'judgedTotal')::bigint) as total, o.currency, o.cause ->> 'actor' as maker, p.time_zone
        from purchase_order o join location p on p.id = o.location_id where o.id = $1""",
        purchase_order_id,
    )
    return OrderToApprove(row["total"], row["currency"], row["maker"], row["time_zone"])


async def approvals_of(uow: Transaction, purchase_order_id: int) -> dict[str, str]:
    """Who has approved, by whom they stood for."""
    rows = await uow.sql.fetch(
        "select in_place_of, approver from purchase_approval where purchase_order_id = $1", purchase_order_id
    )
    return {row["in_place_of"]: row["approver"] for row in rows}


async def add_approval(uow: Transaction, purchase_order_id: int, approver: str, in_place_of: str, total: int) -> None:
    await uow.sql.execute(
        """insert into purchase_approval (purchase_order_id, approver, in_place_of, total, created_at)
        values ($1, $2, $3, $4, $5)""",
        purchase_order_id,
        approver,
        in_place_of,
        total,
        uow.now,
    )


async def absences_on(uow: Transaction, day: date) -> list[Absence]:
    """Who is away on that day."""
    rows = await uow.sql.fetch(
        "select person, substitute, from_day, until_day from approver_absence where $1 between from_day and until_day",
        day,
    )
    return [Absence(*tuple(row)) for row in rows]


async def write_absence(uow: Transaction, absence: Absence) -> None:
    """Insert an absence, or change the one that begins on that day."""
    await uow.sql.execute(
        """insert into approver_absence (person, substitute, from_day, until_day, created_at) values ($1, $2, $3, $4, $5)
        on conflict (person, from_day) do update set substitute = excluded.substitute, until_day = excluded.until_day""",
        absence.person,
        absence.substitute,
        absence.from_day,
        absence.until_day,
        uow.now,
    )


async def drop_absence(uow: Transaction, person: str, from_day: date) -> bool:
    """Remove an absence; False when there is none."""
    found = await uow.sql.fetchval(
        "delete from approver_absence where person = $1 and from_day = $2 returning id", person, from_day
    )
    return found is not None
