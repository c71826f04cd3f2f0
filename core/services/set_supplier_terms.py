"""Change what is agreed with a supplier about a SKU: approval, preference, prices by quantity, expediting."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from core.errors import InvalidInput
from core.ports import Transaction
from core.repositories.codes import sku_ids_of
from core.repositories.gates import take_gates
from core.repositories.supplier_portal import supplier_id_of
from core.repositories.supplier_terms import TERMS, add_offer, read_terms, write_terms
from core.services.follow_up import request_purchase

_CURRENCY = re.compile("[A-Z]{3}")


@dataclass(frozen=True, slots=True)
class SupplierTerms:
    """None leaves a term as it is. Money in minor units; `breaks` are (from quantity, unit price); `expedite_days` 0 ends
    expediting. Of what the supplier does not offer yet `price` and `lead_time_days` are needed."""

    supplier: str
    sku: str
    price: int | None = None
    breaks: Sequence[tuple[int, int]] | None = None
    is_approved: bool | None = None
    is_preferred: bool | None = None
    expedite_days: int | None = None
    expedite_fee: int | None = None
    expedite_unit_fee: int | None = None
    currency: str | None = None
    vendor_code: str | None = None
    moq: int | None = None
    order_multiple: int | None = None
    lead_time_days: int | None = None
    lead_time_p80: int | None = None


async def set_supplier_terms(uow: Transaction, terms: SupplierTerms) -> int:
    """Write the terms, of a SKU that the supplier did not offer a new offer; returns the supplier's id.

    The first offer of a SKU is the preferred one unless it is said otherwise; what waits without a source is bought anew.
    Raises NotFound, UnknownSku, InvalidInput for a figure that cannot be, or is missing of a new offer.
    """
    supplier_id = await supplier_id_of(uow, terms.supplier)
    sku_id = (await sku_ids_of(uow, [terms.sku]))[terms.sku]
    _check(terms)
    await take_gates(uow, [sku_id])  # who is preferred decides how soon what is ordered anew can be promised
    before = await read_terms(uow, supplier_id, sku_id)
    if before is None:
        await _offer(uow, supplier_id, sku_id, terms)
    elif terms.currency not in (None, before["currency"]):
        raise InvalidInput(
            f"The offer is in {before['currency']}; another currency needs another supplier.",
            path=("input", "currency"),
            value=terms.currency,
        )
    given = {name: getattr(terms, name) for name in TERMS}
    after = await write_terms(uow, supplier_id, sku_id, given, terms.breaks)
    if before is None or (after["is_approved"] and not before["is_approved"]):
        request_purchase(uow, [sku_id])
    uow.audit("supplierTermsSet", f"supplier:{supplier_id}:sku:{sku_id}", before, after)
    return supplier_id


def _check(terms: SupplierTerms) -> None:
    for name in ("price", "expedite_days", "expedite_fee", "expedite_unit_fee", "lead_time_days", "lead_time_p80"):
        if (getattr(terms, name) or 0) < 0:
            raise InvalidInput("A figure must not be negative.", path=("input", _camel(name)), field=_camel(name))
    for name in ("moq", "order_multiple"):
        if (figure := getattr(terms, name)) is not None and figure < 1:
            raise InvalidInput("A quantity is at least 1.", path=("input", _camel(name)), field=_camel(name))
    starts = [start for start, _ in terms.breaks or ()]
    if starts != sorted(set(starts)) or any(start < 2 or price < 0 for start, price in terms.breaks or ()):
        raise InvalidInput(
            "Price breaks begin at different quantities from 2 on, ascending.", path=("input", "priceBreaks")
        )


async def _offer(uow: Transaction, supplier_id: int, sku_id: int, terms: SupplierTerms) -> None:
    for name in ("price", "lead_time_days"):
        if getattr(terms, name) is None:
            text = f"{terms.supplier} does not offer {terms.sku} yet: a new offer has a price and a lead time."
            raise InvalidInput(text, path=("input", _camel(name)), field=_camel(name))
    if terms.currency is not None and not _CURRENCY.fullmatch(terms.currency):
        raise InvalidInput("A currency is three capitals.", path=("input", "currency"), value=terms.currency)
    await add_offer(uow, supplier_id, sku_id, terms.currency, terms.lead_time_days or 0)


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    word = first + "".join(part.capitalize() for part in rest)
    return f"{word}Minor" if first in ("price",) or word.endswith("Fee") else word
