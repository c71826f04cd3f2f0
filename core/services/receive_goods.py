"""Receive goods on a purchase order, a ship notice or a transfer: stock, waiting lines and the order's quantities."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from core.domain import purchasing
from core.domain.book import SkuBook
from core.domain.book_supplies import receive_transfer
from core.domain.conclude import conclude
from core.domain.records import Line, Lot, Movement, Supply
from core.domain.states import PromiseReason
from core.domain.tracking import check_expiry, check_lot, check_serials, is_sellable
from core.errors import InvalidInput, NotFound, QuantityExceeded, refused_at
from core.ports import Transaction
from core.repositories.codes import location_ids_of, sku_ids_of
from core.repositories.gates import take_gates
from core.repositories.goods_receipts import (
    Expected,
    Receipt,
    expected_of_ship_notice,
    expected_of_transfer,
    find_receipt,
    insert_receipt,
    insert_receipt_lines,
)
from core.repositories.load_book import load_books
from core.repositories.load_lots import attach_named_lots, lots_under_way
from core.repositories.network import load_network
from core.repositories.purchase_orders import PurchaseOrderLine, find_orders, read_lines, refresh_orders, save_lines
from core.repositories.save_book import save_books
from core.repositories.serials import SerialChange, take_serials
from core.services.follow_up import request_allocation, request_purchase, request_shipments

KINDS = ("PURCHASE_ORDER", "SHIP_NOTICE", "TRANSFER")


@dataclass(frozen=True, slots=True)
class ReceiptLine:
    """What arrived of one SKU, base units; `damaged` of it cannot be sold. `line_number` where a SKU stands twice.

    `lot` and `expires_on` for a SKU that tracks them, `serials` one per unit, those of damaged units last.
    """

    sku: str
    quantity: int
    damaged: int = 0
    line_number: int | None = None
    lot: str | None = None
    expires_on: date | None = None
    serials: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class ReceiveGoods:
    """`reference` is the number of the order or ship notice, or the id of the transfer, as `kind` says.

    A receipt with the same `receipt_number` is booked once.
    """

    reference: str
    kind: str
    location: str
    lines: Sequence[ReceiptLine]
    receipt_number: str | None = None


@dataclass(frozen=True, slots=True)
class ReceiptResult:
    """`over_delivered` are units beyond the open quantity; `repeated`: this receipt number was booked before."""

    receipt_id: int
    over_delivered: int
    repeated: bool = False


@dataclass(slots=True)
class _Booking:
    """What is written besides the books."""

    rows: list[tuple[int, int | None, int, int, int]] = field(default_factory=list)
    over: int = 0
    serials: list[SerialChange] = field(default_factory=list)


async def receive_goods(uow: Transaction, receipt: ReceiveGoods) -> ReceiptResult:
    """Book a receipt: lines pegged to the supplies that arrive get them by priority then age; the rest becomes free.

    What exceeds the open quantity is stock as well (`over_delivery`). Raises NotFound for an unknown reference,
    InvalidInput for a line that is not on it, another location or impossible quantities.
    """
    _check(receipt)
    if receipt.receipt_number and (known := await find_receipt(uow, receipt.receipt_number)) is not None:
        return ReceiptResult(known.id, known.over_delivered, repeated=True)
    location_id = (await location_ids_of(uow, [receipt.location], ("input", "location")))[receipt.location]
    skus = await sku_ids_of(uow, {line.sku for line in receipt.lines}, ("input", "lines"))
    with refused_at("input", "reference"):
        head, notice_id, expected = await _expected(uow, receipt)
    versions = await take_gates(uow, skus.values())
    if receipt.receipt_number and (known := await find_receipt(uow, receipt.receipt_number)) is not None:
        return ReceiptResult(known.id, known.over_delivered, repeated=True)
    network = await load_network(uow)
    books = await load_books(uow, versions, network, lines="waiting")
    orders = await read_lines(uow, [head.id]) if head is not None and notice_id is None else {}
    if notice_id is not None:
        orders = await read_lines(uow, line_ids=[e.line_id for e in expected if e.line_id])
    row = Receipt(receipt.receipt_number, location_id, head.id if head else None, notice_id)
    booking, touched = _Booking(), defaultdict(list)
    receipt_id = await insert_receipt(uow, row)
    for index, wanted in enumerate(receipt.lines):
        book = books[skus[wanted.sku]]
        path = ("input", "lines", str(index))
        _check_tracking(book, wanted, path, is_transfer=receipt.kind == "TRANSFER")
        await attach_named_lots(uow, book, [wanted.lot] if wanted.lot else [])
        if receipt.kind == "TRANSFER":
            for part, supply, lot in await _parts_of_transfer(uow, book, expected, wanted, location_id, path):
                booking.rows.append((book.sku_id, supply.id, part.quantity, part.damaged, 0))
                touched[book.sku_id] += receive_transfer(book, supply, part.quantity, part.damaged, lot)
                booking.serials += _serials(book, part, lot, location_id, "moved")
            continue
        candidates = [
            line
            for line in orders.values()
            if line.sku_id == book.sku_id and (wanted.line_number is None or line.line_number == wanted.line_number)
        ]
        if not candidates:
            raise InvalidInput(f"SKU {wanted.sku!r} is not expected on {receipt.reference!r}.", path=path)
        lot = None
        if book.lots is not None and wanted.lot is not None:
            lot = book.lots.open(location_id, wanted.lot, wanted.expires_on, path)
            wanted = replace(wanted, damaged=wanted.damaged if is_sellable(book, lot) else wanted.quantity)
        booking.serials += _serials(book, wanted, lot, location_id, "received")
        notice_lines = {e.notice_line_id for e in expected if e.notice_line_id}
        for line, part in _by_line(book, candidates, wanted, location_id, notice_lines):
            supplies = _supplies(book, line, location_id, notice_lines)
            if line.parts.open and not supplies:
                raise InvalidInput(f"{receipt.reference!r} is not expected at {receipt.location!r}.", path=path)
            touched[book.sku_id] += _take(book, supplies, part, location_id, receipt_id, booking, lot)
            line.parts, line.is_changed = purchasing.receive(line.parts, part.quantity), True
    concluded = [
        line
        for sku_id, lines in touched.items()
        for line in conclude(books[sku_id], network, lines, PromiseReason.ALLOCATED, cause_id=receipt_id)
    ]
    await save_books(uow, books.values())
    await save_lines(uow, orders.values())
    await take_serials(uow, booking.serials, "goods_receipt", receipt_id)
    await insert_receipt_lines(uow, receipt_id, booking.rows)
    await refresh_orders(uow, {line.purchase_order_id for line in orders.values() if line.is_changed})
    uow.audit(
        "goodsReceive",
        f"goods_receipt:{receipt_id}",
        None,
        {"reference": receipt.reference, "lines": len(receipt.lines), "overDelivered": booking.over},
    )
    request_allocation(uow, versions, f"receipt:{receipt_id}")
    request_shipments(uow, {line.order_id for line in concluded})
    if any(line.damaged for line in receipt.lines):
        request_purchase(uow, {skus[line.sku] for line in receipt.lines if line.damaged})
    return ReceiptResult(receipt_id, booking.over)


def _check(receipt: ReceiveGoods) -> None:
    if receipt.kind not in KINDS:
        raise InvalidInput(f"A receipt is for one of {', '.join(KINDS)}.", path=("input", "kind"), value=receipt.kind)
    if not receipt.lines:
        raise InvalidInput("A receipt needs at least one line.", path=("input", "lines"))
    for index, line in enumerate(receipt.lines):
        if line.quantity < 1 or not 0 <= line.damaged <= line.quantity:
            raise InvalidInput(
                f"{line.quantity} received, {line.damaged} of them damaged: that cannot be.",
                path=("input", "lines", str(index)),
                value=line.quantity,
            )


async def _expected(uow: Transaction, receipt: ReceiveGoods) -> tuple:
    """The purchase order, the ship notice and what of it is on its way, as the reference says."""
    if receipt.kind == "PURCHASE_ORDER":
        return (await find_orders(uow, [receipt.reference], path=()))[receipt.reference], None, []
    if receipt.kind == "SHIP_NOTICE":
        notice_id, expected = await expected_of_ship_notice(uow, receipt.reference)
        return None, notice_id, expected
    if not receipt.reference.isdecimal():
        raise NotFound("transfer", receipt.reference)
    return None, None, await expected_of_transfer(uow, int(receipt.reference))


def _supplies(book: SkuBook, line: PurchaseOrderLine, location_id: int, notice_lines: set[int]) -> list[Supply]:
    """What of the line is to come there: under the ship notices that the dock names first, then under others, then the rest."""
    found = [
        s for s in book.supplies if s.purchase_order_line_id == line.id and s.location_id == location_id and s.open
    ]
    found.sort(
        key=lambda s: (
            s.ship_notice_line_id not in notice_lines,
            s.ship_notice_line_id is None,
            s.usable_date,
            s.id or 0,
        )
    )
    return found


def _by_line(
    book: SkuBook, candidates: list[PurchaseOrderLine], wanted: ReceiptLine, location_id: int, notice_lines: set[int]
) -> list[tuple[PurchaseOrderLine, ReceiptLine]]:
    """The received units by line of the order, the line that is expected first first; damaged units last."""
    supplies = {line.id: _supplies(book, line, location_id, notice_lines) for line in candidates}
    lines = sorted(
        candidates, key=lambda x: (min((s.usable_date for s in supplies[x.id]), default=date.max), x.line_number)
    )
    announced = [sum(s.open for s in supplies[x.id] if s.ship_notice_line_id in notice_lines) for x in lines]
    shares = purchasing.spread_receipt(wanted.quantity, announced, [x.parts.open for x in lines])
    good, found = wanted.quantity - wanted.damaged, []
    for line, quantity in zip(lines, shares, strict=True):
        damaged = quantity - min(good, quantity)
        good -= quantity - damaged
        if quantity:
            found.append((line, replace(wanted, quantity=quantity, damaged=damaged)))
    return found


def _take(
    book: SkuBook,
    supplies: list[Supply],
    wanted: ReceiptLine,
    location_id: int,
    receipt_id: int,
    booking: _Booking,
    lot: Lot | None,
) -> list[Line]:
    """Book the units on the supplies in order; good ones first, damaged ones last, the rest on top of the order."""
    left, good = wanted.quantity, wanted.quantity - wanted.damaged
    touched: list[Line] = []
    for supply in supplies:
        quantity = min(left, supply.open)
        if not quantity:
            break
        damaged = quantity - min(good, quantity)
        good -= quantity - damaged
        left -= quantity
        touched += book.receive(supply, quantity, damaged, "goods_receipt", receipt_id, lot)
        booking.rows.append((book.sku_id, supply.id, quantity, damaged, 0))
    if left:
        damaged, cause = left - good, "over_delivery"
        book.move(Movement(location_id, "received", on_hand=left, cause_kind=cause, cause_id=receipt_id, lot=lot))
        if damaged:
            book.move(
                Movement(location_id, "quarantined", unsellable=damaged, cause_kind=cause, cause_id=receipt_id, lot=lot)
            )
        booking.rows.append((book.sku_id, supplies[0].id if supplies else None, 0, damaged, left))
        booking.over += left
    return touched


def _check_tracking(book: SkuBook, wanted: ReceiptLine, path: tuple[str, ...], *, is_transfer: bool) -> None:
    check_lot(book, wanted.lot, path, required=not is_transfer)
    check_expiry(book, wanted.expires_on, path)
    check_serials(book, wanted.serials, wanted.quantity, path)


async def _parts_of_transfer(
    uow: Transaction,
    book: SkuBook,
    expected: list[Expected],
    wanted: ReceiptLine,
    location_id: int,
    path: tuple[str, ...],
) -> list[tuple[ReceiptLine, Supply, Lot | None]]:
    """What arrived by lot: the lot that was named, else those under way, first expired first; damaged units last."""
    ids = {e.supply_id for e in expected}
    supply = next((s for s in book.supplies if s.id in ids and s.location_id == location_id), None)
    if supply is None or supply.transfer is None:
        raise InvalidInput(f"SKU {wanted.sku!r} is not on this transfer, or all of it has arrived.", path=path)
    if book.lots is None or supply.transfer.state != "in_transit":
        return [(wanted, supply, None)]
    under_way = await lots_under_way(uow, book.sku_id, supply.transfer.id or 0)
    await attach_named_lots(uow, book, under_way)
    return [(part, supply, lot) for part, lot in split_by_lot(book, under_way, wanted, location_id, path)]


def split_by_lot(
    book: SkuBook, under_way: dict[str, int], wanted: ReceiptLine, location_id: int, path: tuple[str, ...]
) -> list[tuple[ReceiptLine, Lot]]:
    """Lay what arrived over the lots under way (units by code). Raises InvalidInput for a lot that is not among them."""
    assert book.lots is not None
    if wanted.lot is not None:
        if under_way.get(wanted.lot, 0) < wanted.quantity:
            there = under_way.get(wanted.lot, 0)
            raise InvalidInput(
                f"{there} units of lot {wanted.lot!r} are under way, not {wanted.quantity}.",
                path=(*path, "lot"),
                value=wanted.lot,
            )
        under_way = {wanted.lot: wanted.quantity}
    parts: list[tuple[ReceiptLine, Lot]] = []
    left, good, serials = wanted.quantity, wanted.quantity - wanted.damaged, list(wanted.serials)
    for code, units in under_way.items():
        quantity = min(left, units)
        if quantity <= 0:
            break
        lot = book.lots.open(location_id, code, None, path)
        sellable = min(good, quantity) if is_sellable(book, lot) else 0
        good -= min(good, quantity)
        left -= quantity
        parts.append((replace(wanted, quantity=quantity, damaged=quantity - sellable, serials=serials[:quantity]), lot))
        serials = serials[quantity:]
    if left:
        raise QuantityExceeded("are under way", wanted.quantity, wanted.quantity - left, path=(*path, "quantity"))
    return parts


def _serials(book: SkuBook, part: ReceiptLine, lot: Lot | None, location_id: int, kind: str) -> list[SerialChange]:
    good = part.quantity - part.damaged
    return [
        SerialChange(book.sku_id, code, kind, location_id, lot, is_sellable=n < good)
        for n, code in enumerate(part.serials)
    ]
