"""Keyset pages: the SQL that continues a sorted list after or before a row, forwards or backwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg


@dataclass(frozen=True, slots=True)
class SortKey:
    """One sort expression (never null), its Python type in a cursor, and its PostgreSQL type."""

    expression: str
    type: Any
    sql_type: str


@dataclass(frozen=True, slots=True)
class Sort:
    """A total order of a list: the last key is unique, and all keys run in the same direction."""

    name: str
    keys: tuple[SortKey, ...]
    descending: bool = True


@dataclass(frozen=True, slots=True)
class Page:
    """How many rows, from which end, between which keys (exclusive)."""

    limit: int
    backward: bool = False
    after: tuple[Any, ...] | None = None
    before: tuple[Any, ...] | None = None


@dataclass(slots=True)
class Filter:
    """Conditions joined by AND; every value is a bound argument."""

    conditions: list[str] = field(default_factory=list)
    arguments: list[Any] = field(default_factory=list)

    def add(self, condition: str, *values: Any) -> None:
        """Add a condition; each `?` in it becomes the next bound argument."""
        for value in values:
            self.arguments.append(value)
            condition = condition.replace("?", f"${len(self.arguments)}", 1)
        self.conditions.append(condition)

    def add_given(self, condition: str, value: Any) -> None:
        """Add a condition of one argument only when a value was given."""
        if value is not None:
            self.add(condition, value)


async def fetch_page(
    sql: asyncpg.Connection, select: str, filter: Filter, sort: Sort, page: Page
) -> tuple[Sequence[asyncpg.Record], bool]:
    """Rows of `select` ("select ... from ..." without where) in list order, and whether more lie beyond the page.

    Rows carry their sort keys as k0, k1, ...; one row more than the page is read to know whether the list goes on.
    """
    where = Filter(list(filter.conditions), list(filter.arguments))
    row = f"({', '.join(key.expression for key in sort.keys)})"
    marks = f"({', '.join(f'?::{key.sql_type}' for key in sort.keys)})"
    later, earlier = ("<", ">") if sort.descending else (">", "<")
    if page.after is not None:
        where.add(f"{row} {later} {marks}", *page.after)
    if page.before is not None:
        where.add(f"{row} {earlier} {marks}", *page.before)
    direction = "desc" if sort.descending != page.backward else "asc"
    order = ", ".join(f"{key.expression} {direction}" for key in sort.keys)
    keys = ", ".join(f"{key.expression} as k{n}" for n, key in enumerate(sort.keys))
    head, separator, tail = select.partition("\nfrom ")
    assert separator, "a page query puts its from on a line of its own"
    text = f"{head}, {keys}\nfrom {tail}\nwhere {' and '.join(where.conditions) or 'true'}\norder by {order}"
    rows = await sql.fetch(f"{text} limit {page.limit + 1}", *where.arguments)
    has_more = len(rows) > page.limit
    rows = rows[: page.limit]
    return (rows[::-1] if page.backward else rows), has_more
