"""Tell a warehouse that a partner runs what to ship: a 940, once for each state of a planned shipment."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from core.domain.edi_states import EdiOutboundState
from core.domain.states import ShipmentStatus
from core.edi.decode_940 import decode_940
from core.edi.documents import Party
from core.edi.guide import PartnerGuide
from core.edi.reader import read
from core.edi.warehouse_documents import ShippingOrder, WarehouseLine
from core.edi.write_940 import write_940
from core.errors import InvalidInput, NotFound
from core.events import Event
from core.ports import Transaction
from core.repositories.edi import add_outbound, due_times, partner_by_code
from core.repositories.warehouse_releases import (
    lock_shipment,
    partner_of_location,
    release_lines,
    release_rest,
    releases_of,
)
from core.services.edi_envelopes import number_document

_NEW, _REPLACE, _CANCEL = "N", "R", "F"


async def send_warehouse_release(uow: Transaction, shipment_id: int) -> int | None:
    """Queue the release of a shipment; returns the outbound document's id.

    None where the warehouse is no partner's, knows all of it already or said that it lacks it, or the goods have left. What changed since
    replaces what was told; a shipment of which nothing is left is cancelled. A release that was refused told nothing.
    Raises InvalidInput for a value that the standard cannot hold.
    """
    row = await lock_shipment(uow, shipment_id)
    if row is None or row["rest_of"] is not None:
        return None
    code = await partner_of_location(uow, row["location_id"])
    partner = await partner_by_code(uow, code) if code is not None else None
    if partner is None or row["status"] not in (ShipmentStatus.PLANNED, ShipmentStatus.CANCELLED):
        return None
    sent = await releases_of(uow, partner.id, row["number"])
    told = next((one["bytes"] for one in sent if one["state"] != EdiOutboundState.REJECTED), None)
    before = _read_back(told) if told is not None else None
    order = _order(row, await release_lines(uow, shipment_id))
    if not order.lines:
        if before is None or before.purpose == _CANCEL:
            return None
        order = replace(order, purpose=_CANCEL)
    elif before is not None and before.purpose != _CANCEL:
        if _content(before) == _content(order):
            return None
        order = replace(order, purpose=_REPLACE)
    local = uow.now.astimezone(ZoneInfo(row["time_zone"]))
    numbered = await number_document(uow, partner, local)
    due = {k: v for k, v in due_times(partner.guide, uow.now).items() if k == "functionalAcknowledgement"}
    name = f"940-{row['number']}-{row['version']}.edi"
    if name in {one["file_name"] for one in sent}:
        name = f"940-{row['number']}-{row['version']}-{numbered.interchange:09d}.edi"
    outbound = numbered.outbound("940", write_940(order, numbered.x12()), name)
    outbound_id = await add_outbound(uow, replace(outbound, due=due, reference=row["number"]))
    if outbound_id is None:
        return None
    facts = {"outboundId": outbound_id, "kind": "940", "shipmentNumber": row["number"], "purpose": order.purpose}
    uow.announce(Event("edi", "QUEUED", facts, key=f"shipment:{shipment_id}", supplier_id=partner.supplier_id))
    uow.audit("warehouseReleaseSend", f"shipment:{shipment_id}", None, {"outboundId": outbound_id})
    return outbound_id


async def send_release_anew(uow: Transaction, number: str) -> int:
    """The release of a shipment whose last one was refused, or of what the warehouse lacked of another, goes out under new
    control numbers; the shipment's id.

    Mend the cause first. Raises NotFound, InvalidInput where no partner has to be told of the shipment.
    """
    found = await release_rest(uow, number)
    if found is None:
        raise NotFound("order or shipment", number, path=("input", "number"))
    shipment_id, rest_of = found
    outbound_id = await send_warehouse_release(uow, shipment_id)
    if outbound_id is None:
        text = f"Nobody has to be told of shipment {number!r}: it is known as it is, has left, or leaves from our own place."
        raise InvalidInput(text, path=("input", "number"), value=number)
    uow.audit("shipmentSendAnew", f"shipment:{shipment_id}", {"restOf": rest_of}, {"outboundId": outbound_id})
    return shipment_id


def _order(row: Any, lines: list[Any]) -> ShippingOrder:
    ship_to = row["ship_to"] or {}
    return ShippingOrder(
        row["number"],
        tuple(
            WarehouseLine(
                line_number=str(line["line_number"]),
                buyer_sku=line["code"],
                vendor_code="",
                gtin=line["gtin"] or "",
                ordered=line["quantity"],
                unit=line["unit"],
                lot=line["lot"] or "",
                description=line["name"].get("en", ""),
            )
            for line in lines
        ),
        po_number=row["external_number"] or row["order_number"],
        purpose=_NEW,
        ship_on=row["planned_ship_date"],
        ship_to=Party(
            ship_to.get("name") or row["order_number"],
            address=tuple(filter(None, (ship_to.get("line1", ""),))),
            city=ship_to.get("city", ""),
            postal_code=ship_to.get("postalCode", ""),
            country=ship_to.get("country", ""),
        ),
        ship_from=Party(row["location_name"] or row["location"], row["location"]),
        carrier=row["carrier"] or "",
    )


def _read_back(content: bytes) -> ShippingOrder | None:
    """What the warehouse was told last, by our own reader."""
    documents = [d for i in read(content).interchanges for group in i.groups for d in group.sets]
    return decode_940(documents[0], PartnerGuide(unit_map=_AnyUnit())).document if documents else None


class _AnyUnit(dict[str, int]):
    """Our own units are single ones, whatever they are called."""

    def get(self, key: str, default: Any = None) -> Any:  # type: ignore[override]
        return 1


def _content(order: ShippingOrder) -> tuple[Any, ...]:
    lines = sorted((line.line_number, line.buyer_sku, line.lot, line.ordered) for line in order.lines)
    return (order.ship_on, tuple(lines))
