"""Hold stock that is not yet an order: all items or none, against what can be promised on their days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import uuid4

from core.domain.book import SkuBook
from core.domain.network import Network
from core.domain.placing import check_life
from core.domain.records import Hold
from core.domain.reserving import hold_time, may_manage, places_to_hold, split_hold
from core.domain.states import ReservationKind
from core.errors import (
    DateInPast,
    Forbidden,
    IllegalTransition,
    InsufficientStock,
    InvalidInput,
    NotFound,
    SkuNotSellable,
    UnknownSku,
)
from core.ports import Transaction
from core.repositories.codes import location_ids_of
from core.repositories.gates import take_gates
from core.repositories.kits import kit_parts
from core.repositories.load_book import load_books
from core.repositories.network import load_network
from core.repositories.reservations import (
    NewReservation,
    ReservationRow,
    insert_reservation,
    read_group,
    release_rows,
    skus_with_waiting_claims,
)
from core.repositories.save_book import save_books
from core.repositories.supplying import load_policies
from core.services.follow_up import request_allocation

MAX_ITEMS = 500
NOT_SOLD = ("BLOCKED", "DISCONTINUED")


@dataclass(frozen=True, slots=True)
class ReservationItem:
    """Base units of a SKU; `location` None: any that ships to customers; `need_date` None: today.

    `min_life_days`: as of an order line, counted from the day it is needed.
    """

    sku: str
    quantity: int
    location: str | None = None
    need_date: date | None = None
    min_life_days: int | None = None


@dataclass(frozen=True, slots=True)
class CreateReservation:
    """What to hold, for what and for whom; `ttl_seconds` None: the policy's time for kind and channel.

    `customer` (code) binds it to that customer's orders. `replaces` names a live reservation that ends when this one
    begins, so that a changed cart is not blocked by its own units.
    """

    items: Sequence[ReservationItem]
    kind: ReservationKind | str = ReservationKind.CART
    holder: str = ""
    ttl_seconds: int | None = None
    channel: str | None = None
    customer: str | None = None
    replaces: str | None = None


@dataclass(frozen=True, slots=True)
class ReservationResult:
    """The id of the reservation and when it ends."""

    group_id: str
    expires_at: datetime


async def create_reservation(uow: Transaction, request: CreateReservation) -> ReservationResult:
    """Hold every item or none. A hold claims its day on the timeline and never touches a stock counter.

    A kit is held as its components.

    What it replaces is released first; both happen or neither, and its time counts: from the first of a row of holds
    that replaced one another none lasts longer than its kind may. Raises InvalidInput (also when that time is over),
    UnknownSku, SkuNotSellable, NotFound (location, customer, replaced reservation), Forbidden (a pool by a shop),
    DateInPast, IllegalTransition (the replaced one is an order), InsufficientStock with the ATP at the day asked for.
    """
    kind = ReservationKind(request.kind)
    if not may_manage(kind, uow.principal.role):
        raise Forbidden(f"Reservations of kind {kind.name} are made by planners.", path=("input", "kind"))
    time = hold_time((await load_policies(uow)).get("reservation_ttl"), kind, request.channel)
    skus = await _check(uow, request.items)
    items = await _in_components(uow, request.items, skus)
    channel, customer_id = await _channel(uow, request.channel), await _customer(uow, request.customer)
    places = await location_ids_of(uow, [item.location for item in request.items if item.location])
    network = await load_network(uow)
    shipping = places_to_hold(network, channel["location_ids"] if channel else None)
    replaced = await read_group(uow, request.replaces, "replaces") if request.replaces else []
    versions = await take_gates(uow, {*skus.values(), *(row.sku_id for row in replaced)})
    ended = await _end(uow, request.replaces) if request.replaces else []
    since = min((row.held_since for row in ended), default=uow.now)
    latest = min([time.latest(since), *(row.hold_until_latest for row in ended if row.kind == kind)])
    if latest <= uow.now:
        raise InvalidInput(
            f"These units have been held since {since:%Y-%m-%d %H:%M} UTC, longer than a reservation of kind {kind.name} may.",
            path=("input", "replaces"),
            value=request.replaces,
        )
    expires_at = time.expiry(uow.now, request.ttl_seconds, latest)
    books = await load_books(uow, versions, network)
    for row in ended:
        books[row.sku_id].is_changed = books[row.sku_id].curve_changed = True
    rows: list[NewReservation] = []
    group_id = uuid4()
    demand_class = channel["protected_class"] if channel else ""
    for index, item in items:
        book = books[skus[item.sku]]
        if book.status in NOT_SOLD:  # it may have been blocked while its gate was waited for
            raise SkuNotSellable(item.sku, book.status, path=("input", "items", str(index), "sku"))
        allowed = [places[item.location]] if item.location else shipping
        min_life = None
        if book.lots is not None:
            min_life = book.lots.min_life_of(customer_id, request.channel or "", item.min_life_days)
        for row in _hold(book, item, allowed, network, index, demand_class, min_life):
            book.add_hold(Hold(0, str(group_id), row.location_id, row.need_date, row.quantity))
            rows.append(row)
    holder = request.holder or uow.principal.id
    await insert_reservation(
        uow, group_id, rows, kind.value, holder, expires_at, latest, request.channel, customer_id, since
    )
    await save_books(uow, books.values())
    if ended:
        request_allocation(uow, await skus_with_waiting_claims(uow, sorted({row.sku_id for row in ended})))
    facts = {"items": len(rows), "kind": kind.value, "replaces": request.replaces}
    uow.audit("reservationCreate", f"reservation:{group_id}", None, facts)
    return ReservationResult(str(group_id), expires_at)


async def _in_components(
    uow: Transaction, items: Sequence[ReservationItem], skus: dict[str, int]
) -> list[tuple[int, ReservationItem]]:
    """The items with their positions, kits as their components, whose ids `skus` gains."""
    kits = await kit_parts(uow, skus.values())
    found: list[tuple[int, ReservationItem]] = []
    for index, item in enumerate(items):
        if (parts := kits.get(skus[item.sku])) is None:
            found.append((index, item))
            continue
        for component_id, code, units in parts:
            skus[code] = component_id
            found.append((index, replace(item, sku=code, quantity=item.quantity * units)))
    return found


async def _end(uow: Transaction, group_id: str) -> list[ReservationRow]:
    """Release what is still live of a reservation whose gates are held; what has ended already needs nothing."""
    rows = await read_group(uow, group_id, "replaces")
    live = [row for row in rows if row.is_live]
    if not live and any(row.state == "committed" for row in rows):
        raise IllegalTransition("reservation", group_id, "committed", "released")
    await release_rows(uow, live)
    return live


async def _channel(uow: Transaction, code: str | None) -> Any:
    if code is None:
        return None
    row = await uow.sql.fetchrow("select location_ids, protected_class from channel where code = $1", code)
    if row is None:
        raise NotFound("channel", code, path=("input", "channel"))
    return row


async def _customer(uow: Transaction, code: str | None) -> int | None:
    if code is None:
        return None
    found = await uow.sql.fetchval("select id from customer where code = $1", code)
    if found is None:
        raise NotFound("customer", code, path=("input", "customer"))
    return found


async def _check(uow: Transaction, items: Sequence[ReservationItem]) -> dict[str, int]:
    """SKU ids by code, once every item is one that can be held."""
    if not 0 < len(items) <= MAX_ITEMS:
        raise InvalidInput(f"A reservation has 1 to {MAX_ITEMS} items.", path=("input", "items"), value=len(items))
    rows = await uow.sql.fetch(
        "select id, code, status from sku where code = any($1::text[])", sorted({item.sku for item in items})
    )
    known = {row["code"]: row for row in rows}
    for index, item in enumerate(items):
        path = ("input", "items", str(index))
        if item.sku not in known:
            raise UnknownSku(item.sku, path=(*path, "sku"))
        if known[item.sku]["status"] in NOT_SOLD:
            raise SkuNotSellable(item.sku, known[item.sku]["status"], path=(*path, "sku"))
        if item.quantity <= 0:
            raise InvalidInput("A quantity to hold is above 0.", path=(*path, "quantity"), value=item.quantity)
        if (error := check_life(item.min_life_days, (*path, "minLifeDays"))) is not None:
            raise error
    return {code: row["id"] for code, row in known.items()}


def _hold(
    book: SkuBook,
    item: ReservationItem,
    places: Sequence[int],
    network: Network,
    index: int,
    demand_class: str,
    min_life: int | None,
) -> list[NewReservation]:
    path = ("input", "items", str(index))
    places = [place for place in places if network.locations[place].holds_stock]
    if not places:
        raise NotFound("location that holds stock", item.location or "", path=(*path, "location"))
    today = min(book.today[place] for place in places)
    if item.need_date is not None and item.need_date < today:
        raise DateInPast("needDate", item.need_date, today, path=(*path, "needDate"))
    parts = split_hold(book, item.quantity, places, item.need_date, demand_class, min_life)
    found = sum(units for _, units in parts)
    if found < item.quantity:
        raise InsufficientStock(item.sku, item.quantity, found, path=path)
    return [
        NewReservation(book.sku_id, place, max(item.need_date or book.today[place], book.today[place]), units)
        for place, units in parts
    ]
