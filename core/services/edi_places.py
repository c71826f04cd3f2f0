"""Where a document stands in a stored file: its interchange, group and place, who sent it, and its identity."""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from core.edi.interchanges import Fault, Group, Interchange, Level, ReadResult, Segment, Severity, TransactionSet
from core.edi.read_apart import READING
from core.edi.reader import read
from core.errors import GiveUp
from core.events import Event
from core.ports import Transaction
from core.repositories import edi
from core.repositories.edi import Partner, StoredFile

_ANSWERS = ("997", "999", "CONTRL")


@dataclass(frozen=True, slots=True)
class Place:
    """A set and everything around it; `position` counts sets through the whole file from 0."""

    interchange: Interchange
    group: Group
    group_index: int
    document: TransactionSet
    set_index: int
    position: int
    turn: int = 0
    """How many sets before it in the group have its kind and control number."""


KEPT_FILES = 4
"""Files that a process keeps at hand: as many as it works on at once."""
LARGE_BYTES = 100_000
"""Files above this are parsed beside the event loop, in a process of their own with limits of time and memory."""
_contents: OrderedDict[bytes, bytes] = OrderedDict()


@lru_cache(maxsize=KEPT_FILES)
def read_stored(sha256: bytes, content: bytes) -> ReadResult:
    """Raw bytes never change, so a file is parsed once per process, not once per set."""
    data = content.replace(b"\0", b"\x1a")  # PostgreSQL holds no NUL in a text; both are padding at the end
    return READING.read(data) if len(data) > LARGE_BYTES else read(data)


async def stored_file(uow: Transaction, raw_id: int) -> StoredFile:
    """The file. Raises GiveUp where there is none, ReadingEnded where it could not be read this time."""
    file = await edi.read_raw(uow, raw_id, dict(_contents))
    if file is None:
        raise GiveUp(f"There is no stored file {raw_id}.")
    _contents.pop(file.sha256, None)
    if file.content:  # of one that was erased nothing is kept
        _contents[file.sha256] = file.content
    while len(_contents) > KEPT_FILES:
        _contents.popitem(last=False)
    if len(file.content) > LARGE_BYTES:
        await asyncio.to_thread(_places, file.sha256, file.content)
    return file


def places_of(file: StoredFile) -> list[Place]:
    """Every set of the file, in its order."""
    return list(_places(file.sha256, file.content).values())


def place_of(file: StoredFile, group_index: int, set_index: int) -> Place:
    return _places(file.sha256, file.content)[group_index, set_index]


@lru_cache(maxsize=KEPT_FILES)
def _places(sha256: bytes, content: bytes) -> dict[tuple[int, int], Place]:
    found: dict[tuple[int, int], Place] = {}
    group_index = -1
    for interchange in read_stored(sha256, content).interchanges:
        for group in interchange.groups:
            group_index += 1
            turns: Counter[tuple[str, str]] = Counter()
            for at, document in enumerate(group.sets):
                key = (document.kind, document.control)
                found[group_index, at] = Place(interchange, group, group_index, document, at, len(found), turns[key])
                turns[key] += 1
    return found


def interchange_answers(file: StoredFile) -> list[tuple[Interchange, Segment, int]]:
    """Every TA1 of the file with its interchange, and the position it takes behind the sets."""
    sets = len(places_of(file))
    found = [(i, answer) for i in read_stored(file.sha256, file.content).interchanges for answer in i.answers]
    return [(interchange, answer, sets + at) for at, (interchange, answer) in enumerate(found)]


async def sender_of(uow: Transaction, interchange: Interchange, file: StoredFile) -> tuple[Partner | None, str]:
    """Who sent it, and why it may not be applied ('' when it may)."""
    partner = await edi.partner_by_address(
        uow,
        interchange.sender_qualifier,
        interchange.sender_id,
        interchange.receiver_qualifier,
        interchange.receiver_id,
    )
    if partner is None:
        return None, (
            f"unknown_partner: nobody sends as {interchange.sender_qualifier}/{interchange.sender_id}"
            f" to {interchange.receiver_qualifier}/{interchange.receiver_id}."
        )
    if file.partner_ids and partner.id not in file.partner_ids:
        return partner, f"wrong_folder: the sender is {partner.code}, but the file came from another partner."
    return partner, ""


def identity_of(place: Place) -> str:
    """The control numbers around the set; one that is used twice in a group is told apart by its turn."""
    group, document = place.group, place.document
    parts = (*_address(place.interchange), group.functional_id, group.control.lstrip("0"))
    return "|".join((*parts, document.kind, document.control, str(place.turn)))


def answer_identity(interchange: Interchange, answer: Segment) -> str:
    """The identity of a TA1."""
    return "|".join((*_address(interchange), "TA1", answer.value(1)))


def _address(interchange: Interchange) -> tuple[str, ...]:
    i = interchange
    return (i.sender_qualifier, i.sender_id, i.receiver_qualifier, i.receiver_id, i.control.lstrip("0"))


def syntax_faults(place: Place) -> tuple[Fault, ...]:
    """Faults of the set and those errors of its envelope that make all of it doubtful."""
    around = [f for f in (*place.interchange.faults, *place.group.faults) if f.severity is Severity.ERROR]
    return (*place.document.faults, *around)


def is_answer(group: Group) -> bool:
    """Acknowledgements are never acknowledged."""
    return group.functional_id == "FA" or (bool(group.sets) and all(d.kind in _ANSWERS for d in group.sets))


def sentence(text: str) -> dict[str, Any]:
    """A fault of its own out of `reason: sentence`."""
    return Fault(Level.BUSINESS, Severity.ERROR, text.partition(":")[0][:40], text).facts()


def announce_document(
    uow: Transaction, document_id: int, what: str, partner: Partner | None, kind: str, error: str | None = None
) -> None:
    """Say that something became of a document; `what` is its kind, such as 855."""
    uow.announce(
        Event(
            "edi",
            kind,
            {"documentId": document_id, "kind": what, "partner": partner.code if partner else None, "error": error},
            key=f"document:{document_id}",
            supplier_id=partner.supplier_id if partner else None,
        )
    )
