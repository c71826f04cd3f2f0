"""Questions of planners that change nothing."""

from __future__ import annotations

from typing import Annotated

from strawberry import Info, argument

from api.context import Context
from api.pagination import MAX_PAGE, BadUserInput
from api.schema.impact import AffectedLine, SupplyImpact, SupplyImpactInput
from core.errors import NotFound
from core.services.judge_supply_impact import SupplyImpactQuestion, judge_supply_impact
from core.unit_of_work import UnitOfWork


async def supply_impact(
    info: Info,
    input: Annotated[SupplyImpactInput, argument(description="Which supplies, and what would become of them.")],
    limit: Annotated[int, argument(description="How many lines to list, 1 to 100, those hit hardest first.")] = 50,
) -> SupplyImpact | None:
    """Null when nothing of it is still to come."""
    context: Context = info.context
    if not 1 <= limit <= MAX_PAGE:
        raise BadUserInput(f"`limit` is between 1 and {MAX_PAGE}, not {limit}.")
    question = SupplyImpactQuestion(
        purchase_order=input.purchase_order,
        line_number=input.line_number,
        ship_notice=input.ship_notice,
        supplier=input.supplier,
        days_later=input.days_later,
        lost=input.lost,
    )
    async with context.read_snapshot() as sql:
        now = await context.clock.now(sql)
        uow = UnitOfWork(sql=sql, now=now, principal=context.principal, request_id=context.request_id)
        try:
            found = await judge_supply_impact(uow, question)
        except NotFound:
            return None
    return SupplyImpact(
        total_lines=len(found),
        orders=len({line.order_id for line in found}),
        customers=len({line.customer_id for line in found if line.customer_id is not None}),
        units=sum(line.quantity for line in found),
        later_lines=sum(line.days_later > 0 for line in found),
        newly_backordered=sum(max(0, line.would_be_backordered - line.backordered) for line in found),
        lines=[
            AffectedLine(
                sku_id=line.sku_id,
                line_id=line.line_id,
                quantity=line.quantity,
                promised=line.promised,
                would_be_promised=line.would_be_promised,
                days_later=line.days_later,
                backordered=line.backordered,
                would_be_backordered=line.would_be_backordered,
            )
            for line in found[:limit]
        ],
    )
