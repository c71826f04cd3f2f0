"""Change what is agreed with a supplier about a SKU: approval, preference, prices by quantity, expediting."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from core.domain.lead_times import LONGEST_LEAD_DAYS
from core.domain.sku_fields import MAX_FIGURE
from core.errors import InvalidInput
from core.ports import Transaction
from core.repositories.codes import sku_ids_of
from core.repositories.gates import take_gates
from core.repositories.supplier_portal import supplier_id_of
from core.repositories.supplier_terms import TERMS, add_offer, read_terms, write_terms
from core.repositories.supplying import load_policies
from core.services.calibrate_lead_times import POLICY as CALIBRATION
from core.services.follow_up import request_purchase

MAX_MONEY = 1_000_000_000_000
MAX_VENDOR_CODE = 80
MAX_BREAKS = 100
_BOUNDS = (
    (("lead_time_days", "lead_time_p80", "expedite_days"), 0, LONGEST_LEAD_DAYS),
    (("moq", "order_multiple"), 1, MAX_FIGURE),
    (("price", "expedite_fee", "expedite_unit_fee"), 0, MAX_MONEY),
)
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
    While lead times are not calibrated, dates rest on newly agreed ones at once. Raises NotFound, UnknownSku, InvalidInput
    for a figure that cannot be, or is missing of a new offer.
    """
    supplier_id = await supplier_id_of(uow, terms.supplier)
    sku_id = (await sku_ids_of(uow, [terms.sku], ("input", "sku")))[terms.sku]
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
    is_calibrated = (await load_policies(uow)).get(CALIBRATION, {}).get("isOn", True)
    after = await write_terms(uow, supplier_id, sku_id, given, terms.breaks, follows_agreement=not is_calibrated)
    if before is None or (after["is_approved"] and not before["is_approved"]):
        request_purchase(uow, [sku_id])
    uow.audit("supplierTermsSet", f"supplier:{supplier_id}:sku:{sku_id}", before, after)
    return supplier_id


def _check(terms: SupplierTerms) -> None:
    for names, fewest, most in _BOUNDS:
        for name in names:
            figure = getattr(terms, name)
            if figure is not None and not fewest <= figure <= most:
                field = _camel(name)
                text = f"{figure} is not between {fewest} and {most}."
                raise InvalidInput(text, path=("input", field), field=field, value=figure)
    code = terms.vendor_code
    if code is not None and (len(code) > MAX_VENDOR_CODE or not code.isprintable()):
        text = f"A supplier's code has at most {MAX_VENDOR_CODE} characters that can be printed."
        raise InvalidInput(text, path=("input", "vendorCode"), value=code[:MAX_VENDOR_CODE])
    breaks = terms.breaks or ()
    starts = [start for start, _ in breaks]
    are_figures = all(2 <= start <= MAX_FIGURE and 0 <= price <= MAX_MONEY for start, price in breaks)
    if starts != sorted(set(starts)) or len(breaks) > MAX_BREAKS or not are_figures:
        raise InvalidInput(
            f"Price breaks begin at different quantities from 2 on, ascending: {MAX_BREAKS} at most, quantities up to"
            f" {MAX_FIGURE}, prices from 0 to {MAX_MONEY}.",
            path=("input", "priceBreaks"),
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
