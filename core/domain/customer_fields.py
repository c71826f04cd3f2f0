"""What may be said of a customer: code, grade, language, and the personal fields that are kept apart; checked before written."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import Any

from core.domain.placing import ShipTo
from core.domain.priority import TIER_RANK
from core.errors import InvalidInput

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,63}")
_LANGUAGE = re.compile(r"[a-z]{2}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_PHONE = re.compile(r"\+?[0-9][0-9 ().-]{2,30}")
_COUNTRY = re.compile(r"[A-Za-z]{2}")
MAX_NAME = 200
MAX_EMAIL = 254
MAX_POSTAL_CODE = 16


@dataclass(frozen=True, slots=True)
class Person:
    """The personal fields. None: as it was; '' takes a name, e-mail or phone away."""

    name: str | None = None
    email: str | None = None
    phone: str | None = None
    address: ShipTo | None = None

    @property
    def given(self) -> dict[str, Any]:
        """The values that were given, by column, as they are kept."""
        found = {member.name: getattr(self, member.name) for member in fields(self)}
        kept: dict[str, Any] = {name: value.strip() or None for name, value in found.items() if isinstance(value, str)}
        if self.address is not None:
            kept["address"] = {name: value for name, value in self.address.as_json().items() if value}
        return kept

    def check(self) -> None:
        """Raises InvalidInput; the refusal names the field and never repeats what a person told us."""
        given = self.given
        if (name := given.get("name")) is not None and not (len(name) <= MAX_NAME and name.isprintable()):
            raise InvalidInput(f"A name has at most {MAX_NAME} printable characters.", path=("input", "name"))
        if (email := given.get("email")) is not None and not (
            len(email) <= MAX_EMAIL and email.isprintable() and _EMAIL.fullmatch(email)
        ):
            raise InvalidInput("An e-mail address is like name@example.com.", path=("input", "email"))
        if (phone := given.get("phone")) is not None and not _PHONE.fullmatch(phone):
            raise InvalidInput(
                "A phone number has 3 to 32 digits, spaces and ( ) . -, and may begin with +.", path=("input", "phone")
            )
        if self.address is not None:
            _check_address(self.address)


def _check_address(address: ShipTo) -> None:
    path = ("input", "address")
    if not _COUNTRY.fullmatch(address.country):
        raise InvalidInput(
            f"{address.country[:8]!r} is not a two-letter ISO 3166 country code such as KR.", path=(*path, "country")
        )
    for field, value, most in (
        ("postalCode", address.postal_code, MAX_POSTAL_CODE),
        ("name", address.name, MAX_NAME),
        ("line1", address.line1, MAX_NAME),
        ("city", address.city, MAX_NAME),
    ):
        if len(value) > most or not value.isprintable():
            raise InvalidInput(f"It has at most {most} printable characters.", path=(*path, field))


def check_code(code: str) -> None:
    """Raises InvalidInput. A code stands in tokens, logs and the audit trail: an e-mail address is none."""
    if not _CODE.fullmatch(code):
        raise InvalidInput(
            "A customer's code has 1 to 64 letters, digits and . _ / -, and begins with a letter or digit.",
            path=("input", "code"),
            value=code[:64],
        )


def check_grade(tier: str | None) -> None:
    """Raises InvalidInput for a grade that no rule knows: it would silently count as STANDARD."""
    if tier is not None and tier not in TIER_RANK:
        raise InvalidInput(
            f"There is no tier {tier[:64]!r}; known: {', '.join(TIER_RANK)}.", path=("input", "tier"), value=tier[:64]
        )


def check_language(language: str | None, field: str = "language") -> None:
    """Raises InvalidInput for what is no ISO 639-1 code."""
    if language is not None and not _LANGUAGE.fullmatch(language):
        raise InvalidInput(
            f"{language[:64]!r} is not a language of two small letters (ISO 639-1) such as ko.",
            path=("input", field),
            value=language[:64],
        )
