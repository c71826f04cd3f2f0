"""Read what customers were told last, part by part."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from core.domain.book import SkuBook
from core.ports import Transaction


async def load_told(uow: Transaction, books: Iterable[SkuBook]) -> dict[int, list[dict[str, Any]]]:
    """The slices of the present promise per line id, for the loaded lines of these books."""
    lines = [(book.sku_id, line.promise_id) for book in books for line in book.lines.values() if line.promise_id]
    rows = await uow.sql.fetch(
        """select p.order_line_id, p.slices from unnest($1::bigint[], $2::bigint[]) as u(sku_id, id)
        join promise p on p.sku_id = u.sku_id and p.id = u.id""",
        [sku_id for sku_id, _ in lines],
        [promise_id for _, promise_id in lines],
    )
    return {row["order_line_id"]: row["slices"] for row in rows}
