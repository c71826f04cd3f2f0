"""The graphql-transport-ws protocol on a WebSocket: many operations, one bounded outgoing buffer, named close codes."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import ExitStack, aclosing, suppress
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec
import structlog
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from api.error_handlers import ErrorCode, failure, format_errors
from api.live import StreamsClosing
from api.permissions import AuthenticationFailed
from api.transport.connections import TooManyConnections
from api.transport.engine import RequestFailed
from api.transport.request import GraphQLRequest, Refused, parse_json, request_of
from core.domain.access import Principal

if TYPE_CHECKING:
    from api.transport import GraphQLEndpoint

log = structlog.get_logger(__name__)
_encoder = msgspec.json.Encoder()

PROTOCOL = "graphql-transport-ws"
INIT_SECONDS = 10.0
SEND_SECONDS = 20.0
MAX_OPERATIONS = 100

CLOSE_SECONDS = 2.0
LINGER_SECONDS = 30.0

GOING_AWAY = 1001
INTERNAL_ERROR = 1011
BAD_REQUEST = 4400
UNAUTHORIZED = 4401
FORBIDDEN = 4403
SUBPROTOCOL_NOT_ACCEPTABLE = 4406
INIT_TIMEOUT = 4408
ALREADY_EXISTS = 4409
TOO_MANY_INITS = 4429
TOO_MANY_CONNECTIONS = 4291
"""The server, or the credential, has as many connections as it may; try again later."""
SLOW_CONSUMER = 4290
"""The client took nothing for SEND_SECONDS; it reconnects and resumes with its last cursor."""


class Close(Exception):
    """End the connection with this code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason[:120]


def is_same_site(origin: str | None, host: str | None, allowed: list[str]) -> bool:
    """A browser page may open a socket from the host itself or from an allowed origin; other clients send no origin."""
    if origin is None or "*" in allowed:
        return True
    return origin in allowed or (host is not None and urlsplit(origin).netloc == host)


