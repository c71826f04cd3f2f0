"""What all decoders share: faults with their place, quantities in base units, items by qualifier, dates by rank."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from decimal import Decimal

from core.edi.guide import PartnerGuide
from core.edi.interchanges import Fault, Level, Segment, Severity, TransactionSet
from core.edi.x12_values import day, decimal, is_unknown_date

BUYER_ITEM = ("BP", "IN", "SK", "CB", "PI")
VENDOR_ITEM = ("VP", "VN", "VC", "VA")
GTIN_ITEM = ("UP", "EN", "UK", "UA", "UI", "EO", "GT")

# List 374, best first: schedule before promise before estimate. 002, 010, 001 and the like are our own wishes echoed.
DELIVERY_DATES = ("067", "069", "078", "070", "017", "371")
SHIP_DATES = ("068", "079", "086")
PACK_UNITS = frozenset(("BA", "BD", "BE", "BG", "BO", "BX", "CA", "CN", "CR", "CS", "CT", "DR", "KT", "NMP"))
PACK_UNITS |= {"PA", "PK", "RL", "RO", "SL", "TB", "TY"}
"""Packs of base units, in both standards; what is on a pallet may be counted in packs."""
_SINGLE_UNITS = ("", "EA", "UN", "PC", "PCE", "ZZ", "C62", "H87", "NAR")


class RawUnits(dict[str, int]):
    """A unit map for looking at documents before any factor is known: every quantity is as it was sent."""

    def get(self, key: str, default: object = None) -> int:  # type: ignore[override]
        return 1


class CountedUnits(dict[str, int]):
    """A unit map beside which we count articles in packs ourselves (`counted`): a line's pack size says nothing of those."""

    counted: frozenset[str] = frozenset()


class Notes:
    """Collects the faults of one decoding."""

    def __init__(self, document: TransactionSet) -> None:
        self.kind = document.kind
        self.segments = document.segments
        self.faults: list[Fault] = []
        self._said: set[Fault] = set()

    def error(
        self, code: str, message: str, segment: Segment | None, element: int | None = None, component: int = 1
    ) -> None:
        self._add(Severity.ERROR, code, message, segment, element, component)

    def warning(
        self, code: str, message: str, segment: Segment | None, element: int | None = None, component: int = 1
    ) -> None:
        self._add(Severity.WARNING, code, message, segment, element, component)

    @property
    def failed(self) -> bool:
        return any(fault.severity is Severity.ERROR for fault in self.faults)

    def _add(
        self, severity: Severity, code: str, message: str, segment: Segment | None, element: int | None, component: int
    ) -> None:
        fault = Fault(
            Level.BUSINESS,
            severity,
            code,
            message if segment is None else f"{message} (segment {segment.number}, {segment.tag}).",
            segment.number if segment else None,
            segment.tag if segment else "",
            element,
            component if component > 1 else None,
            segment.value(element, component) if segment and element else "",
            offset=segment.offset if segment else None,
        )
        # A mark around many lines is looked at with each of them, and said once.
        if fault not in self._said:
            self._said.add(fault)
            self.faults.append(fault)


def quantity(
    segment: Segment, element: int, unit: str, guide: PartnerGuide, notes: Notes, *, is_signed: bool = False
) -> int | None:
    """Base units at `element`: None where it is empty, or, with an error noted, where it is no whole count.

    Only where `is_signed` may it be below zero: what is given back, stock that is owed.
    """
    text = segment.value(element)
    if not text:
        return None
    behind = (at for at in range(element + 1, element + 4) if segment.value(at) == unit)
    places = (element, 1), (next(behind, element + 1), 1)
    return base_units(decimal(text), text, unit, guide, notes, segment, places, is_signed=is_signed)


def with_pack_size(guide: PartnerGuide, unit: str, sizes: Iterable[str]) -> PartnerGuide:
    """The guide, with what the line itself says of its packs where the guide has no factor for them: articles differ.

    `sizes` are the units in a pack as sent (PO401, QTY 59); several that differ, or none above 1, say nothing.
    """
    known_to_guide = unit in guide.unit_map or isinstance(guide.unit_map, RawUnits)
    if known_to_guide or unit not in PACK_UNITS:
        return guide
    if isinstance(guide.unit_map, CountedUnits) and unit in guide.unit_map.counted:
        return guide
    known = {int(text) for text in sizes if text.isascii() and text.isdecimal() and len(text) < 7} - {0, 1}
    if len(known) != 1:
        return guide
    return replace(guide, unit_map={**guide.unit_map, unit: known.pop()})


