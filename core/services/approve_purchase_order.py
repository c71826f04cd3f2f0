"""Approve a purchase order that waits for a person, by the approval routes where they are on, and let it be sent."""

from __future__ import annotations

from core.domain.approval_routes import POLICY, RouteStep, decide, read_routes, step_for
from core.domain.calendars import local_day
from core.domain.purchasing import check_status_move
from core.domain.states import PurchaseOrderStatus
from core.errors import VersionConflict
from core.events import JobRequest
from core.ports import Transaction
from core.repositories.approvals import absences_on, add_approval, approvals_of, order_to_approve
from core.repositories.purchase_orders import PurchaseOrderHead, find_orders, lock_order, set_status
from core.repositories.supplying import load_policies
from core.services.create_purchase_order import PurchaseOrderChange


async def approve_purchase_order(
    uow: Transaction, number: str, expected_version: int | None = None
) -> PurchaseOrderChange:
    """AWAITING_APPROVAL or DRAFT becomes APPROVED; outcome `waiting` while the route needs more persons.

    Raises NotFound, VersionConflict, IllegalTransition, Forbidden for who may not decide (its own order included).
    """
    head = await lock_order(uow, (await find_orders(uow, [number]))[number].id)
    if expected_version is not None and expected_version != head.version:
        raise VersionConflict("purchase order", number, expected_version, head.version)
    check_status_move(number, head.status, PurchaseOrderStatus.APPROVED)
    if head.status is PurchaseOrderStatus.APPROVED:
        return PurchaseOrderChange(head.id, number, head.version, str(head.status), "repeated")
    routes = read_routes((await load_policies(uow)).get(POLICY))
    if routes is not None and not await _is_complete(uow, head, routes):
        return PurchaseOrderChange(head.id, number, head.version, str(head.status), "waiting")
    after = await set_status(
        uow, head, PurchaseOrderStatus.APPROVED, {"approvedBy": uow.principal.id, "at": uow.now.isoformat()}
    )
    uow.audit("purchaseOrderApprove", f"purchase_order:{head.id}", {"status": str(head.status)}, {"status": "APPROVED"})
    uow.enqueue(JobRequest("send_purchase_order", str(head.id), {"purchaseOrderId": head.id}))
    return PurchaseOrderChange(head.id, number, after.version, str(after.status))


async def _is_complete(uow: Transaction, head: PurchaseOrderHead, routes: list[RouteStep]) -> bool:
    """Keep this person's approval; True when it was the last one the route needs."""
    order = await order_to_approve(uow, head.id)
    person, today = uow.principal.id, local_day(uow.now, order.time_zone)
    step = step_for(routes, order.total, order.currency)
    given = await approvals_of(uow, head.id)
    seat, is_complete = decide(person, order.maker, step, await absences_on(uow, today), today, given)
    await add_approval(uow, head.id, person, seat, order.total)
    uow.audit("purchaseOrderApproval", f"purchase_order:{head.id}", None, {"inPlaceOf": seat, "total": order.total})
    return is_complete
