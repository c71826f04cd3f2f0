"""Take a ship notice back: its goods are not on their way any more, the supplier still owes them."""

from __future__ import annotations

from datetime import date

from core.domain.buying import lead_time_day
from core.domain.eta import usable_date
from core.domain.late_pegs import Cause, repair
from core.domain.promising import DEFAULT_LEAD_TIME_DAYS
from core.domain.purchasing import move
from core.domain.sequences import is_older
from core.domain.states import DateBasis, PromiseReason
from core.errors import InvalidInput, NotFound
from core.ports import Transaction
from core.repositories.gates import take_gates
from core.repositories.load_book import load_books
from core.repositories.network import load_network
from core.repositories.purchase_orders import read_lines, refresh_orders, save_lines
from core.repositories.save_book import save_books
from core.repositories.ship_notices import find_notice, line_ids_of, lock_notice, withdraw_notice
from core.repositories.supplying import load_lateness, load_offers, load_policies, move_policy
from core.services.apply_ship_notice import ShipNoticeResult
from core.services.follow_up import request_shipments


async def withdraw_ship_notice(
    uow: Transaction, supplier_id: int, number: str, sequence: str = "", *, came_back: bool = False
) -> ShipNoticeResult:
    """The units in transit are accepted ones again, due on the day the supplier promised if that lies ahead.

    Without such a day, or when the goods `came_back`, they are expected a lead time from today; late claims are
    repaired. Outcome stale for an older message, repeated for a notice that was withdrawn. Raises NotFound,
    InvalidInput when some of its goods were received.
    """
    await lock_notice(uow, supplier_id, number)
    known = await find_notice(uow, supplier_id, number)
    if known is None:
        raise NotFound("ship notice", number)
    if known.is_withdrawn:
        return ShipNoticeResult([], "repeated")
    if is_older(sequence, known.last_sequence):
        return ShipNoticeResult([], "stale")
    line_ids = {line_id for line_id, _ in known.lines}
    versions = await take_gates(uow, {x.sku_id for x in (await read_lines(uow, line_ids=line_ids)).values()})
    known = await find_notice(uow, supplier_id, number)
    if known is None or known.is_withdrawn:
        return ShipNoticeResult([], "repeated")
    if is_older(sequence, known.last_sequence):
        return ShipNoticeResult([], "stale")
    if {line_id for line_id, _ in known.lines} != line_ids:
        raise InvalidInput(f"Ship notice {number!r} was changed meanwhile.", path=("input", "number"), value=number)
    lines = await read_lines(uow, line_ids=line_ids)
    notice_lines = await line_ids_of(uow, known.id)
    network = await load_network(uow)
    books = await load_books(uow, versions, network, lines="waiting")
    policies = await load_policies(uow)
    lateness = await load_lateness(uow, [supplier_id])
    offers = await load_offers(uow, supplier_id, versions)
    receiving_days = int(policies.get("receiving_days", 0))
    back = {s.id: s for b in books.values() for s in b.supplies if s.ship_notice_line_id in notice_lines and s.open}
    if sum(s.open for s in back.values()) != sum(quantity for _, quantity in known.lines):
        raise InvalidInput(f"Goods of ship notice {number!r} were received.", path=("input", "number"), value=number)
    touched = []
    for book in books.values():
        supplies = [s for s in book.supplies if s.ship_notice_line_id in notice_lines and s.open]
        for supply in supplies:
            line = lines[supply.purchase_order_line_id or 0]
            line.parts = move(line.parts, "in_transit", "accepted", supply.open)
            line.is_changed = True
            supply.ship_notice_line_id = None
            today = network.today(supply.location_id, uow.now)
            paper = _promised(line.promised_date, today, came_back)
            if paper is not None:
                basis = DateBasis.CONFIRMED_ORDER
                late = lateness.get((supplier_id, str(basis)), 0)
                day = usable_date(paper, basis, late, receiving_days, network.locations[supply.location_id].calendar)
            else:
                basis = DateBasis.LEAD_TIME
                offer = offers.get(book.sku_id)
                lead = offer.lead_time_p80 if offer is not None else DEFAULT_LEAD_TIME_DAYS
                day = lead_time_day(network, supply.location_id, today, lead)
            supply.paper_date = paper
            book.redate_supply(supply, day, str(basis), sequence or None)
        reason = PromiseReason.SUPPLY_LOST if came_back else PromiseReason.SUPPLY_DELAYED
        cause = Cause(reason, certain=True, evidence={"shipNotice": number})
        touched += repair(book, network, supplies, cause, move_policy(policies))
    await save_books(uow, books.values())
    await save_lines(uow, lines.values())
    await withdraw_notice(uow, known.id, sequence)
    orders = {line.purchase_order_id for line in lines.values()}
    await refresh_orders(uow, orders)
    name = f"supplier:{supplier_id}:ship_notice:{number}"
    uow.audit("shipNoticeWithdraw", name, None, {"lines": len(known.lines), "cameBack": came_back})
    request_shipments(uow, {line.order_id for line in touched if line.allocated > line.ready})
    return ShipNoticeResult(sorted(orders), line_ids=sorted({line.id or 0 for line in touched}))


def _promised(promised: date | None, today: date, came_back: bool) -> date | None:
    return promised if promised is not None and promised >= today and not came_back else None
