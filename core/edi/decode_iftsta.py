"""Turns an IFTSTA into a `CarrierStatus`: its events get the codes of AT701, so both standards mean the same."""

from __future__ import annotations

from datetime import date

from core.edi.decoding import Notes
from core.edi.documents import CarrierEvent, CarrierStatus, Decoded
from core.edi.edifact_decoding import document_day, first, number_of, reference, references
from core.edi.edifact_values import dtm_day, dtm_moment
from core.edi.guide import DEFAULT_GUIDE, PartnerGuide
from core.edi.interchanges import Segment, TransactionSet

# Status event (9011, later 4405) to AT701. Only the list of the standard itself: a carrier's own list, which names an
# agency beside the code, goes through the partner's code map.
_EVENTS = {
    "1": "X1",
    "13": "AF",
    "21": "D1",
    "24": "AF",
    "27": "AF",
    "31": "X6",
    "74": "D1",
    "82": "A3",
}
_STANDARD_AGENCIES = ("", "6")
_TRACKING = ("CN", "AAS", "BM", "BN", "CW")


def decode_iftsta(document: TransactionSet, guide: PartnerGuide = DEFAULT_GUIDE) -> Decoded[CarrierStatus]:
    """The status message, or None where it names no shipment: that is allowed, and of no use to us."""
    notes = Notes(document)
    segments = [segment for segment in document.segments[1:] if segment.tag != "UNT"]
    known = references(segments)
    bgm = first(segments, "BGM")
    consignment = next((found for s in segments if s.tag == "CNI" and (found := s.value(2))), "")
    tracking = reference(segments, *_TRACKING) or consignment
    po_numbers = tuple(dict.fromkeys(number for qualifier, number in known if qualifier == "ON"))
    shipment = reference(segments, "SRN", "AAK")
    if bgm is None or not (tracking or po_numbers or shipment):
        notes.warning("reference", "The status message names no shipment", bgm, 2)
        return Decoded(None, tuple(notes.faults))
    estimate = _last_estimate(segments)
    carrier = first(segments, "TDT")
    nad = first(segments, "NAD", "CA")
    status = CarrierStatus(
        reference=number_of(document) or tracking,
        tracking=tracking,
        po_numbers=po_numbers,
        events=_events(segments, estimate, guide, notes),
        shipment=shipment,
        carrier=(carrier.value(5) if carrier is not None else "") or (nad.value(2) if nad is not None else ""),
        references=known,
        estimated_date=estimate,
        sequence=f"{_stamp(segments)}-{document.sequence}",
    )
    return Decoded(status, tuple(notes.faults))


def _stamp(segments: list[Segment]) -> str:
    on = document_day(segments, "137")
    return on.strftime("%Y%m%d") if on is not None else "00000000"


def _last_estimate(segments: list[Segment]) -> date | None:
    """The estimated arrival (DTM 132) that stands last: legs are listed in the order of the way."""
    days = [dtm_day(s) for s in segments if s.tag == "DTM" and s.value(1) in ("132", "17")]
    return next((on for on in reversed(days) if on is not None), None)


def _events(
    segments: list[Segment], estimate: date | None, guide: PartnerGuide, notes: Notes
) -> tuple[CarrierEvent, ...]:
    """One event for each STS, with the dates and the place below it."""
    blocks: list[list[Segment]] = []
    for segment in segments:
        if segment.tag == "CNI":
            blocks.append([])
        elif segment.tag == "STS":
            blocks.append([segment])
        elif blocks and blocks[-1]:
            blocks[-1].append(segment)
    return tuple(_event(block, estimate, guide, notes) for block in blocks if block)


def _event(block: list[Segment], estimate: date | None, guide: PartnerGuide, notes: Notes) -> CarrierEvent:
    sts = block[0]
    # Some carriers have it, and its agency, beside the category of the status, which has an agency of its own.
    sent, agency = (sts.value(2), sts.value(2, 3)) if sts.value(2) else (sts.value(1, 2), sts.value(1, 3))
    code = guide.code_map.get(sent, _EVENTS.get(sent, "") if agency in _STANDARD_AGENCIES else "")
    if not code:
        owner = f" of the agency {agency!r}" if agency not in _STANDARD_AGENCIES else ""
        notes.warning("status", f"The status {sent!r}{owner} is not known and not in the partner's code map", sts, 2)
    happened = next((s for code_ in ("334", "178", "186") if (s := first(block, "DTM", code_)) is not None), None)
    location = first(block, "LOC")
    return CarrierEvent(
        status_code=code or sent,
        reason=sts.value(3),
        at=dtm_moment(happened) if happened is not None else None,
        estimated_date=_last_estimate(block) or estimate,
        place=(location.value(2, 4) or location.value(2)) if location is not None else "",
        segment_number=sts.number,
    )
