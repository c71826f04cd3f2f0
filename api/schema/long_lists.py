"""Lists that are longer than any page are answered page by page: who asks for all of a large order holds nobody up."""

from __future__ import annotations

import asyncio
from typing import Any

from graphql.pyutils import Path
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

LONG = 100
"""Items of a page; only what has no pages, such as the lines of an order, is longer."""


class _Part(Path):
    """The path of a list, for those of its items that begin at `start`."""

    start: int

    def add_key(self, key: str | int, typename: str | None = None) -> Path:
        """Where the item lies in the whole list."""
        assert isinstance(key, int)
        return Path(self, self.start + key, typename)


class LongLists(StrawberryGraphQLCoreExecutionContext):
    """Executes as Strawberry does, except that of a long list one part is answered, with all that it holds, before the next."""

    def complete_iterable_value(
        self, item_type: Any, field_details_list: Any, info: Any, path: Any, items: Any, position_context: Any
    ) -> Any:
        """Complete each item of a list; what tells of the schema is told in a thread, in one go."""
        complete = super().complete_iterable_value
        if not isinstance(items, list) or len(items) <= LONG or info.parent_type.name.startswith("__"):
            return complete(item_type, field_details_list, info, path, items, position_context)

        async def in_parts() -> list[Any]:
            found: list[Any] = []
            for start in range(0, len(items), LONG):
                place = _Part(*path)
                place.start = start
                part: Any = complete(
                    item_type, field_details_list, info, place, items[start : start + LONG], position_context
                )
                found += await part if self.is_awaitable(part) else part
                await asyncio.sleep(0)
            return found

        return in_parts()
