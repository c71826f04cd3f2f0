"""The catalogue and the network: SKUs, locations, customers, suppliers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import strawberry
from strawberry import Info, argument, field

from api.schema import enums
from api.schema.node import Node, build, build_all, register
from api.schema.supplier_record import forecast_of, scorecard_of, scorecards_by_sku
from core.domain.access import Role

if TYPE_CHECKING:
    from api.schema.customers import CustomerPerson
    from api.schema.foresight import BackorderRisk
    from api.schema.lots import KitComponent, Lot
    from api.schema.substitutes import Substitute
    from api.schema.suppliers import ExpectedPurchase, SupplierOffer, SupplierScorecard, SupplierStockHint

SEES_RISKS = frozenset({Role.PLANNER, Role.ADMIN, Role.AUDITOR})
SEES_PERSONS = frozenset({Role.CUSTOMER, Role.PLANNER, Role.ADMIN})
SEES_LOTS = frozenset({Role.WAREHOUSE, Role.PLANNER, Role.ADMIN, Role.AUDITOR})


@strawberry.type(description="An amount of money in integer minor units.")
class Money:
    """Never a float."""

    amount_minor: int = field(description="Amount in minor units of the currency (cents).")
    currency: str = field(description="ISO 4217 code.")


@register
@strawberry.type(description="A thing that is stocked and sold.")
class Sku(Node):
    """One row of the catalogue."""

    key: strawberry.Private[int]
    names: strawberry.Private[Mapping[str, str]]
    code: str = field(description="Unique code.")
    unit: str = field(description="Base unit that all quantities are counted in.")
    status: enums.SkuStatus = field(description="May it be sold, and how.")
    low_stock_at: int = field(description="At or below this many units that can be sold now it is LOW_STOCK.")
    tracks_lots: bool = field(description="Are its units counted by lot.", default=False)
    tracks_expiry: bool = field(description="Do its lots expire.", default=False)
    tracks_serials: bool = field(description="Does every unit have a serial number.", default=False)
    min_life_days: int = field(
        description="Days of life its lots must have left at delivery, unless channel or customer ask for others.",
        default=0,
    )
    available_from: date | None = field(
        description="Release day of a pre-order: nothing leaves before it; null for any other SKU.", default=None
    )
    gtin: str | None = field(description="Its GTIN, by which partners name it; null where none is known.", default=None)
    price: strawberry.Private[tuple[int, str] | None] = None
    own_reorder_point: strawberry.Private[int | None] = None
    own_reorder_quantity: strawberry.Private[int | None] = None

    @field(
        description="At or below this position it is bought, base units; null for callers who do not work with stock."
    )
    def reorder_point(self, info: Info) -> int | None:
        return self.own_reorder_point if info.context.principal.role in SEES_LOTS else None

    @field(description="What is bought then at least, base units; null for callers who do not work with stock.")
    def reorder_quantity(self, info: Info) -> int | None:
        return self.own_reorder_quantity if info.context.principal.role in SEES_LOTS else None

    @field(description="What may replace it, best first.")
    async def substitutes(self, info: Info) -> list[Annotated[Substitute, strawberry.lazy("api.schema.substitutes")]]:
        return build_all("Substitute", await info.context.loaders.substitutes_by_sku_id.load(self.key))

    @field(description="Its lots with units, first expired first; empty for callers who do not work with stock.")
    async def lots(self, info: Info) -> list[Annotated[Lot, strawberry.lazy("api.schema.lots")]]:
        if info.context.principal.role not in SEES_LOTS:
            return []
        return build_all("Lot", await info.context.loaders.lots_by_sku_id.load(self.key))

    @field(description="The risk of its riskiest location; null before it is scored, and for callers who do not plan.")
    async def risk(self, info: Info) -> Annotated[BackorderRisk, strawberry.lazy("api.schema.foresight")] | None:
        if info.context.principal.role not in SEES_RISKS:
            return None
        return build("BackorderRisk", await info.context.loaders.risk_by_sku_id.load(self.key))

    @field(description="What one unit of it is made of, when it is a kit; empty otherwise.")
    async def components(self, info: Info) -> list[Annotated[KitComponent, strawberry.lazy("api.schema.lots")]]:
        return build_all("KitComponent", await info.context.loaders.components_by_kit_id.load(self.key))

    @field(description="Name in the caller's language, else in any; the code when it has none.")
    def name(self, info: Info) -> str:
        return (
            self.names.get(info.context.language) or self.names.get("en") or next(iter(self.names.values()), self.code)
        )


@register
@strawberry.type(description="A place that holds stock, a delivery zone, or a supplier's door.")
class Location(Node):
    """One row of the network."""

    key: strawberry.Private[int]
    code: str = field(description="Unique code.")
    name: str = field(description="Name.")
    kind: enums.LocationKind = field(description="What kind of place it is.")
    timezone: str = field(description="IANA zone in which its days are counted.")
    cutoff_time: str | None = field(
        description="Local time (HH:MM) from which on nothing leaves that day; null: it ships all day.", default=None
    )
    calendar: str | None = field(description="Code of its calendar; null: it works every day.", default=None)
    is_active: bool = field(description="False: nothing new is sold, sent or bought from here.", default=True)


@register
@strawberry.type(description="Who orders.")
class Customer(Node):
    """A customer without personal data, which is kept apart."""

    key: strawberry.Private[int]
    code: str = field(description="Unique code.")
    tier: str = field(description="Service tier.")
    language: str = field(description="Language that notices are written in.")

    @field(
        description="Who it is; null when nothing is known or it was erased, and for callers whose work does not need it."
    )
    async def person(self, info: Info) -> Annotated[CustomerPerson, strawberry.lazy("api.schema.customers")] | None:
        if info.context.principal.role not in SEES_PERSONS:
            return None
        return build("CustomerPerson", await info.context.loaders.person_by_customer_id.load(self.key))


@register
@strawberry.type(description="Who delivers.")
class Supplier(Node):
    """One supplier."""

    key: strawberry.Private[int]
    code: str = field(description="Unique code.")
    name: str = field(description="Name.")
    timezone: str = field(description="IANA zone in which its days are counted.")
    location_id: strawberry.Private[int | None] = None

    @field(description="Where its goods leave from; null: not known.")
    async def location(self, info: Info) -> Location | None:
        if self.location_id is None:
            return None
        return build("Location", await info.context.loaders.location_by_id.load(self.location_id))

    @field(description="Its record over the days up to and with `asOf`, restated from all facts known now.")
    async def scorecard(
        self,
        info: Info,
        window_days: Annotated[int, argument(description="Length of the window, 1 to 1,000 days.")] = 90,
        as_of: Annotated[date | None, argument(description="Last day of the window; null for today.")] = None,
        sku: Annotated[str | None, argument(description="Only the SKU with this code.")] = None,
    ) -> Annotated[SupplierScorecard, strawberry.lazy("api.schema.suppliers")]:
        return build("SupplierScorecard", await scorecard_of(info.context, self.key, window_days, as_of, sku))

    @field(description="Its record by SKU, those with most lines first, at most 100.")
    async def scorecards_by_sku(
        self,
        info: Info,
        window_days: Annotated[int, argument(description="Length of the window, 1 to 1,000 days.")] = 90,
        as_of: Annotated[date | None, argument(description="Last day of the window; null for today.")] = None,
    ) -> list[Annotated[SupplierScorecard, strawberry.lazy("api.schema.suppliers")]]:
        cards = await scorecards_by_sku(info.context, self.key, window_days, as_of)
        return build_all("SupplierScorecard", cards)

    @field(description="What it offers, with what dates of new orders rest on; at most 500 SKUs.")
    async def offers(self, info: Info) -> list[Annotated[SupplierOffer, strawberry.lazy("api.schema.suppliers")]]:
        return build_all("SupplierOffer", await info.context.loaders.offers_by_supplier_id.load(self.key))

    @field(description="Its newest hints on stock and capacity; at most 500 SKUs.")
    async def stock_hints(
        self, info: Info
    ) -> list[Annotated[SupplierStockHint, strawberry.lazy("api.schema.suppliers")]]:
        return build_all("SupplierStockHint", await info.context.loaders.hints_by_supplier_id.load(self.key))

    @field(description="What we expect to buy from it; at most 500 SKUs.")
    async def expected_purchases(
        self, info: Info, weeks: Annotated[int, argument(description="How many weeks ahead, 1 to 26.")] = 8
    ) -> list[Annotated[ExpectedPurchase, strawberry.lazy("api.schema.suppliers")]]:
        return build_all("ExpectedPurchase", await forecast_of(info.context, self.key, weeks))


@strawberry.type(description="Who is calling.")
class Viewer:
    """The principal of the request."""

    id: strawberry.ID = field(description="Id of the credential's owner.")
    role: enums.Role = field(description="What the caller may do.")
    customer: Customer | None = field(description="The customer that the caller acts for.")
    supplier: Supplier | None = field(description="The supplier that the caller acts for.")
    language: str = field(description="Language of messages, from Accept-Language.")


@strawberry.input(description="Which SKUs.")
class SkuFilter:
    """All given conditions must hold."""

    codes: list[str] | None = field(default=None, description="One of these codes.")
    code_starts_with: str | None = field(default=None, description="The code starts so.")
    status: list[enums.SkuStatus] | None = field(default=None, description="One of these states.")


@strawberry.input(description="Which suppliers.")
class SupplierFilter:
    """All given conditions must hold."""

    codes: list[str] | None = field(default=None, description="One of these codes.")
    sku: str | None = field(default=None, description="Those that offer the SKU with this code.")


def as_filter(given: Any) -> dict[str, Any]:
    """The conditions of a filter input that were given, by field name, enums as their stored words."""
    if given is None:
        return {}
    found = {name: getattr(given, name) for name in given.__dataclass_fields__}
    return {name: _plain(value) for name, value in found.items() if value is not None}


def _plain(value: Any) -> Any:
    return (
        [getattr(item, "value", item) for item in value] if isinstance(value, list) else getattr(value, "value", value)
    )
