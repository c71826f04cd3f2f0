"""Read a stored file and apply it: every set in a transaction of its own, one answer for every group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

import asyncpg

from core.domain.edi_states import EdiAcknowledgement, EdiDelivery, EdiValidation, QuarantineState
from core.edi.guide import DEFAULT_GUIDE
from core.edi.interchanges import Fault, Level, Severity, Verdict, verdict
from core.errors import DomainError, NotFound
from core.ports import Transaction
from core.repositories import edi
from core.repositories.edi import Partner
from core.repositories.edi_guides import with_guide
from core.repositories.gates import take_gates
from core.repositories.purchase_orders import find_orders, sku_ids_of_orders
from core.repositories.supplier_changes import lock_changes
from core.services.acknowledge_edi_group import acknowledge_group
from core.services.apply_edi_set import INBOUND, apply_edi_set, orders_named
from core.services.apply_stock_chunk import apply_stock_chunk
from core.services.check_repetition import is_repetition
from core.services.edi_outcome import STAGED, STAGED_KINDS, Applied, Unusable
from core.services.edi_places import (
    Place,
    announce_document,
    is_answer,
    place_of,
    sender_of,
    stored_file,
    syntax_faults,
)
from core.services.plan_edi_file import plan_interchanges
from core.services.take_up_statuses import request_after_refusal

T = TypeVar("T")
_INVALID = ("content", "unknown_kind", "together_invalid")
"""Reasons for which the sender is told that the set is rejected, beside its syntax."""


class Run(Protocol):
    """Runs a use case in a transaction of its own (a job's `context.run`)."""

    async def __call__(self, use_case: Callable[[Any], Awaitable[T]]) -> T: ...


async def ingest_edi_file(run: Run, raw_id: int, may_go_on: Callable[[], bool] = lambda: True) -> dict[str, int]:
    """Apply a stored file from wherever it stands; how many sets had which outcome in this run.

    Killed between any two transactions it goes on with the sets that have no result. A file that came again is
    only answered again. Once `may_go_on` says no it stops between two sets; `left` counts those without a result then.
    """
    outcomes: Counter[str] = Counter()
    groups = await run(lambda uow: plan_interchanges(uow, raw_id))
    for group in groups:
        outcomes["done"] += group.sets - len(group.left)
        if group.together is not None:
            mine = [g for g in groups if g.together == group.together]
            if group is mine[0]:
                unit = [(g.index, index) for g in mine for index in range(g.sets)]
                outcomes += await _together(run, raw_id, [(g.index, index) for g in mine for index in g.left], unit)
        else:
            for at, index in enumerate(group.left):
                if not may_go_on():
                    return {**+outcomes, "left": len(group.left) - at}
                outcomes[await _one(run, raw_id, group.index, index)] += 1
        await run(lambda uow, at=group.index: acknowledge_group(uow, raw_id, at))
    return dict(+outcomes)


class _Fallen(Exception):
    """The set at this place of a group that stands or falls as one cannot be applied."""

    def __init__(self, at: tuple[int, int], error: DomainError) -> None:
        super().__init__(error.message)
        self.at, self.error = at, error


async def _together(run: Run, raw_id: int, places: list[tuple[int, int]], unit: list[tuple[int, int]]) -> Counter[str]:
    """All of these sets in one transaction; where one cannot be applied, all are set aside, it with its own reason.

    What is replayed brings back the others of its unit that were set aside: none of them is applied without them.
    """

    async def apply_all(uow: Transaction) -> list[tuple[tuple[int, int], str]]:
        found = []
        all_of_it = sorted({*places, *await _bring_back(uow, raw_id, places, unit)})
        if len(all_of_it) > 1:
            await _take_gates(uow, raw_id, all_of_it)
        for at in all_of_it:
            try:
                found.append((at, await apply_set(uow, raw_id, *at)))
            except DomainError as refusal:
                raise _Fallen(at, refusal) from refusal
            except asyncpg.DataError as refusal:
                raise _Fallen(at, _unstorable(refusal)) from refusal
        return found

    try:
        outcomes = await run(apply_all)
    except _Fallen as refusal:
        fallen = refusal
        return Counter(await run(lambda uow: _set_aside(uow, raw_id, places, fallen)))
    for at, outcome in outcomes:
        while outcome == STAGED:
            outcome = await run(lambda uow, at=at: continue_set(uow, raw_id, *at))
    return Counter("applied" if outcome == STAGED else outcome for _, outcome in outcomes)


async def _take_gates(uow: Transaction, raw_id: int, places: list[tuple[int, int]]) -> None:
    """Each set ends with the row of its order: the gates of all orders come before the first one."""
    file = await stored_file(uow, raw_id)
    partner, _ = await sender_of(uow, place_of(file, *places[0]).interchange, file)
    if partner is None or partner.supplier_id is None:
        return
    numbers: set[str] = set()
    for place in (place_of(file, *at) for at in places):
        if verdict(syntax_faults(place), partner.guide.strictness) is not Verdict.REJECTED:
            numbers |= orders_named(place.document, partner)
    try:
        orders = sorted(head.id for head in (await find_orders(uow, numbers, partner.supplier_id)).values())
    except NotFound:
        return  # with the set that names it the whole unit falls
    for order_id in orders:
        await lock_changes(uow, order_id)
    await take_gates(uow, await sku_ids_of_orders(uow, orders))


async def _bring_back(
    uow: Transaction, raw_id: int, places: list[tuple[int, int]], unit: list[tuple[int, int]]
) -> list[tuple[int, int]]:
    """Put what else of the unit is in quarantine back in line, under the guide of what is replayed."""
    file = await stored_file(uow, raw_id)
    known = {row["position"]: row for row in await edi.documents_of(uow, raw_id)}
    rows = {at: known[place_of(file, *at).position] for at in unit}
    cause = next((rows[at] for at in places if rows[at]["quarantine_state"] == QuarantineState.REPLAYED), None)
    if cause is None:
        return []
    back = []
    for at in (at for at, row in rows.items() if row["delivery"] == EdiDelivery.QUARANTINED):
        row = await edi.lock_document(uow, raw_id, rows[at]["position"])
        if row["delivery"] != EdiDelivery.QUARANTINED:
            continue
        back.append(at)
        await edi.close_document(
            uow,
            row["id"],
            delivery=str(EdiDelivery.RECEIVED),
            quarantine_state=str(QuarantineState.REPLAYED),
            guide_version=cause["guide_version"],
        )
        facts = {"documentId": row["id"], "rawId": raw_id, "with": cause["id"]}
        uow.audit("ediDocumentReplay", f"edi_document:{row['id']}", {"quarantineState": row["quarantine_state"]}, facts)
    return back


async def _set_aside(uow: Transaction, raw_id: int, places: list[tuple[int, int]], fallen: _Fallen) -> list[str]:
    reason = fallen.error.reason if isinstance(fallen.error, Unusable) else fallen.error.code.lower()
    place = place_of(await stored_file(uow, raw_id), *fallen.at)
    text = f"Set {place.document.control!r}, with which it stands or falls, cannot be applied: {fallen.error.message}"
    word = "together_invalid" if reason in ("syntax", *_INVALID) else "together"
    other = Unusable(word, text, [Fault(Level.SET, Severity.ERROR, "5", text)])
    return [await quarantine_set(uow, raw_id, *at, fallen.error if at == fallen.at else other) for at in places]


def _unstorable(refusal: asyncpg.DataError) -> Unusable:
    return Unusable("content", f"A value cannot be stored: {refusal.args[0]}.")


async def _one(run: Run, raw_id: int, group_index: int, set_index: int) -> str:
    try:
        outcome = await run(lambda uow: apply_set(uow, raw_id, group_index, set_index))
        while outcome == STAGED:
            outcome = await run(lambda uow: continue_set(uow, raw_id, group_index, set_index))
        return outcome
    except DomainError as refusal:
        error = refusal  # its transaction is gone; the set is set aside in one of its own
    except asyncpg.DataError as refusal:
        error = _unstorable(refusal)
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
    is_known = await is_repetition(uow, row, place, partner)
    if place.interchange.is_test:
        applied = Applied("ignored")
    elif is_known:
        applied = Applied("repeated")
    else:
        applied = await apply_edi_set(uow, document, partner, row["id"])
        await edi.remember(uow, partner.id, row["usage"], row["identity"], bytes.fromhex(document.sha256), row["id"])
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
    invalid = judged is Verdict.REJECTED or reason in _INVALID
    if not faults and judged is not Verdict.REJECTED:
        faults = [Fault(Level.BUSINESS, Severity.ERROR, reason, refusal.message).facts()]
    await edi.close_document(
        uow,
        row["id"],
        validation=str(EdiValidation.INVALID if invalid else EdiValidation.VALID),
        delivery=str(EdiDelivery.QUARANTINED),
        faults=[*known, *(fault for fault in faults if fault not in known)],
        quarantine_state=str(QuarantineState.ASSIGNED if row["assigned_to"] else QuarantineState.NEW),
        quarantine_reason=f"{reason}: {refusal.message}",
        **_owner(row, partner, place),
    )
    announce_document(uow, row["id"], place.document.kind, partner, "QUARANTINED", refusal.message)
    request_after_refusal(uow, place.document.kind, row["quarantine_state"], refusal)
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
