"""Once a day, let lead times follow what suppliers really take."""

from __future__ import annotations

from typing import Any

from workers.job import JobContext, job


@job(queue="bulk", timeout=600)
async def calibrate_lead_times(context: JobContext, _: dict[str, Any]) -> dict[str, Any]:
    """Supplier by supplier, each whole: a run that dies is taken up by the next one."""
    from core.services.calibrate_lead_times import calibrate_supplier, suppliers_to_calibrate

    suppliers = await context.run(suppliers_to_calibrate)
    changed = 0
    for supplier_id in suppliers:
        changed += await context.run(lambda uow, id=supplier_id: calibrate_supplier(uow, id))
    return {"suppliers": len(suppliers), "changed": changed}
