"""Reads UN/EDIFACT: from cut segments to groups and messages, with every fault of envelope and message.

Counts and control references are checked here on the segments themselves. Codes are those of CONTRL (list 0085). What a
wrong count or reference means is the partner's policy (`interchanges.verdict`); a missing trailer is an error always.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace

from core.edi.edifact_faults import CHARACTER_SETS, trailer_faults, version_faults, warning
from core.edi.edifact_messages import KINDS, message_faults
from core.edi.edifact_segments import RawBlock, cut_blocks, split_segment
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
from core.edi.normaliser import DEFAULT_LIMITS, Limits, RawSegment
from core.edi.x12_faults import TIME
from core.edi.x12_values import day, same_number


class EdifactReader:
    """The EDIFACT side of the reader port."""

    def __init__(self, limits: Limits = DEFAULT_LIMITS) -> None:
        self.limits = limits

    def read(self, data: bytes) -> ReadResult:
        if len(data) > self.limits.file_bytes:
            text = f"The file has {len(data)} bytes; {self.limits.file_bytes} are allowed."
            return ReadResult((), (Fault(Level.FILE, Severity.ERROR, "size", text),))
        blocks, faults = cut_blocks(data, self.limits)
        return ReadResult(tuple(_Builder(data, block, self.limits).build() for block in blocks), faults)


@dataclass(slots=True)
class _OpenGroup:
    opening: Segment | None
    messages: list[TransactionSet] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    claimed: int | None = None


class _Builder:
    """Walks the segments of one interchange once and closes what they open."""

    def __init__(self, data: bytes, block: RawBlock, limits: Limits) -> None:
        self.data = data
        self.block = block
        self.limits = limits
        self.encoding = "iso8859-1"
        self.repairs: list[Repair] = list(block.repairs)
        self.faults: list[Fault] = list(block.faults)
        self.groups: list[Group] = []
        self.group: _OpenGroup | None = None
        self.body: list[Segment] = []
        self.references: set[str] = set()
        self.group_references: set[str] = set()
        self.strays: list[Segment] = []
        self.message_count = 0
        self.explicit_groups = 0
        self.closed = False
        self.header = Segment("UNB", (), 0, block.offset, block.end)

    def build(self) -> Interchange:
        raws = list(self.block.segments)
        opening = self._parse(raws[0], 1) if raws else self.header
        if raws and opening.tag == "UNB":
            self.header = opening
            raws.pop(0)
            self._check_header()
        else:
            self._note(
                "13", "The messages stand in no interchange: there is no UNB segment.", None, Severity.ERROR, tag="UNB"
            )
        for place, raw in enumerate(raws, start=2):
            segment = self._parse(raw, place)
            handler = _HANDLERS.get(segment.tag)
            if handler is not None:
                handler(self, segment)
            elif self.body:
                self.body.append(self._placed(segment))
            else:
                self.strays.append(segment)
        self._close_group(None)
        self._note_strays()
        self._check_end()
        head = self.header
        return Interchange(
            standard="EDIFACT",
            sender_qualifier=head.value(2, 2),
            sender_id=head.value(2),
            receiver_qualifier=head.value(3, 2),
            receiver_id=head.value(3),
            control=head.value(5),
            usage="T" if head.value(11) == "1" else "P",
            date=head.value(4),
            time=head.value(4, 2),
            version=":".join(part for part in (head.value(1), head.value(1, 2)) if part),
            separators=self.block.marks.separators(),
            header=tuple(":".join(parts) for parts in head.elements),
            groups=tuple(self.groups),
            faults=tuple(self.faults),
            repairs=tuple(self.repairs),
            acknowledgement_requested=head.value(9) == "1",
            raw=self.data[self.block.offset : self.block.end],
            offset=self.block.offset,
        )

    def _parse(self, raw: RawSegment, number: int) -> Segment:
        text = raw.text
        if not text.isascii():
            text = text.encode("latin-1").decode(self.encoding, "replace")
        (tag, *_), *elements = (parts := split_segment(text, self.block.marks))[0]
        name = tag.strip()
        if name != name.upper() and name.isascii():
            self.repairs.append(
                Repair("lower_case_tag", raw.offset, f"The tag {name[:6]!r} was written in small letters.")
            )
            name = name.upper()
        return Segment(name, tuple(map(tuple, elements)), number, raw.offset, raw.end, tuple(parts[1]))

    def _placed(self, segment: Segment) -> Segment:
        place = len(self.body) + 1
        return Segment(segment.tag, segment.elements, place, segment.offset, segment.end, segment.repeats)

    def _check_header(self) -> None:
        head = self.header
        syntax, version = head.value(1), head.value(1, 2)
        text = self.data[self.block.offset : self.block.end]
        self.encoding = CHARACTER_SETS.get(syntax, "iso8859-1")
        if not syntax or not version:
            text_ = "UNB names no syntax identifier and version."
            self._note("13", text_, head, Severity.ERROR, 1)
        elif syntax not in CHARACTER_SETS:
            self._note("46", f"The character set {syntax!r} is not known; it is read as ISO 8859-1.", head, element=1)
        if version and version not in ("1", "2", "3", "4"):
            self._note("2", f"Syntax version {version!r} is not supported.", head, Severity.ERROR, 1, version)
        if not text.isascii() and self.encoding in ("ascii", "utf-8"):
            self._settle_encoding(text, syntax)
        elif not text.isascii():
            self.header = self._parse(self.block.segments[0], 1)
        for element, name in ((2, "sender"), (3, "recipient"), (4, "date")):
            if not head.value(element):
                self._note("13", f"UNB names no {name}.", head, element=element)
        sent_on = head.value(4)
        if sent_on and day(sent_on) is None:
            self._note(
                "12", f"UNB says that it was made on {sent_on!r}, which is not a date.", head, element=4, value=sent_on
            )
        sent_at = head.value(4, 2)
        if sent_at and not TIME.fullmatch(sent_at):
            text_ = f"UNB says that it was made at {sent_at!r}, which is not a time."
            self._note("12", text_, head, element=4, value=sent_at)
        if not head.value(5):
            self._note("13", "UNB has no control reference (0020).", head, Severity.ERROR, 5)

    def _settle_encoding(self, text: bytes, syntax: str) -> None:
        """Bytes beyond the declared set are read as UTF-8 where they are valid UTF-8, else as ISO 8859-1."""
        try:
            text.decode("utf-8")
            actual = "utf-8"
        except UnicodeDecodeError:
            actual = "iso8859-1"
        if self.encoding != actual:
            message = f"{syntax} does not allow some of the characters; the interchange is read as {actual}."
            self._note("21", message, self.header, element=1, value=syntax)
        self.encoding = actual
        self.header = self._parse(self.block.segments[0], 1)

    def _open_header(self, segment: Segment) -> None:
        self._note("33", "A UNB segment stands inside an interchange.", segment, Severity.ERROR)

    def _open_group(self, segment: Segment) -> None:
        if self.group is not None:
            self._close_group(None)
        self._note_strays()
        self.explicit_groups += 1
        self.group = _OpenGroup(segment)
        reference = segment.value(5)
        if not reference:
            self.group.faults.append(fault(Level.GROUP, "13", "UNG has no reference (0048).", segment, element=5))
        elif reference in self.group_references:
            text = f"The group reference {reference!r} occurs twice in the interchange."
            self.group.faults.append(fault(Level.GROUP, "26", text, segment, element=5, value=reference))
        self.group_references.add(reference)
        # Messages are told apart by their group as well.
        self.references = set()

    def _open_message(self, segment: Segment) -> None:
        self._close_message(None)
        self._note_strays()
        if self.group is None:
            self.group = _OpenGroup(None)
            if self.explicit_groups:
                self._note("30", "Some messages stand in groups, some do not.", segment)
        self.body = [self._placed(segment)]

    def _end_message(self, segment: Segment) -> None:
        if not self.body:
            self._end_headless(segment)
            return
        self.body.append(self._placed(segment))
        self._close_message(self.body[-1])

    def _end_headless(self, trailer: Segment) -> None:
        """A message without its UNH: it is a message of its own, so that it is refused and counted, and the others stand."""
        strays, self.strays = self.strays, []
        if not strays:
            text = "A UNT segment ends a message that was never begun."
            self._note("33", text, trailer, Severity.ERROR)
            return
        if self.group is None:
            self.group = _OpenGroup(None)
        found = tuple(replace(segment, number=at) for at, segment in enumerate([*strays, trailer], start=1))
        text = f"Message {trailer.value(2)} has no UNH segment: it begins with {found[0].tag[:6]!r}."
        lost = replace(fault(Level.SET, "13", text, found[0]), segment="UNH")
        raw = self.data[found[0].offset : trailer.end]
        self.message_count += 1
        group = self.group.opening.value(5) if self.group.opening is not None else ""
        self.group.messages.append(
            TransactionSet(
                kind="",
                control=trailer.value(2),
                version="",
                segments=found,
                raw=raw,
                sha256=hashlib.sha256(raw).hexdigest(),
                faults=(lost,),
                sequence=self._sequence(group),
                offset=found[0].offset,
            )
        )

    def _note_strays(self) -> None:
        """Segments between the messages: said once for a row of them."""
        strays, self.strays = self.strays, []
        if not strays:
            return
        self._note("15", stray_text(strays, "message"), strays[0])

    def _close_message(self, trailer: Segment | None) -> None:
        if self.group is None or not self.body:
            return
        segments, self.body = tuple(self.body), []
        opening = segments[0]
        reference, kind = opening.value(1), opening.value(2)
        faults: list[Fault] = []
        self.message_count += 1
        if self.message_count > self.limits.sets:
            faults.append(fault(Level.SET, "35", self.limits.too_many("messages"), opening))
            segments = segments[:1]
        elif trailer is None:
            text = f"Message {reference} has no UNT segment: it may be cut off."
            faults.append(fault(Level.SET, "13", text, opening))
        else:
            faults.extend(trailer_faults(reference, len(segments), trailer))
        if not reference:
            faults.append(fault(Level.SET, "13", "UNH has no message reference (0062).", opening, element=1))
        if not kind:
            text = "UNH names no message type (0065)."
            faults.append(fault(Level.SET, "13", text, opening, element=2, component=1))
        if kind:
            faults.extend(version_faults(opening))
        if reference in self.references:
            where = "the interchange" if self.group.opening is None else "the group"
            text = f"The message reference {reference!r} occurs twice in {where}."
            faults.append(fault(Level.SET, "26", text, opening, element=1, value=reference))
        self.references.add(reference)
        if kind in KINDS:
            faults.extend(message_faults(kind, segments))
        elif kind:
            text = f"Messages of type {kind[:20]!r} are not supported."
            faults.append(fault(Level.SET, "14", text, opening, element=2, value=kind[:40], component=1))
        raw = self.data[segments[0].offset : segments[-1].end]
        group = self.group.opening.value(5) if self.group.opening is not None else ""
        self.group.messages.append(
            TransactionSet(
                kind=kind,
                control=reference,
                version=opening.value(2, 2) + opening.value(2, 3),
                segments=segments,
                raw=raw,
                sha256=hashlib.sha256(raw).hexdigest(),
                faults=tuple(faults),
                sequence=self._sequence(group),
                offset=opening.offset,
            )
        )

    def _sequence(self, group: str) -> str:
        """Sorts by interchange date and time, then control references (zero-padded), then place in the file."""
        on, time = self.header.value(4), self.header.value(4, 2)
        century = "" if len(on) != 6 else "20" if on < "50" else "19"
        return f"{century}{on}T{time:0<6}-{self.header.value(5):0>14}-{group:0>14}-{self.message_count:06d}"

    def _end_group(self, segment: Segment) -> None:
        if self.group is None or self.group.opening is None:
            self._close_message(None)
            self._note("33", "A UNE segment ends a group that was never begun.", segment, Severity.ERROR)
            return
        self._close_group(segment)

    def _close_group(self, trailer: Segment | None) -> None:
        self._close_message(None)
        group, self.group = self.group, None
        if group is None:
            return
        opening = group.opening
        reference = opening.value(5) if opening is not None else self.header.value(5)
        if opening is not None:
            self._check_group(group, opening, trailer)
        elif len({message.kind for message in group.messages}) == 0:
            return
        self.groups.append(
            Group(
                functional_id=opening.value(1) if opening is not None else "",
                control=reference,
                version=opening.value(7) + opening.value(7, 2) if opening is not None else "",
                sender=opening.value(2) if opening is not None else self.header.value(2),
                receiver=opening.value(3) if opening is not None else self.header.value(3),
                sets=tuple(group.messages),
                faults=tuple(group.faults),
                claimed_sets=group.claimed,
            )
        )

    def _check_group(self, group: _OpenGroup, opening: Segment, trailer: Segment | None) -> None:
        reference, count = opening.value(5), len(group.messages)
        if trailer is None:
            text = f"Group {reference} has no UNE segment: it may be cut off."
            group.faults.append(fault(Level.GROUP, "13", text, opening))
        else:
            claimed = trailer.value(1)
            group.claimed = int(claimed) if claimed.isdecimal() and claimed.isascii() and len(claimed) < 10 else None
            if group.claimed != count:
                text = f"UNE says {claimed!r} messages; {count} came."
                group.faults.append(warning(Level.GROUP, "29", text, trailer, 1, claimed))
            if trailer.value(2) != reference:
                text = f"The reference of UNE is {trailer.value(2)!r}, that of UNG is {reference!r}."
                group.faults.append(warning(Level.GROUP, "28", text, trailer, 2, trailer.value(2)))
        wrong = next((message for message in group.messages if message.kind != opening.value(1)), None)
        if wrong is not None and opening.value(1):
            text = f"A group of {opening.value(1)[:10]} holds a message {wrong.kind[:10] or '(empty)'}."
            group.faults.append(warning(Level.GROUP, "31", text, opening, 1, wrong.kind))

    def _end_interchange(self, segment: Segment) -> None:
        self._close_group(None)
        self.closed = True
        claimed, reference = segment.value(1), segment.value(2)
        ours = self.header.value(5)
        lines_end = self.block.marks.segment in "\r\n"
        if self.block.is_unterminated and reference != ours and (not lines_end or len(reference) < len(ours)):
            text = "The file ends inside its UNZ segment: it is cut off."
            self._note("13", text, segment, Severity.ERROR, 2, reference)
            return
        count = self.explicit_groups or self.message_count
        if not same_number(claimed, str(count)):
            what = "groups" if self.explicit_groups else "messages"
            self._note("29", f"UNZ says {claimed!r} {what}; {count} came.", segment, element=1, value=claimed)
        if reference != ours:
            text = f"The reference of UNZ is {reference!r}, that of UNB is {ours!r}."
            self._note("28", text, segment, element=2, value=reference)

    def _check_end(self) -> None:
        if not self.closed:
            text = "The interchange has no UNZ segment: it may be cut off."
            self._note("13", text, None, Severity.ERROR, tag="UNZ")
        if not self.message_count:
            self._note("32", "The interchange holds no message.", None)

    def _note(
        self,
        code: str,
        message: str,
        segment: Segment | None,
        severity: Severity = Severity.WARNING,
        element: int | None = None,
        value: str = "",
        tag: str = "",
    ) -> None:
        """`tag` names a segment that is not there."""
        found = fault(Level.INTERCHANGE, code, message, segment, severity, element, value)
        self.faults.append(replace(found, segment=tag) if tag else found)


_HANDLERS = {
    "UNB": _Builder._open_header,
    "UNG": _Builder._open_group,
    "UNH": _Builder._open_message,
    "UNT": _Builder._end_message,
    "UNE": _Builder._end_group,
    "UNZ": _Builder._end_interchange,
}
