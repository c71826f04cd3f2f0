"""Tell a partner's warehouse what to ship: numbers and bytes in one transaction, the file after it."""

from __future__ import annotations

from typing import Any

from workers.job import JobContext, job


@job(queue="fast", timeout=30)
async def send_warehouse_release(context: JobContext, input: dict[str, Any]) -> dict[str, Any]:
    """Input: shipmentId. Each state of a shipment is told once."""
    from core.services.send_warehouse_release import send_warehouse_release as send
    from core.services.write_edi_files import Waiting
    from workers.jobs.write_edi_files import write_pending

    shipment_id = int(input["shipmentId"])
    await context.run(lambda uow: send(uow, shipment_id))
    return {"files": await write_pending(context, Waiting(shipment_id=shipment_id))}
