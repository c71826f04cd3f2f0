"""Proposes how a partner writes the numbers of our orders: as we do, with a release behind them, padded, or as digits alone."""

from __future__ import annotations

import re
from collections import Counter

from core.edi.guide import OrderNumber, PartnerGuide
from core.edi.learn_evidence import Evidence
from core.edi.learn_proposal import Proposal
from core.edi.order_numbers import our_number

_OURS = re.compile(r"(0*)(PO\d{8})(\W?)(.*)")


def decide_order_number(proposal: Proposal, evidence: Evidence) -> None:
    """By our orders among the files, else by numbers in the form of ours; what neither explains is left to a person."""
    named = {x.po_number for x in (*evidence.answered, *evidence.shipments.lines()) if x.po_number}
    foreign = sorted(named - set(evidence.ordered))
    if not foreign:
        return
    styles: Counter[OrderNumber] = Counter()
    marks: set[str] = set()
    unknown: list[str] = []
    for number in foreign:
        found = _by_order(number, evidence) or _by_form(number)
        if found is None:
            unknown += [number] if evidence.ordered or number.isdecimal() else []
            continue
        styles[found[0]] += 1
        marks.update(found[1])
    if unknown and len(unknown) == len(foreign) and named & set(evidence.ordered):
        return  # orders that are not among the files, beside others that are
    if unknown:
        few = ", ".join(unknown[:3])
        why = (
            "Numbers that are none of our orders among the files"
            if evidence.ordered
            else "Digits, maybe of our numbers"
        )
        proposal.undecided["order_number"] = f"{why}: {few}."
        return
    styles.pop(OrderNumber.AS_SENT, None)
    if len(styles) > 1:
        proposal.undecided["order_number"] = "Numbers of our orders are written in several ways."
        return
    guide = PartnerGuide(
        order_number=next(iter(styles), OrderNumber.AS_SENT), order_suffix_marks="".join(sorted(marks))
    )
    if (
        any(our_number(number, guide) != number for number in evidence.ordered)
        and guide.order_number is not OrderNumber.DIGITS
    ):
        proposal.undecided["order_number"] = "What the partner puts behind our numbers also occurs inside of them."
        return
    example = f"{foreign[0]} is our {our_number(foreign[0], guide)}."
    if guide.order_number is not OrderNumber.AS_SENT:
        proposal.settle("order_number", guide.order_number, example)
    if marks:
        proposal.settle("order_suffix_marks", guide.order_suffix_marks, example)


def _by_order(number: str, evidence: Evidence) -> tuple[OrderNumber, str] | None:
    """The rule that makes it the number of an order among the files."""
    for mark in ("", *dict.fromkeys(x for x in number[1:] if not x.isalnum() and not x.isspace())):
        for style in OrderNumber:
            if our_number(number, PartnerGuide(order_number=style, order_suffix_marks=mark)) in evidence.ordered:
                return style, mark
    return None


def _by_form(number: str) -> tuple[OrderNumber, str] | None:
    """The rule that makes it a number in the form of ours."""
    found = _OURS.fullmatch(number)
    if found is None or (found[4] and (not found[3] or found[3].isspace())):
        return None
    return OrderNumber.PADDED if found[1] else OrderNumber.AS_SENT, found[3]
