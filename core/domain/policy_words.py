"""Refusals of business parameters in plain words: which value, where it stands, and what could stand there."""

from __future__ import annotations

import difflib
import json
from collections.abc import Collection
from typing import Any

from core.errors import InvalidInput

MOST_SHOWN = 60
"""Characters of a value that are repeated; what is longer is cut."""


def unusable(code: str, wanted: str, value: Any, place: str = "") -> InvalidInput:
    """`value`, which stands at `place` of the parameter `code` ("" for the whole), is not what is `wanted`."""
    where = f"{place} of {code}" if place else code
    return InvalidInput(f"{where} cannot be {shown(value)}: give {wanted}.", field=code, value=shown(value))


def unknown_name(code: str, name: str, known: Collection[str], place: str = "") -> InvalidInput:
    """`name` is none of the settings that stand at `place` of the parameter `code`; the nearest one is proposed."""
    where = f"{place} of {code}" if place else code
    near = difflib.get_close_matches(str(name), list(known), n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    return InvalidInput(
        f"{where} has no setting {shown(name)}.{hint} It takes {', '.join(sorted(known))}.", field=code, value=str(name)
    )


def shown(value: Any) -> str:
    """The value as it was given, in JSON, cut when it is long."""
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        text = str(value)
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}…"
