"""States of EDI documents, of what is sent, and of partner guides."""

from __future__ import annotations

from enum import StrEnum


class EdiValidation(StrEnum):
    """Is a received document well formed and within its partner's guide."""

    PENDING = "pending"
    VALID = "valid"
    VALID_WITH_ERRORS = "valid_with_errors"
    INVALID = "invalid"


class EdiDelivery(StrEnum):
    """Did a received document reach the business."""

    RECEIVED = "received"
    APPLIED = "applied"
    STALE = "stale"
    REPEATED = "repeated"
    QUARANTINED = "quarantined"
    IGNORED = "ignored"


_DROPPED = "ignored"
_WITHOUT_EFFECT = {
    EdiDelivery.STALE: "Something newer about the same was applied before it; it is kept and moves nothing.",
    EdiDelivery.REPEATED: "The same document was applied before, under the same control numbers.",
}


def reason_of(
    delivery: str, quarantine_state: str | None, quarantine_reason: str | None, note: str | None = None
) -> str | None:
    """Why a received document has no effect as it stands; None for one that has, or that is in line.

    `note` is what the person said who dropped it.
    """
    if delivery == EdiDelivery.QUARANTINED:
        return quarantine_reason
    if delivery != EdiDelivery.IGNORED:
        return _WITHOUT_EFFECT.get(EdiDelivery(delivery))
    if quarantine_state != _DROPPED:
        return "It is marked as a test: tests are read and answered, and move nothing."
    return f"It was dropped: {note}" if note else "It was dropped."


class EdiAcknowledgement(StrEnum):
    """What was answered to the sender of a document, or by its receiver."""

    NOT_REQUIRED = "not_required"
    PENDING = "pending"
    ACCEPTED = "accepted"
    ACCEPTED_WITH_ERRORS = "accepted_with_errors"
    PARTIALLY_ACCEPTED = "partially_accepted"
    REJECTED = "rejected"


class EdiOutboundState(StrEnum):
    """Where a document that we send stands."""

    PENDING = "pending"
    WRITTEN = "written"
    ACKNOWLEDGED = "acknowledged"
    REJECTED = "rejected"


class QuarantineState(StrEnum):
    """What is done about a document that could not be applied."""

    NEW = "new"
    ASSIGNED = "assigned"
    FIXED = "fixed"
    REPLAYED = "replayed"
    IGNORED = "ignored"


class PartnerAlertKind(StrEnum):
    """What is strange about the traffic of a partner."""

    CONTROL_GAP = "CONTROL_GAP"
    ENVELOPE_CHANGED = "ENVELOPE_CHANGED"
    SILENT = "SILENT"


class GuideState(StrEnum):
    """Is a version of a partner guide in use."""

    DRAFT = "draft"
    ACTIVE = "active"
    RETIRED = "retired"
