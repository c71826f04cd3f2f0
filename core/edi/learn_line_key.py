"""Proposes which name of a line is the key to ours: the one by which answers and ship notices name the lines that we ordered."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

from core.edi.guide import LineKey
from core.edi.learn_evidence import Evidence
from core.edi.learn_lines import AnsweredLine, Named, SentLine, agrees, ours_of, same_number
from core.edi.learn_proposal import Proposal

_VALUES: dict[LineKey, Callable[[Named], str]] = {
    LineKey.PO_LINE_NUMBER: lambda line: line.number,
    LineKey.BUYER_SKU: lambda line: line.buyer_sku,
    LineKey.GTIN: lambda line: line.gtin,
    LineKey.VENDOR_CODE: lambda line: line.vendor_code,
}
_ARTICLES = (LineKey.BUYER_SKU, LineKey.GTIN, LineKey.VENDOR_CODE)
_LONGEST_NUMBER = 6
_REFERENCES = ("LI", "PL", "FJ", "LN")

Line = AnsweredLine | SentLine


def decide_line_reference(proposal: Proposal, evidence: Evidence, again: Callable[[str], Evidence]) -> Evidence:
    """A reference that repeats the numbers of our lines, where the partner numbers its lines itself; what is seen by it.

    `again` gathers under a code of REF01. Only lines of orders that are among the files tell.
    """
    if all(_names_ours(x, evidence) for x in _known(evidence)):
        return evidence
    for code in _REFERENCES:
        if code not in evidence.codes["reference"]:
            continue
        found = again(code)
        if (known := _known(found)) and all(x.number and _names_ours(x, found) for x in known):
            why = f"All {len(known)} lines whose orders are among the files repeat our line number in REF {code}."
            proposal.settle("line_reference", code, why)
            return found
    return evidence


def _known(evidence: Evidence) -> list[Line]:
    """Lines of orders that are among the files."""
    return [x for x in (*evidence.answered, *evidence.shipments.lines()) if x.po_number in evidence.ordered]


def decide_line_key(proposal: Proposal, evidence: Evidence) -> None:
    """The number of our line where it is one in every message; else the article that all of them name, once in each.

    Ship notices count beside answers: many number their own lines there, so the number of the notice would point at
    another line of ours.
    """
    sent = evidence.shipments.lines()
    lines: list[Line] = [*evidence.answered, *sent]
    if not lines:
        proposal.undecided["line_key"] = "No answer to an order (855, 865, ORDRSP) or ship notice is among the files."
        return
    total = f"{len(evidence.answered)} answered and {len(sent)} shipped" if sent else f"{len(lines)} answered"
    known = _known(evidence)
    if known:
        foreign = [x for x in known if x.number and not _names_ours(x, evidence)]
        doubt = f"{len(foreign)} line numbers are not ours"
        hits = len(known) - len(foreign) - sum(not x.number for x in known)
        reason = f"All {hits} lines whose orders are among the files name their line number."
        is_number = not foreign and hits > 0
    else:
        doubt = _doubt(lines)
        reason = f"All {total} lines have a number of their own; none of our orders is there to compare."
        is_number = not doubt
    if is_number and _can_be_told(lines):
        proposal.settle("line_key", LineKey.PO_LINE_NUMBER, reason)
        return
    for key in _ARTICLES:
        if (
            all(_VALUES[key](x) for x in lines)
            and _is_unique(evidence.answered, key)
            and _is_ours(known, key, evidence)
        ):
            why = f"All {total} lines name it, and {doubt or 'not all of them have a number'}."
            proposal.settle("line_key", key, why)
            return
    proposal.undecided["line_key"] = f"No number names all {total} lines, once in each document."


def _names_ours(line: Line, evidence: Evidence) -> bool:
    """Whether its number is that of a line of ours which is not about another article."""
    ours = [x for x in evidence.ordered[line.po_number] if same_number(x.number, line.number)]
    return any(agrees(x, line) is not False for x in ours)


def _doubt(lines: Sequence[Line]) -> str:
    """Why the numbers cannot be ours, as far as it can be told without our orders; empty where they can."""
    numbers = [x.number for x in lines if x.number]
    answered = [x for x in lines if isinstance(x, AnsweredLine)]
    if not all(number.isdecimal() and len(number) <= _LONGEST_NUMBER for number in numbers) or not numbers:
        return "the line numbers are missing, or none that we write"
    if not _is_unique([x for x in answered if x.number], LineKey.PO_LINE_NUMBER):
        return "the line numbers are repeated"
    if all(int(number) % 10 == 0 for number in numbers):
        return "the line numbers go by tens, ours by ones"
    by_article: dict[tuple[str, str], set[int]] = defaultdict(set)
    for line in lines:
        for key in _ARTICLES:
            if line.number and (article := _VALUES[key](line)):
                by_article[line.po_number, f"{key} {article}"].add(int(line.number))
    if any(len(found) > 1 for found in by_article.values()):
        return "one article of an order has several line numbers"
    return ""


def _can_be_told(lines: Sequence[Line]) -> bool:
    """A line without a number can still be told by its article."""
    return all(x.number or any(_VALUES[key](x) for key in _ARTICLES) for x in lines)


def _is_unique(lines: Sequence[AnsweredLine], key: LineKey) -> bool:
    """Loops of one line that say the same number count as one: a line may be answered in parts."""
    loops = Counter((x.document, _VALUES[key](x)) for x in lines)
    articles = {(x.document, _VALUES[key](x), x.buyer_sku, x.gtin, x.vendor_code, x.number) for x in lines}
    return all(count == 1 for count in loops.values()) or (
        key is LineKey.PO_LINE_NUMBER and len(articles) == len(loops)
    )


def _is_ours(known: Sequence[Line], key: LineKey, evidence: Evidence) -> bool:
    """Where our orders are there and name articles in this way, each line means one of theirs."""
    for line in known:
        ours = evidence.ordered[line.po_number]
        if any(_VALUES[key](x) for x in ours) and ours_of(_alone(line, key), ours) is None:
            return False
    return True


def _alone(line: Line, key: LineKey) -> SentLine:
    """The line with this name only."""
    names = {one: _VALUES[one](line) if one is key else "" for one in _VALUES}
    return SentLine(
        0,
        line.po_number,
        "",
        names[LineKey.BUYER_SKU],
        names[LineKey.VENDOR_CODE],
        names[LineKey.GTIN],
        0,
    )
