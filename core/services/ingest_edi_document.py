"""Read a stored file and apply it: every set in a transaction of its own, one answer for every group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

import asyncpg

from core.domain.edi_states import EdiAcknowledgement, EdiDelivery, EdiValidation, QuarantineState
from core.edi.guide import DEFAULT_GUIDE
from core.edi.interchanges import Severity, Verdict, verdict
from core.errors import DomainError
from core.ports import Transaction
from core.repositories import edi
from core.repositories.edi import Partner
from core.repositories.edi_guides import with_guide
from core.services.acknowledge_edi_group import acknowledge_group
from core.services.apply_edi_set import INBOUND, apply_edi_set
from core.services.apply_stock_chunk import apply_stock_chunk
from core.services.edi_outcome import STAGED, STAGED_KINDS, Applied, Unusable
from core.services.edi_places import (
    Place,
    announce_document,
    is_answer,
    place_of,
    sender_of,
    sentence,
    stored_file,
    syntax_faults,
)
from core.services.plan_edi_file import plan_interchanges

T = TypeVar("T")


class Run(Protocol):
    """Runs a use case in a transaction of its own (a job's `context.run`)."""

    async def __call__(self, use_case: Callable[[Any], Awaitable[T]]) -> T: ...


async def ingest_edi_file(run: Run, raw_id: int, may_go_on: Callable[[], bool] = lambda: True) -> dict[str, int]:
    """Apply a stored file from wherever it stands; how many sets had which outcome in this run.

    Killed between any two transactions it goes on with the sets that have no result. A file that came again is
    only answered again. Once `may_go_on` says no it stops between two sets; `left` counts those without a result then.
    """
    outcomes: Counter[str] = Counter()
    for group in await run(lambda uow: plan_interchanges(uow, raw_id)):
        outcomes["done"] += group.sets - len(group.left)
        for at, index in enumerate(group.left):
            if not may_go_on():
                return {**+outcomes, "left": len(group.left) - at}
            outcomes[await _one(run, raw_id, group.index, index)] += 1
        await run(lambda uow, at=group.index: acknowledge_group(uow, raw_id, at))
    return dict(+outcomes)


async def _one(run: Run, raw_id: int, group_index: int, set_index: int) -> str:
    try:
        outcome = await run(lambda uow: apply_set(uow, raw_id, group_index, set_index))
        while outcome == STAGED:
            outcome = await run(lambda uow: continue_set(uow, raw_id, group_index, set_index))
        return outcome
    except DomainError as refusal:
        error = refusal  # its transaction is gone; the set is set aside in one of its own
    except asyncpg.DataError as refusal:
        error = Unusable("content", f"A value cannot be stored: {refusal.args[0]}.")
    return await run(lambda uow: quarantine_set(uow, raw_id, group_index, set_index, error))


async def apply_set(uow: Transaction, raw_id: int, group_index: int, set_index: int) -> str:
    """Apply one set and write its result; returns the outcome, `done` when it has one already.

    `staged`: go on with `continue_set`. Raises DomainError when it cannot be applied: run `quarantine_set` in a new
    transaction then.
    """
    file = await stored_file(uow, raw_id)
    place = place_of(file, group_index, set_index)
    row = await edi.lock_document(uow, raw_id, place.position)
    if row is None or row["delivery"] != EdiDelivery.RECEIVED:
        return "done"
    if place.document.kind in STAGED_KINDS and await edi.is_staged(uow, row["id"]):
        return STAGED
    partner, _ = await sender_of(uow, place.interchange, file)
    if partner is None:
        raise Unusable("unknown_partner", "The partner is not active any more.")
    if row["quarantine_state"] == QuarantineState.REPLAYED and row["guide_version"] is not None:
        partner = await with_guide(uow, partner, row["guide_version"])
    document, guide = place.document, partner.guide
    if document.kind not in INBOUND:
        raise Unusable("unknown_kind", f"Documents of kind {document.kind!r} are not processed here.")
    faults = syntax_faults(place)
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
    is_staged = applied.outcome == STAGED
    await edi.close_document(
        uow,
        row["id"],
        validation=str(EdiValidation.VALID_WITH_ERRORS if notes else EdiValidation.VALID),
        delivery=str(EdiDelivery.RECEIVED) if is_staged else applied.outcome,
        business_key=applied.business_key or None,
        purchase_order_id=applied.purchase_order_id,
        faults=[fault.facts() for fault in notes],
        result=applied.result or None,
        applied_at=None if is_staged else uow.now,
        **_owner(row, partner, place),
    )
    if not is_staged:
        announce_document(uow, row["id"], document.kind, partner, applied.outcome.upper())
    return applied.outcome


async def continue_set(uow: Transaction, raw_id: int, group_index: int, set_index: int) -> str:
    """Apply the next chunk of a staged set; returns `staged` while more is left, else its outcome."""
    file = await stored_file(uow, raw_id)
    place = place_of(file, group_index, set_index)
    row = await edi.lock_document(uow, raw_id, place.position)
    if row is None or row["delivery"] != EdiDelivery.RECEIVED:
        return "done"
    if await apply_stock_chunk(uow, row["id"]):
        return STAGED
    await edi.close_document(uow, row["id"], delivery=str(EdiDelivery.APPLIED), applied_at=uow.now)
    partner, _ = await sender_of(uow, place.interchange, file)
    announce_document(uow, row["id"], place.document.kind, partner, "APPLIED")
    return str(EdiDelivery.APPLIED)


async def quarantine_set(uow: Transaction, raw_id: int, group_index: int, set_index: int, refusal: DomainError) -> str:
    """Set one document aside with the segment, element and reason; its group is still answered."""
    file = await stored_file(uow, raw_id)
    place = place_of(file, group_index, set_index)
    row = await edi.lock_document(uow, raw_id, place.position)
    if row is None or row["delivery"] != EdiDelivery.RECEIVED:
        return "done"
    partner, _ = await sender_of(uow, place.interchange, file)
    found = syntax_faults(place)
    faults = [fault.facts() for fault in refusal.faults] if isinstance(refusal, Unusable) else []
    known = [fault.facts() for fault in found]
    reason = refusal.reason if isinstance(refusal, Unusable) else refusal.code.lower()
    judged = verdict(found, partner.guide.strictness if partner else DEFAULT_GUIDE.strictness)
    invalid = judged is Verdict.REJECTED or reason in ("content", "unknown_kind")
    await edi.close_document(
        uow,
        row["id"],
        validation=str(EdiValidation.INVALID if invalid else EdiValidation.VALID),
        delivery=str(EdiDelivery.QUARANTINED),
        faults=[*known, *(fault for fault in faults if fault not in known)] or [sentence(refusal.message)],
        quarantine_state=str(QuarantineState.NEW),
        quarantine_reason=f"{reason}: {refusal.message}",
        **_owner(row, partner, place),
    )
    announce_document(uow, row["id"], place.document.kind, partner, "QUARANTINED", refusal.message)
    return "quarantined"


def _owner(row: Any, partner: Partner | None, place: Place) -> dict[str, Any]:
    """What to write on a stranger's document once its sender is known: whose it is, and that it is to be answered."""
    if partner is None or row["partner_id"] is not None:
        return {}
    owed = EdiAcknowledgement.NOT_REQUIRED if is_answer(place.group) else EdiAcknowledgement.PENDING
    return {
        "partner_id": partner.id,
        "supplier_id": partner.supplier_id,
        "guide_version": partner.guide_version,
        "acknowledgement": str(owed),
    }
