"""The daily look at supply whose day has passed without a message: it slides, and whoever relies on it is told."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from core.domain.allowance import WaitsFor
from core.domain.book import SkuBook
from core.domain.book_supplies import move_need
from core.domain.conclude import conclude
from core.domain.late_pegs import Cause, repair
from core.domain.network import Network
from core.domain.overdue import LateRecord, overdue_days
from core.domain.records import Line, Supply
from core.domain.states import OrderLineStatus, PegKind, PromiseReason
from core.ports import Transaction
from core.repositories.gates import take_gates
from core.repositories.load_book import load_books
from core.repositories.network import load_network
from core.repositories.overdue import late_records, overdue_skus
from core.repositories.save_book import save_books
from core.repositories.supplying import load_lead_days, load_policies, move_policy
from core.services.follow_up import request_shipments

CHUNK = 50
"""SKUs per transaction: as long as orders of these SKUs may have to wait."""


async def find_overdue(uow: Transaction) -> list[int]:
    """SKUs to be checked, at every location after its own midnight; once checked they are not found again that day."""
    return await overdue_skus(uow)


async def check_overdue_supplies(uow: Transaction, sku_ids: Iterable[int]) -> list[int]:
    """Slide the overdue supplies of these SKUs by the conditional delay of their suppliers; mend pegs and promises.

    Late claims take other supply that is in time, then stock, else their day and promise move with SUPPLY_DELAYED as
    the hysteresis policy says (nobody has said so: it is an estimate). Repeating it on the same day changes nothing.
    Returns the ids of the order lines whose cover was touched.
    """
    versions = await take_gates(uow, sku_ids)
    network = await load_network(uow)
    books = await load_books(uow, versions, network, lines="waiting")
    due = [(book, supply) for book in books.values() for supply in book.supplies if _is_due(book, supply)]
    records = await late_records(uow, {s.supplier_id for _, s in due if s.supplier_id is not None})
    policy = move_policy(await load_policies(uow))
    touched: list[Line] = []
    for book in books.values():
        mine = [supply for owner, supply in due if owner is book]
        for supply in mine:
            _slide(book, supply, network, records.get(supply.supplier_id or 0, LateRecord()))
        if mine:
            cause = Cause(
                PromiseReason.SUPPLY_DELAYED,
                certain=False,
                id=mine[0].id,
                evidence={"supplies": [s.id for s in mine], "overdue": True},
            )
            touched += repair(book, network, mine, cause, policy)
    lead_days = await load_lead_days(uow, versions)
    for book in books.values():
        touched += _renew_lapsed(book, network, lead_days[book.sku_id])
    await save_books(uow, books.values())
    request_shipments(uow, {line.order_id for line in touched if line.allocated > line.ready})
    return sorted({line.id or 0 for line in touched})


def _renew_lapsed(book: SkuBook, network: Network, lead_days: int) -> list[Line]:
    """A claim without a source whose day has passed waits for the lead time anew, and its customer is told."""
    lapsed: list[Line] = []
    for peg in book.waiting(PegKind.OPEN):
        line, today = peg.line, book.today[peg.location_id]
        if (
            line is None
            or line.status == OrderLineStatus.RECEIVED
            or not line.backordered
            or peg.cause == WaitsFor.QUOTA
        ):
            continue
        if peg.need_date < today and not book.is_preorder(peg.location_id):
            day = network.ship_day_from(peg.location_id, today + timedelta(days=lead_days))
            move_need(book, peg, day, str(PromiseReason.SUPPLY_DELAYED))
            lapsed.append(line)
    return conclude(book, network, lapsed, PromiseReason.SUPPLY_DELAYED, evidence={"lapsed": True})


def _is_due(book: SkuBook, supply: Supply) -> bool:
    today = book.today[supply.location_id]
    checked = supply.overdue_checked_on
    return supply.open > 0 and supply.usable_date < today and (checked is None or checked < today)


def _slide(book: SkuBook, supply: Supply, network: Network, record: LateRecord) -> None:
    today = book.today[supply.location_id]
    believed = supply.paper_date or supply.usable_date
    at_dock = overdue_days(record, (today - believed).days, (today - supply.usable_date).days)
    book.slide_supply(supply, max(at_dock, _days_to_work(network, supply.location_id, today)), today)


def _days_to_work(network: Network, location_id: int, today: date) -> int:
    """Nothing is received before the next working day."""
    calendar = network.locations[location_id].calendar
    return (calendar.add_working_days(today, 1) - today).days
