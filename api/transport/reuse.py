"""Answers that may be given again: public availability, while the versions behind it stand and its time has not come.

An answer is kept as bytes with the gate versions it was computed from and the moment until which it is valid. Before it
is given again those versions are read from PostgreSQL, in one statement for all requests of one turn of the event loop:
whoever has been told that a change is done never gets the answer from before it.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec
from graphql import DocumentNode, GraphQLSchema, OperationDefinitionNode, TypeInfo, TypeInfoVisitor, Visitor, visit
from prometheus_client import Counter

from api.context import Context, Sources
from api.transport.request import GraphQLRequest
from core.domain.access import Principal

REUSED = Counter("backorder_answers_reused", "Answers of availability, by what became of the kept one", ["outcome"])

_REUSED = REUSED.labels("reused")

MAX_BYTES = 64_000_000
MAX_ANSWER_BYTES = 1_000_000
MAX_RECALLED = 1_000
MAX_RECALLED_BYTES = 8_000
"""Of one request; longer ones are read anew every time."""
TYPES = frozenset(
    {
        "Query",
        "Availability",
        "Promise",
        "PromiseSlice",
        "DateEstimate",
        "AtpPoint",
        "BindingConstraint",
        "Location",
    }
)
"""What an answer may be made of to be kept: types whose fields follow from the gates and the network alone."""
SKU_FIELDS = frozenset({"__typename", "id", "code", "name", "unit"})
"""Of the SKU itself only what never changes in place."""

ReadVersions = Callable[[Collection[int]], Awaitable[Mapping[int, int]]]


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer as it was sent, its validator for HTTP, and what it rests on."""

    body: bytes
    etag: str
    sources: Sources


class Recalled(NamedTuple):
    """A request whose answer was kept: read from its bytes once, with the name of the answer."""

    request: GraphQLRequest
    name: bytes


def may_share(caller: Principal | None) -> bool:
    """Are the answers of this caller those of others too."""
    return caller is not None and caller.is_publishable


class _Reach(Visitor):
    """Does a document stay within what may be kept?"""

    def __init__(self, info: TypeInfo) -> None:
        super().__init__()
        self.info = info
        self.stays = True

    def enter_field(self, node: Any, *_: Any) -> None:
        parent = self.info.get_parent_type()
        name = parent.name if parent is not None else ""
        field = node.name.value
        if name == "Query":
            self.stays = self.stays and field in ("availability", "__typename")
        elif name == "Sku":
            self.stays = self.stays and field in SKU_FIELDS
        elif name == "SupplySource":
            self.stays = self.stays and field in ("kind", "location", "__typename")
        else:
            self.stays = self.stays and name in TYPES


def may_be_kept(schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode) -> bool:
    """True for a query of nothing but public availability."""
    if operation.operation.value != "query":
        return False
    info = TypeInfo(schema)
    reach = _Reach(info)
    visit(document, TypeInfoVisitor(info, reach))
    return reach.stays


class VersionReader:
    """Reads gate versions for all who ask in one turn of the event loop, in one statement."""

    def __init__(self, read: ReadVersions) -> None:
        self._read = read
        self._wanted: set[int] = set()
        self._waiting: list[asyncio.Future[Mapping[int, int]]] = []

    async def __call__(self, sku_ids: Collection[int]) -> Mapping[int, int]:
        loop = asyncio.get_running_loop()
        if not self._waiting:
            loop.call_soon(self._begin)
        answer = loop.create_future()
        self._waiting.append(answer)
        self._wanted.update(sku_ids)
        return await answer

    def _begin(self) -> None:
        wanted, self._wanted = self._wanted, set()
        waiting, self._waiting = self._waiting, []
        task = asyncio.ensure_future(self._read(wanted))

        def tell(done: asyncio.Future[Mapping[int, int]]) -> None:
            failure = None if done.cancelled() else done.exception()
            for answer in waiting:
                if answer.done():
                    continue
                if done.cancelled():
                    answer.cancel()
                elif failure is not None:
                    answer.set_exception(failure)
                else:
                    answer.set_result(done.result())

        task.add_done_callback(tell)


class AnswerReuse:
    """Answers by request; the oldest go when together they are larger than MAX_BYTES."""

    def __init__(self, read: ReadVersions, *, max_bytes: int = MAX_BYTES) -> None:
        self._versions = VersionReader(read)
        self._kept: OrderedDict[bytes, Kept] = OrderedDict()
        self._recalled: OrderedDict[tuple[bytes, str], Recalled] = OrderedDict()
        self._bytes = 0
        self._max_bytes = max_bytes

    def key(self, request: GraphQLRequest, caller: Principal | None, language: str) -> bytes | None:
        """Names the answer: document, variables and language; None for callers whose answers are their own."""
        if not may_share(caller):
            return None
        parts = [request.query, request.operation_name, request.variables, language]
        return hashlib.sha256(msgspec.json.encode(parts, order="sorted")).digest()

    def recall(self, asked: bytes, language: str) -> Recalled | None:
        """What these bytes ask, when they were answered before."""
        return self._recalled.get((asked, language))

    def remember(self, asked: bytes, language: str, recalled: Recalled) -> None:
        """Know these bytes again."""
        if len(asked) <= MAX_RECALLED_BYTES:
            self._recalled[asked, language] = recalled
            if len(self._recalled) > MAX_RECALLED:
                self._recalled.popitem(last=False)

    async def find(self, key: bytes) -> Kept | None:
        """The kept answer when nothing it rests on has changed."""
        kept = self._kept.get(key)
        if kept is None:
            return None
        now = datetime.now(UTC)
        if kept.sources.valid_until is None or now >= kept.sources.valid_until:
            REUSED.labels("expired").inc()
            self._drop(key)
            return None
        versions = await self._versions(kept.sources.versions)
        if not kept.sources.versions.items() <= versions.items():
            REUSED.labels("changed").inc()
            self._drop(key)
            return None
        _REUSED.inc()
        self._kept.move_to_end(key)
        return kept

    def keep(self, key: bytes, body: bytes, context: Context) -> Kept | None:
        """Remember an answer without errors; None when it rests on nothing that could vouch for it."""
        sources = context.sources
        if not sources.versions or sources.valid_until is None or len(body) > MAX_ANSWER_BYTES:
            return None
        mark = hashlib.sha256(key)
        mark.update(msgspec.json.encode([sorted(sources.versions.items()), sources.valid_until.isoformat()]))
        kept = Kept(body, f'W/"{mark.hexdigest()[:32]}"', sources)
        self._drop(key)
        self._kept[key] = kept
        self._bytes += len(body)
        while self._bytes > self._max_bytes:
            self._drop(next(iter(self._kept)))
        return kept

    def _drop(self, key: bytes) -> None:
        kept = self._kept.pop(key, None)
        self._bytes -= len(kept.body) if kept is not None else 0
