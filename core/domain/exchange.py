"""What money of one currency is worth in another, by the rates that planners keep."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.domain.currencies import digits_of

POLICY = "exchange_rates"
"""The policy with the worth of one unit of each currency in a common measure, whichever that is."""


def worth(rates: Any, one: str, other: str) -> float | None:
    """Minor units of `other` for one minor unit of `one`; None where a rate is not known."""
    if one == other:
        return 1.0
    if not isinstance(rates, Mapping) or not rates.get(one) or not rates.get(other):
        return None
    return float(rates[one]) / float(rates[other]) * 10.0 ** (digits_of(other) - digits_of(one))
