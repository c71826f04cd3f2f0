"""Decide about units that wait unsellable: accepted ones can be sold again, rejected ones are scrapped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.domain.book import SkuBook
from core.domain.records import Lot, Movement
from core.domain.tracking import check_lot, check_serials, existing_lot, is_sellable
from core.errors import InvalidInput, QuantityExceeded
from core.ports import Transaction
from core.repositories.codes import location_ids_of, sku_ids_of
from core.repositories.gates import take_gates
from core.repositories.goods_receipts import insert_inspections, uninspected_lines
from core.repositories.load_book import load_books
from core.repositories.network import load_network
from core.repositories.save_book import save_books
from core.repositories.serials import SerialChange, take_serials
from core.services.correct_stock import StockChange
from core.services.follow_up import request_allocation


@dataclass(frozen=True, slots=True)
class InspectGoods:
    """`accepted` + `rejected` units of the unsellable stock of a SKU at a location were judged.

    Of one `lot`, and by serial number (the accepted ones first), where the SKU tracks them.
    """

    location: str
    sku: str
    accepted: int
    rejected: int
    reason: str = ""
    lot: str | None = None
    serials: Sequence[str] = ()


async def inspect_goods(uow: Transaction, inspection: InspectGoods) -> StockChange:
    """Book the result, oldest receipt first.

    Raises QuantityExceeded beyond the unsellable stock, InvalidInput when lot or serial numbers are missing, or when
    units of a lot that is blocked or expired are accepted.
    """
    judged = inspection.accepted + inspection.rejected
    if min(inspection.accepted, inspection.rejected) < 0 or not judged:
        raise InvalidInput("An inspection accepts or rejects at least one unit.", path=("input", "accepted"))
    sku_id = (await sku_ids_of(uow, [inspection.sku], ("input", "sku")))[inspection.sku]
    location_id = (await location_ids_of(uow, [inspection.location], ("input", "location")))[inspection.location]
    versions = await take_gates(uow, [sku_id])
    network = await load_network(uow)
    book = (await load_books(uow, versions, network))[sku_id]
    lot = _lot(book, location_id, inspection)
    level = book.level(location_id) if lot is None else lot
    if judged > level.unsellable:
        raise QuantityExceeded(
            "wait for inspection at this location", judged, level.unsellable, path=("input", "accepted")
        )
    if inspection.accepted:
        book.move(
            Movement(location_id, "unquarantined", unsellable=-inspection.accepted, cause_kind="inspection", lot=lot)
        )
    if inspection.rejected:
        book.move(
            Movement(
                location_id,
                "scrapped",
                on_hand=-inspection.rejected,
                unsellable=-inspection.rejected,
                cause_kind="inspection",
                lot=lot,
            )
        )
    await save_books(uow, [book])
    await take_serials(uow, _serials(book, location_id, lot, inspection), "inspection")
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
    return StockChange(sku_id, location_id, book.level(location_id).on_hand, book.version)


def _lot(book: SkuBook, location_id: int, inspection: InspectGoods) -> Lot | None:
    path = ("input",)
    check_lot(book, inspection.lot, path)
    check_serials(book, inspection.serials, inspection.accepted + inspection.rejected, path)
    if book.lots is None or inspection.lot is None:
        return None
    lot = existing_lot(book, location_id, inspection.lot, path)
    if inspection.accepted and not is_sellable(book, lot):
        raise InvalidInput(
            f"Lot {lot.code!r} is blocked or expired: none of it can be accepted.", path=("input", "lot")
        )
    return lot


def _serials(book: SkuBook, location_id: int, lot: Lot | None, inspection: InspectGoods) -> list[SerialChange]:
    return [
        SerialChange(book.sku_id, code, "unquarantined", location_id, lot, from_location_id=location_id)
        if n < inspection.accepted
        else SerialChange(book.sku_id, code, "scrapped", None, lot, from_location_id=location_id)
        for n, code in enumerate(inspection.serials)
    ]
