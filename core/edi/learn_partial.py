"""Proposes how a partner says "6 now, 4 later", and what becomes of the rest where it changes a quantity; ship notices tell."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from core.edi.documents import LineStatus
from core.edi.guide import PartialBackorder, PartialDate, Remainder
from core.edi.learn_evidence import Evidence
from core.edi.learn_lines import AnsweredLine, Shipment, ours_of
from core.edi.learn_proposal import Proposal

_BP_ALONE = (PartialBackorder.PARTIAL_WITH_ACCEPTED, PartialBackorder.PARTIAL_WITH_BACKORDERED)


@dataclass(slots=True)
class _Split:
    """How the answers' lines are split; `unclear` lines have one BP that nothing tells the meaning of."""

    encodings: Counter[PartialBackorder] = field(default_factory=Counter)
    dates: Counter[PartialDate] = field(default_factory=Counter)
    unclear: int = 0
    dated: int = 0
    repeats_ordered: int = 0


def decide_partial_backorder(proposal: Proposal, evidence: Evidence) -> None:
    """Which of the five ways of saying "6 now, 4 later" the answers use; BP alone needs a ship notice to be told."""
    split = _Split()
    for answered in evidence.answered:
        _look_at(split, answered, ordered_of(answered, evidence), evidence.shipments.of(answered))
    setting = "partial_backorder_encoding"
    alone = [encoding for encoding in split.encodings if encoding in _BP_ALONE]
    shown = ", ".join(f"{encoding.value} {count}" for encoding, count in split.encodings.most_common())
    if len(split.encodings) == 1:
        ((encoding, count),) = split.encodings.items()
        proposal.settle(setting, encoding, f"{count} lines are split in this way, none in another.")
    elif len(alone) == 1 and PartialBackorder.BACKORDER_ALONE not in split.encodings:
        why = f"It says what a BP alone means; a line with a status for each part is read under any ({shown})."
        proposal.settle(setting, alone[0], why)
    elif split.encodings:
        proposal.undecided[setting] = f"Lines are split in several ways: {shown}."
    else:
        proposal.undecided[setting] = "No line that is split into a part now and a part later could be told."
    if split.unclear and not alone:
        proposal.undecided[setting] = (
            f"{split.unclear} lines have one BP: its quantity is the accepted part or the backordered rest; "
            "a ship notice of such a line would tell."
        )
    if split.repeats_ordered:
        why = f"{split.repeats_ordered} IB repeat the ordered quantity beside an accepted part."
        proposal.settle("ib_quantity_is_ordered", True, why)
    if len(split.dates) == 1:
        ((whose, count),) = split.dates.items()
        proposal.settle("partial_date", whose, f"{count} BP have the day on which a ship notice announces that part.")
    elif split.dated:
        proposal.undecided["partial_date"] = f"{split.dated} BP have a date: that of the part or of the rest."


def ordered_of(answered: AnsweredLine, evidence: Evidence) -> int | None:
    """Units that we ordered: as the answer repeats them, else as our order among the files has them."""
    if answered.line.ordered is not None:
        return answered.line.ordered
    ours = ours_of(answered, evidence.ordered.get(answered.po_number, ()))
    return ours.quantity if ours is not None else None


def _look_at(split: _Split, answered: AnsweredLine, ordered: int | None, sent: list[Shipment]) -> None:
    statuses = answered.line.statuses
    codes = [status.meaning for status in statuses]
    amounts = {status.meaning: status.quantity for status in statuses}
    for status in statuses:
        if status.meaning == "BP" and status.date is not None:
            split.dated += 1
            if (whose := _whose_date(status, sent)) is not None:
                split.dates[whose] += 1
    if codes == ["BP"]:
        encoding = _of_bp(amounts["BP"], ordered, sent[0].quantity if sent else None)
        if encoding is None:
            split.unclear += 1
        else:
            split.encodings[encoding] += 1
    elif "BP" in codes and "IB" in codes:
        split.encodings[PartialBackorder.PARTIAL_AND_BACKORDER] += 1
    elif "IB" in codes and len(codes) > 1:
        split.encodings[PartialBackorder.ACCEPT_AND_BACKORDER] += 1
        total = sum(status.quantity or 0 for status in statuses)
        split.repeats_ordered += ordered is not None and total > ordered and amounts["IB"] == ordered
    elif codes == ["IB"] and ordered is not None and 0 < (amounts["IB"] or 0) < ordered:
        split.encodings[PartialBackorder.BACKORDER_ALONE] += 1


def _of_bp(amount: int | None, ordered: int | None, first: int | None) -> PartialBackorder | None:
    """By what left first: 6 of 10 after a BP 6 was the part that it accepts, after a BP 4 it was not."""
    if amount is None or ordered is None or first is None or 2 * amount == ordered:
        return None
    if first == amount:
        return PartialBackorder.PARTIAL_WITH_ACCEPTED
    if first == ordered - amount:
        return PartialBackorder.PARTIAL_WITH_BACKORDERED
    return None


def _whose_date(status: LineStatus, sent: list[Shipment]) -> PartialDate | None:
    days = [shipment.expected for shipment in sent]
    if not days or status.date not in days or len(set(days)) < len(days):
        return None
    return PartialDate.PART if days[0] == status.date else PartialDate.BALANCE


def decide_remainder(proposal: Proposal, evidence: Evidence) -> None:
    """IQ: what left beyond the changed quantity was not cancelled; that nothing more left tells nothing."""
    cut = followed = 0
    for answered in evidence.answered:
        for status in answered.line.statuses:
            if status.meaning == "IQ":
                cut += 1
                gone = sum(shipment.quantity for shipment in evidence.shipments.of(answered))
                followed += status.quantity is not None and gone > status.quantity
    if followed:
        why = f"Of {followed} lines with a changed quantity (IQ) more left than that: the rest follows."
        proposal.settle("iq_policy", Remainder.BACKORDER, why)
    elif cut:
        proposal.undecided["iq_policy"] = (
            f"{cut} lines have a changed quantity; whether the rest still comes is not said."
        )
