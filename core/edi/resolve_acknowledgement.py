"""Decides what an acknowledgement does to each open order line: accepted, backordered, rejected and held quantities.

Pure and total: what does not add up to the open quantity becomes a mismatch for review, never a silent default.
Source of the codes' effects: EDI reference section 3.2; of the five encodings: promising reference section 10.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from core.edi.decoding import DELIVERY_DATES, SHIP_DATES, best_date
from core.edi.documents import AcknowledgedLine, Acknowledgement, Effect, LineStatus
from core.edi.guide import DEFAULT_GUIDE, LineKey, PartialBackorder, PartialDate, PartnerGuide, Remainder

# Our own wishes echoed, never an estimate of arrival.
_WISHES = ("002", "071", "077", "106", "010", "037", "038", "063", "064", "001")
_ACCEPT_ALL = ("AK", "AT")
_ACCEPT_UNLISTED = ("AK", "AT", "AE")
_REMARKS = {
    "AC": "accepted and shipped: a ship notice is due",
    "AR": "released for shipment: a ship notice is due",
    "AA": "forwarded to another location of the supplier: check the lead time",
    "DR": "rescheduled by the supplier",
    "IP": "price changed",
    "IE": "price pending",
    "IC": "accepted with changes",
    "SP": "accepted, schedule pending: chase the date",
    "IS": "substitution proposed",
    "IF": "on hold: incomplete description",
    "IH": "on hold",
    "IW": "on hold: waiver required",
    "ID": "deleted by the supplier",
    "R2": "item number refused: check the master data",
    "R3": "unit of measure refused: check the master data",
}


@dataclass(frozen=True, slots=True)
class OpenLine:
    """A line of ours as it stands, with the quantity in base units that this supplier may still answer for."""

    line_number: int
    open_quantity: int
    buyer_sku: str = ""
    vendor_code: str = ""
    gtin: str = ""


@dataclass(frozen=True, slots=True)
class Portion:
    """`date` is None where no date was given; `is_ship_date` says that it is a day of shipping, not of delivery."""

    quantity: int
    date: date | None
    date_qualifier: str = ""
    is_ship_date: bool = False


@dataclass(frozen=True, slots=True)
class LineOutcome:
    """`mismatch` is a sentence where the line must go to review and nothing of it may be applied."""

    accepted: tuple[Portion, ...] = ()
    backordered: tuple[Portion, ...] = ()
    rejected: int = 0
    held: int = 0
    notes: tuple[str, ...] = ()
    mismatch: str | None = None
    answered: bool = True
    line_number: int | None = None
    line: AcknowledgedLine | None = None

    @property
    def accepted_quantity(self) -> int:
        return sum(portion.quantity for portion in self.accepted)

    @property
    def backordered_quantity(self) -> int:
        return sum(portion.quantity for portion in self.backordered)


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
            outcome = _unlisted(ours.open_quantity, acknowledgement, guide)
        else:
            outcome = resolve_line(ours.open_quantity, line, guide, acknowledgement.header_type, acknowledgement.dates)
        outcomes.append(_of_line(outcome, ours.line_number, line))
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


def resolve_line(
    open_quantity: int,
    line: AcknowledgedLine,
    guide: PartnerGuide = DEFAULT_GUIDE,
    header_type: str = "AD",
    header_dates: tuple[tuple[str, date], ...] = (),
) -> LineOutcome:
    """What one listed line does to `open_quantity` base units of ours."""
    statuses = line.statuses
    if not statuses:
        return _without_status(open_quantity, line, header_type, header_dates)
    fallback = best_date(line.dates, DELIVERY_DATES + SHIP_DATES) or best_date(
        header_dates, DELIVERY_DATES + SHIP_DATES
    )
    tally = _Tally(open_quantity, guide, fallback)
    for status in statuses:
        tally.add(status, statuses)
    return tally.outcome(header_type)


class _Tally:
    """Adds up the statuses of one line."""

    def __init__(self, open_quantity: int, guide: PartnerGuide, fallback: tuple[str, date] | None) -> None:
        self.open = open_quantity
        self.guide = guide
        self.fallback = fallback
        self.accepted: list[Portion] = []
        self.backordered: list[Portion] = []
        self.rejected = 0
        self.held = 0
        self.notes: list[str] = []
        self.mismatch: str | None = None

    def add(self, status: LineStatus, statuses: tuple[LineStatus, ...]) -> None:
        others = sum(other.quantity or 0 for other in statuses if other is not status)
        rest = max(0, self.open - others)
        amount = rest if status.quantity is None else status.quantity
        if status.meaning in _REMARKS:
            self.notes.append(f"{status.code}: {_REMARKS[status.meaning]}.")
        match status.effect:
            case Effect.ACCEPT:
                self._accept(status, amount)
            case Effect.BACKORDER:
                self._backorder(status, statuses, others)
            case Effect.PARTIAL:
                self._partial(status, rest, amount, len(statuses) > 1)
            case Effect.CHANGED_QUANTITY:
                self._changed(status, amount, rest)
            case Effect.REJECT:
                self.rejected += amount
            case Effect.HOLD:
                self.held += amount
            case _:
                self.mismatch = f"The line status {status.code!r} is not known for this partner."

    def _accept(self, status: LineStatus, amount: int) -> None:
        if status.meaning == "IC" and status.date is None and amount == self.open and not status.substitutes:
            self.mismatch = "The line is accepted with changes (IC), but no change was found in it."
        if status.meaning == "SP":
            self.accepted.append(Portion(amount, None))
        else:
            self.accepted.append(self._portion(amount, status, use_fallback=True))

    def _backorder(self, status: LineStatus, statuses: tuple[LineStatus, ...], others: int) -> None:
        """IB: its quantity is the backordered one, unless it is empty, zero, or the guide says it repeats the order."""
        rest = max(0, self.open - others)
        amount = status.quantity or rest
        if self.guide.ib_quantity_is_ordered and len(statuses) > 1:
            amount = rest
        self.backordered.append(self._portion(amount, status))
        alone = self.guide.partial_backorder_encoding is PartialBackorder.BACKORDER_ALONE
        if alone and len(statuses) == 1 and amount < self.open:
            self.accepted.append(Portion(self.open - amount, *self._fallback()))

    def _partial(self, status: LineStatus, rest: int, amount: int, has_others: bool) -> None:
        """BP: by the guide its quantity is the accepted part or the backordered balance."""
        if status.quantity is None:
            self.mismatch = "A line shipped in part (BP) names no quantity."
            return
        encoding = self.guide.partial_backorder_encoding
        if encoding is PartialBackorder.PARTIAL_WITH_BACKORDERED and not has_others:
            part, balance = rest - amount, amount
        else:
            part, balance = amount, rest - amount
        if part < 0 or balance < 0:
            self.mismatch = f"BP names {amount}, more than the {rest} that are open."
            return
        of_balance = self.guide.partial_date is PartialDate.BALANCE
        if part:
            self.accepted.append(Portion(part, *self._fallback()) if of_balance else self._portion(part, status, True))
        if balance:
            self.backordered.append(self._portion(balance, status) if of_balance else Portion(balance, None))

    def _changed(self, status: LineStatus, amount: int, rest: int) -> None:
        """IQ: the quantity replaces ours; the guide says what becomes of the remainder."""
        self.accepted.append(self._portion(amount, status, use_fallback=True))
        left = rest - amount
        if left <= 0:
            return
        if self.guide.iq_policy is Remainder.CANCEL:
            self.rejected += left
            self.notes.append(f"{status.code}: the supplier cut the quantity; {left} are closed short.")
        elif self.guide.iq_policy is Remainder.BACKORDER:
            self.backordered.append(Portion(left, None))
        else:
            self.mismatch = f"The supplier changed the quantity to {amount}; what becomes of {left} needs a decision."

    def _portion(self, amount: int, status: LineStatus, use_fallback: bool = False) -> Portion:
        if status.date is None or status.date_qualifier in _WISHES:
            return Portion(amount, *self._fallback()) if use_fallback else Portion(amount, None, status.date_qualifier)
        return Portion(amount, status.date, status.date_qualifier, status.date_qualifier in SHIP_DATES)

    def _fallback(self) -> tuple[date | None, str, bool]:
        if self.fallback is None:
            return None, "", False
        qualifier, on = self.fallback
        return on, qualifier, qualifier in SHIP_DATES

    def outcome(self, header_type: str) -> LineOutcome:
        accepted = tuple(portion for portion in self.accepted if portion.quantity)
        backordered = tuple(portion for portion in self.backordered if portion.quantity)
        total = sum(portion.quantity for portion in accepted + backordered) + self.rejected + self.held
        mismatch = self.mismatch
        if mismatch is None and abs(total - self.open) > self.guide.quantity_tolerance:
            mismatch = f"The statuses add up to {total}; {self.open} are open."
        notes = list(self.notes)
        if header_type in _ACCEPT_ALL and (backordered or self.rejected or self.held):
            notes.append(f"The header says {header_type} (accepted), the line does not: the line holds.")
        if header_type in ("RJ", "RD") and accepted:
            notes.append(f"The header says {header_type} (rejected), the line does not: the line holds.")
        return LineOutcome(accepted, backordered, self.rejected, self.held, tuple(notes), mismatch)


def _without_status(
    open_quantity: int, line: AcknowledgedLine, header_type: str, header_dates: tuple[tuple[str, date], ...]
) -> LineOutcome:
    """A listed line without an ACK: it means what the header means, if the quantity is ours."""
    if header_type in ("RD", "RJ"):
        return LineOutcome(rejected=open_quantity)
    if header_type == "AH":
        return LineOutcome(held=open_quantity)
    if header_type in (*_ACCEPT_ALL, "AD") and line.ordered in (None, open_quantity):
        best = best_date(line.dates, DELIVERY_DATES + SHIP_DATES) or best_date(
            header_dates, DELIVERY_DATES + SHIP_DATES
        )
        portion = (
            Portion(open_quantity, None)
            if best is None
            else Portion(open_quantity, best[1], best[0], best[0] in SHIP_DATES)
        )
        return LineOutcome((portion,))
    return LineOutcome(mismatch=f"The line has no status and the header {header_type!r} does not settle it.")


def _unlisted(open_quantity: int, acknowledgement: Acknowledgement, guide: PartnerGuide) -> LineOutcome:
    """A line of ours that the document does not list: silence is acceptance only under AK, AT and AE."""
    header = acknowledgement.header_type
    if header in _ACCEPT_UNLISTED:
        best = best_date(acknowledgement.dates, DELIVERY_DATES + SHIP_DATES)
        portion = (
            Portion(open_quantity, None)
            if best is None
            else Portion(open_quantity, best[1], best[0], best[0] in SHIP_DATES)
        )
        return LineOutcome((portion,) if open_quantity else ())
    if header == "RJ":
        return LineOutcome(rejected=open_quantity)
    if header == "AH":
        return LineOutcome(held=open_quantity)
    return LineOutcome(answered=False, notes=("The acknowledgement does not list this line.",))


def _joined(first: AcknowledgedLine, second: AcknowledgedLine) -> AcknowledgedLine:
    """Two PO1 loops for one of our lines: their statuses count together."""
    return AcknowledgedLine(
        first.line_key,
        first.po_line_number,
        first.buyer_sku,
        first.vendor_code,
        first.gtin,
        first.ordered,
        first.unit,
        first.statuses + second.statuses,
        first.dates + second.dates,
        first.segment_number,
    )


def _of_line(outcome: LineOutcome, line_number: int, line: AcknowledgedLine | None) -> LineOutcome:
    return LineOutcome(
        outcome.accepted,
        outcome.backordered,
        outcome.rejected,
        outcome.held,
        outcome.notes,
        outcome.mismatch,
        outcome.answered,
        line_number,
        line,
    )


def _contradicts(line: AcknowledgedLine, ours: OpenLine) -> bool:
    """Partners who number lines on their own hit a line of ours by chance: the item then tells."""
    return bool(line.buyer_sku and ours.buyer_sku and line.buyer_sku != ours.buyer_sku)


def _same_line_number(sent: str, ours: int) -> bool:
    return sent.isdecimal() and len(sent) < 10 and int(sent) == ours
