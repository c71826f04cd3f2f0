"""GraphQL on the wire: one ASGI endpoint that speaks HTTP, server-sent events and graphql-transport-ws."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import replace

from graphql import GraphQLError
from starlette.types import Receive, Scope, Send

from api.context import Context
from api.documents import Documents
from api.error_handlers import ErrorCode
from api.permissions import Authenticator
from api.transport.engine import Engine, RequestFailed
from api.transport.http import handle_http
from api.transport.request import GraphQLRequest
from api.transport.websocket import handle_websocket
from core.domain.access import Principal
from core.settings import Settings

__all__ = ["Engine", "GraphQLEndpoint"]

MakeContext = Callable[[Principal | None, str, str | None], Context]
"""(caller, request id, Accept-Language) -> the context of one operation."""


class GraphQLEndpoint:
    """The GraphQL path as an ASGI application. `drain` ends its streams so that clients resume elsewhere."""

    def __init__(
        self,
        engine: Engine,
        authenticator: Authenticator,
        make_context: MakeContext,
        settings: Settings,
        documents: Documents | None = None,
    ) -> None:
        self.engine = engine
        self.authenticator = authenticator
        self.make_context = make_context
        self.settings = settings
        self.documents = documents or Documents(registers=not settings.is_production)
        self.draining = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await handle_websocket(self, scope, receive, send)
        else:
            await handle_http(self, scope, receive, send)

    def drain(self) -> None:
        """Close every WebSocket with 1001; streams end without `complete` once the hub drains too."""
        self.draining.set()

    def request_id(self, scope: Scope) -> str:
        """The id that the outer middleware gave this request, or a fresh one."""
        return scope.get("state", {}).get("request_id") or uuid.uuid4().hex

    def resolve_document(self, request: GraphQLRequest) -> GraphQLRequest:
        """The request with its text, when it named a trusted or persisted document; raises RequestFailed."""
        try:
            text = self.documents.text_of(request.query, request.document_id, request.extensions)
        except GraphQLError as error:
            raise RequestFailed([error], ErrorCode.BAD_USER_INPUT) from error
        return replace(request, query=text)
