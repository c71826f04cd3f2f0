"""Writes a TA1: the answer to the envelope of one received interchange."""

from __future__ import annotations

from core.edi.decode_ta1 import NOTES
from core.edi.interchanges import Interchange, Severity
from core.edi.x12_writer import Envelope, free_text, write_bare_interchange


def write_ta1(interchange: Interchange, envelope: Envelope, note: str = "") -> bytes:
    """The whole interchange. `note` is a code of our own finding (025 for a number used before); without one, the first
    fault of the envelope speaks: an error refuses, anything else is accepted with errors."""
    faults = sorted(interchange.faults, key=lambda fault: fault.severity is not Severity.ERROR)
    code = note or next((fault.code if fault.code in NOTES else "022" for fault in faults), "000")
    if note:
        verdict = "A" if note == "000" else "R"
    else:
        verdict = "A" if not faults else "R" if faults[0].severity is Severity.ERROR else "E"
    row = ("TA1", *(free_text(text, most) for text, most in _identity(interchange)), verdict, code)
    return write_bare_interchange([row], envelope)


def _identity(interchange: Interchange) -> tuple[tuple[str, int], ...]:
    return ((interchange.control, 9), (interchange.date, 6), (interchange.time, 4))
