"""Recognises UN/EDIFACT interchanges and lists their messages; nothing is taken from them yet, and each says so."""

from __future__ import annotations

import hashlib
import re

from core.edi.interchanges import (
    Fault,
    Group,
    Interchange,
    Level,
    ReadResult,
    Segment,
    Separators,
    Severity,
    TransactionSet,
)
from core.edi.normaliser import DEFAULT_LIMITS, Limits

_PADDING = "\xef\xbb\xbf\r\n\t \x00\x1a"
_START = re.compile(r"UN[AB](?=[^A-Za-z0-9])")


class EdifactReader:
    """The EDIFACT side of the reader port, at the depth of the envelope."""

    def __init__(self, limits: Limits = DEFAULT_LIMITS) -> None:
        self.limits = limits

    def read(self, data: bytes) -> ReadResult:
        if len(data) > self.limits.file_bytes:
            text = f"The file has {len(data)} bytes; {self.limits.file_bytes} are allowed."
            return ReadResult((), (Fault(Level.FILE, Severity.ERROR, "size", text),))
        text = data.decode("latin-1")
        marks = _marks(text)
        segments: list[Segment] = []
        for raw, at, end in _split(text, marks):
            parsed = _parse(raw, marks, at, end)
            segments.append(parsed)
            if len(segments) > self.limits.segments:
                over = f"The file has more than {self.limits.segments} segments."
                return ReadResult((), (Fault(Level.FILE, Severity.ERROR, "segments", over),))
        interchanges: list[Interchange] = []
        block: list[Segment] = []
        for segment in segments:
            if segment.tag == "UNB" and block:
                interchanges.append(_interchange(data, block, marks))
                block = []
            block.append(segment)
        if block:
            interchanges.append(_interchange(data, block, marks))
        return ReadResult(tuple(interchanges))


def _marks(text: str) -> tuple[Separators, str]:
    """Separators and release mark, from the first UNA or the defaults of the standard."""
    start = _START.search(text)
    if start is not None and text[start.start() : start.start() + 3] == "UNA":
        found = text[start.end() : start.end() + 6]
        if len(found) == 6 and len(set(found[:2] + found[5])) == 3:
            return Separators(found[1], found[0], found[5], ""), found[3] if found[3] != " " else ""
    return Separators("+", ":", "'", ""), "?"


def _split(text: str, marks: tuple[Separators, str]) -> list[tuple[str, int, int]]:
    """Text, start and end of every segment; UNA is no segment."""
    separators, release = marks
    escaped = f"{re.escape(release)}.|" if release else ""
    found: list[tuple[str, int, int]] = []
    start = 0
    for mark in re.finditer(escaped + re.escape(separators.segment), text, re.DOTALL):
        if mark.group() == separators.segment:
            found.append((text[start : mark.start()], start, mark.end()))
            start = mark.end()
    found.append((text[start:], start, len(text)))
    pieces = ((piece.strip(_PADDING), begin, end) for piece, begin, end in found)
    return [(piece, begin, end) for piece, begin, end in pieces if piece and not piece.startswith("UNA")]


def _parse(raw: str, marks: tuple[Separators, str], at: int, end: int) -> Segment:
    separators, release = marks
    free = f"(?<!{re.escape(release)})" if release else ""
    tag, *elements = re.split(free + re.escape(separators.element), raw)
    component = re.compile(free + re.escape(separators.component))
    return Segment(re.sub(r"\s", "", tag), tuple(tuple(component.split(value)) for value in elements), 0, at, end)


def _interchange(data: bytes, block: list[Segment], marks: tuple[Separators, str]) -> Interchange:
    head = block[0] if block[0].tag == "UNB" else Segment("UNB", (), 0, block[0].offset, block[0].end)
    starts = [at for at, segment in enumerate(block) if segment.tag == "UNH"]
    messages: list[TransactionSet] = []
    for position, at in enumerate(starts):
        following = starts[position + 1] if position + 1 < len(starts) else len(block)
        body = block[at:following]
        last = next((place for place, segment in enumerate(body) if segment.tag == "UNT"), len(body) - 1)
        messages.append(_message(data, body[: last + 1], len(messages) + 1, head))
    return Interchange(
        standard="EDIFACT",
        sender_qualifier=head.value(2, 2),
        sender_id=head.value(2),
        receiver_qualifier=head.value(3, 2),
        receiver_id=head.value(3),
        control=head.value(5),
        usage="T" if head.value(11) == "1" else "P",
        date=head.value(4),
        time=head.value(4, 2),
        version=head.value(1),
        separators=marks[0],
        header=tuple(":".join(parts) for parts in head.elements),
        groups=(Group("", head.value(5), "", head.value(2), head.value(3), tuple(messages)),) if messages else (),
        raw=data[block[0].offset : block[-1].end],
        offset=block[0].offset,
    )


def _message(data: bytes, body: list[Segment], position: int, head: Segment) -> TransactionSet:
    opening = body[0]
    kind = opening.value(2)
    raw = data[opening.offset : body[-1].end]
    fault = Fault(
        Level.SET,
        Severity.ERROR,
        "unsupported",
        f"This is an EDIFACT {kind or 'message'}: EDIFACT is recognised, but not supported yet.",
        1,
        "UNH",
        2,
        1,
        kind,
        offset=opening.offset,
    )
    return TransactionSet(
        kind=kind,
        control=opening.value(1),
        version=opening.value(2, 2) + opening.value(2, 3),
        segments=tuple(Segment(s.tag, s.elements, at, s.offset, s.end) for at, s in enumerate(body, start=1)),
        raw=raw,
        sha256=hashlib.sha256(raw).hexdigest(),
        faults=(fault,),
        sequence=f"{head.value(4)}T{head.value(4, 2)}-{head.value(5):0>14}-{position:06d}",
        offset=opening.offset,
    )
