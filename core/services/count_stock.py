"""Take over the result of a count: what was found is what is there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from core.domain.book import SkuBook
from core.domain.records import Lot, Movement
from core.domain.tracking import check_expiry, is_sellable
from core.errors import InvalidInput
from core.ports import Transaction
from core.repositories.write_stock import moved_since
from core.services.correct_stock import StockChange, correct_stock

PATH = ("input",)


@dataclass(frozen=True, slots=True)
class CountStock:
    """`counted` is everything found at the location, unsellable units included: of one `lot`, where the SKU tracks lots.

    `expires_on` for a lot that nobody knew of. `counted_at`: when it was found, if not now; what was booked since then
    stays booked.
    """

    sku: str
    location: str
    counted: int
    reason: str = ""
    lot: str | None = None
    expires_on: date | None = None
    counted_at: datetime | None = None


async def count_stock(uow: Transaction, count: CountStock) -> StockChange:
    """Correct the record to the count; an equal count writes nothing.

    Missing units are taken from free stock, then from lines (least claim first), then from unsellable stock. Raises
    InvalidInput for a count that differs of a SKU that tracks serial numbers: adjust it by the units that were found
    or are missing; for an instant of counting that lies ahead; when more units have left since then than were found.
    """
    if count.counted < 0:
        raise InvalidInput("A count cannot be negative.", path=("input", "counted"), value=count.counted)

    if count.counted_at is not None and count.counted_at > uow.now:
        raise InvalidInput("A count cannot lie ahead.", path=("input", "countedAt"), value=count.counted_at.isoformat())
    moved = 0

    async def look(sku_id: int, location_id: int) -> None:
        nonlocal moved
        if count.counted_at is not None:
            moved = await moved_since(uow, sku_id, location_id, count.counted_at, count.lot)

    def change(book: SkuBook, location_id: int) -> int:
        check_expiry(book, count.expires_on, PATH)
        lot = _lot(book, location_id, count)
        level = book.level(location_id) if lot is None else lot
        difference = count.counted + moved - level.on_hand
        if level.on_hand + difference < 0:
            raise InvalidInput(
                f"{-moved} units have left since then: that is more than were found.",
                path=("input", "counted"),
                value=count.counted,
            )
        if not difference:
            return 0
        if book.tracks_serials:
            raise InvalidInput(
                f"{level.on_hand} units are recorded of SKU {book.sku!r}, which tracks serial numbers: adjust the stock"
                " by those that are missing or were found.",
                path=("input", "counted"),
                value=count.counted,
            )
        missing = max(0, -difference)
        held_by_lines = sum(
            p.quantity
            for p in book.pegs
            if p.kind == "HARD"
            and p.location_id == location_id
            and p.line is not None
            and (lot is None or p.lot is lot)
        )
        from_sellable = min(missing, level.available + held_by_lines)
        if from_sellable > level.available:
            return from_sellable
        unsellable = difference if difference > 0 and not is_sellable(book, lot) else from_sellable - missing
        book.move(
            Movement(
                location_id,
                "counted",
                on_hand=difference,
                unsellable=unsellable,
                cause_kind=count.reason or "count",
                lot=lot,
            )
        )
        return 0

    return await correct_stock(uow, count.sku, count.location, change, "stockCount", lot=count.lot, look=look)


def _lot(book: SkuBook, location_id: int, count: CountStock) -> Lot | None:
    if book.lots is None or count.lot is None:
        return None
    found = book.lots.find(location_id, count.lot)
    return found or book.lots.open(location_id, count.lot, count.expires_on, PATH)
