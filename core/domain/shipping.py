"""The release gate: which allocated stock of an order may leave, and from where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.domain.book import SkuBook
from core.domain.records import Line
from core.domain.states import OrderLineStatus, PegKind, ShipPolicy


@dataclass(frozen=True, slots=True)
class ReadyPart:
    """Units of one line that may leave from one location (and lot)."""

    book: SkuBook
    line: Line
    location_id: int
    lot_id: int | None
    quantity: int


def release(
    lines: Sequence[tuple[SkuBook, Line]],
    planned: dict[tuple[int, int, int | None], int],
    *,
    is_held: bool,
    ship_complete: bool,
) -> list[ReadyPart]:
    """What of one order may leave now and is on no planned shipment yet.

    Nothing of an order on hold, or of one that ships complete while any line still waits; nothing of a COMPLETE line
    that is not whole. `lines` are all lines of the order; `planned` is by (line id, location, lot).
    """
    live = [(book, line) for book, line in lines if line.status != OrderLineStatus.CANCELLED]
    if is_held or any(line.status == OrderLineStatus.RECEIVED for _, line in live):
        return []
    if ship_complete and any(line.open + line.backordered for _, line in live):
        return []
    parts: list[ReadyPart] = []
    left = dict(planned)
    for book, line in live:
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


def withheld(lines: Sequence[tuple[SkuBook, Line]], *, ship_complete: bool) -> list[tuple[SkuBook, Line]]:
    """The lines of one order that stand on planned shipments, but have to leave whole and wait again.

    A line comes to that when stock is lost or the line is enlarged after its shipment was planned.
    """
    waits = any(line.open + line.backordered for _, line in lines)
    return [
        (book, line)
        for book, line in lines
        if line.ready
        and ((ship_complete and waits) or (line.ship_policy == ShipPolicy.COMPLETE and line.open + line.backordered))
    ]


def mark_ready(parts: Sequence[ReadyPart], reason: str) -> None:
    """Count the parts as ready on their lines."""
    for part in parts:
        part.line.ready += part.quantity
        part.book.settle(part.line, reason)
