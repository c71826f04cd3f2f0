"""Send a purchase order: numbers and bytes in one transaction, the file after it."""

from __future__ import annotations

from typing import Any

from workers.job import JobContext, job


@job(queue="fast", timeout=30)
async def send_purchase_order(context: JobContext, input: dict[str, Any]) -> dict[str, Any]:
    """Input: purchaseOrderId. The outbound row is written once; its file by this job or the next writer."""
    from core.services.send_purchase_order import send_purchase_order as send
    from core.services.write_edi_files import Waiting
    from workers.jobs.write_edi_files import write_pending

    purchase_order_id = int(input["purchaseOrderId"])
    await context.run(lambda uow: send(uow, purchase_order_id))
    return {"files": await write_pending(context, Waiting(purchase_order_id=purchase_order_id))}
