"""Adjust recorded stock by a difference: found, broken, stolen, or set aside as unsellable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from core.domain.book import SkuBook
from core.domain.records import Lot, Movement
from core.domain.tracking import check_expiry, check_serials, existing_lot, is_sellable
from core.errors import InvalidInput, QuantityExceeded
from core.ports import Transaction
from core.repositories.serials import SerialChange
from core.services.correct_stock import StockChange, correct_stock

PATH = ("input",)


@dataclass(frozen=True, slots=True)
class AdjustStock:
    """`delta` in base units. With `unsellable` nothing arrives or leaves: `delta` units become unsellable, or, when
    negative, sellable again. `lot` (and `expires_on`, when it is new) and `serials` for a SKU that tracks them."""

    sku: str
    location: str
    delta: int
    reason: str
    unsellable: bool = False
    lot: str | None = None
    expires_on: date | None = None
    serials: Sequence[str] = ()


async def adjust_stock(uow: Transaction, adjustment: AdjustStock) -> StockChange:
    """Write the movement; units that lines hold are taken back from them first when there are too few free ones.

    Raises InvalidInput without a difference or a reason, or when lot or serial numbers are missing or too many;
    QuantityExceeded when more would go than is there.
    """
    if not adjustment.delta:
        raise InvalidInput("An adjustment of 0 changes nothing.", path=("input", "delta"), value=0)
    if not adjustment.reason.strip():
        raise InvalidInput("An adjustment needs a reason.", path=("input", "reason"))

    def change(book: SkuBook, location_id: int) -> int:
        check_expiry(book, adjustment.expires_on, PATH)
        check_serials(book, adjustment.serials, abs(adjustment.delta), PATH)
        lot, delta = _lot(book, location_id, adjustment), adjustment.delta
        level = book.level(location_id) if lot is None else lot
        taken = delta if adjustment.unsellable else -delta
        sellable = level.on_hand - level.unsellable
        if taken > sellable:
            raise QuantityExceeded("are sellable at this location", taken, sellable, path=("input", "delta"))
        if adjustment.unsellable and -delta > level.unsellable:
            raise QuantityExceeded("are unsellable at this location", -delta, level.unsellable, path=("input", "delta"))
        if taken > level.available:
            return taken
        cause = adjustment.reason
        if adjustment.unsellable:
            if delta < 0 and not is_sellable(book, lot):
                raise InvalidInput("The lot is blocked or expired: release the lot instead.", path=("input", "lot"))
            kind = "quarantined" if delta > 0 else "unquarantined"
            book.move(Movement(location_id, kind, unsellable=delta, cause_kind=cause, lot=lot))
        else:
            book.move(Movement(location_id, "adjusted", on_hand=delta, cause_kind=cause, lot=lot))
            if delta > 0 and not is_sellable(book, lot):
                book.move(Movement(location_id, "quarantined", unsellable=delta, cause_kind=cause, lot=lot))
        return 0

    def serials(book: SkuBook, location_id: int) -> list[SerialChange]:
        return _serials(book, location_id, adjustment)

    return await correct_stock(
        uow, adjustment.sku, adjustment.location, change, "stockAdjust", lot=adjustment.lot, serials=serials
    )


def _lot(book: SkuBook, location_id: int, adjustment: AdjustStock) -> Lot | None:
    if book.lots is None or adjustment.lot is None:
        return None
    if adjustment.delta > 0 and not adjustment.unsellable:
        return book.lots.open(location_id, adjustment.lot, adjustment.expires_on, PATH)
    return existing_lot(book, location_id, adjustment.lot, PATH)


def _serials(book: SkuBook, location_id: int, adjustment: AdjustStock) -> list[SerialChange]:
    lot = book.lots.find(location_id, adjustment.lot or "") if book.lots is not None else None
    more = adjustment.delta > 0
    if adjustment.unsellable:
        kind, place = ("quarantined" if more else "unquarantined"), location_id
        return [
            SerialChange(book.sku_id, code, kind, place, lot, is_sellable=not more, from_location_id=location_id)
            for code in adjustment.serials
        ]
    if more:
        return [SerialChange(book.sku_id, code, "received", location_id, lot) for code in adjustment.serials]
    return [
        SerialChange(book.sku_id, code, "scrapped", None, lot, from_location_id=location_id)
        for code in adjustment.serials
    ]
