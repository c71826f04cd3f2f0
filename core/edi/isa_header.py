"""Reads the ISA segment by its element marks, not by fixed columns, and finds the marks that the sender really uses."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from core.edi.interchanges import Repair, Separators

_WIDTHS = (2, 10, 2, 10, 2, 15, 2, 15, 6, 4, 1, 5, 9, 1, 1)
_LONGEST = 600
_UTF_8 = re.compile("[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_BREAKS = re.compile(r"[\r\n]+")
_PARSER_VERSIONS = ("00401", "00501")


@dataclass(frozen=True, slots=True)
class IsaHeader:
    """`elements` are the 15 (ISA01 to ISA15) as they came, without line ends; `end` is behind the terminator."""

    elements: tuple[str, ...]
    separators: Separators
    repairs: tuple[Repair, ...]
    end: int

    def padded(self, component: str) -> str:
        """A 106-character ISA (without its terminator), ISA12 rewritten to a version that pyx12 knows."""
        mark = self.separators.element
        values = list(self.elements)
        if values[11] not in _PARSER_VERSIONS:
            values[11] = "00501" if values[11].strip() >= "00402" else "00401"
        if values[11] == "00501" and not self.separators.repetition:
            values[11] = "00401"
        cells = []
        for value, width in zip(values, _WIDTHS, strict=True):
            text = value.strip()
            cells.append(text.rjust(width, "0")[-width:] if width == 9 else text.ljust(width)[:width])
        return mark.join(("ISA", *cells, component))


def read_isa_header(text: str, start: int, stop: int) -> IsaHeader | None:
    """The header at `start`, or None where its 16 element marks cannot be found before the next header."""
    found = _read(text, start, stop)
    if found is None:
        return None
    mark = re.escape(found.separators.element)
    inner = re.compile(rf"(?<![A-Za-z0-9])ISA{mark}\d\d{mark}").search(text, start + 3, found.end)
    if inner is None:
        return found
    # One that lost elements would take them from the header behind it. Only a value of its own could read like one.
    is_value = text[inner.start() - 1] == found.separators.element
    behind = _read(text, inner.start(), stop)
    is_sound = behind is not None and not any(repair.code == "isa_width" for repair in behind.repairs)
    return None if is_sound or not is_value else found


def _read(text: str, start: int, stop: int) -> IsaHeader | None:
    mark = text[start + 3]
    cells: list[str] = []
    at = start + 4
    bound = min(stop, start + _LONGEST)
    for _ in range(15):
        end = text.find(mark, at, bound)
        if end < 0:
            return None
        cells.append(text[at:end])
        at = end + 1
    repairs: list[Repair] = []
    usage = _BREAKS.sub("", cells[14])
    # A usage of two or three marks is a sender's mistake; more is the next segment.
    is_odd = 1 < len(usage.strip()) <= 3 and usage == cells[14] and not (usage[0] in "PTI" and not usage[1].isalnum())
    if len(usage.strip()) > 1 and not is_odd:
        # ISA16 and its mark are missing: what was read as ISA15 runs into the next segment.
        if usage[0] not in "PTI" or usage[1].isalnum():
            return None
        at = at - 1 - len(cells[14])
        cells[14] = usage[0]
        repairs.append(Repair("isa16_missing", at, "ISA16 was left out."))
        component, terminator, end = "", text[at + 1], at + 2
    else:
        found = _last_marks(text, at, stop)
        if found is None:
            return None
        component, terminator, end = found
        if not component:
            repairs.append(Repair("isa16_missing", at, "ISA16 was left out: the mark in its place ends every segment."))
        elif text.startswith(component * 2, at):
            repairs.append(Repair("isa_width", at, "ISA16 was written twice."))
        elif terminator not in "\r\n" and text[at + len(component)] in "\r\n":
            repairs.append(
                Repair("terminator_missing", at, "The ISA segment ended without the mark that ends all others.")
            )
    if terminator == "\r":
        end, terminator = (end + 1, "\n") if text[end : end + 1] == "\n" else (end, "\r")
    clean = tuple(_BREAKS.sub("", cell) for cell in cells)
    if clean != tuple(cells):
        repairs.append(Repair("wrapped_line", start, "The ISA segment was broken over lines."))
    if any(len(cell) != width for cell, width in zip(clean, _WIDTHS, strict=True)):
        repairs.append(Repair("isa_width", start, "The ISA segment did not have its fixed width of 106 characters."))
    version = clean[11].strip()
    if version not in _PARSER_VERSIONS:
        repairs.append(
            Repair("isa12", start, f"ISA12 is {version!r}; it is read as one of {', '.join(_PARSER_VERSIONS)}.")
        )
    repetition = clean[10] if version >= "00402" and clean[10].strip() and not clean[10].isalnum() else ""
    return IsaHeader(clean, Separators(mark, component, terminator, repetition), tuple(repairs), end)


def _last_marks(text: str, at: int, stop: int) -> tuple[str, str, int] | None:
    """Component mark, terminator and the offset behind the terminator, from what follows the 16th element mark."""
    if at >= stop:
        return None
    first = _mark(text, at)
    if first == text[at - 1]:
        # an element mark cannot be the component mark as well
        at += 1
        mark = _mark(text, at) if at < stop else "0"
        return ("", mark, at + len(mark)) if not _is_word(mark) else None
    after = at + len(first)
    if after >= stop:
        return (first, "\n", after) if not _is_word(first) else None
    second = _mark(text, after)
    if first in "\r\n":
        return "", _end_of_lines(text, after, stop, text[at - 1]) or ("\r" if first == "\r" else "\n"), after
    if second == text[at - 1]:
        return None  # a 17th element
    if _is_word(second):
        return ("", first, after) if not _is_word(first) else None
    if second in "\r\n":
        ends = _end_of_lines(text, after, stop, text[at - 1])
        if ends == first:
            return "", first, after
        return first, ends or second, after + 1
    end = after + len(second)
    if second == first and end < stop and not _is_word(third := _mark(text, end)) and third not in "\r\n":
        return first, third, end + len(third)  # the component mark was written twice
    if second == " " and end < stop and not _is_word(third := _mark(text, end)) and third not in "\r\n":
        return first, third, end + len(third)
    return first, second, end


def _end_of_lines(text: str, at: int, stop: int, element: str) -> str:
    """The mark that ends most of the lines from `at` on: it ends the segments, whatever stands in ISA. Else empty.

    Lines that end with the `element` mark have lost their last values.
    """
    lines = [line.rstrip(" \t") for line in _BREAKS.split(text[at : min(stop, at + 20_000)]) if line.strip(" \t")]
    whole = lines if at + 20_000 >= stop else lines[:-1]
    whole = whole[:-1] or whole
    mark, count = Counter(line[-1] for line in whole).most_common(1)[0] if whole else ("", 0)
    return mark if count * 4 > len(whole) * 3 and not mark.isalnum() and mark != element else ""


def _is_word(mark: str) -> bool:
    return mark.isascii() and mark.isalnum()


def _mark(text: str, at: int) -> str:
    """The character at `at`: several of these bytes where they are one of UTF-8."""
    found = _UTF_8.match(text, at)
    return found.group() if found is not None else text[at]
