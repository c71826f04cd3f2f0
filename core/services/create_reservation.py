"""Hold stock that is not yet an order: all items or none, against what can be promised on their days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import uuid4

from core.domain.book import SkuBook
from core.domain.network import Network
from core.domain.records import Hold
from core.domain.reserving import hold_time, places_to_hold, split_hold
from core.domain.states import ReservationKind
from core.errors import DateInPast, InsufficientStock, InvalidInput, NotFound, SkuNotSellable, UnknownSku
from core.ports import Transaction
from core.repositories.codes import location_ids_of
from core.repositories.gates import take_gates
from core.repositories.load_book import load_books
from core.repositories.network import load_network
from core.repositories.reservations import NewReservation, insert_reservation
from core.repositories.save_book import save_books
from core.repositories.supplying import load_policies

MAX_ITEMS = 500


@dataclass(frozen=True, slots=True)
class ReservationItem:
    """Base units of a SKU; `location` None: any that ships to customers; `need_date` None: today."""

    sku: str
    quantity: int
    location: str | None = None
    need_date: date | None = None


@dataclass(frozen=True, slots=True)
class CreateReservation:
    """What to hold, for what and for whom; `ttl_seconds` None: the policy's time for the kind."""

    items: Sequence[ReservationItem]
    kind: ReservationKind | str = ReservationKind.CART
    holder: str = ""
    ttl_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class ReservationResult:
    """The id of the reservation and when it ends."""

    group_id: str
    expires_at: datetime


async def create_reservation(uow: Transaction, request: CreateReservation) -> ReservationResult:
    """Hold every item or none. A hold claims its day on the timeline and never touches a stock counter.

    Raises InvalidInput, UnknownSku, SkuNotSellable, NotFound (location), DateInPast, and InsufficientStock with the
    ATP at the day asked for.
    """
    kind = ReservationKind(request.kind)
    time = hold_time((await load_policies(uow)).get("reservation_ttl"), kind)
    expires_at, latest = time.expiry(uow.now, request.ttl_seconds), time.latest(uow.now)
    skus = await _check(uow, request.items)
    places = await location_ids_of(uow, [item.location for item in request.items if item.location])
    network = await load_network(uow)
    versions = await take_gates(uow, skus.values())
    books = await load_books(uow, versions, network)
    rows: list[NewReservation] = []
    group_id = uuid4()
    for index, item in enumerate(request.items):
        book = books[skus[item.sku]]
        allowed = [places[item.location]] if item.location else places_to_hold(network)
        for row in _hold(book, item, allowed, network, uow.now, index):
            book.add_hold(Hold(0, str(group_id), row.location_id, row.need_date, row.quantity))
            rows.append(row)
    await insert_reservation(uow, group_id, rows, kind.value, request.holder or uow.principal.id, expires_at, latest)
    await save_books(uow, books.values())
    uow.audit("reservationCreate", f"reservation:{group_id}", None, {"items": len(rows), "kind": kind.value})
    return ReservationResult(str(group_id), expires_at)


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
        if known[item.sku]["status"] in ("BLOCKED", "DISCONTINUED"):
            raise SkuNotSellable(item.sku, known[item.sku]["status"], path=(*path, "sku"))
        if item.quantity <= 0:
            raise InvalidInput("A quantity to hold is above 0.", path=(*path, "quantity"), value=item.quantity)
    return {code: row["id"] for code, row in known.items()}


def _hold(
    book: SkuBook, item: ReservationItem, places: Sequence[int], network: Network, now: datetime, index: int
) -> list[NewReservation]:
    path = ("input", "items", str(index))
    places = [place for place in places if network.locations[place].holds_stock]
    if not places:
        raise NotFound("location that holds stock", item.location or "", path=(*path, "location"))
    today = min(book.today[place] for place in places)
    if item.need_date is not None and item.need_date < today:
        raise DateInPast("needDate", item.need_date, today, path=(*path, "needDate"))
    parts = split_hold(book, item.quantity, places, item.need_date)
    found = sum(units for _, units in parts)
    if found < item.quantity:
        raise InsufficientStock(item.sku, item.quantity, found, path=path)
    return [
        NewReservation(book.sku_id, place, max(item.need_date or book.today[place], book.today[place]), units)
        for place, units in parts
    ]
