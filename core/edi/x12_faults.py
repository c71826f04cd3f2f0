"""Faults of the X12 envelope: what GS says, what SE counts, and how a fault of a segment is written down."""

from __future__ import annotations

import re

from core.edi.interchanges import Fault, Level, Segment, Severity, fault
from core.edi.known_codes import is_group_version
from core.edi.x12_values import day, same_number

TIME = re.compile(r"([01]\d|2[0-3])[0-5]\d([0-5]\d)?")


def header_faults(gs: Segment) -> list[Fault]:
    """GS: who, when and which version; the set needs none of it, so all of it is only noted."""
    found: list[tuple[int, str, str]] = []
    for element, name in ((2, "sender"), (3, "receiver"), (8, "version")):
        if not gs.value(element):
            found.append((element, "1", f"GS{element:02d} names no {name}."))
    if day(gs.value(4)) is None:
        found.append((4, "8", f"GS04 is {gs.value(4)!r}, which is not a date."))
    if not TIME.match(gs.value(5)):
        found.append((5, "9", f"GS05 is {gs.value(5)!r}, which is not a time."))
    version = gs.value(8)
    if version and not is_group_version(version):
        found.append((8, "7", f"GS08 is {version!r}, which is no version of X12."))
    return [
        fault(Level.ELEMENT, code, text, gs, Severity.WARNING, element, gs.value(element))
        for element, code, text in found
    ]


def trailer_faults(control: str, count: int, trailer: Segment) -> list[Fault]:
    faults: list[Fault] = []
    claimed = trailer.value(1)
    if not same_number(claimed, str(count)):
        text = f"SE01 says {claimed!r} segments; {count} came."
        faults.append(fault(Level.SET, "4", text, trailer, Severity.WARNING, 1, claimed))
    if trailer.value(2) != control:
        text = f"SE02 is {trailer.value(2)!r}, ST02 is {control!r}."
        faults.append(fault(Level.SET, "3", text, trailer, Severity.WARNING, 2, trailer.value(2)))
    return faults
