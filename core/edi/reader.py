"""The reader port: bytes in, interchanges with their faults out; it never raises for what a sender wrote."""

from __future__ import annotations

from typing import Protocol

from core.edi.edifact import EdifactReader
from core.edi.foreign_files import foreign_fault
from core.edi.interchanges import ReadResult
from core.edi.normaliser import DEFAULT_LIMITS, Limits, is_edifact
from core.edi.x12 import X12Reader


class Reader(Protocol):
    """One standard's reader."""

    def read(self, data: bytes) -> ReadResult: ...


def read(data: bytes, limits: Limits = DEFAULT_LIMITS) -> ReadResult:
    """Reads a file of either standard. What is wrong is in the faults of the level where it is wrong."""
    foreign = foreign_fault(data)
    if foreign is not None:
        return ReadResult((), (foreign,))
    reader: Reader = EdifactReader(limits) if is_edifact(data) else X12Reader(limits)
    return reader.read(data)
