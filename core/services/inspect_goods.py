"""Decide about units that wait unsellable: accepted ones can be sold again, rejected ones are scrapped."""

from __future__ import annotations

from dataclasses import dataclass

from core.domain.records import Movement
from core.errors import InvalidInput, QuantityExceeded
from core.ports import Transaction
from core.repositories.codes import location_ids_of, sku_ids_of
from core.repositories.gates import take_gates
from core.repositories.goods_receipts import insert_inspections, uninspected_lines
from core.repositories.load_book import load_books
from core.repositories.network import load_network
from core.repositories.save_book import save_books
from core.services.correct_stock import StockChange
from core.services.follow_up import request_allocation


@dataclass(frozen=True, slots=True)
class InspectGoods:
    """`accepted` + `rejected` units of the unsellable stock of a SKU at a location were judged."""

    location: str
    sku: str
    accepted: int
    rejected: int
    reason: str = ""


async def inspect_goods(uow: Transaction, inspection: InspectGoods) -> StockChange:
    """Book the result, oldest receipt first. Raises QuantityExceeded beyond the unsellable stock."""
    judged = inspection.accepted + inspection.rejected
    if min(inspection.accepted, inspection.rejected) < 0 or not judged:
        raise InvalidInput("An inspection accepts or rejects at least one unit.", path=("input", "accepted"))
    sku_id = (await sku_ids_of(uow, [inspection.sku]))[inspection.sku]
    location_id = (await location_ids_of(uow, [inspection.location]))[inspection.location]
    versions = await take_gates(uow, [sku_id])
    network = await load_network(uow)
    book = (await load_books(uow, versions, network))[sku_id]
    level = book.level(location_id)
    if judged > level.unsellable:
        raise QuantityExceeded("wait for inspection at this location", judged, level.unsellable)
    if inspection.accepted:
        book.move(Movement(location_id, "unquarantined", unsellable=-inspection.accepted, cause_kind="inspection"))
    if inspection.rejected:
        book.move(
            Movement(
                location_id,
                "scrapped",
                on_hand=-inspection.rejected,
                unsellable=-inspection.rejected,
                cause_kind="inspection",
            )
        )
    await save_books(uow, [book])
    rows, accepted, rejected = [], inspection.accepted, inspection.rejected
    for line_id, units in await uninspected_lines(uow, sku_id, location_id):
        good = min(accepted, units)
        bad = min(rejected, units - good)
        if good + bad:
            rows.append((line_id, good, bad))
        accepted, rejected = accepted - good, rejected - bad
    await insert_inspections(uow, sku_id, rows, inspection.reason)
    uow.audit(
        "goodsInspect",
        f"stock:{sku_id}:{location_id}",
        None,
        {"accepted": inspection.accepted, "rejected": inspection.rejected, "reason": inspection.reason},
    )
    if inspection.accepted:
        request_allocation(uow, [sku_id])
    return StockChange(sku_id, location_id, level.on_hand, book.version)
