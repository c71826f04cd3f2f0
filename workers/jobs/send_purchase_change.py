"""Tell a supplier of a change of its order: numbers and bytes in one transaction, the file after it."""

from __future__ import annotations

from typing import Any

from workers.job import JobContext, job


@job(queue="fast", timeout=30)
async def send_purchase_change(context: JobContext, input: dict[str, Any]) -> dict[str, Any]:
    """Input: purchaseOrderId, version, lineNumbers, agreed (kinds by line). One change of an order is written once."""
    from core.services.send_purchase_change import send_purchase_change as send
    from core.services.write_edi_files import Waiting
    from workers.jobs.write_edi_files import write_pending

    order, version, lines = int(input["purchaseOrderId"]), int(input["version"]), list(input["lineNumbers"])
    agreed = {int(number): str(kind) for number, kind in input.get("agreed", {}).items()}
    await context.run(lambda uow: send(uow, order, version, lines, agreed))
    return {"files": await write_pending(context, Waiting(purchase_order_id=order))}
