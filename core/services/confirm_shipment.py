"""Record that planned shipments have left: stock goes down, lines count as shipped, customers hear of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from core.domain.book import SkuBook
from core.domain.picking import Pick, pick_parts, ship_part
from core.domain.states import ShipmentStatus
from core.errors import IllegalTransition, InvalidInput
from core.ports import Transaction
from core.repositories.announce_changes import order_event
from core.repositories.customer_notices import NoticeDraft, put_notices
from core.repositories.save_book import OrderFacts, save_books
from core.repositories.serials import SerialChange, take_serials
from core.repositories.shipments import LeftLine, PlannedLine, ShipmentRow, mark_shipped, write_left_lines
from core.services.take_shipments import ShipmentChange, TakenShipments, take_shipments


@dataclass(frozen=True, slots=True)
class ConfirmShipment:
    """A shipment that has left; `shipped_at` None: now.

    `picks` say which lots and serial numbers left; lines without one leave in the lots they are allocated.
    """

    number: str
    carrier: str | None = None
    tracking_number: str | None = None
    shipped_at: datetime | None = None
    picks: Sequence[Pick] = ()


async def confirm_shipments(uow: Transaction, requests: Sequence[ConfirmShipment]) -> list[ShipmentChange]:
    """Ship; one answer per request, in order. What has left already stays as it is.

    Goods that have left are recorded also when the order has come on hold meanwhile. Raises NotFound,
    IllegalTransition for a cancelled shipment, InvalidInput and QuantityExceeded for picks that cannot be; then nothing
    of the batch is done.
    """
    asked = {request.number: request for request in requests}
    taken = await take_shipments(uow, asked)
    leaving = [row for row in taken.rows.values() if row.status == ShipmentStatus.PLANNED]
    for row in taken.rows.values():
        if row.status == ShipmentStatus.CANCELLED:
            raise IllegalTransition("shipment", row.number, row.status, ShipmentStatus.SHIPPED)
    versions = {row.id: row.version for row in taken.rows.values()}
    if leaving:
        books = await taken.load_books(uow, [row.id for row in leaving])
        left: list[LeftLine] = []
        for row in leaving:
            left += _ship_all(row, taken.lines[row.id], books, asked[row.number].picks)
        orders = await save_books(uow, books.values())
        await write_left_lines(uow, left)
        await _ship_serials(uow, left)
        changes = [
            (
                row.id,
                asked[row.number].carrier,
                asked[row.number].tracking_number,
                asked[row.number].shipped_at or uow.now,
            )
            for row in leaving
        ]
        versions |= await mark_shipped(uow, changes)
        _announce(uow, taken, leaving, asked, orders)
        await put_notices(uow, _notices(uow, taken, leaving, asked, orders, books))
    rows = [taken.rows[request.number] for request in requests]
    return [ShipmentChange(row.id, row.number, versions[row.id], row.status != ShipmentStatus.PLANNED) for row in rows]


def _ship_all(
    row: ShipmentRow, items: Sequence[PlannedLine], books: dict[int, SkuBook], picks: Sequence[Pick]
) -> list[LeftLine]:
    """Everything on one shipment leaves; returns what it held, by line and lot."""
    wanted: dict[int, list[PlannedLine]] = defaultdict(list)
    for item in items:
        wanted[item.line_id].append(item)
    numbers = {books[rows[0].sku_id].lines[line_id].line_number for line_id, rows in wanted.items()}
    if unknown := [pick.line_number for pick in picks if pick.line_number not in numbers]:
        raise InvalidInput(f"Line {unknown[0]} is not on shipment {row.number}.", path=("input", "picks"))
    left: list[LeftLine] = []
    for line_id, rows in wanted.items():
        book = books[rows[0].sku_id]
        line, quantity = book.lines[line_id], sum(item.quantity for item in rows)
        mine = [pick for pick in picks if pick.line_number == line.line_number]
        for part in pick_parts(book, line, row.location_id, quantity, mine):
            ship_part(book, line, row.location_id, part, row.id)
            left.append(LeftLine(row.id, book.sku_id, line_id, row.location_id, part.lot, part.quantity, part.serials))
        book.settle(line, "SHIPPED")
    return left


async def _ship_serials(uow: Transaction, left: Sequence[LeftLine]) -> None:
    changes = [
        SerialChange(
            part.sku_id,
            code,
            "shipped",
            None,
            part.lot,
            order_line_id=part.line_id,
            shipment_id=part.shipment_id,
            from_location_id=part.location_id,
        )
        for part in left
        for code in part.serials
    ]
    await take_serials(uow, changes, "shipment")


def _announce(
    uow: Transaction,
    taken: TakenShipments,
    leaving: Sequence[ShipmentRow],
    asked: dict[str, ConfirmShipment],
    orders: dict[int, OrderFacts],
) -> None:
    """One fact per shipment; beyond those of every order event it names shipment, carrier and tracking number."""
    for row in leaving:
        request = asked[row.number]
        event = order_event(orders[row.order_id], "SHIPPED", quantity=sum(x.quantity for x in taken.lines[row.id]))
        event.payload.update(shipmentNumber=row.number, carrier=request.carrier, trackingNumber=request.tracking_number)
        uow.announce(event)
        uow.audit(
            "shipmentConfirm",
            f"shipment:{row.id}",
            {"version": row.version},
            {"trackingNumber": request.tracking_number},
        )


def _notices(
    uow: Transaction,
    taken: TakenShipments,
    leaving: Sequence[ShipmentRow],
    asked: dict[str, ConfirmShipment],
    orders: dict[int, OrderFacts],
    books: dict[int, SkuBook],
) -> list[NoticeDraft]:
    """One message per shipment, whatever it holds."""
    drafts: list[NoticeDraft] = []
    for row in leaving:
        request, place = asked[row.number], taken.network.locations[row.location_id]
        day = (request.shipped_at or uow.now).astimezone(ZoneInfo(place.time_zone)).date()
        items = taken.lines[row.id]
        line = books[items[0].sku_id].lines[items[0].line_id]
        expected = taken.network.delivery_date(row.location_id, line.destination_id, day)
        facts = {
            "orderNumber": orders[row.order_id].number,
            "quantity": sum(item.quantity for item in items),
            "otherItems": len({item.sku_id for item in items}) - 1,
            "carrier": request.carrier,
            "trackingNumber": request.tracking_number,
            "expected": expected.isoformat() if expected else None,
        }
        key = f"SHIPPED:{row.id}"
        drafts.append(NoticeDraft(row.customer_id, row.order_id, "SHIPPED", key, items[0].sku_id, facts))
    return drafts
