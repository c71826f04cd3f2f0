"""Take what a partner says of documents of ours: delivered, unreadable, or refused by its application; never business."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from core.domain.edi_states import EdiOutboundState
from core.edi.documents import FunctionalAcknowledgement
from core.edi.interchanges import Fault
from core.edi.reply_documents import ApplicationAdvice, InterchangeAcknowledgement
from core.errors import InvalidInput
from core.events import Event
from core.ports import Transaction
from core.repositories.edi import Partner
from core.repositories.edi_replies import newest_order, sent_about, sent_in_group, sent_in_interchange, settle
from core.repositories.gates import take_gates
from core.repositories.purchase_orders import sku_ids_of_orders
from core.services.edi_outcome import Applied, Unusable, doubt
from core.services.restart_lead_time import restart_lead_time
from core.services.run_supplier_deadlines import run_supplier_deadlines

_GROUPS = {"PO": "850", "PC": "860", "OW": "940"}
# What OTI10 and RFF speak of, as the kinds that we send.
_ORDERS, _CHANGES = ("850", "ORDERS"), ("860", "ORDCHG")
_ABOUT = {"PO": _ORDERS, "ON": _ORDERS, "PC": _CHANGES, "OP": _ORDERS, "TN": (*_ORDERS, *_CHANGES)}


async def note_group(
    uow: Transaction, receipt: FunctionalAcknowledgement, faults: tuple[Fault, ...], partner: Partner
) -> Applied:
    """A 997 or 999: a positive one is a delivery status, never a business answer; a negative one needs somebody."""
    kind = _GROUPS.get(receipt.functional_id, receipt.functional_id)
    rows = await sent_in_group(uow, partner.id, kind, receipt.group_control)
    if not rows:
        raise InvalidInput(f"We sent no {receipt.functional_id} group {receipt.group_control!r} to this partner.")
    errors = [*receipt.errors, *(error for one in receipt.sets for error in one.errors)]
    await _close(uow, rows, receipt.verdict in ("A", "E"), errors, partner)
    return Applied("applied", receipt.group_control, _order(rows), faults, {"verdict": receipt.verdict})


async def note_interchange(
    uow: Transaction,
    receipt: InterchangeAcknowledgement,
    partner: Partner,
    standards: Sequence[str] = ("EDIFACT",),
    faults: tuple[Fault, ...] = (),
) -> Applied:
    """A TA1 or CONTRL. One that says only that the interchange arrived leaves what is in it open.

    Raises InvalidInput where we sent no such interchange.
    """
    kinds = (*_ORDERS[1:], *_CHANGES[1:]) if "EDIFACT" in standards else None
    rows = await sent_in_interchange(uow, partner.id, receipt.control, kinds)
    if not rows:
        raise InvalidInput(f"We sent no interchange {receipt.control!r} to this partner.")
    errors = [*receipt.errors, *(error for message in receipt.messages for error in message.errors)]
    is_refused = receipt.verdict == "R" or any(message.verdict == "R" for message in receipt.messages)
    if is_refused or not receipt.is_receipt_only:
        await _close(uow, rows, not is_refused, errors, partner)
    return Applied("applied", receipt.control, _order(rows), faults, {"verdict": receipt.verdict})


async def note_application(
    uow: Transaction, advice: ApplicationAdvice, faults: tuple[Fault, ...], partner: Partner
) -> Applied:
    """An 824 or APERAK: the partner could read our document, and its application takes or refuses it.

    Raises Unusable where it does not say which, InvalidInput where we sent no such document.
    """
    kinds = _ABOUT.get(advice.about_kind, (*_ORDERS, *_CHANGES))
    rows = await sent_about(uow, partner.id, kinds, advice.about)
    if not rows and advice.group_control:
        rows = [r for kind in ("850", "860") for r in await sent_in_group(uow, partner.id, kind, advice.group_control)]
    if not rows and advice.about_kind in ("ACW", "ACE"):
        rows = await sent_in_interchange(uow, partner.id, advice.about)
    if not rows:
        raise InvalidInput(f"We sent no document {advice.about!r} to this partner.")
    errors = [error.message or error.code for error in advice.errors]
    if not advice.verdict:
        text = f"The application advice {advice.number!r} does not say whether {advice.about!r} was taken."
        raise Unusable("verdict", text, [doubt("verdict", text)])
    if advice.verdict == "R":
        await _close(uow, rows, False, errors, partner)
    elif advice.verdict == "E":
        _tell(uow, rows, "DOUBTED", errors, partner)
    return Applied("applied", advice.about, _order(rows), faults, {"verdict": advice.verdict, "errors": errors})


async def _close(
    uow: Transaction, rows: Sequence[Any], is_accepted: bool, errors: Sequence[str], partner: Partner
) -> None:
    state = EdiOutboundState.ACKNOWLEDGED if is_accepted else EdiOutboundState.REJECTED
    told = "; ".join(errors)[:2000] or ("" if is_accepted else "The partner gives no reason.")
    await settle(uow, [row["id"] for row in rows], str(state), told or None)
    _tell(uow, rows, "ACKNOWLEDGED" if is_accepted else "REJECTED", errors, partner)
    if is_accepted:
        await run_supplier_deadlines(uow, [r["purchase_order_id"] for r in rows if r["purchase_order_id"] is not None])
        return
    # Somebody has to mend it: the supplier knows of nothing that waits for this order, the warehouse not what to ship.
    for row in rows:
        if row["purchase_order_id"] is not None or row["kind"] == "940":
            uow.audit("ediSendFailed", f"edi_outbound:{row['id']}", {"state": row["state"]}, {"error": told})
            facts = {"outboundId": row["id"], "purchaseOrderId": row["purchase_order_id"], "error": told}
            uow.announce(Event("edi", "SEND_FAILED", facts, f"outbound:{row['id']}", supplier_id=partner.supplier_id))
    lost = {r["purchase_order_id"] for r in rows if r["kind"] in _ORDERS and r["purchase_order_id"] is not None}
    if len(lost) > 1:
        await take_gates(uow, await sku_ids_of_orders(uow, lost))
    for order_id in sorted(lost):
        newest = await newest_order(uow, order_id)
        if newest["id"] in {row["id"] for row in rows}:
            await restart_lead_time(uow, order_id)
    await run_supplier_deadlines(
        uow, sorted({r["purchase_order_id"] for r in rows if r["purchase_order_id"] is not None})
    )


def _tell(uow: Transaction, rows: Iterable[Any], kind: str, errors: Sequence[str], partner: Partner) -> None:
    for row in rows:
        facts = {"outboundId": row["id"], "fileName": row["file_name"], "error": errors[0] if errors else None}
        uow.announce(Event("edi", kind, facts, f"outbound:{row['id']}", supplier_id=partner.supplier_id))


def _order(rows: Sequence[Any]) -> int | None:
    return rows[0]["purchase_order_id"]
