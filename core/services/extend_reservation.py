"""Keep a reservation longer, up to the latest instant set when it was made."""

from __future__ import annotations

from core.domain.reserving import hold_time
from core.domain.states import ReservationKind
from core.errors import ReservationExpired
from core.ports import Transaction
from core.repositories.gates import take_gates
from core.repositories.reservations import announce_free_stock, extend_rows, read_group
from core.repositories.supplying import load_policies
from core.services.create_reservation import ReservationResult


async def extend_reservation(uow: Transaction, group_id: str, ttl_seconds: int | None = None) -> ReservationResult:
    """Let a live reservation end `ttl_seconds` from now (None: the policy's time); never sooner than before.

    Nothing is checked but the cap: the units are held already. Raises NotFound, InvalidInput, and ReservationExpired
    when it has ended, whether or not a sweeper has been there.
    """
    policy = (await load_policies(uow)).get("reservation_ttl")
    skus = [row.sku_id for row in await read_group(uow, group_id)]
    versions = await take_gates(uow, skus)
    rows = [row for row in await read_group(uow, group_id) if row.is_live]  # of a pool one row may be used up
    if not rows:
        raise ReservationExpired(group_id)
    latest = min(row.hold_until_latest for row in rows)
    asked = hold_time(policy, ReservationKind(rows[0].kind), rows[0].channel).expiry(uow.now, ttl_seconds, latest)
    expires_at = max(asked, min(row.expires_at for row in rows))
    await extend_rows(uow, rows, expires_at)
    await announce_free_stock(uow, versions, sorted(versions))
    uow.audit("reservationExtend", f"reservation:{group_id}", None, {"expiresAt": expires_at.isoformat()})
    return ReservationResult(group_id, expires_at)
