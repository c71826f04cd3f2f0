"""From one document to the business: decode it by the partner's guide, call the service that it means."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from core.edi.change_documents import ChangeAcknowledgement
from core.edi.decoders import DECODERS
from core.edi.decoding import PACK_UNITS, CountedUnits
from core.edi.documents import Acknowledgement, ShipNotice
from core.edi.edifact_decoding import PACK_SIZE
from core.edi.guide import PartnerGuide
from core.edi.interchanges import Fault, TransactionSet
from core.ports import Transaction
from core.repositories.edi import Partner, counted_units
from core.services.apply_edi_answer import apply_answer, apply_change_answer
from core.services.apply_edi_receipt import note_application, note_group, note_interchange
from core.services.apply_edi_shipment import apply_notice, apply_status
from core.services.apply_shipping_advice import apply_shipping_advice
from core.services.edi_outcome import Applied, Unusable, usable
from core.services.stage_stock_report import stage_stock_report
from core.services.store_edi_record import store_invoice, store_receipt_advice

Apply = Callable[[Transaction, Any, tuple[Fault, ...], Partner, int], Awaitable[Applied]]

_BUSINESS: dict[str, Apply] = {
    "855": apply_answer,
    "ORDRSP": apply_answer,
    "865": apply_change_answer,
    "214": apply_status,
    "IFTSTA": apply_status,
    "846": stage_stock_report,
    "INVRPT": stage_stock_report,
    "810": store_invoice,
    "INVOIC": store_invoice,
    "945": apply_shipping_advice,
    "861": store_receipt_advice,
    "RECADV": store_receipt_advice,
}
_NOTICES = ("856", "DESADV")
_GROUP_ANSWERS, _ADVICES = ("997", "999"), ("824", "APERAK")

INBOUND = (*_BUSINESS, *_NOTICES, *_GROUP_ANSWERS, "CONTRL", *_ADVICES)
"""Kinds of documents that are applied, or kept and compared."""


def orders_named(document: TransactionSet, partner: Partner) -> set[str]:
    """Numbers of the purchase orders that a set speaks of, where it can be read."""
    if document.kind not in INBOUND:
        return set()
    said = DECODERS[document.kind](document, partner.guide).document
    if isinstance(said, ChangeAcknowledgement):
        said = said.acknowledgement
    if isinstance(said, ShipNotice):
        return {order.po_number for order in said.orders}
    return {said.po_number} if isinstance(said, Acknowledgement) else set()


async def apply_edi_set(uow: Transaction, document: TransactionSet, partner: Partner, document_id: int) -> Applied:
    """Apply a set whose syntax is sound. Raises Unusable, or the DomainError of the service: nothing is changed then."""
    if document.kind not in INBOUND:
        raise Unusable("unknown_kind", f"Documents of kind {document.kind!r} are not processed here.")
    guide = await _with_counted_units(uow, document, partner)
    said, faults = usable(DECODERS[document.kind](document, guide))
    try:
        return await _apply(uow, document, said, faults, partner, document_id)
    except Unusable as refusal:
        # What was noted while reading is often why: an unknown code, with its place and value.
        raise Unusable(refusal.reason, refusal.message, (*refusal.faults, *faults)) from refusal


async def _apply(
    uow: Transaction,
    document: TransactionSet,
    said: Any,
    faults: tuple[Fault, ...],
    partner: Partner,
    document_id: int,
) -> Applied:
    if document.kind in _NOTICES:
        return await apply_notice(uow, said, faults, partner, document, document_id)
    if document.kind in _GROUP_ANSWERS:
        return await note_group(uow, said, faults, partner)
    if document.kind == "CONTRL":
        return await note_interchange(uow, said, partner, faults=faults)
    if document.kind in _ADVICES:
        return await note_application(uow, said, faults, partner)
    return await _BUSINESS[document.kind](uow, said, faults, partner, document_id)


async def _with_counted_units(uow: Transaction, document: TransactionSet, partner: Partner) -> PartnerGuide:
    """The partner's guide; where lines state sizes of packs, with the packs in which we count its articles ourselves."""
    if not any(s.tag == "PO4" or (s.tag == "QTY" and s.value(1) == PACK_SIZE) for s in document.segments):
        return partner.guide
    units = CountedUnits(partner.guide.unit_map)
    units.counted = await counted_units(uow, partner.supplier_id) & PACK_UNITS
    return replace(partner.guide, unit_map=units)
