"""Cuts a file into EDIFACT interchanges and these into segments: service marks, release characters, wrapped lines, repairs.

Works on latin-1 text so that a place in the text is a place in the bytes. Nothing is guessed in silence: each repair is
noted with its byte offset, and the bytes themselves are never changed. Cases: EDI reference, section 4, 1 and 5 to 8.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from core.edi.interchanges import Fault, Level, Repair, Separators, Severity
from core.edi.next_header import PAST_X12, next_header
from core.edi.normaliser import Limits, RawSegment, after_line_end

_BLANK = " \t\r\n"
_PADDING = _BLANK + "\x00\x1a"
_START = re.compile(r"(?<![A-Za-z0-9])UN[ABGH](?=[^A-Za-z0-9 \t\r\n])")
_HEADER = r"(?:UN[AB](?=[^A-Za-z0-9 \t\r\n])|ISA(?=(?P<mark>[^A-Za-z0-9 \t\r\n])\d\d(?P=mark)))"
_NEXT = re.compile(_HEADER)
_NEXT_AFTER_BREAK = after_line_end(_HEADER)
_BREAKS = re.compile(r"[\r\n]+")


@dataclass(frozen=True, slots=True)
class Marks:
    """Service marks of one interchange; `release` and `repetition` are empty where there is none."""

    component: str = ":"
    element: str = "+"
    decimal: str = "."
    release: str = "?"
    repetition: str = ""
    segment: str = "'"

    def separators(self) -> Separators:
        return Separators(self.element, self.component, self.segment, self.repetition)


STANDARD_MARKS = Marks()
# Syntax level B has its own marks (ISO 9735:1988, 5.2), used when UNB is followed by one of them.
_LEVEL_B = Marks("\x1f", "\x1d", ".", "", "", "\x1c")


@dataclass(frozen=True, slots=True)
class RawBlock:
    """The segments between two interchange headers as cut; the first is UNB in a sound file."""

    marks: Marks
    segments: tuple[RawSegment, ...]
    repairs: tuple[Repair, ...]
    faults: tuple[Fault, ...]
    offset: int
    end: int
    is_unterminated: bool = False


def cut_blocks(data: bytes, limits: Limits) -> tuple[tuple[RawBlock, ...], tuple[Fault, ...]]:
    """Every interchange of the file, and what is wrong with the file as a whole."""
    text = data.decode("latin-1")
    repairs: list[Repair] = []
    faults: list[Fault] = []
    blocks: list[RawBlock] = []
    at = 0
    if data.startswith(b"\xef\xbb\xbf"):
        at = 3
        repairs.append(Repair("byte_order_mark", 0, "A UTF-8 byte-order mark stood before the first segment."))
    stop = len(text.rstrip(_PADDING))
    if any(mark in text[stop:] for mark in "\x00\x1a"):
        repairs.append(Repair("end_of_file_mark", stop, "NUL or 0x1A bytes stood behind the last segment."))
    while at < stop:
        start = next_header(_START, PAST_X12, text, at, stop)
        if start is None:
            if text[at:stop].strip(_PADDING):
                faults.append(_leftover(text, at, stop))
            break
        if text[at : start.start()].strip(_PADDING):
            faults.append(_leftover(text, at, start.start()))
        if len(blocks) >= limits.interchanges:
            faults.append(_refusal("interchanges", f"The file has more than {limits.interchanges} interchanges."))
            break
        block = _Cutter(text, start.start(), stop, limits, repairs).block()
        repairs = []
        blocks.append(block)
        at = max(block.end, start.start() + 3)
    if not blocks and not faults:
        faults.append(_refusal("empty", "The file is empty."))
    return tuple(blocks), tuple(faults)


_OTHER_UNB = re.compile(r"UNB(?P<element>[^A-Za-z0-9 \t\r\n])UNO[A-Z](?P<component>[^A-Za-z0-9 \t\r\n])\d(?P=element)")


class _Cutter:
    """Cuts one interchange from its UNA or UNB to its UNZ, or to the next header."""

    def __init__(self, text: str, start: int, stop: int, limits: Limits, repairs: list[Repair]) -> None:
        self.text = text
        self.start = start
        self.stop = stop
        self.limits = limits
        self.repairs = repairs
        self.faults: list[Fault] = []
        self.segments: list[RawSegment] = []
        self.marks, self.at = self._service_marks()
        self.tag = after_line_end("[A-Z]{3}" + re.escape(self.marks.element))
        lines = _BREAKS.split(text[start : min(stop, start + 2_000)])[:-1]
        self.wrapped = len(lines) >= 2 and len({len(line) for line in lines}) == 1 and len(lines[0]) >= 60

    def block(self) -> RawBlock:
        closed = True
        while True:
            self._skip_blanks()
            # A terminator alone closes an empty segment, which is noise.
            if self.at >= self.stop or (self.segments and _NEXT.match(self.text, self.at)):
                break
            closed = self._segment()
            if self.faults or (self.segments and self.segments[-1].text.startswith("UNZ")):
                break
        return RawBlock(
            self.marks,
            tuple(self.segments),
            tuple(self.repairs),
            tuple(self.faults),
            self.start,
            self.stop if self.faults else self.at,
            not closed,
        )

    def _skip_blanks(self) -> None:
        text, mark = self.text, self.marks.segment
        while self.at < self.stop and text[self.at] in _PADDING and text[self.at] != mark:
            self.at += 1

    def _segment(self) -> bool:
        """Takes one segment, or several whose terminators were forgotten; False where the last has no terminator."""
        at, text, mark = self.at, self.text, self.marks.segment
        end = self._terminator(at)
        closed = end >= 0
        after = end + 1
        if not closed:
            end = self.stop
            closed = mark in text[end : end + 2]
            after = text.index(mark, end) + 1 if closed else end
        following = _NEXT_AFTER_BREAK.search(text, at, end) if mark not in "\r\n" else None
        if following is not None:
            end = after = following.start("end")
            closed = False
        if not closed:
            self.repairs.append(Repair("unterminated", end, "The last segment was not terminated; it was closed."))
        if end - at > self.limits.segment_bytes:
            text = f"A segment is longer than {self.limits.segment_bytes} bytes."
            self.faults.append(_refusal("segment_size", text, at))
            return False
        self._pieces(at, end, after)
        self.at = after
        if len(self.segments) > self.limits.segments:
            text = f"An interchange has more than {self.limits.segments} segments."
            self.faults.append(_refusal("segments", text, at))
        return closed

    def _terminator(self, at: int) -> int:
        """The next terminator that is not released; -1 where there is none."""
        text, mark, release = self.text, self.marks.segment, self.marks.release
        end = text.find(mark, at, self.stop)
        while end >= 0 and release and text[end - 1] == release and is_released(text, at, end, release):
            end = text.find(mark, end + 1, self.stop)
        return end

    def _pieces(self, at: int, end: int, after: int) -> None:
        raw = self.text[at:end]
        broken = "\n" in raw or "\r" in raw
        if broken and not self.wrapped:
            for cut in self.tag.finditer(self.text, at, end):
                message = "A line ended without its segment terminator."
                self.repairs.append(Repair("terminator_missing", cut.start(), message))
                self._add(at, cut.start(), cut.start())
                at = cut.end()
        self._add(at, end, after)

    def _add(self, at: int, end: int, after: int) -> None:
        piece = self.text[at:end].strip("\r\n")
        if "\n" in piece or "\r" in piece:
            message = "A segment was broken over lines; the line ends were taken out."
            self.repairs.append(Repair("wrapped_line", at, message))
            piece = _BREAKS.sub("", piece)
        if piece.strip():
            self.segments.append(RawSegment(piece.lstrip(" \t"), at, after))

    def _service_marks(self) -> tuple[Marks, int]:
        """The marks of UNA, else those of the standard, and where the first segment begins."""
        text, at = self.text, self.start
        if text.startswith("UNA", at):
            found = text[at + 3 : at + 9]
            component, element, decimal, release, repetition, segment = f"{found:<6}"
            if segment in "\r\n" and text[at + 9 : self.stop].partition("UNH")[0].rstrip().endswith("'"):
                segment = "'"  # UNA itself was left without its terminator
            syntax = {component, element, segment}
            header = re.compile(r"[ \t\r\n]*UNB\+UNO[A-Z]:\d\+").match(text, at + 9)
            is_ended_otherwise = text.find(segment, at + 9, self.stop) < 0 <= text.find("'UNH+", at + 9, self.stop)
            if header is not None and ((component, element) != (":", "+") or is_ended_otherwise):
                # What follows has the marks of the standard, whatever UNA says.
                message = "The UNA segment names other marks than those used; those of the standard were used."
                self.repairs.append(Repair("una", at, message))
                return STANDARD_MARKS, at + 9
            if len(found) == 6 and len(syntax) == 3 and not any(mark.isalnum() or mark == " " for mark in syntax):
                release = "" if release == " " or release in syntax or release.isalnum() else release
                used = {*syntax, release}
                repetition = "" if repetition == " " or repetition in used or repetition.isalnum() else repetition
                return Marks(component, element, decimal, release, repetition, segment), at + 9
            message = "The UNA segment does not name usable marks; those of the standard were used."
            self.repairs.append(Repair("una", at, message))
            header = text.find("UNB", at, min(self.stop, at + 30))
            return STANDARD_MARKS, header if header >= 0 else at + 3
        if text[at + 3 : at + 4] == "\x1d":
            return _LEVEL_B, at
        if (marks := self._unannounced_marks()) is not None:
            message = "UNB has other marks than those of the standard, and no UNA names them; they were taken from it."
            self.repairs.append(Repair("una", at, message))
            return marks, at
        # In syntax 4 the asterisk repeats also where no UNA says so.
        version = re.match(r"UNB\+UNO[A-Z]:4\+", text[at : at + 12])
        return (Marks(repetition="*") if version else STANDARD_MARKS), at

    def _unannounced_marks(self) -> Marks | None:
        """The marks of a UNB that has others than those of the standard, where they are beyond doubt."""
        header = _OTHER_UNB.match(self.text, self.start, self.stop)
        if header is None or header["element"] == "+":
            return None
        message = re.compile(r"([^A-Za-z0-9 \t\r\n])[ \t\r\n]*UNH" + re.escape(header["element"]))
        end = message.search(self.text, header.end(), min(self.stop, self.start + 600))
        marks = (header["component"], header["element"], end[1] if end is not None else "")
        return Marks(marks[0], marks[1], segment=marks[2]) if len({*marks, "?", ""}) == 5 else None


def is_released(text: str, start: int, at: int, release: str) -> bool:
    """Whether the mark at `at` is preceded by an odd number of release marks (they double)."""
    first = at
    while first > start and text[first - 1] == release:
        first -= 1
    return (at - first) % 2 == 1


def split_segment(raw: str, marks: Marks) -> tuple[list[list[str]], list[tuple[int, tuple[str, ...]]]]:
    """Elements as lists of components (the tag is the first), and further occurrences of repeated elements by place."""
    release, repetition = marks.release, marks.repetition
    if not release or release not in raw:
        elements = [value.split(marks.component) for value in raw.split(marks.element)]
        if not repetition or repetition not in raw:
            return elements, []
        return _split_marked(raw, marks)
    return _split_marked(raw, marks)


def _split_marked(raw: str, marks: Marks) -> tuple[list[list[str]], list[tuple[int, tuple[str, ...]]]]:
    elements: list[list[list[str]]] = [[[""]]]
    marked = (marks.element, marks.component, marks.release, marks.repetition)
    special = re.compile("|".join(re.escape(mark) for mark in marked if mark))
    at = 0
    while at < len(raw):
        found = special.search(raw, at)
        if found is None:
            elements[-1][-1][-1] += raw[at:]
            break
        mark = found.group()
        elements[-1][-1][-1] += raw[at : found.start()]
        at = found.end()
        if mark == marks.release:
            elements[-1][-1][-1] += raw[at : at + 1]
            at += 1
        elif mark == marks.element:
            elements.append([[""]])
        elif mark == marks.component:
            elements[-1][-1].append("")
        else:
            elements[-1].append([""])
    repeats = [(place, tuple(more)) for place, values in enumerate(elements) for more in values[1:]]
    return [values[0] for values in elements], repeats


def _refusal(code: str, message: str, offset: int = 0) -> Fault:
    return Fault(Level.FILE, Severity.ERROR, code, message, offset=offset)


def _leftover(text: str, at: int, end: int) -> Fault:
    """Bytes around the interchanges: noise is noted; the start of an interchange is something lost."""
    rest = text[at:end].strip(_PADDING)
    message = f"{len(''.join(rest.split()))} bytes that belong to no interchange were skipped"
    is_cut = end == len(text.rstrip(_PADDING)) and any(head.startswith(rest) for head in ("UNA", "UNB"))
    if is_cut:
        message += ": the file seems to be cut off"
    return Fault(Level.FILE, Severity.ERROR if is_cut else Severity.WARNING, "leftover", f"{message}.", offset=at)
