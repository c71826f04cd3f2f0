"""Answer what was received: one 997 for a group of X12, one CONTRL for an interchange of EDIFACT, the same bytes ever after."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.domain.edi_states import EdiAcknowledgement, EdiDelivery, EdiValidation
from core.edi.documents import SetResult
from core.edi.guide import PartnerGuide
from core.edi.interchanges import Fault, Level, Severity, Verdict, verdict
from core.edi.write_997 import write_997
from core.edi.write_contrl import write_contrl
from core.ports import Transaction
from core.repositories import edi
from core.repositories.edi import Partner
from core.services.apply_edi_set import INBOUND
from core.services.edi_envelopes import number_document
from core.services.edi_places import Place, is_answer, places_of, sender_of, stored_file, syntax_faults

_WORDS = {
    Verdict.ACCEPTED: str(EdiAcknowledgement.ACCEPTED),
    Verdict.ACCEPTED_WITH_ERRORS: str(EdiAcknowledgement.ACCEPTED_WITH_ERRORS),
    Verdict.REJECTED: str(EdiAcknowledgement.REJECTED),
}


async def acknowledge_group(uow: Transaction, raw_id: int, group_index: int) -> bytes | None:
    """Answer a group when all its sets have a result; never for an acknowledgement, never twice.

    EDIFACT is answered by the interchange, with its last group; the bytes are kept with its first. A file that was
    delivered again gets the bytes of the first answer again. Returns what was queued.
    """
    file = await stored_file(uow, raw_id)
    everything = places_of(file)
    mine = [place for place in everything if place.group_index == group_index]
    if not mine:
        return None
    interchange = mine[0].interchange
    is_x12 = interchange.standard == "X12"
    places = mine if is_x12 else [place for place in everything if place.interchange is interchange]
    kept_at = places[0].group_index
    group_row = await edi.lock_group(uow, raw_id, kept_at)
    if group_row is None:
        return None
    partner, reason = await sender_of(uow, interchange, file)
    if partner is None or reason or all(is_answer(place.group) for place in places):
        if group_row["acknowledged_at"] is None:
            await edi.mark_group_acknowledged(uow, group_row["id"], None)
        return None
    kind = str(partner.guide.group_answer) if is_x12 else "CONTRL"
    name = f"{kind.lower()}-{raw_id}-{kept_at}"
    documents = {row["position"]: row for row in await edi.documents_of(uow, raw_id)}
    stored = group_row["acknowledgement_raw"]
    if stored is not None:
        if file.deliveries < 2:
            return None
        again = edi.Outbound(partner.id, kind, stored, f"{name}-{file.deliveries}.edi", "", "", "")
        return stored if await edi.add_outbound(uow, again) is not None else None
    if group_row["acknowledged_at"] is not None and not any(
        documents[p.position]["acknowledgement"] == EdiAcknowledgement.PENDING for p in places
    ):
        return None  # nobody was known who could be answered, and still nobody has taken these sets up again
    if any(documents[p.position]["delivery"] == EdiDelivery.RECEIVED for p in places):
        return None
    results = [_result(place, documents[place.position], partner.guide) for place in places]
    for index in {place.group_index for place in places} - {kept_at}:
        other = await edi.lock_group(uow, raw_id, index)
        await edi.mark_group_acknowledged(uow, other["id"], None)
    await edi.acknowledge_documents(
        uow, [(documents[p.position]["id"], _WORDS[r.verdict]) for p, r in zip(places, results, strict=True)]
    )
    # last of all: files of a partner wait for each other from here to the commit
    return await _write(uow, partner, places, results, kind, name, group_row["id"])


async def _write(
    uow: Transaction,
    partner: Partner,
    places: list[Place],
    results: list[SetResult],
    kind: str,
    name: str,
    group_id: int,
) -> bytes:
    interchange = places[0].interchange
    numbered = await number_document(uow, partner, uow.now, "T" if interchange.is_test else "P")
    if kind != "CONTRL":
        content = write_997(places[0].group, results, numbered.x12(), partner.guide.group_answer)
    else:
        content = write_contrl(interchange, _by_group(places, results), numbered.edifact())
    await edi.answer_group(uow, group_id, numbered.outbound(kind, content, f"{name}.edi"))
    return content


def _by_group(places: Sequence[Place], results: Sequence[SetResult]) -> list[list[SetResult]]:
    """The results of every group of the interchange, those without a message too."""
    groups = places[0].interchange.groups
    found: dict[int, list[SetResult]] = {id(group): [] for group in groups}
    for place, result in zip(places, results, strict=True):
        found[id(place.group)].append(result)
    return [found[id(group)] for group in groups]


def _result(place: Place, row: Any, guide: PartnerGuide) -> SetResult:
    """What is answered: whether we could read the set; business doubts are no matter of syntax."""
    document, faults = place.document, syntax_faults(place)
    if document.kind not in INBOUND:
        code = "1" if place.interchange.standard == "X12" else "14"
        unknown = Fault(Level.SET, Severity.ERROR, code, f"Sets of kind {document.kind!r} are not supported.")
        return SetResult(document.kind, document.control, Verdict.REJECTED, (unknown,))
    judged = Verdict.REJECTED if row["validation"] == EdiValidation.INVALID else verdict(faults, guide.strictness)
    return SetResult(document.kind, document.control, judged, faults)
