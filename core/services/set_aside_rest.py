"""Move what a warehouse did not ship of a planned shipment to one of its own, so that the others can leave."""

from __future__ import annotations

from collections.abc import Mapping

from core.ports import Transaction
from core.repositories.shipments import split_off
from core.services.take_shipments import take_shipments


async def set_aside_rest(uow: Transaction, number: str, root_id: int, short: Mapping[int, int]) -> str:
    """`short` is units by line of the customer's order; returns the number of the shipment that they are on now.

    It is planned as the rest of `root_id`: nobody is told of it and nothing joins it, as where its units are is for the
    warehouse's next advice, for a person, or for a count. Raises NotFound.
    """
    taken = await take_shipments(uow, [number])
    row = taken.rows[number]
    books = await taken.load_books(uow, [row.id])
    left, off = dict(short), list[tuple[int, int]]()
    for item in reversed(taken.lines[row.id]):
        line_number = books[item.sku_id].lines[item.line_id].line_number
        if units := min(left.get(line_number, 0), item.quantity):
            left[line_number] -= units
            off.append((item.id, units))
    return await split_off(uow, row.id, root_id, off)
