"""Try a document that was set aside, under a guide version of one's choice, and say which named orders it would hit."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from core.domain.edi_states import EdiDelivery, QuarantineState
from core.edi.interchanges import Fault
from core.errors import DomainError, InvalidInput
from core.queries.hit_orders import order_lines, purchase_lines
from core.repositories.edi_guides import with_guide
from core.services.apply_edi_set import apply_edi_set
from core.services.check_repetition import is_repetition
from core.services.edi_outcome import Applied, Unusable
from core.services.edi_places import identity_of, places_of, sender_of, stored_file, syntax_faults
from core.services.settle_quarantine import quarantined
from core.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Preview:
    """What would happen: `outcome` as of a document, or `quarantined` with the `reason`. Dates are ISO.

    `purchase_lines` and `order_lines` are those that would change, each with `before` and `after`.
    """

    outcome: str
    reason: str | None = None
    guide_version: int | None = None
    faults: list[dict[str, Any]] = field(default_factory=list)
    purchase_lines: list[dict[str, Any]] = field(default_factory=list)
    order_lines: list[dict[str, Any]] = field(default_factory=list)


class Undo(Exception):
    """Ends the trial: everything it did is rolled back."""


async def preview_edi_document(uow: UnitOfWork, document_id: int, guide_version: int | None = None) -> Preview:
    """Apply it in a savepoint that is rolled back. Nothing is written, told or enqueued.

    Raises NotFound, IllegalTransition for a document that is not in quarantine, InvalidInput for one that is no set.
    """
    row = await quarantined(uow, document_id, QuarantineState.REPLAYED)
    file = await stored_file(uow, row["raw_id"])
    mine = row["position"], row["identity"]
    place = next((p for p in places_of(file) if (p.position, identity_of(p)) == mine), None)
    if place is None:
        raise InvalidInput("No document could be read in this file; ask for a new one.", path=("input", "id"))
    partner, reason = await sender_of(uow, place.interchange, file)
    if partner is None:
        return Preview("quarantined", reason)
    if guide_version is not None:
        partner = await with_guide(uow, partner, guide_version)
    known = list(syntax_faults(place))

    async def attempt(orders: list[int], lines: list[int]) -> tuple[Applied, dict[int, Any], dict[int, Any]]:
        found: list[Any] = []
        try:
            async with uow.sql.transaction():
                trial = UnitOfWork(uow.sql, uow.now, uow.principal, uow.request_id)
                found.append(await apply_edi_set(trial, place.document, partner, document_id))
                found.append(await purchase_lines(uow.sql, orders))
                found.append(await order_lines(uow.sql, orders, lines))
                raise Undo
        except Undo:
            return found[0], found[1], found[2]

    try:
        if await is_repetition(uow, row, place, partner):
            return Preview(str(EdiDelivery.REPEATED), None, partner.guide_version, _said(known))
        # Once to learn which order it is about, once more to see what becomes of those who rely on it now.
        applied, _, _ = await attempt([], [])
        orders = applied.purchase_order_ids
        before = await purchase_lines(uow.sql, orders), await order_lines(uow.sql, orders)
        _, lines_after, orders_after = await attempt(orders, list(before[1]))
    except DomainError as refusal:
        known += refusal.faults if isinstance(refusal, Unusable) else []
        return Preview("quarantined", refusal.message, partner.guide_version, _said(known))
    new = await order_lines(uow.sql, [], list(orders_after))
    return Preview(
        applied.outcome,
        None,
        partner.guide_version,
        _said([*known, *applied.faults]),
        changes_of(before[0], lines_after),
        changes_of({**new, **before[1]}, orders_after),
    )


def _said(faults: list[Fault]) -> list[dict[str, Any]]:
    return [fault.facts() for fault in dict.fromkeys(faults)]


def changes_of(before: dict[int, Any], after: dict[int, Any]) -> list[dict[str, Any]]:
    """Rows that differ, with plain values."""
    names = {**after, **before}
    return [
        {"before": _plain(before.get(key)), "after": _plain(after.get(key))}
        for key in names
        if before.get(key) != after.get(key)
    ]


def _plain(row: dict[str, Any] | None) -> dict[str, Any] | None:
    if row is None:
        return None
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in row.items()}
