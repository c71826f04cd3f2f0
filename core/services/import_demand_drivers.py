"""Take in prices of SKUs and outside series (weather, a rate, an index of searches) that may move demand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from core.ports import Transaction
from core.repositories.demand_drivers import write_figures


@dataclass(frozen=True, slots=True)
class ImportedDrivers:
    """`rows` written, and SKU codes of rows that were left out because nobody knows them."""

    rows: int
    unknown_skus: list[str]


async def import_demand_drivers(
    uow: Transaction, rows: Sequence[tuple[str, str | None, date, float]]
) -> ImportedDrivers:
    """(series, SKU code or None for all, day, value); importing the same file again changes nothing.

    The series `price` holds prices of SKUs, each from its day on. Any other series without a SKU is a figure for all.
    """
    unknown = set(await write_figures(uow, rows))
    kept = sum(code not in unknown for _, code, _, _ in rows)
    uow.audit("demandDriversImport", "demand_driver", None, {"rows": kept, "series": sorted({row[0] for row in rows})})
    return ImportedDrivers(kept, sorted(unknown))
