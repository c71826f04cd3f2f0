"""An order that its supplier cannot have read: what nobody has answered is believed to come a lead time from today."""

from __future__ import annotations

from core.domain.buying import lead_time_day
from core.domain.late_pegs import Cause, repair
from core.domain.promising import DEFAULT_LEAD_TIME_DAYS
from core.domain.records import Line
from core.domain.states import DateBasis, PromiseReason
from core.ports import Transaction
from core.repositories.gates import take_gates
from core.repositories.load_book import load_books
from core.repositories.network import load_network
from core.repositories.purchase_orders import read_lines, refresh_orders, save_lines
from core.repositories.save_book import save_books
from core.repositories.supplying import load_offers, load_policies, move_policy
from core.services.follow_up import request_shipments


async def restart_lead_time(uow: Transaction, purchase_order_id: int) -> list[int]:
    """Forget the days of the order's unanswered lines; ids of the order lines that relied on them.

    It is an estimate: customers' days move by the policy. Nothing comes earlier than it was believed to.
    """
    silent = [x for x in (await read_lines(uow, [purchase_order_id])).values() if x.parts.unanswered]
    versions = await take_gates(uow, {line.sku_id for line in silent})
    lines = {
        i: x
        for i, x in (await read_lines(uow, [purchase_order_id])).items()
        if x.parts.unanswered and x.sku_id in versions
    }
    network = await load_network(uow)
    books = await load_books(uow, versions, network, lines="waiting")
    policy = move_policy(await load_policies(uow))
    touched: list[Line] = []
    for line in lines.values():
        book = books[line.sku_id]
        offers = await load_offers(uow, line.supplier_id, [line.sku_id])
        lead = offers[line.sku_id].lead_time_p80 if line.sku_id in offers else DEFAULT_LEAD_TIME_DAYS
        moved = []
        for supply in book.supplies:
            if supply.purchase_order_line_id != line.id or supply.ship_notice_line_id is not None or not supply.open:
                continue
            today = book.today[supply.location_id]
            day = max(supply.effective_date(today), lead_time_day(network, supply.location_id, today, lead))
            supply.paper_date = None
            book.redate_supply(supply, day, str(DateBasis.LEAD_TIME), None)
            moved.append(supply)
        line.promised_date, line.is_changed = None, True
        cause = Cause(PromiseReason.SUPPLY_DELAYED, False, line.id, {"purchaseOrder": purchase_order_id, "sent": False})
        touched += repair(book, network, moved, cause, policy)
    await save_books(uow, books.values())
    await save_lines(uow, lines.values())
    await refresh_orders(uow, {line.purchase_order_id for line in lines.values()})
    request_shipments(uow, {line.order_id for line in touched if line.allocated > line.ready})
    return sorted({line.id or 0 for line in touched})
