"""Apply a carrier's report about goods on their way to us: an estimate redates them, a delay is kept with its reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from core.domain.eta import usable_date
from core.domain.late_pegs import Cause, repair
from core.domain.states import DateBasis, PromiseReason
from core.errors import NotFound
from core.ports import Transaction
from core.repositories.gates import take_gates
from core.repositories.load_book import load_books
from core.repositories.network import load_network
from core.repositories.save_book import save_books
from core.repositories.ship_notices import (
    add_carrier_event,
    mark_event_applied,
    newest_estimate,
    supplies_on_the_way,
)
from core.repositories.supplying import load_lateness, load_policies, move_policy
from core.services.follow_up import request_shipments


@dataclass(frozen=True, slots=True)
class CarrierStatusInput:
    """`tracking_number` or `reference` names a ship notice of ours, `po_numbers` orders; `status_code` is AT701."""

    status_code: str
    occurred_at: datetime
    tracking_number: str = ""
    reference: str = ""
    po_numbers: Sequence[str] = ()
    carrier: str = ""
    reason_code: str | None = None
    estimated_date: date | None = None
    supplier_id: int | None = None
    document_id: int | None = None


@dataclass(frozen=True, slots=True)
class CarrierResult:
    """`line_ids` relied on the goods, which are on `purchase_order_ids`. `outcome`: applied, noted (no new day), stale or
    repeated."""

    outcome: str
    event_id: int | None = None
    line_ids: list[int] = field(default_factory=list)
    purchase_order_ids: list[int] = field(default_factory=list)


async def apply_carrier_status(uow: Transaction, report: CarrierStatusInput) -> CarrierResult:
    """Record the report once; an estimate of arrival newer than the last one redates the goods it speaks of.

    Raises NotFound when it names no goods that are on their way to us.
    """
    references = [report.tracking_number, report.reference]
    found = await supplies_on_the_way(uow, references, report.po_numbers, report.supplier_id)
    if not found:
        name = report.tracking_number or report.reference or ", ".join(report.po_numbers)
        raise NotFound("shipment on its way", name)
    versions = await take_gates(uow, {x.sku_id for x in found})
    found = await supplies_on_the_way(uow, references, report.po_numbers, report.supplier_id)
    found = [x for x in found if x.sku_id in versions]
    orders = sorted({x.purchase_order_id for x in found if x.purchase_order_id is not None})
    carrier = report.carrier or "UNKNOWN"
    tracking = report.tracking_number or report.reference or ",".join(report.po_numbers)
    newest = await newest_estimate(uow, carrier, tracking)
    event_id = await add_carrier_event(
        uow,
        carrier=carrier,
        tracking_number=tracking,
        ship_notice_id=next((x.ship_notice_id for x in found if x.ship_notice_id is not None), None),
        status_code=report.status_code,
        reason_code=report.reason_code,
        estimated_date=report.estimated_date,
        occurred_at=report.occurred_at,
        document_id=report.document_id,
    )
    if event_id is None:
        return CarrierResult("repeated", purchase_order_ids=orders)
    if report.estimated_date is None:
        return CarrierResult("noted", event_id, purchase_order_ids=orders)
    if newest is not None and report.occurred_at < newest:
        return CarrierResult("stale", event_id, purchase_order_ids=orders)
    network = await load_network(uow)
    books = await load_books(uow, versions, network, lines="waiting")
    policies = await load_policies(uow)
    lateness = await load_lateness(uow, {x.supplier_id for x in found})
    basis = DateBasis.CARRIER
    touched = []
    for sku_id, book in books.items():
        rows = {x.supply_id: x for x in found if x.sku_id == sku_id}
        supplies = [s for s in book.supplies if s.id in rows]
        for supply in supplies:
            supply.paper_date = report.estimated_date
            late = lateness.get((rows[supply.id or 0].supplier_id, str(basis)), 0)
            calendar = network.locations[supply.location_id].calendar
            receiving_days = int(policies.get("receiving_days", 0))
            day = usable_date(report.estimated_date, basis, late, receiving_days, calendar)
            book.redate_supply(supply, day, str(basis), None)
        evidence = {"carrierEvent": event_id, "status": report.status_code, "reason": report.reason_code}
        cause = Cause(PromiseReason.SUPPLY_DELAYED, id=event_id, evidence=evidence)
        touched += repair(book, network, supplies, cause, move_policy(policies))
    await save_books(uow, books.values())
    await mark_event_applied(uow, event_id)
    uow.audit(
        "carrierStatusApply",
        f"carrier_event:{event_id}",
        None,
        {"status": report.status_code, "estimated": report.estimated_date.isoformat()},
    )
    request_shipments(uow, {line.order_id for line in touched if line.allocated > line.ready})
    return CarrierResult("applied", event_id, sorted({line.id or 0 for line in touched}), orders)
