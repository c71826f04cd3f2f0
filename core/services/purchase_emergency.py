"""Buy what is urgently short in one call: choose the sources, order, approve within limits, send."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from core.domain.calendars import local_day
from core.errors import InvalidInput, NotFound, QuantityExceeded
from core.ports import Transaction
from core.repositories.codes import location_ids_of, sku_ids_of
from core.repositories.supplying import load_policies
from core.services.choose_sources import Choice, evidence, sourcing_choice
from core.services.create_purchase_order import CreatePurchaseOrder, PurchaseOrderChange, create_purchase_order


@dataclass(frozen=True, slots=True)
class EmergencyPurchase:
    """`most` bounds the purchase in minor units of the preferred source's currency, fees included; above it nothing is
    ordered."""

    sku: str
    location: str
    quantity: int
    need_date: date
    most: int | None = None


async def purchase_emergency(uow: Transaction, request: EmergencyPurchase) -> tuple[Choice, list[PurchaseOrderChange]]:
    """One order per part of the cheapest plan; when the whole plan is within the limits they are approved by rule and
    sent, else they wait for a person. Expedited parts are put before the supplier as urgent requests once they are sent.

    Raises UnknownSku, NotFound (a location, or no approved source), InvalidInput, QuantityExceeded when no source can
    deliver so much or it costs more than `most`.
    """
    sku_id = (await sku_ids_of(uow, [request.sku], ("input", "sku")))[request.sku]
    await location_ids_of(uow, [request.location], ("input", "location"))
    zone = await uow.sql.fetchval("select time_zone from location where code = $1", request.location)
    today = local_day(uow.now, zone)
    if request.need_date < today:
        raise InvalidInput("The day is past.", path=("input", "needDate"), field="needDate")
    choice = await sourcing_choice(
        uow.sql, await load_policies(uow), sku_id, request.quantity, request.need_date, today, uow.now
    )
    if choice is None:
        raise NotFound("approved source of SKU", request.sku, path=("input", "sku"))
    if choice.plan is None:
        most = sum(option.offer.most or 0 for option in choice.options)
        raise QuantityExceeded("can be delivered by all sources", request.quantity, most, path=("input", "quantity"))
    price = round(sum(p.offer.unit_price(p.quantity) * p.quantity + p.fee for p in choice.plan.parts))
    if request.most is not None and price > request.most:
        raise QuantityExceeded("minor units may be spent", price, request.most, path=("input", "mostMinor"))
    changes = []
    for part in choice.plan.parts:
        source = choice.sources[part.offer.code]
        cause: dict[str, Any] = {"kind": "EMERGENCY", "choice": evidence(choice)}
        if part.offer.is_expedited:
            cause["expedite"] = {"skuId": sku_id, "quantity": part.quantity, "needDate": request.need_date.isoformat()}
        change = await create_purchase_order(
            uow,
            CreatePurchaseOrder(
                source.code,
                request.location,
                [(request.sku, part.quantity, source.price_at(part.quantity))],
                is_expedited=part.offer.is_expedited,
                cause=cause,
                plan_total=round(price / source.rate),
            ),
        )
        changes.append(change)
    uow.audit("emergencyPurchase", f"sku:{sku_id}", None, {"orders": [c.purchase_order_id for c in changes]})
    return choice, changes
