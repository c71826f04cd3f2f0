"""Proposes a partner's profile from sample files, with the evidence of each setting, and says what it cannot decide."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise
from typing import Any

from core.edi.decode_855 import EFFECTS
from core.edi.decode_860 import CHANGES
from core.edi.guide import LineKey, PartialBackorder, PartnerGuide, Standard
from core.edi.judge_file import judge_file
from core.edi.learn_evidence import AnsweredLine, Evidence, gather
from core.edi.learn_formats import decide_directory, decide_stock_report, decide_units
from core.edi.learn_proposal import Proposal

_HEADERS = frozenset({"AK", "AT", "AD", "AC", "AE", "AH", "RD", "RJ"})
_EDIFACT_HEADERS = frozenset({"", "1", "4", "5", "7", "9", "12", "27", "28", "29", "30", "31", "34", "3", "6"})
_EDIFACT_ACTIONS = frozenset({"", "1", "2", "3", "4", "5", "6", "7", "10", "24"})


def learn(files: list[tuple[str, bytes]]) -> dict[str, Any]:
    """The proposal as JSON values: `partner`, `guide` (as a partner guide is stored), `evidence`, `undecided`, `seen`.

    `partner` is None where no file holds a document of a partner. It never raises for what the files hold.
    """
    evidence = gather(files)
    proposal = Proposal()
    _decide_line_key(proposal, evidence)
    _decide_partial_backorder(proposal, evidence)
    _decide_remainder(proposal, evidence)
    _decide_codes(proposal, evidence)
    decide_units(proposal, evidence)
    decide_directory(proposal, evidence)
    decide_stock_report(proposal, evidence)
    _decide_strictness(proposal, evidence)
    _decide_duplicates(proposal, evidence)
    proposal.undecided.setdefault("deadlines", "Files do not say how soon answers are due; the defaults stand.")
    partner = _partner(proposal, evidence)
    if partner is not None and partner["standard"] == Standard.EDIFACT:
        proposal.guide = replace(proposal.guide, standard=Standard.EDIFACT)
    tried = _tried(files, proposal.guide)
    return {
        "partner": partner,
        "guide": proposal.guide.to_json(),
        "evidence": proposal.evidence,
        "undecided": [{"setting": name, "why": why} for name, why in proposal.undecided.items()],
        "seen": _seen(evidence),
        "tried": tried,
    }


def _partner(proposal: Proposal, evidence: Evidence) -> dict[str, Any] | None:
    if not evidence.partners:
        return None
    (partner, count), *others = evidence.partners.most_common()
    if others:
        names = ", ".join(sorted(f"{other.qualifier}/{other.interchange_id}".strip("/") for other, _ in others))
        proposal.undecided["partner"] = (
            f"The files come from several senders; {count} from this one, others from {names}."
        )
    groups = evidence.group_ids[partner].most_common(1)
    return {
        "standard": partner.standard,
        "qualifier": partner.qualifier,
        "interchangeId": partner.interchange_id,
        "ourQualifier": partner.our_qualifier,
        "ourInterchangeId": partner.our_interchange_id,
        "groupId": groups[0][0][0] if groups else "",
        "ourGroupId": groups[0][0][1] if groups else "",
    }


def _decide_line_key(proposal: Proposal, evidence: Evidence) -> None:
    """The number of our line where it is one; the item where lines are numbered in the partner's own way or not at all."""
    lines = evidence.answered
    if not lines:
        proposal.undecided["line_key"] = "No answer to an order (855, 865, ORDRSP) is among the files."
        return
    values = {
        LineKey.PO_LINE_NUMBER: lambda x: x.line.po_line_number,
        LineKey.BUYER_SKU: lambda x: x.line.buyer_sku,
        LineKey.GTIN: lambda x: x.line.gtin,
        LineKey.VENDOR_CODE: lambda x: x.line.vendor_code,
    }
    total = len(lines)
    known = [x for x in lines if any(order == x.po_number for order, _ in evidence.ordered)]
    hits = sum((x.po_number, x.line.po_line_number.lstrip("0")) in evidence.ordered for x in known)
    if known and hits == len(known):
        why = f"All {hits} answered lines whose orders are among the files name their line number."
        proposal.settle("line_key", LineKey.PO_LINE_NUMBER, why)
        return
    numbered = sum(x.line.po_line_number.isdecimal() and 0 < len(x.line.po_line_number) <= 6 for x in lines)
    if not known and numbered == total and _is_unique(lines, values[LineKey.PO_LINE_NUMBER]):
        why = f"All {total} answered lines have a number of their own; none of our orders is there to compare."
        proposal.settle("line_key", LineKey.PO_LINE_NUMBER, why)
        return
    for key in (LineKey.BUYER_SKU, LineKey.GTIN, LineKey.VENDOR_CODE):
        if all(values[key](x) for x in lines) and _is_unique(lines, values[key]):
            reason = (
                f"{len(known) - hits} line numbers are not ours"
                if known
                else "the line numbers are missing or repeated"
            )
            proposal.settle("line_key", key, f"All {total} answered lines name it once, and {reason}.")
            return
    proposal.undecided["line_key"] = f"No number names all {total} answered lines, once in each document."


