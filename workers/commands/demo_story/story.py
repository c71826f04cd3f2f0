"""The stage that all acts share: the running stack, its callers, the supplier's desk, the portal, and what is known so far."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import httpx2

from core.database import Database
from core.domain.access import Role
from core.edi.documents import PurchaseOrderDocument
from core.settings import Settings
from workers.commands.demo_story import figures
from workers.commands.demo_story.chronicle import Chronicle, StepFailed
from workers.commands.demo_story.client import ApiClient, until
from workers.commands.demo_story.days import Days
from workers.commands.demo_story.edi_desk import EdiDesk
from workers.commands.demo_story.portal import Portal
from workers.commands.stack import Stack

ORDER = """query($number: String!) { order(number: $number) {
  number status hasBackorder onHold version
  lines { id lineNumber status ordered open allocated backordered shipped cancelled
    promise { complete shipDate { expected } deliveryDate { expected }
      slices { quantity source { kind } location { code } shipDate { expected } deliveryDate { expected } } }
    promiseHistory { promised previous reason basis }
    pegs { quantity firmness expected { expected basis } supply { kind location { code }
      purchaseOrderLine { purchaseOrder { number } lineNumber } transfer { id quantity state } } }
    backorder { id quantity state cause expected { expected } evidence { name value } } }
  shipments { number status location { code } lines { quantity } } } }"""

PURCHASE_ORDERS = """query($sku: String!) { purchaseOrders(first: 50, filter: {sku: $sku}) { nodes {
  number status requestedDate supplier { code } location { code }
  lines { lineNumber sku { code } ordered confirmed backordered rejected held inTransit received cancelled unanswered
    ordersWaiting schedules { quantity received pegged paperDate usableDate basis } } } } }"""

BACKORDER = """query($id: ID!) { node(id: $id) { ... on Backorder { state quantity cause closedAt
  expected { expected } timeline(first: 100) { nodes { kind state quantity expected previousExpected reason } } } } }"""


@dataclass(slots=True)
class Story:
    """Everything an act needs. `orders` are the order numbers by role in the story."""

    stack: Stack
    http: httpx2.AsyncClient
    database: Database
    settings: Settings
    days: Days
    chronicle: Chronicle
    shop: ApiClient
    planner: ApiClient
    warehouse: ApiClient
    admin: ApiClient
    desk: EdiDesk
    portal: Portal
    orders: dict[str, str] = field(default_factory=dict)
    backorders: dict[str, str] = field(default_factory=dict)
    purchase: PurchaseOrderDocument | None = None
    promised: date | None = None
    """The day that the first promises for kettles on order name: the P80 of the lead time."""
    buying_seconds: list[float] = field(default_factory=list)
    """From the answer that left something short until the 850 lay in the supplier's folder, per purchase order."""
    facts: dict[str, Any] = field(default_factory=dict)

    def customer(self, code: str) -> ApiClient:
        return ApiClient(self.http, self.stack.url, code, self.stack.token(Role.CUSTOMER, customer=code))

    async def order(self, role: str) -> dict[str, Any]:
        """The order as the planner sees it."""
        return (await self.planner.ask(ORDER, number=self.orders[role]))["order"]

    async def line(self, role: str) -> dict[str, Any]:
        """The first line of the order."""
        return (await self.order(role))["lines"][0]

    async def backorder(self, role: str) -> dict[str, Any]:
        return (await self.planner.ask(BACKORDER, id=self.backorders[role]))["node"]

    async def purchase_orders(self, sku: str) -> list[dict[str, Any]]:
        found = (await self.planner.ask(PURCHASE_ORDERS, sku=sku))["purchaseOrders"]["nodes"]
        return sorted(found, key=lambda order: order["number"])

    async def kettle_line(self) -> dict[str, Any]:
        """The line of the purchase order that the story is about."""
        assert self.purchase is not None
        orders = {order["number"]: order for order in await self.purchase_orders(figures.KETTLE)}
        return orders[self.purchase.number]["lines"][0]

    async def place(
        self, role: str, customer: str, sku: str, quantity: int, wanted: date | None = None
    ) -> dict[str, Any]:
        """Let a customer order one line through the storefront; returns the payload and keeps the order's number."""
        line = {"sku": sku, "quantity": quantity, "requestedDate": wanted.isoformat() if wanted else None}
        payload = await self.shop.do(
            "orderPlace",
            "order { number status lines { status } } backorders { id }",
            {
                "channel": figures.CHANNEL,
                "externalNumber": f"DEMO-{len(self.orders) + 1}",
                "customer": {"code": customer},
                "shipTo": figures.SHIP_TO,
                "lines": [line],
            },
        )
        self.orders[role] = payload["order"]["number"]
        for backorder in payload["backorders"]:
            self.backorders[role] = backorder["id"]
        return payload

    async def at_rest(self, seconds: float = 20.0) -> None:
        """Wait until every fact is handed on and every job that was asked for has ended; raises StepFailed if not."""

        async def look() -> bool:
            row = await self.database.system.fetchrow(
                """select (select count(*) from outbox) as facts, (select count(*) from job_run
                    where state in ('waiting', 'queued', 'running')
                        and (run_after is null or run_after < now() + interval '1 minute')) as jobs"""
            )
            return not row["facts"] and not row["jobs"]

        if not await until(look, seconds=seconds):
            rows = await self.database.system.fetch(
                "select function, key, state, attempts, error from job_run where state not in ('done', 'cancelled')"
            )
            raise StepFailed(
                self.chronicle.steps[-1].title, "the jobs come to rest", "none left", [dict(row) for row in rows]
            )


@asynccontextmanager
async def open_story(stack: Stack, chronicle: Chronicle) -> AsyncIterator[Story]:
    """The stage on a started stack."""
    settings = stack.settings.model_copy(
        update={"database_url": stack.dsn, "redis_url": stack.redis_url, "data_dir": stack.data_dir, "pool_size": 3}
    )
    limits = httpx2.Limits(max_connections=20)
    async with httpx2.AsyncClient(timeout=15.0, limits=limits) as http, Database(settings) as database:

        def caller(role: Role) -> ApiClient:
            return ApiClient(http, stack.url, role.value, stack.token(role))

        portal = Portal(stack.ws_url, stack.token(Role.CUSTOMER, customer=figures.BUYER))
        story = Story(
            stack,
            http,
            database,
            settings,
            Days(datetime.now(UTC)),
            chronicle,
            caller(Role.STOREFRONT),
            caller(Role.PLANNER),
            caller(Role.WAREHOUSE),
            caller(Role.ADMIN),
            EdiDesk(stack.edi_dir, figures.PARTNER),
            portal,
        )
        try:
            yield story
        finally:
            await portal.close()
