"""The EDIFACT messages we know, as a compact table, and the check of one message against it.

Directories differ in detail (D93A to D19B are in use), so the table holds what they share: segments that must be there,
segments that may be, what must stand before what, and the elements we rely on. Codes are those of CONTRL (list 0085).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby

from core.edi.edifact_segment_table import Component, components_of
from core.edi.edifact_values import FORMATS, is_bad_date, is_other_format, number
from core.edi.interchanges import Fault, Level, Segment, Severity
from core.edi.known_codes import is_date_code, is_function


@dataclass(frozen=True, slots=True)
class Message:
    """`required` segments are an error when missing, `expected` a note; `under` names what must stand before a segment."""

    required: tuple[str, ...]
    segments: frozenset[str]
    expected: tuple[str, ...] = ()
    under: tuple[tuple[str, tuple[str, ...]], ...] = ()


def _tags(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TRADE = _tags(
    "BGM DTM PAI ALI IMD FTX RFF DOC NAD LOC FII CTA COM TAX CUX PAT PCD MOA TDT TOD PAC MEA PCI GIN HAN "
    "EQD SCC QTY APR ALC RNG RTE DGS GIS LIN PIA GIR QVR PRI CNT UNS RCS AJT INP STG EFI INV AUT PGI GEI "
    "RJL PSD TMP SEL EQA CST STA SPS"
)
_PACKED = _tags(
    "BGM DTM ALI MEA MOA CUX RFF NAD LOC CTA COM TOD TDT EQD SEL EQA CPS FTX PAC QTY HAN PCI GIN GIR LIN "
    "PIA IMD QVR DLM DGS CST CNT QUA INV DOC PCD GEI TMP RNG PRI TAX STS AUT UNS ARD CDI"
)
_ITEM = ("LIN",)
_OF_LINES = (("PIA", _ITEM), ("QVR", _ITEM), ("PRI", _ITEM))

KINDS: dict[str, Message] = {
    "ORDERS": Message(("BGM", "DTM"), _TRADE, ("LIN", "UNS"), _OF_LINES),
    "ORDCHG": Message(("BGM", "DTM"), _TRADE, ("UNS",), _OF_LINES),
    "ORDRSP": Message(("BGM", "DTM"), _TRADE, ("UNS",), _OF_LINES),
    "DESADV": Message(
        ("BGM",),
        _PACKED,
        ("LIN",),
        (("LIN", ("CPS",)), ("PIA", _ITEM), ("QVR", _ITEM), ("PCI", ("PAC", "LIN")), ("GIN", ("PAC", "PCI", "LIN"))),
    ),
    "RECADV": Message(("BGM", "DTM"), _PACKED, ("LIN",), (("PIA", _ITEM), ("QVR", ("PAC", "LIN")))),
    "INVRPT": Message(
        ("BGM", "DTM"),
        _tags("BGM DTM RFF NAD LOC CTA COM CUX LIN PIA IMD QTY INV CPS PAC PCI GIN STS UNS CNT FTX MEA PRI ALI QVR"),
        ("LIN",),
        (("PIA", _ITEM), ("QTY", _ITEM)),
    ),
    "IFTSTA": Message(
        ("BGM",),
        _tags(
            "BGM DTM TSR NAD CTA COM RFF LOC FTX CNT CNI STS DOC TDT EQD SEL QTY MEA PCI GID GDS HAN SGP DGS GIN "
            "TPL PAC DIM CUX EQA TMD TMP RNG MOA GIR IMD PIA LIN UNS"
        ),
        ("CNI", "STS"),
    ),
    "APERAK": Message(("BGM",), _tags("BGM DTM FTX CNT DOC RFF NAD CTA COM ERC TDT LOC")),
    "INVOIC": Message(("BGM", "DTM"), _TRADE, ("LIN", "UNS", "MOA"), _OF_LINES),
    "CONTRL": Message(("UCI",), _tags("UCI UCF UCM UCS UCD")),
}

_NAMES = {
    "DTM": "date",
    "QTY": "quantity",
    "QVR": "quantity variance",
    "PIA": "item number",
    "RFF": "reference",
    "NAD": "party",
    "PRI": "price",
    "MOA": "amount",
    "CNT": "control total",
}
_ERRORS_WHEN_NO_NUMBER = ("QTY", "QVR", "UCS")
# Where codes stand that are listed: element, component, and the question whether a code is known.
_CODES: dict[str, tuple[tuple[tuple[int, int], Callable[[str], bool]], ...]] = {
    "BGM": (((3, 1), is_function),),
    "DTM": (((1, 1), is_date_code),),
    "UNS": (((1, 1), "DS".__contains__),),
}
_CANCELLATION = "1"
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_MOST_IN_A_ROW = {"DTM": 35}


def message_faults(kind: str, segments: tuple[Segment, ...]) -> tuple[Fault, ...]:
    """Faults of a message of a known kind, in the order of its segments; the last one may be UNT."""
    message = KINDS[kind]
    body = [segment for segment in segments[1:] if segment.tag != "UNT"]
    faults: list[Fault] = []
    here = {segment.tag for segment in body}
    opening = "UCI" if kind == "CONTRL" else "BGM"
    for tag in message.required:
        first = body[0] if body else segments[-1]
        if tag not in here or (tag == opening and first.tag != opening):
            text = f"{kind} needs a {tag} segment{' directly behind UNH' if tag == opening else ''}; there is none"
            faults.append(_of_segment(Severity.ERROR, "13", text, first, tag))
    bgm = next((segment for segment in body if segment.tag == "BGM"), None)
    # What is taken back needs no lines.
    expected = () if bgm is not None and bgm.value(3) == _CANCELLATION else message.expected
    for tag in expected:
        if tag not in here:
            faults.append(_of_segment(Severity.WARNING, "13", f"{kind} should have a {tag} segment", segments[-1], tag))
    passed: set[str] = set()
    under = dict(message.under)
    for segment in body:
        faults.extend(_placed(kind, message, under, passed, segment))
        faults.extend(_filled(segment))
        passed.add(segment.tag)
    faults.extend(fault for segment in (segments[0], segments[-1]) for fault in _service(segment))
    faults.extend(_repeated(body, opening))
    faults.extend(_counted(body))
    return tuple(faults)


def _placed(
    kind: str, message: Message, under: dict[str, tuple[str, ...]], passed: set[str], segment: Segment
) -> list[Fault]:
    tag = segment.tag
    if len(tag) != 3 or not tag.isascii() or not tag.isalnum():
        return [_of_segment(Severity.ERROR, "15", f"{tag[:10]!r} is not the tag of a segment", segment)]
    if tag not in message.segments:
        return [_of_segment(Severity.WARNING, "15", f"{tag} is not a segment we know in {kind}", segment)]
    needed = under.get(tag)
    if needed is not None and passed.isdisjoint(needed):
        text = f"{tag} stands before any {' or '.join(needed)}"
        return [_of_segment(Severity.WARNING, "15", text, segment)]
    return []


def _filled(segment: Segment) -> list[Fault]:
    """Each element against the table: filled where it must be, a number where it must be one, not too long."""
    tag = segment.tag
    table = components_of(tag)
    faults: list[Fault] = [] if table is None else _against(segment, table)
    for place, is_known in _CODES.get(tag, ()):
        if segment.value(*place) and not is_known(segment.value(*place)):
            faults.append(_of_element(Severity.WARNING, "12", "is not one of the codes we know", segment, *place))
    if tag == "DTM":
        if segment.value(1, 3) not in FORMATS:
            faults.append(_of_element(Severity.WARNING, "14", "is a date format we do not know", segment, 1, 3))
        elif is_bad_date(segment):
            faults.append(_of_element(Severity.ERROR, "12", "is not a date", segment, 1, 2))
        elif is_other_format(segment):
            problem = f"is not written in the format {segment.value(1, 3)}"
            faults.append(_of_element(Severity.WARNING, "12", problem, segment, 1, 2))
    return faults


def _service(segment: Segment) -> list[Fault]:
    """UNH and UNT: what is missing or does not match is said of the message, what is too long here."""
    found = _filled(segment) if segment.tag in ("UNH", "UNT") else []
    return [fault for fault in found if fault.code not in ("13", "37")]


def _against(segment: Segment, table: tuple[tuple[Component, ...], ...]) -> list[Fault]:
    faults: list[Fault] = []
    for element, components in enumerate(table, start=1):
        parts = segment.elements[element - 1] if element <= len(segment.elements) else ()
        for place, component in enumerate(components, start=1):
            value = parts[place - 1].strip() if place <= len(parts) else ""
            if not value:
                if component.is_required and (place == 1 or element == 1 or any(part.strip() for part in parts)):
                    faults.append(_of_element(Severity.ERROR, "13", "is required and empty", segment, element, place))
                continue
            if (component.is_number or (segment.tag == "QTY" and place == 2)) and number(value) is None:
                severity = Severity.ERROR if segment.tag in _ERRORS_WHEN_NO_NUMBER else Severity.WARNING
                faults.append(_of_element(severity, "37", "is not a number", segment, element, place))
            elif len(value) > component.longest:
                problem = f"is too long ({component.longest} characters at most)"
                faults.append(_of_element(Severity.WARNING, "39", problem, segment, element, place))
            if not value.isprintable() and _CONTROL.search(value):
                problem = "holds a control character"
                faults.append(_of_element(Severity.WARNING, "21", problem, segment, element, place))
        for place in range(len(components) + 1, len(parts) + 1):
            if parts[place - 1].strip():
                problem = "is one component more than the element has"
                faults.append(_of_element(Severity.WARNING, "16", problem, segment, element, place))
                break
    for element in range(len(table) + 1, len(segment.elements) + 1):
        if any(part.strip() for part in segment.elements[element - 1]):
            problem = "is one element more than the segment has"
            faults.append(_of_element(Severity.WARNING, "16", problem, segment, element, 1))
            break
    return faults


def _repeated(body: list[Segment], opening: str) -> list[Fault]:
    """The segment behind UNH more than once, and more of a kind in a row than any directory allows."""
    more = [segment for segment in body if segment.tag == opening][1:2]
    faults = [_of_segment(Severity.WARNING, "35", f"{opening} occurs more than once", segment) for segment in more]
    for tag, row in groupby(body, key=lambda segment: segment.tag):
        most = _MOST_IN_A_ROW.get(tag)
        following = list(row) if most is not None else []
        if most is not None and len(following) > most:
            text = f"{tag} occurs {len(following)} times in a row, {most} are allowed"
            faults.append(_of_segment(Severity.WARNING, "35", text, following[most]))
    return faults


def _counted(body: list[Segment]) -> list[Fault]:
    """CNT 2 is the number of line items."""
    lines = sum(segment.tag == "LIN" for segment in body)
    faults: list[Fault] = []
    for segment in body:
        if segment.tag == "CNT" and segment.value(1) == "2":
            claimed = number(segment.value(1, 2))
            if claimed is not None and claimed != lines:
                text = f"says {segment.value(1, 2)!r} lines; {lines} came"
                faults.append(_of_element(Severity.WARNING, "29", text, segment, 1, 2))
    return faults


def _of_segment(severity: Severity, code: str, message: str, segment: Segment, tag: str = "") -> Fault:
    text = f"{message} (segment {segment.number})."
    return Fault(Level.SEGMENT, severity, code, text, segment.number, tag or segment.tag[:6], offset=segment.offset)


def _of_element(severity: Severity, code: str, problem: str, segment: Segment, element: int, component: int) -> Fault:
    value = segment.value(element, component)
    shown = value if len(value) <= 40 else f"{value[:40]}..."
    name = f" ({_NAMES[segment.tag]})" if segment.tag in _NAMES else ""
    text = f"Element {element}, component {component} of {segment.tag}{name} in segment {segment.number} {problem}"
    text += f": {shown!r}." if value and "says" not in problem else "."
    return Fault(
        Level.ELEMENT, severity, code, text, segment.number, segment.tag, element, component, value, "", segment.offset
    )
