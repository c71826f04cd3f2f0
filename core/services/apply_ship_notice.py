"""Apply a supplier's ship notice: which units are on their way, and when they will be here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from core.domain import purchasing
from core.domain.book import SkuBook
from core.domain.book_supplies import separate
from core.domain.eta import ship_notice_arrival, usable_date
from core.domain.late_pegs import Cause, repair
from core.domain.network import Network
from core.domain.sequences import is_older
from core.domain.states import DateBasis, PromiseReason
from core.errors import InvalidInput, NotFound, refused_at
from core.ports import Transaction
from core.repositories.gates import take_gates
from core.repositories.load_book import load_books
from core.repositories.network import load_network
from core.repositories.purchase_orders import (
    PurchaseOrderHead,
    PurchaseOrderLine,
    find_orders,
    read_lines,
    refresh_orders,
    save_lines,
)
from core.repositories.save_book import save_books
from core.repositories.ship_notices import find_notice, insert_notice, line_ids_of, lock_notice, redate_notice
from core.repositories.supplying import load_lateness, load_policies, move_policy
from core.services.follow_up import request_shipments

Row = tuple[str, int | None, str | None, int]
"""Purchase order, line number, SKU and units of a shipped line."""


@dataclass(frozen=True, slots=True)
class ShipNoticeInput:
    """`lines` are (PO number, PO line number or None, SKU code or None, quantity): at least one names the line."""

    supplier_id: int
    number: str
    shipped_on: date | None
    expected_date: date | None
    carrier: str
    tracking_number: str
    lines: Sequence[Row]
    sequence: str = ""
    document_id: int | None = None


@dataclass(frozen=True, slots=True)
class ShipNoticeResult:
    """`outcome`: applied, or stale (an older message about the same notice)."""

    purchase_order_ids: list[int]
    outcome: str = "applied"
    line_ids: list[int] = field(default_factory=list)


async def apply_ship_notice(uow: Transaction, notice: ShipNoticeInput) -> ShipNoticeResult:
    """The shipped units split off their supplies, are in transit and take the notice's day.

    Claims keep their day when the goods come earlier; late ones are repaired. A notice that comes again with the same
    lines only updates the day. Raises NotFound for an unknown order, InvalidInput for a line that cannot be told or
    a notice that changed, QuantityExceeded for more than is unshipped: all of them are for review, nothing is changed.
    """
    if not notice.lines:
        raise InvalidInput("The ship notice has no lines.", path=("input", "lines"))
    await lock_notice(uow, notice.supplier_id, notice.number)
    orders, before, wanted = await shipped_lines(uow, notice)
    versions = await take_gates(uow, {before[line_id].sku_id for line_id in wanted})
    lines = await read_lines(uow, orders)
    known = await find_notice(uow, notice.supplier_id, notice.number)
    network = await load_network(uow)
    books = await load_books(uow, versions, network, lines="waiting")
    policies = await load_policies(uow)
    lateness = await load_lateness(uow, [notice.supplier_id])
    if known is not None and is_older(notice.sequence, known.last_sequence):
        return ShipNoticeResult(sorted(orders), "stale")
    if known is not None and not known.is_withdrawn:
        said = sorted((line_id, row[3]) for line_id, row in zip(wanted, notice.lines, strict=True))
        if said != known.lines:
            raise InvalidInput(f"Ship notice {notice.number!r} came before with other lines.", path=("input", "number"))
        await redate_notice(
            uow,
            known.id,
            notice.expected_date,
            notice.sequence,
            notice.shipped_on,
            notice.carrier,
            notice.tracking_number,
        )
        notice_lines = await line_ids_of(uow, known.id)
    else:
        rows = [(lines[i].sku_id, i, row[3]) for i, row in zip(wanted, notice.lines, strict=True)]
        for index, (line_id, row) in enumerate(zip(wanted, notice.lines, strict=True)):
            with refused_at("input", "lines", str(index), "quantity", subject=_name(row)):
                if row[3] < 1:
                    raise InvalidInput("A shipped quantity must be positive.", field="quantity", value=row[3])
                lines[line_id].parts = purchasing.ship(lines[line_id].parts, row[3])
            lines[line_id].is_changed = True
        ids = await insert_notice(
            uow,
            supplier_id=notice.supplier_id,
            number=notice.number,
            purchase_order_id=lines[wanted[0]].purchase_order_id,
            shipped_on=notice.shipped_on,
            expected_date=notice.expected_date,
            carrier=notice.carrier,
            tracking_number=notice.tracking_number,
            document_id=notice.document_id,
            sequence=notice.sequence,
            lines=rows,
        )
        for notice_line, (sku_id, line_id, quantity) in zip(ids, rows, strict=True):
            _put_in_transit(books[sku_id], line_id, quantity, notice_line)
        notice_lines = set(ids)
    from_location = await uow.sql.fetchval("select location_id from supplier where id = $1", notice.supplier_id)
    touched = []
    for book in books.values():
        supplies = [s for s in book.supplies if s.ship_notice_line_id in notice_lines and s.open]
        for supply in supplies:
            paper = _arrival(notice, network, from_location, supply.location_id)
            if paper is None:
                continue
            supply.paper_date = paper
            calendar = network.locations[supply.location_id].calendar
            basis = DateBasis.SHIP_NOTICE
            late = lateness.get((notice.supplier_id, str(basis)), 0)
            day = usable_date(paper, basis, late, int(policies.get("receiving_days", 0)), calendar)
            book.redate_supply(supply, day, str(basis), notice.sequence or None)
        cause = Cause(PromiseReason.SUPPLY_DELAYED, evidence={"shipNotice": notice.number})
        touched += repair(book, network, supplies, cause, move_policy(policies))
    await save_books(uow, books.values())
    await save_lines(uow, lines.values())
    await refresh_orders(uow, {line.purchase_order_id for line in lines.values() if line.is_changed})
    uow.audit(
        "shipNoticeApply",
        f"supplier:{notice.supplier_id}:ship_notice:{notice.number}",
        None,
        {"lines": len(notice.lines), "documentId": notice.document_id},
    )
    request_shipments(uow, {line.order_id for line in touched if line.allocated > line.ready})
    return ShipNoticeResult(sorted(orders), line_ids=sorted({line.id or 0 for line in touched}))


async def shipped_lines(
    uow: Transaction, notice: ShipNoticeInput
) -> tuple[dict[int, PurchaseOrderHead], dict[int, PurchaseOrderLine], list[int]]:
    """The orders of the notice, their lines, and for each line of the notice the id of the one of ours that it means.

    Raises NotFound for an unknown order, InvalidInput for a line that cannot be told.
    """
    try:
        heads = await find_orders(uow, {row[0] for row in notice.lines}, notice.supplier_id, only_approved=True)
    except NotFound as error:
        first = next(index for index, row in enumerate(notice.lines) if row[0] == error.facts["key"])
        error.path = ("input", "lines", str(first), "purchaseOrderNumber")
        raise
    orders = {head.id: head for head in heads.values()}
    codes = await uow.sql.fetch(
        "select distinct k.id, k.code from purchase_order_line l join sku k on k.id = l.sku_id"
        " where l.purchase_order_id = any($1::bigint[])",
        sorted(orders),
    )
    skus = {row["code"]: row["id"] for row in codes}
    lines = await read_lines(uow, orders)
    return orders, lines, [_find(lines, heads[row[0]].id, row, skus, index) for index, row in enumerate(notice.lines)]


def _find(
    lines: dict[int, PurchaseOrderLine],
    order_id: int,
    row: Row,
    skus: dict[str, int],
    index: int,
) -> int:
    """The one line of ours that a shipped line means."""
    line_number, sku = row[1], row[2]
    found = [
        x
        for x in lines.values()
        if x.purchase_order_id == order_id
        and (line_number is None or x.line_number == line_number)
        and (not sku or x.sku_id == skus.get(sku))
    ]
    if len(found) != 1:
        raise InvalidInput(
            f"{_name(row)} matches {len(found)} lines of ours.",
            path=("input", "lines", str(index)),
            value=str(line_number or sku),
        )
    return found[0].id


def _name(row: Row) -> str:
    return f"Line {row[1] or row[2]!r} of order {row[0]!r}"


def _put_in_transit(book: SkuBook, line_id: int, quantity: int, notice_line_id: int) -> None:
    """The units that come first of the line's unshipped supplies now stand for this notice: those of a day that the
    supplier has named before those that only the lead time dates, such as a rest without a day."""
    mine = [
        s for s in book.supplies if s.purchase_order_line_id == line_id and s.ship_notice_line_id is None and s.open
    ]
    for supply in sorted(mine, key=lambda s: (s.date_basis == DateBasis.LEAD_TIME, s.usable_date, s.id or 0)):
        part = min(quantity, supply.open)
        if not part:
            break
        separate(book, supply, part).ship_notice_line_id = notice_line_id
        supply.is_changed = True
        quantity -= part


def _arrival(notice: ShipNoticeInput, network: Network, origin: int | None, location_id: int) -> date | None:
    """The day at the dock: as the notice states it, else ship day plus transit; None keeps the day we had."""
    if notice.shipped_on is None:
        return notice.expected_date
    lane = network.lanes.get((origin or 0, location_id))
    if lane is None:
        return notice.expected_date
    return ship_notice_arrival(notice.shipped_on, notice.expected_date, lane.transit_days, lane.calendar)
