"""What a reader hands out: interchanges, groups, transaction sets, segments and their faults, as plain frozen data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Level(StrEnum):
    """Where a fault sits; it decides in which part of a 997 its code is reported."""

    FILE = "file"
    INTERCHANGE = "interchange"
    GROUP = "group"
    SET = "set"
    SEGMENT = "segment"
    ELEMENT = "element"
    BUSINESS = "business"


class Severity(StrEnum):
    """`ERROR` stops the set under every policy, `WARNING` by the partner's policy."""

    ERROR = "error"
    WARNING = "warning"


class Verdict(StrEnum):
    """The words of AK501: accepted, accepted although errors are noted, rejected."""

    ACCEPTED = "A"
    ACCEPTED_WITH_ERRORS = "E"
    REJECTED = "R"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, in a plain sentence and in the terms of a 997.

    `segment_number` counts inside the set (ST is 1; ISA is 1 for faults of the envelope), `element` and `component`
    from 1. `code` is that of the level: AK5 (718) for a set, AK3 (720) for a segment, AK4 (723) for an element.
    """

    level: Level
    severity: Severity
    code: str
    message: str
    segment_number: int | None = None
    segment: str = ""
    element: int | None = None
    component: int | None = None
    value: str = ""
    data_element: str = ""
    offset: int | None = None

    def facts(self) -> dict[str, str | int | None]:
        """JSON scalars for storage and for the user."""
        return {
            "level": self.level.value,
            "severity": self.severity.value,
            "code": self.code,
            "message": self.message,
            "segmentNumber": self.segment_number,
            "segment": self.segment,
            "element": self.element,
            "component": self.component,
            "value": self.value,
            "offset": self.offset,
        }


@dataclass(frozen=True, slots=True)
class Repair:
    """Something that was put right before reading; `offset` counts bytes of the file as it came."""

    code: str
    offset: int
    message: str


@dataclass(frozen=True, slots=True)
class Separators:
    """The marks of one interchange as found; `component` is empty where the sender declared none."""

    element: str
    component: str
    segment: str
    repetition: str = ""


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment: `elements[0]` is element 01, each a tuple of components. `number` counts inside the set from 1.

    `repeats` holds what follows the first occurrence of a repeated element, each with the element's position.
    """

    tag: str
    elements: tuple[tuple[str, ...], ...]
    number: int
    offset: int
    end: int
    repeats: tuple[tuple[int, tuple[str, ...]], ...] = ()

    def value(self, element: int, component: int = 1) -> str:
        """Element and component by X12 position (from 1), without outer blanks; empty where it is not there."""
        if element > len(self.elements):
            return ""
        parts = self.elements[element - 1]
        return parts[component - 1].strip() if component <= len(parts) else ""

    def pairs(self, first: int, last: int) -> tuple[tuple[str, str], ...]:
        """(qualifier, identifier) pairs from element `first` on, without the empty ones."""
        found = ((self.value(at), self.value(at + 1)) for at in range(first, min(last, len(self.elements)) + 1, 2))
        return tuple(pair for pair in found if pair[1])


@dataclass(frozen=True, slots=True)
class TransactionSet:
    """One document: its segments from ST to SE (UNH to UNT), its bytes as they came and what is wrong with it.

    `sequence` sorts documents of one sender by age: interchange date and time, control numbers, place in the file.
    """

    kind: str
    control: str
    version: str
    segments: tuple[Segment, ...]
    raw: bytes
    sha256: str
    faults: tuple[Fault, ...]
    sequence: str = ""
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Group:
    functional_id: str
    control: str
    version: str
    sender: str
    receiver: str
    sets: tuple[TransactionSet, ...]
    faults: tuple[Fault, ...] = ()
    claimed_sets: int | None = None


@dataclass(frozen=True, slots=True)
class Interchange:
    """`version` and `header` repeat ISA12 and the whole ISA as they came, whatever the parser needed.

    `answers` are its TA1 segments: what the sender says of interchanges of ours.
    """

    standard: str
    sender_qualifier: str
    sender_id: str
    receiver_qualifier: str
    receiver_id: str
    control: str
    usage: str
    date: str
    time: str
    version: str
    separators: Separators
    header: tuple[str, ...]
    groups: tuple[Group, ...]
    faults: tuple[Fault, ...] = ()
    repairs: tuple[Repair, ...] = ()
    acknowledgement_requested: bool = False
    raw: bytes = field(default=b"", repr=False)
    offset: int = 0
    answers: tuple[Segment, ...] = ()

    @property
    def is_test(self) -> bool:
        return self.usage in ("T", "1")


@dataclass(frozen=True, slots=True)
class ReadResult:
    interchanges: tuple[Interchange, ...]
    faults: tuple[Fault, ...] = ()


def verdict(faults: tuple[Fault, ...], strictness: str = "accept") -> Verdict:
    """The fate of a set under a partner's policy.

    `strict` rejects for any fault; `accept` rejects for errors and notes the rest; `repair` rejects for errors and
    says nothing about the rest.
    """
    if any(fault.severity is Severity.ERROR for fault in faults) or (faults and strictness == "strict"):
        return Verdict.REJECTED
    if faults and strictness != "repair":
        return Verdict.ACCEPTED_WITH_ERRORS
    return Verdict.ACCEPTED


def stray_text(strays: Sequence[Segment], outside: str) -> str:
    """The sentence about a row of segments that stand outside of any message or set."""
    tags = list(dict.fromkeys(segment.tag[:6] for segment in strays))
    shown = ", ".join(tags[:5]) + (" ..." if len(tags) > 5 else "")
    if len(strays) > 1:
        return f"{len(strays)} segments ({shown}) stand outside of any {outside}."
    return f"{shown} stands outside of any {outside}."


def fault(
    level: Level,
    code: str,
    message: str,
    segment: Segment | None,
    severity: Severity = Severity.ERROR,
    element: int | None = None,
    value: str = "",
    component: int | None = None,
) -> Fault:
    """A fault at a segment (None: of the whole interchange), in the codes of its standard; positions count from 1."""
    return Fault(
        level,
        severity,
        code,
        message,
        segment.number if segment else None,
        segment.tag[:6] if segment else "",
        element,
        component,
        value,
        "",
        segment.offset if segment else None,
    )
