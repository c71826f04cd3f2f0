"""Rows of reservations: live while `held` and not expired, whoever has swept or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from core.domain.records import Hold
from core.domain.reserving import Held, HoldUse, may_manage
from core.errors import NotFound
from core.events import Event
from core.ports import Transaction


@dataclass(frozen=True, slots=True)
class ReservationRow:
    """One row of a reservation; `is_live` is decided at the instant of reading."""

    sku_id: int
    id: int
    kind: str
    state: str
    expires_at: datetime
    hold_until_latest: datetime
    is_live: bool
    held_since: datetime
    """When the first of the holds that replaced one another up to this one began."""
    channel: str | None = None
    customer_id: int | None = None


@dataclass(frozen=True, slots=True)
class NewReservation:
    """Units of one SKU to hold at one place on one day."""

    sku_id: int
    location_id: int
    need_date: date
    quantity: int


async def insert_reservation(
    uow: Transaction,
    group_id: UUID,
    rows: Sequence[NewReservation],
    kind: str,
    holder: str,
    expires_at: datetime,
    latest: datetime,
    channel: str | None = None,
    customer_id: int | None = None,
    since: datetime | None = None,
) -> list[int]:
    """Write the rows of one reservation; returns their ids in order. `since`: see `ReservationRow.held_since`."""
    found = await uow.sql.fetch(
        """insert into reservation (sku_id, group_id, location_id, need_date, quantity, kind, holder, expires_at,
            hold_until_latest, created_at, updated_at, channel, customer_id, held_since)
        select u.sku_id, $5, u.location_id, u.need_date, u.quantity, $6, $7, $8, $9, $10, $10, $11, $12, $13
        from unnest($1::bigint[], $2::bigint[], $3::date[], $4::int[]) with ordinality
            as u(sku_id, location_id, need_date, quantity, n) order by u.n returning id""",
        [row.sku_id for row in rows],
        [row.location_id for row in rows],
        [row.need_date for row in rows],
        [row.quantity for row in rows],
        group_id,
        kind,
        holder,
        expires_at,
        latest,
        uow.now,
        channel,
        customer_id,
        since or uow.now,
    )
    return [row["id"] for row in found]


async def read_group(uow: Transaction, group_id: str, field: str = "id") -> list[ReservationRow]:
    """The rows of a reservation. Raises NotFound when there is none that the caller may manage."""
    try:
        group = UUID(group_id)
    except ValueError:
        raise NotFound("reservation", group_id, path=("input", field)) from None
    rows = await uow.sql.fetch(
        """select sku_id, id, kind, state, expires_at, hold_until_latest, state = 'held' and expires_at > $2 as is_live,
            channel, customer_id, coalesce(held_since, created_at) as held_since
        from reservation where group_id = $1 order by sku_id, id""",
        group,
        uow.now,
    )
    if not rows or not may_manage(rows[0]["kind"], uow.principal.role):
        raise NotFound("reservation", group_id, path=("input", field))
    return [ReservationRow(**row) for row in rows]


async def extend_rows(uow: Transaction, rows: Sequence[ReservationRow], expires_at: datetime) -> None:
    await uow.sql.execute(
        """update reservation r set expires_at = $3, updated_at = $4 from unnest($1::bigint[], $2::bigint[])
            as u(sku_id, id) where r.sku_id = u.sku_id and r.id = u.id""",
        [row.sku_id for row in rows],
        [row.id for row in rows],
        expires_at,
        uow.now,
    )


async def release_rows(uow: Transaction, rows: Sequence[ReservationRow]) -> None:
    await uow.sql.execute(
        """update reservation r set state = 'released', updated_at = $3 from unnest($1::bigint[], $2::bigint[])
            as u(sku_id, id) where r.sku_id = u.sku_id and r.id = u.id and r.state = 'held'""",
        [row.sku_id for row in rows],
        [row.id for row in rows],
        uow.now,
    )


async def expired_skus(uow: Transaction, limit: int) -> list[int]:
    """SKUs of the holds whose time is over and that nobody has swept, longest first, of up to `limit` holds."""
    rows = await uow.sql.fetch(
        "select sku_id from reservation where state = 'held' and expires_at <= $1 order by expires_at limit $2",
        uow.now,
        limit,
    )
    return sorted({row["sku_id"] for row in rows})


async def expire_rows(uow: Transaction, sku_ids: Sequence[int], limit: int) -> list[int]:
    """Turn up to `limit` overdue holds of these SKUs (gates held) into `expired`; returns their SKU ids, one per row."""
    rows = await uow.sql.fetch(
        """update reservation r set state = 'expired', updated_at = $2
        from (select sku_id, id from reservation where sku_id = any($1::bigint[]) and state = 'held'
            and expires_at <= $2 order by expires_at limit $3) u
        where r.sku_id = u.sku_id and r.id = u.id returning r.sku_id""",
        list(sku_ids),
        uow.now,
        limit,
    )
    return [row["sku_id"] for row in rows]


async def skus_with_waiting_claims(uow: Transaction, sku_ids: Sequence[int]) -> list[int]:
    """Those of the SKUs for which a line waits without a source."""
    rows: list[Any] = await uow.sql.fetch(
        "select distinct sku_id from peg where sku_id = any($1::bigint[]) and kind = 'OPEN' order by sku_id",
        list(sku_ids),
    )
    return [row["sku_id"] for row in rows]


async def announce_free_stock(uow: Transaction, versions: dict[int, int], sku_ids: Sequence[int]) -> None:
    """Tell that the availability of these SKUs has changed; `versions` are those of their gates."""
    for row in await uow.sql.fetch("select id, code from sku where id = any($1::bigint[]) order by id", list(sku_ids)):
        facts = {"sku": row["code"], "version": versions[row["id"]]}
        uow.announce(Event("availability", "CHANGED", facts, key=f"sku:{row['id']}", sku_id=row["id"]))


async def live_holds(uow: Transaction, groups: Sequence[str]) -> dict[str, Held]:
    """The reservations among these ids that are live now, by id; the gates of all their SKUs are held."""
    if not groups:
        return {}
    found: dict[str, Held] = {}
    for r in await uow.sql.fetch(
        """select group_id::text as group_id, kind, customer_id, sku_id, id, location_id, need_date, quantity
        from reservation where group_id = any($1::text[]::uuid[]) and state = 'held' and expires_at > $2
        order by sku_id, id""",
        list(groups),
        uow.now,
    ):
        held = found.setdefault(r["group_id"], Held(r["group_id"], r["kind"], r["customer_id"]))
        held.rows.append((r["sku_id"], Hold(r["id"], r["group_id"], r["location_id"], r["need_date"], r["quantity"])))
    return found


async def write_uses(uow: Transaction, uses: Sequence[HoldUse]) -> None:
    """What orders took: a pool shrinks until nothing is left of it, any other kind is committed with what was used."""
    if not uses:
        return
    merged: dict[tuple[int, int], HoldUse] = {}
    for use in uses:  # several orders of a batch may draw on one pool, and a row is updated once per statement
        before = merged.get((use.sku_id, use.hold_id))
        merged[use.sku_id, use.hold_id] = use if before is None else replace(use, used=before.used + use.used)
    uses = list(merged.values())
    await uow.sql.execute(
        """update reservation r set used = r.used + u.used, order_id = u.order_id, updated_at = $7,
            quantity = case when u.is_pool and u.remains > 0 then u.remains else r.quantity end,
            state = case when u.is_pool and u.remains > 0 then 'held' else 'committed' end
        from unnest($1::bigint[], $2::bigint[], $3::int[], $4::int[], $5::bool[], $6::bigint[])
            as u(sku_id, id, used, remains, is_pool, order_id)
        where r.sku_id = u.sku_id and r.id = u.id""",
        [use.sku_id for use in uses],
        [use.hold_id for use in uses],
        [use.used for use in uses],
        [use.left for use in uses],
        [use.is_pool for use in uses],
        [use.order_id for use in uses],
        uow.now,
    )
