"""End a reservation: its units can be promised again."""

from __future__ import annotations

from core.errors import IllegalTransition, ReservationExpired
from core.ports import Transaction
from core.repositories.gates import take_gates
from core.repositories.reservations import announce_free_stock, read_group, release_rows, skus_with_waiting_claims
from core.services.create_reservation import ReservationResult
from core.services.follow_up import request_allocation


async def release_reservation(uow: Transaction, group_id: str) -> ReservationResult:
    """Release a live reservation. Lines that wait for its units are served by a job after the commit.

    Raises NotFound, IllegalTransition when it has become an order, ReservationExpired when it has ended.
    """
    skus = [row.sku_id for row in await read_group(uow, group_id)]
    versions = await take_gates(uow, skus)
    rows = await read_group(uow, group_id)
    if not any(row.is_live for row in rows):
        if any(row.state == "committed" for row in rows):
            raise IllegalTransition("reservation", group_id, "committed", "released")
        raise ReservationExpired(group_id)
    await release_rows(uow, rows)
    await announce_free_stock(uow, versions, sorted(versions))
    await ask_to_serve(uow, sorted(versions))
    uow.audit("reservationRelease", f"reservation:{group_id}", {"rows": len(rows)}, None)
    return ReservationResult(group_id, uow.now)


async def ask_to_serve(uow: Transaction, sku_ids: list[int]) -> None:
    """Ask for the allocation of freed units to lines that wait for them, if there are any."""
    request_allocation(uow, await skus_with_waiting_claims(uow, sku_ids))
