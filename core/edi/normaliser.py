"""Finds the X12 interchanges of a file and cuts them into segments, putting right what senders get wrong in the frame.

Works on latin-1 text so that a place in the text is a place in the bytes. Nothing is guessed in silence: each repair is
noted with its byte offset, and the bytes themselves are never changed. Cases: EDI reference, section 4, 1 to 11.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from core.edi.interchanges import Fault, Level, Repair, Separators, Severity
from core.edi.isa_header import IsaHeader, read_isa_header
from core.edi.next_header import EDIFACT_START, PAST_EDIFACT, next_header

_BLANK = " \t\r\n"
_PADDING = _BLANK + "\x00\x1a"
# Not \s: it takes 0x1C to 0x1F for blanks, and senders use these as separators.
# A tab may be the element mark; in a text it follows a word as a blank does, and then no 00 stands behind it.
_ISA = re.compile(r"(?<![A-Za-z0-9])ISA(?=[^A-Za-z0-9 \t\r\n]|\t0\d\t)")
_DAMAGED_ISA = re.compile(r"ISA(?P<mark>[^A-Za-z0-9 ])(?:\d\d(?P=mark)|\d{0,2}\Z|(?:.{0,35}?(?P=mark)){8})", re.DOTALL)
_NEXT = re.compile(rf"{_ISA.pattern}|{EDIFACT_START}")


def after_line_end(behind: str) -> re.Pattern[str]:
    """A run of blanks with a line end (group `end`) before what `behind` matches; linear however long the runs are."""
    return re.compile(rf"(?<![ \t\r\n])[ \t]*+(?P<end>[\r\n])[ \t\r\n]*+(?={behind})")


_NEXT_AFTER_BREAK = after_line_end(rf"ISA(?:[^A-Za-z0-9 \t\r\n]|\t0\d\t)|{EDIFACT_START}")
EDIFACT_HEADER = re.compile(rb"(?<![A-Za-z0-9])UN[ABGH][^A-Za-z0-9 \t\r\n]")
X12_HEADER = re.compile(rb"(?<![A-Za-z0-9])ISA([^A-Za-z0-9 \r\n])\d\d\1")
_MAYBE_X12 = re.compile(rb"(?<![A-Za-z0-9])ISA[^A-Za-z0-9 \r\n]")
_FRAMES = ("GS", "ST", "BEG", "BAK", "BSN", "BIA", "SE", "GE", "IEA", "ISA")
_LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds against bombs: bytes of a file, interchanges of a file, segments of an interchange, bytes of a segment,
    sets of an interchange, depth of an HL tree."""

    file_bytes: int = 50_000_000
    interchanges: int = 1_000
    segments: int = 1_000_000
    segment_bytes: int = 20_000
    sets: int = 50_000
    hierarchy_depth: int = 30

    def too_many(self, what: str) -> str:
        """The sentence about one of `what` beyond `sets`."""
        return f"The interchange has more than {self.sets} {what}; this one is not read."


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class RawSegment:
    """Text of a segment without terminator and line ends, and where its bytes begin and end (terminator included)."""

    text: str
    offset: int
    end: int


@dataclass(frozen=True, slots=True)
class RawInterchange:
    header: IsaHeader
    segments: tuple[RawSegment, ...]
    repairs: tuple[Repair, ...]
    faults: tuple[Fault, ...]
    offset: int
    end: int
    is_unterminated: bool = False

    @property
    def separators(self) -> Separators:
        return self.header.separators

    def canonical(self) -> bytes:
        """The same interchange as any strict X12 parser wants it: 106-character ISA, ISA12 that pyx12 knows, every
        segment closed. For parsers only: replies use the header as it came."""
        marks = self.separators
        component = marks.component or (">" if marks.segment != ">" else ":")
        end = marks.segment if marks.segment not in "\r\n" else "\n"
        lines = [self.header.padded(component)] + [raw.text for raw in self.segments[1:]]
        return "".join(line + end for line in lines).encode("latin-1")


@dataclass(frozen=True, slots=True)
class NormalisedFile:
    interchanges: tuple[RawInterchange, ...]
    faults: tuple[Fault, ...]


