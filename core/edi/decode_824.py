"""Turns an 824 into an `ApplicationAdvice`: what a partner's application says of a document of ours."""

from __future__ import annotations

from core.edi.decoding import Notes, check_date
from core.edi.documents import Decoded
from core.edi.guide import DEFAULT_GUIDE, PartnerGuide
from core.edi.interchanges import Segment, TransactionSet
from core.edi.reply_documents import ApplicationAdvice, ApplicationError

# Element 110: accepted, accepted with errors, refused; of a set (T), a batch (B), an item (I).
_VERDICTS = {"A": "A", "C": "E", "E": "E", "P": "E", "R": "R"}


def decode_824(document: TransactionSet, guide: PartnerGuide = DEFAULT_GUIDE) -> Decoded[ApplicationAdvice]:
    """The advice about the first document it speaks of, with the errors of all; None where it names none."""
    notes = Notes(document)
    bgn = next((segment for segment in document.segments if segment.tag == "BGN"), None)
    oti = next((segment for segment in document.segments if segment.tag == "OTI"), None)
    if bgn is None or oti is None or not oti.value(3):
        notes.error("reference", "The application advice names no document", oti or bgn, 3)
        return Decoded(None, tuple(notes.faults))
    on = check_date(bgn, 3, notes)
    spoken = [segment for segment in document.segments if segment.tag == "OTI"]
    verdicts = [_verdict(segment, notes) for segment in spoken]
    advice = ApplicationAdvice(
        number=bgn.value(2),
        about=oti.value(3),
        about_kind=oti.value(2),
        verdict=max(verdicts, key="AER".find) if all(verdicts) else "",
        errors=_errors(document),
        group_control=oti.value(8),
        set_control=oti.value(9),
        sequence=f"{on.strftime('%Y%m%d') if on else '00000000'}{bgn.value(4):0<6}-{document.sequence}",
    )
    return Decoded(advice, tuple(notes.faults))


def _verdict(oti: Segment, notes: Notes) -> str:
    code = oti.value(1)
    found = _VERDICTS.get(code[1:2]) if code[:1] in "TBGI" else None
    if found is None:
        notes.warning("verdict", f"The verdict {code!r} of the application is not known", oti, 1)
    return found or ""


def _errors(document: TransactionSet) -> tuple[ApplicationError, ...]:
    found: list[ApplicationError] = []
    reference = ""
    for segment in document.segments:
        if segment.tag == "OTI":
            reference = segment.value(3)
        elif segment.tag == "TED":
            place = f" (segment {segment.value(3)} {segment.value(4)})".replace(" )", ")") if segment.value(3) else ""
            value = f": {segment.value(7)!r}" if segment.value(7) else ""
            found.append(
                ApplicationError(
                    segment.value(1), f"{segment.value(2)}{place}{value}".strip(), reference, segment.number
                )
            )
        elif segment.tag == "NTE" and found:
            last = found[-1]
            found[-1] = ApplicationError(
                last.code, f"{last.message} {segment.value(2)}".strip(), last.reference, last.segment_number
            )
    return tuple(found)
