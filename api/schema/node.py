"""What every type is made from: nodes with opaque ids, rows by name, pages."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Annotated, Any, Generic, TypeAlias, TypeVar

import strawberry
from strawberry import argument, field

from api.pagination import Slice, encode_id

T = TypeVar("T")
SKU_KEYED = frozenset({"OrderLine", "Backorder", "ResolutionOption", "PurchaseOrderLine", "Transfer"})
"""Node types whose rows are found by (SKU, id)."""
Row: TypeAlias = Any
"""A row by column name: an asyncpg record or a dict."""


@strawberry.interface(description="A thing with an opaque id that `node` can find again.")
class Node:
    """Base of all node types."""

    id: strawberry.ID = field(description="Opaque id; stable for the life of the thing.")


@strawberry.type(description="Where a page lies in its list.")
class PageInfo:
    """Relay's PageInfo."""

    has_next_page: bool = field(description="More follow after this page.")
    has_previous_page: bool = field(description="More lie before this page.")
    start_cursor: str | None = field(description="Cursor of the first item of this page.")
    end_cursor: str | None = field(description="Cursor of the last item of this page.")


@strawberry.type(description="One item of a page with its place in the list.")
class Edge(Generic[T]):
    """Relay's edge."""

    cursor: str = field(description="Place of the item; pass it as `after` or `before`.")
    node: T = field(description="The item.")


@strawberry.type(description="One page of a list.")
class Connection(Generic[T]):
    """Relay's connection, with `nodes` for those who need no cursors."""

    edges: list[Edge[T]] = field(description="Items with their cursors.")
    nodes: list[T] = field(description="The items alone.")
    page_info: PageInfo = field(description="Where this page lies.")


PageFirst: TypeAlias = Annotated[int | None, argument(description="How many from the start, 1 to 100.")]
PageAfter: TypeAlias = Annotated[str | None, argument(description="Only what follows this cursor.")]
PageLast: TypeAlias = Annotated[int | None, argument(description="How many from the end, 1 to 100.")]
PageBefore: TypeAlias = Annotated[str | None, argument(description="Only what lies before this cursor.")]


def connection(page: Slice, build: Callable[[Any], Any]) -> Any:
    """A connection of what `build` makes of each row."""
    nodes = [build(row) for row in page.rows]
    return Connection(
        edges=[Edge(cursor=cursor, node=node) for cursor, node in zip(page.cursors, nodes, strict=True)],
        nodes=nodes,
        page_info=PageInfo(
            has_next_page=page.has_next,
            has_previous_page=page.has_previous,
            start_cursor=page.cursors[0] if page.cursors else None,
            end_cursor=page.cursors[-1] if page.cursors else None,
        ),
    )


_types: dict[str, type] = {}


def register(cls: type[T]) -> type[T]:
    """Make a type known by its name, so that types may build each other without importing each other."""
    _types[cls.__name__] = cls
    return cls


def node_types() -> list[type]:
    """All registered types that are nodes."""
    return [cls for cls in _types.values() if issubclass(cls, Node)]


def build(name: str, row: Row | None) -> Any:
    """An instance of the type `name` from a row; None from None."""
    return None if row is None else from_row(_types[name], row)


def build_all(name: str, rows: Any) -> list[Any]:
    """Instances of the type `name`, in the order of the rows."""
    return [from_row(_types[name], row) for row in rows]


@cache
def _init_fields(cls: type) -> tuple[str, ...]:
    return tuple(name for name, member in cls.__dataclass_fields__.items() if member.init)  # type: ignore[attr-defined]


def from_row(cls: type[T], row: Row) -> T:
    """Build a type from a row whose columns have the names of its fields; nodes get their opaque id.

    A type with a static `facts_of` reads its fields from what that makes of the row. A node
    reads `id` (and `sku_id` when its table is keyed by SKU) and keeps the row's id as `key`.
    """
    prepare = getattr(cls, "facts_of", None)
    row = row if prepare is None else prepare(row)
    values: dict[str, Any] = {}
    for name in _init_fields(cls):
        if name == "id" and issubclass(cls, Node):
            sku_id = row["sku_id"] if cls.__name__ in SKU_KEYED else 0
            values["id"] = encode_id(cls.__name__, row["id"], sku_id)
        elif name == "key":
            values["key"] = row["id"]
        elif name == "row":
            values["row"] = row
        elif name in row:
            values[name] = row[name]
    return cls(**values)