def is_edifact(data: bytes) -> bool:
    """Whether the first thing in the file is UNA, UNB or UNH, or such a thing is in it and no ISA segment is."""
    head = data[:4096].removeprefix(b"\xef\xbb\xbf").lstrip(_PADDING.encode())
    if re.match(rb"UN[ABGH][^A-Za-z0-9]", head) is not None:
        return True
    return _MAYBE_X12.search(data) is None and EDIFACT_HEADER.search(data) is not None


def normalise(data: bytes, limits: Limits = DEFAULT_LIMITS) -> NormalisedFile:
    """Every X12 interchange of `data`; a file without one gives a fault, never an exception."""
    if len(data) > limits.file_bytes:
        return NormalisedFile(
            (), (_refusal("size", f"The file has {len(data)} bytes; {limits.file_bytes} are allowed."),)
        )
    text = data.decode("latin-1")
    repairs: list[Repair] = []
    at = 0
    if data.startswith(b"\xef\xbb\xbf"):
        at = 3
        repairs.append(Repair("byte_order_mark", 0, "A UTF-8 byte-order mark stood before the first segment."))
    stop = len(text.rstrip(_PADDING))
    if any(mark in text[stop:] for mark in "\x00\x1a"):
        repairs.append(Repair("end_of_file_mark", stop, "NUL or 0x1A bytes stood behind the last segment."))
    if stop <= at:
        return NormalisedFile((), (_refusal("empty", "The file is empty."),))
    found: list[RawInterchange] = []
    faults: list[Fault] = []
    tries = 0
    while at < stop:
        start, header = _next_header(text, at, stop)
        if start is None:
            if not found and not faults:
                faults.append(_refusal("no_interchange", _without_header(text[at:stop])))
            elif found and (rest := text[at:stop].strip(_PADDING + found[-1].separators.segment)):
                faults.append(_leftover(text, at, stop, is_cut="ISA".startswith(rest)))
            break
        if text[at : start.start()].strip(_PADDING):
            faults.append(_leftover(text, at, start.start()))
        tries += 1
        if tries > limits.interchanges:
            faults.append(_refusal("interchanges", f"The file has more than {limits.interchanges} interchanges."))
            break
        if header is None:
            faults.append(
                _refusal(
                    "isa",
                    "An ISA segment does not have its 16 elements; the rest up to the next ISA is skipped.",
                    start.start(),
                )
            )
            at = start.start() + 3
            continue
        raw = _cut(text, start.start(), stop, header, repairs, limits)
        found.append(raw)
        repairs = []
        at = raw.end
    return NormalisedFile(tuple(found), tuple(faults))


def _next_header(text: str, at: int, stop: int) -> tuple[re.Match[str] | None, IsaHeader | None]:
    """Where the next interchange begins, and its header unless that is damaged; a mail may speak of ISA before it."""
    start = next_header(_ISA, PAST_EDIFACT, text, at, stop)
    while start is not None:
        header = read_isa_header(text, start.start(), stop)
        if header is not None or _DAMAGED_ISA.match(text, start.start(), stop):
            return start, header
        start = next_header(_ISA, PAST_EDIFACT, text, start.end(), stop)
    return None, None


def _cut(text: str, start: int, stop: int, header: IsaHeader, before: list[Repair], limits: Limits) -> RawInterchange:
    end_mark = header.separators.segment
    repairs = [*before, *header.repairs]
    faults: list[Fault] = []
    segments = [RawSegment(text[start : header.end].rstrip(_BLANK), start, header.end)]
    splitter = _LineEnds(text, start, stop, header)
    at = header.end
    unterminated = False
    while True:
        while at < stop and text[at] in _PADDING:
            at += 1
        if at >= stop or _NEXT.match(text, at):
            break
        end = text.find(end_mark, at, stop)
        closed = end >= 0
        after = end + len(end_mark)
        if not closed:
            # Blanks behind the last segment were cut off as padding; one of them may be its terminator.
            end = stop
            closed = end_mark in text[stop : stop + 2]
            after = text.index(end_mark, stop) + 1 if closed else stop
        following = _NEXT_AFTER_BREAK.search(text, at, end) if end_mark not in "\r\n" else None
        if following is not None:
            end = after = following.start("end")
            closed = False
        if not closed:
            repairs.append(Repair("unterminated", end, "The last segment was not terminated; it was closed."))
        if end - at > limits.segment_bytes:
            faults.append(_refusal("segment_size", f"A segment is longer than {limits.segment_bytes} bytes.", at))
            at = stop
            break
        pieces = splitter.pieces(at, end, repairs)
        for piece_text, piece_at, piece_end in pieces:
            segments.append(RawSegment(piece_text, piece_at, after if piece_end == end else piece_end))
        at = after
        unterminated = not closed
        if len(segments) > limits.segments:
            faults.append(_refusal("segments", f"An interchange has more than {limits.segments} segments.", at))
            at = stop
            break
        if segments[-1].text.startswith("IEA"):
            break
    return RawInterchange(header, tuple(segments), tuple(repairs), tuple(faults), start, at, unterminated)


