"""The release gate: which allocated stock of an order may leave, and from where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.domain.book import SkuBook
from core.domain.kit_groups import incomplete_kits
from core.domain.records import Line
from core.domain.states import OrderLineStatus, PegKind, ShipPolicy
from core.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class ReadyPart:
    """Units of one line that may leave from one location (and lot)."""

    book: SkuBook
    line: Line
    location_id: int
    lot_id: int | None
    quantity: int


@dataclass(frozen=True, slots=True)
class ReleaseGate:
    """How much of a line and of a whole order has to be there before a part of it may leave, in percent."""

    line_percent: int = 0
    order_percent: int = 0

    def lets_out_line(self, covered: int, wanted: int) -> bool:
        return covered * 100 >= self.line_percent * wanted

    def lets_out(self, covered: int, wanted: int) -> bool:
        return covered * 100 >= self.order_percent * wanted


OPEN_GATE = ReleaseGate()
"""Lets out whatever is there."""


def release_gate(value: Mapping[str, Any] | None) -> ReleaseGate:
    """The policy `release_gate`: `linePercent` and `orderPercent`, both 0 where nothing is said.

    Raises InvalidInput for what is no whole number between 0 and 100.
    """
    value = value or {}
    given = [value.get(name, 0) for name in ("linePercent", "orderPercent")]
    for percent in given:
        if isinstance(percent, bool) or not isinstance(percent, int) or not 0 <= percent <= 100:
            raise InvalidInput(
                f"{percent!r} is no whole number of percent.", path=("input", "value"), value=str(percent)
            )
    return ReleaseGate(*given)


def release(
    lines: Sequence[tuple[SkuBook, Line]],
    planned: dict[tuple[int, int, int | None], int],
    *,
    is_held: bool,
    ship_complete: bool,
    gate: ReleaseGate = OPEN_GATE,
) -> list[ReadyPart]:
    """What of one order may leave now and is on no planned shipment yet.

    Nothing of an order on hold, or of one that ships complete while any line still waits; nothing of a COMPLETE line
    that is not whole, or of a kit line of which a component waits; nothing of a line or an order of which too little is
    there for the `gate`. `lines` are all lines of the order; `planned` is by (line id, location, lot).
    """
    live = [(book, line) for book, line in lines if line.status != OrderLineStatus.CANCELLED]
    if is_held or any(line.status == OrderLineStatus.RECEIVED for _, line in live):
        return []
    if ship_complete and any(line.open + line.backordered for _, line in live):
        return []
    amounts = [_covered(line) for _, line in live]
    if not gate.lets_out(sum(covered for covered, _ in amounts), sum(wanted for _, wanted in amounts)):
        return []
    parts: list[ReadyPart] = []
    left, held_back = dict(planned), incomplete_kits(live)
    for book, line in live:
        if id(line) in held_back or not gate.lets_out_line(*_covered(line)):
            continue
        if line.ship_policy == ShipPolicy.COMPLETE and line.open + line.backordered:
            continue
        for peg in book.pegs_of(line):
            if peg.kind != PegKind.HARD:
                continue
            key = (line.id or 0, peg.location_id, None)  # which lot leaves is settled when it leaves
            bound = min(left.get(key, 0), peg.quantity)
            left[key] = left.get(key, 0) - bound
            if peg.quantity > bound:
                parts.append(ReadyPart(book, line, peg.location_id, None, peg.quantity - bound))
    return parts


def _covered(line: Line) -> tuple[int, int]:
    """Units of a line that are there or have left, and units wanted."""
    return line.allocated + line.shipped, line.ordered - line.cancelled


def withheld(lines: Sequence[tuple[SkuBook, Line]], *, ship_complete: bool) -> list[tuple[SkuBook, Line]]:
    """The lines of one order that stand on planned shipments, but have to leave whole and wait again.

    A line comes to that when stock is lost or the line is enlarged after its shipment was planned.
    """
    waits, held_back = any(line.open + line.backordered for _, line in lines), incomplete_kits(lines)
    return [
        (book, line)
        for book, line in lines
        if line.ready
        and (
            (ship_complete and waits)
            or (line.ship_policy == ShipPolicy.COMPLETE and line.open + line.backordered)
            or id(line) in held_back
        )
    ]


def mark_ready(parts: Sequence[ReadyPart], reason: str) -> None:
    """Count the parts as ready on their lines."""
    for part in parts:
        part.line.ready += part.quantity
        part.book.settle(part.line, reason)
