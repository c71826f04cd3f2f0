"""A small company on a real database: two shipping locations, a reserve warehouse, three SKUs, a supplier."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, TypeVar

import pytest

from core.database import Database
from core.domain.access import SYSTEM, Principal
from core.domain.placing import LineRequest, OrderRequest, ShipTo
from core.domain.states import PurchaseOrderStatus
from core.repositories.gates import take_gates
from core.repositories.purchase_orders import find_orders, set_status
from core.services.place_orders import OrderResult, place_orders
from core.settings import Settings
from core.unit_of_work import UnitOfWork, run_unit_of_work

T = TypeVar("T")

NOW = datetime(2026, 11, 2, 3, 0, tzinfo=UTC)
"""A Monday noon in Seoul."""
TODAY = date(2026, 11, 2)


class FixedClock:
    """A clock that stands where the test puts it."""

    def __init__(self, at: datetime = NOW) -> None:
        self.at = at

    async def now(self, sql: Any) -> datetime:
        return self.at


MASTER_DATA = """
insert into calendar (code, name, working_days) values ('DAILY', 'every day', '{1,2,3,4,5,6,7}');
insert into location (code, name, kind, time_zone, calendar_id, cutoff_time)
    select v.code, v.code, v.kind, 'Asia/Seoul', c.id, '18:00'
    from calendar c, (values (1, 'A', 'dc'), (2, 'B', 'dc'), (3, 'R', 'warehouse'), (4, 'KR', 'destination'))
        as v(n, code, kind) order by v.n;
insert into lane (from_location_id, to_location_id, transit_days, calendar_id)
    select f.id, t.id, v.days, c.id from calendar c, (values ('A', 'KR', 1), ('B', 'KR', 2), ('R', 'A', 2), ('A', 'B', 1))
        as v(f, t, days) join location f on f.code = v.f join location t on t.code = v.t;
insert into delivery_zone (country, postal_prefix, location_id) select 'KR', '', id from location where code = 'KR';
insert into channel (code, name) values ('web', 'Web shop');
insert into customer (code, tier, language) values ('C1', 'STANDARD', 'en'), ('C2', 'STANDARD', 'ko'), ('V1', 'VIP', 'ko');
insert into sku (code, name, unit_cost, unit_price, currency)
    select v, jsonb_build_object('en', v, 'ko', v), 1000, 2000, 'KRW' from unnest(array['S', 'S2', 'S3']) v;
insert into supplier (code, name, time_zone) values ('SUP', 'Supplier', 'Asia/Seoul'), ('SUP2', 'Other supplier', 'UTC');
insert into supplier_sku (supplier_id, sku_id, vendor_code, price, currency, lead_time_days, lead_time_p80, is_preferred)
    select p.id, k.id, 'V-' || k.code, 700, 'KRW', 10, 14, true from supplier p, sku k where p.code = 'SUP';
"""


@dataclass
class World:
    """Handles to the small company; every helper is a transaction of its own."""

    database: Database
    clock: FixedClock
    principal: Principal = SYSTEM

    async def do(self, use_case: Callable[[UnitOfWork], Awaitable[T]]) -> T:
        """Run a use case as the product does: one unit of work, retried on expected errors."""
        return await run_unit_of_work(self.database, use_case, clock=self.clock, principal=self.principal)

    async def rows(self, sql: str, *arguments: Any) -> list[dict[str, Any]]:
        return [dict(row) for row in await self.database.system.fetch(sql, *arguments)]

    async def value(self, sql: str, *arguments: Any) -> Any:
        return await self.database.system.fetchval(sql, *arguments)

    async def sku(self, code: str = "S") -> int:
        return await self.value("select id from sku where code = $1", code)

    async def location(self, code: str = "A") -> int:
        return await self.value("select id from location where code = $1", code)

    async def stock(self, quantity: int, sku: str = "S", location: str = "A") -> None:
        """Opening stock, written under the gate as movement and counter."""
        sku_id, location_id = await self.sku(sku), await self.location(location)

        async def write(uow: UnitOfWork) -> None:
            version = (await take_gates(uow, [sku_id]))[sku_id]
            await uow.sql.execute(
                """insert into stock_level (sku_id, location_id, on_hand) values ($1, $2, $3)
                on conflict (sku_id, location_id) do update set on_hand = stock_level.on_hand + $3""",
                sku_id,
                location_id,
                quantity,
            )
            await uow.sql.execute(
                """insert into stock_movement (sku_id, location_id, kind, on_hand_delta, cause_kind, actor, occurred_at,
                    gate_version) values ($1, $2, 'adjusted', $3, 'opening', 'test', $4, $5)""",
                sku_id,
                location_id,
                quantity,
                uow.now,
                version,
            )

        await self.do(write)

    async def supply(self, quantity: int, usable: date, sku: str = "S", location: str = "A") -> int:
        """A dated inbound quantity of no purchase order (kind production); returns its id."""
        sku_id, location_id = await self.sku(sku), await self.location(location)

        async def write(uow: UnitOfWork) -> int:
            await take_gates(uow, [sku_id])
            return await uow.sql.fetchval(
                """insert into supply (sku_id, location_id, kind, quantity, paper_date, usable_date, date_basis)
                values ($1, $2, 'production', $3, $4, $4, 'CONFIRMED_ORDER') returning id""",
                sku_id,
                location_id,
                quantity,
                usable,
            )

        return await self.do(write)

    async def send_purchases(self) -> None:
        """Every purchase order that waits for it is sent to its supplier."""
        waiting = "select number from purchase_order where status in ('DRAFT', 'AWAITING_APPROVAL', 'APPROVED')"

        async def send(uow: UnitOfWork) -> None:
            for head in (await find_orders(uow, [row["number"] for row in await uow.sql.fetch(waiting)])).values():
                await set_status(uow, head, PurchaseOrderStatus.SENT)

        await self.do(send)

    def order(self, *lines: tuple[str, int] | LineRequest, customer: str | None = "C1", **more: Any) -> OrderRequest:
        wanted = [line if isinstance(line, LineRequest) else LineRequest(*line) for line in lines]
        to = more.pop("ship_to", ShipTo("KR", "04524"))
        return OrderRequest("web", wanted, to, customer_code=customer, **more)

    async def place(self, *orders: OrderRequest) -> list[OrderResult]:
        return await self.do(lambda uow: place_orders(uow, orders))

    async def line(self, number: str | None, line_number: int = 1) -> dict[str, Any]:
        return (
            await self.rows(
                """select l.* from order_line l join sales_order o on o.id = l.order_id
                where o.number = $1 and l.line_number = $2""",
                number,
                line_number,
            )
        )[0]

    async def quantities(self, number: str | None, line_number: int = 1) -> tuple[int, int, int, int, int]:
        """(open, allocated, backordered, shipped, cancelled)."""
        line = await self.line(number, line_number)
        return (line["open"], line["allocated"], line["backordered"], line["shipped"], line["cancelled"])


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    async with Database(Settings(database_url=database_url, env="test", pool_size=8)) as database:
        await database.system.execute(MASTER_DATA)
        yield World(database, FixedClock())
