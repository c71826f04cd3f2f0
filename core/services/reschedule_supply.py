"""Believe another day of a supply, and bring everything that relied on the old one in step."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from core.domain.late_pegs import Cause, repair
from core.domain.records import Supply
from core.domain.sequences import is_older
from core.domain.states import DateBasis, PromiseReason
from core.errors import NotFound
from core.ports import Transaction
from core.repositories.gates import take_gates
from core.repositories.load_book import load_books
from core.repositories.network import load_network
from core.repositories.save_book import save_books
from core.repositories.supplying import load_policies, move_policy
from core.services.follow_up import request_shipments

SURE = (DateBasis.TRANSFER, DateBasis.SHIP_NOTICE, DateBasis.CARRIER, DateBasis.CONFIRMED_ORDER)
"""Somebody has said so: the customer's day follows every change, however small."""


@dataclass(frozen=True, slots=True)
class SupplyChange:
    """A supply becomes usable on another day. A `sequence` older than the last one applied changes nothing."""

    sku_id: int
    supply_id: int
    usable_date: date
    basis: str
    cause: str | None = None
    sequence: str | None = None


async def reschedule_supply(uow: Transaction, changes: Sequence[SupplyChange]) -> list[int]:
    """Apply the changes; returns the ids of the order lines that relied on these supplies.

    Late claims take other supply that is in time, then stock, else their day and promise move with the cause
    (default: delayed or advanced) as the hysteresis policy says. Raises NotFound for a supply that is not open.
    """
    versions = await take_gates(uow, {change.sku_id for change in changes})
    network = await load_network(uow)
    books = await load_books(uow, versions, network, lines="waiting")
    policy = move_policy(await load_policies(uow))
    groups: dict[tuple[int, PromiseReason, bool], list[Supply]] = defaultdict(list)
    for change in changes:
        book = books.get(change.sku_id)
        supply = next((s for s in book.supplies if s.id == change.supply_id), None) if book is not None else None
        if book is None or supply is None:
            raise NotFound("open supply", str(change.supply_id))
        if is_older(change.sequence, supply.last_sequence):
            continue
        later = change.usable_date > supply.usable_date
        default = PromiseReason.SUPPLY_DELAYED if later else PromiseReason.SUPPLY_ADVANCED
        reason = PromiseReason(change.cause) if change.cause else default
        before = {"supply": supply.id, "from": supply.usable_date.isoformat(), "to": change.usable_date.isoformat()}
        uow.audit("supplyReschedule", f"supply:{change.sku_id}:{supply.id}", before, {"basis": change.basis})
        book.redate_supply(supply, change.usable_date, change.basis, change.sequence)
        groups[change.sku_id, reason, change.basis in SURE].append(supply)
    touched = []
    for (sku_id, reason, certain), supplies in groups.items():
        cause = Cause(reason, certain, supplies[0].id, {"supplies": [s.id for s in supplies]})
        touched += repair(books[sku_id], network, supplies, cause, policy)
    await save_books(uow, books.values())
    request_shipments(uow, {line.order_id for line in touched if line.allocated > line.ready})
    return sorted({line.id or 0 for line in touched})
