"""What hangs on a supply, and what would happen to promises if it came later or not at all."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry import Info, field

from api.schema.node import build

if TYPE_CHECKING:
    from api.schema.order import OrderLine


@strawberry.input(description="Which supplies, and what would become of them. Name a purchase order or a ship notice.")
class SupplyImpactInput:
    """Input of supplyImpact."""

    purchase_order: str | None = field(default=None, description="Number of a purchase order.")
    line_number: int | None = field(default=None, description="Only this line of the purchase order.")
    ship_notice: str | None = field(default=None, description="Number of a ship notice.")
    supplier: str | None = field(default=None, description="Whose ship notice, by code, where two use one number.")
    days_later: int = field(default=0, description="If it came so many calendar days later; 0 asks who depends on it.")
    lost: bool = field(default=False, description="If it never came.")


@strawberry.type(
    description="An order line that hangs on the supplies that were asked about, or gives way to one that does."
)
class AffectedLine:
    """One line."""

    sku_id: strawberry.Private[int]
    line_id: strawberry.Private[int]
    quantity: int = field(description="Units that it expects from these supplies.")
    promised: date | None = field(description="The day the customer was told.")
    would_be_promised: date | None = field(description="The day the customer would be told then.")
    days_later: int = field(description="Calendar days between the two; negative is earlier.")
    backordered: int = field(description="Units that are backordered now.")
    would_be_backordered: int = field(description="Units that would be backordered then.")

    @field(description="The line.")
    async def order_line(self, info: Info) -> Annotated[OrderLine, strawberry.lazy("api.schema.order")]:
        return build("OrderLine", await info.context.loaders.line_by_key.load((self.sku_id, self.line_id)))


@strawberry.type(description="Whom supplies serve, and whom a delay or loss would hit. Nothing is changed by asking.")
class SupplyImpact:
    """The answer of supplyImpact."""

    total_lines: int = field(description="Order lines that hang on the supplies.")
    orders: int = field(description="Orders they belong to.")
    customers: int = field(description="Known customers they belong to.")
    units: int = field(description="Units they expect from these supplies.")
    later_lines: int = field(description="Lines whose promised day would move back.")
    newly_backordered: int = field(description="Units that would become backordered.")
    lines: list[AffectedLine] = field(description="The lines, those hit hardest first, as many as were asked for.")
