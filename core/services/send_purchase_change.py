"""Tell a supplier what became of an order that it has, by us or at its own asking: an 860 or ORDCHG, numbered by the version."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from core.domain.currencies import digits_of
from core.domain.states import PurchaseOrderStatus
from core.edi.change_documents import ChangedLine, PurchaseOrderChange
from core.edi.guide import Standard
from core.edi.write_860 import write_860
from core.edi.write_orders import write_ordchg
from core.events import Event, JobRequest
from core.ports import Transaction
from core.repositories.edi import add_outbound, due_times, outbound_bytes, partner_of_supplier
from core.repositories.edi_replies import newest_order
from core.repositories.order_documents import parts_to_come, read_paper
from core.repositories.purchase_orders import PurchaseOrderHead, lock_order
from core.services.edi_envelopes import number_document

_UNSENT = (PurchaseOrderStatus.DRAFT, PurchaseOrderStatus.AWAITING_APPROVAL, PurchaseOrderStatus.APPROVED)
_CANCEL, _CHANGE = "01", "04"


def request_change_document(
    uow: Transaction,
    before: PurchaseOrderHead,
    version: int,
    line_numbers: Iterable[int],
    agreed: Mapping[int, str] | None = None,
) -> None:
    """Ask for the document after the commit: control numbers are drawn while no gate is held.

    `before` is the order as it stood, `version` the one that the change gave it. An order that was never sent needs none.
    `agreed` has the kind of change (element 670) of lines that the supplier asked to be changed: their agreed days are told.
    """
    if before.status in _UNSENT:
        return
    facts: dict[str, Any] = {
        "purchaseOrderId": before.id,
        "version": version,
        "lineNumbers": sorted(line_numbers),
        **({"agreed": {str(number): kind for number, kind in sorted(agreed.items())}} if agreed else {}),
    }
    uow.enqueue(JobRequest("send_purchase_change", f"{before.id}:{version}", facts))


async def send_purchase_change(
    uow: Transaction,
    purchase_order_id: int,
    version: int,
    line_numbers: Sequence[int],
    agreed: Mapping[int, str] | None = None,
) -> int | None:
    """Queue the change once; returns the outbound document's id, None when there is one or the order went out otherwise.

    Lines are stated as they are now. Raises NotFound, InvalidInput for a value that the standard cannot hold.
    """
    head = await lock_order(uow, purchase_order_id)
    partner = await partner_of_supplier(uow, head.supplier_id)
    if partner is None or await newest_order(uow, head.id) is None:
        return None
    kind = "ORDCHG" if partner.guide.standard is Standard.EDIFACT else "860"
    name = f"{kind}-{head.number}-{version}.edi"
    if await outbound_bytes(uow, name) is not None:
        return None
    paper = await read_paper(uow, head.id)
    local = uow.now.astimezone(paper.zone)
    digits = digits_of(paper.currency)
    to_come = await parts_to_come(uow, head.id) if agreed else {}
    lines = []
    for row in paper.lines:
        if row["line_number"] not in line_numbers:
            continue
        left = row["unanswered"] + row["accepted"] + row["supplier_backordered"] + row["held"] + row["in_transit"]
        wanted = row["ordered"] - row["cancelled"] - row["rejected"]
        kind_of_change = (agreed or {}).get(row["line_number"], "QD") if wanted else "DI"
        on, schedule = row["requested_date"], ()
        if row["line_number"] in (agreed or {}):
            on, schedule = agreed_days(to_come.get(row["line_number"], []), on)
        lines.append(
            ChangedLine(
                str(row["line_number"]),
                kind_of_change,
                row["code"],
                row["vendor_code"] or "",
                quantity=wanted,
                left_to_receive=left,
                unit=row["unit"],
                price=Decimal(row["price"]).scaleb(-digits),
                requested_date=on,
                schedule=schedule,
            )
        )
    is_gone = all(row["ordered"] == row["cancelled"] + row["rejected"] for row in paper.lines)
    numbered = await number_document(uow, partner, local)
    change = PurchaseOrderChange(
        head.number,
        paper.ordered_at.astimezone(paper.zone).date(),
        local.date(),
        tuple(lines),
        sequence_number=str(version),
        purpose=_CANCEL if is_gone else _CHANGE,
        currency=paper.currency,
    )
    if kind == "ORDCHG":
        content = write_ordchg(change, numbered.edifact())
    else:
        content = write_860(change, numbered.x12())
    row = replace(
        numbered.outbound(kind, content, name, head.id), due=due_times(partner.guide, uow.now), reference=str(version)
    )
    outbound_id = await add_outbound(uow, row)
    facts = {"outboundId": outbound_id, "purchaseOrderNumber": head.number, "kind": kind}
    uow.announce(Event("edi", "QUEUED", facts, f"purchase_order:{head.id}", supplier_id=head.supplier_id))
    uow.audit("purchaseOrderSendChange", f"purchase_order:{head.id}", None, {"outboundId": outbound_id})
    return outbound_id


def agreed_days(
    parts: Sequence[tuple[int, date | None]], asked: date | None
) -> tuple[date | None, tuple[tuple[int, date], ...]]:
    """The day of all units, or a schedule where they have several. A day that was not agreed is never told: neither
    where some units have none; what was asked where no unit has one."""
    dated = tuple((units, on) for units, on in parts if on is not None)
    if len(dated) < len(parts):
        return (None if dated else asked), ()
    if len(dated) == 1:
        return dated[0][1], ()
    return None, dated
