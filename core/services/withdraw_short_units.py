"""Take off a planned shipment what its warehouse did not ship, so that the rest can leave."""

from __future__ import annotations

from collections.abc import Mapping

from core.ports import Transaction
from core.repositories.save_book import save_books
from core.repositories.shipments import take_off
from core.services.take_shipments import take_shipments


async def withdraw_short_units(uow: Transaction, number: str, short: Mapping[int, int]) -> None:
    """`short` is units by line of the customer's order; they stay allocated to it, and are on no shipment.

    Where they are is for a person, or for a count: nothing of the stock moves. Raises NotFound.
    """
    taken = await take_shipments(uow, [number])
    row = taken.rows[number]
    books = await taken.load_books(uow, [row.id])
    off: dict[tuple[int, int], int] = {}
    for item in taken.lines[row.id]:
        line = books[item.sku_id].lines[item.line_id]
        units = short.get(line.line_number, 0)
        if units and (item.line_id, item.location_id) not in off:
            off[item.line_id, item.location_id] = units
            line.ready -= units
            books[item.sku_id].settle(line, "WITHDRAWN")
    await save_books(uow, books.values())
    await take_off(uow, taken.lines[row.id], off)
