"""GraphQL on the wire: one ASGI endpoint that speaks HTTP, server-sent events and graphql-transport-ws."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from graphql import GraphQLError
from starlette.types import Receive, Scope, Send

from api.context import Context
from api.documents import Documents, read_manifest
from api.error_handlers import ErrorCode, failure
from api.limits import RateLimiter, Throttled
from api.permissions import Authenticator
from api.transport.connections import ConnectionCount
from api.transport.engine import Engine
from api.transport.http import handle_http
from api.transport.preparing import Prepared, RequestFailed
from api.transport.request import GraphQLRequest
from api.transport.reuse import AnswerReuse, ReadVersions
from api.transport.turns import Turns
from api.transport.websocket import Connection, serve_websocket
from core.domain.access import Principal
from core.errors import ConfigurationError
from core.settings import Settings

__all__ = ["Engine", "GraphQLEndpoint"]

MakeContext = Callable[[Principal | None, str, str | None], Context]
"""(caller, request id, Accept-Language) -> the context of one operation."""


LARGE = 16_384
"""Bytes of a request whose variables take more than a moment to look through."""


async def _no_versions(sku_ids: Collection[int]) -> Mapping[int, int]:
    return {}


def _address(scope: Scope) -> str:
    return (scope.get("client") or ("", 0))[0]


def documents_of(settings: Settings) -> Documents:
    """Where this process looks documents up; raises ConfigurationError for a manifest that cannot be read."""
    manifest = None if settings.trusted_documents is None else read_manifest(settings.trusted_documents)
    if settings.only_trusted_documents and not manifest:
        raise ConfigurationError("ONLY_TRUSTED_DOCUMENTS needs TRUSTED_DOCUMENTS: nothing could be executed without.")
    registers = not (settings.is_production or settings.only_trusted_documents)
    return Documents(manifest, only_trusted=settings.only_trusted_documents, registers=registers)


class GraphQLEndpoint:
    """The GraphQL path as an ASGI application. `drain` ends its streams so that clients resume elsewhere."""

    def __init__(
        self,
        engine: Engine,
        authenticator: Authenticator,
        make_context: MakeContext,
        settings: Settings,
        documents: Documents | None = None,
        read_versions: ReadVersions | None = None,
        is_blind: Callable[[], bool] = bool,
    ) -> None:
        self.engine = engine
        self.authenticator = authenticator
        self.make_context = make_context
        self.settings = settings
        self.documents = documents or documents_of(settings)
        self.engine.known_operations = self.documents.operations
        self.rates = RateLimiter(settings)
        self.connections = ConnectionCount(settings.max_connections, settings.max_connections_per_key)
        self.reuse = AnswerReuse(read_versions or _no_versions)
        self._keeps_answers = read_versions is not None and not settings.simulated_clock
        self._turns = Turns()
        self.is_blind = is_blind
        """PostgreSQL has not answered for a while: who asks is told so at once, rather than waiting behind others."""
        self.is_draining = False
        self.sockets: set[Connection] = set()
        """Open WebSockets."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await serve_websocket(self, scope, receive, send)
        else:
            await handle_http(self, scope, receive, send)

    def drain(self) -> None:
        """Close every WebSocket with 1001; streams end without `complete` once the hub drains too."""
        self.is_draining = True
        for socket in list(self.sockets):
            socket.go_away()

    def request_id(self, scope: Scope) -> str:
        """The id that the outer middleware gave this request, or a fresh one."""
        return scope.get("state", {}).get("request_id") or uuid.uuid4().hex

    def reuse_key(self, request: GraphQLRequest, caller: Principal | None, language: str) -> bytes | None:
        """Names an answer that may have been kept; None where nothing is kept."""
        return self.reuse.key(request, caller, language) if self._keeps_answers else None

    async def prepare(self, request: GraphQLRequest, caller: Principal | None, scope: Scope, size: int) -> Prepared:
        """What may be executed now, and is paid for; raises RequestFailed. Reading much has its price, too.

        `size` is the length of the whole request: who sends large variables takes turns with others who do.
        """
        if price := self.engine.preparer.price(request):
            await self.charge(caller, scope, price)
        who = self.rates.key_of(caller, _address(scope))
        prepared = await self.engine.preparer.read(request, who, anonymous=caller is None)
        await self.charge(caller, scope, prepared.figures.cost)
        if size > LARGE:
            await self._turns.take()
        return prepared

    async def charge(self, caller: Principal | None, scope: Scope, cost: int) -> None:
        """Let the caller pay for an operation; raises RequestFailed with THROTTLED."""
        try:
            await self.rates.spend(caller, _address(scope), cost)
        except Throttled as error:
            facts = {
                "retryAfterSeconds": error.retry_after,
                "rateLimit": {"available": error.available, "limit": error.limit},
            }
            failed = RequestFailed([failure(ErrorCode.THROTTLED, str(error), **facts)], ErrorCode.THROTTLED)
            failed.retry_after = error.retry_after
            raise failed from error

    def resolve_document(self, request: GraphQLRequest) -> GraphQLRequest:
        """The request with its text, when it named a trusted or persisted document; raises RequestFailed."""
        try:
            text = self.documents.text_of(request.query, request.document_id, request.extensions)
        except GraphQLError as error:
            raise RequestFailed([error], ErrorCode.BAD_USER_INPUT) from error
        return replace(request, query=text)
