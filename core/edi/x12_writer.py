"""Writes X12: the envelope and the sets of one group through pyx12's writer, which counts and closes the trailers."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from pyx12.segment import Segment as Pyx12Segment
from pyx12.x12file import X12Writer

from core.edi.interchanges import Separators
from core.errors import InvalidInput

OUR_SEPARATORS = Separators(element="*", component=">", segment="~", repetition="")
LAST_CONTROL = 999_999_999
_REPETITION = "^"
_FREE_TEXT = re.compile(r"[*>~^\x00-\x1f\x7f-\x9f]+")

Row = Sequence[object]


@dataclass(frozen=True, slots=True)
class Envelope:
    """Who sends what to whom under which numbers; `at` is the local moment written into ISA and GS.

    `set_control` is the number of the first set, the next ones follow. `version` is GS08; ISA12 follows from it.
    """

    sender_qualifier: str
    sender_id: str
    receiver_qualifier: str
    receiver_id: str
    group_sender: str
    group_receiver: str
    interchange_control: int
    group_control: int
    set_control: int
    at: datetime
    usage: str = "P"
    version: str = "004010"
    acknowledgement_requested: bool = False


def write_interchange(
    kind: str, functional_id: str, sets: Sequence[Sequence[Row]], envelope: Envelope, implementation: str = ""
) -> bytes:
    """One interchange with one group of `sets` (rows without ST and SE). Empty elements at a row's end are left out.

    `implementation` is ST03, of sets that have one.

    InvalidInput where an envelope value or an element cannot be written (too long, or it holds a separator).
    """
    _check(envelope)
    out = io.StringIO()
    marks = OUR_SEPARATORS
    writer = X12Writer(out, marks.segment, marks.element, marks.component, "\n", _REPETITION)
    writer.Write(_segment(_isa(envelope)))
    writer.Write(
        _segment(
            (
                "GS",
                functional_id,
                envelope.group_sender,
                envelope.group_receiver,
                envelope.at.strftime("%Y%m%d"),
                envelope.at.strftime("%H%M"),
                str(envelope.group_control),
                "X",
                envelope.version,
            )
        )
    )
    for position, rows in enumerate(sets):
        control = f"{envelope.set_control + position:04d}"
        writer.Write(_segment(("ST", kind, control, implementation) if implementation else ("ST", kind, control)))
        for row in rows:
            writer.Write(_segment([_text(value) for value in row]))
        writer.Write(_segment(("SE", "0", control)))
    writer.close()
    try:
        return out.getvalue().encode("ascii")
    except UnicodeEncodeError:
        return out.getvalue().encode("utf-8")


def write_bare_interchange(rows: Sequence[Row], envelope: Envelope) -> bytes:
    """An interchange without any group: `rows` stand between ISA and IEA, as TA1 does."""
    _check(envelope)
    body = [_isa(envelope), *([_text(value) for value in row] for row in rows)]
    body.append(["IEA", "0", f"{envelope.interchange_control:09d}"])
    return "".join(f"{_segment(row).format()}\n" for row in body).encode("ascii")


def _isa(envelope: Envelope) -> Sequence[str]:
    icvn = "00501" if envelope.version >= "005" else "00401"
    return (
        "ISA",
        "00",
        " " * 10,
        "00",
        " " * 10,
        envelope.sender_qualifier.ljust(2),
        envelope.sender_id.ljust(15),
        envelope.receiver_qualifier.ljust(2),
        envelope.receiver_id.ljust(15),
        envelope.at.strftime("%y%m%d"),
        envelope.at.strftime("%H%M"),
        _REPETITION if icvn == "00501" else "U",
        icvn,
        f"{envelope.interchange_control:09d}",
        "1" if envelope.acknowledgement_requested else "0",
        envelope.usage,
        OUR_SEPARATORS.component,
    )


def free_text(text: str, longest: int = 80) -> str:
    """Text for people, with separators and control characters turned into blanks and cut to `longest` characters."""
    return _FREE_TEXT.sub(" ", text).strip()[:longest].strip()


def items(*pairs: tuple[str, str]) -> list[str]:
    """Qualifier and identifier of every pair that has an identifier, flat."""
    return [part for pair in pairs if pair[1] for part in pair]


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        raise TypeError("Write day and time as two elements.")
    if isinstance(value, date):
        return value.strftime("%Y%m%d")
    if isinstance(value, Decimal):
        return format(value.normalize(), "f") if value else "0"
    text = str(value)
    if _FREE_TEXT.search(text):
        raise InvalidInput(f"{text!r} holds a character that X12 uses as a separator.", value=text)
    return text


def _segment(elements: Iterable[str]) -> Pyx12Segment:
    values = list(elements)
    while values and not values[-1]:
        values.pop()
    marks = OUR_SEPARATORS
    return Pyx12Segment(marks.element.join(values), marks.segment, marks.element, marks.component)


def _check(envelope: Envelope) -> None:
    for name, longest in (
        ("sender_qualifier", 2),
        ("sender_id", 15),
        ("receiver_qualifier", 2),
        ("receiver_id", 15),
        ("group_sender", 15),
        ("group_receiver", 15),
    ):
        value = getattr(envelope, name)
        if not value or len(value) > longest or _FREE_TEXT.search(value) or not value.isascii():
            raise InvalidInput(f"{name} of an interchange cannot be {value!r}.", path=("envelope", name))
    for name in ("interchange_control", "group_control", "set_control"):
        number = getattr(envelope, name)
        if not 1 <= number <= LAST_CONTROL:
            raise InvalidInput(f"{name} must lie between 1 and {LAST_CONTROL}, not {number}.", path=("envelope", name))
    if envelope.usage not in ("P", "T"):
        raise InvalidInput(f"usage is P or T, not {envelope.usage!r}.", path=("envelope", "usage"))
