"""The real schema on a real database with the demo company, for callers of every role."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from api.context import Context
from api.loaders import Loaders
from api.operations import schema
from core.database import Database
from core.domain.access import Principal, Role
from core.settings import Settings
from migrations.demo_data import seed

NOW = datetime(2026, 11, 18, 1, 0, tzinfo=UTC)
"""A Wednesday, 10:00 in Seoul."""


class FixedClock:
    """Stands still until told otherwise."""

    def __init__(self) -> None:
        self.at = NOW

    async def now(self, sql: Any) -> datetime:
        return self.at


class Shop:
    """Runs documents against the schema."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self.database = database
        self.settings = settings
        self.clock = FixedClock()
        self.keys = 0

    def context(self, role: Role, language: str = "en", **bound: Any) -> Context:
        caller = Principal(id=f"{role}-{bound}", role=role, **bound)
        return Context(self.database, self.settings, caller, self.clock, language=language, make_loaders=Loaders)

    async def id_of(self, table: str, code: str) -> int:
        return await self.database.system.fetchval(f"select id from {table} where code = $1", code)

    async def customer(self, code: str) -> Context:
        return self.context(Role.CUSTOMER, customer_id=await self.id_of("customer", code))

    async def supplier(self, code: str) -> Context:
        return self.context(Role.SUPPLIER, supplier_id=await self.id_of("supplier", code))

    async def ask(self, context: Context, document: str, **variables: Any) -> dict[str, Any]:
        """Data of an answer without errors."""
        result = await schema.execute(document, variable_values=variables, context_value=context)
        assert result.errors is None, result.errors
        assert result.data is not None
        return result.data

    async def errors(self, context: Context, document: str, **variables: Any) -> list[Any]:
        """Errors of an answer as (code, path)."""
        result = await schema.execute(document, variable_values=variables, context_value=context)
        return [
            ((e.extensions or {}).get("code") or type(e.original_error).__name__, e.path) for e in result.errors or []
        ]

    async def change(self, context: Context, name: str, input: dict[str, Any], want: str, key: str = "") -> Any:
        """Run one mutation under a new key (or `key`); its payload."""
        self.keys += 1
        type_ = {"place": "OrderPlaceInput", "repromisingRunStart": "RepromisingRunInput"}.get(
            name, f"{name[0].upper()}{name[1:]}Input"
        )
        document = f"""mutation ($input: {type_}!, $key: String!) {{
            {name}(input: $input, idempotencyKey: $key) {{
                {want} userErrors {{ __typename code message path }} }} }}"""
        data = await self.ask(context, document, input=input, key=key or f"key-{self.keys}")
        return data[name]

    async def place(self, customer: str, *lines: tuple[str, int], country: str = "KR", **more: Any) -> Any:
        """Place an order as the storefront; the payload."""
        return await self.change(
            self.context(Role.STOREFRONT),
            "orderPlace",
            {
                "channel": "web",
                "customer": {"code": customer},
                "shipTo": {"country": country, "postalCode": "04524", "name": "A", "line1": "B", "city": "C"},
                "lines": [{"sku": sku, "quantity": quantity} for sku, quantity in lines],
                **more,
            },
            ORDER,
        )


ORDER = """order { id number status hasBackorder onHold version lines { id lineNumber status ordered open allocated
    backordered shipped cancelled promise { quantity complete binding { kind date quantity events { kind date quantity
        orderNumber lineNumber supply { kind } } }
        slices { quantity location { code } source { kind } shipDate { promised basis timezone } deliveryDate { promised } }
        deliveryDate { expected timezone } }
    promiseHistory { promised basis reason previous }
    pegs { quantity firmness supply { kind location { code } } expected { expected basis } }
    backorder { id quantity state cause } } } backorders { id quantity state }"""


@asynccontextmanager
async def open_shop(database_url: str) -> AsyncIterator[Shop]:
    """A migrated database with the demo company as of NOW, and its pools."""
    settings = Settings(env="test", database_url=database_url, pool_size=4)
    await seed(database_url, NOW)
    async with Database(settings) as database:
        yield Shop(database, settings)
