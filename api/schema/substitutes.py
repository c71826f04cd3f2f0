"""What may replace a SKU, as planners set it."""

from __future__ import annotations

import strawberry
from strawberry import Info, field

from api.schema.errors import UserError
from api.schema.node import build, register
from api.schema.sku import Sku


@register
@strawberry.type(description="A SKU that may replace another one.")
class Substitute:
    """One row of substitute."""

    substitute_sku_id: strawberry.Private[int]
    ratio: int = field(description="Units of it for one of the other.")
    rank: int = field(description="1 is tried first.")
    needs_consent: bool = field(description="Is the customer asked before.")

    @field(description="What replaces.")
    async def sku(self, info: Info) -> Sku:
        return build("Sku", await info.context.loaders.sku_by_id.load(self.substitute_sku_id))


@strawberry.input(description="What may replace a SKU; what is null stays as it is.")
class SubstituteSetInput:
    """Input of substituteSet."""

    sku: str = field(description="Code of the SKU that may be replaced.")
    substitute: str = field(description="Code of the SKU that replaces it.")
    ratio: int | None = field(default=None, description="Units of it for one of the other; 1 of a new one.")
    rank: int | None = field(default=None, description="1 is tried first; 1 of a new one.")
    needs_consent: bool | None = field(
        default=None,
        description="Is the customer asked before; true of a new one. False: the course of a backorder takes it.",
    )


@strawberry.input(description="What may no longer replace a SKU.")
class SubstituteRemoveInput:
    """Input of substituteRemove."""

    sku: str = field(description="Code of the SKU that may be replaced.")
    substitute: str = field(description="Code of the SKU that replaced it.")


@strawberry.type(description="Answer of substituteSet and substituteRemove.")
class SubstitutePayload:
    """The SKU after it."""

    sku: Sku | None = field(description="The SKU that may be replaced.", default=None)
    user_errors: list[UserError] = field(description="What was refused and why; empty when all was done.")
