"""Turns a CONTRL into an `InterchangeAcknowledgement`: which of our messages a partner could read, nothing of business."""

from __future__ import annotations

from core.edi.contrl_codes import ACKNOWLEDGED, ERRORS, RECEIVED, REJECTED
from core.edi.decoding import Notes
from core.edi.documents import Decoded, FunctionalAcknowledgement
from core.edi.edifact_decoding import first
from core.edi.guide import DEFAULT_GUIDE, PartnerGuide
from core.edi.interchanges import Segment, TransactionSet
from core.edi.reply_documents import AcknowledgedMessage, InterchangeAcknowledgement

_VERDICTS = {REJECTED: "R", ACKNOWLEDGED: "A", RECEIVED: "A"}


def decode_contrl(document: TransactionSet, guide: PartnerGuide = DEFAULT_GUIDE) -> Decoded[InterchangeAcknowledgement]:
    """The acknowledgement, or None with an error where it names no interchange or its action is not known."""
    notes = Notes(document)
    uci = first(document.segments, "UCI")
    if uci is None or not uci.value(1) or uci.value(4) not in _VERDICTS:
        notes.error("interchange", "The CONTRL names no interchange, or an action that is not known", uci, 4)
        return Decoded(None, tuple(notes.faults))
    messages: list[AcknowledgedMessage] = []
    groups: list[FunctionalAcknowledgement] = []
    opening: Segment | None = None
    errors: list[str] = []
    place = ""
    for segment in document.segments:
        if segment.tag in ("UCM", "UNT", "UCF") and opening is not None:
            messages.append(_message(opening, errors, notes))
            opening = None
        if segment.tag == "UCM":
            opening, errors, place = segment, _own_error(segment, 4), ""
        elif segment.tag == "UCF":
            action = segment.value(4)
            groups.append(FunctionalAcknowledgement("", segment.value(1), _VERDICTS.get(action, action), ()))
        elif segment.tag == "UCS":
            place = segment.value(1)
            if segment.value(2):
                errors.append(f"segment {place}: {_reason(segment.value(2))}")
        elif segment.tag == "UCD":
            component = f", component {segment.value(2, 2)}" if segment.value(2, 2) else ""
            errors.append(f"segment {place}, element {segment.value(2)}{component}: {_reason(segment.value(1))}")
    if opening is not None:
        messages.append(_message(opening, errors, notes))
    verdict = _VERDICTS[uci.value(4)]
    if verdict == "A" and any(message.verdict == "R" for message in messages):
        verdict = "E"
    return Decoded(
        InterchangeAcknowledgement(
            control=uci.value(1),
            verdict=verdict,
            errors=tuple(_own_error(uci, 5)),
            messages=tuple(messages),
            groups=tuple(groups),
            sender=uci.value(2),
            receiver=uci.value(3),
            is_receipt_only=uci.value(4) == RECEIVED,
        ),
        tuple(notes.faults),
    )


def _message(ucm: Segment, errors: list[str], notes: Notes) -> AcknowledgedMessage:
    action = ucm.value(3)
    if action not in _VERDICTS:
        notes.warning("action", f"The action {action!r} is not known", ucm, 3)
    return AcknowledgedMessage(ucm.value(1), ucm.value(2), _VERDICTS.get(action, action), tuple(errors))


def _own_error(segment: Segment, element: int) -> list[str]:
    code = segment.value(element)
    return [_reason(code)] if code else []


def _reason(code: str) -> str:
    return ERRORS.get(code, f"code {code}")
