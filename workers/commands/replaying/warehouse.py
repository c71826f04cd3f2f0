"""The played warehouse: takes in lorries, ships what is planned, delivers, counts, and takes goods back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any, TypeVar

from core.services.confirm_delivery import ConfirmDelivery, confirm_deliveries
from core.services.confirm_shipment import ConfirmShipment, confirm_shipments
from core.services.count_stock import CountStock, count_stock
from core.services.idempotent import run_idempotent
from core.services.receive_goods import ReceiptLine, ReceiveGoods, receive_goods
from core.services.receive_transfers import receive_transfers
from core.services.ship_transfers import ship_transfers
from core.unit_of_work import UnitOfWork
from workers.commands.replaying.company import draw
from workers.commands.replaying.supplier import CARRIER, Load, PlayedSupplier
from workers.commands.replaying.together import together

T = TypeVar("T")
Run = Callable[[Callable[[UnitOfWork], Awaitable[T]]], Awaitable[T]]

SHIPMENTS_PER_CALL = 150
DOCKS = 3
COUNTS_PER_WEEK = 4


class PlayedWarehouse:
    """`run` runs one use case in a unit of work and survives a server that dies; every step may be done twice."""

    def __init__(self, run: Callable[..., Awaitable[Any]], supplier: PlayedSupplier, seed: int) -> None:
        self.run, self.supplier, self.seed = run, supplier, seed

    async def take_in(self, today: date) -> int:
        """Book the lorries at the gate, several docks at once, by the order on their papers; returns how many."""
        loads = self.supplier.arrivals(today)
        docks = asyncio.Semaphore(DOCKS)

        async def unload(path: Path, load: Load) -> None:
            receipt = ReceiveGoods(
                reference=load.purchase_order,
                kind="PURCHASE_ORDER",
                location=load.location,
                lines=[ReceiptLine(sku, quantity, damaged=damaged) for sku, quantity, damaged in load.lines],
                receipt_number=f"GR-{load.name.removesuffix('.load')}",
            )
            async with docks:
                await self.run(lambda uow: receive_goods(uow, receipt))
            await asyncio.to_thread(path.unlink, missing_ok=True)

        await together(*(unload(path, load) for path, load in loads))
        return len(loads)

    async def move_transfers(self, today: date) -> None:
        """Send planned transfers away and take in those whose day has come."""

        async def work(uow: UnitOfWork) -> None:
            rows = await uow.sql.fetch("select id from transfer where state = 'planned' order by id")
            if rows:
                await ship_transfers(uow, [row["id"] for row in rows])

        await self.run(work)

        async def arrive(uow: UnitOfWork) -> None:
            rows = await uow.sql.fetch(
                """select t.id, t.shipped - t.received - t.lost as quantity from transfer t
                join supply s on s.sku_id = t.sku_id and s.transfer_id = t.id
                where t.state = 'in_transit' and s.usable_date <= $1 and t.shipped > t.received + t.lost order by t.id""",
                today,
            )
            if rows:
                await receive_transfers(uow, [(row["id"], row["quantity"]) for row in rows])

        await self.run(arrive)

    async def ship(self, today: date) -> int:
        """Ship every shipment that is planned for today or earlier."""
        shipped = 0
        while True:

            async def work(uow: UnitOfWork) -> int:
                rows = await uow.sql.fetch(
                    """select number from shipment where status = 'PLANNED' and planned_ship_date <= $1
                    order by id limit $2""",
                    today,
                    SHIPMENTS_PER_CALL,
                )
                done = (
                    await confirm_shipments(
                        uow, [ConfirmShipment(row["number"], CARRIER, f"P{row['number']}", uow.now) for row in rows]
                    )
                    if rows
                    else []
                )
                return len(done)

            count = await self.run(work)
            shipped += count
            if count == 0:
                return shipped

    async def deliver(self, today: date) -> int:
        """The parcel carrier hands over what has been on the road long enough; a few a day or two late."""
        delivered = 0
        while True:

            async def work(uow: UnitOfWork) -> int:
                rows = await uow.sql.fetch(
                    """select s.number from shipment s join sales_order o on o.id = s.order_id
                    left join lane l on l.from_location_id = s.location_id and l.to_location_id = o.destination_id
                    where s.status = 'SHIPPED' and (s.shipped_at at time zone 'UTC')::date
                        + coalesce(l.transit_days, 3) + (case when s.id % 17 = 0 then 2 else 0 end) <= $1
                    order by s.id limit $2""",
                    today,
                    SHIPMENTS_PER_CALL,
                )
                done = (
                    await confirm_deliveries(uow, [ConfirmDelivery(row["number"], uow.now) for row in rows])
                    if rows
                    else []
                )
                return len(done)

            count = await self.run(work)
            delivered += count
            if count == 0:
                return delivered

    async def count(self, today: date) -> None:
        """A cycle count of a few shelves each Monday; some hold less than the books say."""
        if today.weekday() != 0:
            return
        for turn in range(COUNTS_PER_WEEK):
            key = f"{today}:{turn}"

            async def work(uow: UnitOfWork, key: str = key, turn: int = turn) -> None:
                async def once() -> dict[str, Any]:
                    row = await uow.sql.fetchrow(
                        """select k.code, l.on_hand, l.on_hand - l.unsellable as sellable from stock_level l
                        join sku k on k.id = l.sku_id join location p on p.id = l.location_id
                        where p.code = 'MAIN' and l.on_hand > 4 order by md5(k.code || $1) limit 1""",
                        key,
                    )
                    if row is None:
                        return {}
                    missing = max(1, int(row["sellable"] * (0.05 + 0.25 * draw(self.seed, "count", today, turn))))
                    await count_stock(uow, CountStock(row["code"], "MAIN", row["on_hand"] - missing, "cycle count"))
                    return {"sku": row["code"], "missing": missing}

                await run_idempotent(uow, "replayCount", key, key, once)

            await self.run(work)


def next_day(day: date) -> date:
    return day + timedelta(days=1)
