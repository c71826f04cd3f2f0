"""Adjust recorded stock by a difference: found, broken, stolen, or set aside as unsellable."""

from __future__ import annotations

from dataclasses import dataclass

from core.domain.book import SkuBook
from core.domain.records import Movement
from core.errors import InvalidInput, QuantityExceeded
from core.ports import Transaction
from core.services.correct_stock import StockChange, correct_stock


@dataclass(frozen=True, slots=True)
class AdjustStock:
    """`delta` in base units. With `unsellable` nothing arrives or leaves: `delta` units become unsellable, or, when
    negative, sellable again."""

    sku: str
    location: str
    delta: int
    reason: str
    unsellable: bool = False


async def adjust_stock(uow: Transaction, adjustment: AdjustStock) -> StockChange:
    """Write the movement; units that lines hold are taken back from them first when there are too few free ones.

    Raises InvalidInput without a difference or a reason, QuantityExceeded when more would go than is there.
    """
    if not adjustment.delta:
        raise InvalidInput("An adjustment of 0 changes nothing.", path=("input", "delta"), value=0)
    if not adjustment.reason.strip():
        raise InvalidInput("An adjustment needs a reason.", path=("input", "reason"))

    def change(book: SkuBook, location_id: int) -> int:
        level, delta = book.level(location_id), adjustment.delta
        taken = delta if adjustment.unsellable else -delta
        sellable = level.on_hand - level.unsellable
        if taken > sellable:
            raise QuantityExceeded("are sellable at this location", taken, sellable, path=("input", "delta"))
        if adjustment.unsellable and -delta > level.unsellable:
            raise QuantityExceeded("are unsellable at this location", -delta, level.unsellable, path=("input", "delta"))
        if taken > level.available:
            return taken
        if adjustment.unsellable:
            kind = "quarantined" if delta > 0 else "unquarantined"
            book.move(Movement(location_id, kind, unsellable=delta, cause_kind=adjustment.reason))
        else:
            book.move(Movement(location_id, "adjusted", on_hand=delta, cause_kind=adjustment.reason))
        return 0

    return await correct_stock(uow, adjustment.sku, adjustment.location, change, "stockAdjust")
