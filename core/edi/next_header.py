"""Where the next interchange of a standard begins in a file of both: a word inside the other's may read like a header."""

from __future__ import annotations

import re

_X12_HEADER = r"(?<![A-Za-z0-9])ISA(?P<mark>[^A-Za-z0-9 \r\n])\d\d(?P=mark)"
EDIFACT_START = r"UN(?:A[^A-Za-z0-9]{5,6}[ \t\r\n]*UN|B[^A-Za-z0-9 \t\r\n]UNO[A-Z])"
_EDIFACT_HEADER = rf"(?<![A-Za-z0-9]){EDIFACT_START}"
_TRAILER = r"(?P<trailer>(?<![A-Za-z0-9]){}[^A-Za-z0-9])|{}"

PAST_EDIFACT = re.compile(_EDIFACT_HEADER), re.compile(_TRAILER.format("UNZ", _X12_HEADER))
"""What begins an EDIFACT interchange, and what ends it: its trailer, or a header of X12 that cannot be mistaken."""
PAST_X12 = re.compile(_X12_HEADER), re.compile(_TRAILER.format("IEA", _EDIFACT_HEADER))


def next_header(
    own: re.Pattern[str], past: tuple[re.Pattern[str], re.Pattern[str]], text: str, at: int, stop: int
) -> re.Match[str] | None:
    """The next `own` from `at` on that lies in no interchange of the other standard, whose limits are `past`."""
    start = own.search(text, at, stop)
    while start is not None:
        foreign = past[0].search(text, at, start.start())
        end = past[1].search(text, foreign.end(), stop) if foreign is not None else None
        if end is None:
            break
        at = end.end() if end["trailer"] else end.start()
        if start.start() < at:
            start = own.search(text, at, stop)
    return start
