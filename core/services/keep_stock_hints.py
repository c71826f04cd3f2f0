"""What a supplier says it has, by document or portal: kept, buying asked for, days that nobody knew made earlier."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from core.domain.book import SkuBook
from core.domain.eta import usable_date
from core.domain.late_pegs import Cause, repair
from core.domain.network import Network
from core.domain.records import Line, Supply
from core.domain.states import DateBasis, PromiseReason
from core.events import Event
from core.ports import Transaction
from core.repositories.gates import take_gates
from core.repositories.load_book import load_books
from core.repositories.network import load_network
from core.repositories.save_book import save_books
from core.repositories.supplier_portal import add_stock_reports, newest_reports
from core.repositories.supplier_stock import skus_of_unknown_day
from core.repositories.supplying import load_lateness, load_policies, move_policy
from core.services.follow_up import request_purchase, request_shipments


class KeptHint(NamedTuple):
    """Of one SKU, in base units over all places of the supplier; None where it says nothing."""

    sku_id: int
    available: int | None = None
    capacity_per_week: int | None = None
    next_date: date | None = None
    next_quantity: int | None = None


async def keep_stock_hints(
    uow: Transaction, supplier_id: int, as_of: datetime, hints: Sequence[KeptHint], document_id: int | None = None
) -> int:
    """Keep those that are not older than what is known of their SKU; returns how many.

    A hint never confirms a line. Where units are available and lines wait without a source, buying is asked for. An
    order that nobody has given a day for comes as soon as the supplier has all of its units, never later than believed.
    """
    known = await newest_reports(uow, supplier_id, [hint.sku_id for hint in hints])
    news = {hint.sku_id: hint for hint in hints if hint.sku_id not in known or known[hint.sku_id] <= as_of}
    versions = await take_gates(uow, await skus_of_unknown_day(uow, supplier_id, list(news)))
    await add_stock_reports(uow, supplier_id, as_of, list(news.values()), document_id)
    if versions:
        await _advance(uow, supplier_id, versions, news)
    request_purchase(uow, [hint.sku_id for hint in news.values() if hint.available])
    facts = {"lines": len(news), "documentId": document_id}
    uow.announce(Event("supplier", "STOCK_REPORTED", facts, key=f"supplier:{supplier_id}", supplier_id=supplier_id))
    uow.audit("supplierStockReport", f"supplier:{supplier_id}", None, facts)
    return len(news)


async def _advance(uow: Transaction, supplier_id: int, versions: dict[int, int], hints: dict[int, KeptHint]) -> None:
    network = await load_network(uow)
    books = await load_books(uow, versions, network, lines="waiting")
    policies = await load_policies(uow)
    late = (await load_lateness(uow, [supplier_id])).get((supplier_id, str(DateBasis.LEAD_TIME)), 0)
    origin = await uow.sql.fetchval("select location_id from supplier where id = $1", supplier_id)
    receiving_days = int(policies.get("receiving_days", 0))
    touched: list[Line] = []
    for sku_id, book in books.items():
        moved = []
        for supply, leaves in _covered(book, network, supplier_id, origin, hints[sku_id]):
            lane = network.lanes.get((origin or 0, supply.location_id))
            dock = network.arrive(lane, leaves) if lane is not None else leaves
            calendar = network.locations[supply.location_id].calendar
            day = usable_date(dock, DateBasis.LEAD_TIME, late, receiving_days, calendar)
            if day < supply.effective_date(book.today[supply.location_id]):
                book.redate_supply(supply, day, str(DateBasis.LEAD_TIME), None)
                moved.append(supply)
        if moved:
            cause = Cause(PromiseReason.SUPPLY_ADVANCED, certain=False, evidence={"stockReport": supplier_id})
            touched += repair(book, network, moved, cause, move_policy(policies))
    await save_books(uow, books.values())
    request_shipments(uow, {line.order_id for line in touched if line.allocated > line.ready})


def _covered(
    book: SkuBook, network: Network, supplier_id: int, origin: int | None, hint: KeptHint
) -> list[tuple[Supply, date]]:
    """Supplies of this supplier without a day of its own, as far as it has (or gets) all of their units; when they leave.

    What it has today counts only where the way to us is known.
    """
    mine = [
        s
        for s in book.supplies
        if s.supplier_id == supplier_id
        and s.purchase_order_line_id is not None
        and s.ship_notice_line_id is None
        and s.date_basis == DateBasis.LEAD_TIME
        and s.open > 0
    ]
    now, later = hint.available or 0, hint.next_quantity
    found = []
    for supply in sorted(mine, key=lambda s: (s.usable_date, s.id or 0)):
        if supply.open <= now and (origin or 0, supply.location_id) in network.lanes:
            now -= supply.open
            found.append((supply, book.today[supply.location_id]))
        elif hint.next_date is not None and (later is None or supply.open <= later):
            later = None if later is None else later - supply.open
            found.append((supply, max(hint.next_date, book.today[supply.location_id])))
    return found
