"""What has left a supplier (856, DESADV) and what a carrier says of it (214, IFTSTA)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from core.domain.sequences import is_older
from core.domain.supplier_states import PackKind
from core.edi.documents import AcknowledgedLine, CarrierStatus, ShipNotice, ShippedLine
from core.edi.interchanges import Fault, Level, Severity, TransactionSet
from core.edi.resolve_acknowledgement import match_line
from core.ports import Transaction
from core.repositories.edi import Partner
from core.repositories.gates import take_gates
from core.repositories.purchase_orders import find_orders, read_lines
from core.repositories.ship_notices import (
    drop_packs,
    find_notice,
    forestall_notice,
    lock_notice,
    notices_on_the_way,
    open_lines_of,
)
from core.services.apply_acknowledgement import AcknowledgeLine, AcknowledgePurchaseOrder, apply_acknowledgement
from core.services.apply_carrier_status import CarrierStatusInput, apply_carrier_status
from core.services.apply_ship_notice import ShipNoticeInput, ShipNoticeResult, apply_ship_notice, shipped_lines
from core.services.edi_outcome import Applied, Unusable, doubt
from core.services.record_packs import NoticePack, PackedLine, record_packs
from core.services.take_up_statuses import request_taking_up, take_up_statuses
from core.services.withdraw_ship_notice import withdraw_ship_notice

_NEW, _REPLACE, _CANCEL = ("00", ""), "05", ("01", "03")
# Status of a shipped line (SN108 or QVR 4221): what becomes of units that are not in this shipment.
_REST_FOLLOWS, _REST_IS_GONE = ("BO", "BP"), ("IC", "CP", "ID")
_CAME_BACK = ("A3", "A7")
_TARE = "T"
_SENT = re.compile(r"(\d{8})T(\d{6})")


async def apply_notice(
    uow: Transaction,
    notice: ShipNotice,
    faults: tuple[Fault, ...],
    partner: Partner,
    document: TransactionSet,
    document_id: int,
) -> Applied:
    """A new notice puts units in transit, a replacement takes the old one back first, a cancellation only that."""
    if partner.supplier_id is None:
        raise Unusable("partner", f"Partner {partner.code!r} is not a supplier.")
    if notice.purpose not in (*_NEW, _REPLACE, *_CANCEL):
        text = f"A ship notice with purpose {notice.purpose!r} is for review."
        raise Unusable("purpose", text, [doubt("purpose", "BSN01")])
    sequence = notice.sequence or document.sequence
    await lock_notice(uow, partner.supplier_id, notice.number)
    if notice.purpose in _CANCEL:
        if await find_notice(uow, partner.supplier_id, notice.number) is None and notice.orders:
            return await _forestall(uow, notice, faults, partner.supplier_id, sequence, document_id)
        gone = await withdraw_ship_notice(uow, partner.supplier_id, notice.number, sequence)
        return _applied(gone, notice, faults)
    wanted = await _as_input(uow, notice, partner, partner.supplier_id, sequence, document_id)
    known = await find_notice(uow, wanted.supplier_id, wanted.number)
    if notice.purpose == _REPLACE and known is not None and not known.is_withdrawn:
        if is_older(sequence, known.last_sequence):
            return Applied("stale", notice.number, None, faults)
        _, _, line_ids = await shipped_lines(uow, wanted)
        # those of both, before taking the old one back locks the rows of orders
        both = await read_lines(uow, line_ids={*line_ids, *(line_id for line_id, _ in known.lines)})
        await take_gates(uow, {line.sku_id for line in both.values()})
        said = sorted((line_id, row[3]) for line_id, row in zip(line_ids, wanted.lines, strict=True))
        if said != known.lines:
            gone = await withdraw_ship_notice(uow, partner.supplier_id, notice.number, sequence)
            if gone.outcome == "stale":
                return Applied("stale", notice.number, None, faults)
    result = await apply_ship_notice(uow, wanted)
    if result.outcome == "applied":
        if notice.purpose == _REPLACE and known is not None:
            await drop_packs(uow, known.id)
        await record_packs(uow, partner.supplier_id, notice.number, _packs(notice, wanted))
        await _settle_rest(uow, notice, wanted, result, document_id)
        await take_up_statuses(uow, [notice.tracking, notice.number])
        request_taking_up(uow, [notice.tracking, notice.number])
    return _applied(result, notice, faults)


async def _forestall(
    uow: Transaction, notice: ShipNotice, faults: tuple[Fault, ...], supplier_id: int, sequence: str, document_id: int
) -> Applied:
    """A cancellation that came before its notice, of an order that we have: the notice will find itself withdrawn."""
    number = notice.orders[0].po_number
    order = (await find_orders(uow, [number], supplier_id, only_approved=True))[number]
    await forestall_notice(uow, supplier_id, notice.number, order.id, sequence, document_id)
    text = f"Ship notice {notice.number!r} is withdrawn before it came."
    note = Fault(Level.BUSINESS, Severity.WARNING, "early", text, None, "BSN")
    return Applied("applied", notice.number, order.id, (*faults, note), {"withdrawnAhead": True})


async def _as_input(
    uow: Transaction, notice: ShipNotice, partner: Partner, supplier_id: int, sequence: str, document_id: int
) -> ShipNoticeInput:
    """The notice about lines of ours, each told by the guide as in an answer. Raises Unusable where one cannot be told."""
    ours = await open_lines_of(uow, supplier_id, [order.po_number for order in notice.orders])
    rows: list[tuple[str, int | None, str | None, int]] = []
    for order in notice.orders:
        for line in order.lines if order.po_number in ours else ():
            candidates = match_line(_as_answered(line), ours[order.po_number], partner.guide)
            if len(candidates) != 1:
                name = line.po_line_number or line.buyer_sku or line.vendor_code or line.gtin
                what = "no line of ours" if not candidates else f"{len(candidates)} lines of ours"
                text = f"Line {name!r} of order {order.po_number!r} in the ship notice matches {what}."
                raise Unusable("unmatched_line", text, [doubt("line", text, line.segment_number, "SN1")])
            rows.append((order.po_number, candidates[0].line_number, candidates[0].buyer_sku, line.quantity))
        if order.po_number not in ours:  # the service says that there is no such order
            rows += [(order.po_number, None, line.buyer_sku or None, line.quantity) for line in order.lines]
    return ShipNoticeInput(
        supplier_id,
        notice.number,
        notice.shipped_on,
        notice.expected_date,
        notice.carrier,
        notice.tracking,
        rows,
        sequence=sequence,
        document_id=document_id,
    )


def _as_answered(line: ShippedLine) -> AcknowledgedLine:
    number = line.po_line_number
    return AcknowledgedLine(number, number, line.buyer_sku, line.vendor_code, line.gtin, None, line.unit, ())


def _packs(notice: ShipNotice, wanted: ShipNoticeInput) -> list[NoticePack]:
    """Every pack with an SSCC once. What is in it is known where a line lies in one pack alone."""
    found: dict[str, NoticePack] = {}
    for line, (_, _, sku, quantity) in zip(_lines_of(notice), wanted.lines, strict=True):
        inner = [pack for pack in line.packs if pack.sscc and pack.level != _TARE]
        for pack in line.packs:
            if not pack.sscc:
                continue
            kind = PackKind.PALLET if pack.level == _TARE else PackKind.CARTON
            known = found.setdefault(pack.sscc, NoticePack(pack.sscc, kind))
            if inner == [pack] and sku:
                more = PackedLine(sku, quantity, line.lot or None)
                found[pack.sscc] = NoticePack(pack.sscc, kind, (*known.lines, more))
    return list(found.values())


async def _settle_rest(
    uow: Transaction, notice: ShipNotice, wanted: ShipNoticeInput, result: ShipNoticeResult, document_id: int
) -> None:
    """What the notice says of units that did not leave with it: they follow, or they never come."""
    said = {
        (number, line_number): line.status
        for line, (number, line_number, _, _) in zip(_lines_of(notice), wanted.lines, strict=True)
        if line.status in (*_REST_FOLLOWS, *_REST_IS_GONE)
    }
    if not said:
        return
    rows = await read_lines(uow, result.purchase_order_ids)
    numbers = {
        row["id"]: row["number"]
        for row in await uow.sql.fetch(
            "select id, number from purchase_order where id = any($1::bigint[])", result.purchase_order_ids
        )
    }
    for number in sorted({po_number for po_number, _ in said}):
        lines = []
        for row in rows.values():
            status, rest = said.get((number, row.line_number)), row.parts.not_shipped
            if numbers[row.purchase_order_id] != number or status is None or not rest:
                continue
            if status in _REST_FOLLOWS:
                lines.append(AcknowledgeLine(row.line_number, backordered=[(rest, None)]))
            else:
                lines.append(AcknowledgeLine(row.line_number, rejected=rest))
        if lines:
            order = AcknowledgePurchaseOrder(
                number, wanted.supplier_id, lines, sequence=wanted.sequence, document_id=document_id
            )
            await apply_acknowledgement(uow, order)


def _lines_of(notice: ShipNotice) -> list[ShippedLine]:
    return [line for order in notice.orders for line in order.lines]


def _applied(result: ShipNoticeResult, notice: ShipNotice, faults: tuple[Fault, ...]) -> Applied:
    first, *others = result.purchase_order_ids or [None]
    told = {"lineIds": result.line_ids}
    return Applied(result.outcome, notice.number, first, faults, told, tuple(i for i in others if i is not None))


async def apply_status(
    uow: Transaction, status: CarrierStatus, faults: tuple[Fault, ...], partner: Partner, document_id: int
) -> Applied:
    """Every event once; an estimate redates what is on its way, goods that come back are owed again."""
    if not status.events:
        raise Unusable("content", "The status message reports no event.", [doubt("event", "There is no event.")])
    outcomes: list[str] = []
    orders: set[int] = set()
    returned: list[tuple[int, str]] = []
    if any(event.status_code in _CAME_BACK for event in status.events):
        for notice in await notices_on_the_way(
            uow, [status.tracking, status.reference, status.shipment], partner.supplier_id
        ):
            await lock_notice(uow, *notice)
    for event in status.events:
        at = event.at.replace(tzinfo=UTC) if event.at is not None and event.at.tzinfo is None else event.at
        references = [status.tracking, status.reference, status.shipment]
        if event.status_code in _CAME_BACK:
            returned += [n for n in await notices_on_the_way(uow, references, partner.supplier_id) if n not in returned]
        result = await apply_carrier_status(
            uow,
            CarrierStatusInput(
                event.status_code,
                at or _stamp(status, uow.now),
                tracking_number=status.tracking,
                reference=status.reference,
                po_numbers=status.po_numbers,
                carrier=status.carrier,
                reason_code=event.reason or None,
                estimated_date=None if event.status_code in _CAME_BACK else event.estimated_date,
                supplier_id=partner.supplier_id,
                document_id=document_id,
            ),
        )
        outcomes.append(result.outcome)
        orders |= set(result.purchase_order_ids)
    told: dict[str, Any] = {"events": outcomes}
    for supplier_id, number in returned:
        gone = await withdraw_ship_notice(uow, supplier_id, number, came_back=True)
        told.setdefault("cameBack", []).append({"shipNotice": number, "outcome": gone.outcome})
    outcome = "applied" if {"applied", "noted"} & set(outcomes) else outcomes[0]
    first, *others = sorted(orders) or [None]
    return Applied(outcome, status.tracking, first, faults, told, tuple(i for i in others if i is not None))


def _stamp(status: CarrierStatus, now: datetime) -> datetime:
    """An estimate has no moment of its own: it was made when its interchange was."""
    sent = _SENT.search(status.sequence)
    try:
        return datetime.strptime("".join(sent.groups()), "%Y%m%d%H%M%S").replace(tzinfo=UTC) if sent else now
    except ValueError:
        return now
