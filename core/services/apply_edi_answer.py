"""What a supplier answers to an order (855, ORDRSP) or to a change (865), and what it asks for by itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from core.domain.currencies import digits_of
from core.domain.supplier_changes import ChangeSource
from core.edi.change_documents import ChangeAcknowledgement, ChangedLine
from core.edi.documents import AcknowledgedLine, Acknowledgement
from core.edi.guide import PartnerGuide
from core.edi.interchanges import Fault
from core.edi.prices import prices_in
from core.edi.resolve_acknowledgement import LineOutcome, OpenLine, match_line, resolve_acknowledgement
from core.edi.resolve_change import ADDITIONAL, UNCHANGED, is_refusal, resolve_change, with_line
from core.edi.resolve_line import other_price
from core.ports import Transaction
from core.repositories.edi import Partner
from core.repositories.edi_records import currency_of
from core.repositories.edi_replies import change_with_number, settle
from core.repositories.gates import take_gates
from core.repositories.order_documents import parts_to_come
from core.repositories.purchase_orders import PurchaseOrderHead, PurchaseOrderLine, find_orders, read_lines
from core.repositories.supplier_changes import lock_changes
from core.services.apply_acknowledgement import (
    AcknowledgeLine,
    AcknowledgePurchaseOrder,
    AnsweredPart,
    apply_acknowledgement,
)
from core.services.edi_outcome import Applied, Unusable, doubt
from core.services.propose_supplier_change import ProposeSupplierChange, propose_supplier_change


async def apply_answer(
    uow: Transaction, answer: Acknowledgement, faults: tuple[Fault, ...], partner: Partner, document_id: int
) -> Applied:
    """Lines that are answered move; those that wait for our consent (LIN 1229 = 3) are proposals and move nothing."""
    if partner.supplier_id is None:
        raise Unusable("partner", f"Partner {partner.code!r} is not a supplier.")
    head = (await find_orders(uow, [answer.po_number], partner.supplier_id, only_approved=True))[answer.po_number]
    rows = await read_lines(uow, [head.id])
    names = await _names(uow, head.id)
    currency = await currency_of(uow, head.id)
    digits = digits_of(currency)
    answer, foreign = prices_in(answer, currency)
    resolution = resolve_acknowledgement(_open(rows, names, restated=False), answer, partner.guide)
    whole = resolve_acknowledgement(_open(rows, names, restated=True), answer, partner.guide)
    if resolution.unmatched:
        raise Unusable("unmatched_line", resolution.unmatched[0], [doubt("line", x) for x in resolution.unmatched])
    # An answer is about what is not shipped, or it restates the whole order.
    outcomes = [
        full if first.mismatch is not None and full.mismatch is None else first
        for first, full in zip(resolution.outcomes, whole.outcomes, strict=True)
    ]
    _refuse_mismatches(outcomes)
    asked = [o for o in outcomes if o.answered and o.line is not None and o.line.is_proposal]
    answered = [o for o in outcomes if o.answered and not (o.line is not None and o.line.is_proposal)]
    asked = [_with_price(o, rows, digits, partner.guide) for o in asked]
    asked += [o for x in answered if (o := _price_alone(x, rows, digits, partner.guide)) is not None]
    result: dict[str, Any] = {"notes": [*foreign, *(note for outcome in (*answered, *asked) for note in outcome.notes)]}
    outcome = "applied"
    if asked and answered:
        # The order's row is locked at the end of what is accepted by itself: the gates of both come before it.
        named = {o.line_number for o in (*asked, *answered)}
        await lock_changes(uow, head.id)
        await take_gates(uow, {line.sku_id for line in rows.values() if line.line_number in named})
    if asked:
        outcome, result["supplierChange"] = await _propose(uow, head, asked, answer, document_id, digits)
    if answered or not asked:
        change = await apply_acknowledgement(
            uow,
            AcknowledgePurchaseOrder(
                answer.po_number,
                partner.supplier_id,
                _as_answer(answered),
                sequence=answer.sequence,
                document_id=document_id,
            ),
        )
        outcome, result["version"] = change.outcome, change.version
    return Applied(outcome, answer.po_number, head.id, faults, result)


async def apply_change_answer(
    uow: Transaction, found: ChangeAcknowledgement, faults: tuple[Fault, ...], partner: Partner, document_id: int
) -> Applied:
    """An 865: an answer to the change of ours that it names, else a proposal of the supplier that moves nothing yet."""
    answer = found.acknowledgement
    if partner.supplier_id is None:
        raise Unusable("partner", f"Partner {partner.code!r} is not a supplier.")
    head = (await find_orders(uow, [answer.po_number], partner.supplier_id, only_approved=True))[answer.po_number]
    rows = await read_lines(uow, [head.id])
    ours = _open(rows, await _names(uow, head.id), restated=False)
    currency = await currency_of(uow, head.id)
    digits = digits_of(currency)
    if found.is_from_supplier:
        answer, notes = prices_in(answer, currency)
        outcomes = _asked_for(ours, rows, replace(found, acknowledgement=answer), partner, digits)
        _refuse_mismatches(outcomes)
        notes += [note for outcome in outcomes for note in outcome.notes]
        outcomes = [o for o in outcomes if o.answered or o.price is not None]
        if not outcomes:
            notes = notes or ["No line is changed."]
            return Applied("applied", answer.po_number, head.id, faults, {"notes": notes})
        outcome, change = await _propose(uow, head, outcomes, answer, document_id, digits)
        return Applied(outcome, answer.po_number, head.id, faults, {"supplierChange": change, "notes": notes})
    sent = await change_with_number(uow, partner.id, head.id, found.change_sequence)
    if sent is None:
        text = f"We sent no change {found.change_sequence!r} of order {head.number}."
        raise Unusable("unknown_change", text, [doubt("change", text)])
    if answer.header_type in ("RJ", "RD") or any(is_refusal(line) for line in answer.lines):
        text = f"The supplier refuses our change {found.change_sequence} of order {head.number}."
        raise Unusable("change_refused", text, [doubt("change", text)])
    await settle(uow, [sent["id"]], "acknowledged")
    # What we took off the order is not open: of that the answer says nothing new.
    lines = [(line, _one(line, ours, partner)) for line in answer.lines if line.statuses]
    outcomes = [
        with_line(resolve_change(x.open_quantity, 0, line, change, partner.guide, answer.dates), x.line_number, line)
        for (line, x), change in zip(lines, [c for c, a in _pairs(found) if a.statuses], strict=True)
        if x.open_quantity
    ]
    _refuse_mismatches(outcomes)
    agreed = await parts_to_come(uow, head.id)
    outcomes = [_as_agreed(outcome, agreed.get(outcome.line_number or 0, [])) for outcome in outcomes]
    change = await apply_acknowledgement(
        uow,
        AcknowledgePurchaseOrder(
            head.number, partner.supplier_id, _as_answer(outcomes), sequence=answer.sequence, document_id=document_id
        ),
    )
    outcome = change.outcome if outcomes else "applied"
    return Applied(outcome, answer.po_number, head.id, faults, {"answersChange": found.change_sequence})


def _as_agreed(outcome: LineOutcome, parts: Sequence[tuple[int, date | None]]) -> LineOutcome:
    """Consent to our change that names one of the several agreed days for all units: each part keeps its own, as it
    would without a day. Another day, or parts of it, is news."""
    days = {on for _, on in parts}
    only = outcome.accepted[0] if len(outcome.accepted) == 1 else None
    is_whole = not (outcome.backordered or outcome.rejected or outcome.held)
    if only is None or only.date not in days or only.is_ship_date or len(days) < 2 or not is_whole:
        return outcome
    return replace(outcome, accepted=(replace(only, date=None),))


def _with_price(
    outcome: LineOutcome, rows: dict[int, PurchaseOrderLine], digits: int, guide: PartnerGuide
) -> LineOutcome:
    """The outcome with the price that the line names, where that is not ours."""
    ours = next(Decimal(x.price).scaleb(-digits) for x in rows.values() if x.line_number == outcome.line_number)
    price = None if outcome.line is None else other_price(outcome.line.price, ours, guide)
    if price is None:
        return outcome
    note = f"Line {outcome.line_number}: the supplier's price is {price:f}, ours {ours:f}."
    return replace(outcome, price=price, notes=(*outcome.notes, note))


def _price_alone(
    outcome: LineOutcome, rows: dict[int, PurchaseOrderLine], digits: int, guide: PartnerGuide
) -> LineOutcome | None:
    """Another price is asked for; what the answer says of the units stands without it."""
    found = _with_price(outcome, rows, digits, guide)
    if found.price is None:
        return None
    return LineOutcome(
        answered=False, price=found.price, line_number=found.line_number, line=found.line, notes=found.notes[-1:]
    )


def _asked_for(
    ours: list[OpenLine],
    rows: dict[int, PurchaseOrderLine],
    found: ChangeAcknowledgement,
    partner: Partner,
    digits: int,
) -> list[LineOutcome]:
    answer = found.acknowledgement
    if answer.purpose == "01":
        return [LineOutcome(rejected=x.open_quantity, line_number=x.line_number) for x in ours if x.open_quantity]
    standing = {x.line_number: x.parts.ordered - x.parts.cancelled - x.parts.rejected for x in rows.values()}
    prices = {x.line_number: Decimal(x.price).scaleb(-digits) for x in rows.values()}
    outcomes = []
    for change, line in _pairs(found):
        if change.change in UNCHANGED:
            continue
        x = _addressed(change, line, ours, partner)
        outcome = resolve_change(
            x.open_quantity,
            standing[x.line_number],
            line,
            replace(change, price=line.price),
            partner.guide,
            answer.dates,
            prices[x.line_number],
        )
        outcomes.append(with_line(outcome, x.line_number, line))
    twice = [number for number, count in Counter(o.line_number for o in outcomes).items() if count > 1]
    if twice:
        text = f"The change speaks of line {twice[0]} of order {answer.po_number} more than once."
        raise Unusable("mismatch", text, [doubt("line", text, None, "POC")])
    return outcomes


def _addressed(change: ChangedLine, line: AcknowledgedLine, ours: Sequence[OpenLine], partner: Partner) -> OpenLine:
    """The line of ours that is to be changed: of an additional one, the line that has the same article."""
    if change.change != ADDITIONAL:
        return _one(line, ours, partner)
    named = replace(line, line_key="", po_line_number="")
    candidates = match_line(named, ours, partner.guide)
    if len(candidates) != 1:
        what = "an article that the order does not have" if not candidates else "an article of several lines"
        text = f"Line {line.po_line_number!r} adds {what} ({line.buyer_sku or line.vendor_code or line.gtin})."
        raise Unusable("additional_line", text, [doubt("line", text, line.segment_number, "POC")])
    return candidates[0]


def _pairs(found: ChangeAcknowledgement) -> list[tuple[Any, AcknowledgedLine]]:
    return list(zip(found.changes, found.acknowledgement.lines, strict=True))


def _one(line: AcknowledgedLine, ours: Sequence[OpenLine], partner: Partner) -> OpenLine:
    candidates = match_line(line, ours, partner.guide)
    if len(candidates) != 1:
        what = "no line of ours" if not candidates else f"{len(candidates)} lines of ours"
        text = f"Line {line.po_line_number or line.buyer_sku!r} of the change matches {what}."
        raise Unusable("unmatched_line", text, [doubt("line", text, line.segment_number, "POC")])
    return candidates[0]


async def _propose(
    uow: Transaction,
    head: PurchaseOrderHead,
    outcomes: Sequence[LineOutcome],
    answer: Acknowledgement,
    document_id: int,
    digits: int,
) -> tuple[str, dict[str, Any]]:
    found = await propose_supplier_change(
        uow,
        ProposeSupplierChange(
            head.number,
            head.supplier_id,
            _as_answer(outcomes, digits),
            ChangeSource.EDI,
            answer.sequence,
            " ".join(note for outcome in outcomes for note in outcome.notes),
            document_id,
        ),
    )
    return found.outcome, {"id": found.change_id, "state": str(found.state)}


def _as_answer(outcomes: Sequence[LineOutcome], digits: int = 0) -> list[AcknowledgeLine]:
    """`digits` of the order's currency: prices are kept in minor units, what is finer is rounded."""
    return [
        AcknowledgeLine(
            outcome.line_number or 0,
            [AnsweredPart(p.quantity, p.date, p.is_ship_date) for p in outcome.accepted],
            [AnsweredPart(p.quantity, p.date, p.is_ship_date) for p in outcome.backordered],
            outcome.rejected,
            outcome.held,
            outcome.added,
            None if outcome.price is None else int(outcome.price.scaleb(digits).to_integral_value(ROUND_HALF_UP)),
        )
        for outcome in outcomes
    ]


