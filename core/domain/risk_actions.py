"""What can be done about a SKU that may go short at a location: each suggestion is the input of a mutation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from math import ceil
from typing import Any

from core.domain.purchasing import order_quantity
from core.domain.states import RiskActionKind

COVER_WEEKS = 4
"""What is missing is bought or moved for so many weeks of expected demand."""
RESERVE_FOR = "PROMOTION"
"""Pools of this kind stay held while orders draw on them."""
PRIORITY_STEP = 1_000_000


@dataclass(frozen=True, slots=True)
class Source:
    """An offer of a supplier; lead time in calendar days."""

    supplier: str
    lead_time_days: int
    moq: int
    order_multiple: int
    is_preferred: bool


@dataclass(frozen=True, slots=True)
class Spare:
    """Units that a location has beyond what it expects to need itself."""

    location: str
    units: int
    transit_days: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """An open backorder; `may_substitute` when a substitute is on offer for it, `is_raised` when a person has put it in its
    place already."""

    sku_id: int
    id: int
    score: int
    may_substitute: bool
    is_raised: bool = False


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known of one SKU at one location; units, weekly demand, days."""

    sku: str
    location: str
    on_hand: int
    in_transit: int
    past_due: int
    backordered: int
    minimum: int
    weekly_demand: float
    today: date
    sources: Sequence[Source] = ()
    spares: Sequence[Spare] = ()
    waiting: Sequence[Waiting] = ()
    tier_weeks: float = field(default=COVER_WEEKS)
    free: int = 0
    """Of what is on hand, units that nobody has or waits for there and nothing keeps back."""

    @property
    def missing(self) -> int:
        """Units short of what is owed, kept back and expected over the cover."""
        wanted = self.backordered + self.minimum + self.weekly_demand * self.tier_weeks
        return max(0, ceil(wanted - self.on_hand - self.in_transit))


@dataclass(frozen=True, slots=True)
class Suggestion:
    """`input` is that of the mutation; ids in it are {"node": type, "skuId": .., "id": ..} until the API writes them."""

    kind: RiskActionKind
    mutation: str
    input: Mapping[str, Any]
    facts: Mapping[str, Any]


def suggest_actions(situation: Situation) -> list[Suggestion]:
    """What helps, the quickest first; nothing where nothing is missing and nobody waits."""
    found: list[Suggestion] = []
    missing = situation.missing
    if missing:
        found += _transfers(situation, missing)
        found += _purchases(situation, missing)
    if situation.free > 0 and (situation.past_due or missing):
        item = {"sku": situation.sku, "quantity": situation.free, "location": situation.location}
        found.append(
            Suggestion(
                RiskActionKind.RESERVE,
                "reservationCreate",
                {"items": [item], "kind": RESERVE_FOR},
                {"units": situation.free},
            )
        )
    first = next((one for one in situation.waiting if not one.is_raised), None)
    if first is not None:
        node = {"node": "Backorder", "skuId": first.sku_id, "id": first.id}
        score = first.score + PRIORITY_STEP
        found.append(
            Suggestion(
                RiskActionKind.RAISE_PRIORITY,
                "backorderReprioritize",
                {"id": node, "score": score, "reason": "supply at risk"},
                {"score": first.score},
            )
        )
    for backorder in situation.waiting:
        if backorder.may_substitute:
            node = {"node": "Backorder", "skuId": backorder.sku_id, "id": backorder.id}
            wanted = {"backorderId": node, "kind": "SUBSTITUTE"}
            found.append(Suggestion(RiskActionKind.SUBSTITUTE, "backorderOptionChoose", wanted, {}))
            break
    return found


def _transfers(situation: Situation, missing: int) -> list[Suggestion]:
    if not situation.spares:
        return []
    best = min(
        situation.spares, key=lambda spare: (spare.units < missing, spare.transit_days, -spare.units, spare.location)
    )
    units = min(best.units, missing)
    if units <= 0:
        return []
    wanted = {
        "sku": situation.sku,
        "fromLocation": best.location,
        "toLocation": situation.location,
        "quantity": units,
    }
    facts = {"units": units, "days": best.transit_days}
    return [Suggestion(RiskActionKind.TRANSFER, "stockTransfer", wanted, facts)]


def _purchases(situation: Situation, missing: int) -> list[Suggestion]:
    """From the usual supplier at once, and from another one when that is quicker or the usual one is past due."""
    if not situation.sources:
        return []
    usual = next((source for source in situation.sources if source.is_preferred), situation.sources[0])
    found = [_purchase(situation, usual, missing, RiskActionKind.EXPEDITE)]
    others = [source for source in situation.sources if source.supplier != usual.supplier]
    other = min(others, key=lambda source: (source.lead_time_days, source.supplier), default=None)
    if other is not None and (situation.past_due or other.lead_time_days < usual.lead_time_days):
        found.append(_purchase(situation, other, missing, RiskActionKind.ALTERNATIVE_SOURCE))
    return found


def _purchase(situation: Situation, source: Source, missing: int, kind: RiskActionKind) -> Suggestion:
    units = order_quantity(missing, source.moq, source.order_multiple)
    wanted = {
        "supplier": source.supplier,
        "location": situation.location,
        "lines": [{"sku": situation.sku, "quantity": units}],
    }
    return Suggestion(kind, "purchaseOrderCreate", wanted, {"units": units, "days": source.lead_time_days})
