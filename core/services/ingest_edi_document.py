"""Read a stored file and apply it: every set in a transaction of its own, one answer for every group."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol, TypeVar

import asyncpg

from core.domain.edi_states import EdiAcknowledgement, EdiDelivery, EdiValidation
from core.edi.documents import SetResult
from core.edi.guide import DEFAULT_GUIDE, PartnerGuide
from core.edi.interchanges import (
    Fault,
    Group,
    Interchange,
    Level,
    ReadResult,
    Severity,
    TransactionSet,
    Verdict,
    verdict,
)
from core.edi.reader import read
from core.edi.write_997 import write_997
from core.edi.x12_writer import Envelope
from core.errors import DomainError, GiveUp
from core.events import Event
from core.ports import Transaction
from core.repositories import edi
from core.repositories.edi import Partner, StoredFile
from core.services.apply_edi_set import INBOUND, Applied, Unusable, apply_edi_set

T = TypeVar("T")


class Run(Protocol):
    """Runs a use case in a transaction of its own (a job's `context.run`)."""

    async def __call__(self, use_case: Callable[[Any], Awaitable[T]]) -> T: ...


@dataclass(frozen=True, slots=True)
class PlannedGroup:
    """A group of a file by its place in it; `sets` is how many transaction sets it has."""

    index: int
    sets: int


@dataclass(frozen=True, slots=True)
class _Place:
    """A set and everything around it; `position` counts sets through the whole file from 0."""

    interchange: Interchange
    group: Group
    group_index: int
    document: TransactionSet
    set_index: int
    position: int


async def ingest_edi_file(run: Run, raw_id: int) -> dict[str, int]:
    """Apply a stored file from wherever it stands; how many sets had which outcome in this run.

    Killed between any two transactions it goes on with the sets that have no result. A file that came again is
    only answered again.
    """
    outcomes: dict[str, int] = {}
    for group in await run(lambda uow: plan_interchanges(uow, raw_id)):
        for index in range(group.sets):
            outcome = await _one(run, raw_id, group.index, index)
            outcomes[outcome] = outcomes.get(outcome, 0) + 1
        await run(lambda uow, at=group.index: acknowledge_group(uow, raw_id, at))
    return outcomes


async def _one(run: Run, raw_id: int, group_index: int, set_index: int) -> str:
    try:
        return await run(lambda uow: apply_set(uow, raw_id, group_index, set_index))
    except DomainError as refusal:
        error = refusal  # its transaction is gone; the set is set aside in one of its own
    except asyncpg.DataError as refusal:
        error = Unusable("content", f"A value cannot be stored: {refusal.args[0]}.")
    return await run(lambda uow: quarantine_set(uow, raw_id, group_index, set_index, error))


async def plan_interchanges(uow: Transaction, raw_id: int) -> list[PlannedGroup]:
    """Enter the file's groups and documents once; returns its groups.

    What cannot be read, comes from a stranger, or lies in another partner's folder is quarantined here.
    """
    await edi.lock_raw(uow, raw_id)
    file = await _file(uow, raw_id)
    places, result = _places(file), _read(file.sha256, file.content)
    known = {row["position"] for row in await edi.documents_of(uow, raw_id)}
    if not places:
        if not known:
            await edi.add_documents(uow, [_unreadable(raw_id, result, file)])
        return []
    rows, groups = [], {}
    for place in places:
        partner, reason = await _partner(uow, place.interchange, file)
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
        rows.append(
            {
                "raw_id": raw_id,
                "group_id": groups[place.group_index],
                "position": place.position,
                "partner_id": partner.id if partner else None,
                "supplier_id": partner.supplier_id if partner else None,
                "standard": place.interchange.standard,
                "kind": place.document.kind or "?",
                "usage": "T" if place.interchange.is_test else "P",
                "identity": _identity(place),
                "guide_version": partner.guide_version if partner else None,
                "validation": str(EdiValidation.PENDING),
                "delivery": str(EdiDelivery.QUARANTINED if reason else EdiDelivery.RECEIVED),
                "acknowledgement": str(
                    EdiAcknowledgement.NOT_REQUIRED if reason or _is_answer(place.group) else EdiAcknowledgement.PENDING
                ),
                "faults": [_sentence(reason)] if reason else [],
                "quarantine_state": "new" if reason else None,
                "quarantine_reason": reason or None,
            }
        )
    await edi.add_documents(uow, rows)
    return [PlannedGroup(i, len(g.sets)) for i, g in sorted({p.group_index: p.group for p in places}.items())]


async def apply_set(uow: Transaction, raw_id: int, group_index: int, set_index: int) -> str:
    """Apply one set and write its result; returns the outcome, `done` when it has one already.

    Raises DomainError when it cannot be applied: run `quarantine_set` in a new transaction then.
    """
    file = await _file(uow, raw_id)
    place = _place(file, group_index, set_index)
    row = await edi.lock_document(uow, raw_id, place.position)
    if row is None or row["delivery"] != EdiDelivery.RECEIVED:
        return "done"
    partner, _ = await _partner(uow, place.interchange, file)
    if partner is None:
        raise Unusable("unknown_partner", "The partner is not active any more.")
    document, guide = place.document, partner.guide
    if document.kind not in INBOUND:
        raise Unusable("unknown_kind", f"Documents of kind {document.kind!r} are not processed here.")
    faults = _syntax_faults(place)
    judged = verdict(faults, guide.strictness)
    if judged is Verdict.REJECTED:
        worst = next((f for f in faults if f.severity is Severity.ERROR), faults[0])
        raise Unusable("syntax", worst.message, faults)
    if place.interchange.usage not in ("P", "T", "1"):
        raise Unusable("usage", f"Usage {place.interchange.usage!r} is neither production (P) nor test (T).")
    digest = bytes.fromhex(document.sha256)
    seen = await edi.seen_before(uow, partner.id, row["usage"], row["identity"], digest, guide.duplicate_window_days)
    if seen == "conflict":
        raise Unusable("control_number_reused", "The same control numbers came before with other content.")
    if place.interchange.is_test:
        applied = Applied("ignored")
    elif seen == "repeat":
        applied = Applied("repeated")
    else:
        applied = await apply_edi_set(uow, document, partner, row["id"])
        await edi.remember(uow, partner.id, row["usage"], row["identity"], digest, row["id"])
    notes = [*faults, *applied.faults]
    await edi.close_document(
        uow,
        row["id"],
        validation=str(EdiValidation.VALID_WITH_ERRORS if notes else EdiValidation.VALID),
        delivery=applied.outcome,
        business_key=applied.business_key or None,
        purchase_order_id=applied.purchase_order_id,
        faults=[fault.facts() for fault in notes],
        result=applied.result or None,
        applied_at=uow.now,
        **_owner(row, partner, place),
    )
    _announce(uow, row["id"], place, partner, applied.outcome.upper())
    return applied.outcome


async def quarantine_set(uow: Transaction, raw_id: int, group_index: int, set_index: int, refusal: DomainError) -> str:
    """Set one document aside with the segment, element and reason; its group is still answered."""
    file = await _file(uow, raw_id)
    place = _place(file, group_index, set_index)
    row = await edi.lock_document(uow, raw_id, place.position)
    if row is None or row["delivery"] != EdiDelivery.RECEIVED:
        return "done"
    partner, _ = await _partner(uow, place.interchange, file)
    faults = [fault.facts() for fault in refusal.faults] if isinstance(refusal, Unusable) else []
    known = [fault.facts() for fault in _syntax_faults(place)]
    reason = refusal.reason if isinstance(refusal, Unusable) else refusal.code.lower()
    judged = verdict(_syntax_faults(place), partner.guide.strictness if partner else DEFAULT_GUIDE.strictness)
    invalid = judged is Verdict.REJECTED or reason in ("content", "unknown_kind")
    await edi.close_document(
        uow,
        row["id"],
        validation=str(EdiValidation.INVALID if invalid else EdiValidation.VALID),
        delivery=str(EdiDelivery.QUARANTINED),
        faults=[*known, *(fault for fault in faults if fault not in known)] or [_sentence(refusal.message)],
        quarantine_state="new",
        quarantine_reason=f"{reason}: {refusal.message}",
        **_owner(row, partner, place),
    )
    _announce(uow, row["id"], place, partner, "QUARANTINED", refusal.message)
    return "quarantined"


async def acknowledge_group(uow: Transaction, raw_id: int, group_index: int) -> bytes | None:
    """Answer a group with one 997 when all its sets have a result; never for an acknowledgement, never twice.

    A file that was delivered again gets the bytes of the first answer again. Returns what was queued.
    """
    file = await _file(uow, raw_id)
    places = [place for place in _places(file) if place.group_index == group_index]
    group_row = await edi.lock_group(uow, raw_id, group_index)
    if group_row is None or not places:
        return None
    interchange, group = places[0].interchange, places[0].group
    partner, reason = await _partner(uow, interchange, file)
    if partner is None or reason or _is_answer(group) or interchange.standard != "X12":
        if group_row["acknowledged_at"] is None:
            await edi.mark_group_acknowledged(uow, group_row["id"], None)
        return None
    name = f"997-{raw_id}-{group_index}"
    documents = {row["position"]: row for row in await edi.documents_of(uow, raw_id)}
    stored = group_row["acknowledgement_raw"]
    if stored is not None:
        if file.deliveries < 2:
            return None
        again = edi.Outbound(partner.id, "997", stored, f"{name}-{file.deliveries}.edi", "", "", "")
        return stored if await edi.add_outbound(uow, again) is not None else None
    if group_row["acknowledged_at"] is not None and not any(
        documents[p.position]["acknowledgement"] == EdiAcknowledgement.PENDING for p in places
    ):
        return None  # nobody was known who could be answered, and still nobody has taken these sets up again
    if any(documents[p.position]["delivery"] == EdiDelivery.RECEIVED for p in places):
        return None
    results = [_result(place, documents[place.position], partner.guide) for place in places]
    numbers = [await edi.next_control(uow, partner.id, level) for level in ("interchange", "group", "set")]
    content = write_997(
        group,
        results,
        Envelope(
            partner.our_qualifier,
            partner.our_interchange_id,
            partner.qualifier,
            partner.interchange_id,
            partner.our_group_id,
            partner.group_id,
            *numbers,
            at=uow.now.replace(tzinfo=None),
            usage="T" if interchange.is_test else "P",
        ),
    )
    await edi.add_outbound(
        uow,
        edi.Outbound(
            partner.id, "997", content, f"{name}.edi", f"{numbers[0]:09d}", str(numbers[1]), f"{numbers[2]:04d}"
        ),
    )
    await edi.mark_group_acknowledged(uow, group_row["id"], content)
    await edi.acknowledge_documents(
        uow, [(documents[p.position]["id"], _ANSWERS[r.verdict]) for p, r in zip(places, results, strict=True)]
    )
    return content


_ANSWERS = {
    Verdict.ACCEPTED: str(EdiAcknowledgement.ACCEPTED),
    Verdict.ACCEPTED_WITH_ERRORS: str(EdiAcknowledgement.ACCEPTED_WITH_ERRORS),
    Verdict.REJECTED: str(EdiAcknowledgement.REJECTED),
}


@lru_cache(maxsize=4)
def _read(sha256: bytes, content: bytes) -> ReadResult:
    """Raw bytes never change, so a file is parsed once per process, not once per set."""
    return read(content.replace(b"\0", b"\x1a"))  # PostgreSQL holds no NUL in a text; both are padding at the end


async def _file(uow: Transaction, raw_id: int) -> StoredFile:
    file = await edi.read_raw(uow, raw_id)
    if file is None:
        raise GiveUp(f"There is no stored file {raw_id}.")
    return file


def _places(file: StoredFile) -> list[_Place]:
    found: list[_Place] = []
    group_index = -1
    for interchange in _read(file.sha256, file.content).interchanges:
        for group in interchange.groups:
            group_index += 1
            for set_index, document in enumerate(group.sets):
                found.append(_Place(interchange, group, group_index, document, set_index, len(found)))
    return found


def _place(file: StoredFile, group_index: int, set_index: int) -> _Place:
    return next(p for p in _places(file) if p.group_index == group_index and p.set_index == set_index)


async def _partner(uow: Transaction, interchange: Interchange, file: StoredFile) -> tuple[Partner | None, str]:
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


def _identity(place: _Place) -> str:
    """The control numbers around the set; one that is used twice in a group is told apart by its turn."""
    i, g, d = place.interchange, place.group, place.document
    parts = (i.sender_qualifier, i.sender_id, i.receiver_qualifier, i.receiver_id, i.control.lstrip("0"))
    return "|".join((*parts, g.functional_id, g.control.lstrip("0"), d.kind, d.control, str(_turn(place))))


def _turn(place: _Place) -> int:
    earlier = place.group.sets[: place.set_index]
    return sum((s.kind, s.control) == (place.document.kind, place.document.control) for s in earlier)


def _syntax_faults(place: _Place) -> tuple[Fault, ...]:
    """Faults of the set and those errors of its envelope that make all of it doubtful."""
    around = [f for f in (*place.interchange.faults, *place.group.faults) if f.severity is Severity.ERROR]
    return (*place.document.faults, *around)


def _owner(row: Any, partner: Partner | None, place: _Place) -> dict[str, Any]:
    """What to write on a stranger's document once its sender is known: whose it is, and that it is to be answered."""
    if partner is None or row["partner_id"] is not None:
        return {}
    owed = EdiAcknowledgement.NOT_REQUIRED if _is_answer(place.group) else EdiAcknowledgement.PENDING
    return {
        "partner_id": partner.id,
        "supplier_id": partner.supplier_id,
        "guide_version": partner.guide_version,
        "acknowledgement": str(owed),
    }


def _result(place: _Place, row: Any, guide: PartnerGuide) -> SetResult:
    """What the 997 says: whether we could read the set; business doubts are no matter of syntax."""
    document, faults = place.document, _syntax_faults(place)
    if document.kind not in INBOUND:
        unknown = Fault(Level.SET, Severity.ERROR, "1", f"Sets of kind {document.kind!r} are not supported.")
        return SetResult(document.kind, document.control, Verdict.REJECTED, (unknown,))
    judged = Verdict.REJECTED if row["validation"] == EdiValidation.INVALID else verdict(faults, guide.strictness)
    return SetResult(document.kind, document.control, judged, faults)


def _is_answer(group: Group) -> bool:
    return group.functional_id == "FA"


def _sentence(text: str) -> dict[str, Any]:
    return Fault(Level.BUSINESS, Severity.ERROR, text.partition(":")[0][:40], text).facts()


def _unreadable(raw_id: int, result: ReadResult, file: StoredFile) -> dict[str, Any]:
    faults = [*result.faults, *(fault for i in result.interchanges for fault in i.faults)]
    only = next(iter(file.partner_ids)) if len(file.partner_ids) == 1 else None
    return {
        "raw_id": raw_id,
        "position": 0,
        "partner_id": only,
        "standard": result.interchanges[0].standard if result.interchanges else "?",
        "kind": "?",
        "usage": "P",
        "identity": file.sha256.hex(),
        "validation": str(EdiValidation.INVALID),
        "delivery": str(EdiDelivery.QUARANTINED),
        "acknowledgement": str(EdiAcknowledgement.NOT_REQUIRED),
        "faults": [fault.facts() for fault in faults] or [_sentence("unreadable: no document was found in the file.")],
        "quarantine_state": "new",
        "quarantine_reason": "unreadable: no document was found in the file.",
    }


def _announce(
    uow: Transaction, document_id: int, place: _Place, partner: Partner | None, kind: str, error: str | None = None
) -> None:
    uow.announce(
        Event(
            "edi",
            kind,
            {
                "documentId": document_id,
                "kind": place.document.kind,
                "partner": partner.code if partner else None,
                "error": error,
            },
            key=f"document:{document_id}",
            supplier_id=partner.supplier_id if partner else None,
        )
    )
