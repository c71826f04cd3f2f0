"""What bounds the promises of a SKU, as planners set it."""

from __future__ import annotations

from datetime import date

import strawberry
from strawberry import field

from api.schema import enums
from api.schema.errors import UserError
from api.schema.sku import Sku


@strawberry.input(description="How much of a SKU may be promised; what is not named shares it.")
class QuotaSetInput:
    """Input of quotaSet."""

    sku: str = field(description="Code of the SKU.")
    period: enums.QuotaPeriod = field(description="Every ISO week, or one window of days.")
    quantity: int | None = field(default=None, description="Base units; null ends the quota of these names.")
    from_day: date = field(description="From this day on.")
    until_day: date | None = field(default=None, description="Its last day; a window needs one, null: no end.")
    channel: str | None = field(default=None, description="Only what this channel sells.")
    customer: str | None = field(default=None, description="Only what this customer buys, by code.")
    tier: str | None = field(default=None, description="Only what customers of this tier buy.")


@strawberry.input(description="From this day on so many units are kept back.")
class ProtectedStockStepInput:
    """One step."""

    from_day: date = field(description="First day of the step.")
    quantity: int = field(description="Base units; 0 frees all.")


@strawberry.input(description="Stock that is kept back at a location from channels of a demand class.")
class ProtectedStockSetInput:
    """Input of protectedStockSet."""

    sku: str = field(description="Code of the SKU.")
    location: str = field(description="Code of the location.")
    demand_class: str = field(
        default="", description="Class of the channels; empty: of all that have no steps of their own here."
    )
    steps: list[ProtectedStockStepInput] = field(description="All steps; they replace what was there.")


@strawberry.input(description="When the first units of a SKU leave.")
class SkuReleaseSetInput:
    """Input of skuReleaseSet."""

    sku: str = field(description="Code of the SKU.")
    available_from: date | None = field(
        default=None, description="Release day: until then it is a pre-order; null puts it on sale at once."
    )


@strawberry.type(description="A bound on what may be promised of a SKU; what is null holds for all of them together.")
class Quota:
    """One row of quotas."""

    sku: str = field(description="Code of the SKU.")
    channel: str | None = field(description="Only what this channel sells.")
    customer: str | None = field(description="Only what this customer buys, by code.")
    tier: str | None = field(description="Only what customers of this tier buy.")
    period: enums.QuotaPeriod = field(description="Every ISO week, or one window of days.")
    from_day: date = field(description="From this day on.")
    until_day: date | None = field(description="Its last day; null: no end. One that was ended has a day in the past.")
    quantity: int = field(description="Base units per period.")


@strawberry.type(description="A step of the stock that is kept back at a location; it holds until the next step.")
class ProtectedStockStep:
    """One row of protectedStock."""

    sku: str = field(description="Code of the SKU.")
    location: str = field(description="Code of the location.")
    demand_class: str = field(description="Class of the channels; empty: of all that have no steps of their own there.")
    from_day: date = field(description="First day of the step.")
    quantity: int = field(description="Base units that are kept back.")


@strawberry.type(description="Answer of quotaSet, protectedStockSet and skuReleaseSet.")
class SellingRulesPayload:
    """The SKU after it."""

    sku: Sku | None = field(description="The SKU.", default=None)
    user_errors: list[UserError] = field(description="What was refused and why; empty when all was done.")
