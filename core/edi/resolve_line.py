"""Decides what the statuses of one acknowledged line do to our open quantity: accepted, backordered, rejected, held.

Pure and total: what does not add up to the open quantity becomes a mismatch for review, never a silent default.
Source of the codes' effects: EDI reference section 3.2; of the five encodings: promising reference section 10.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from core.edi.decoding import DELIVERY_DATES, SHIP_DATES, best_date
from core.edi.documents import AcknowledgedLine, Effect, LineStatus
from core.edi.guide import DEFAULT_GUIDE, PartialBackorder, PartialDate, PartnerGuide, Remainder

ACCEPT_ALL = ("AK", "AT")
# Our own wishes echoed, never an estimate of arrival.
_WISHES = ("002", "071", "077", "106", "010", "037", "038", "063", "064", "001")
_SHIPPING = (*SHIP_DATES, "011")
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
class Portion:
    """`date` is None where no date was given; `is_ship_date` says that it is a day of shipping, not of delivery."""

    quantity: int
    date: date | None
    date_qualifier: str = ""
    is_ship_date: bool = False


@dataclass(frozen=True, slots=True)
class LineOutcome:
    """`mismatch` is a sentence where the line must go to review and nothing of it may be applied.

    `added` units are asked for beyond those that are open, `price` is another one than ours, beyond the tolerance of the
    guide; an outcome that is not `answered` may still ask for one.
    """

    accepted: tuple[Portion, ...] = ()
    backordered: tuple[Portion, ...] = ()
    rejected: int = 0
    held: int = 0
    notes: tuple[str, ...] = ()
    mismatch: str | None = None
    answered: bool = True
    line_number: int | None = None
    line: AcknowledgedLine | None = None
    added: int = 0
    price: Decimal | None = None

    @property
    def accepted_quantity(self) -> int:
        return sum(portion.quantity for portion in self.accepted)

    @property
    def backordered_quantity(self) -> int:
        return sum(portion.quantity for portion in self.backordered)


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
    tally = _Tally(open_quantity, guide, statuses, known_date(line.dates) or known_date(header_dates))
    for status in statuses:
        tally.add(status)
    return tally.outcome(header_type)


class _Tally:
    """Adds up the statuses of one line."""

    def __init__(
        self,
        open_quantity: int,
        guide: PartnerGuide,
        statuses: tuple[LineStatus, ...],
        fallback: tuple[str, date] | None,
    ) -> None:
        self.open = open_quantity
        self.guide = guide
        self.count = len(statuses)
        self.named = sum(status.quantity or 0 for status in statuses)
        self.fallback = fallback
        self.accepted: list[Portion] = []
        self.backordered: list[Portion] = []
        self.rejected = 0
        self.held = 0
        self.notes: list[str] = []
        self.mismatch: str | None = None

    def add(self, status: LineStatus) -> None:
        rest = max(0, self.open - (self.named - (status.quantity or 0)))
        amount = rest if status.quantity is None else status.quantity
        if status.meaning in _REMARKS:
            self.notes.append(f"{status.code}: {_REMARKS[status.meaning]}.")
        match status.effect:
            case Effect.ACCEPT:
                self._accept(status, amount)
            case Effect.BACKORDER:
                self._backorder(status, rest)
            case Effect.PARTIAL:
                self._partial(status, rest, amount)
            case Effect.CHANGED_QUANTITY:
                self._changed(status, amount, rest)
            case Effect.REJECT:
                self.rejected += amount
            case Effect.HOLD:
                self.held += amount
            case _ if status.meaning == "SLN":
                self.mismatch = "Only sublines (SLN) of the line have a status; what becomes of it needs a decision."
            case _:
                self.mismatch = f"The line status {status.code!r} is not known for this partner."

    def _accept(self, status: LineStatus, amount: int) -> None:
        if status.meaning == "IC" and status.date is None and amount == self.open and not status.substitutes:
            self.mismatch = "The line is accepted with changes (IC), but no change was found in it."
        if status.meaning == "SP":
            self.accepted.append(Portion(amount, None))
        else:
            self.accepted.append(self._portion(amount, status, use_fallback=True))

    def _backorder(self, status: LineStatus, rest: int) -> None:
        """IB: its quantity is the backordered one, unless it is empty, zero, or the guide says it repeats the order."""
        amount = status.quantity or rest
        if self.guide.ib_quantity_is_ordered and self.count > 1:
            amount = rest
        self.backordered.append(self._portion(amount, status))
        alone = self.guide.partial_backorder_encoding is PartialBackorder.BACKORDER_ALONE
        if alone and self.count == 1 and amount < self.open:
            self.accepted.append(dated(self.open - amount, self.fallback))

    def _partial(self, status: LineStatus, rest: int, amount: int) -> None:
        """BP: by the guide its quantity is the accepted part or the backordered balance."""
        if status.quantity is None:
            self.mismatch = "A line shipped in part (BP) names no quantity."
            return
        encoding = self.guide.partial_backorder_encoding
        if encoding is PartialBackorder.PARTIAL_WITH_BACKORDERED and self.count == 1:
            part, balance = rest - amount, amount
        else:
            part, balance = amount, rest - amount
        if part < 0 or balance < 0:
            self.mismatch = f"BP names {amount}, more than the {rest} that are open."
            return
        of_balance = self.guide.partial_date is PartialDate.BALANCE
        if part:
            self.accepted.append(dated(part, self.fallback) if of_balance else self._portion(part, status, True))
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
            return dated(amount, self.fallback if use_fallback else None)
        return dated(amount, (status.date_qualifier, status.date))

    def outcome(self, header_type: str) -> LineOutcome:
        accepted = tuple(portion for portion in self.accepted if portion.quantity)
        backordered = tuple(portion for portion in self.backordered if portion.quantity)
        total = sum(portion.quantity for portion in accepted + backordered) + self.rejected + self.held
        mismatch = self.mismatch
        excess = total - self.open
        beyond = abs(excess) > self.guide.quantity_tolerance or excess > sum(portion.quantity for portion in accepted)
        if mismatch is None and beyond:
            mismatch = f"The statuses add up to {total}; {self.open} are open."
        notes = list(self.notes)
        if mismatch is None and total > self.open:
            accepted = _cut(accepted, total - self.open)
            notes.append(f"The statuses add up to {total}, within the tolerance; {self.open} are open and counted.")
        if header_type in ACCEPT_ALL and (backordered or self.rejected or self.held):
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
    if header_type in (*ACCEPT_ALL, "AD") and line.ordered in (None, open_quantity):
        return LineOutcome((dated(open_quantity, known_date(line.dates) or known_date(header_dates)),))
    return LineOutcome(mismatch=f"The line has no status and the header {header_type!r} does not settle it.")


def other_price(theirs: Decimal | None, ours: Decimal | None, guide: PartnerGuide) -> Decimal | None:
    """Their price where it is not ours, by more than the guide's tolerance; None also where one of them is not named.

    It has the places of ours, the minor units of the currency: the price of a case seldom is a whole one of a unit.
    """
    if theirs is None or ours is None:
        return None
    places = -int(ours.as_tuple().exponent)
    theirs = theirs.scaleb(places).to_integral_value(ROUND_HALF_UP).scaleb(-places)
    return theirs if theirs > 0 and abs(theirs - ours) * 100 > ours * guide.price_tolerance_percent else None


def dated(quantity: int, known: tuple[str, date] | None) -> Portion:
    """A portion with a (qualifier, day), or without a day."""
    if known is None:
        return Portion(quantity, None)
    qualifier, on = known
    return Portion(quantity, on, qualifier, qualifier in _SHIPPING)


def known_date(known: tuple[tuple[str, date], ...]) -> tuple[str, date] | None:
    """The best (qualifier, day) of a header or line: delivery before shipping."""
    return best_date(known, DELIVERY_DATES + SHIP_DATES)


def _cut(portions: tuple[Portion, ...], excess: int) -> tuple[Portion, ...]:
    """The portions less `excess`, taken from the last ones first."""
    kept: list[Portion] = []
    for portion in reversed(portions):
        taken = min(excess, portion.quantity)
        excess -= taken
        if portion.quantity > taken:
            kept.append(replace(portion, quantity=portion.quantity - taken))
    return tuple(reversed(kept))
