"""Which units of which lots leave for an order line: as allocated, or as the warehouse has picked them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from core.domain.book import SkuBook
from core.domain.records import Line, Lot, Movement, Peg
from core.domain.states import PegKind
from core.domain.tracking import existing_lot, is_sellable
from core.errors import InvalidInput, InvariantBroken, QuantityExceeded

PATH = ("input", "picks")


@dataclass(frozen=True, slots=True)
class Pick:
    """Units of one order line as they were picked: `quantity` of a lot, and the numbers of serialised units."""

    line_number: int
    quantity: int
    lot: str | None = None
    serials: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class PickedPart:
    """What leaves of one lot (None where none are tracked)."""

    lot: Lot | None
    quantity: int
    serials: Sequence[str] = ()


def pick_parts(book: SkuBook, line: Line, location_id: int, quantity: int, picks: Sequence[Pick]) -> list[PickedPart]:
    """Settle what leaves of a line: `picks` where there are any, else its lots as they are allocated.

    A lot that was picked instead of an allocated one changes place with it. Raises InvalidInput when the picks are not
    what the shipment holds or name a lot that may not leave, QuantityExceeded when a lot has too few free units.
    """
    named = [pick for pick in picks if pick.lot is not None or pick.serials]
    if sum(pick.quantity for pick in picks) not in ((quantity,) if picks else (0,)):
        raise InvalidInput(
            f"Line {line.line_number}: {sum(p.quantity for p in picks)} picked, but {quantity} are on the shipment.",
            path=PATH,
        )
    for pick in picks:
        if pick.quantity < 1 or (book.lots is None and pick.lot is not None):
            raise InvalidInput(
                f"Line {line.line_number}: a pick is of at least one unit, and names a lot only where lots are tracked.",
                path=PATH,
            )
    if book.tracks_serials and any(len(pick.serials) != pick.quantity for pick in picks or [Pick(0, quantity)]):
        raise InvalidInput(
            f"Line {line.line_number}: SKU {book.sku!r} tracks serial numbers: name one per unit.", path=PATH
        )
    if not book.tracks_serials and any(pick.serials for pick in picks):
        raise InvalidInput(f"Line {line.line_number}: SKU {book.sku!r} does not track serial numbers.", path=PATH)
    if book.lots is None:
        return [PickedPart(None, quantity, [code for pick in picks for code in pick.serials])]
    if not any(pick.lot for pick in named):
        return _as_allocated(book, line, location_id, quantity, [code for pick in picks for code in pick.serials])
    parts = [
        PickedPart(existing_lot(book, location_id, pick.lot or "", PATH), pick.quantity, pick.serials) for pick in picks
    ]
    _exchange(book, line, location_id, parts)
    return parts


def _hard(book: SkuBook, line: Line, location_id: int) -> list[Peg]:
    """The line's stock here, first expired first."""
    pegs = [p for p in book.pegs_of(line) if p.kind == PegKind.HARD and p.location_id == location_id]
    order = {id(lot): n for n, lot in enumerate(book.lots.at(location_id))} if book.lots is not None else {}
    return sorted(pegs, key=lambda peg: order.get(id(peg.lot), 0))


def _as_allocated(
    book: SkuBook, line: Line, location_id: int, quantity: int, serials: Sequence[str]
) -> list[PickedPart]:
    parts: list[PickedPart] = []
    for peg in _hard(book, line, location_id):
        units = min(quantity, peg.quantity)
        if units > 0:
            parts.append(PickedPart(peg.lot, units, serials[:units]))
            quantity, serials = quantity - units, serials[units:]
    return parts


def _exchange(book: SkuBook, line: Line, location_id: int, parts: Sequence[PickedPart]) -> None:
    """Give the line the picked lots instead of allocated ones."""
    wanted: dict[int, tuple[Lot, int]] = {}
    for part in parts:
        assert part.lot is not None
        if not is_sellable(book, part.lot):
            raise InvalidInput(f"Lot {part.lot.code!r} is {part.lot.state} or expired.", path=PATH, value=part.lot.code)
        wanted[id(part.lot)] = (part.lot, wanted.get(id(part.lot), (part.lot, 0))[1] + part.quantity)
    has: dict[int, int] = defaultdict(int)
    for peg in _hard(book, line, location_id):
        has[id(peg.lot)] += peg.quantity
    spare = {key: units - wanted.get(key, (None, 0))[1] for key, units in has.items()}
    for key, (lot, quantity) in wanted.items():
        units = left = quantity - has.get(key, 0)
        if units <= 0:
            continue
        if units > lot.available:
            raise QuantityExceeded(f"more units of lot {lot.code!r} are free here", units, lot.available, path=PATH)
        for peg in _hard(book, line, location_id):
            given = min(left, peg.quantity, spare.get(id(peg.lot), 0))
            if given > 0:
                spare[id(peg.lot)] -= given
                book.release(peg, given, "picked_otherwise", line.order_id)
                left -= given
        book.move(
            Movement(
                location_id,
                "allocated",
                allocated=units,
                cause_kind="picked_otherwise",
                cause_id=line.order_id,
                line=line,
                lot=lot,
            )
        )
        book.add_peg(location_id, book.today[location_id], units, PegKind.HARD, line=line, lot=lot, cause="picked")
        line.allocated += units
        if left:
            raise InvariantBroken("picked_instead_of", (book.sku, line.id, left))


def ship_part(book: SkuBook, line: Line, location_id: int, part: PickedPart, shipment_id: int) -> None:
    """The units leave: peg and allocation end, the line counts them as shipped. Call `settle` at the end."""
    left = part.quantity
    for peg in _hard(book, line, location_id):
        if peg.lot is part.lot and left:
            units = min(left, peg.quantity)
            book.drop_peg(peg, units)
            left -= units
    if left:
        raise InvariantBroken("shipment_line_allocated", (book.sku, line.id, shipment_id, left))
    line.allocated -= part.quantity
    line.ready -= part.quantity
    line.shipped += part.quantity
    book.move(
        Movement(
            location_id,
            "shipped",
            on_hand=-part.quantity,
            allocated=-part.quantity,
            cause_kind="shipment",
            cause_id=shipment_id,
            line=line,
            lot=part.lot,
        )
    )
