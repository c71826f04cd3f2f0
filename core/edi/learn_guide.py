"""Proposes a partner's profile from sample files, with the evidence of each setting, and says what it cannot decide."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise
from typing import Any

from core.edi.decode_855 import EFFECTS
from core.edi.decode_860 import CHANGES
from core.edi.guide import DEFAULT_GUIDE, PartnerGuide, Standard
from core.edi.judge_file import judge_file
from core.edi.learn_evidence import Evidence, gather
from core.edi.learn_formats import decide_stock_report, decide_units, decide_versions
from core.edi.learn_line_key import decide_line_key, decide_line_reference
from core.edi.learn_order_number import decide_order_number
from core.edi.learn_partial import decide_partial_backorder, decide_remainder
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
    decide_order_number(proposal, evidence)
    if proposal.guide != DEFAULT_GUIDE:
        evidence = gather(files, proposal.guide)
    under = proposal.guide
    evidence = decide_line_reference(
        proposal, evidence, lambda code: gather(files, replace(under, line_reference=code))
    )
    decide_line_key(proposal, evidence)
    decide_partial_backorder(proposal, evidence)
    decide_remainder(proposal, evidence)
    _decide_codes(proposal, evidence)
    decide_units(proposal, evidence)
    partner = _partner(proposal, evidence)
    if partner is not None and partner["standard"] == Standard.EDIFACT:
        proposal.settle("standard", Standard.EDIFACT, "The partner writes EDIFACT.")
    decide_versions(proposal, evidence)
    decide_stock_report(proposal, evidence)
    _decide_strictness(proposal, evidence)
    _decide_duplicates(proposal, evidence)
    proposal.undecided.setdefault("deadlines", "Files do not say how soon answers are due; the defaults stand.")
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
        proposal.evidence["strictness"] = (
            f"All {total} documents are without notes of their own: strict reading would be possible."
        )


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
