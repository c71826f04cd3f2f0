"""Turns a 997 or 999 into a `FunctionalAcknowledgement`: which of our sets a partner could read, nothing of business."""

from __future__ import annotations

from core.edi.decoding import Notes
from core.edi.documents import AcknowledgedFault, AcknowledgedSet, Decoded, FunctionalAcknowledgement
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
_SET_ERRORS = {
    "1": "set not supported",
    "2": "set trailer missing",
    "3": "control numbers of the set do not match",
    "4": "wrong count of segments",
    "5": "one or more segments in error",
    "6": "missing or invalid set identifier",
    "7": "missing or invalid set control number",
    "23": "set control number used twice in the group",
}
_GROUP_ERRORS = {
    "1": "group not supported",
    "2": "group version not supported",
    "3": "group trailer missing",
    "4": "control numbers of the group do not match",
    "5": "wrong count of sets",
    "6": "group control number violates syntax",
}
# A accepted, E accepted with errors, P in part, R refused; M, W and X are refusals for reasons of security.
_SET_VERDICTS = ("A", "E", "R", "M", "W", "X")
_GROUP_VERDICTS = (*_SET_VERDICTS, "P")


def decode_997(document: TransactionSet) -> Decoded[FunctionalAcknowledgement]:
    """The acknowledgement, or None with an error where it names no group or a verdict that is not known."""
    notes = Notes(document)
    ak1 = next((segment for segment in document.segments if segment.tag == "AK1"), None)
    ak9 = next((segment for segment in document.segments if segment.tag == "AK9"), None)
    if ak1 is not None and len(ak1.value(1)) != 2:
        notes.error("group", f"{ak1.value(1)!r} is no functional identifier", ak1, 1)
    if ak1 is None or ak9 is None:
        notes.error("group", "The acknowledgement names no group or no result", ak1 or ak9)
        return Decoded(None, tuple(notes.faults))
    if ak9.value(1) not in _GROUP_VERDICTS:
        notes.error("verdict", f"The verdict {ak9.value(1)!r} is not known", ak9, 1)
    sets: list[AcknowledgedSet] = []
    opening: Segment | None = None
    faults: list[AcknowledgedFault] = []
    parent: AcknowledgedFault | None = None
    for segment in document.segments:
        if segment.tag == "AK2":
            opening, faults, parent = segment, [], None
        elif segment.tag in ("AK3", "IK3"):
            parent = _segment_fault(segment)
            faults.append(parent)
        elif segment.tag in ("AK4", "IK4"):
            faults.append(_element_fault(segment, parent))
        elif segment.tag in ("AK5", "IK5"):
            if segment.value(1) not in _SET_VERDICTS:
                notes.error("verdict", f"The verdict {segment.value(1)!r} is not known", segment, 1)
            if opening is None:
                notes.warning("set", "A verdict names no set of ours", segment)
                continue
            sets.append(_set(opening, segment, faults))
            opening = None
    group_codes = [segment_code for at in range(5, 10) if (segment_code := ak9.value(at))]
    acknowledgement = FunctionalAcknowledgement(
        functional_id=ak1.value(1),
        group_control=ak1.value(2),
        verdict=ak9.value(1),
        sets=tuple(sets),
        included=_count(ak9, 2),
        received=_count(ak9, 3),
        accepted=_count(ak9, 4),
        errors=tuple(_GROUP_ERRORS.get(code, f"code {code}") for code in group_codes),
    )
    return Decoded(None if notes.failed else acknowledgement, tuple(notes.faults))


def _set(opening: Segment, closing: Segment, faults: list[AcknowledgedFault]) -> AcknowledgedSet:
    codes = tuple(code for at in range(2, 7) if (code := closing.value(at)))
    # 5 only repeats that there are faults of segments, which are listed themselves.
    whole = [_SET_ERRORS.get(code, f"code {code}") for code in codes if code != "5" or not faults]
    return AcknowledgedSet(
        kind=opening.value(1),
        control=opening.value(2),
        verdict=closing.value(1),
        errors=(*(fault.message for fault in faults), *whole),
        faults=tuple(faults),
        codes=codes,
    )


def _segment_fault(segment: Segment) -> AcknowledgedFault:
    code = segment.value(4)
    reason = _SEGMENT_ERRORS.get(code, f"code {code}")
    place = f"{segment.value(1)} at {segment.value(2)}"
    return AcknowledgedFault(segment.value(1), _count(segment, 2), code, f"segment {place}: {reason}")


def _element_fault(segment: Segment, parent: AcknowledgedFault | None) -> AcknowledgedFault:
    """An element of `parent`, the segment that was named last."""
    place = f"{parent.segment} at {parent.segment_number}" if parent is not None else "?"
    code, value = segment.value(3), segment.value(4)
    reason = _ELEMENT_ERRORS.get(code, f"code {code}")
    shown = f" ({value!r})" if value else ""
    component = f", component {segment.value(1, 2)}" if segment.value(1, 2) else ""
    return AcknowledgedFault(
        parent.segment if parent is not None else "",
        parent.segment_number if parent is not None else None,
        code,
        f"segment {place}, element {segment.value(1)}{component}: {reason}{shown}",
        _count(segment, 1),
        _count(segment, 1, 2),
        segment.value(2),
        value,
    )


def _count(segment: Segment, element: int, component: int = 1) -> int | None:
    text = segment.value(element, component)
    return int(text) if text.isdecimal() and text.isascii() and len(text) < 10 else None
