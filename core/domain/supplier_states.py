"""States and kinds of the work with suppliers."""

from __future__ import annotations

from enum import StrEnum


class DeadlineKind(StrEnum):
    """What a supplier owes us by a time. FUNCTIONAL_ACKNOWLEDGEMENT: that it could read our order (997, CONTRL)."""

    FUNCTIONAL_ACKNOWLEDGEMENT = "FUNCTIONAL_ACKNOWLEDGEMENT"
    ACKNOWLEDGEMENT = "ACKNOWLEDGEMENT"
    SHIP_NOTICE = "SHIP_NOTICE"


class DeadlineState(StrEnum):
    """How far a deadline has come; the first four are live."""

    OPEN = "OPEN"
    WARNED = "WARNED"
    BREACHED = "BREACHED"
    ESCALATED = "ESCALATED"
    MET = "MET"
    DROPPED = "DROPPED"


class PackKind(StrEnum):
    """What is under an SSCC."""

    CARTON = "CARTON"
    PALLET = "PALLET"


class RequestKind(StrEnum):
    """What is urgently asked of a supplier."""

    STOCK = "STOCK"
    EXPEDITE = "EXPEDITE"
    DATE = "DATE"


class RequestState(StrEnum):
    """Where an urgent request stands."""

    OPEN = "OPEN"
    ANSWERED = "ANSWERED"
    DECLINED = "DECLINED"
