"""Checks the segments of one X12 set against our map with pyx12's engine and says in plain words what does not fit.

pyx12 is used below its document level (`walk_tree`, `segment_if.is_valid_errors`), where it is pure: its reader knows
no byte offsets, refuses unknown interchange versions and raises for a set without a map.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from functools import lru_cache
from typing import Any

from pyx12.error_item import EleError, SegError
from pyx12.errors import EngineError
from pyx12.map_if import map_if, segment_if
from pyx12.map_walker import walk_tree
from pyx12.params import ParamsBase
from pyx12.segment import Segment as Pyx12Segment

from core.edi.interchanges import Fault, Level, Segment, Severity
from core.edi.known_codes import X12, is_known_x12
from core.edi.maps.build_maps import FOLDER, set_map
from core.edi.maps.elements import ELEMENTS
from core.edi.maps.segments import OPEN_SEGMENTS, SEGMENTS, SYNTAX
from core.edi.maps.table import LINES, SETS, SUMMARY, Row
from core.edi.x12_values import day, is_decimal, is_unknown_date

_START = "/ISA_LOOP/GS_LOOP/GS"
_CONTROL = re.compile(r"[\x00-\x1f]")


def has_map(kind: str) -> bool:
    return kind in SETS


def map_faults(kind: str, segments: tuple[Segment, ...]) -> tuple[Fault, ...]:
    """Faults of a set whose kind has a map, in the order of its segments."""
    root, anywhere = _map(kind)
    walker = walk_tree()
    node: Any = root.getnodebypath(_START)
    walker.forceWalkCounterToLoopStart("/ISA_LOOP/GS_LOOP", _START)
    faults: list[Fault] = []
    last_line = max((at for at, segment in enumerate(segments) if segment.tag in LINES), default=0)
    for at, segment in enumerate(segments):
        if at < last_line and segment.tag in SUMMARY:
            # Taken in its turn it would end the lines, and each one behind it would be a fault of its own.
            text = f"{segment.tag} stands before the lines it sums up"
            faults.append(_segment_fault(Severity.WARNING, "7", text, segment))
            continue
        parsed = _for_pyx12(segment)
        try:
            found, _, _, walk_errors = walker.walk_errors(node, parsed, segment.number, segment.number, None)
        except EngineError as error:
            faults.append(_segment_fault(Severity.ERROR, "2", f"{segment.tag} cannot be placed: {error}", segment))
            continue
        faults.extend(_walk_fault(kind, anywhere, segment, error) for error in walk_errors)
        # What stands at a wrong place is looked into all the same: what it says is read.
        node, judge = found or node, found or anywhere.get(segment.tag)
        if judge is None:
            continue
        if isinstance(judge, segment_if) and not is_plainly_valid(segment):
            faults.extend(
                fault
                for error in judge.is_valid_errors(parsed)[1]
                if (fault := _element_fault(segment, error)) is not None
            )
        faults.extend(_related_faults(segment))
        faults.extend(_code_faults(segment))
    return tuple(faults)


def is_plainly_valid(segment: Segment) -> bool:
    """Whether our table alone shows that no element can be at fault: pyx12 then need not look, which halves the time.

    Anything unusual (components, blanks around a value, signs) is left to pyx12.
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


def _related_faults(segment: Segment) -> list[Fault]:
    """Elements that are missing, or too many, because of others of the same segment."""
    rules = _rules(segment.tag)
    if not rules:
        return []
    filled = {at for at, parts in enumerate(segment.elements, start=1) if any(part.strip() for part in parts)}
    found: dict[tuple[int, str], None] = {}
    for kind, places in rules:
        here = [at for at in places if at in filled]
        if kind == "E":
            if len(here) > 1:
                found[here[-1], "10"] = None
        elif kind == "R":
            if not here:
                found[places[0], "2"] = None
        elif not here or (kind in "CL" and places[0] not in filled):
            continue
        elif len(here) < len(places) and (kind != "L" or len(here) == 1):
            found[next(at for at in places if at not in filled), "2"] = None
    return [_fault_at(segment, at, code) for at, code in found]


def _code_faults(segment: Segment) -> list[Fault]:
    """Codes that are in no list we know: noted, because a sender may have more than we do."""
    found: list[Fault] = []
    for at, reference in _listed(segment.tag):
        code = segment.value(at)
        if code and not is_known_x12(reference, code):
            found.append(_fault_at(segment, at, "7", Severity.WARNING, "is not one of the codes we know"))
    return found


@lru_cache(maxsize=256)
def _listed(tag: str) -> tuple[tuple[int, str], ...]:
    """Places of a segment whose codes are listed, and the elements that stand there."""
    row = [name.rstrip("!") for name in SEGMENTS.get(tag, "").split()]
    return tuple((at, reference) for at, reference in enumerate(row, start=1) if reference in X12)


