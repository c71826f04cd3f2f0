"""What would become of a file, said without a database: every interchange, group and set with its faults and verdict."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from core.edi.decode_ta1 import decode_ta1
from core.edi.decoders import DECODERS, Decoder
from core.edi.decoding import RawUnits
from core.edi.documents import Decoded
from core.edi.guide import DEFAULT_GUIDE, PartnerGuide
from core.edi.interchanges import Fault, Group, Interchange, Level, Segment, Severity, TransactionSet, Verdict, verdict
from core.edi.normaliser import DEFAULT_LIMITS
from core.edi.reader import read

WORDS = {
    Verdict.ACCEPTED: "accepted",
    Verdict.ACCEPTED_WITH_ERRORS: "accepted with notes",
    Verdict.REJECTED: "rejected",
}
_RANK = {word: rank for rank, word in enumerate(WORDS.values())}


def judge_file(data: bytes, guide: PartnerGuide = DEFAULT_GUIDE) -> dict[str, Any]:
    """`verdict`, `faults` and `interchanges` of a file, as JSON values; it never raises, whatever the bytes are.

    A set is judged by its syntax and by what it says, under `guide`; an error of its envelope makes all of it doubtful.
    The verdict of a group, an interchange and the file is the worst one inside it. Whether the partner, the order and
    the lines are known is not asked.
    """
    try:
        result = read(data)
        interchanges = [_interchange(interchange, guide) for interchange in result.interchanges]
        faults = list(result.faults)
    except Exception as failure:  # a file that finds a mistake of ours must not hide those after it
        text = f"The file could not be judged, which is a mistake of this program: {type(failure).__name__}: {failure}"
        interchanges, faults = [], [Fault(Level.FILE, Severity.ERROR, "unjudged", text)]
    if not interchanges and not faults:
        faults = [Fault(Level.FILE, Severity.ERROR, "no_interchange", "No interchange was found in the file.")]
    return {
        "verdict": _worst(_word(faults), *(entry["verdict"] for entry in interchanges)),
        "faults": [fault.facts() for fault in faults],
        "interchanges": interchanges,
    }


def refuse_size(size: int) -> dict[str, Any] | None:
    """The judgement of a file of `size` bytes that is too large to be read at all; None when it may be read."""
    if size <= DEFAULT_LIMITS.file_bytes:
        return None
    text = f"The file has {size} bytes; {DEFAULT_LIMITS.file_bytes} are allowed."
    fault = Fault(Level.FILE, Severity.ERROR, "size", text)
    return {"verdict": WORDS[Verdict.REJECTED], "faults": [fault.facts()], "interchanges": []}


def _interchange(interchange: Interchange, guide: PartnerGuide) -> dict[str, Any]:
    groups = [_group(group, _errors(interchange.faults), guide) for group in interchange.groups]
    return {
        "standard": interchange.standard,
        "version": interchange.version,
        "control": interchange.control,
        "sender": {"qualifier": interchange.sender_qualifier, "id": interchange.sender_id},
        "receiver": {"qualifier": interchange.receiver_qualifier, "id": interchange.receiver_id},
        "usage": interchange.usage,
        "isTest": interchange.is_test,
        "verdict": _worst(_word(interchange.faults), *(group["verdict"] for group in groups)),
        "faults": [fault.facts() for fault in interchange.faults],
        "repairs": [
            {"code": repair.code, "offset": repair.offset, "message": repair.message} for repair in interchange.repairs
        ],
        "answers": [_answer(segment) for segment in interchange.answers],
        "groups": groups,
    }


def _answer(segment: Segment) -> dict[str, Any]:
    """A TA1: what the sender says of an interchange of ours."""
    answer = decode_ta1(segment)
    return {
        "control": answer.control,
        "verdict": answer.verdict,
        "errors": list(answer.errors),
        "segmentNumber": segment.number,
    }


def _group(group: Group, around: tuple[Fault, ...], guide: PartnerGuide) -> dict[str, Any]:
    sets = [_set(document, (*around, *_errors(group.faults)), guide) for document in group.sets]
    return {
        "functionalId": group.functional_id,
        "version": group.version,
        "control": group.control,
        "sender": group.sender,
        "receiver": group.receiver,
        "verdict": _worst(_word(group.faults), *(entry["verdict"] for entry in sets)),
        "faults": [fault.facts() for fault in group.faults],
        "sets": sets,
    }


def _set(document: TransactionSet, around: tuple[Fault, ...], guide: PartnerGuide) -> dict[str, Any]:
    """What a set says is looked at only when its syntax is sound, as it is when a file is applied."""
    faults = document.faults
    decode = DECODERS.get(document.kind)
    if decode is not None and verdict((*faults, *around), guide.strictness) is not Verdict.REJECTED:
        decoded = decode(document, guide)
        if guide is DEFAULT_GUIDE and any(fault.code == "unit" for fault in decoded.faults):
            decoded = _with_every_unit(decode, document, guide, decoded.faults)
        said = [f for f in decoded.faults if decoded.document is None or f.severity is Severity.WARNING]
        faults = (*faults, *(fault for fault in said if fault not in faults))
    return {
        "kind": document.kind,
        "version": document.version,
        "control": document.control,
        "verdict": _word((*faults, *around), guide.strictness),
        "faults": [fault.facts() for fault in faults],
    }


def _with_every_unit(
    decode: Decoder, document: TransactionSet, guide: PartnerGuide, faults: tuple[Fault, ...]
) -> Decoded[Any]:
    """The document as if each unit were one: without a partner's guide, a unit without a factor is only worth a note."""
    again = decode(document, replace(guide, unit_map=_EveryUnit()))
    units = tuple(replace(fault, severity=Severity.WARNING) for fault in faults if fault.code == "unit")
    return Decoded(again.document, (*units, *again.faults))


class _EveryUnit(RawUnits):
    """A factor so large that a part of an unknown unit (12.65 kilograms) is a whole number of something."""

    def get(self, key: str, default: Any = None) -> Any:  # type: ignore[override]
        return 1_000_000 if default is None else default


def _errors(faults: Iterable[Fault]) -> tuple[Fault, ...]:
    return tuple(fault for fault in faults if fault.severity is Severity.ERROR)


def _word(faults: Iterable[Fault], strictness: str = DEFAULT_GUIDE.strictness) -> str:
    return WORDS[verdict(tuple(faults), strictness)]


def _worst(*words: str) -> str:
    return max(words, key=_RANK.__getitem__)