class Connection:
    """One socket from `connection_init` to its close."""

    def __init__(self, endpoint: GraphQLEndpoint, socket: WebSocket, request_id: str) -> None:
        self._endpoint = endpoint
        self._socket = socket
        self._request_id = request_id
        self._writing = asyncio.Lock()
        """One message at a time; an operation that waits for a slow client is buffered by the hub, boundedly."""
        self._operations: dict[str, asyncio.Task[None]] = {}
        self._caller: Principal | None = None
        self._initialised = False
        self._acknowledged = False
        self._stop = asyncio.get_running_loop().create_future()
        self._closing: Close | None = None
        self._counted = ExitStack()

    async def run(self) -> None:
        """Serve until somebody closes; whatever one client sends, only its own connection ends.

        A thousand idle connections are a thousand of these: what only waits is a callback, not a task.
        """
        reading = asyncio.create_task(self._guard(self._receive()))
        late = Close(INIT_TIMEOUT, "Connection initialisation timeout")
        self._init_timer = asyncio.get_running_loop().call_later(INIT_SECONDS, self._end, late)
        going = Close(GOING_AWAY, "Going away; reconnect and resume")
        self._counted.callback(self._endpoint.on_drain(partial(self._end, going)))
        if self._endpoint.is_draining:
            self._end(going)
        try:
            await self._stop
        finally:
            self._init_timer.cancel()
            identities = list(self._operations)
            tasks = [reading, *self._operations.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._counted.close()
            await self._close(identities)

    def _end(self, close: Close | None = None) -> None:
        """The connection ends, with the first code that was given, or without one when the client is gone."""
        self._closing = self._closing or close
        if not self._stop.done():
            self._stop.set_result(None)

    async def _guard(self, work: Coroutine[Any, Any, None]) -> None:
        """Run one part of the connection; a Close that it raises, or a lost client, ends the connection."""
        try:
            await work
        except Close as close:
            self._end(close)
        except WebSocketDisconnect:
            self._end()
        except Exception:
            log.exception("websocket failed")
            self._end(Close(INTERNAL_ERROR, "Internal error"))

    async def _close(self, identities: list[str]) -> None:
        close = self._closing
        if close is None or self._socket.client_state is WebSocketState.DISCONNECTED:
            return
        with suppress(RuntimeError, OSError, TimeoutError, WebSocketDisconnect):
            # A slow client gets the close code when it reads again; by then nothing but this task waits for it.
            async with asyncio.timeout(LINGER_SECONDS if close.code == SLOW_CONSUMER else CLOSE_SECONDS):
                if close.code == FORBIDDEN:
                    errors = format_errors([failure(ErrorCode.UNAUTHENTICATED, close.reason)], self._request_id)
                    for identity in identities:
                        await self._write({"id": identity, "type": "error", "payload": errors})
                await self._socket.close(close.code, close.reason)

    # Outgoing.

    async def _write(self, message: dict[str, Any]) -> None:
        try:
            await self._socket.send_text(_encoder.encode(message).decode())
        except (RuntimeError, OSError) as error:  # the other side closed, and nobody has read it yet
            if isinstance(error, TimeoutError):
                raise
            raise WebSocketDisconnect(1006) from error

    async def _put(self, message: dict[str, Any]) -> None:
        async with self._writing:
            try:
                async with asyncio.timeout(SEND_SECONDS):
                    await self._write(message)
            except TimeoutError as error:
                log.info("slow client was cut off", transport="websocket")
                raise Close(SLOW_CONSUMER, "Too slow; reconnect and resume") from error

    # Incoming.

    async def _receive(self) -> None:
        while True:
            frame = await self._socket.receive()
            if frame["type"] == "websocket.disconnect":
                self._end()
                return
            await self._handle(frame.get("text"))

    async def _handle(self, text: str | None) -> None:
        if text is None:
            raise Close(BAD_REQUEST, "Only text messages are understood")
        if len(text) > self._endpoint.settings.max_body_bytes:
            raise Close(BAD_REQUEST, "Message too large")
        try:
            message = parse_json(text, "The message")
        except Refused as error:
            raise Close(BAD_REQUEST, error.message) from error
        if not isinstance(message, dict):
            raise Close(BAD_REQUEST, "A message is a JSON object")
        payload = message.get("payload")
        match message.get("type"):
            case "connection_init":
                await self._initialise(payload)
            case "ping":
                _check_payload(payload)
                await self._put({"type": "pong"} if payload is None else {"type": "pong", "payload": payload})
            case "pong":
                _check_payload(payload)
            case "subscribe":
                self._subscribe(message.get("id"), payload)
            case "complete":
                task = self._operations.pop(_identity(message.get("id")), None)
                if task is not None:
                    task.cancel()
            case _:
                raise Close(BAD_REQUEST, "Unknown message type")

    async def _initialise(self, payload: Any) -> None:
        if self._initialised:
            raise Close(TOO_MANY_INITS, "Too many initialisation requests")
        self._initialised = True
        _check_payload(payload)
        try:
            self._caller = await self._endpoint.authenticator.authenticate(_credential(payload, self._socket))
        except AuthenticationFailed as error:
            raise Close(UNAUTHORIZED, str(error)) from error
        try:
            self._counted.enter_context(self._endpoint.connections.of(self._caller))
        except TooManyConnections as error:
            raise Close(TOO_MANY_CONNECTIONS, str(error)) from error
        self._acknowledged = True
        self._init_timer.cancel()
        if self._caller is not None:
            over = Close(FORBIDDEN, "The credential has expired or was revoked")
            self._counted.callback(self._endpoint.authenticator.watch(self._caller, partial(self._end, over)))
        await self._put({"type": "connection_ack"})

    def _subscribe(self, identity: Any, payload: Any) -> None:
        if not self._acknowledged:
            raise Close(UNAUTHORIZED, "Unauthorized")
        identity = _identity(identity)
        if identity in self._operations:
            raise Close(ALREADY_EXISTS, f"Subscriber for {identity} already exists")
        if not isinstance(payload, dict):
            raise Close(BAD_REQUEST, "The payload of subscribe is an object with a query")
        try:
            request = request_of(payload)
        except Refused as error:
            raise Close(BAD_REQUEST, error.message) from error
        self._operations[identity] = asyncio.create_task(self._guard(self._operate(identity, request)))

    async def _operate(self, identity: str, request: GraphQLRequest) -> None:
        endpoint = self._endpoint
        try:
            if len(self._operations) > MAX_OPERATIONS:
                message = f"A connection runs at most {MAX_OPERATIONS} operations."
                raise RequestFailed([failure(ErrorCode.THROTTLED, message)], ErrorCode.THROTTLED)
            request = endpoint.resolve_document(request)
            prepared = endpoint.engine.prepare(request, anonymous=self._caller is None)
            await endpoint.charge(self._caller, self._socket.scope, prepared.figures.cost)
            language = self._socket.headers.get("accept-language")
            context = endpoint.make_context(self._caller, self._request_id, language)
            async with aclosing(endpoint.engine.stream(request, prepared, context)) as answers:
                async for answer in answers:
                    if answer.failed is not None:
                        await self._finish(identity, {"type": "error", "payload": answer.body["errors"]})
                        return
                    await self._put({"id": identity, "type": "next", "payload": answer.body})
            await self._finish(identity, {"type": "complete"})
        except RequestFailed as error:
            answer = endpoint.engine.failed(error, self._request_id)
            await self._finish(identity, {"type": "error", "payload": answer.body["errors"]})
        except Refused as error:
            errors = format_errors([failure(error.code, error.message, **error.facts)], self._request_id)
            await self._finish(identity, {"type": "error", "payload": errors})
        except StreamsClosing:
            self._end(Close(GOING_AWAY, "Going away; reconnect and resume"))
        except (Close, WebSocketDisconnect):
            raise
        except Exception:
            log.exception("operation failed")
            errors = format_errors([failure(ErrorCode.INTERNAL, "")], self._request_id)
            await self._finish(identity, {"type": "error", "payload": errors})

    async def _finish(self, identity: str, message: dict[str, Any]) -> None:
        if self._operations.get(identity) is asyncio.current_task():
            del self._operations[identity]
            await self._put({"id": identity, **message})


def _check_payload(payload: Any) -> None:
    if payload is not None and not isinstance(payload, dict):
        raise Close(BAD_REQUEST, "A payload is an object")


def _identity(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise Close(BAD_REQUEST, "The message needs an id")
    return value


def _credential(payload: Any, socket: WebSocket) -> str | None:
    """The `Authorization` value of connection_init (or a bare `token`), else that of the upgrade request."""
    entries = {str(name).lower(): value for name, value in (payload or {}).items()}
    if isinstance(entries.get("authorization"), str):
        return entries["authorization"]
    if isinstance(entries.get("token"), str):
        token = entries["token"]
        return token if token.lower().startswith("bearer ") else f"Bearer {token}"
    return socket.headers.get("authorization")


async def handle_websocket(endpoint: GraphQLEndpoint, scope: Scope, receive: Receive, send: Send) -> None:
    """Serve one WebSocket on the GraphQL path."""
    socket = WebSocket(scope, receive, send)
    headers = socket.headers
    if not is_same_site(headers.get("origin"), headers.get("host"), endpoint.settings.allowed_origins):
        await socket.close(1008)  # before the handshake: the client sees 403
        return
    if PROTOCOL not in scope.get("subprotocols", ()):
        await socket.accept()
        await socket.close(SUBPROTOCOL_NOT_ACCEPTABLE, "Subprotocol not acceptable")
        return
    await socket.accept(subprotocol=PROTOCOL)
    try:
        with endpoint.connections.one():
            await Connection(endpoint, socket, endpoint.request_id(scope)).run()
    except TooManyConnections as error:
        await socket.close(TOO_MANY_CONNECTIONS, str(error))
