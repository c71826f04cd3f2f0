"""Checks the segments of one X12 set against our map with pyx12's engine and says in plain words what does not fit.

pyx12 is used below its document level (`walk_tree`, `segment_if.is_valid_errors`), where it is pure: its reader knows
no byte offsets, refuses unknown interchange versions and raises for a set without a map.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from pyx12.error_item import EleError, SegError
from pyx12.errors import EngineError
from pyx12.map_if import map_if, segment_if
from pyx12.map_walker import walk_tree
from pyx12.params import ParamsBase
from pyx12.segment import Segment as Pyx12Segment

from core.edi.interchanges import Fault, Level, Segment, Severity
from core.edi.maps.build_maps import FOLDER, set_map
from core.edi.maps.table import ELEMENTS, OPEN_SEGMENTS, SEGMENTS, SETS, SYNTAX
from core.edi.x12_values import day, is_decimal, is_unknown_date

_START = "/ISA_LOOP/GS_LOOP/GS"
_CONTROL = re.compile(r"[\x00-\x1f]")


def has_map(kind: str) -> bool:
    return kind in SETS


def map_faults(kind: str, segments: tuple[Segment, ...]) -> tuple[Fault, ...]:
    """Faults of a set whose kind has a map, in the order of its segments."""
    root, known = _map(kind)
    walker = walk_tree()
    node: Any = root.getnodebypath(_START)
    walker.forceWalkCounterToLoopStart("/ISA_LOOP/GS_LOOP", _START)
    faults: list[Fault] = []
    for segment in segments:
        parsed = _for_pyx12(segment)
        try:
            found, _, _, walk_errors = walker.walk_errors(node, parsed, segment.number, segment.number, None)
        except EngineError as error:
            faults.append(_segment_fault(Severity.ERROR, "2", f"{segment.tag} cannot be placed: {error}", segment))
            continue
        faults.extend(_walk_fault(kind, known, segment, error) for error in walk_errors)
        if found is None:
            continue
        node = found
        if isinstance(node, segment_if) and not is_plainly_valid(segment):
            faults.extend(
                fault
                for error in node.is_valid_errors(parsed)[1]
                if (fault := _element_fault(segment, error)) is not None
            )
    return tuple(faults)


def is_plainly_valid(segment: Segment) -> bool:
    """Whether our table alone shows that no element can be at fault: pyx12 then need not look, which halves the time.

    Anything unusual (components, blanks around a value, signs, related elements) is left to pyx12.
    """
    row = _row(segment.tag)
    elements = segment.elements
    if row is None or len(elements) > len(row):
        return False
    for at, (kind, shortest, longest, is_required) in enumerate(row):
        parts = elements[at] if at < len(elements) else ("",)
        text = parts[0]
        if len(parts) != 1:
            return False
        if not text:
            if is_required:
                return False
            continue
        if not shortest <= len(text) <= longest or not _plain(kind, text):
            return False
    return True


def _plain(kind: str, text: str) -> bool:
    if kind in ("AN", "ID"):
        return text.isascii() and text.isprintable() and text[0] != " " and text[-1] != " "
    if not (text.isascii() and text.isdigit()):
        return False
    return kind in ("R", "N0", "N2") or (kind == "DT" and len(text) in (6, 8) and day(text) is not None)


@lru_cache(maxsize=256)
def _row(tag: str) -> tuple[tuple[str, int, int, bool], ...] | None:
    """Type, lengths and need of each element of a segment; None where pyx12 must look."""
    if tag in SYNTAX or (tag not in SEGMENTS and tag not in OPEN_SEGMENTS):
        return None
    names = ["ANY"] * 30 if tag in OPEN_SEGMENTS else SEGMENTS[tag].split()
    return tuple((*ELEMENTS[name.rstrip("!")][:3], name.endswith("!")) for name in names)


@lru_cache(maxsize=32)
def _map(kind: str) -> tuple[map_if, frozenset[str]]:
    parameters = ParamsBase()
    tree = set_map(kind)
    known = frozenset(str(node.get("xid")) for node in tree.iter("segment"))
    return map_if(tree, parameters, str(FOLDER)), known


def _for_pyx12(segment: Segment) -> Pyx12Segment:
    """Trailing empty elements are left out: they are noise, not an error."""
    texts = ["\x1d".join(parts) for parts in segment.elements]
    while texts and not texts[-1].strip("\x1d "):
        texts.pop()
    return Pyx12Segment("\x1c".join([segment.tag, *texts]), "\x1e", "\x1c", "\x1d")


def _walk_fault(kind: str, known: frozenset[str], segment: Segment, error: SegError) -> Fault:
    code = error.err_cde
    if code == "3":
        missing = str(error.map_node.id)
        return Fault(
            Level.SEGMENT,
            Severity.ERROR,
            "3",
            f"The {kind} needs a {missing} segment before segment {segment.number} ({segment.tag}); there is none.",
            segment.number,
            missing,
            offset=segment.offset,
        )
    if code == "1" and segment.tag in known:
        return _segment_fault(
            Severity.WARNING, "2", f"{segment.tag} is not expected at this place of a {kind}", segment
        )
    if code == "1":
        return _segment_fault(Severity.WARNING, "1", f"{segment.tag} is not a segment we know in a {kind}", segment)
    words = {"4": "its loop occurs too often", "5": "it occurs too often"}
    return _segment_fault(Severity.WARNING, code, f"{segment.tag}: {words.get(code, error.err_str)}", segment)


def _segment_fault(severity: Severity, code: str, message: str, segment: Segment) -> Fault:
    return Fault(
        Level.SEGMENT,
        severity,
        code,
        f"{message} (segment {segment.number}).",
        segment.number,
        segment.tag,
        offset=segment.offset,
    )


_PROBLEMS: dict[str, tuple[Severity, str]] = {
    "1": (Severity.ERROR, "is required and empty"),
    "2": (Severity.WARNING, "is needed because a related element is there"),
    "3": (Severity.WARNING, "is one element more than the segment has"),
    "4": (Severity.WARNING, "is too short"),
    "5": (Severity.WARNING, "is too long"),
    "6": (Severity.ERROR, "is not a number or holds a control character"),
    "7": (Severity.ERROR, "is not one of the codes we accept"),
    "8": (Severity.ERROR, "is not a date"),
    "9": (Severity.WARNING, "is not a time"),
    "10": (Severity.WARNING, "may not be there together with a related element"),
}


def _element_fault(segment: Segment, error: EleError) -> Fault | None:
    at = _position(segment.tag, error)
    value = segment.value(at)
    reference = _reference(segment.tag, at)
    kind, _, longest, name = ELEMENTS.get(reference, ("AN", 1, 80, "value"))
    severity, problem = _PROBLEMS.get(error.err_cde, (Severity.ERROR, error.err_str))
    if error.err_cde == "6":
        if kind in ("AN", "ID"):
            # X12 names no character set: only a control character is worth a word.
            if not _CONTROL.search(value):
                return None
            severity = Severity.WARNING
        elif kind == "R" and is_decimal(value):
            return None
    if error.err_cde == "8" and is_unknown_date(value):
        return None
    shown = value if len(value) <= 40 else f"{value[:40]}..."
    limit = f" ({longest} characters at most)" if error.err_cde == "5" else ""
    return Fault(
        Level.ELEMENT,
        severity,
        error.err_cde,
        f"{segment.tag}{at:02d} ({name}) of segment {segment.number} {problem}{limit}"
        + (f": {shown!r}." if value else "."),
        segment.number,
        segment.tag,
        at,
        None,
        value,
        "" if reference == "ANY" else reference,
        segment.offset,
    )


def _position(tag: str, error: EleError) -> int:
    digits = str(error.refdes or "").removeprefix(tag).partition("-")[0]
    return int(digits) if digits.isdigit() else 1


def _reference(tag: str, at: int) -> str:
    row = SEGMENTS.get(tag, "").split()
    return row[at - 1].rstrip("!") if at <= len(row) else "ANY"
