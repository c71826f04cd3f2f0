"""Resolve the codes that come from outside to ids, before any gate is taken."""

from __future__ import annotations

from collections.abc import Iterable

from core.errors import NotFound, UnknownSku
from core.ports import Transaction


async def sku_ids_of(uow: Transaction, codes: Iterable[str], path: tuple[str, ...] = ()) -> dict[str, int]:
    """SKU ids by code. Raises UnknownSku for the first code that does not exist, at the input field `path`."""
    wanted = sorted(set(codes))
    rows = await uow.sql.fetch("select id, code from sku where code = any($1::text[])", wanted)
    found = {row["code"]: row["id"] for row in rows}
    for code in wanted:
        if code not in found:
            raise UnknownSku(code, path=path)
    return found


async def location_ids_of(uow: Transaction, codes: Iterable[str], path: tuple[str, ...] = ()) -> dict[str, int]:
    """Location ids by code. Raises NotFound for the first code that does not exist, at the input field `path`."""
    wanted = sorted(set(codes))
    rows = await uow.sql.fetch("select id, code from location where code = any($1::text[])", wanted)
    found = {row["code"]: row["id"] for row in rows}
    for code in wanted:
        if code not in found:
            raise NotFound("location", code, path=path)
    return found


async def lane_ends_of(uow: Transaction, from_location: str, to_location: str) -> tuple[int, int]:
    """Ids of where a move begins and ends. Raises NotFound at the input field `fromLocation` or `toLocation`."""
    try:
        ids = await location_ids_of(uow, [from_location, to_location])
    except NotFound as error:
        error.path = ("input", "fromLocation" if error.facts["key"] == from_location else "toLocation")
        raise
    return ids[from_location], ids[to_location]