@lru_cache(maxsize=256)
def _rules(tag: str) -> tuple[tuple[str, tuple[int, ...]], ...]:
    texts = SYNTAX.get(tag, ())
    return tuple((rule[0], tuple(int(rule[at : at + 2]) for at in range(1, len(rule), 2))) for rule in texts)


def _plain(kind: str, text: str) -> bool:
    if kind in ("AN", "ID"):
        return text.isascii() and text.isprintable() and text[0] != " " and text[-1] != " "
    if not (text.isascii() and text.isdigit()):
        return False
    return kind in ("R", "N0", "N2") or (kind == "DT" and len(text) in (6, 8) and day(text) is not None)


@lru_cache(maxsize=256)
def _row(tag: str) -> tuple[tuple[str, int, int, bool], ...] | None:
    """Type, lengths and need of each element of a segment; None where pyx12 must look."""
    if tag not in SEGMENTS and tag not in OPEN_SEGMENTS:
        return None
    names = ["ANY"] * 30 if tag in OPEN_SEGMENTS else SEGMENTS[tag].split()
    return tuple((*ELEMENTS[name.rstrip("!")][:3], name.endswith("!")) for name in names)


def _belongs(kind: str, tag: str) -> str:
    """Under which segment it belongs, where it can stand under one only."""
    openings = {row[0] for row in _loops(SETS[kind]) if any(isinstance(r, str) and _tag(r) == tag for r in row[1:])}
    if len(openings) != 1 or any(isinstance(row, str) and _tag(row) == tag for row in SETS[kind]):
        return ""
    return f": it belongs under {_tag(str(openings.pop()))}"


def _loops(rows: tuple[Row, ...]) -> Iterator[tuple[Row, ...]]:
    for row in rows:
        if isinstance(row, tuple):
            yield row
            yield from _loops(row)


def _tag(row: str) -> str:
    return row.partition(" ")[0].rstrip("!")


@lru_cache(maxsize=32)
def _map(kind: str) -> tuple[map_if, dict[str, segment_if]]:
    """The map of a set, and one node for each tag that it has anywhere."""
    root = map_if(set_map(kind), ParamsBase(), str(FOLDER))
    return root, {str(node.id): node for node in reversed(list(_segments_below(root)))}


def _segments_below(node: Any) -> Iterator[segment_if]:
    for below in (child for at in sorted(node.pos_map) for child in node.pos_map[at]):
        if isinstance(below, segment_if):
            yield below
        else:
            yield from _segments_below(below)


def _for_pyx12(segment: Segment) -> Pyx12Segment:
    """Trailing empty elements are left out: they are noise, not an error."""
    texts = ["\x1d".join(parts) for parts in segment.elements]
    while texts and not texts[-1].strip("\x1d "):
        texts.pop()
    return Pyx12Segment("\x1c".join([segment.tag, *texts]), "\x1e", "\x1c", "\x1d")


def _walk_fault(kind: str, known: Container[str], segment: Segment, error: SegError) -> Fault:
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
        text = f"{segment.tag} is not expected at this place of a {kind}{_belongs(kind, segment.tag)}"
        return _segment_fault(Severity.WARNING, "2", text, segment)
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
    "6": (Severity.ERROR, "is not a number"),
    "7": (Severity.ERROR, "is not one of the codes we accept"),
    "8": (Severity.ERROR, "is not a date"),
    "9": (Severity.WARNING, "is not a time"),
    "10": (Severity.WARNING, "may not be there together with a related element"),
}


def _element_fault(segment: Segment, error: EleError) -> Fault | None:
    at = _position(segment.tag, error)
    value = segment.value(at)
    reference = _reference(segment.tag, at)
    kind = ELEMENTS.get(reference, ("AN",))[0]
    severity, problem = _PROBLEMS.get(error.err_cde, (Severity.ERROR, error.err_str))
    if error.err_cde == "6":
        if kind in ("AN", "ID"):
            # X12 names no character set: only a control character is worth a word.
            if not _CONTROL.search(value):
                return None
            severity, problem = Severity.WARNING, "holds a control character"
        elif kind == "R" and is_decimal(value):
            return None
    if error.err_cde == "8" and is_unknown_date(value):
        return None
    return _fault_at(segment, at, error.err_cde, severity, problem)


def _fault_at(segment: Segment, at: int, code: str, severity: Severity | None = None, problem: str = "") -> Fault:
    """A fault of the element `at`, in the usual words of its code unless others are given."""
    usual, words = _PROBLEMS.get(code, (Severity.ERROR, "is at fault"))
    value, reference = segment.value(at), _reference(segment.tag, at)
    _, _, longest, name = ELEMENTS.get(reference, ("AN", 1, 80, "value"))
    shown = value if len(value) <= 40 else f"{value[:40]}..."
    limit = f" ({longest} characters at most)" if code == "5" else ""
    return Fault(
        Level.ELEMENT,
        severity or usual,
        code,
        f"{segment.tag}{at:02d} ({name}) of segment {segment.number} {problem or words}{limit}"
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
