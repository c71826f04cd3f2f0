"""Record that shipments have arrived."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from core.domain.states import ShipmentStatus
from core.errors import IllegalTransition
from core.ports import Transaction
from core.repositories.announce_changes import order_event
from core.repositories.customer_notices import NoticeDraft, put_notices
from core.repositories.save_book import save_books
from core.repositories.shipments import mark_delivered
from core.services.take_shipments import ShipmentChange, take_shipments


@dataclass(frozen=True, slots=True)
class ConfirmDelivery:
    """A shipment that has arrived; `delivered_at` None: now."""

    shipment_number: str
    delivered_at: datetime | None = None


async def confirm_deliveries(uow: Transaction, requests: Sequence[ConfirmDelivery]) -> list[ShipmentChange]:
    """Deliver; one answer per request, in order. What has arrived already stays as it is.

    Raises NotFound, and IllegalTransition for a shipment that has not left; then nothing of the batch is done.
    """
    at = {request.shipment_number: request.delivered_at or uow.now for request in requests}
    taken = await take_shipments(uow, at)
    for row in taken.rows.values():
        if row.status in (ShipmentStatus.PLANNED, ShipmentStatus.CANCELLED):
            raise IllegalTransition("shipment", row.number, row.status, ShipmentStatus.DELIVERED)
    arriving = [row for row in taken.rows.values() if row.status == ShipmentStatus.SHIPPED]
    versions = {row.id: row.version for row in taken.rows.values()}
    if arriving:
        books = await taken.load_books(uow, [row.id for row in arriving])
        for row in arriving:
            for item in taken.lines[row.id]:
                line = books[item.sku_id].lines[item.line_id]
                line.delivered += item.quantity
                books[item.sku_id].settle(line, "DELIVERED")
        orders = await save_books(uow, books.values())
        versions |= await mark_delivered(uow, [(row.id, at[row.number]) for row in arriving])
        drafts: list[NoticeDraft] = []
        for row in arriving:
            facts = orders[row.order_id]
            event = order_event(facts, "DELIVERED", quantity=sum(x.quantity for x in taken.lines[row.id]))
            event.payload.update(shipmentNumber=row.number)
            uow.announce(event)
            uow.audit("shipmentDeliver", f"shipment:{row.id}", {"version": row.version}, None)
            zone = taken.network.locations[row.location_id].time_zone
            day = at[row.number].astimezone(ZoneInfo(zone)).date().isoformat()
            items = taken.lines[row.id]
            told = {
                "orderNumber": facts.number,
                "quantity": sum(item.quantity for item in items),
                "otherItems": len({item.sku_id for item in items}) - 1,
                "deliveredOn": day,
            }
            key = f"DELIVERED:{row.id}"
            drafts.append(NoticeDraft(row.customer_id, row.order_id, "DELIVERED", key, items[0].sku_id, told))
        await put_notices(uow, drafts)
    rows = [taken.rows[request.shipment_number] for request in requests]
    return [
        ShipmentChange(row.id, row.number, versions[row.id], row.status == ShipmentStatus.DELIVERED) for row in rows
    ]
