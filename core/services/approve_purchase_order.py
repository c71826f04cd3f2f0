"""Approve a purchase order that waits for a person, and let it be sent."""

from __future__ import annotations

from core.domain.purchasing import check_status_move
from core.domain.states import PurchaseOrderStatus
from core.errors import VersionConflict
from core.events import JobRequest
from core.ports import Transaction
from core.repositories.purchase_orders import find_orders, lock_order, set_status
from core.services.create_purchase_order import PurchaseOrderChange


async def approve_purchase_order(
    uow: Transaction, number: str, expected_version: int | None = None
) -> PurchaseOrderChange:
    """AWAITING_APPROVAL or DRAFT becomes APPROVED. Raises NotFound, VersionConflict, IllegalTransition."""
    head = await lock_order(uow, (await find_orders(uow, [number]))[number].id)
    if expected_version is not None and expected_version != head.version:
        raise VersionConflict("purchase order", number, expected_version, head.version)
    check_status_move(number, head.status, PurchaseOrderStatus.APPROVED)
    if head.status is PurchaseOrderStatus.APPROVED:
        return PurchaseOrderChange(head.id, number, head.version, str(head.status), "repeated")
    after = await set_status(
        uow, head, PurchaseOrderStatus.APPROVED, {"approvedBy": uow.principal.id, "at": uow.now.isoformat()}
    )
    uow.audit("purchaseOrderApprove", f"purchase_order:{head.id}", {"status": str(head.status)}, {"status": "APPROVED"})
    uow.enqueue(JobRequest("send_purchase_order", str(head.id), {"purchaseOrderId": head.id}))
    return PurchaseOrderChange(head.id, number, after.version, str(after.status))
