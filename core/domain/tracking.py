"""What must be said about units of a SKU that tracks lots, expiry or serial numbers, and what may not be said of others."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from core.domain.book import SkuBook
from core.domain.records import Lot
from core.domain.states import LotState
from core.errors import InvalidInput

Path = tuple[str, ...]


def check_lot(book: SkuBook, lot: str | None, path: Path, *, required: bool = True) -> None:
    """Raises InvalidInput without a lot code where the SKU tracks lots, and with one where it does not."""
    if book.lots is None and lot is not None:
        raise InvalidInput(f"SKU {book.sku!r} does not track lots: leave the lot out.", path=(*path, "lot"), value=lot)
    if book.lots is not None and required and not (lot or "").strip():
        raise InvalidInput(f"SKU {book.sku!r} tracks lots: name the lot.", path=(*path, "lot"))


def check_expiry(book: SkuBook, expires_on: date | None, path: Path) -> None:
    """Raises InvalidInput when an expiry is given for a SKU that does not track it."""
    if expires_on is not None and (book.lots is None or not book.lots.tracks_expiry):
        raise InvalidInput(
            f"SKU {book.sku!r} does not track expiry: leave the date out.",
            path=(*path, "expiresOn"),
            value=expires_on.isoformat(),
        )


def check_serials(book: SkuBook, serials: Sequence[str], quantity: int, path: Path, *, required: bool = True) -> None:
    """Raises InvalidInput unless there is one serial number per unit where the SKU tracks them, and none where not."""
    path = (*path, "serials")
    if not book.tracks_serials:
        if serials:
            raise InvalidInput(f"SKU {book.sku!r} does not track serial numbers: leave them out.", path=path)
        return
    if not serials and not required:
        return
    if len(serials) != quantity:
        raise InvalidInput(
            f"SKU {book.sku!r} tracks serial numbers: {quantity} are needed, {len(serials)} were given.",
            path=path,
            value=len(serials),
        )
    twice = next((code for n, code in enumerate(serials) if code in serials[:n] or not code.strip()), None)
    if twice is not None:
        raise InvalidInput(f"The serial number {twice!r} is empty or stands twice.", path=path, value=twice)


def existing_lot(book: SkuBook, location_id: int, code: str, path: Path) -> Lot:
    """The lot at the location. Raises InvalidInput when there is none with this code."""
    assert book.lots is not None
    lot = book.lots.find(location_id, code)
    if lot is None:
        raise InvalidInput(f"There is no lot {code!r} of SKU {book.sku!r} here.", path=(*path, "lot"), value=code)
    return lot


def is_sellable(book: SkuBook, lot: Lot | None) -> bool:
    """May units that arrive in this lot be sold: not blocked anywhere, not expired."""
    if lot is None or book.lots is None:
        return True
    expired = lot.expires_on is not None and lot.expires_on < book.today[lot.location_id]
    return lot.state == LotState.SELLABLE and lot.code not in book.lots.blocked and not expired
