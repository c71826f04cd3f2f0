"""Read a sample message under a guide: does it fit, and do its answers mean what they are expected to mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.edi.decoders import DECODERS
from core.edi.documents import Acknowledgement
from core.edi.guide import PartnerGuide
from core.edi.interchanges import TransactionSet, Verdict, verdict
from core.edi.reader import read
from core.edi.resolve_line import resolve_line


def try_sample(content: bytes, guide: PartnerGuide, expected: Mapping[str, Any] | None = None) -> list[str]:
    """Sentences about what does not fit; none when the guide reads the sample.

    `expected` has, for the control number of a set, what its lines come to: {"1": {"1": {"accepted": 6, "backordered": 4}}}
    with `rejected` and `held` where they are not 0. The ordered quantity is the one that the sample repeats.
    """
    documents = [d for i in read(content).interchanges for group in i.groups for d in group.sets]
    if not documents:
        return ["No document was found in it."]
    wrong: list[str] = []
    for document in documents:
        wrong += [f"Set {document.control}: {text}" for text in _try(document, guide, expected)]
    return wrong


def _try(document: TransactionSet, guide: PartnerGuide, expected: Mapping[str, Any] | None) -> list[str]:
    decode = DECODERS.get(document.kind)
    if decode is None:
        return [f"documents of kind {document.kind!r} are not read."]
    if verdict(document.faults, guide.strictness) is Verdict.REJECTED:
        return [fault.message for fault in document.faults][:3] or ["it is rejected."]
    decoded = decode(document, guide)
    if decoded.document is None:
        return list(decoded.refusals)
    if not isinstance(decoded.document, Acknowledgement):
        return []
    return _try_lines(decoded.document, guide, (expected or {}).get(document.control))


def _try_lines(answer: Acknowledgement, guide: PartnerGuide, expected: Mapping[str, Any] | None) -> list[str]:
    wrong: list[str] = []
    for line in answer.lines:
        name = line.po_line_number
        if line.ordered is None:
            continue
        found = resolve_line(line.ordered, line, guide, answer.header_type, answer.dates)
        if found.mismatch is not None:
            wrong.append(f"line {name}: {found.mismatch}")
            continue
        meant = {
            "accepted": found.accepted_quantity,
            "backordered": found.backordered_quantity,
            "rejected": found.rejected,
            "held": found.held,
        }
        wanted = (expected or {}).get(name)
        if wanted is not None and {**dict.fromkeys(meant, 0), **wanted} != meant:
            wrong.append(f"line {name}: it means {meant}, expected is {dict(wanted)}.")
    return wrong
