"""What became of one document: the outcome of applying it, or why somebody has to look at it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from core.edi.documents import Decoded
from core.edi.interchanges import Fault, Level, Severity
from core.errors import DomainError


class Unusable(DomainError):
    """A document that must be looked at: `faults` say where and why; `reason` is a stable word."""

    code = "EDI_UNUSABLE"

    def __init__(self, reason: str, message: str, faults: Sequence[Fault] = ()) -> None:
        super().__init__(message, reason=reason)
        self.reason = reason
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True)
class Applied:
    """What a set did: `outcome` is applied, stale, repeated, or `staged` where chunks of it are still to be applied.

    `other_order_ids` are the purchase orders beside the first one that it is about.
    """

    outcome: str
    business_key: str = ""
    purchase_order_id: int | None = None
    faults: tuple[Fault, ...] = ()
    result: dict[str, Any] = field(default_factory=dict)
    other_order_ids: tuple[int, ...] = ()

    @property
    def purchase_order_ids(self) -> list[int]:
        """All orders that it is about."""
        return [] if self.purchase_order_id is None else [self.purchase_order_id, *self.other_order_ids]


STAGED = "staged"
STAGED_KINDS = ("846", "INVRPT")
"""Kinds of documents that are applied in several transactions."""


def usable(decoded: Decoded[Any]) -> tuple[Any, tuple[Fault, ...]]:
    """The document and its notes; raises Unusable where there is none."""
    if decoded.document is None:
        raise Unusable("content", decoded.refusals[0], decoded.faults)
    return decoded.document, decoded.faults


def doubt(code: str, message: str, segment_number: int | None = None, segment: str = "") -> Fault:
    """A fault of content, not of syntax."""
    return Fault(Level.BUSINESS, Severity.ERROR, code, message, segment_number, segment)
