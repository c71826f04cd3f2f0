"""Turns a 214 into a `CarrierStatus`: which shipment, which orders, and what happened to it when."""

from __future__ import annotations

from datetime import date

from core.edi.decoding import Notes, check_date
from core.edi.documents import CarrierEvent, CarrierStatus, Decoded
from core.edi.guide import DEFAULT_GUIDE, PartnerGuide
from core.edi.interchanges import Segment, TransactionSet
from core.edi.known_codes import CARRIER_STATUSES
from core.edi.x12_values import day, moment

# AT701 codes whose AT705 is a day to come, not one that was.
ESTIMATES = ("AG", "X2")
_TRACKING_REFERENCES = ("2I", "CN")
# List 432 of G62, which differs from list 374 of DTM: 17 estimated delivery, 70 scheduled delivery.
_ESTIMATED_DELIVERY = ("17", "70")


def decode_214(document: TransactionSet, guide: PartnerGuide = DEFAULT_GUIDE) -> Decoded[CarrierStatus]:
    """The status message, or None where it names no shipment: that is allowed, and of no use to us."""
    notes = Notes(document)
    b10 = next((segment for segment in document.segments if segment.tag == "B10"), None)
    references = tuple(
        (segment.value(2), segment.value(1))
        for segment in document.segments
        if segment.tag == "L11" and segment.value(1)
    )
    po_numbers = tuple(dict.fromkeys(value for name, value in references if name == "PO"))
    more = tuple(segment.value(1) for segment in document.segments if segment.tag == "PRF" and segment.value(1))
    po_numbers = tuple(dict.fromkeys(po_numbers + more))
    if b10 is None or not (b10.value(1) or b10.value(2) or references):
        notes.warning("reference", "The status message names no shipment", b10, 1)
        return Decoded(None, tuple(notes.faults))
    estimate = _estimated_delivery(document)
    status = CarrierStatus(
        reference=b10.value(1),
        tracking=next((value for name in _TRACKING_REFERENCES for key, value in references if key == name), "")
        or b10.value(1),
        po_numbers=po_numbers,
        events=_events(document, estimate, guide, notes),
        shipment=b10.value(2),
        carrier=b10.value(3),
        references=references,
        estimated_date=estimate,
        sequence=document.sequence,
    )
    return Decoded(status, tuple(notes.faults))


def _events(
    document: TransactionSet, estimate: date | None, guide: PartnerGuide, notes: Notes
) -> tuple[CarrierEvent, ...]:
    events: list[CarrierEvent] = []
    place: Segment | None = None
    for segment in reversed(document.segments):
        if segment.tag == "MS1":
            place = segment
        elif segment.tag in ("LX", "N1"):
            place = None
        elif segment.tag == "AT7":
            events.append(_event(segment, place, estimate, guide, notes))
            place = None
    return tuple(reversed(events))


def _event(
    at7: Segment, place: Segment | None, estimate: date | None, guide: PartnerGuide, notes: Notes
) -> CarrierEvent:
    sent = at7.value(1)
    code = guide.code_map.get(sent, sent)
    if code and code not in CARRIER_STATUSES:
        notes.warning("status", f"The status {sent!r} is not known and not in the partner's code map", at7, 1)
    on = check_date(at7, 5, notes)
    is_estimate = code in ESTIMATES
    return CarrierEvent(
        status_code=code,
        reason=at7.value(2) or at7.value(4),
        at=None if is_estimate else moment(at7.value(5), at7.value(6)),
        estimated_date=on if is_estimate else estimate,
        time_code=at7.value(7),
        appointment=at7.value(3),
        place=", ".join(part for part in (place.value(1), place.value(2), place.value(3)) if part) if place else "",
        segment_number=at7.number,
    )


def _estimated_delivery(document: TransactionSet) -> date | None:
    found = {segment.value(1): day(segment.value(2)) for segment in document.segments if segment.tag == "G62"}
    return next((found[code] for code in _ESTIMATED_DELIVERY if found.get(code) is not None), None)
