"""Once a day, let lead times follow what suppliers really take."""

from __future__ import annotations

from functools import partial
from typing import Any

from workers.job import JobContext, job

CHUNK = 20
"""Suppliers per transaction."""


@job(queue="bulk", timeout=600)
async def calibrate_lead_times(context: JobContext, _: dict[str, Any]) -> dict[str, Any]:
    """Chunk by chunk, each whole: a run that dies is taken up by the next one."""
    from core.services.calibrate_lead_times import MOST_OFFERS, calibrate_suppliers, suppliers_to_calibrate

    suppliers = await context.run(suppliers_to_calibrate)
    changed = 0
    for start in range(0, len(suppliers), CHUNK):
        chunk = partial(calibrate_suppliers, supplier_ids=suppliers[start : start + CHUNK])
        due = MOST_OFFERS
        while due == MOST_OFFERS:
            due = await context.run(chunk)
            changed += due
    return {"suppliers": len(suppliers), "changed": changed}
