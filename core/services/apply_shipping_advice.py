"""What a warehouse says it shipped (945): beside the shipment that we released to it, and its confirmation where both agree."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from core.domain.states import ShipmentStatus
from core.edi.interchanges import Fault
from core.edi.warehouse_documents import ShippingAdvice
from core.errors import NotFound
from core.events import Event
from core.ports import Transaction
from core.repositories.edi import Partner
from core.repositories.warehouse_releases import released_shipment, released_units
from core.services.confirm_shipment import ConfirmShipment, confirm_shipments
from core.services.edi_outcome import Applied, Unusable, doubt

# W0601: a report of all that left. What another code means is for a person.
_FULL = ("F", "N", "00", "")


async def apply_shipping_advice(
    uow: Transaction, advice: ShippingAdvice, faults: tuple[Fault, ...], partner: Partner, document_id: int
) -> Applied:
    """A planned shipment that left as released, from the warehouse that this partner runs, is confirmed; a difference in
    units or lots is an event `SHIPPING_DOUBT` and moves nothing.

    Raises NotFound for a shipment that we do not know, Unusable for one that was cancelled.
    """
    ours = await released_shipment(uow, advice.order_number)
    if ours is None:
        raise NotFound("shipment", advice.order_number)
    if ours["status"] == ShipmentStatus.CANCELLED and any(line.shipped for line in advice.lines):
        text = f"Shipment {ours['number']} was cancelled; the warehouse says that it left."
        raise Unusable("cancelled_shipment", text, [doubt("number", text, None, "W06")])
    released = await released_units(uow, ours["id"])
    differences = _differences(advice, released)
    told: dict[str, Any] = {
        "shipment": advice.order_number,
        "differences": differences,
        "tracking": advice.tracking,
        "confirmed": False,
    }
    if differences:
        text = f"Warehouse shipment {advice.number} differs from {advice.order_number}."
        facts = {"documentId": document_id, "error": text}
        uow.announce(Event("edi", "SHIPPING_DOUBT", facts, f"document:{document_id}", supplier_id=partner.supplier_id))
    elif partner.guide.warehouse == ours["location"] and advice.purpose in _FULL:
        left = _moment(advice, ours["time_zone"], uow.now)
        request = ConfirmShipment(ours["number"], advice.carrier or None, advice.tracking or None, left)
        await confirm_shipments(uow, [request])
        told["confirmed"] = True
    return Applied("applied", advice.number, None, faults, told)


def _differences(advice: ShippingAdvice, released: list[Any]) -> list[dict[str, Any]]:
    """By article; lots count where the warehouse names them."""
    ours, theirs = {}, {}
    for row in released:
        ours[row["code"]] = ours.get(row["code"], 0) + row["quantity"]
    for line in advice.lines:
        theirs[line.buyer_sku] = theirs.get(line.buyer_sku, 0) + (line.shipped or 0)
    found: list[dict[str, Any]] = [
        {"sku": sku, "released": ours.get(sku, 0), "shipped": theirs.get(sku, 0)}
        for sku in sorted({*ours, *theirs})
        if ours.get(sku, 0) != theirs.get(sku, 0)
    ]
    lots = {(row["code"], row["lot"]) for row in released if row["lot"] is not None}
    tracked = {sku for sku, _ in lots}
    found += [
        {"sku": sku, "lot": lot, "released": 0, "shipped": quantity}
        for sku, lot, quantity in sorted((x.buyer_sku, x.lot, x.shipped or 0) for x in advice.lines if x.lot)
        if sku in tracked and (sku, lot) not in lots
    ]
    return found


def _moment(advice: ShippingAdvice, time_zone: str, now: datetime) -> datetime:
    """Noon of the day that the advice names, at the warehouse; never later than now."""
    if advice.shipped_on is None:
        return now
    noon = datetime.combine(advice.shipped_on, time(12), ZoneInfo(time_zone))
    return min(noon.astimezone(UTC), now)
