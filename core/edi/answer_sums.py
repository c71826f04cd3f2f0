"""Whether what an answer says of a line, and of an order without lines, can be meant: noted, for the order itself decides."""

from __future__ import annotations

from core.edi.decoding import Notes
from core.edi.documents import Acknowledgement, Effect, LineStatus
from core.edi.guide import PartnerGuide
from core.edi.interchanges import Segment

_SETTLED = (Effect.ACCEPT, Effect.REJECT, Effect.HOLD)
# Header types, and functions of a BGM, under which it means something that no line is listed.
_WITHOUT_LINES = ("AK", "AT", "AE", "AH", "RJ", "12")


def note_line_sum(
    statuses: tuple[LineStatus, ...], ordered: int | None, guide: PartnerGuide, notes: Notes, opening: Segment
) -> None:
    """Statuses that add up to more than their line orders; to less, where none of them says what becomes of the rest.

    All in the units of the line. Where the guide says that a backorder repeats the ordered quantity it may.
    """
    known = [status for status in statuses if status.quantity is not None]
    named = sum(status.quantity or 0 for status in known)
    if ordered is None or not known:
        return
    repeats = guide.ib_quantity_is_ordered and any(status.effect is Effect.BACKORDER for status in known)
    is_short = (
        named < ordered
        and len(known) == len(statuses)
        and all(status.effect in _SETTLED and status.meaning != "IC" for status in statuses)
    )
    if is_short or (named > ordered and not repeats):
        where = next((s for s in notes.segments if s.number == known[-1].segment_number), opening)
        element = 2 if where.tag == "ACK" else 1 if where.tag == "QTY" else None
        text = f"The statuses of the line add up to {named}; {ordered} are ordered"
        notes.warning("quantity_sum", text, where, element, 2 if where.tag == "QTY" else 1)


def note_no_lines(answer: Acknowledgement, notes: Notes, opening: Segment, element: int) -> None:
    """An answer without lines whose header settles none: it answers nothing."""
    if not answer.lines and answer.header_type not in _WITHOUT_LINES:
        text = f"The answer lists no line, and its header type {opening.value(element)!r} does not settle the order"
        notes.warning("no_lines", text, opening, element)
