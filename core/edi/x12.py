"""Reads X12: from normalised interchanges to groups and sets, with every fault of envelope, map and HL tree.

Counts and control references are checked here on the segments themselves. What a wrong one means is the partner's
policy (`interchanges.verdict`): a missing trailer is an error always, a wrong count or reference a warning.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace

from core.edi.decode_ta1 import NOTES
from core.edi.hierarchy import hierarchy_faults
from core.edi.interchanges import (
    Fault,
    Group,
    Interchange,
    Level,
    ReadResult,
    Repair,
    Segment,
    Severity,
    TransactionSet,
    fault,
    stray_text,
)
from core.edi.known_codes import is_interchange_version
from core.edi.map_validation import has_map, map_faults
from core.edi.normaliser import DEFAULT_LIMITS, Limits, RawInterchange, RawSegment, normalise
from core.edi.x12_faults import TIME, header_faults, trailer_faults
from core.edi.x12_totals import total_faults
from core.edi.x12_values import day, same_number

# Set identifier to the functional identifier of its group.
FUNCTIONAL_IDS = {
    "850": "PO",
    "855": "PR",
    "856": "SH",
    "860": "PC",
    "865": "CA",
    "846": "IB",
    "810": "IN",
    "940": "OW",
    "945": "SW",
    "861": "RC",
    "824": "AG",
    "214": "QM",
    "997": "FA",
    "999": "FA",
}


class X12Reader:
    """The X12 side of the reader port."""

    def __init__(self, limits: Limits = DEFAULT_LIMITS) -> None:
        self.limits = limits

    def read(self, data: bytes) -> ReadResult:
        normalised = normalise(data, self.limits)
        found = tuple(_Builder(data, raw, self.limits).build() for raw in normalised.interchanges)
        return ReadResult(found, normalised.faults)


@dataclass(slots=True)
class _OpenGroup:
    functional_id: str
    control: str
    version: str
    sender: str
    receiver: str
    sets: list[TransactionSet] = field(default_factory=list)
    controls: set[str] = field(default_factory=set)
    faults: list[Fault] = field(default_factory=list)
    claimed_sets: int | None = None


class _Builder:
    """Walks the segments of one interchange once and closes what they open."""

    def __init__(self, data: bytes, raw: RawInterchange, limits: Limits) -> None:
        self.data = data
        self.raw = raw
        self.limits = limits
        self.marks = raw.separators
        self.encoding = _encoding(data[raw.offset : raw.end])
        self.component = _decoded(self.marks.component, self.encoding)
        self.header = tuple(_decoded(value, self.encoding) for value in raw.header.elements)
        self.groups: list[Group] = []
        self.faults: list[Fault] = list(raw.faults)
        self.repairs: list[Repair] = list(raw.repairs)
        self.group: _OpenGroup | None = None
        self.body: list[Segment] = []
        self.answers: list[Segment] = []
        self.set_count = 0
        self.closed = False
        self.strays: list[Segment] = []
        self.group_controls: set[str] = set()

    def build(self) -> Interchange:
        usage = self.header[14].strip()
        if usage not in ("P", "T", "I"):
            text = f"ISA15 is {usage!r}: neither production (P) nor test (T)."
            found = fault(Level.INTERCHANGE, "020", text, None, Severity.ERROR if usage else Severity.WARNING)
            self.faults.append(
                replace(found, segment_number=1, segment="ISA", element=15, value=usage, offset=self.raw.offset)
            )
        self._check_header()
        for place, raw_segment in enumerate(self.raw.segments[1:], start=2):
            segment = self._parse(raw_segment, place)
            handler = _HANDLERS.get(segment.tag)
            if self.body and segment.tag not in ("ST", "SE", "GS", "GE", "IEA"):
                self.body.append(replace(segment, number=len(self.body) + 1))
            elif handler is not None:
                handler(self, segment)
            elif segment.tag == "TA1":
                self._answer(segment)
            elif segment.tag not in ("ISB", "ISE"):
                self.strays.append(segment)
        self._close_group(None)
        self._note_strays()
        if not self.closed:
            self._note("023", "The interchange has no IEA segment: it may be cut off.", None, Severity.ERROR)
            self.faults[-1] = replace(self.faults[-1], segment="IEA")
        elif not self.groups and not self.answers:
            self._note("022", "The interchange holds neither a group nor a TA1.", None)
        header = self.header
        return Interchange(
            standard="X12",
            sender_qualifier=header[4].strip(),
            sender_id=header[5].strip(),
            receiver_qualifier=header[6].strip(),
            receiver_id=header[7].strip(),
            control=header[12].strip(),
            usage=header[14].strip(),
            date=header[8].strip(),
            time=header[9].strip(),
            version=header[11].strip(),
            separators=self.marks,
            header=header,
            groups=tuple(self.groups),
            faults=tuple(self.faults),
            repairs=tuple(self.repairs),
            acknowledgement_requested=header[13].strip() == "1",
            raw=self.data[self.raw.offset : self.raw.end],
            offset=self.raw.offset,
            answers=tuple(self.answers),
        )

    def _check_header(self) -> None:
        """ISA: who speaks to whom, and under which number; TA1 note codes 005 to 008, 013, 014, 018."""
        header = [value.strip() for value in self.header]
        for at, code, name in ((5, "006", "sender"), (7, "008", "recipient")):
            if not header[at]:
                self._note_header(code, f"ISA{at + 1:02d} names no {name}.", at, Severity.WARNING)
        if not header[12]:
            self._note_header("018", "ISA13 is empty: the interchange has no control number.", 12, Severity.ERROR)
        elif not (header[12].isascii() and header[12].isdigit()):
            self._note_header(
                "018", f"ISA13 is {header[12]!r}: a control number has digits only.", 12, Severity.WARNING
            )
        if not (header[8].isascii() and header[8].isdigit() and day(header[8])):
            self._note_header("014", f"ISA09 is {header[8]!r}, which is not a date.", 8, Severity.WARNING)
        if not TIME.fullmatch(header[9]):
            self._note_header("015", f"ISA10 is {header[9]!r}, which is not a time.", 9, Severity.WARNING)
        if not is_interchange_version(header[11]):
            self._note_header("017", f"ISA12 is {header[11]!r}, which is no version of X12.", 11, Severity.WARNING)

    def _note_header(self, code: str, text: str, at: int, severity: Severity) -> None:
        found = fault(Level.INTERCHANGE, code, text, None, severity, at + 1, self.header[at].strip())
        self.faults.append(replace(found, segment_number=1, segment="ISA", offset=self.raw.offset))

    def _answer(self, segment: Segment) -> None:
        """TA1: number, date and time of an interchange of ours, verdict and note code."""
        self.answers.append(segment)
        said = segment.value(4)
        for element, name in ((1, "interchange"), (4, "verdict"), (5, "note code")):
            if not segment.value(element):
                # An acceptance needs no reason.
                severity = Severity.WARNING if element == 5 and said == "A" else Severity.ERROR
                self._note("022", f"TA1 names no {name}.", segment, severity, element)
        if said not in ("A", "E", "R", ""):
            self._note("022", f"TA1 has the verdict {said!r}, which is none.", segment, Severity.ERROR, 4, said)
        sent_on, note = segment.value(2), segment.value(5)
        if sent_on and day(sent_on) is None:
            text = f"TA1 names an interchange of {sent_on!r}, which is not a date."
            self._note("022", text, segment, Severity.WARNING, 2, sent_on)
        if note and note not in NOTES:
            self._note("022", f"TA1 has the note code {note!r}, which is none.", segment, Severity.WARNING, 5, note)

    def _parse(self, raw: RawSegment, number: int) -> Segment:
        text = _decoded(raw.text, self.encoding)
        tag, *elements = text.split(self.marks.element)
        component = self.component
        parts = tuple(tuple(value.split(component)) if component else (value,) for value in elements)
        name = tag.strip()
        if name != name.upper() and name.isascii():
            text = f"The tag {name[:10]!r} was written in small letters."
            self.repairs.append(Repair("lower_case_tag", raw.offset, text))
            name = name.upper()
        return Segment(name, parts, number, raw.offset, raw.end)

    def _open_group(self, segment: Segment) -> None:
        if self.group is not None:
            self._close_group(None)
        self._note_strays()
        group = _OpenGroup(segment.value(1), segment.value(6), segment.value(8), segment.value(2), segment.value(3))
        for element, name in ((1, "functional identifier"), (6, "control number")):
            if not segment.value(element):
                group.faults.append(fault(Level.GROUP, "6", f"GS names no {name}.", segment, element=element))
        group.faults.extend(header_faults(segment))
        if group.control and group.control in self.group_controls:
            text = f"Group control number {group.control} occurs twice in the interchange."
            group.faults.append(fault(Level.GROUP, "19", text, segment, element=6, value=group.control))
        self.group_controls.add(group.control)
        self.group = group

    def _open_set(self, segment: Segment) -> None:
        if self.body:
            self._close_set(None)
        self._note_strays()
        if self.group is None:
            self.group = _OpenGroup("", "", "", "", "")
            self.group.faults.append(
                fault(Level.GROUP, "3", "A transaction set stands outside of any GS group.", segment)
            )
        self.body = [Segment(segment.tag, segment.elements, 1, segment.offset, segment.end)]

    def _end_set(self, segment: Segment) -> None:
        if not self.body:
            self._end_headless(segment)
            return
        self.body.append(Segment(segment.tag, segment.elements, len(self.body) + 1, segment.offset, segment.end))
        self._close_set(self.body[-1])

    def _end_headless(self, trailer: Segment) -> None:
        """A set without its ST: it is a set of its own, so that it is refused and counted, and the others stand."""
        strays, self.strays = self.strays, []
        found = tuple(replace(segment, number=at) for at, segment in enumerate([*strays, trailer], start=1))
        if self.group is None or not strays:
            self._note("stray", "An SE segment ends a transaction set that was never begun.", trailer, Severity.ERROR)
            return
        text = f"Transaction set {trailer.value(2)} has no ST segment: it begins with {found[0].tag[:10]!r}."
        lost = replace(fault(Level.SET, "6", text, found[0]), segment="ST")
        raw = self.data[found[0].offset : trailer.end]
        self.set_count += 1
        self.group.sets.append(
            TransactionSet(
                kind="",
                control=trailer.value(2),
                version=self.group.version,
                segments=found,
                raw=raw,
                sha256=hashlib.sha256(raw).hexdigest(),
                faults=(lost,),
                sequence=self._sequence(),
                offset=found[0].offset,
            )
        )

    def _note_strays(self) -> None:
        """Segments between the sets: said once for a row of them. One that cannot be a tag may have been a frame."""
        strays, self.strays = self.strays, []
        if not strays:
            return
        self._note("stray", stray_text(strays, "transaction set"), strays[0])

    def _close_set(self, trailer: Segment | None) -> None:
        if self.group is None or not self.body:
            return
        segments, self.body = tuple(self.body), []
        opening = segments[0]
        kind, control = opening.value(1), opening.value(2)
        faults: list[Fault] = []
        if trailer is None:
            text = f"Transaction set {control} has no SE segment: it may be cut off."
            faults.append(fault(Level.SET, "2", text, opening))
        else:
            faults.extend(trailer_faults(control, len(segments), trailer))
        self.set_count += 1
        if self.set_count > self.limits.sets:
            faults.append(fault(Level.SET, "1", self.limits.too_many("transaction sets"), opening))
            segments = segments[:1]
        if control in self.group.controls:
            text = f"Control number {control} occurs twice in the group {self.group.control}."
            faults.append(fault(Level.SET, "23", text, opening, element=2, value=control))
        self.group.controls.add(control)
        expected = FUNCTIONAL_IDS.get(kind)
        if self.group.functional_id and expected not in (None, self.group.functional_id):
            text = f"A {kind} belongs into a group {expected}, not {self.group.functional_id}."
            faults.append(fault(Level.SET, "6", text, opening, Severity.WARNING, 1, kind))
        if has_map(kind):
            faults.extend(map_faults(kind, segments))
            faults.extend(total_faults(kind, segments))
        else:
            text = f"Transaction set {kind or '(empty)'} is not supported."
            faults.append(fault(Level.SET, "1", text, opening, element=1, value=kind))
        if kind == "856":
            faults.extend(hierarchy_faults(segments, self.limits.hierarchy_depth))
        raw = self.data[segments[0].offset : segments[-1].end]
        self.group.sets.append(
            TransactionSet(
                kind=kind,
                control=control,
                version=self.group.version,
                segments=segments,
                raw=raw,
                sha256=hashlib.sha256(raw).hexdigest(),
                faults=tuple(faults),
                sequence=self._sequence(),
                offset=opening.offset,
            )
        )

    def _sequence(self) -> str:
        """Sorts by interchange date and time, then control numbers (zero-padded), then place in the file; as EDIFACT does."""
        on = self.header[8].strip()
        century = "" if len(on) != 6 else "20" if on < "50" else "19"
        group = self.group.control if self.group else ""
        place = f"{self.set_count:06d}"
        time = "".join(mark for mark in self.header[9] if mark.isdecimal())
        return f"{century}{on}T{time:0<6}-{self.header[12].strip():0>14}-{group:0>14}-{place}"

    def _end_group(self, segment: Segment) -> None:
        if self.group is None:
            self._note("stray", "A GE segment ends a group that was never begun.", segment, Severity.ERROR)
            return
        self._close_group(segment)

    def _close_group(self, trailer: Segment | None) -> None:
        self._close_set(None)
        group, self.group = self.group, None
        if group is None:
            return
        count = len(group.sets)
        if not count:
            text = f"Group {group.control} holds no transaction set."
            group.faults.append(fault(Level.GROUP, "5", text, trailer, Severity.WARNING))
        if trailer is None:
            found = fault(Level.GROUP, "3", f"Group {group.control} has no GE segment.", None)
            group.faults.append(replace(found, segment="GE"))
        else:
            claimed = trailer.value(1)
            group.claimed_sets = int(claimed) if claimed.isdecimal() and len(claimed) < 10 else None
            if group.claimed_sets != count:
                text = f"GE01 says {claimed!r} transaction sets; {count} came."
                group.faults.append(fault(Level.GROUP, "5", text, trailer, Severity.WARNING, 1, claimed))
            if not same_number(group.control, trailer.value(2)):
                text = f"GE02 is {trailer.value(2)!r}, GS06 is {group.control!r}."
                group.faults.append(fault(Level.GROUP, "4", text, trailer, Severity.WARNING, 2, trailer.value(2)))
        self.groups.append(
            Group(
                group.functional_id,
                group.control,
                group.version,
                group.sender,
                group.receiver,
                tuple(group.sets),
                tuple(group.faults),
                group.claimed_sets,
            )
        )

    def _end_interchange(self, segment: Segment) -> None:
        self._close_group(None)
        self.closed = True
        claimed, control = segment.value(1), segment.value(2)
        ours = self.header[12].strip()
        # TA1 interchanges have no groups: IEA01 is 0 or, by habit, 1.
        if self.raw.is_unterminated and _is_cut(control, ours, self.marks.segment):
            self._note("023", "The file ends inside its IEA segment: it is cut off.", segment, Severity.ERROR)
            return
        if not same_number(claimed, str(len(self.groups))) and not (self.answers and not self.groups):
            text = f"IEA01 says {claimed!r} groups; {len(self.groups)} came."
            self._note("021", text, segment, element=1, value=claimed)
        if not same_number(control, ours):
            self._note("001", f"IEA02 is {control!r}, ISA13 is {ours!r}.", segment, element=2, value=control)

    def _note(
        self,
        code: str,
        message: str,
        segment: Segment | None,
        severity: Severity = Severity.WARNING,
        element: int | None = None,
        value: str = "",
    ) -> None:
        self.faults.append(fault(Level.INTERCHANGE, code, message, segment, severity, element, value))


def _is_cut(control: str, ours: str, terminator: str) -> bool:
    """Whether a last segment without terminator ends before its time. Where lines end segments, the last line end is
    often left out, and only a number that is too short tells."""
    if same_number(control, ours) and not (control != ours and ours.startswith(control)):
        return False
    return terminator not in "\r\n" or len(control) < len(ours)


_HANDLERS = {
    "GS": _Builder._open_group,
    "ST": _Builder._open_set,
    "SE": _Builder._end_set,
    "GE": _Builder._end_group,
    "IEA": _Builder._end_interchange,
}


def _decoded(text: str, encoding: str) -> str:
    return text if encoding == "latin-1" else text.encode("latin-1").decode(encoding, "replace")


def _encoding(data: bytes) -> str:
    """UTF-8 where the bytes are valid UTF-8 beyond ASCII, else latin-1: X12 itself names no character set."""
    try:
        return "latin-1" if data.isascii() or not data.decode("utf-8") else "utf-8"
    except UnicodeDecodeError:
        return "latin-1"
