"""Gathers what a partner's sample files show: who writes, how, with which codes, and how lines are named and split."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace

from core.edi.change_documents import ChangeAcknowledgement
from core.edi.decoders import DECODERS
from core.edi.decoding import RawUnits
from core.edi.documents import Acknowledgement, PurchaseOrderDocument, ShipNotice
from core.edi.guide import DEFAULT_GUIDE, PartnerGuide
from core.edi.interchanges import Interchange, Segment, TransactionSet, Verdict, verdict
from core.edi.learn_lines import AnsweredLine, OurLine, SentLine, Shipments
from core.edi.reader import read

# What we send to a partner; all else is written by the partner. Acknowledgements go both ways and tell nothing.
OURS = ("850", "860", "940", "ORDERS", "ORDCHG")
_BOTH = ("997", "999", "CONTRL")
SINGLE_UNITS = ("", "EA", "UN", "PC", "PCE", "ZZ", "C62", "H87", "NAR")


@dataclass(frozen=True, slots=True)
class Partner:
    """Addresses of both ends as the envelopes have them."""

    standard: str
    qualifier: str
    interchange_id: str
    our_qualifier: str
    our_interchange_id: str


@dataclass(slots=True)
class Evidence:
    """Counts over all files of the samples; `faults` are sentences of reading by their code; `directories` are those of each kind of
    message of EDIFACT, each with the code of the subset, `groups` the versions of each kind of X12."""

    files: int = 0
    unread: list[str] = field(default_factory=list)
    partners: Counter[Partner] = field(default_factory=Counter)
    group_ids: dict[Partner, Counter[tuple[str, str]]] = field(default_factory=lambda: defaultdict(Counter))
    separators: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)
    versions: Counter[str] = field(default_factory=Counter)
    interchange_versions: Counter[str] = field(default_factory=Counter)
    usages: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    verdicts: Counter[tuple[str, str]] = field(default_factory=Counter)
    faults: Counter[tuple[str, str]] = field(default_factory=Counter)
    repairs: Counter[str] = field(default_factory=Counter)
    codes: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    units: Counter[str] = field(default_factory=Counter)
    pack_sizes: dict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    answered: list[AnsweredLine] = field(default_factory=list)
    ordered: dict[str, list[OurLine]] = field(default_factory=dict)
    directories: dict[str, Counter[tuple[str, str]]] = field(default_factory=lambda: defaultdict(Counter))
    groups: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    shipments: Shipments = field(default_factory=Shipments)
    controls: dict[Partner, list[tuple[str, str]]] = field(default_factory=lambda: defaultdict(list))


# Where codes stand: (segment, element, component) to the name of the list.
_CODES = {
    ("BAK", 2, 1): "header",
    ("ACK", 1, 1): "line_status",
    ("BCA", 2, 1): "header",
    ("POC", 2, 1): "line_change",
    ("BSN", 1, 1): "purpose",
    ("DTM", 1, 1): "date",
    ("G62", 1, 1): "date_432",
    ("QTY", 1, 1): "quantity",
    ("AT7", 1, 1): "shipment_status",
    ("W12", 1, 1): "warehouse_status",
    ("MAN", 1, 1): "marks",
    ("RFF", 1, 1): "reference",
    ("REF", 1, 1): "reference",
    ("STS", 2, 1): "shipment_status",
    ("GIN", 1, 1): "marks",
    ("QVR", 2, 1): "variance",
}
_UNITS = {"PO1": 3, "SN1": 3, "POC": 5, "W12": 5, "W01": 2, "IT1": 3, "ACK": 3, "QTY": 3}
_ITEM_PAIRS = {"PO1": 6, "POC": 8, "LIN": 2, "IT1": 6}


def gather(files: list[tuple[str, bytes]], guide: PartnerGuide = DEFAULT_GUIDE) -> Evidence:
    """What the files show under `guide`; a file that cannot be read is named, and the others are still looked at."""
    evidence = Evidence()
    for name, data in files:
        evidence.files += 1
        found = read(data)
        if not any(group.sets for interchange in found.interchanges for group in interchange.groups):
            why = next((fault.message for fault in found.faults), "It holds no document.")
            evidence.unread.append(f"{name}: {why}")
        for interchange in found.interchanges:
            partner = _look_at_envelope(evidence, interchange)
            for group in interchange.groups:
                for document in group.sets:
                    ours = document.kind in OURS
                    if partner is not None and group.sender and group.receiver and document.kind not in _BOTH:
                        ids = (group.receiver, group.sender) if ours else (group.sender, group.receiver)
                        evidence.group_ids[partner][ids] += 1
                    _look_at_set(evidence, interchange, document, guide)
    return evidence


def _look_at_envelope(evidence: Evidence, interchange: Interchange) -> Partner | None:
    """The partner of this interchange; None where it holds nothing but acknowledgements."""
    marks = interchange.separators
    evidence.interchange_versions[interchange.version] += 1
    evidence.usages[interchange.usage] += 1
    evidence.faults.update((fault.code, fault.message) for fault in interchange.faults)
    evidence.repairs.update(repair.code for repair in interchange.repairs)
    kinds = {document.kind for group in interchange.groups for document in group.sets} - set(_BOTH)
    if not kinds:
        return None
    sender = (interchange.sender_qualifier, interchange.sender_id)
    receiver = (interchange.receiver_qualifier, interchange.receiver_id)
    if kinds <= set(OURS):
        partner = Partner(interchange.standard, *receiver, *sender)
    else:
        partner = Partner(interchange.standard, *sender, *receiver)
        evidence.separators[(marks.element, marks.component, marks.segment, marks.repetition)] += 1
        evidence.controls[partner].append((f"{interchange.date}{interchange.time}", interchange.control))
    evidence.partners[partner] += 1
    return partner


def _look_at_set(evidence: Evidence, interchange: Interchange, document: TransactionSet, guide: PartnerGuide) -> None:
    evidence.kinds[document.kind] += 1
    evidence.versions[document.version] += 1
    judged = verdict(document.faults)
    evidence.verdicts[document.kind, judged.value] += 1
    evidence.faults.update((fault.code, fault.message) for fault in document.faults)
    if interchange.standard == "EDIFACT" and document.kind not in _BOTH:
        association = document.segments[0].value(2, 5)
        evidence.directories[document.kind][document.version, association] += 1
    elif interchange.standard == "X12" and document.kind not in _BOTH:
        evidence.groups[document.kind][document.version] += 1
    unit = ""
    for segment in document.segments:
        unit = _look_at_segment(evidence, segment, interchange.standard, unit)
    decode = DECODERS.get(document.kind)
    if decode is None or judged is Verdict.REJECTED:
        return
    found = decode(document, replace(guide, unit_map=RawUnits())).document
    place = sum(evidence.kinds.values())
    if isinstance(found, ChangeAcknowledgement):
        found = found.acknowledgement
    if isinstance(found, Acknowledgement):
        evidence.answered += [AnsweredLine(place, found.po_number, line) for line in found.lines]
    elif isinstance(found, PurchaseOrderDocument):
        evidence.ordered[found.number] = [OurLine.of(line) for line in found.lines]
    elif isinstance(found, ShipNotice):
        lines = [SentLine.of(place, order.po_number, line) for order in found.orders for line in order.lines]
        evidence.shipments.add(found, lines)


def _look_at_segment(evidence: Evidence, segment: Segment, standard: str, unit: str) -> str:
    """Counts what the segment shows; the unit of the line that it belongs to comes in and goes out."""
    tag = segment.tag
    for element in (1, 2):
        name = _CODES.get((tag, element, 1))
        if name is not None and segment.value(element):
            evidence.codes[name][segment.value(element)] += 1
    if standard == "EDIFACT":
        _look_at_edifact(evidence, segment)
        return ""
    if tag in _ITEM_PAIRS:
        evidence.codes["item"].update(qualifier for qualifier, _ in segment.pairs(_ITEM_PAIRS[tag], 31))
    unit_at = _UNITS.get(tag)
    if unit_at is not None and segment.value(unit_at):
        evidence.units[segment.value(unit_at)] += 1
        unit = segment.value(unit_at)
    # PO401 packs of PO402 size in PO403; only a pack count says how many single units a pack of the line holds.
    if tag == "PO4" and segment.value(1).isdecimal() and len(segment.value(1)) < 7:
        evidence.pack_sizes["CA" if unit in SINGLE_UNITS else unit][int(segment.value(1))] += 1
    return unit


def _look_at_edifact(evidence: Evidence, segment: Segment) -> None:
    tag = segment.tag
    if tag == "BGM":
        evidence.codes["header"][segment.value(3)] += 1
    elif tag == "LIN":
        evidence.codes["line_status"][segment.value(2)] += 1
        if segment.value(3):
            evidence.codes["item"][segment.value(3, 2)] += 1
    elif tag == "PIA":
        evidence.codes["item"].update(segment.value(at, 2) for at in range(2, 7) if segment.value(at))
    elif tag == "QTY":
        if segment.value(1) == "59" and segment.value(1, 2).isdecimal() and len(segment.value(1, 2)) < 7:
            evidence.pack_sizes[segment.value(1, 3) or "CT"][int(segment.value(1, 2))] += 1
        elif segment.value(1, 3):
            evidence.units[segment.value(1, 3)] += 1
