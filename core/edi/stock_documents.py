"""Reports of what a partner has in stock (846, INVRPT): a hint, never a promise."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from core.edi.decoding import Notes
from core.edi.documents import ListedItem
from core.edi.interchanges import Segment


class StockKind(StrEnum):
    """What a quantity of a stock report counts."""

    AVAILABLE = "available"
    ON_HAND = "on_hand"
    ON_ORDER = "on_order"
    PROJECTED = "projected"
    COMMITTED = "committed"
    BACKORDERED = "backordered"
    HELD = "held"
    UNUSABLE = "unusable"
    MOVED = "moved"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class StockQuantity:
    kind: StockKind
    code: str
    quantity: int
    segment_number: int = 0


def counted(kind: StockKind, amount: int, segment: Segment, place: tuple[int, int], notes: Notes) -> StockQuantity:
    """A quantity as it counts: stock below zero is owed to somebody else, for us there is none."""
    if amount < 0 and kind is not StockKind.MOVED:
        notes.warning("quantity", f"Stock of {amount} counts as none", segment, *place)
        amount = 0
    return StockQuantity(kind, segment.value(1), amount, segment.number)


@dataclass(frozen=True, slots=True)
class StockLine(ListedItem):
    """`location` is the sender's code of the place where it differs from that of the whole report."""

    quantities: tuple[StockQuantity, ...]
    unit: str = "EA"
    available_on: date | None = None
    lead_time_days: int | None = None
    location: str = ""
    lot: str = ""
    segment_number: int = 0

    def first(self, *kinds: StockKind) -> int | None:
        """The quantity of the first of `kinds` that was sent."""
        known = {found.kind: found.quantity for found in reversed(self.quantities)}
        return next((known[kind] for kind in kinds if kind in known), None)


@dataclass(frozen=True, slots=True)
class InventoryReport:
    """An 846 or INVRPT. Whether an item that is missing has no stock (a full report) is the partner's guide."""

    number: str
    reported_on: date | None
    lines: tuple[StockLine, ...]
    purpose: str = "00"
    location: str = ""
    references: tuple[tuple[str, str], ...] = ()
    sequence: str = ""
