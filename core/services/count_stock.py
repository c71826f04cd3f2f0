"""Take over the result of a count: what was found is what is there."""

from __future__ import annotations

from dataclasses import dataclass

from core.domain.book import SkuBook
from core.domain.records import Movement
from core.errors import InvalidInput
from core.ports import Transaction
from core.services.correct_stock import StockChange, correct_stock


@dataclass(frozen=True, slots=True)
class CountStock:
    """`counted` is everything found at the location, unsellable units included."""

    sku: str
    location: str
    counted: int
    reason: str = ""


async def count_stock(uow: Transaction, count: CountStock) -> StockChange:
    """Correct the record to the count; an equal count writes nothing.

    Missing units are taken from free stock, then from lines (least claim first), then from unsellable stock.
    """
    if count.counted < 0:
        raise InvalidInput("A count cannot be negative.", path=("input", "counted"), value=count.counted)

    def change(book: SkuBook, location_id: int) -> int:
        level = book.level(location_id)
        difference = count.counted - level.on_hand
        if not difference:
            return 0
        missing = max(0, -difference)
        held_by_lines = sum(
            p.quantity for p in book.pegs if p.kind == "HARD" and p.location_id == location_id and p.line is not None
        )
        from_sellable = min(missing, level.available + held_by_lines)
        if from_sellable > level.available:
            return from_sellable
        book.move(
            Movement(
                location_id,
                "counted",
                on_hand=difference,
                unsellable=from_sellable - missing,
                cause_kind=count.reason or "count",
            )
        )
        return 0

    return await correct_stock(uow, count.sku, count.location, change, "stockCount")
