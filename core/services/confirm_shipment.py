"""Record that planned shipments have left: stock goes down, lines count as shipped, customers hear of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from core.domain.book import SkuBook
from core.domain.records import Line, Movement
from core.domain.states import PegKind, ShipmentStatus
from core.errors import IllegalTransition, InvariantBroken
from core.ports import Transaction
from core.repositories.announce_changes import order_event
from core.repositories.customer_notices import NoticeDraft, put_notices
from core.repositories.save_book import OrderFacts, save_books
from core.repositories.shipments import PlannedLine, ShipmentRow, mark_shipped
from core.services.take_shipments import ShipmentChange, TakenShipments, take_shipments


@dataclass(frozen=True, slots=True)
class ConfirmShipment:
    """A shipment that has left; `shipped_at` None: now."""

    number: str
    carrier: str | None = None
    tracking_number: str | None = None
    shipped_at: datetime | None = None


async def confirm_shipments(uow: Transaction, requests: Sequence[ConfirmShipment]) -> list[ShipmentChange]:
    """Ship; one answer per request, in order. What has left already stays as it is.

    Goods that have left are recorded also when the order has come on hold meanwhile. Raises NotFound, and
    IllegalTransition for a cancelled shipment; then nothing of the batch is done.
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
        for row in leaving:
            for item in taken.lines[row.id]:
                _ship(books[item.sku_id], books[item.sku_id].lines[item.line_id], item)
        orders = await save_books(uow, books.values())
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
    return [ShipmentChange(taken.rows[r.number].id, r.number, versions[taken.rows[r.number].id]) for r in requests]


def _ship(book: SkuBook, line: Line, item: PlannedLine) -> None:
    left = item.quantity
    for peg in book.pegs_of(line):
        if peg.kind == PegKind.HARD and peg.location_id == item.location_id and peg.lot_id == item.lot_id and left:
            units = min(left, peg.quantity)
            book.drop_peg(peg, units)
            left -= units
    if left:
        raise InvariantBroken("shipment_line_allocated", (book.sku, line.id, item.shipment_id, left))
    line.allocated -= item.quantity
    line.ready -= item.quantity
    line.shipped += item.quantity
    book.move(
        Movement(
            item.location_id,
            "shipped",
            on_hand=-item.quantity,
            allocated=-item.quantity,
            cause_kind="shipment",
            cause_id=item.shipment_id,
            line=line,
            lot_id=item.lot_id,
        )
    )
    book.settle(line, "SHIPPED")


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
