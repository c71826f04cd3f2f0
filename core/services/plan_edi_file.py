"""Enter what a stored file holds: its groups and documents once, and the answers of a partner to our interchanges."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from core.domain.edi_states import EdiAcknowledgement, EdiDelivery, EdiValidation
from core.edi.decode_ta1 import decode_ta1
from core.edi.guide import AllOrNone
from core.edi.interchanges import Interchange, ReadResult, Segment, Severity
from core.errors import DomainError, GiveUp
from core.ports import Transaction
from core.repositories import edi
from core.repositories.edi import Partner, StoredFile
from core.services.answer_edi_interchange import answer_interchange
from core.services.apply_edi_receipt import note_interchange
from core.services.edi_places import (
    Place,
    announce_document,
    answer_identity,
    identity_of,
    interchange_answers,
    is_answer,
    places_of,
    read_stored,
    sender_of,
    sentence,
    stored_file,
)
from core.services.erase_edi_files import request_erasing_copies
from core.services.watch_partners import note_envelope

UNREAD = -1
"""The position of the row for what could not be read in a file: should it be read later, no set is taken for it."""
_NOTHING = "no document was found in the file."


@dataclass(frozen=True, slots=True)
class PlannedGroup:
    """A group of a file by its place in it; `sets` is how many transaction sets it has, `left` those without a result.

    Groups with one `together` stand or fall as one, by the partner's guide; None: each of their sets stands alone.
    """

    index: int
    sets: int
    left: list[int]
    together: tuple[str, int] | None = None


async def plan_interchanges(uow: Transaction, raw_id: int) -> list[PlannedGroup]:
    """Enter the file's groups and documents once; returns its groups.

    What cannot be read, comes from a stranger, or lies in another partner's folder is quarantined here. Whoever asked
    for it (ISA14) is told here that the interchange arrived. Raises ReadingEnded where another try may read the file,
    GiveUp where documents of it wait that are not found at their places any more.
    """
    await edi.lock_raw(uow, raw_id)
    file = await stored_file(uow, raw_id)
    places, result = places_of(file), read_stored(file.sha256, file.content)
    rows = await edi.deliveries_of(uow, raw_id)
    known, settled = rows.keys() - {UNREAD}, {at for at, (state, _) in rows.items() if state != EdiDelivery.RECEIVED}
    answers = interchange_answers(file)
    if not file.content:
        request_erasing_copies(
            uow, [raw_id], timedelta(minutes=1)
        )  # it came again: the watcher moves it to the archive
    there = {place.position: identity_of(place) for place in places}
    if lost := [at for at in known - settled if there.get(at) != rows[at][1]]:
        # A reader that finds more or fewer documents than it did would apply another one under this one's name.
        raise GiveUp(f"{len(lost)} documents of file {raw_id} wait, and are not found at their places any more.")
    if not rows:
        await _enter_unread(uow, file, result, is_all=not places and not answers)
    senders = await _enter_sets(uow, raw_id, file, places, known)
    for interchange, answer, position in answers:
        if position not in known:
            await _enter_answer(uow, raw_id, file, interchange, answer, position)
    for index, interchange in enumerate(result.interchanges):
        if known and not interchange.acknowledgement_requested:
            continue
        partner, reason = senders.get(id(interchange)) or await sender_of(uow, interchange, file)
        if partner is not None and not reason:
            if not known:
                await note_envelope(uow, partner, interchange)
            await answer_interchange(uow, partner, interchange, f"ta1-{raw_id}-{index}", file.deliveries)
    planned: dict[int, PlannedGroup] = {}
    for place in places:
        together = _together(place, senders[id(place.interchange)][0])
        group = planned.setdefault(
            place.group_index, PlannedGroup(place.group_index, len(place.group.sets), [], together)
        )
        if place.position not in settled:
            group.left.append(place.set_index)
    return [planned[index] for index in sorted(planned)]


def _together(place: Place, partner: Partner | None) -> tuple[str, int] | None:
    rule = AllOrNone.SET if partner is None else partner.guide.all_or_none
    if rule is AllOrNone.GROUP:
        return ("group", place.group_index)
    return ("interchange", place.interchange.offset) if rule is AllOrNone.INTERCHANGE else None


async def _enter_sets(
    uow: Transaction, raw_id: int, file: StoredFile, places: list[Place], known: set[int]
) -> dict[int, tuple[Partner | None, str]]:
    """Enter the sets that are not known; returns who sent each interchange, by the id of the object."""
    rows, groups = [], {}
    senders: dict[int, tuple[Partner | None, str]] = {}
    for place in places:
        if id(place.interchange) not in senders:
            senders[id(place.interchange)] = await sender_of(uow, place.interchange, file)
        partner, reason = senders[id(place.interchange)]
        if place.group_index not in groups:
            groups[place.group_index] = await edi.add_group(
                uow,
                raw_id,
                place.group_index,
                partner.id if partner else None,
                place.group.control,
                place.group.functional_id,
                len(place.group.sets),
            )
        if place.position in known:
            continue
        row = _row(raw_id, place.position, place.interchange, place.document.kind or "?", partner, reason)
        row["group_id"], row["identity"] = groups[place.group_index], identity_of(place)
        if not reason and not is_answer(place.group):
            row["acknowledgement"] = str(EdiAcknowledgement.PENDING)
        rows.append(row)
    await edi.add_documents(uow, rows)
    return senders


async def _enter_answer(
    uow: Transaction, raw_id: int, file: StoredFile, interchange: Interchange, answer: Segment, position: int
) -> None:
    """A TA1 is a segment without a set: what it says is taken here."""
    partner, reason = await sender_of(uow, interchange, file)
    row = _row(raw_id, position, interchange, "TA1", partner, reason)
    row["identity"] = answer_identity(interchange, answer)
    if partner is not None and not reason:
        try:
            said = decode_ta1(answer)
            if interchange.usage == "P":
                await note_interchange(uow, said, partner, ("X12",))
                row["delivery"] = str(EdiDelivery.APPLIED)
            else:
                row["delivery"] = str(EdiDelivery.IGNORED)
            row["validation"] = str(EdiValidation.VALID)
        except DomainError as refusal:
            reason = f"{refusal.code.lower()}: {refusal.message}"
            row |= {"delivery": str(EdiDelivery.QUARANTINED), "quarantine_state": "new", "quarantine_reason": reason}
            row["faults"] = [sentence(reason)]
    await edi.add_documents(uow, [row])
    rows = await edi.documents_of(uow, raw_id)
    document_id = next(r["id"] for r in rows if r["position"] == position)
    announce_document(uow, document_id, "TA1", partner, str(row["delivery"]).upper(), reason or None)


async def _enter_unread(uow: Transaction, file: StoredFile, result: ReadResult, *, is_all: bool) -> None:
    """A row for a file without a document, and for interchanges that are lost beside documents."""
    empty = [i for i in result.interchanges if not i.answers and not any(group.sets for group in i.groups)]
    faults = [*result.faults, *(fault for i in empty for fault in i.faults)]
    errors = [fault for fault in faults if fault.severity is Severity.ERROR]
    if is_all or errors:
        standard = empty[0].standard if empty else "?"
        text = _NOTHING if is_all else errors[0].message
        told = [fault.facts() for fault in (faults if is_all else errors)]
        await edi.add_documents(uow, [_unreadable(file, standard, told, text)])


def _row(
    raw_id: int, position: int, interchange: Interchange, kind: str, partner: Partner | None, reason: str
) -> dict[str, Any]:
    return {
        "raw_id": raw_id,
        "position": position,
        "partner_id": partner.id if partner else None,
        "supplier_id": partner.supplier_id if partner else None,
        "standard": interchange.standard,
        "kind": kind,
        "usage": "T" if interchange.is_test else "P",
        "guide_version": partner.guide_version if partner else None,
        "validation": str(EdiValidation.PENDING),
        "delivery": str(EdiDelivery.QUARANTINED if reason else EdiDelivery.RECEIVED),
        "acknowledgement": str(EdiAcknowledgement.NOT_REQUIRED),
        "faults": [sentence(reason)] if reason else [],
        "quarantine_state": "new" if reason else None,
        "quarantine_reason": reason or None,
    }


async def refuse_file(uow: Transaction, raw_id: int, reason: str) -> bool:
    """Set a file aside that no try could read; False for one of which documents are known: they go on waiting."""
    await edi.lock_raw(uow, raw_id)
    file = await edi.read_raw(uow, raw_id, {})
    if file is None or await edi.deliveries_of(uow, raw_id):
        return False
    await edi.add_documents(uow, [_unreadable(file, "?", [sentence(f"unreadable: {reason}")], _NOTHING)])
    return True


def _unreadable(file: StoredFile, standard: str, faults: list[dict[str, Any]], text: str) -> dict[str, Any]:
    only = next(iter(file.partner_ids)) if len(file.partner_ids) == 1 else None
    return {
        "raw_id": file.id,
        "position": UNREAD,
        "partner_id": only,
        "standard": standard,
        "kind": "?",
        "usage": "P",
        "identity": file.sha256.hex(),
        "validation": str(EdiValidation.INVALID),
        "delivery": str(EdiDelivery.QUARANTINED),
        "acknowledgement": str(EdiAcknowledgement.NOT_REQUIRED),
        "faults": faults or [sentence(f"unreadable: {text}")],
        "quarantine_state": "new",
        "quarantine_reason": f"unreadable: {text}",
    }
