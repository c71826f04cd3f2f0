"""Proposes in what a partner writes: units of measure, the directory of EDIFACT, what a stock report leaves out."""

from __future__ import annotations

from collections import Counter
from typing import TypeVar

from core.edi.decoding import PACK_UNITS
from core.edi.guide import GroupAnswer
from core.edi.learn_evidence import OURS, SINGLE_UNITS, Evidence
from core.edi.learn_lines import ours_of
from core.edi.learn_proposal import Proposal

# Answers to an order: written to whoever ordered, so in the version that the partner expects of orders too.
_REPLIES = ("855", "865", "ORDRSP")
_T = TypeVar("_T")


def decide_units(proposal: Proposal, evidence: Evidence) -> None:
    factors: dict[str, int] = {}
    unknown: list[str] = []
    stated: list[str] = []
    ratios = _ratios(evidence)
    for unit, count in evidence.units.most_common():
        if unit in SINGLE_UNITS:
            continue
        sizes = evidence.pack_sizes.get(unit, Counter()) + ratios.get(unit, Counter())
        if len(sizes) == 1 and next(iter(sizes)) > 0:
            factors[unit] = next(iter(sizes))
        elif not ratios.get(unit) and sizes and unit in PACK_UNITS and not evidence.kinds["945"]:
            stated.append(unit)
        else:
            why = "several pack sizes" if sizes else "no pack size"
            unknown.append(f"{unit} ({count} times, {why})")
    if factors:
        why = ", ".join(f"{unit} holds {size}" for unit, size in factors.items())
        why = f"The only size that packs, or answers beside their orders, show: {why}. Check it against the articles."
        proposal.settle("unit_map", factors, why)
    if stated:
        why = f"How many units {' and '.join(stated)} hold differs by article and is read from each line "
        why += "(PO4, QTY 59); a line that does not say it is set aside."
        proposal.evidence["unit_map"] = " ".join(filter(None, (proposal.evidence.get("unit_map"), why)))
    if unknown:
        proposal.undecided["unit_map"] = f"Base units in one of: {', '.join(unknown)}."


def _ratios(evidence: Evidence) -> dict[str, Counter[int]]:
    """Units that an answer counts in where our order counts single ones: 120 ordered, 10 CA answered, so 12 to a CA."""
    found: dict[str, Counter[int]] = {}
    for answered in evidence.answered:
        line = answered.line
        ours = ours_of(answered, evidence.ordered.get(answered.po_number, ()))
        if ours is None or not line.ordered or line.unit in SINGLE_UNITS or ours.unit not in SINGLE_UNITS:
            continue
        factor, rest = divmod(ours.quantity, line.ordered)
        if factor > 0 and not rest:
            found.setdefault(line.unit, Counter())[factor] += 1
    return found


def decide_versions(proposal: Proposal, evidence: Evidence) -> None:
    """In which version, directory and subset we write: that of our orders among the files, else that of the partner's answers."""
    _decide_directory(proposal, evidence)
    ours = _merged(evidence.groups, OURS)
    seen = ours or _merged(evidence.groups, _REPLIES) or _merged(evidence.groups)
    if len(seen) == 1:
        ((version, count),) = seen.items()
        whose = "our orders among the files" if ours else "the partner's messages"
        proposal.settle("x12_version", version, f"That of {whose} ({count}).")
    elif seen:
        shown = ", ".join(f"{version} ({count})" for version, count in seen.most_common())
        proposal.undecided["x12_version"] = f"Several versions are in use: {shown}."
    if evidence.kinds["999"] and not evidence.kinds["997"]:
        why = f"Groups are acknowledged by {evidence.kinds['999']} 999 among the files, by no 997."
        proposal.settle("group_answer", GroupAnswer.IMPLEMENTATION, why)


def _merged(by_kind: dict[str, Counter[_T]], kinds: tuple[str, ...] | None = None) -> Counter[_T]:
    found: Counter[_T] = Counter()
    for kind, versions in by_kind.items():
        if kinds is None or kind in kinds:
            found += versions
    return found


def _decide_directory(proposal: Proposal, evidence: Evidence) -> None:
    ours = _merged(evidence.directories, OURS)
    theirs = _merged(evidence.directories, _REPLIES) or _merged(evidence.directories)
    seen = ours or theirs
    if not seen:
        return
    versions = {version for version, _ in seen}
    if len(versions) > 1:
        proposal.undecided["edifact_directory"] = f"Several directories are in use: {', '.join(sorted(versions))}."
        return
    (version,) = versions
    whose = "our orders among the files" if ours else "the partner's messages"
    proposal.settle("edifact_directory", version, f"That of {whose}.")
    subsets = {association for _, association in ours if association}
    if len(subsets) == 1:
        proposal.settle("edifact_association", subsets.pop(), "That of our orders among the files.")
    elif theirs and not ours:
        proposal.undecided["edifact_association"] = (
            "None of our orders shows which subset (UNH 0057) the partner asks for."
        )


def decide_stock_report(proposal: Proposal, evidence: Evidence) -> None:
    count = evidence.kinds["846"] + evidence.kinds["INVRPT"]
    if count:
        why = (
            f"{count} stock reports do not say whether an article that they leave out has none (full) or is unchanged."
        )
        proposal.undecided["stock_report"] = why