def _is_unique(lines: list[AnsweredLine], value: Any) -> bool:
    return all(count == 1 for count in Counter((x.document, value(x)) for x in lines).values())


def _decide_partial_backorder(proposal: Proposal, evidence: Evidence) -> None:
    """Which of the five ways of saying "6 now, 4 later" the answers use; BP alone needs a ship notice to be told."""
    found: Counter[PartialBackorder] = Counter()
    repeats_ordered = unclear = dated = 0
    for answered in evidence.answered:
        statuses = answered.line.statuses
        codes = [status.meaning for status in statuses]
        amounts = {status.meaning: status.quantity for status in statuses}
        key = (answered.po_number, answered.line.po_line_number.lstrip("0"))
        ordered = answered.line.ordered if answered.line.ordered is not None else evidence.ordered.get(key)
        dated += any(status.meaning == "BP" and status.date is not None for status in statuses)
        total = sum(status.quantity or 0 for status in statuses)
        if codes == ["BP"]:
            encoding = _of_bp(amounts["BP"], ordered, evidence.shipped.get(key))
            if encoding is None:
                unclear += 1
            else:
                found[encoding] += 1
        elif "BP" in codes and "IB" in codes:
            found[PartialBackorder.PARTIAL_AND_BACKORDER] += 1
        elif "IB" in codes and len(codes) > 1:
            found[PartialBackorder.ACCEPT_AND_BACKORDER] += 1
            repeats_ordered += ordered is not None and total > ordered and amounts["IB"] == ordered
        elif codes == ["IB"] and ordered is not None and 0 < (amounts["IB"] or 0) < ordered:
            found[PartialBackorder.BACKORDER_ALONE] += 1
    setting = "partial_backorder_encoding"
    if len(found) == 1:
        ((encoding, count),) = found.items()
        proposal.settle(setting, encoding, f"{count} lines are split in this way, none in another.")
    elif found:
        shown = ", ".join(f"{encoding.value} {count}" for encoding, count in found.most_common())
        proposal.undecided[setting] = f"Lines are split in several ways: {shown}."
    else:
        proposal.undecided[setting] = "No line that is split into a part now and a part later could be told."
    if unclear:
        proposal.undecided[setting] = (
            f"{unclear} lines have one BP: its quantity is the accepted part or the backordered rest; "
            "a ship notice of such a line would tell."
        )
    if repeats_ordered:
        why = f"{repeats_ordered} IB repeat the ordered quantity beside an accepted part."
        proposal.settle("ib_quantity_is_ordered", True, why)
    if dated:
        proposal.undecided["partial_date"] = f"{dated} BP have a date: that of the part or of the rest."


