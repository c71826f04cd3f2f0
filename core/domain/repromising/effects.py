"""What a run does to a line, and why."""

from __future__ import annotations

from enum import StrEnum


class Effect(StrEnum):
    """What the run does to a line."""

    GAINED = "GAINED"
    LOST = "LOST"
    EXCEPTION = "EXCEPTION"


class Why(StrEnum):
    """Why a line gains, loses, or cannot be served as its strategy wants."""

    WON = "WON"
    PRIORITY = "PRIORITY"
    SUPPLY_FREE = "SUPPLY_FREE"
    OUTRANKED = "OUTRANKED"
    SUPPLY_LATE = "SUPPLY_LATE"
    FREED = "FREED"
    NO_SUPPLY = "NO_SUPPLY"
