"""Take shipments into a transaction: the gates of their SKUs, the rows of their orders, then what they say now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from core.domain.book import SkuBook
from core.domain.network import Network
from core.errors import NotFound
from core.ports import Transaction
from core.repositories.gates import take_gates
from core.repositories.load_book import load_books
from core.repositories.network import load_network
from core.repositories.orders import again_with_more_gates, lock_orders
from core.repositories.shipments import (
    PlannedLine,
    ShipmentRow,
    shipment_lines,
    shipments_by_number,
    skus_that_may_leave,
)


@dataclass(frozen=True, slots=True)
class ShipmentChange:
    """A shipment after a change; `stood`: it was so before, and nothing was changed."""

    shipment_id: int
    number: str
    version: int
    stood: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class TakenShipments:
    """Shipments by number as they are under the gates, and their lines by shipment id."""

    rows: dict[str, ShipmentRow]
    lines: dict[int, list[PlannedLine]]
    versions: dict[int, int]
    network: Network

    async def load_books(self, uow: Transaction, shipment_ids: Iterable[int]) -> dict[int, SkuBook]:
        """The books of the SKUs in these shipments, with the lines that are shipped."""
        keys = {(item.sku_id, item.line_id) for shipment_id in shipment_ids for item in self.lines[shipment_id]}
        return await load_books(
            uow,
            {sku_id: self.versions[sku_id] for sku_id, _ in keys},
            self.network,
            lines="own",
            line_ids={line_id for _, line_id in keys},
        )


async def take_shipments(uow: Transaction, numbers: Collection[str]) -> TakenShipments:
    """Lock what belongs to these shipments. Raises NotFound for the first number that does not exist."""
    rows = await shipments_by_number(uow, numbers)
    for number in numbers:
        if number not in rows:
            raise NotFound("shipment", number, path=("input", "number"))
    versions = await take_gates(uow, await skus_that_may_leave(uow, [row.id for row in rows.values()]))
    await lock_orders(uow, {row.order_id for row in rows.values()})
    rows = await shipments_by_number(uow, numbers)
    lines: dict[int, list[PlannedLine]] = defaultdict(list)
    for item in await shipment_lines(uow, [row.id for row in rows.values()]):
        if item.sku_id not in versions:
            raise again_with_more_gates()
        lines[item.shipment_id].append(item)
    return TakenShipments(rows, lines, versions, await load_network(uow))
