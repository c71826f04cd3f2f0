"""How loaders load: one query per batch, in a short session that sees what the caller may see; nothing is kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any, Protocol

from strawberry.dataloader import DataLoader

from core.domain.access import Principal


class Reads(Protocol):
    """What loaders need of the context."""

    @property
    def principal(self) -> Principal: ...

    def read(self) -> AbstractAsyncContextManager[Any]: ...

    def read_system(self) -> AbstractAsyncContextManager[Any]: ...

    async def now(self) -> datetime: ...


Fetch = Callable[[Any, list[Any]], Awaitable[Iterable[Any]]]


class LoaderBase:
    """What the loaders of one operation are made with."""

    def __init__(self, context: Reads) -> None:
        self._context = context

    @property
    def _principal(self) -> Principal:
        return self._context.principal

    def _one(self, fetch: Fetch, key: Callable[[Any], Any] = lambda row: row["id"]) -> DataLoader[Any, Any]:
        """A loader of one row per key, None for a key without one."""

        async def load(keys: list[Any]) -> Sequence[Any]:
            async with self._context.read() as sql:
                rows = {key(row): row for row in await fetch(sql, list(dict.fromkeys(keys)))}
            return [rows.get(wanted) for wanted in keys]

        return DataLoader(load_fn=load, cache=False)

    def _many(self, fetch: Fetch, key: Callable[[Any], Any]) -> DataLoader[Any, Any]:
        """A loader of all rows per key, in the order of the query."""

        async def load(keys: list[Any]) -> Sequence[Any]:
            found: dict[Any, list[Any]] = defaultdict(list)
            async with self._context.read() as sql:
                for row in await fetch(sql, list(dict.fromkeys(keys))):
                    found[key(row)].append(row)
            return [found[wanted] for wanted in keys]

        return DataLoader(load_fn=load, cache=False)

    def _paged(self, fetch: Callable[..., Awaitable[list[Any]]], key: Callable[[Any], Any]) -> DataLoader[Any, Any]:
        """A loader of rows by (key, limit, after): one query for all pages that are alike."""

        async def load(asked: list[Any]) -> list[list[Any]]:
            found: dict[Any, list[Any]] = {one: [] for one in asked}
            async with self._context.read() as sql:
                for limit, after in dict.fromkeys((limit, after) for _, limit, after in asked):
                    keys = list(dict.fromkeys(one for one, *page in asked if page == [limit, after]))
                    for row in await fetch(sql, self._principal, keys, limit, after):
                        found[key(row), limit, after].append(row)
            return [found[one] for one in asked]

        return DataLoader(load_fn=load, cache=False)
