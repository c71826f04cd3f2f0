"""Take a supplier's hints on its stock and capacity; an 846 or INVRPT says the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from core.errors import InvalidInput
from core.ports import Transaction
from core.repositories.supplier_portal import supplied_skus
from core.services.keep_stock_hints import KeptHint, keep_stock_hints


@dataclass(frozen=True, slots=True)
class StockHint:
    """What the supplier has of our SKU, can make in a week, and gets next; None where it says nothing. Base units."""

    sku: str
    available: int | None = None
    capacity_per_week: int | None = None
    next_date: date | None = None
    next_quantity: int | None = None


async def report_supplier_stock(
    uow: Transaction,
    supplier_id: int,
    hints: Sequence[StockHint],
    as_of: datetime | None = None,
    document_id: int | None = None,
) -> int:
    """Keep the hints; returns how many were newer than what was known (older ones are left out).

    What follows from them is what follows from a document (`keep_stock_hints`).
    Raises InvalidInput for a SKU the supplier does not deliver, a SKU named twice, or a negative figure.
    """
    skus = await supplied_skus(uow, supplier_id, [hint.sku for hint in hints])
    seen: set[str] = set()
    for index, hint in enumerate(hints):
        path = ("input", "lines", str(index))
        if hint.sku not in skus or hint.sku in seen:
            raise InvalidInput(
                f"SKU {hint.sku!r} is {'named twice' if hint.sku in seen else 'not delivered by this supplier'}.",
                path=(*path, "sku"),
                value=hint.sku,
            )
        seen.add(hint.sku)
        for name in ("available", "capacity_per_week", "next_quantity"):
            if (getattr(hint, name) or 0) < 0:
                raise InvalidInput("A figure must not be negative.", path=(*path, name), field=name)
    at = as_of or uow.now
    if at > uow.now:
        raise InvalidInput("A hint cannot be of the future.", path=("input", "asOf"), field="asOf")
    kept = [KeptHint(skus[h.sku], h.available, h.capacity_per_week, h.next_date, h.next_quantity) for h in hints]
    return await keep_stock_hints(uow, supplier_id, at, kept, document_id)
