"""Proposes in what a partner writes: units of measure, the directory of EDIFACT, what a stock report leaves out."""

from __future__ import annotations

from collections import Counter

from core.edi.learn_evidence import SINGLE_UNITS, Evidence
from core.edi.learn_proposal import Proposal


def decide_units(proposal: Proposal, evidence: Evidence) -> None:
    factors: dict[str, int] = {}
    unknown: list[str] = []
    ratios = _ratios(evidence)
    for unit, count in evidence.units.most_common():
        if unit in SINGLE_UNITS:
            continue
        sizes = evidence.pack_sizes.get(unit, Counter()) + ratios.get(unit, Counter())
        if len(sizes) == 1 and next(iter(sizes)) > 0:
            factors[unit] = next(iter(sizes))
        else:
            why = "several pack sizes" if sizes else "no pack size"
            unknown.append(f"{unit} ({count} times, {why})")
    if factors:
        why = ", ".join(f"{unit} holds {size}" for unit, size in factors.items())
        why = f"The only size that packs, or answers beside their orders, show: {why}. Check it against the articles."
        proposal.settle("unit_map", factors, why)
    if unknown:
        proposal.undecided["unit_map"] = f"Base units in one of: {', '.join(unknown)}."


def _ratios(evidence: Evidence) -> dict[str, Counter[int]]:
    """Units that an answer counts in where our order counts single ones: 120 ordered, 10 CA answered, so 12 to a CA."""
    found: dict[str, Counter[int]] = {}
    for answered in evidence.answered:
        line = answered.line
        items = filter(None, (line.buyer_sku, line.vendor_code, line.gtin))
        orders = [evidence.ordered_items.get((answered.po_number, item)) for item in items]
        ours = next((order for order in orders if order is not None), None)
        if ours is None or not line.ordered or line.unit in SINGLE_UNITS or ours[1] not in SINGLE_UNITS:
            continue
        factor, rest = divmod(ours[0], line.ordered)
        if factor > 0 and not rest:
            found.setdefault(line.unit, Counter())[factor] += 1
    return found


def decide_directory(proposal: Proposal, evidence: Evidence) -> None:
    """Which directory and subset we write: that of our orders among the files, else that of the partner's messages."""
    ours, theirs = evidence.directories[True], evidence.directories[False]
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
    elif theirs:
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
