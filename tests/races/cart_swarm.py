"""Thousands of carts on few units: each holds, prolongs, changes, orders, gives back or forgets within two seconds.

A program of its own as well: `python -m tests.races.cart_swarm --url postgresql://... --seconds 20 --seed 1 --carts 200`
prints what it did as one JSON object, for a test that runs several of them on one database.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from argparse import ArgumentParser
from collections import Counter
from dataclasses import dataclass, field

import msgspec

from core.database import Database
from core.domain.placing import LineRequest, OrderRequest, ShipTo
from core.errors import DomainError, InsufficientStock, ReservationExpired
from core.services.cancel_order import CancelOrder, cancel_order
from core.services.create_reservation import CreateReservation, ReservationItem, create_reservation
from core.services.expire_reservations import expire_reservations
from core.services.extend_reservation import extend_reservation
from core.services.place_orders import place_orders
from core.services.release_reservation import release_reservation
from core.settings import Settings
from core.unit_of_work import run_unit_of_work

LINKS = (InsufficientStock, ReservationExpired)
"""The only refusals a cart may meet: too late for the units, or too late for its own."""


@dataclass
class Swarm:
    """What the carts of one process did, and what must never happen."""

    database: Database
    dice: random.Random
    skus: list[str]
    done: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    async def do(self, use_case):
        return await run_unit_of_work(self.database, use_case)

    async def cart(self) -> None:
        """One shopper; every hold that is still live when it is ordered must be served from stock in full."""
        dice = self.dice
        items = [
            ReservationItem(sku, dice.randint(1, 3))
            for sku in sorted(dice.sample(self.skus, dice.randint(1, min(3, len(self.skus)))))
        ]
        ttl = dice.uniform(0.05, 2.0)
        try:
            held = await self.do(lambda uow: create_reservation(uow, CreateReservation(items, ttl_seconds=ttl)))
            self.done["held"] += 1
            for _ in range(dice.randint(0, 2)):
                await asyncio.sleep(dice.uniform(0, 0.2))
                if dice.random() < 0.5:
                    held = await self.do(lambda uow, g=held.group_id: extend_reservation(uow, g, ttl))
                    self.done["extended"] += 1
                else:
                    items = [ReservationItem(i.sku, dice.randint(1, 3)) for i in items]
                    wanted = CreateReservation(items, ttl_seconds=ttl, replaces=held.group_id)
                    held = await self.do(lambda uow, w=wanted: create_reservation(uow, w))
                    self.done["changed"] += 1
            await self._end(held.group_id, items)
        except LINKS as refusal:
            self.done[refusal.code] += 1
        except DomainError as refusal:
            self.wrong.append(f"{refusal.code}: {refusal}")
        except Exception as error:
            self.wrong.append(f"{type(error).__name__}: {error}")

    async def _end(self, group_id: str, items: list[ReservationItem]) -> None:
        end = self.dice.random()
        if end < 0.3:
            self.done["forgotten"] += 1
            return
        if end < 0.5:
            await self.do(lambda uow: release_reservation(uow, group_id))
            self.done["released"] += 1
            return
        lines = [LineRequest(i.sku, self.dice.randint(1, i.quantity) if end < 0.65 else i.quantity) for i in items]
        order = OrderRequest("web", lines, ShipTo("KR", "04524"), reservation_id=group_id)
        (placed,) = await self.do(lambda uow: place_orders(uow, [order]))
        self.done["ordered late" if placed.reservation_expired else "ordered"] += 1
        if not placed.reservation_expired:
            got = await self.database.system.fetch(
                "select allocated + shipped + cancelled as got, ordered from order_line where order_id = $1",
                placed.order_id,
            )
            if any(row["got"] < row["ordered"] for row in got):
                self.wrong.append(f"{placed.number} was held and came short: {[tuple(row) for row in got]}")
        if self.dice.random() < 0.9:  # units go back into the race
            await asyncio.sleep(self.dice.uniform(0, 0.5))
            await self.do(lambda uow: cancel_order(uow, CancelOrder(placed.number or "")))
            self.done["cancelled"] += 1

    async def run(self, seconds: float, carts: int, sweeps: bool = True) -> None:
        """Keep `carts` shoppers busy for `seconds`, with a sweeper beside them when `sweeps`."""
        end = time.monotonic() + seconds

        async def shopper() -> None:
            while time.monotonic() < end:
                await self.cart()
                self.done["carts"] += 1

        async def sweeper() -> None:
            while sweeps and time.monotonic() < end:
                self.done["swept"] += await self.do(lambda uow: expire_reservations(uow, 50))
                await asyncio.sleep(0.1)

        await asyncio.gather(sweeper(), *(shopper() for _ in range(carts)))


async def run_swarm(url: str, seconds: float, seed: int, carts: int, skus: list[str]) -> dict:
    """Run one process's carts; `wrong` of the answer must be empty."""
    async with Database(Settings(database_url=url, env="test", pool_size=8)) as database:
        swarm = Swarm(database, random.Random(seed), skus)
        await swarm.run(seconds, carts)
        return {"done": dict(swarm.done), "wrong": swarm.wrong}


def main() -> None:
    parser = ArgumentParser(description="Carts that race for units.")
    parser.add_argument("--url", required=True, help="database with the small company of the tests and its stock")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--carts", type=int, default=100, help="how many at once")
    parser.add_argument("--skus", nargs="*", default=["S", "S2", "S3"])
    given = parser.parse_args()
    report = asyncio.run(run_swarm(given.url, given.seconds, given.seed, given.carts, given.skus))
    sys.stdout.write(msgspec.json.encode(report).decode() + "\n")


if __name__ == "__main__":
    main()
