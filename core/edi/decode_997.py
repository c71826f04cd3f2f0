"""Turns a 997 into a `FunctionalAcknowledgement`: which of our sets a partner could read, nothing of business."""

from __future__ import annotations

from core.edi.decoding import Notes
from core.edi.documents import AcknowledgedSet, Decoded, FunctionalAcknowledgement
from core.edi.interchanges import Segment, TransactionSet

_SEGMENT_ERRORS = {
    "1": "unknown segment",
    "2": "unexpected segment",
    "3": "required segment missing",
    "4": "loop occurs too often",
    "5": "segment occurs too often",
    "6": "segment not in this set",
    "7": "segment out of order",
    "8": "segment has element errors",
}
_ELEMENT_ERRORS = {
    "1": "required element missing",
    "2": "related element missing",
    "3": "too many elements",
    "4": "too short",
    "5": "too long",
    "6": "bad character",
    "7": "bad code",
    "8": "bad date",
    "9": "bad time",
    "10": "excluded by another element",
}


def decode_997(document: TransactionSet) -> Decoded[FunctionalAcknowledgement]:
    """The acknowledgement, or None with an error where it names no group."""
    notes = Notes(document)
    ak1 = next((segment for segment in document.segments if segment.tag == "AK1"), None)
    ak9 = next((segment for segment in document.segments if segment.tag == "AK9"), None)
    if ak1 is None or ak9 is None:
        notes.error("group", "The acknowledgement names no group or no result", ak1 or ak9)
        return Decoded(None, tuple(notes.faults))
    sets: list[AcknowledgedSet] = []
    opening: Segment | None = None
    errors: list[str] = []
    place = ""
    for segment in document.segments:
        if segment.tag == "AK2":
            opening, errors, place = segment, [], ""
        elif segment.tag in ("AK3", "IK3"):
            place = f"{segment.value(1)} at {segment.value(2)}"
            reason = _SEGMENT_ERRORS.get(segment.value(4), f"code {segment.value(4)}")
            errors.append(f"segment {place}: {reason}")
        elif segment.tag in ("AK4", "IK4"):
            reason = _ELEMENT_ERRORS.get(segment.value(3), f"code {segment.value(3)}")
            value = f" ({segment.value(4)!r})" if segment.value(4) else ""
            errors.append(f"segment {place}, element {segment.value(1)}: {reason}{value}")
        elif segment.tag in ("AK5", "IK5") and opening is not None:
            sets.append(AcknowledgedSet(opening.value(1), opening.value(2), segment.value(1), tuple(errors)))
            opening = None
    return Decoded(
        FunctionalAcknowledgement(
            functional_id=ak1.value(1),
            group_control=ak1.value(2),
            verdict=ak9.value(1),
            sets=tuple(sets),
            included=_count(ak9, 2),
            received=_count(ak9, 3),
            accepted=_count(ak9, 4),
        ),
        tuple(notes.faults),
    )


def _count(segment: Segment, element: int) -> int | None:
    text = segment.value(element)
    return int(text) if text.isdecimal() and len(text) < 10 else None
