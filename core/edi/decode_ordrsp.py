"""Turns an ORDRSP into an `Acknowledgement`: LIN actions and quantities in the terms of the X12 line statuses.

So one rule (`resolve_line`) decides about both standards. Decoding: EDI reference, section 3.4.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from core.edi.answer_sums import note_line_sum, note_no_lines
from core.edi.decoding import DELIVERY_DATES, SHIP_DATES, Notes, best_date, item, with_pack_size
from core.edi.documents import AcknowledgedLine, Acknowledgement, Decoded, Effect, LineStatus
from core.edi.edifact_decoding import (
    BUYER_ITEM,
    GTIN_ITEM,
    VENDOR_ITEM,
    article_pairs,
    document_day,
    first,
    items,
    note_unknown_quantities,
    order_line,
    pack_sizes,
    parts,
    purpose_of,
    quantity,
    reference,
    x12_dates,
)
from core.edi.edifact_values import number
from core.edi.guide import DEFAULT_GUIDE, LineKey, PartnerGuide
from core.edi.interchanges import Segment, TransactionSet
from core.edi.known_codes import ACTIONS
from core.edi.prices import edifact_price

# Element 4343 to element 587; AI lists exceptions only, so silence is acceptance.
_RESPONSES = {"AC": "AC", "AD": "AD", "AI": "AE", "AP": "AK", "CO": "AC", "RE": "RJ", "RD": "RD", "NA": "NA"}
_CHANGED = ("3", "6", "24")
_TO_FOLLOW, _NOT_TO_COME = (Effect.BACKORDER, "IB"), (Effect.REJECT, "IR")
_REMAINDER = {
    **dict.fromkeys(("BP", "SP", "OW", "OS"), _TO_FOLLOW),
    **dict.fromkeys(("CP", "AA", "AB"), _NOT_TO_COME),
    "CS": (Effect.HOLD, "IS"),
}


def decode_ordrsp(document: TransactionSet, guide: PartnerGuide = DEFAULT_GUIDE) -> Decoded[Acknowledgement]:
    """The answer, or None with an error where it names no order or a quantity cannot be used."""
    notes = Notes(document)
    cut = parts(document)
    bgm = first(cut.head, "BGM")
    po_number = reference(cut.head, "ON")
    if not po_number:
        named = list(dict.fromkeys(number for block in cut.blocks if (number := reference(block, "ON"))))
        if len(named) == 1:
            po_number = named[0]
    if bgm is None or not po_number:
        notes.error("po_number", "The order response names no purchase order (RFF ON)", bgm, 2)
        return Decoded(None, tuple(notes.faults))
    on = document_day(cut.head, "137")
    lines = tuple(line for block in cut.blocks if (line := _line(block, guide, notes, _currency(cut.head))) is not None)
    answer = Acknowledgement(
        po_number=po_number,
        header_type=_header_type(bgm, bool(cut.blocks), guide),
        acknowledged_on=on,
        sequence=f"{on.strftime('%Y%m%d') if on else '00000000'}-{document.sequence}",
        lines=lines,
        supplier_reference=reference(cut.head, "VN") or bgm.value(2),
        dates=x12_dates(cut.head, notes),
        purpose=purpose_of(bgm),
    )
    if not cut.blocks:
        note_no_lines(answer, notes, bgm, 3)
    return Decoded(None if notes.failed else answer, tuple(notes.faults))


def _header_type(bgm: Segment, has_lines: bool, guide: PartnerGuide) -> str:
    """In the codes of BAK02. An unknown function stays as it is, and settles nothing."""
    function, response = bgm.value(3), bgm.value(4)
    if function in guide.header_map:
        return guide.header_map[function]
    if function == "29":
        return "AD" if has_lines else "AK"
    if function == "27":
        return "RD" if has_lines else "RJ"
    if function in ("4", "5", "28", "30", "34"):
        return "AC"
    if function in ("9", ""):
        return _RESPONSES.get(response, response) if response else "AD"
    return function


@dataclass(frozen=True, slots=True)
class _Amount:
    """One QTY with the dates that belong to it alone."""

    qualifier: str
    quantity: int
    date: date | None
    date_qualifier: str
    segment_number: int


def _currency(segments: list[Segment]) -> str:
    cux = first(segments, "CUX")
    return cux.value(1, 2).upper() if cux is not None else ""


def _line(block: list[Segment], guide: PartnerGuide, notes: Notes, usual_currency: str) -> AcknowledgedLine | None:
    lin = block[0]
    action = guide.code_map.get(lin.value(2), lin.value(2))
    if action == "4":
        notes.warning("line_status", "The supplier has not acted on this line yet", lin, 2)
        return None
    pairs = items(block)
    qty = first(block, "QTY", "21") or first(block, "QTY")
    unit = (qty.value(1, 3) if qty is not None else "") or "EA"
    guide = with_pack_size(guide, unit, pack_sizes(block))
    note_unknown_quantities(block, notes)
    amounts, dates = _amounts(block, guide, notes)
    ordered = next((amount.quantity for amount in amounts if amount.qualifier == "21"), None)
    statuses = _statuses(block, action, amounts, ordered, notes)
    note_line_sum(statuses, ordered, guide, notes, lin)
    keys = {
        LineKey.PO_LINE_NUMBER: order_line(block),
        LineKey.BUYER_SKU: item(pairs, BUYER_ITEM),
        LineKey.VENDOR_CODE: item(pairs, VENDOR_ITEM),
        LineKey.GTIN: item(pairs, GTIN_ITEM),
    }
    return AcknowledgedLine(
        line_key=keys[guide.line_key],
        po_line_number=keys[LineKey.PO_LINE_NUMBER],
        buyer_sku=keys[LineKey.BUYER_SKU],
        vendor_code=keys[LineKey.VENDOR_CODE],
        gtin=keys[LineKey.GTIN],
        ordered=ordered,
        unit=unit,
        statuses=statuses,
        dates=dates,
        segment_number=lin.number,
        is_proposal=action == "3",
        price=edifact_price(block, unit, guide, notes),
        currency=_currency(block) or usual_currency,
    )


def _statuses(
    block: list[Segment], action: str, amounts: list[_Amount], ordered: int | None, notes: Notes
) -> tuple[LineStatus, ...]:
    """What the quantities say; where there are none but the ordered one, what the action (1229) says."""
    lin = block[0]
    substitutes = tuple(
        pair for pia in block if pia.tag == "PIA" and pia.value(1) == "3" for pair in article_pairs(pia)
    )
    if substitutes:
        return (LineStatus(action or "3", None, None, "", Effect.HOLD, "IS", substitutes, lin.number),)
    if action and action not in ACTIONS and (amounts or first(block, "QVR")):
        notes.warning("line_status", f"The line action {action!r} is not known", lin, 2)
    delivered = [amount for amount in amounts if amount.qualifier in ("113", "12")]
    if any(amount.qualifier == "113" for amount in delivered):
        delivered = [amount for amount in delivered if amount.qualifier == "113"]
    late = [amount for amount in amounts if amount.qualifier == "83"]
    refused = [amount for amount in amounts if amount.qualifier == "185"]
    found = [_status(amount, Effect.ACCEPT, "IA") for amount in delivered]
    found += [_status(amount, Effect.BACKORDER, "IB") for amount in late]
    found += [_status(amount, Effect.REJECT, "IR") for amount in refused]
    named = sum(status.quantity or 0 for status in found)
    variance = first(block, "QVR")
    reason = variance.value(2) if variance is not None else ""
    if variance is not None and reason in _REMAINDER:
        return _with_remainder(found, variance, ordered, named, notes)
    if variance is not None and reason not in ("", "PS", "AC"):
        notes.warning("line_status", f"The reason {reason!r} of a quantity variance is not known", variance, 2)
    if delivered and not late and not refused and ordered is not None and named < ordered:
        last = delivered[-1]
        found[len(delivered) - 1] = _status(last, Effect.CHANGED_QUANTITY, "IQ")
    if found:
        return tuple(found)
    return _by_action(lin, action, amounts, ordered, notes)


def _by_action(
    lin: Segment, action: str, amounts: list[_Amount], ordered: int | None, notes: Notes
) -> tuple[LineStatus, ...]:
    only = next((amount for amount in amounts if amount.qualifier == "21"), None)
    on = (only.date, only.date_qualifier) if only is not None else (None, "")
    if action in ("7", "2"):
        return (LineStatus(action, None, None, "", Effect.REJECT, "IR" if action == "7" else "ID", (), lin.number),)
    if action in ("5", "1"):
        return (LineStatus(action, ordered, *on, Effect.ACCEPT, "IA", (), lin.number),)
    if action in _CHANGED and ordered is not None:
        return (LineStatus(action, ordered, *on, Effect.CHANGED_QUANTITY, "IQ", (), lin.number),)
    if action in _CHANGED:
        return (LineStatus(action, None, *on, Effect.ACCEPT, "IC", (), lin.number),)
    if action:
        what = "The supplier does not find the line" if action == "10" else f"The line action {action!r} is not known"
        notes.warning("line_status", what, lin, 2)
        return (LineStatus(action, ordered, None, "", Effect.REVIEW, action, (), lin.number),)
    return ()


def _with_remainder(
    found: list[LineStatus], variance: Segment, ordered: int | None, named: int, notes: Notes
) -> tuple[LineStatus, ...]:
    """The part that QVR speaks of: what is ordered and not named elsewhere, else the difference it gives (6064)."""
    reason = variance.value(2)
    effect, meaning = _REMAINDER[reason]
    gap = number(variance.value(1))
    difference = int(abs(gap)) if gap is not None and gap == gap.to_integral_value() and gap.adjusted() < 9 else None
    rest = ordered - named if ordered is not None else difference
    if rest is None or rest < 0:
        notes.error("quantity", "A quantity variance does not say of how much", variance, 1)
        return tuple(found)
    known = any(status.effect is effect and status.quantity == rest for status in found)
    if rest and not known:
        found.append(LineStatus(reason, rest, None, "", effect, meaning, (), variance.number))
    return tuple(found)


def _status(amount: _Amount, effect: Effect, meaning: str) -> LineStatus:
    return LineStatus(
        amount.qualifier,
        amount.quantity,
        amount.date,
        amount.date_qualifier,
        effect,
        meaning,
        (),
        amount.segment_number,
    )


def _amounts(
    block: list[Segment], guide: PartnerGuide, notes: Notes
) -> tuple[list[_Amount], tuple[tuple[str, date], ...]]:
    """Quantities with their own dates, and the dates of the line.

    A date belongs to the quantity above it in a schedule (SCC), or where quantities and dates alternate.
    """
    alternating = _alternates(block)
    owned: dict[int, list[Segment]] = {}
    own: list[Segment] = []
    current: Segment | None = None
    in_schedule = False
    for segment in block:
        if segment.tag == "SCC":
            in_schedule, current = True, None
        elif segment.tag == "QTY":
            current = segment
        elif segment.tag == "DTM":
            if current is not None and (in_schedule or alternating):
                owned.setdefault(current.number, []).append(segment)
            else:
                own.append(segment)
    amounts: list[_Amount] = []
    for segment in block:
        if segment.tag != "QTY":
            continue
        units = quantity(segment, guide, notes)
        if units is None:
            continue
        best = best_date(x12_dates(owned.get(segment.number, ()), notes), DELIVERY_DATES + SHIP_DATES)
        code, on = best if best is not None else ("", None)
        amounts.append(_Amount(segment.value(1), units, on, code, segment.number))
    return amounts, x12_dates(own, notes)


def _alternates(block: list[Segment]) -> bool:
    tags = [segment.tag for segment in block if segment.tag in ("QTY", "DTM")]
    return any(tags[at : at + 2] == ["DTM", "QTY"] for at in range(len(tags) - 1))
