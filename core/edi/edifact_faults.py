"""Faults of the EDIFACT envelope in the terms of CONTRL, and the character sets that UNB may name."""

from __future__ import annotations

from core.edi.interchanges import Fault, Level, Segment, Severity, fault
from core.edi.known_codes import is_directory
from core.edi.x12_values import same_number

# Syntax identifier of UNB to the character set it stands for (list 0001).
CHARACTER_SETS = {
    "UNOA": "ascii",
    "UNOB": "ascii",
    "UNOC": "iso8859-1",
    "UNOD": "iso8859-2",
    "UNOE": "iso8859-5",
    "UNOF": "iso8859-7",
    "UNOG": "iso8859-3",
    "UNOH": "iso8859-4",
    "UNOI": "iso8859-6",
    "UNOJ": "iso8859-8",
    "UNOK": "iso8859-9",
    "UNOL": "iso8859-15",
    "UNOW": "utf-8",
    "UNOX": "iso2022_jp_2",
    "UNOY": "utf-8",
}


def trailer_faults(reference: str, count: int, trailer: Segment) -> list[Fault]:
    faults: list[Fault] = []
    claimed = trailer.value(1)
    if not same_number(claimed, str(count)):
        text = f"UNT says {claimed!r} segments; {count} came."
        faults.append(warning(Level.SET, "29", text, trailer, 1, claimed))
    if trailer.value(2) != reference:
        text = f"The reference of UNT is {trailer.value(2)!r}, that of UNH is {reference!r}."
        faults.append(warning(Level.SET, "28", text, trailer, 2, trailer.value(2)))
    return faults


def version_faults(opening: Segment) -> list[Fault]:
    """UNH S009: version, release and agency have to be named, and the first two can name a directory."""
    version, release = opening.value(2, 2), opening.value(2, 3)
    found = [
        fault(Level.SET, "13", f"UNH names no {name}.", opening, Severity.WARNING, 2, component=component)
        for component, name in ((2, "version (0052)"), (3, "release (0054)"), (4, "agency (0051)"))
        if not opening.value(2, component)
    ]
    if version and release and not is_directory(version, release):
        text = f"UNH names the directory {version[:6]}.{release[:6]}, which there is not."
        found.append(fault(Level.SET, "12", text, opening, Severity.WARNING, 2, release, 3))
    return found


def warning(level: Level, code: str, message: str, segment: Segment, element: int, value: str) -> Fault:
    return fault(level, code, message, segment, Severity.WARNING, element, value)
