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
from core.services.take_orders import open_orders, take_orders

SELLABLE, QUARANTINED = "SELLABLE", "QUARANTINED"


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


async def return_goods(uow: Transaction, request: ReturnGoods) -> ReturnResult:
    """Book shipped units back in: SELLABLE ones go to who waits, QUARANTINED ones count as unsellable.

    Raises InvalidInput (also for a return number of another order), NotFound, and QuantityExceeded for more than was
    shipped and has not come back yet.
    """
    if request.quantity <= 0:
        raise InvalidInput("A returned quantity is above 0.", path=("input", "quantity"), value=request.quantity)
    if request.condition not in (SELLABLE, QUARANTINED):
        raise InvalidInput(
            f"A condition is {SELLABLE} or {QUARANTINED}.", path=("input", "condition"), value=request.condition
        )
    order_id = (await find_orders(uow, [request.number]))[request.number]
    location_id = (await location_ids_of(uow, [request.location]))[request.location]
    taken = await take_orders(uow, [order_id])
    if not taken.network.locations[location_id].holds_stock:
        raise NotFound("location that holds stock", request.location, path=("input", "location"))
    known = await find_return(uow, request.return_number) if request.return_number else None
    if known is not None:
        if known[1] != order_id:
            raise InvalidInput(
                f"The return number {request.return_number!r} is taken by another order.",
                path=("input", "returnNumber"),
                value=request.return_number,
            )
        return ReturnResult(known[0], request.return_number or "", order_id, taken.orders[order_id].version)
    opened = await open_orders(uow, taken)
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
    number = request.return_number or f"RT{return_id:08d}"
    units, cause = request.quantity, "order_return"
    check_serials(book, request.serials, units, ("input",))
    lot = await _lot(uow, book, line, location_id, request)
    book.move(
        Movement(location_id, "returned", on_hand=units, cause_kind=cause, cause_id=return_id, line=line, lot=lot)
    )
    good = request.condition == SELLABLE and is_sellable(book, lot)
    if not good:
        book.move(Movement(location_id, "quarantined", unsellable=units, cause_kind=cause, cause_id=return_id, lot=lot))
    line.is_changed = True
    book.line_facts.append(LineFact(line, "LINE_CHANGED", units, reason="RETURNED"))
    await serve_books(uow, [book], taken.network)
    orders = await save_books(uow, opened.books.values())
    await take_serials(
        uow,
        [
            SerialChange(book.sku_id, code, "returned", location_id, lot, is_sellable=good, order_line_id=line.id)
            for code in request.serials
        ],
        cause,
        return_id,
    )
    await insert_return(
        uow, return_id, number, line, book.sku_id, location_id, units, request.reason, request.condition
    )
    uow.audit("goodsReturn", f"order:{order_id}", None, {"return": number, "line": line.line_number, "quantity": units})
    return ReturnResult(return_id, number, order_id, orders[order_id].version)


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
