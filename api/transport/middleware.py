"""Around every HTTP request and WebSocket: a request id, one log line, and nothing of the client's data in it."""

from __future__ import annotations

import os
import re
import time
from typing import Any

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.transport.headers import header
from core.telemetry import is_on, span

log = structlog.get_logger(__name__)

_SAFE_ID = re.compile(rb"[A-Za-z0-9._-]{8,64}")
QUIET = frozenset({"/healthz", "/readyz", "/metrics"})


def span_name(method: str, path: str) -> str:
    """Method and route: few names, and nothing that a client chose."""
    route = "/edi/{partner}" if path.startswith("/edi/") else path if path in ("/", "/graphql", "/graphiql") else ""
    return f"{method} {route}".rstrip()


def begin(scope: Scope) -> str:
    """The id of what begins: the client's when it is a safe one, bound to the logs."""
    given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
    request_id = given.decode() if _SAFE_ID.fullmatch(given) else os.urandom(16).hex()
    scope.setdefault("state", {})["request_id"] = request_id
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=request_id)
    return request_id


def tell(scope: Scope, status: int, started: float, log: Any = log) -> None:
    """One line of the log for what has ended; `started` is of `time.perf_counter`."""
    if scope["path"] not in QUIET:
        log.info(
            "request",
            kind=scope["type"],
            method=scope.get("method"),
            path=scope["path"],
            status=status,
            milliseconds=round((time.perf_counter() - started) * 1000, 1),
        )


class RequestContext:
    """ASGI middleware: takes or makes the request id, binds it to the logs, returns it as `X-Request-Id`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._log = log.bind()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        request_id, started, status = begin(scope), time.perf_counter(), 0

        async def with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = [field for field in message.get("headers", ()) if field[0] != b"x-request-id"]
                message["headers"] = [*headers, (b"x-request-id", request_id.encode())]
            elif message["type"] in ("websocket.accept", "websocket.close"):
                status = message.get("code", 101)
            await send(message)

        try:
            if is_on() and scope["type"] == "http" and scope["path"] not in QUIET:
                method = scope["method"] if scope["method"] in ("GET", "POST", "OPTIONS") else "OTHER"
                name, parent = span_name(method, scope["path"]), header(scope, b"traceparent")
                with span(name, "SERVER", parent, request_id=request_id) as current:
                    await self._app(scope, receive, with_id)
                    current.set_attribute("http.response.status_code", status)
            else:
                await self._app(scope, receive, with_id)
        finally:
            tell(scope, status, started, self._log)