def _refuse_mismatches(outcomes: Sequence[LineOutcome]) -> None:
    wrong = [
        doubt(
            "quantity",
            f"Line {outcome.line_number}: {outcome.mismatch}",
            outcome.line.segment_number if outcome.line is not None else None,
            "PO1" if outcome.line is not None else "",
        )
        for outcome in outcomes
        if outcome.mismatch is not None
    ]
    if wrong:
        raise Unusable("mismatch", wrong[0].message, wrong)


async def _names(uow: Transaction, order_id: int) -> dict[int, Any]:
    rows = await uow.sql.fetch(
        """select l.id, k.code, k.gtin, x.vendor_code from purchase_order_line l join sku k on k.id = l.sku_id
        left join supplier_sku x on x.sku_id = l.sku_id and x.supplier_id = l.supplier_id
        where l.purchase_order_id = $1""",
        order_id,
    )
    return {row["id"]: row for row in rows}


def _open(rows: dict[int, PurchaseOrderLine], names: dict[int, Any], *, restated: bool) -> list[OpenLine]:
    return [
        OpenLine(
            line.line_number,
            line.parts.ordered - line.parts.cancelled if restated else line.parts.not_shipped,
            names[line.id]["code"],
            names[line.id]["vendor_code"] or "",
            names[line.id]["gtin"] or "",
        )
        for line in rows.values()
    ]
