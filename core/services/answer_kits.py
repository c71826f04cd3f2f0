"""Answer what can be sold of kits: as many as the scarcest component allows, when its last component can be delivered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from core.domain.binding import Spot
from core.domain.proposals import Proposal, ProposedSlice
from core.errors import UnknownSku
from core.ports import Transaction
from core.services.answer_availability import (
    NOT_SOLD,
    AvailabilityQuestion,
    LocationAnswer,
    SkuAvailability,
    answer_availability,
    state_of,
)

Part = tuple[SkuAvailability, int]
"""A component's answer and its units per kit."""


@dataclass(frozen=True, slots=True)
class KitCurve:
    """Kits by day at one location: the least of floor(ATP of a component / units per kit)."""

    today: date
    parts: Sequence[tuple[Any, int]]

    def atp(self, day: date | None = None) -> int:
        return min(curve.atp(day) // units for curve, units in self.parts)

    def steps(self) -> list[tuple[date, int]]:
        return _steps(sorted({day for curve, _ in self.parts for day, _ in curve.steps()}), self.atp)


@dataclass(frozen=True, slots=True)
class KitAvailability(SkuAvailability):
    """A kit's components may come from different locations: over the network each component is summed by itself."""

    components: Sequence[Part] = field(default_factory=list)

    @property
    def gates(self) -> dict[int, int]:
        parts = {answer.sku_id: answer.version for answer, _ in self.components}
        return {self.sku_id: self.version - sum(answer.version for answer, _ in self.components), **parts}

    @property
    def limiting(self) -> tuple[int, Spot] | None:
        """That of the component which comes last."""
        if not self.slices:
            return None
        last, _ = max(self.components, key=lambda part: max(_day(row) for row in part[0].slices))
        return last.limiting

    def atp(self, horizon_days: int) -> list[tuple[date, int]]:
        """Steps of the kits that can be promised, capped as shown."""
        curves = [([place.curve for place in answer.locations], units) for answer, units in self.components]
        days = {day for part, _ in self.components for place in part.locations for day, _ in place.steps(horizon_days)}

        def kits(day: date) -> int:
            total = min(sum(curve.atp(day) for curve in places) // units for places, units in curves)
            return total if self.cap is None else min(total, self.cap)

        return _steps(sorted(days), kits)


def _steps(days: list[date], level: Any) -> list[tuple[date, int]]:
    steps: list[tuple[date, int]] = []
    for day in days:
        if not steps or steps[-1][1] != level(day):
            steps.append((day, level(day)))
    return steps


async def answer_with_kits(uow: Transaction, question: AvailabilityQuestion) -> list[SkuAvailability | UnknownSku]:
    """As `answer_availability`, with kits answered from their components; costs nothing where there are none."""
    found = await answer_availability(uow, question)
    kits = [answer for answer in found if isinstance(answer, SkuAvailability) and answer.parts]
    if not kits:
        return found
    wanted: dict[int, set[str]] = defaultdict(set)
    for kit in kits:
        for code, units in kit.parts.items():
            wanted[units].add(code)
    parts: dict[tuple[str, int], SkuAvailability] = {}
    for units, codes in sorted(wanted.items()):
        asked = replace(question, skus=sorted(codes), quantity=question.quantity * units)
        for code, answer in zip(asked.skus, await answer_availability(uow, asked), strict=True):
            assert isinstance(answer, SkuAvailability)
            parts[code, units] = answer
    combined = {
        kit.sku_id: combine(kit, [(parts[code, units], units) for code, units in sorted(kit.parts.items())])
        for kit in kits
    }
    return [combined.get(a.sku_id, a) if isinstance(a, SkuAvailability) else a for a in found]


def combine(kit: SkuAvailability, parts: Sequence[Part]) -> KitAvailability:
    """The kit's answer from those of its components, each asked for the units of all wanted kits."""
    is_sold = kit.status not in NOT_SOLD and all(answer.status not in NOT_SOLD for answer, _ in parts)
    free = min(answer.available_now // units for answer, units in parts) if is_sold else 0
    slices = _slices(parts) if is_sold and all(answer.slices for answer, _ in parts) else []
    return KitAvailability(
        sku_id=kit.sku_id,
        version=kit.version + sum(answer.version for answer, _ in parts),
        as_of=kit.as_of,
        valid_until=min([kit.valid_until, *(answer.valid_until for answer, _ in parts)]),
        state=state_of(kit.status, free, kit.low_stock_at, can_promise=bool(slices)),
        available_now=free,
        cap=kit.cap,
        locations=_locations(parts),
        proposal=_proposal(slices),
        slices=slices,
        parts=kit.parts,
        low_stock_at=kit.low_stock_at,
        status=kit.status,
        network=kit.network,
        components=parts,
    )


def _locations(parts: Sequence[Part]) -> list[LocationAnswer]:
    """Whole kits at each location that has all components; nothing is allocated or reserved as a kit."""
    by_place = [{place.location_id: place for place in answer.locations} for answer, _ in parts]
    found: list[LocationAnswer] = []
    for location_id in by_place[0]:
        if not all(location_id in places for places in by_place):
            continue
        rows = [(places[location_id], units) for places, (_, units) in zip(by_place, parts, strict=True)]
        curve: Any = KitCurve(rows[0][0].curve.today, [(row.curve, units) for row, units in rows])
        found.append(
            LocationAnswer(
                location_id=location_id,
                on_hand=min(row.on_hand // units for row, units in rows),
                allocated=0,
                reserved=0,
                safety_stock=0,
                on_order=min(row.on_order // units for row, units in rows),
                available_now=min(row.available_now // units for row, units in rows),
                curve=curve,
            )
        )
    return found


def _slices(parts: Sequence[Part]) -> list[dict[str, Any]]:
    """Whole kits by the day on which their last component arrives, told by the slice of that component."""
    days = sorted({_day(row) for answer, _ in parts for row in answer.slices})
    told: list[dict[str, Any]] = []
    before = 0
    for day in days:
        kits = min(sum(r["quantity"] for r in answer.slices if _day(r) <= day) // units for answer, units in parts)
        if kits > before:
            last = next(r for answer, _ in parts for r in answer.slices if _day(r) == day)
            told.append({**last, "quantity": kits - before})
            before = kits
    return told


def _day(row: dict[str, Any]) -> str:
    return row["deliveryDate"] or row["shipDate"]


def _proposal(slices: list[dict[str, Any]]) -> Proposal | None:
    if not slices:
        return None
    parts = [
        ProposedSlice(
            "ON_HAND" if row["source"] == "ON_HAND" else "DATED",
            row["location"],
            row["quantity"],
            date.fromisoformat(row["shipDate"]),
            date.fromisoformat(row["deliveryDate"]) if row["deliveryDate"] else None,
        )
        for row in slices
    ]
    return Proposal(parts, parts[0].location_id, None)
