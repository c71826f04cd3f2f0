"""Writes the CONTRL that answers one received interchange: what could be read, where and why not."""

from __future__ import annotations

from collections.abc import Sequence

from core.edi.contrl_codes import ACKNOWLEDGED, ERRORS, RECEIVED, REJECTED
from core.edi.documents import SetResult
from core.edi.edifact_writer import EdifactEnvelope, Row, plain, write_messages
from core.edi.interchanges import Fault, Group, Interchange, Level, Severity, TransactionSet, Verdict
from core.errors import InvalidInput

_MOST_PLACES = 99


def write_contrl(interchange: Interchange, results: Sequence[Sequence[SetResult]], envelope: EdifactEnvelope) -> bytes:
    """The whole interchange, one CONTRL. `results` has for every group the results of its messages, in their order.

    InvalidInput for an interchange of CONTRL messages: these are never answered.
    """
    documents = [document for group in interchange.groups for document in group.sets]
    if documents and all(document.kind == "CONTRL" for document in documents):
        raise InvalidInput(f"Interchange {interchange.control} is an acknowledgement and is never acknowledged.")
    if [len(group.sets) for group in interchange.groups] != [len(found) for found in results]:
        raise InvalidInput(f"Interchange {interchange.control} has messages without a result.")
    flat = [result for found in results for result in found]
    rejected = _is_refused(interchange) or (bool(flat) and all(r.verdict is Verdict.REJECTED for r in flat))
    rows: list[Row] = [_uci(interchange, rejected)]
    for group, found in zip(interchange.groups, results, strict=True):
        if group.functional_id:
            rows.append(_ucf(group, found))
        for document, result in zip(group.sets, found, strict=True):
            # A message that lost its UNH has no type and cannot be named.
            rows.extend(_message_rows(document, result) if document.kind and document.control else [])
    return write_messages("CONTRL", [rows], envelope)


def write_receipt(interchange: Interchange, envelope: EdifactEnvelope) -> bytes:
    """A CONTRL that says only that the interchange arrived (0083 = 8)."""
    return write_messages("CONTRL", [[_interchange_row(interchange, RECEIVED)]], envelope)


def _is_refused(interchange: Interchange) -> bool:
    return any(fault.severity is Severity.ERROR for fault in interchange.faults)


def _uci(interchange: Interchange, rejected: bool) -> Row:
    worst = next((f for f in interchange.faults if f.severity is Severity.ERROR), None)
    worst = worst or next(iter(interchange.faults), None)
    row = _interchange_row(interchange, REJECTED if rejected else ACKNOWLEDGED)
    if worst is None or not rejected:
        return row
    return (*row, _code(worst), _tag(worst) or "UNB", (worst.element,) if worst.element else "")


def _interchange_row(interchange: Interchange, action: str) -> Row:
    return (
        "UCI",
        plain(interchange.control, 14),
        (plain(interchange.sender_id, 35), plain(interchange.sender_qualifier, 4)),
        (plain(interchange.receiver_id, 35), plain(interchange.receiver_qualifier, 4)),
        action,
    )


def _ucf(group: Group, results: Sequence[SetResult]) -> Row:
    errors = [fault for fault in group.faults if fault.severity is Severity.ERROR]
    rejected = bool(errors) or all(result.verdict is Verdict.REJECTED for result in results)
    code = _code(errors[0]) if errors else ""
    return (
        "UCF",
        plain(group.control, 14),
        plain(group.sender, 35),
        plain(group.receiver, 35),
        REJECTED if rejected else ACKNOWLEDGED,
        code,
        "UNG" if code else "",
    )


def _message_rows(document: TransactionSet, result: SetResult) -> list[Row]:
    opening = document.segments[0]
    identifier = tuple(plain(opening.value(2, at), 6) for at in range(1, 6))
    rejected = result.verdict is Verdict.REJECTED
    whole = next((fault for fault in result.faults if fault.level is Level.SET and rejected), None)
    rows: list[Row] = [
        (
            "UCM",
            plain(document.control, 14),
            identifier,
            REJECTED if rejected else ACKNOWLEDGED,
            _code(whole) if whole else "",
            _tag(whole) if whole else "",
            (whole.element,) if whole and whole.element else "",
        )
    ]
    places: dict[int, list[Fault]] = {}
    for fault in result.faults:
        if (
            fault.level in (Level.SEGMENT, Level.ELEMENT)
            and fault.segment_number
            and result.verdict is not Verdict.ACCEPTED
        ):
            places.setdefault(fault.segment_number, []).append(fault)
    for number, faults in sorted(places.items())[:_MOST_PLACES]:
        of_segment = next((fault for fault in faults if fault.level is Level.SEGMENT), None)
        rows.append(("UCS", number, _code(of_segment) if of_segment else ""))
        rows.extend(
            ("UCD", _code(fault), (fault.element or 1, fault.component))
            for fault in faults[:_MOST_PLACES]
            if fault.level is Level.ELEMENT
        )
    return rows


def _tag(fault: Fault) -> str:
    """The tag, where it is one: a damaged one is not repeated."""
    tag = fault.segment
    return tag if len(tag) == 3 and tag.isascii() and tag.isalnum() else ""


def _code(fault: Fault) -> str:
    return fault.code if fault.code in ERRORS else "18"
