"""Totals that an X12 set says of itself: how many lines it has, and how many sets an acknowledgement counts.

A wrong one is only noted: the lines themselves are there, and what they say counts.
"""

from __future__ import annotations

from core.edi.interchanges import Fault, Level, Segment, Severity, fault

# Kind of set to the segments that open a line. A ship notice counts its HL levels; some senders count articles.
_LINES: dict[str, tuple[str, ...]] = {
    "850": ("PO1",),
    "855": ("PO1",),
    "860": ("POC",),
    "865": ("POC",),
    "810": ("IT1",),
    "846": ("LIN",),
    "856": ("HL", "LIN", "SN1"),
    "861": ("RCD",),
    "940": ("W01", "LX"),
    "945": ("W12", "LX"),
}


def total_faults(kind: str, segments: tuple[Segment, ...]) -> tuple[Fault, ...]:
    """Faults of CTT01, and of the counts of an AK9, in the order of the segments."""
    tags = [segment.tag for segment in segments]
    counts = [tags.count(tag) for tag in _LINES.get(kind, ())]
    faults: list[Fault] = []
    for segment in segments:
        if segment.tag == "CTT" and counts and _number(segment, 1) not in (None, *counts):
            claimed = segment.value(1)
            text = f"CTT01 of segment {segment.number} says {claimed!r} lines; {counts[0]} came."
            faults.append(_note(text, segment, 1, claimed))
        elif segment.tag == "AK9":
            faults.extend(_acknowledged(segment, tags.count("AK2")))
    return tuple(faults)


def _acknowledged(ak9: Segment, answered: int) -> list[Fault]:
    """AK902 sets included, AK903 received, AK904 accepted: no more can be accepted than came, nor answered."""
    received, accepted = _number(ak9, 3), _number(ak9, 4)
    found: list[Fault] = []
    if received is not None and answered > received:
        text = f"AK903 of segment {ak9.number} says {received} sets; {answered} are answered."
        found.append(_note(text, ak9, 3, ak9.value(3)))
    if received is not None and accepted is not None and accepted > received:
        text = f"AK904 of segment {ak9.number} accepts {accepted} sets of {received}."
        found.append(_note(text, ak9, 4, ak9.value(4)))
    return found


def _number(segment: Segment, element: int) -> int | None:
    text = segment.value(element)
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def _note(text: str, segment: Segment, element: int, value: str) -> Fault:
    # Of the segment (8: it has errors), as no code of AK4 says that a number is another.
    return fault(Level.SEGMENT, "8", text, segment, Severity.WARNING, element, value)
