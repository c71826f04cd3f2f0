"""A planner decides on a change that a supplier asks for: accepted it moves lines as an answer does, rejected nothing."""

from __future__ import annotations

from dataclasses import dataclass

from core.domain.supplier_changes import ChangeState
from core.errors import IllegalTransition, NotFound, VersionConflict
from core.ports import Transaction
from core.repositories.purchase_orders import find_orders, read_lines
from core.repositories.supplier_changes import close_changes, find_change, lock_changes
from core.services.apply_acknowledgement import AcknowledgePurchaseOrder, apply_acknowledgement
from core.services.judge_dearer_order import check_may_cost
from core.services.propose_supplier_change import (
    SupplierChangeResult,
    announce_change,
    confirm_change,
    stored_line,
)


@dataclass(frozen=True, slots=True)
class DecideSupplierChange:
    """`reason` is kept with the decision."""

    change_id: int
    accept: bool
    reason: str | None = None
    expected_version: int | None = None


async def decide_supplier_change(uow: Transaction, request: DecideSupplierChange) -> SupplierChangeResult:
    """Accept or reject; SUPERSEDED when the supplier has answered these lines anew meanwhile.

    Raises NotFound, VersionConflict, IllegalTransition for one that was decided, InvalidInput when its units are no
    longer those that are open (some were shipped since): reject it then, and ask for a new one; Forbidden for a change
    that makes the order dearer than this person may approve.
    """
    change = await find_change(uow, request.change_id)
    if change is None:
        raise NotFound("supplier change", str(request.change_id), path=("input", "id"))
    await lock_changes(uow, change["purchase_order_id"])
    change = await find_change(uow, request.change_id)
    if request.expected_version is not None and request.expected_version != change["version"]:
        raise VersionConflict("supplier change", str(change["id"]), request.expected_version, change["version"])
    wanted = ChangeState.ACCEPTED if request.accept else ChangeState.REJECTED
    if change["state"] != ChangeState.PROPOSED:
        raise IllegalTransition("supplier change", str(change["id"]), change["state"], str(wanted))
    state = wanted
    if request.accept:
        lines = [stored_line(facts) for facts in change["lines"]]
        order = (await find_orders(uow, [change["number"]]))[change["number"]]
        await check_may_cost(uow, order, (await read_lines(uow, [order.id])).values(), lines)
        applied = await apply_acknowledgement(
            uow,
            AcknowledgePurchaseOrder(
                change["number"], change["supplier_id"], lines, change["sequence"], change["edi_document_id"]
            ),
        )
        if applied.outcome == "stale":
            state = ChangeState.SUPERSEDED
        else:
            confirm_change(uow, order, applied.version, lines)
    decided_by = None if state is ChangeState.SUPERSEDED else uow.principal.id
    await close_changes(uow, [change["id"]], str(state), decided_by, request.reason)
    uow.audit(
        "supplierChangeDecide",
        f"supplier_change:{change['id']}",
        {"state": change["state"]},
        {"state": str(state), "reason": request.reason},
    )
    head = (await find_orders(uow, [change["number"]]))[change["number"]]
    announce_change(uow, change["id"], head, state)
    return SupplierChangeResult(change["id"], head.id, state)
