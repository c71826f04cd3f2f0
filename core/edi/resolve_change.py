"""What a change that a supplier asks for (865) would do to a line of ours: by its statuses, else by its kind (POC02)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

from core.edi.change_documents import ChangedLine
from core.edi.documents import AcknowledgedLine, Effect, LineStatus
from core.edi.guide import PartnerGuide
from core.edi.resolve_line import LineOutcome, dated, known_date, other_price, resolve_line

UNCHANGED = ("NC", "OC")
ADDITIONAL = "AI"
_DELETED = ("DI", "RC")
_PRICE = ("PC", "PQ", "PR")
_DATES = (*_PRICE, "CT", "RS", "CA", "CB", "CC", "QD", "QI", "RQ", "RE", "RZ", "MU")


def resolve_change(
    open_quantity: int,
    standing: int,
    line: AcknowledgedLine,
    change: ChangedLine,
    guide: PartnerGuide,
    header_dates: Sequence[tuple[str, date]] = (),
    our_price: Decimal | None = None,
) -> LineOutcome:
    """`open_quantity` is not shipped yet, `standing` is all that is ordered and neither cancelled nor refused.

    Units beyond what is open are `added`, another price than ours is kept beside them. Fewer than have left, a price
    change without a price, a rise that is none, or a change without a known kind is a mismatch: a person has to see it.
    """
    if change.change == ADDITIONAL:
        return _additional(open_quantity, line, change, guide, tuple(header_dates), our_price)
    if change.change in _PRICE and change.price is None:
        return LineOutcome(
            mismatch=f"Line {change.line_number} is to have another price ({change.change}); none that we can use is named."
        )
    if not line.statuses and change.change in _DELETED:
        return LineOutcome(rejected=open_quantity)
    if not line.statuses and change.change not in _DATES:
        return LineOutcome(mismatch=f"The change {change.change!r} of line {change.line_number} needs a decision.")
    left = _left(open_quantity, standing, change)
    if left < 0 or (change.change == "QI" and left < open_quantity) or (change.change == "QD" and left > open_quantity):
        text = f"The supplier asks for {left} open units of line {change.line_number}; {open_quantity} are."
        return LineOutcome(mismatch=text)
    price = other_price(change.price, our_price, guide)
    if change.change == "PC" and left == open_quantity and not line.statuses:
        note = () if price is not None else (f"The price of line {change.line_number} is within the tolerance.",)
        return LineOutcome(answered=False, price=price, notes=note)
    return replace(_units(open_quantity, left, line, guide, tuple(header_dates)), price=price)


def _additional(
    open_quantity: int,
    line: AcknowledgedLine,
    change: ChangedLine,
    guide: PartnerGuide,
    dates: tuple[tuple[str, date], ...],
    our_price: Decimal | None,
) -> LineOutcome:
    """More units of an article that the order has: they come on top of those that are open, which keep their days and
    their price: at another price beyond the tolerance a person has to see it."""
    more = change.quantity if change.quantity is not None else change.left_to_receive
    if not more:
        return LineOutcome(mismatch=f"The additional line {change.line_number} names no quantity.")
    price = other_price(change.price, our_price, guide)
    if price is not None:
        text = f"The additional line {change.line_number} costs {price:f}, the line that has its article {our_price:f}."
        return LineOutcome(mismatch=f"{text} One line has one price: agree on one, or order the units anew.")
    on = next((x for x in line.statuses if x.date is not None), None)
    known = (on.date_qualifier, on.date) if on is not None and on.date is not None else None
    portion = dated(more, known or known_date(line.dates) or known_date(dates))
    kept = (dated(open_quantity, None),) if open_quantity else ()
    return LineOutcome((*kept, portion), added=more)


def _left(open_quantity: int, standing: int, change: ChangedLine) -> int:
    """Units that are to be open after the change."""
    if change.left_to_receive is not None and change.left_to_receive <= open_quantity:
        return change.left_to_receive
    if change.quantity is not None:
        return open_quantity - (standing - change.quantity)
    return open_quantity if change.left_to_receive is None else change.left_to_receive


def _units(
    open_quantity: int, left: int, line: AcknowledgedLine, guide: PartnerGuide, dates: tuple[tuple[str, date], ...]
) -> LineOutcome:
    if line.statuses:
        found = resolve_line(open_quantity, line, guide, "AC", dates)
        if found.mismatch is None or left == open_quantity:
            return found
        found = resolve_line(left, line, guide, "AC", dates)
    else:
        found = LineOutcome((dated(left, known_date(line.dates) or known_date(dates)),) if left else ())
    return replace(found, rejected=found.rejected + max(0, open_quantity - left), added=max(0, left - open_quantity))


def with_line(outcome: LineOutcome, number: int, line: AcknowledgedLine | None) -> LineOutcome:
    """The outcome of our line `number`, and what the supplier said of it."""
    return replace(outcome, line_number=number, line=line)


def is_refusal(line: AcknowledgedLine) -> bool:
    """Does the supplier refuse what we asked for in this line."""
    return any(status.effect is Effect.REJECT and not _is_deletion(status) for status in line.statuses)


def _is_deletion(status: LineStatus) -> bool:
    """ID confirms a deletion that we asked for."""
    return status.meaning == "ID"
