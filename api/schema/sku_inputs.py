"""What planners say of SKUs: a new one, and what is different of one that is there."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import strawberry
from strawberry import field

from api.schema import enums
from api.schema.errors import UserError
from api.schema.sku import Sku


@strawberry.input(description="A name in one language.")
class SkuNameInput:
    """One name."""

    language: str = field(description="Two letters (ISO 639-1), small.")
    text: str = field(description="1 to 200 characters.")


@strawberry.input(description="What is known of a SKU; what is null stays as it is, or begins as 0 or false.")
class SkuFieldsInput:
    """Figures of a SKU."""

    names: list[SkuNameInput] | None = field(
        default=None, description="Names; a language that is not among them keeps its own."
    )
    low_stock_at: int | None = field(
        default=None, description="At or below this many units that can be sold now it is LOW_STOCK."
    )
    reorder_point: int | None = field(default=None, description="At or below this position it is bought; base units.")
    reorder_quantity: int | None = field(default=None, description="What is bought then at least; base units.")
    weight_g: int | None = field(default=None, description="Grams of one base unit.")
    unit_cost: int | None = field(default=None, description="Cost of one base unit, minor units of its currency.")
    unit_price: int | None = field(default=None, description="Price of one base unit, minor units of its currency.")
    min_life_days: int | None = field(default=None, description="Days of life its lots must have left at delivery.")
    tracks_lots: bool | None = field(default=None, description="Count its units by lot; only before any has moved.")
    tracks_expiry: bool | None = field(default=None, description="Its lots expire; only together with lots.")
    tracks_serials: bool | None = field(
        default=None, description="Every unit has a serial number; only before any has moved."
    )
    gtin: str | None = field(
        default=None,
        description="Its GTIN (8, 12, 13 or 14 digits), by which partners name it; no other SKU has it. Kept without needless"
        " leading zeros; '' takes it away.",
    )


@strawberry.input(description="A SKU for the catalogue.")
class SkuCreateInput:
    """Input of skuCreate."""

    code: str = field(description="Unique code: 1 to 64 letters, digits and . _ / -")
    currency: str = field(description="ISO 4217 code of its cost and price.")
    unit: str = field(default="EA", description="Base unit that all quantities are counted in.")
    available_from: date | None = field(
        default=None, description="Release day, when it is a pre-order at first; null: it is on sale at once."
    )
    fields: SkuFieldsInput = field(description="Its names (at least one) and figures.")


@strawberry.input(description="What is to be different of a SKU.")
class SkuChangeInput:
    """Input of skuChange."""

    sku: str = field(description="Code of the SKU.")
    status: enums.SkuStatus | None = field(
        default=None, description="May it be sold; PREORDER needs a release day, ACTIVE puts a pre-order on sale."
    )
    available_from: date | None = field(
        default=None, description="Another release day: what waits is promised anew, and told with the reason."
    )
    fields: SkuFieldsInput | None = field(default=None, description="Names and figures.")


@strawberry.type(description="Answer of skuCreate and skuChange.")
class SkuPayload:
    """The SKU after it."""

    sku: Annotated[Sku, strawberry.lazy("api.schema.sku")] | None = field(description="The SKU.", default=None)
    user_errors: list[UserError] = field(description="Why nothing was done; empty when it was.")
