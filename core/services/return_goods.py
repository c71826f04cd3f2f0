"""Take goods back from a customer: a document of its own; the line it came from stays as it was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.domain.book import SkuBook
from core.domain.records import Line, LineFact, Lot, Movement
from core.domain.tracking import check_lot, check_serials, is_sellable
from core.errors import InvalidInput, NotFound, QuantityExceeded
from core.ports import Transaction
from core.repositories.codes import location_ids_of
from core.repositories.load_lots import attach_named_lots, lots_that_left
from core.repositories.orders import find_orders, find_return, insert_return, returned_quantity
from core.repositories.save_book import save_books
from core.repositories.serials import SerialChange, take_serials
from core.repositories.write_stock import draw_ids
from core.services.allocate_waiting import serve_books
from core.services.take_orders import OpenedOrders, TakenOrders, open_orders, take_orders

SELLABLE, QUARANTINED = "SELLABLE", "QUARANTINED"
CAUSE = "order_return"


@dataclass(frozen=True, slots=True)
class ReturnGoods:
    """Units of a line that came back to `location`; `return_number` makes a repeat answer again.

    `lot` where the SKU tracks lots and the line left in several; `serials` where it tracks serial numbers.
    """

    number: str
    line_number: int
    quantity: int
    location: str
    condition: str = SELLABLE
    reason: str = ""
    return_number: str | None = None
    lot: str | None = None
    serials: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class ReturnResult:
    """The return document and the version of its order."""

    return_id: int
    return_number: str
    order_id: int
    version: int


@dataclass(frozen=True, slots=True)
class BookedReturn:
    """Units that are back in the book of their SKU; `write_return` keeps the document."""

    id: int
    number: str
    book: SkuBook
    line: Line
    location_id: int
    lot: Lot | None
    is_sellable: bool


async def return_goods(uow: Transaction, request: ReturnGoods) -> ReturnResult:
    """Book shipped units back in: SELLABLE ones go to who waits, QUARANTINED ones count as unsellable.

    Raises InvalidInput (also for a return number of another order), NotFound, and QuantityExceeded for more than was
    shipped and has not come back yet.
    """
    order_id = (await find_orders(uow, [request.number]))[request.number]
    taken = await take_orders(uow, [order_id])
    known = await known_return(uow, request, order_id)
    if known is not None:
        return ReturnResult(known, request.return_number or "", order_id, taken.orders[order_id].version)
    opened = await open_orders(uow, taken)
    booked = await book_return(uow, taken, opened, order_id, request)
    await serve_books(uow, [booked.book], taken.network)
    orders = await save_books(uow, opened.books.values())
    await write_return(uow, booked, request)
    return ReturnResult(booked.id, booked.number, order_id, orders[order_id].version)


async def known_return(uow: Transaction, request: ReturnGoods, order_id: int) -> int | None:
    """The id of a return with this number that is there already. Raises InvalidInput when it is of another order."""
    known = await find_return(uow, request.return_number) if request.return_number else None
    if known is not None and known[1] != order_id:
        raise InvalidInput(
            f"The return number {request.return_number!r} is taken by another order.",
            path=("input", "returnNumber"),
            value=request.return_number,
        )
    return None if known is None else known[0]


async def book_return(
    uow: Transaction, taken: TakenOrders, opened: OpenedOrders, order_id: int, request: ReturnGoods
) -> BookedReturn:
    """Change the book of the line; the caller serves who waits, saves the books and calls `write_return`."""
    if request.quantity <= 0:
        raise InvalidInput("A returned quantity is above 0.", path=("input", "quantity"), value=request.quantity)
    if request.condition not in (SELLABLE, QUARANTINED):
        raise InvalidInput(
            f"A condition is {SELLABLE} or {QUARANTINED}.", path=("input", "condition"), value=request.condition
        )
    location_id = (await location_ids_of(uow, [request.location], ("input", "location")))[request.location]
    if not taken.network.locations[location_id].holds_stock:
        raise NotFound("location that holds stock", request.location, path=("input", "location"))
    found = [(b, x) for b, x in opened.lines[order_id] if x.line_number == request.line_number]
    if not found:
        raise NotFound("order line", f"{request.number}/{request.line_number}", path=("input", "lineNumber"))
    book, line = found[0]
    open_quantity = line.shipped - await returned_quantity(uow, book.sku_id, line.id or 0)
    if request.quantity > open_quantity:
        raise QuantityExceeded(
            "were shipped and have not come back", request.quantity, open_quantity, path=("input", "quantity")
        )
    (return_id,) = await draw_ids(uow, "order_return", 1)
    units = request.quantity
    check_serials(book, request.serials, units, ("input",))
    lot = await _lot(uow, book, line, location_id, request)
    book.move(
        Movement(location_id, "returned", on_hand=units, cause_kind=CAUSE, cause_id=return_id, line=line, lot=lot)
    )
    good = request.condition == SELLABLE and is_sellable(book, lot)
    if not good:
        book.move(Movement(location_id, "quarantined", unsellable=units, cause_kind=CAUSE, cause_id=return_id, lot=lot))
    line.is_changed = True
    book.line_facts.append(LineFact(line, "LINE_CHANGED", units, reason="RETURNED"))
    number = request.return_number or f"RT{return_id:08d}"
    return BookedReturn(return_id, number, book, line, location_id, lot, good)


async def write_return(
    uow: Transaction, booked: BookedReturn, request: ReturnGoods, replacement: tuple[int, int] | None = None
) -> None:
    """Keep the document, the way of its serial numbers and the audit entry; `replacement`: SKU id and line id."""
    line = booked.line
    await take_serials(
        uow,
        [
            SerialChange(
                booked.book.sku_id,
                code,
                "returned",
                booked.location_id,
                booked.lot,
                is_sellable=booked.is_sellable,
                order_line_id=line.id,
            )
            for code in request.serials
        ],
        CAUSE,
        booked.id,
    )
    await insert_return(
        uow,
        booked.id,
        booked.number,
        line,
        booked.book.sku_id,
        booked.location_id,
        request.quantity,
        request.reason,
        request.condition,
        replacement,
    )
    uow.audit(
        "goodsReturn" if replacement is None else "goodsExchange",
        f"order:{line.order_id}",
        None,
        {"return": booked.number, "line": line.line_number, "quantity": request.quantity, "replacement": replacement},
    )


async def _lot(uow: Transaction, book: SkuBook, line: Line, location_id: int, request: ReturnGoods) -> Lot | None:
    """The lot that comes back: the one that is named, else the only one that left on the line."""
    check_lot(book, request.lot, ("input",), required=False)
    if book.lots is None:
        return None
    left = await lots_that_left(uow, book.sku_id, line.id or 0)
    code = request.lot or (next(iter(left)) if len(left) == 1 else None)
    if code is None or left.get(code, 0) < request.quantity:
        raise InvalidInput(
            f"Name the lot that came back; of this line left: {', '.join(f'{n} of {c}' for c, n in left.items())}.",
            path=("input", "lot"),
            value=code,
        )
    await attach_named_lots(uow, book, [code])
    return book.lots.open(location_id, code, None, ("input",))
