"""What a change that a supplier asks for (865) would do to a line of ours: by its statuses, else by its kind (POC02)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from core.edi.change_documents import ChangedLine
from core.edi.documents import AcknowledgedLine, Effect, LineStatus
from core.edi.guide import PartnerGuide
from core.edi.resolve_line import LineOutcome, dated, known_date, resolve_line

UNCHANGED = ("NC", "OC")
_DELETED = ("DI", "RC")
_PRICE = ("PC", "PQ", "PR")
_DATES = ("CT", "RS", "CA", "CB", "CC", "QD", "RQ", "RE", "RZ", "MU")


def resolve_change(
    open_quantity: int,
    standing: int,
    line: AcknowledgedLine,
    change: ChangedLine,
    guide: PartnerGuide,
    header_dates: Sequence[tuple[str, date]] = (),
) -> LineOutcome:
    """`open_quantity` is not shipped yet, `standing` is all that is ordered and neither cancelled nor refused.

    More units than stand, another price or a change without a known kind is a mismatch: a person has to see it.
    """
    dates = tuple(header_dates)
    if change.change in _PRICE:
        return LineOutcome(
            mismatch=f"The supplier asks for another price ({change.change}) of line {change.line_number}."
        )
    if line.statuses:
        return resolve_line(open_quantity, line, guide, "AC", dates)
    if change.change in _DELETED:
        return LineOutcome(rejected=open_quantity)
    if change.change not in _DATES:
        return LineOutcome(mismatch=f"The change {change.change!r} of line {change.line_number} needs a decision.")
    left = open_quantity
    if change.left_to_receive is not None:
        left = change.left_to_receive
    elif change.quantity is not None:
        left = open_quantity - (standing - change.quantity)
    if not 0 <= left <= open_quantity:
        return LineOutcome(
            mismatch=f"The supplier asks for {left} open units of line {change.line_number}; {open_quantity} are."
        )
    accepted = (dated(left, known_date(line.dates) or known_date(dates)),) if left else ()
    return LineOutcome(accepted, rejected=open_quantity - left)


def with_line(outcome: LineOutcome, number: int, line: AcknowledgedLine | None) -> LineOutcome:
    """The outcome of our line `number`, and what the supplier said of it."""
    return replace(outcome, line_number=number, line=line)


def is_refusal(line: AcknowledgedLine) -> bool:
    """Does the supplier refuse what we asked for in this line."""
    return any(status.effect is Effect.REJECT and not _is_deletion(status) for status in line.statuses)


def _is_deletion(status: LineStatus) -> bool:
    """ID confirms a deletion that we asked for."""
    return status.meaning == "ID"
