"""Recount every identity of the data model, range by range; finding is all it does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from core.queries.identities import CHECKS
from core.unit_of_work import UnitOfWork

SHOWN = 50
"""Rows of a difference that are kept with its alarm; `count` tells all."""
RANGE = {"sku": 500, "sales_order": 5_000, "purchase_order": 5_000, "repromising_run": 20}
"""How many SKUs, orders, purchase orders or runs are recounted by one statement."""


@dataclass(frozen=True, slots=True)
class Difference:
    """An identity that does not hold: its name, the first rows at fault, and how many there are."""

    check: str
    rows: list[dict[str, Any]]
    count: int


@dataclass(frozen=True, slots=True)
class Range:
    """Ids `first` to `last`, both included, of a kind of rows."""

    of: str
    first: int
    last: int


async def ranges(uow: UnitOfWork, sizes: Mapping[str, int] = RANGE) -> list[Range]:
    """What there is to recount, in steps of `sizes`; the last range of each kind is open, for what is added meanwhile."""
    found: list[Range] = []
    for of, size in sizes.items():
        rows = await uow.sql.fetch(
            f"""select id from (select id, row_number() over (order by id) as n from {of}) x
            where (n - 1) % $1 = 0 order by id""",
            size,
        )
        starts = [row["id"] for row in rows] or [0]
        ends = [*(start - 1 for start in starts[1:]), 2**63 - 1]
        found += [
            Range(of, 0 if i == 0 else start, end) for i, (start, end) in enumerate(zip(starts, ends, strict=True))
        ]
    return found


async def recount_range(uow: UnitOfWork, part: Range) -> list[Difference]:
    """The differences among these rows. Each check is one statement, hence one consistent snapshot."""
    found: list[Difference] = []
    for check, identity in CHECKS.items():
        if identity.range != part.of:
            continue
        rows = await uow.sql.fetch(
            f"select *, count(*) over () as all_rows from ({identity.sql}) q limit {SHOWN}",
            part.first,
            part.last,
            *([uow.now] if identity.dated else []),
        )
        if rows:
            plain = [{name: _plain(value) for name, value in dict(row).items()} for row in rows]
            count = plain[0]["all_rows"]
            found.append(Difference(check, [{k: v for k, v in row.items() if k != "all_rows"} for row in plain], count))
    return found


def merge(differences: Sequence[Difference]) -> list[Difference]:
    """One difference per check, of all ranges, in the order of the checks."""
    merged: dict[str, Difference] = {}
    for found in differences:
        before = merged.get(found.check)
        if before is not None:
            found = Difference(found.check, [*before.rows, *found.rows][:SHOWN], before.count + found.count)
        merged[found.check] = found
    return [merged[check] for check in CHECKS if check in merged]


async def recount(uow: UnitOfWork) -> list[Difference]:
    """All differences, without any trace of having looked."""
    return merge([found for part in await ranges(uow) for found in await recount_range(uow, part)])


def _plain(value: Any) -> Any:
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    # Sums of bigint arrive as Decimal; they are whole.
    return value if value is None or isinstance(value, (bool, int, str, list)) else int(value)
