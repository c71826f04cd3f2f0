"""The life of a backorder: the answer to options, the automatic course, and why lines go short."""

from __future__ import annotations

from datetime import datetime

import strawberry
from strawberry import Info, field

from api.schema import enums
from api.schema.backorder import Backorder
from api.schema.errors import UserError
from api.schema.node import build
from api.schema.order import Order, OrderLine
from api.schema.payloads import REFUSED
from api.schema.sku import Money, Sku, Supplier


@strawberry.input(description="The choice of an option: by its id, or by the backorder and the kind.")
class BackorderOptionChooseInput:
    """Input of backorderOptionChoose."""

    id: strawberry.ID | None = field(default=None, description="ResolutionOption.id.")
    backorder_id: strawberry.ID | None = field(default=None, description="Backorder.id, together with `kind`.")
    kind: enums.ResolutionKind | None = field(default=None, description="Kind of the option, with `backorderId`.")
    expected_version: int | None = field(default=None, description="Refuse when the backorder has another version.")


@strawberry.input(description="Stop or resume the automatic course of a backorder.")
class BackorderCoursePauseInput:
    """Input of backorderCoursePause."""

    id: strawberry.ID = field(description="Id of the backorder.")
    is_paused: bool = field(default=True, description="True stops it, false lets it go on.")
    reason: str = field(default="", description="Why.")


@strawberry.input(description="One step of the course to take now.")
class BackorderCourseRunInput:
    """Input of backorderCourseRun."""

    id: strawberry.ID = field(description="Id of the backorder.")
    step: enums.CourseStep = field(description="Which step; its conditions are not asked.")


@strawberry.input(description="Units of a transfer that will never arrive.")
class StockTransferLoseInput:
    """Input of stockTransferLose."""

    id: strawberry.ID = field(description="Which transfer; Transfer.id.")
    quantity: int = field(description="Units lost, above 0.")
    serials: list[str] | None = field(
        default=None, description="Serial numbers of the lost units, one per unit, where the SKU tracks them."
    )


@strawberry.type(description="Answer of backorderOptionChoose.")
class BackorderOptionPayload:
    """What was carried out."""

    backorder: Backorder | None = field(description="The backorder.", default=None)
    order: Order | None = field(description="Its order.", default=None)
    substitute_line: OrderLine | None = field(description="The line that was added for a substitute.", default=None)
    user_errors: list[UserError] = field(description=REFUSED)


@strawberry.type(description="Where a SKU goes short for the same cause again and again.")
class RecurringCause:
    """One SKU and its preferred supplier."""

    sku_id: strawberry.Private[int]
    supplier_id: strawberry.Private[int | None]
    backorders: int = field(description="Backorders opened in the period.")
    units: int = field(description="Units that were short.")
    days_lost: int = field(description="Whole days these backorders were open, summed.")
    unit_days: int = field(description="Days times units, summed.")

    @field(description="What went short.")
    async def sku(self, info: Info) -> Sku:
        return build("Sku", await info.context.loaders.sku_by_id.load(self.sku_id))

    @field(description="Who is preferred to supply it; null when nobody does.")
    async def supplier(self, info: Info) -> Supplier | None:
        if self.supplier_id is None:
            return None
        return build("Supplier", await info.context.loaders.supplier_by_id.load(self.supplier_id))


@strawberry.type(description="What one cause has cost in a period.")
class CauseFigures:
    """One cause."""

    cause: enums.BackorderCause = field(description="The cause, as it is judged now.")
    backorders: int = field(description="Backorders opened in the period.")
    lines: int = field(description="Order lines concerned.")
    units: int = field(description="Units that were short, each backorder at its largest.")
    days_lost: int = field(description="Whole days these backorders were open, summed.")
    unit_days: int = field(description="Days times units, summed; the causes are ranked by it.")
    at_stake: list[Money] = field(description="Units at their unit price, by currency.")
    recurring: list[RecurringCause] = field(description="SKUs that went short for it more than once, worst first.")


@strawberry.type(description="Why lines went short in a period, the costliest cause first.")
class BackorderCauses:
    """The report."""

    opened_from: datetime = field(description="Backorders opened at or after.")
    opened_before: datetime = field(description="And before.")
    as_of: datetime = field(description="Days of open backorders are counted up to here.")
    causes: list[CauseFigures] = field(description="By unit days, then units.")
