"""Save a variant of re-promising under a code, to be run again or by a schedule."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from core.domain.repromising.variant import variant_of
from core.errors import InvalidInput, VersionConflict
from core.ports import Transaction
from core.repositories.repromising_variants import lock_variant, write_variant

MAX_CODE = 60


@dataclass(frozen=True, slots=True)
class SaveVariant:
    """`daily_at` in `time_zone` starts it every day; None: only by hand."""

    code: str
    name: str
    definition: dict[str, Any]
    daily_at: time | None = None
    time_zone: str = "UTC"
    is_active: bool = True
    expected_version: int | None = None


async def save_repromising_variant(uow: Transaction, request: SaveVariant) -> dict[str, Any]:
    """The saved row. Raises InvalidInput and VersionConflict."""
    code = request.code.strip()
    if not 0 < len(code) <= MAX_CODE:
        raise InvalidInput(f"A code has 1 to {MAX_CODE} characters.", path=("input", "code"), value=request.code)
    try:
        ZoneInfo(request.time_zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise InvalidInput(
            f"{request.time_zone!r} is not a time zone.", path=("input", "timeZone"), value=request.time_zone
        ) from error
    before = await lock_variant(uow, code)
    version = before["version"] if before else 0
    if request.expected_version is not None and request.expected_version != version:
        raise VersionConflict("re-promising variant", code, request.expected_version, version)
    definition = variant_of(request.definition).as_json()
    row = await write_variant(
        uow, code, request.name.strip() or code, definition, request.daily_at, request.time_zone, request.is_active
    )
    uow.audit(
        "repromisingVariantSave",
        f"repromising_variant:{code}",
        before["definition"] if before else None,
        {"definition": definition, "dailyAt": request.daily_at.isoformat() if request.daily_at else None},
    )
    return row
