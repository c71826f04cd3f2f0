"""What may be said of a SKU from outside: its names, figures and what is tracked of its units, checked before written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from core.errors import InvalidInput

MAX_FIGURE = 1_000_000_000
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,63}")
_LANGUAGE = re.compile(r"[a-z]{2}")
_CURRENCY = re.compile(r"[A-Z]{3}")
_COLUMNS = {"names": "name"}


@dataclass(frozen=True, slots=True)
class SkuFields:
    """None: as it was (a new SKU: the column's default). Costs and prices in minor units, weights in grams, life in days.

    `names` by language (two letters); a language that is not named keeps its name. `gtin` '' takes the GTIN away.
    """

    names: Mapping[str, str] | None = None
    low_stock_at: int | None = None
    reorder_point: int | None = None
    reorder_quantity: int | None = None
    weight_g: int | None = None
    unit_cost: int | None = None
    unit_price: int | None = None
    min_life_days: int | None = None
    tracks_lots: bool | None = None
    tracks_expiry: bool | None = None
    tracks_serials: bool | None = None
    gtin: str | None = None

    @property
    def given(self) -> dict[str, Any]:
        """The values that were given, by column."""
        found = {_COLUMNS.get(f.name, f.name): getattr(self, f.name) for f in fields(self)}
        return {name: value for name, value in found.items() if value is not None}

    def check(self) -> None:
        """Raises InvalidInput for a negative or huge figure, or a name without text or language."""
        for name, value in self.given.items():
            path = ("input", _camel(name))
            if name == "name":
                for language, text in value.items():
                    if not _LANGUAGE.fullmatch(language) or not 0 < len(text.strip()) <= 200:
                        raise InvalidInput(
                            "A name has a language of two letters and 1 to 200 characters.", path=path, value=language
                        )
            elif name == "gtin":
                if value and not is_gtin(value):
                    text = "A GTIN has 8, 12, 13 or 14 digits, the last a check digit."
                    raise InvalidInput(text, path=path, value=value)
            elif not isinstance(value, bool) and not 0 <= value <= MAX_FIGURE:
                raise InvalidInput(f"{value} is not between 0 and {MAX_FIGURE}.", path=path, value=value)


def is_gtin(digits: str) -> bool:
    """Whether the last digit is the GS1 check digit (modulo 10, weights 3 and 1 from the right); zeros alone are none."""
    if len(digits) not in (8, 12, 13, 14) or not (digits.isascii() and digits.isdecimal() and digits.strip("0")):
        return False
    weighted = sum(int(digit) * (3 if at % 2 == 0 else 1) for at, digit in enumerate(reversed(digits[:-1])))
    return (10 - weighted % 10) % 10 == int(digits[-1])


def shortest_gtin(digits: str) -> str:
    """One form for the forms of a GTIN that differ by leading zeros: the shortest of 8, 12, 13 and 14 digits."""
    bare = digits.lstrip("0")
    return bare.zfill(8 if len(bare) <= 8 else 12)


def check_identity(code: str, unit: str, currency: str) -> None:
    """Raises InvalidInput for a code, base unit or currency that cannot be."""
    for name, value, is_right in (
        ("code", code, _CODE.fullmatch(code)),
        ("unit", unit, 0 < len(unit.strip()) <= 8),
        ("currency", currency, _CURRENCY.fullmatch(currency)),
    ):
        if not is_right:
            raise InvalidInput(
                "A code has 1 to 64 letters, digits and . _ / -, a unit 1 to 8 characters, a currency three capitals.",
                path=("input", name),
                value=value,
            )


def check_tracking(now: Mapping[str, Any]) -> None:
    """Raises InvalidInput for an expiry without lots, or days of life where nothing expires."""
    if now["tracks_expiry"] and not now["tracks_lots"]:
        raise InvalidInput("Only lots expire: expiry is tracked together with lots.", path=("input", "tracksExpiry"))
    if now["min_life_days"] and not now["tracks_expiry"]:
        raise InvalidInput("Days of life are asked of lots that expire.", path=("input", "minLifeDays"))


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
