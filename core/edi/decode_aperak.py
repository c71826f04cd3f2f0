"""Turns an APERAK into an `ApplicationAdvice`: what a partner's application says of a document of ours."""

from __future__ import annotations

from core.edi.decoding import Notes
from core.edi.documents import Decoded
from core.edi.edifact_decoding import document_day, first, reference, references
from core.edi.guide import DEFAULT_GUIDE, PartnerGuide
from core.edi.interchanges import Segment, TransactionSet
from core.edi.reply_documents import ApplicationAdvice, ApplicationError

# What the reference names: list 1153.
_ABOUT = ("ACW", "ON", "AAK", "IV", "ACE", "VN", "DQ")
# Elements 1225 and 4343.
_VERDICTS = {"27": "R", "29": "A", "RE": "R", "RJ": "R", "AP": "A", "CO": "E"}


def decode_aperak(document: TransactionSet, guide: PartnerGuide = DEFAULT_GUIDE) -> Decoded[ApplicationAdvice]:
    """The advice, or None where it names no document: that is allowed, and of no use to us."""
    notes = Notes(document)
    segments = [segment for segment in document.segments[1:] if segment.tag != "UNT"]
    bgm = first(segments, "BGM")
    known = dict(reversed(references(segments)))
    kind = next((code for code in _ABOUT if code in known), next(iter(known), ""))
    if bgm is None or not kind:
        notes.warning("reference", "The application advice names no document (RFF)", bgm, 2)
        return Decoded(None, tuple(notes.faults))
    on = document_day(segments, "137")
    verdict = next((_VERDICTS[bgm.value(at)] for at in (3, 4) if bgm.value(at) in _VERDICTS), "")
    advice = ApplicationAdvice(
        number=bgm.value(2),
        about=known[kind],
        about_kind=kind,
        verdict=verdict,
        errors=_errors(segments),
        sequence=f"{on.strftime('%Y%m%d') if on else '00000000'}-{document.sequence}",
    )
    return Decoded(advice, tuple(notes.faults))


def _errors(segments: list[Segment]) -> tuple[ApplicationError, ...]:
    """Each ERC with the text and the reference below it."""
    blocks: list[list[Segment]] = []
    for segment in segments:
        if segment.tag == "ERC":
            blocks.append([segment])
        elif blocks:
            blocks[-1].append(segment)
    return tuple(
        ApplicationError(
            block[0].value(1),
            " ".join(part.strip() for s in block if s.tag == "FTX" for part in _text(s)),
            reference(block, "LI", *_ABOUT),
            block[0].number,
        )
        for block in blocks
    )


def _text(ftx: Segment) -> tuple[str, ...]:
    return tuple(part for part in ftx.elements[3] if part.strip()) if len(ftx.elements) > 3 else ()
