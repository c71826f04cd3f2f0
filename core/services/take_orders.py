"""Take existing orders into a transaction: the gates of their SKUs first, then their rows, then their books."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.domain.book import SkuBook
from core.domain.network import Network
from core.domain.records import Line
from core.errors import NotFound, VersionConflict
from core.ports import Transaction
from core.repositories.gates import take_gates
from core.repositories.load_book import Lines, load_books
from core.repositories.network import load_network
from core.repositories.orders import OrderRow, again_with_more_gates, lines_of_orders, lock_orders
from core.repositories.shipments import PlannedLine, by_place, planned_lines


@dataclass(frozen=True, slots=True)
class OrderChange:
    """An order after a change, and the ids of its lines that were touched."""

    order_id: int
    version: int
    line_ids: list[int]


@dataclass(slots=True)
class TakenOrders:
    """Orders whose rows and gates this transaction holds."""

    orders: dict[int, OrderRow]
    versions: dict[int, int]
    network: Network
    line_keys: dict[int, list[tuple[int, int]]]
    """(SKU id, line id) per order, by line number."""


@dataclass(slots=True)
class OpenedOrders:
    """Their books in memory, with the lines and what of them stands on planned shipments."""

    books: dict[int, SkuBook]
    lines: dict[int, list[tuple[SkuBook, Line]]]
    planned: list[PlannedLine]
    planned_by_line: dict[int, dict[int, int]]


async def take_orders(
    uow: Transaction, order_ids: Iterable[int], *, unplanned: bool = False, more_skus: Iterable[int] = ()
) -> TakenOrders:
    """Lock the gates of all their SKUs in one statement, then the rows of the orders; read again what may have changed.

    Orders that do not exist are left out. `unplanned` takes only lines with stock that is on no shipment yet (all
    lines of an order that ships complete). `more_skus` are gates to take besides.
    """
    wanted = sorted(set(order_ids))
    before = await lines_of_orders(uow, wanted, unplanned=unplanned)
    versions = await take_gates(uow, {row["sku_id"] for row in before} | set(more_skus))
    if unplanned:  # a row is locked only behind the gates of its lines, or two orders could wait for each other
        wanted = sorted({row["order_id"] for row in before})
    orders = await lock_orders(uow, wanted)
    keys: dict[int, list[tuple[int, int]]] = {order_id: [] for order_id in orders}
    for row in await lines_of_orders(uow, wanted, unplanned=unplanned):
        if row["sku_id"] not in versions:
            raise again_with_more_gates()
        keys[row["order_id"]].append((row["sku_id"], row["id"]))
    return TakenOrders(orders, versions, await load_network(uow), keys)


async def open_orders(
    uow: Transaction,
    taken: TakenOrders,
    order_ids: Sequence[int] | None = None,
    *,
    lines: Lines = "waiting",
) -> OpenedOrders:
    """Load the books of (some of) the taken orders: their own lines and, as `lines` says, those of others."""
    ids = list(taken.orders) if order_ids is None else list(order_ids)
    keys = [key for order_id in ids for key in taken.line_keys[order_id]]
    books = await load_books(
        uow,
        {sku_id: taken.versions[sku_id] for sku_id, _ in keys},
        taken.network,
        lines=lines,
        line_ids=[line_id for _, line_id in keys],
    )
    found = {
        order_id: [(books[sku_id], books[sku_id].lines[line_id]) for sku_id, line_id in taken.line_keys[order_id]]
        for order_id in ids
    }
    planned = await planned_lines(uow, ids)
    return OpenedOrders(books, found, planned, by_place(planned))


async def book_of(uow: Transaction, taken: TakenOrders, opened: OpenedOrders, sku_id: int) -> SkuBook:
    """The book of one of the `more_skus`, loaded when no line of the orders has opened it."""
    if sku_id not in opened.books:
        if sku_id not in taken.versions:
            raise NotFound("SKU", str(sku_id))
        loaded = await load_books(uow, {sku_id: taken.versions[sku_id]}, taken.network, lines="waiting")
        opened.books.update(loaded)
    return opened.books[sku_id]


def check_version(order: OrderRow, expected: int | None) -> None:
    """Raise VersionConflict when the caller has seen another version of the order."""
    if expected is not None and expected != order.version:
        raise VersionConflict("order", order.number, expected, order.version)
