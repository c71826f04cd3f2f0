"""Let out what may leave: one planned shipment per order and location."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from core.domain.course import DEFAULT_COURSE, POLICY, read_course, rule_of
from core.domain.network import Network
from core.domain.shipping import ReadyPart, mark_ready, release, release_gate, withheld
from core.domain.states import CourseStep, OrderStatus
from core.ports import Transaction
from core.repositories.announce_changes import order_event
from core.repositories.course_facts import kept_from_warehouse
from core.repositories.holds import live_holds
from core.repositories.save_book import save_books
from core.repositories.shipments import NewShipment, PlannedLine, ShipmentRow, plan, planned_shipments, take_off
from core.repositories.supplying import load_policies
from core.services.take_orders import OpenedOrders, open_orders, take_orders


async def plan_shipments(uow: Transaction, order_ids: Iterable[int]) -> list[int]:
    """Plan what is allocated and on no shipment yet, for orders that pass the release gate; returns the shipment ids.

    The gate: not on hold; an order that ships complete only when no line waits; a COMPLETE line only when whole; as
    much of a line and of an order as the policy `release_gate` wants. Units
    for a place from which a shipment is planned already join it. What has to leave whole and waits again since it was
    planned is withdrawn. Planning again plans nothing.
    """
    gate = release_gate((await load_policies(uow)).get("release_gate"))
    taken = await take_orders(uow, order_ids, unplanned=not gate.order_percent)
    if not taken.versions:
        return []
    opened = await open_orders(uow, taken, lines="own")
    held = await live_holds(uow, taken.orders)
    planned = _by_line(opened.planned)
    kept = await _kept_by_course(uow, opened)
    parts: dict[int, list[ReadyPart]] = {}
    off: dict[tuple[int, int], int] = {}
    for order_id, order in taken.orders.items():
        if order.status == OrderStatus.RECEIVED:
            continue
        for book, line in withheld(opened.lines[order_id], ship_complete=order.ship_complete):
            places = opened.planned_by_line.get(line.id or 0, {})
            off.update({(line.id or 0, place): units for place, units in places.items()})
            line.ready = 0
            book.settle(line, "WITHDRAWN")
        lines = [(book, line) for book, line in opened.lines[order_id] if line.id not in kept]
        if order.ship_complete and len(lines) < len(opened.lines[order_id]):
            continue
        ready = release(
            lines,
            planned,
            is_held=order_id in held,
            ship_complete=order.ship_complete,
            gate=gate,
        )
        if ready:
            mark_ready(ready, "READY_TO_SHIP")
            parts[order_id] = ready
    if not parts and not off:
        return []
    orders = await save_books(uow, opened.books.values())
    await take_off(uow, opened.planned, off)
    customers = {order_id: taken.orders[order_id].customer_id for order_id in parts}
    ids = await write_plan(uow, taken.network, parts, customers, await planned_shipments(uow, parts))
    for order_id, ready in parts.items():
        units = sum(part.quantity for part in ready)
        uow.announce(order_event(orders[order_id], "READY_TO_SHIP", quantity=units))
    return ids


async def _kept_by_course(uow: Transaction, opened: OpenedOrders) -> set[int]:
    """Lines that were short and wait for a person, where the course of backorders does not release by itself."""
    course = read_course((await load_policies(uow)).get(POLICY, DEFAULT_COURSE))
    if rule_of(course, CourseStep.RELEASE).is_on:
        return set()
    return await kept_from_warehouse(uow, [x.id or 0 for lines in opened.lines.values() for _, x in lines])


def _by_line(planned: list[PlannedLine]) -> dict[tuple[int, int, int | None], int]:
    units: dict[tuple[int, int, int | None], int] = defaultdict(int)
    for row in planned:
        units[row.line_id, row.location_id, row.lot_id] += row.quantity
    return units


async def write_plan(
    uow: Transaction,
    network: Network,
    parts: dict[int, list[ReadyPart]],
    customers: dict[int, int | None],
    existing: dict[tuple[int, int], ShipmentRow],
) -> list[int]:
    """Write what of each order may leave as planned shipments; returns their ids, by order and location."""
    new: list[NewShipment] = []
    for order_id, ready in parts.items():
        places: dict[int, list[tuple[int, int, int | None, int]]] = defaultdict(list)
        for part in ready:
            places[part.location_id].append((part.book.sku_id, part.line.id or 0, part.lot_id, part.quantity))
        new += [
            NewShipment(order_id, customers[order_id], place, network.first_ship_day(place, uow.now), lines)
            for place, lines in sorted(places.items())
        ]
    return await plan(uow, new, existing)