def x12_pack_sizes(block: Iterable[Segment]) -> list[str]:
    """Units in a pack as the line states them (PO401); of packs within packs (PO414) it counts those, and says nothing."""
    sizes = [segment for segment in block if segment.tag == "PO4"]
    return [] if any(s.value(14) not in ("", "0", "1") for s in sizes) else [s.value(1) for s in sizes]


def warehouse_pack_sizes(block: Iterable[Segment]) -> list[str]:
    """Units in a pack as a line of a warehouse's document states them (W2001, else PO401)."""
    block = list(block)
    return [segment.value(1) for segment in block if segment.tag == "W20" and segment.value(1)] or x12_pack_sizes(block)


def base_units(
    number: Decimal | None,
    text: str,
    unit: str,
    guide: PartnerGuide,
    notes: Notes,
    segment: Segment,
    places: tuple[tuple[int, int], tuple[int, int]],
    *,
    is_signed: bool = False,
) -> int | None:
    """`number` of `unit` in base units, or None with an error noted; `places` are element and component of both."""
    factor = guide.unit_map.get(unit, 1 if unit in _SINGLE_UNITS else None)
    if number is None or (number < 0 and not is_signed) or number.adjusted() > 8:
        notes.error("quantity", f"{text!r} is not a quantity", segment, *places[0])
        return None
    if factor is None:
        notes.error("unit", f"The partner's guide has no factor for the unit {unit!r}", segment, *places[1])
        return None
    units = number * factor
    if units != units.to_integral_value():
        notes.error("quantity", f"{text} {unit} is not a whole number of base units", segment, *places[0])
        return None
    return int(units)


def price_per_unit(price: Decimal | None, unit: str, guide: PartnerGuide) -> Decimal | None:
    """A price as it stands in a line, for one base unit; None where the unit has no factor."""
    factor = guide.unit_map.get(unit, 1 if unit in _SINGLE_UNITS else None)
    return None if price is None or not factor else price / factor


def item(pairs: Iterable[tuple[str, str]], qualifiers: tuple[str, ...]) -> str:
    """The identifier of the first qualifier of `qualifiers` that occurs, else empty."""
    known = dict(reversed(list(pairs)))
    return next((known[qualifier] for qualifier in qualifiers if qualifier in known), "")


def our_line(pairs: Iterable[tuple[str, str]], block: Iterable[Segment], guide: PartnerGuide, otherwise: str) -> str:
    """The number of our line: a pair that is one (235 PL), the reference that the guide names (REF01), else `otherwise`."""
    code = guide.line_reference
    said = (s.value(2) for s in block if s.tag in ("REF", "N9") and s.value(1) == code and s.value(2)) if code else ()
    return item(pairs, ("PL",)) or next(iter(said), "") or otherwise


def dates(segments: Iterable[Segment], tag: str = "DTM") -> tuple[tuple[str, date], ...]:
    """(qualifier, day) of all DTM segments; unknown days (9999..., 00000000) are left out."""
    found = ((segment.value(1), _day_of(segment)) for segment in segments if segment.tag == tag)
    return tuple((qualifier, on) for qualifier, on in found if on is not None)


def _day_of(dtm: Segment) -> date | None:
    """DTM02, else the day of DTM06, of a range (RD8) its end; before 4010 both stand one element later."""
    at = 5 if dtm.value(5) in ("D8", "RD8") else 6
    return day(dtm.value(2)) or (day(dtm.value(at + 1).rpartition("-")[2]) if dtm.value(at) in ("D8", "RD8") else None)


def best_date(known: Iterable[tuple[str, date]], ranking: tuple[str, ...]) -> tuple[str, date] | None:
    """The (qualifier, day) that ranks first; of several with one qualifier the last day."""
    by_qualifier: dict[str, date] = {}
    for qualifier, on in known:
        by_qualifier[qualifier] = max(on, by_qualifier.get(qualifier, on))
    return next(((qualifier, by_qualifier[qualifier]) for qualifier in ranking if qualifier in by_qualifier), None)


def check_date(segment: Segment, element: int, notes: Notes) -> date | None:
    """The day at `element`; what is neither a day nor a way of saying "unknown" is noted."""
    text = segment.value(element)
    on = day(text)
    if on is None and text and not is_unknown_date(text):
        notes.warning("date", f"{text!r} is not a date", segment, element)
    return on
