"""What all EDIFACT decoders share: head and line groups, items, quantities, references, and dates in the terms of X12."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from core.edi.decoding import Notes, base_units
from core.edi.documents import Party
from core.edi.edifact_values import dtm_day, number
from core.edi.guide import PartnerGuide
from core.edi.interchanges import Segment, TransactionSet
from core.edi.known_codes import is_quantity_kind
from core.edi.x12_values import is_unknown_date

# List 7143: whose number an item number is.
BUYER_ITEM = ("IN", "BP", "SK")
VENDOR_ITEM = ("SA", "VP", "VN")
GTIN_ITEM = ("EN", "UP", "SRV", "GT")

# List 2005 to list 374 of X12, so that one ranking of dates serves both standards.
X12_DATES = {
    "2": "002",
    "10": "010",
    "61": "001",
    "63": "064",
    "64": "063",
    "67": "067",
    "69": "069",
    "76": "070",
    "17": "017",
    "191": "371",
    "132": "371",
    "358": "017",
    "79": "079",
    "11": "011",
    "35": "035",
    "50": "050",
    "178": "372",
    "36": "036",
    "361": "511",
    "94": "094",
}
# Element 1225 to element 353: what a message is to the ones before it.
PURPOSES = {"9": "00", "1": "01", "3": "03", "4": "04", "5": "05", "6": "06", "7": "07", "31": "00"}


@dataclass(frozen=True, slots=True)
class Parts:
    """A message as its head and one list of segments for each line."""

    head: list[Segment]
    blocks: list[list[Segment]]


def parts(document: TransactionSet, opening: str = "LIN") -> Parts:
    """Cuts at each `opening` segment; what follows UNS+S (the summary) is left out."""
    head: list[Segment] = []
    blocks: list[list[Segment]] = []
    for segment in document.segments[1:]:
        if segment.tag == "UNT" or (segment.tag == "UNS" and segment.value(1) != "D"):
            break
        if segment.tag == opening:
            blocks.append([])
        (blocks[-1] if blocks else head).append(segment)
    return Parts(head, blocks)


def first(segments: Iterable[Segment], tag: str, qualifier: str = "") -> Segment | None:
    """The first segment of `tag` whose qualifier (element 1, component 1) is `qualifier`, if one is named."""
    return next((s for s in segments if s.tag == tag and (not qualifier or s.value(1) == qualifier)), None)


def reference(segments: Iterable[Segment], *qualifiers: str) -> str:
    """The number (1154) of the first RFF of the first qualifier of `qualifiers` that occurs; empty without one."""
    found = {s.value(1): s.value(1, 2) for s in reversed(list(segments)) if s.tag == "RFF" and s.value(1, 2)}
    return next((found[qualifier] for qualifier in qualifiers if qualifier in found), "")


def references(segments: Iterable[Segment]) -> tuple[tuple[str, str], ...]:
    return tuple((s.value(1), s.value(1, 2)) for s in segments if s.tag == "RFF" and s.value(1, 2))


def order_line(block: list[Segment]) -> str:
    """The number of the line of our order: RFF ON with a line (1156), else RFF LI, else LIN itself (1082)."""
    for segment in block:
        if segment.tag == "RFF" and segment.value(1) == "ON" and segment.value(1, 3):
            return segment.value(1, 3)
    line = first(block, "RFF", "LI")
    if line is not None and (line.value(1, 2) or line.value(1, 3)):
        return line.value(1, 3) or line.value(1, 2)
    return block[0].value(1)


def items(block: list[Segment]) -> tuple[tuple[str, str], ...]:
    """(qualifier, number) pairs of LIN and of those PIA that name the same article (1 additional, 5 identification)."""
    found: list[tuple[str, str]] = []
    for segment in block:
        if segment.tag == "LIN" and segment.value(3):
            found.append((segment.value(3, 2), segment.value(3)))
        elif segment.tag == "PIA" and segment.value(1) in ("1", "5"):
            found.extend(article_pairs(segment))
    return tuple(found)


def article_pairs(pia: Segment) -> tuple[tuple[str, str], ...]:
    """(qualifier, number) pairs of a PIA segment."""
    places = range(2, min(len(pia.elements), 6) + 1)
    return tuple((pia.value(at, 2), pia.value(at)) for at in places if pia.value(at))


def quantity(qty: Segment, guide: PartnerGuide, notes: Notes, *, is_signed: bool = False) -> int | None:
    """Base units of a QTY segment, or None with an error noted; below zero only where `is_signed`."""
    text = qty.value(1, 2)
    places = (1, 2), (1, 3)
    return base_units(number(text), text, qty.value(1, 3), guide, notes, qty, places, is_signed=is_signed)


PACK_SIZE = "59"
"""List 6063: units in a traded unit."""


def pack_sizes(block: Iterable[Segment]) -> list[str]:
    """Units in a traded unit (QTY 59) as the line states them."""
    return [qty.value(1, 2) for qty in block if qty.tag == "QTY" and qty.value(1) == PACK_SIZE]


def note_unknown_quantities(block: Iterable[Segment], notes: Notes) -> None:
    """A kind of quantity that we do not know may be the one that matters."""
    for segment in block:
        if segment.tag == "QTY" and segment.value(1) and not is_quantity_kind(segment.value(1)):
            text = f"The kind of quantity {segment.value(1)!r} is not known"
            notes.warning("quantity_kind", text, segment, 1)


def x12_dates(segments: Iterable[Segment], notes: Notes | None = None) -> tuple[tuple[str, date], ...]:
    """(code of list 374, day) of all DTM segments whose meaning is known. Of 69 (promised) and 67 (scheduled), 69 counts."""
    found: list[tuple[str, date]] = []
    for segment in segments:
        if segment.tag != "DTM":
            continue
        on = dtm_day(segment)
        code = X12_DATES.get(segment.value(1))
        if on is None:
            text = segment.value(1, 2)
            if notes is not None and code and text and not is_unknown_date(text[:8]):
                notes.warning("date", f"{text!r} is not a date", segment, 1, 2)
        elif code is not None:
            found.append((code, on))
    promised = any(code == "069" for code, _ in found)
    return tuple((code, on) for code, on in found if not (promised and code == "067"))


def document_day(head: list[Segment], *qualifiers: str) -> date | None:
    """The day of the first DTM of `qualifiers` that has one."""
    for qualifier in qualifiers:
        dtm = first(head, "DTM", qualifier)
        if dtm is not None and (on := dtm_day(dtm)) is not None:
            return on
    return None


def party(head: list[Segment], *qualifiers: str) -> Party | None:
    """The first NAD of `qualifiers`. Name and street are joined where they were cut into components."""
    nad = next((found for q in qualifiers if (found := first(head, "NAD", q)) is not None), None)
    if nad is None:
        return None
    name = "".join(nad.elements[3]) if len(nad.elements) > 3 else ""
    street = tuple(part.strip() for part in (nad.elements[4] if len(nad.elements) > 4 else ()) if part.strip())
    return Party(
        name=name.strip() or nad.value(3),
        code=nad.value(2),
        address=street,
        city=nad.value(6),
        state=nad.value(7),
        postal_code=nad.value(8),
        country=nad.value(9),
    )


def number_of(document: TransactionSet) -> str:
    """The document's own number (BGM 1004)."""
    bgm = first(document.segments, "BGM")
    return bgm.value(2) if bgm is not None else ""


def purpose_of(bgm: Segment | None) -> str:
    """Element 1225 in the codes of X12 element 353; an unknown code stays as it is, an empty one is an original."""
    code = bgm.value(3) if bgm is not None else ""
    return PURPOSES.get(code, code) if code else "00"


def description(block: list[Segment]) -> str:
    """The text of the first IMD; text cut into components is joined."""
    imd = first(block, "IMD")
    texts = imd.elements[2][3:5] if imd is not None and len(imd.elements) > 2 else ()
    return "".join(texts).strip()
