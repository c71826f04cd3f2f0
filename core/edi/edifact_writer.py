"""Writes UN/EDIFACT: one interchange of messages of one kind, with release characters, counts and references."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from core.errors import InvalidInput

LAST_CONTROL = 99_999_999_999_999
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_RELEASED = re.compile(r"[?+:']")
_ENCODINGS = {"UNOA": "ascii", "UNOB": "ascii", "UNOC": "iso8859-1", "UNOY": "utf-8", "UNOW": "utf-8"}

# A segment: its tag, then elements; an element is a value or a tuple of components.
Row = Sequence[object]


@dataclass(frozen=True, slots=True)
class EdifactEnvelope:
    """Who sends what to whom under which numbers; `at` is the local moment written into UNB.

    `set_control` is the reference of the first message, the next ones follow. `directory` is version and release
    (`D96A`), `association` the code of a subset such as EAN008. Text beyond ISO 8859-1 makes UNOC a UNOY in syntax 4.
    """

    sender_qualifier: str
    sender_id: str
    receiver_qualifier: str
    receiver_id: str
    interchange_control: int
    set_control: int
    at: datetime
    usage: str = "P"
    directory: str = "D96A"
    association: str = ""
    character_set: str = "UNOC"
    acknowledgement_requested: bool = False


def write_messages(kind: str, messages: Sequence[Sequence[Row]], envelope: EdifactEnvelope) -> bytes:
    """One interchange of `messages` (rows without UNH and UNT). Empty elements and components at an end are left out.

    InvalidInput where an envelope value cannot be written or a code holds a control character.
    """
    _check(envelope)
    body: list[str] = []
    release = envelope.directory
    for position, rows in enumerate(messages):
        reference = str(envelope.set_control + position)
        version = "2" if kind == "CONTRL" else release[:1]
        edition = "2" if kind == "CONTRL" else release[1:]
        identifier = (kind, version, edition, "UN", "" if kind == "CONTRL" else envelope.association)
        body.append(_segment(("UNH", reference, identifier)))
        body.extend(_segment(row) for row in rows)
        body.append(_segment(("UNT", len(rows) + 2, reference)))
    character_set, syntax = envelope.character_set, "3"
    text = "".join(body)
    if not _fits(text, character_set):
        character_set, syntax = "UNOY", "4"
    encoding = _ENCODINGS[character_set]
    on = envelope.at.strftime("%Y%m%d" if syntax == "4" else "%y%m%d")
    header = _segment(
        (
            "UNB",
            (character_set, syntax),
            (envelope.sender_id, envelope.sender_qualifier),
            (envelope.receiver_id, envelope.receiver_qualifier),
            (on, envelope.at.strftime("%H%M")),
            envelope.interchange_control,
            "",
            "",
            "",
            "1" if envelope.acknowledgement_requested else "",
            "",
            "1" if envelope.usage == "T" else "",
        )
    )
    trailer = _segment(("UNZ", len(messages), envelope.interchange_control))
    # The blank in UNA says that there is no repetition mark, in syntax 4 as well.
    return f"UNA:+.? '\n{header}{text}{trailer}".encode(encoding)


def plain(text: str, longest: int) -> str:
    """Text for people, with control characters turned into blanks and cut to `longest` characters."""
    return _CONTROL.sub(" ", text).strip()[:longest].strip()


def day_row(qualifier: str, on: date) -> Row:
    """A DTM segment with a day."""
    return ("DTM", (qualifier, on, "102"))


def _segment(row: Row) -> str:
    elements = [_element(value) for value in row]
    while elements and not elements[-1]:
        elements.pop()
    return "+".join(elements) + "'\n"


def _element(value: object) -> str:
    if not isinstance(value, tuple):
        return _text(value)
    components = [_text(part) for part in value]
    while components and not components[-1]:
        components.pop()
    return ":".join(components)


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        raise TypeError("Write the moment as text in the format it is declared with.")
    if isinstance(value, date):
        return value.strftime("%Y%m%d")
    if isinstance(value, Decimal):
        return format(value.normalize(), "f") if value else "0"
    text = str(value)
    if _CONTROL.search(text):
        raise InvalidInput(f"{text!r} holds a control character.", value=text)
    return _RELEASED.sub(r"?\g<0>", text)


def _fits(text: str, character_set: str) -> bool:
    try:
        text.encode(_ENCODINGS[character_set])
    except UnicodeEncodeError:
        return False
    return True


def _check(envelope: EdifactEnvelope) -> None:
    for name, longest in (("sender_id", 35), ("receiver_id", 35)):
        value = getattr(envelope, name)
        if not value.strip() or len(value) > longest or _CONTROL.search(value) or not value.isascii():
            raise InvalidInput(f"{name} of an interchange cannot be {value!r}.", path=("envelope", name))
    for name in ("sender_qualifier", "receiver_qualifier"):
        value = getattr(envelope, name)
        if len(value) > 4 or _CONTROL.search(value) or not value.isascii():
            raise InvalidInput(f"{name} of an interchange cannot be {value!r}.", path=("envelope", name))
    for name in ("interchange_control", "set_control"):
        number = getattr(envelope, name)
        if not 1 <= number <= LAST_CONTROL:
            raise InvalidInput(f"{name} must lie between 1 and {LAST_CONTROL}, not {number}.", path=("envelope", name))
    if envelope.usage not in ("P", "T"):
        raise InvalidInput(f"usage is P or T, not {envelope.usage!r}.", path=("envelope", "usage"))
    if envelope.character_set not in _ENCODINGS:
        raise InvalidInput(f"The character set {envelope.character_set!r} is not written here.", path=("envelope",))
    if not re.fullmatch(r"D\d{2}[AB]", envelope.directory):
        raise InvalidInput(f"A directory is written like D96A, not {envelope.directory!r}.", path=("envelope",))
