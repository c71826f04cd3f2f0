"""How many digits of a currency stand behind its point."""

from __future__ import annotations

_WITHOUT_MINOR_UNITS = frozenset({"JPY", "KRW", "VND", "CLP", "ISK"})


def digits_of(currency: str) -> int:
    """Digits of minor units, 2 where nothing else is known (ISO 4217)."""
    return 0 if currency in _WITHOUT_MINOR_UNITS else 2
