"""Look every minute whether suppliers owe an answer or a ship notice."""

from __future__ import annotations

from typing import Any

from workers.job import JobContext, job


@job(queue="fast", timeout=60)
async def run_supplier_deadlines(context: JobContext, _: dict[str, Any]) -> dict[str, Any]:
    """One transaction; repeating it changes nothing."""
    from core.services.run_supplier_deadlines import run_supplier_deadlines as run

    return await context.run(run)