class _LineEnds:
    """Decides what a line end inside a segment is: a wrapped line, or the place of a forgotten terminator."""

    def __init__(self, text: str, start: int, stop: int, header: IsaHeader) -> None:
        self.text = text
        mark = header.separators.element
        self.tag = after_line_end("[A-Z][A-Z0-9]{1,2}" + re.escape(mark))
        self.breaks = re.compile(r"[\r\n]+")
        self.blank = header.separators.segment == " "
        lines = _LINE_END.split(text[start : min(stop, start + 2_000)])[:-1]
        self.wrapped = len(lines) >= 2 and len({len(line) for line in lines}) == 1 and len(lines[0]) >= 60

    def pieces(self, at: int, end: int, repairs: list[Repair]) -> list[tuple[str, int, int]]:
        raw = self.text[at:end]
        cuts = (
            [] if self.wrapped or ("\n" not in raw and "\r" not in raw) else list(self.tag.finditer(self.text, at, end))
        )
        found: list[tuple[str, int, int]] = []
        for cut in cuts:
            repairs.append(Repair("terminator_missing", cut.start(), "A line ended without its segment terminator."))
            self._add(found, at, cut.start(), repairs)
            at = cut.end()
        self._add(found, at, end, repairs)
        return found

    def _add(self, found: list[tuple[str, int, int]], at: int, end: int, repairs: list[Repair]) -> None:
        piece = self.text[at:end].strip("\r\n")
        if self.breaks.search(piece):
            repairs.append(Repair("wrapped_line", at, "A segment was broken over lines; the line ends were taken out."))
            piece = self.breaks.sub("", piece)
        if not self.blank and piece != piece.rstrip(" \t"):
            repairs.append(
                Repair("blank_before_terminator", at + len(piece.rstrip(_BLANK)), "Blanks stood before a terminator.")
            )
            piece = piece.rstrip(" \t")
        if piece:
            found.append((piece, at, end))


def _refusal(code: str, message: str, offset: int = 0) -> Fault:
    return Fault(Level.FILE, Severity.ERROR, code, message, offset=offset)


def _without_header(text: str) -> str:
    """Why no interchange was found: the file lost its ISA, or it is something else."""
    found = text.lstrip(_PADDING)
    shown = found[:20].encode("unicode_escape").decode()
    tag = re.match(r"([A-Z0-9]{1,3})[^A-Za-z0-9 \t\r\n]", found)
    if tag is not None and tag.group(1) in _FRAMES:
        return f"There is no ISA segment: the file begins with {tag.group(1)}."
    if re.match(r"I?S?A\*\d\d\*", found):
        return f"The ISA segment is damaged: the file begins with {shown!r}."
    return f"Neither an ISA nor a UNB segment was found: this is no EDI file. It begins with {shown!r}."


def _leftover(text: str, at: int, end: int, is_cut: bool = False) -> Fault:
    """Bytes around the interchanges: a remark of a mail is noise; the start of an interchange is something lost."""
    message = f"{len(''.join(text[at:end].split()))} bytes that belong to no interchange were skipped"
    if is_cut:
        message += ": the file seems to be cut off"
    return Fault(Level.FILE, Severity.ERROR if is_cut else Severity.WARNING, "leftover", f"{message}.", offset=at)
