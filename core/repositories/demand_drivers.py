"""Write imported figures that may move demand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from core.ports import Transaction


async def write_figures(uow: Transaction, rows: Sequence[tuple[str, str | None, date, float]]) -> list[str]:
    """(series, SKU code or None, day, value); a figure of the same day is replaced. Returns SKU codes that nobody knows,
    whose rows were left out."""
    codes = sorted({code for _, code, _, _ in rows if code is not None})
    found = await uow.sql.fetch("select id, code from sku where code = any($1::text[])", codes)
    ids = {row["code"]: row["id"] for row in found}
    known = [
        (series, None if code is None else ids[code], day, value)
        for series, code, day, value in rows
        if code is None or code in ids
    ]
    await uow.sql.executemany(
        """insert into demand_driver (series, sku_id, day, value) values ($1, $2, $3, $4)
        on conflict (series, sku_id, day) do update set value = excluded.value""",
        known,
    )
    return [code for code in codes if code not in ids]
