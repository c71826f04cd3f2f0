"""What a partner says of documents of ours: of their envelope (TA1, CONTRL) and of their content (824, APERAK)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from core.edi.documents import FunctionalAcknowledgement


@dataclass(frozen=True, slots=True)
class ApplicationError:
    code: str
    message: str
    reference: str = ""
    segment_number: int = 0


@dataclass(frozen=True, slots=True)
class ApplicationAdvice:
    """An 824 or APERAK: what a partner's application says of a document. `verdict` is A accepted, E accepted with
    errors, R refused, empty where the document does not tell."""

    number: str
    about: str
    about_kind: str
    verdict: str
    errors: tuple[ApplicationError, ...] = ()
    group_control: str = ""
    set_control: str = ""
    sequence: str = ""


@dataclass(frozen=True, slots=True)
class AcknowledgedMessage:
    """What a CONTRL says of one message; `errors` are plain sentences."""

    reference: str
    kind: str
    verdict: str
    errors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class InterchangeAcknowledgement:
    """A TA1 or CONTRL for one of our interchanges. `verdict` is A, E or R; with no messages and groups named, it holds
    for all of them. `is_receipt_only` says that only the arrival is confirmed (CONTRL 8), nothing of the content."""

    control: str
    verdict: str
    errors: tuple[str, ...] = ()
    messages: tuple[AcknowledgedMessage, ...] = ()
    groups: tuple[FunctionalAcknowledgement, ...] = ()
    sender: str = ""
    receiver: str = ""
    sent_on: date | None = None
    is_receipt_only: bool = False
