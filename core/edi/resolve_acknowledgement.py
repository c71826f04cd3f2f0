"""Decides what a whole acknowledgement does to our open lines: which line it means, and what its silence means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.edi.documents import AcknowledgedLine, Acknowledgement, Effect, LineStatus
from core.edi.guide import DEFAULT_GUIDE, LineKey, PartnerGuide
from core.edi.resolve_line import ACCEPT_ALL, LineOutcome, dated, known_date, resolve_line

_ACCEPT_UNLISTED = (*ACCEPT_ALL, "AE")


@dataclass(frozen=True, slots=True)
class OpenLine:
    """A line of ours as it stands, with the quantity in base units that this supplier may still answer for."""

    line_number: int
    open_quantity: int
    buyer_sku: str = ""
    vendor_code: str = ""
    gtin: str = ""


@dataclass(frozen=True, slots=True)
class Resolution:
    """One outcome for each open line, in the order given, and sentences about listed lines that match none of ours."""

    outcomes: tuple[LineOutcome, ...]
    unmatched: tuple[str, ...] = ()


def resolve_acknowledgement(
    open_lines: Sequence[OpenLine], acknowledgement: Acknowledgement, guide: PartnerGuide = DEFAULT_GUIDE
) -> Resolution:
    """What the whole document does to our lines. Lines of ours that it does not list follow the header type."""
    matched: dict[int, AcknowledgedLine] = {}
    unmatched: list[str] = []
    for line in acknowledgement.lines:
        candidates = match_line(line, open_lines, guide)
        name = line.line_key or line.po_line_number or line.buyer_sku or line.vendor_code
        if len(candidates) != 1:
            what = "no line of ours" if not candidates else f"{len(candidates)} lines of ours"
            unmatched.append(f"Line {name!r} of the acknowledgement matches {what}.")
        elif candidates[0].line_number in matched:
            number = candidates[0].line_number
            matched[number] = _joined(matched[number], line)
        else:
            matched[candidates[0].line_number] = line
    outcomes: list[LineOutcome] = []
    for ours in open_lines:
        line = matched.get(ours.line_number)
        if line is None:
            outcome = _unlisted(ours.open_quantity, acknowledgement)
        else:
            outcome = resolve_line(ours.open_quantity, line, guide, acknowledgement.header_type, acknowledgement.dates)
        outcomes.append(replace(outcome, line_number=ours.line_number, line=line))
    return Resolution(tuple(outcomes), tuple(unmatched))


def match_line(line: AcknowledgedLine, open_lines: Sequence[OpenLine], guide: PartnerGuide) -> list[OpenLine]:
    """Our lines that this line can mean: by the guide's key, else by item, GTIN, vendor code in this
    order. Several candidates are all returned: the caller reviews, the first is never taken."""
    tests = {
        LineKey.PO_LINE_NUMBER: lambda ours: _same_line_number(line.po_line_number, ours.line_number),
        LineKey.BUYER_SKU: lambda ours: bool(line.buyer_sku) and line.buyer_sku == ours.buyer_sku,
        LineKey.GTIN: lambda ours: bool(line.gtin) and line.gtin.lstrip("0") == ours.gtin.lstrip("0"),
        LineKey.VENDOR_CODE: lambda ours: bool(line.vendor_code) and line.vendor_code == ours.vendor_code,
    }
    order = [guide.line_key, *(key for key in tests if key is not guide.line_key and key is not LineKey.PO_LINE_NUMBER)]
    for key in order:
        found = [ours for ours in open_lines if tests[key](ours)]
        if found:
            return [ours for ours in found if not _contradicts(line, ours)]
    return []


def _unlisted(open_quantity: int, acknowledgement: Acknowledgement) -> LineOutcome:
    """A line of ours that the document does not list: silence is acceptance only under AK, AT and AE."""
    header = acknowledgement.header_type
    if header in _ACCEPT_UNLISTED:
        whole = dated(open_quantity, known_date(acknowledgement.dates))
        return LineOutcome((whole,) if open_quantity else ())
    if header == "RJ":
        return LineOutcome(rejected=open_quantity)
    if header == "AH":
        return LineOutcome(held=open_quantity)
    return LineOutcome(answered=False, notes=("The acknowledgement does not list this line.",))


def _joined(first: AcknowledgedLine, second: AcknowledgedLine) -> AcknowledgedLine:
    """Two loops for one of our lines: their statuses count together, each with the date of its own loop."""
    return replace(
        first,
        statuses=_dated(first) + _dated(second),
        dates=first.dates + second.dates,
        is_proposal=first.is_proposal or second.is_proposal,
    )


def _dated(line: AcknowledgedLine) -> tuple[LineStatus, ...]:
    best = known_date(line.dates)
    return tuple(
        replace(status, date=best[1], date_qualifier=best[0])
        if best is not None and status.date is None and status.effect in (Effect.ACCEPT, Effect.CHANGED_QUANTITY)
        else status
        for status in line.statuses
    )


def _contradicts(line: AcknowledgedLine, ours: OpenLine) -> bool:
    """Partners who number lines on their own hit a line of ours by chance: the article then tells.

    Our own number decides where it is named; without it a GTIN or vendor code that is ours is enough, and one that is
    another's contradicts. A code that only one side names says nothing.
    """
    if line.buyer_sku and ours.buyer_sku:
        return line.buyer_sku != ours.buyer_sku
    codes = (
        (_article(line.gtin), _article(ours.gtin)),
        (line.vendor_code.casefold(), ours.vendor_code.casefold()),
    )
    told = [theirs == known for theirs, known in codes if theirs and known]
    return bool(told) and not any(told)


def _article(gtin: str) -> str:
    """What the GTINs of a unit and of its cases have in common: not the level of packing, nor the check digit."""
    return gtin.zfill(14)[1:13] if gtin.isdecimal() and len(gtin) in (8, 12, 13, 14) else ""


def _same_line_number(sent: str, ours: int) -> bool:
    return sent.isdecimal() and len(sent) < 10 and int(sent) == ours
