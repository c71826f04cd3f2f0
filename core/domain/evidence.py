"""The evidence of a cause in the words of people: what it keeps by row id is told by number or code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Mention = tuple[str, int]
"""What kind of row (`location`, `orderLine`, ...) and its id."""

_ROWS = {
    "orderLines": "orderLine",
    "supplies": "supply",
    "purchaseOrderLines": "purchaseOrderLine",
    "stockMovements": "stockMovement",
}
"""Names of lists whose items are ids, or objects with an `id`, by the kind of row."""


def mentions(evidence: Any) -> set[Mention]:
    """Every row that the evidence names by its id, also in earlier verdicts."""
    found: set[Mention] = set()
    _tell(evidence, None, lambda mention: found.add(mention))
    return found


def in_words(evidence: Any, names: Mapping[Mention, str]) -> Any:
    """The same with `names` in the place of ids: `locationId` becomes `location`; null for a row that is gone."""
    return _tell(evidence, None, names.get)


def _tell(value: Any, kind: str | None, name_of: Any) -> Any:
    if isinstance(value, list):
        return [_tell(item, kind, name_of) for item in value]
    if isinstance(value, int) and kind is not None and not isinstance(value, bool):
        return name_of((kind, value))
    if not isinstance(value, dict):
        return value
    told: dict[str, Any] = {}
    for name, item in value.items():
        if name == "id" and kind is not None:
            told[kind] = None if item is None or item == 0 else name_of((kind, item))
        elif name.endswith("Id"):
            of = name.removesuffix("Id")
            told[of] = None if item is None else name_of((of, item))
        else:
            told[name] = _tell(item, _ROWS.get(name), name_of)
    return told
