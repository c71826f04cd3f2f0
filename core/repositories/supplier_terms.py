"""What is agreed with a supplier about a SKU: read under the SKU's gate, and written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.ports import Transaction

TERMS = (
    "price",
    "is_approved",
    "is_preferred",
    "expedite_days",
    "expedite_fee",
    "expedite_unit_fee",
    "vendor_code",
    "moq",
    "order_multiple",
    "lead_time_days",
    "lead_time_p80",
)


async def read_terms(uow: Transaction, supplier_id: int, sku_id: int) -> dict[str, Any] | None:
    """The offer, locked; None where there is none. `lead_time_p80` is the agreed one."""
    row = await uow.sql.fetchrow(
        """select price, is_approved, is_preferred, expedite_days, expedite_fee, expedite_unit_fee, vendor_code, moq,
            order_multiple, lead_time_days, coalesce(agreed_lead_time_p80, lead_time_p80) as lead_time_p80, currency
        from supplier_sku where supplier_id = $1 and sku_id = $2 for no key update""",
        supplier_id,
        sku_id,
    )
    return dict(row) if row is not None else None


async def add_offer(uow: Transaction, supplier_id: int, sku_id: int, currency: str | None, lead_time_days: int) -> None:
    """A new offer, in the currency of the SKU where none is named; the first one of a SKU is the preferred one."""
    await uow.sql.execute(
        """insert into supplier_sku (supplier_id, sku_id, currency, lead_time_days, lead_time_p80, is_preferred, created_at,
            updated_at)
        select $1, k.id, coalesce($3, k.currency), $4, $4,
            not exists (select from supplier_sku x where x.sku_id = k.id and x.is_preferred), $5, $5
        from sku k where k.id = $2""",
        supplier_id,
        sku_id,
        currency,
        lead_time_days,
        uow.now,
    )


async def write_terms(
    uow: Transaction,
    supplier_id: int,
    sku_id: int,
    terms: dict[str, Any],
    breaks: Sequence[tuple[int, int]] | None,
    follows_agreement: bool,
) -> dict[str, Any]:
    """Write the terms that are given (None: as it was) and, when given, all price breaks; returns all terms.

    What dates rest on (`lead_time_p80`) follows a newly agreed figure at once where nothing was observed or
    `follows_agreement` (nothing calibrates), else with the next calibration.
    """
    if terms.get("is_preferred"):
        await uow.sql.execute(
            "update supplier_sku set is_preferred = false where sku_id = $1 and supplier_id <> $2 and is_preferred",
            sku_id,
            supplier_id,
        )
    await uow.sql.execute(
        """update supplier_sku set price = coalesce($3, price), is_approved = coalesce($4, is_approved),
            is_preferred = coalesce($5, is_preferred), expedite_days = nullif(coalesce($6, expedite_days), 0),
            expedite_fee = coalesce($7, expedite_fee), expedite_unit_fee = coalesce($8, expedite_unit_fee),
            vendor_code = nullif(coalesce($9, vendor_code), ''), moq = coalesce($10, moq),
            order_multiple = coalesce($11, order_multiple), lead_time_days = coalesce($12, lead_time_days),
            lead_time_p80 = case when agreed_lead_time_p80 is null or ($15 and coalesce($12, $13) is not null)
                then greatest(coalesce($13, agreed_lead_time_p80, lead_time_p80), coalesce($12, lead_time_days))
                else lead_time_p80 end,
            agreed_lead_time_p80 = case when agreed_lead_time_p80 is not null
                then greatest(coalesce($13, agreed_lead_time_p80), coalesce($12, lead_time_days)) end,
            updated_at = $14
        where supplier_id = $1 and sku_id = $2""",
        supplier_id,
        sku_id,
        *[terms[name] for name in TERMS],
        uow.now,
        follows_agreement,
    )
    if breaks is not None:
        await uow.sql.execute(
            "delete from supplier_price_break where supplier_id = $1 and sku_id = $2", supplier_id, sku_id
        )
        await uow.sql.execute(
            """insert into supplier_price_break (supplier_id, sku_id, from_quantity, price, created_at)
            select $1, $2, u.start, u.price, $3 from unnest($4::bigint[], $5::bigint[]) as u(start, price)""",
            supplier_id,
            sku_id,
            uow.now,
            [start for start, _ in breaks],
            [price for _, price in breaks],
        )
    after = await read_terms(uow, supplier_id, sku_id)
    if after is None:
        raise LookupError(f"supplier {supplier_id} offers no SKU {sku_id}")
    return after
