"""Change what is agreed with a supplier about a SKU: approval, preference, prices by quantity, expediting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.errors import InvalidInput, NotFound
from core.ports import Transaction
from core.repositories.codes import sku_ids_of
from core.repositories.gates import take_gates
from core.repositories.supplier_portal import supplier_id_of, write_terms


@dataclass(frozen=True, slots=True)
class SupplierTerms:
    """None leaves a term as it is. Money in minor units; `breaks` are (from quantity, unit price); `expedite_days` 0 ends
    expediting."""

    supplier: str
    sku: str
    price: int | None = None
    breaks: Sequence[tuple[int, int]] | None = None
    is_approved: bool | None = None
    is_preferred: bool | None = None
    expedite_days: int | None = None
    expedite_fee: int | None = None
    expedite_unit_fee: int | None = None


async def set_supplier_terms(uow: Transaction, terms: SupplierTerms) -> int:
    """Write the terms; returns the supplier's id. Raises NotFound, UnknownSku, InvalidInput for a figure that cannot be."""
    supplier_id = await supplier_id_of(uow, terms.supplier)
    sku_id = (await sku_ids_of(uow, [terms.sku]))[terms.sku]
    for name in ("price", "expedite_days", "expedite_fee", "expedite_unit_fee"):
        if (getattr(terms, name) or 0) < 0:
            raise InvalidInput("A figure must not be negative.", path=("input", name), field=name)
    starts = [start for start, _ in terms.breaks or ()]
    if starts != sorted(set(starts)) or any(start < 2 or price < 0 for start, price in terms.breaks or ()):
        raise InvalidInput(
            "Price breaks begin at different quantities from 2 on, ascending.", path=("input", "priceBreaks")
        )
    await take_gates(uow, [sku_id])  # who is preferred decides how soon what is ordered anew can be promised
    before = await write_terms(
        uow,
        supplier_id,
        sku_id,
        {
            "price": terms.price,
            "is_approved": terms.is_approved,
            "is_preferred": terms.is_preferred,
            "expedite_days": terms.expedite_days,
            "expedite_fee": terms.expedite_fee,
            "expedite_unit_fee": terms.expedite_unit_fee,
        },
        terms.breaks,
    )
    if before is None:
        raise NotFound("offer of supplier", f"{terms.supplier} {terms.sku}", path=("input", "sku"))
    uow.audit("supplierTermsSet", f"supplier:{supplier_id}:sku:{sku_id}", before, {"price": terms.price})
    return supplier_id