def _of_bp(amount: int | None, ordered: int | None, shipped: int | None) -> PartialBackorder | None:
    if amount is None or ordered is None or shipped is None or 2 * amount == ordered:
        return None
    if shipped == amount:
        return PartialBackorder.PARTIAL_WITH_ACCEPTED
    if shipped == ordered - amount:
        return PartialBackorder.PARTIAL_WITH_BACKORDERED
    return None


def _decide_remainder(proposal: Proposal, evidence: Evidence) -> None:
    cut = sum(status.meaning == "IQ" for answered in evidence.answered for status in answered.line.statuses)
    if cut:
        proposal.undecided["iq_policy"] = (
            f"{cut} lines have a changed quantity; whether the rest still comes is not said."
        )


def _decide_codes(proposal: Proposal, evidence: Evidence) -> None:
    edifact = any(partner.standard == "EDIFACT" for partner in evidence.partners)
    known_statuses = frozenset(EFFECTS) | (_EDIFACT_ACTIONS if edifact else frozenset())
    known_headers = _HEADERS | (_EDIFACT_HEADERS if edifact else frozenset())
    odd = _odd(evidence, "line_status", known_statuses) + _odd(evidence, "line_change", CHANGES)
    if odd:
        proposal.undecided["code_map"] = f"Codes without a standard meaning: {', '.join(odd)}."
    elif evidence.codes["line_status"]:
        proposal.evidence["code_map"] = "All line statuses have their standard meaning."
    headers = _odd(evidence, "header", known_headers)
    if headers:
        proposal.undecided["header_map"] = f"Header types without a standard meaning: {', '.join(headers)}."


def _odd(evidence: Evidence, name: str, known: frozenset[str]) -> list[str]:
    return [f"{code!r} ({count} times)" for code, count in evidence.codes[name].most_common() if code not in known]


def _decide_strictness(proposal: Proposal, evidence: Evidence) -> None:
    noted = sum(count for (_, judged), count in evidence.verdicts.items() if judged == "E")
    total = sum(evidence.verdicts.values())
    if noted:
        proposal.evidence["strictness"] = f"{noted} of {total} documents have notes: strict reading would refuse them."
    elif total:
        proposal.evidence["strictness"] = f"All {total} documents are without notes: strict reading would be possible."


def _decide_duplicates(proposal: Proposal, evidence: Evidence) -> None:
    back = 0
    for controls in evidence.controls.values():
        numbers = [int(control) for _, control in sorted(controls) if control.isdecimal() and len(control) < 15]
        back += sum(later < earlier for earlier, later in pairwise(numbers))
    if back:
        why = f"Control numbers went back {back} times in the order of the files' dates: they may start anew."
        proposal.undecided["duplicate_window_days"] = why


def _seen(evidence: Evidence) -> dict[str, Any]:
    return {
        "files": evidence.files,
        "unread": evidence.unread,
        "documents": dict(evidence.kinds.most_common()),
        "versions": dict(evidence.versions.most_common()),
        "interchangeVersions": dict(evidence.interchange_versions.most_common()),
        "usages": dict(evidence.usages.most_common()),
        "separators": [
            {"element": element, "component": component, "segment": segment, "repetition": repetition, "files": count}
            for (element, component, segment, repetition), count in evidence.separators.most_common()
        ],
        "codes": {name: dict(codes.most_common(40)) for name, codes in sorted(evidence.codes.items()) if codes},
        "units": dict(evidence.units.most_common()),
        "repairs": dict(evidence.repairs.most_common()),
        "faults": [
            {"code": code, "message": message, "times": count}
            for (code, message), count in evidence.faults.most_common(20)
        ],
    }


def _tried(files: list[tuple[str, bytes]], guide: PartnerGuide) -> dict[str, int]:
    """How the sample files fare under the proposed guide."""
    verdicts = Counter(judge_file(data, guide)["verdict"] for _, data in files)
    return {word: verdicts[word] for word in ("accepted", "accepted with notes", "rejected")}
