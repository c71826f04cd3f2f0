"""The reader port: bytes in, interchanges with their faults out; it never raises for what a sender wrote."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Protocol

from core.edi.edifact import EdifactReader
from core.edi.foreign_files import foreign_fault
from core.edi.interchanges import Fault, ReadResult
from core.edi.normaliser import DEFAULT_LIMITS, EDIFACT_HEADER, X12_HEADER, Limits, is_edifact
from core.edi.x12 import X12Reader


class Reader(Protocol):
    """One standard's reader."""

    def read(self, data: bytes) -> ReadResult: ...


def read(data: bytes, limits: Limits = DEFAULT_LIMITS) -> ReadResult:
    """Reads a file of either standard, or of both. What is wrong is in the faults of the level where it is wrong."""
    foreign = foreign_fault(data)
    if foreign is not None:
        return ReadResult((), (foreign,))
    x12, edifact = X12Reader(limits), EdifactReader(limits)
    if is_edifact(data):
        return _with_the_other(data, edifact.read(data), x12, X12_HEADER)
    return _with_the_other(data, x12.read(data), edifact, EDIFACT_HEADER)


def _with_the_other(data: bytes, found: ReadResult, other: Reader, header: re.Pattern[bytes]) -> ReadResult:
    """What one standard's reader found, and what the other one finds between its interchanges.

    Everything else is blanked for it, so that places in the file stay those of the file.
    """
    ends = [0, *(at for one in found.interchanges for at in (one.offset, one.offset + len(one.raw))), len(data)]
    gaps = [(start, end) for start, end in list(pairwise(ends))[::2] if header.search(data, start, end)]
    if not gaps or any(fault.code == "size" for fault in found.faults):
        return found
    only = bytearray(b" " * len(data))
    for start, end in gaps:
        only[start:end] = data[start:end]
    more = other.read(bytes(only))
    interchanges = sorted((*found.interchanges, *more.interchanges), key=lambda one: one.offset)
    theirs = [(one.offset, one.offset + len(one.raw)) for one in more.interchanges]
    faults = [fault for fault in found.faults if not _is_settled(fault, gaps, theirs)] + list(more.faults)
    return ReadResult(tuple(interchanges), tuple(f for f in faults if f.code != "no_interchange" or not interchanges))


def _is_settled(fault: Fault, gaps: list[tuple[int, int]], theirs: list[tuple[int, int]]) -> bool:
    """Whether what the first reader says is the other one's to say: of bytes that it was given to read, and of what
    looks like a header within its interchanges. A lost interchange of the first standard stays a fault."""
    places = gaps if fault.code == "leftover" else theirs
    return any(start <= (fault.offset or 0) < end for start, end in places)
