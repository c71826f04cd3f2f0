"""Do not wait for tomorrow's forecast where today's demand has overtaken the last one."""

from __future__ import annotations

from core.events import JobRequest
from core.ports import Transaction
from core.queries.demand_surprises import surprised_places


async def watch_demand(uow: Transaction) -> int:
    """Ask once for a new forecast of everything when some place sold more than the newest forecast gave it at most;
    returns how many places did."""
    places = await surprised_places(uow.sql)
    if places:
        uow.enqueue(JobRequest("forecast_demand", "surprise", queue="learning"))
    return places
