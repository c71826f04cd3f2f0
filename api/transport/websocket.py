"""The graphql-transport-ws protocol on a WebSocket: many operations, one bounded outgoing buffer, named close codes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec
import structlog
from graphql import OperationType
from starlette.types import Receive, Scope, Send

from api.error_handlers import UNAVAILABLE_MESSAGE, ErrorCode, failure, format_errors
from api.live import StreamsClosing
from api.permissions import AuthenticationFailed
from api.transport.connections import TooManyConnections
from api.transport.headers import header
from api.transport.middleware import begin, tell
from api.transport.preparing import RequestFailed
from api.transport.request import GraphQLRequest, Refused, parse_json, request_of
from core.away import is_away
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
NO_STATUS = 1005
POLICY = 1008
INTERNAL_ERROR = 1011
TRY_AGAIN = 1013
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


class Lost(Exception):
    """The client has closed or is gone."""


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
    try:
        return origin in allowed or (host is not None and urlsplit(origin).netloc == host)
    except ValueError:  # no browser writes such an origin
        return False


class Connection:
    """One socket from `connection_init` to its close.

    A thousand idle connections are a thousand of these: one task reads, one runs each operation, what only waits is a
    callback, and nothing of the handshake is kept.
    """

    __slots__ = (
        "_acknowledged", "_caller", "_closing", "_endpoint", "_forget", "_init_timer", "_initialised", "_is_gone",
        "_is_over", "_operations", "_receive", "_request_id", "_scope", "_send", "_task", "_writing",
    )  # fmt: skip

    def __init__(self, endpoint: GraphQLEndpoint, scope: Scope, receive: Receive, send: Send) -> None:
        self._endpoint = endpoint
        self._scope = scope
        self._receive = receive
        self._send = send
        self._request_id = endpoint.request_id(scope)
        self._writing = asyncio.Lock()
        """One message at a time; an operation that waits for a slow client is buffered by the hub, boundedly."""
        self._operations: dict[str, asyncio.Task[None]] = {}
        self._caller: Principal | None = None
        self._initialised = False
        self._acknowledged = False
        self._task: asyncio.Task[Any] | None = asyncio.current_task()
        self._init_timer: asyncio.TimerHandle | None = None
        self._forget: Callable[[], None] | None = None
        """Stops watching the credential."""
        self._is_over = False
        self._is_gone = False
        """The client has closed, or is lost: nothing more is sent."""
        self._closing: Close | None = None

    async def run(self) -> int:
        """Serve until somebody closes; whatever one client sends, only its own connection ends. The code of the close."""
        self._init_timer = asyncio.get_running_loop().call_later(INIT_SECONDS, self.time_out)
        self._endpoint.sockets.add(self)
        try:
            if self._endpoint.is_draining:
                self.go_away()
            while not self._is_over:
                frame = await self._receive()
                if frame["type"] == "websocket.disconnect":
                    raise Lost
                await self._handle(frame.get("text"))
        except asyncio.CancelledError:
            task = self._task
            if not self._is_over or task is None or task.uncancel() > 0:
                raise
        except Exception as error:
            self._fail(error)
        finally:
            self._is_over = True
            if self._init_timer is not None:
                self._init_timer.cancel()
            self._endpoint.sockets.discard(self)
            identities, tasks = list(self._operations), list(self._operations.values())
            for task in tasks:
                task.cancel()
            if self._acknowledged:
                self._endpoint.connections.leave(self._caller)
            if self._forget is not None:
                self._forget()
            if tasks:
                await asyncio.gather(*tasks, return_exceptions=True)
            await self._close(identities)
        return NO_STATUS if self._closing is None else self._closing.code

    # Why it ends, apart from what the client does.

    def time_out(self) -> None:
        """The client has not introduced itself in time."""
        self._end(Close(INIT_TIMEOUT, "Connection initialisation timeout"))

    def go_away(self) -> None:
        """This process goes away."""
        self._end(Close(GOING_AWAY, "Going away; reconnect and resume"))

    def expire(self) -> None:
        """The credential has ended."""
        self._end(Close(FORBIDDEN, "The credential has expired or was revoked"))

    def _end(self, close: Close | None = None) -> None:
        """The connection ends, with the first code that was given, or without one when the client is gone."""
        self._closing = self._closing or close
        if not self._is_over:
            self._is_over = True
            if self._task is not None and self._task is not asyncio.current_task():
                self._task.cancel()

    def _fail(self, error: Exception) -> None:
        """What a part of the connection raised ends it: with the code of a Close, or because the client is gone."""
        if isinstance(error, Close):
            self._end(error)
        elif isinstance(error, Lost):
            self._is_gone = True
            self._end()
        elif is_away(error):
            log.warning("database is away", error=type(error).__name__)
            self._end(Close(TRY_AGAIN, "The database cannot be reached just now; reconnect and resume"))
        else:
            log.error("websocket failed", exc_info=error)
            self._end(Close(INTERNAL_ERROR, "Internal error"))

    async def _close(self, identities: list[str]) -> None:
        close = self._closing
        if close is None or self._is_gone:
            return
        with suppress(RuntimeError, OSError, TimeoutError, Lost):
            # A slow client gets the close code when it reads again; by then nothing but this task waits for it.
            async with asyncio.timeout(LINGER_SECONDS if close.code == SLOW_CONSUMER else CLOSE_SECONDS):
                if close.code == FORBIDDEN:
                    errors = format_errors([failure(ErrorCode.UNAUTHENTICATED, close.reason)], self._request_id)
                    for identity in identities:
                        await self._write({"id": identity, "type": "error", "payload": errors})
                await self._send({"type": "websocket.close", "code": close.code, "reason": close.reason})

    # Outgoing.

    async def _write(self, message: dict[str, Any]) -> None:
        try:
            await self._send({"type": "websocket.send", "text": _encoder.encode(message).decode()})
        except (RuntimeError, OSError) as error:  # the other side closed, and nobody has read it yet
            if isinstance(error, TimeoutError):
                raise
            raise Lost from error

    async def _put(self, message: dict[str, Any]) -> None:
        async with self._writing:
            try:
                async with asyncio.timeout(SEND_SECONDS):
                    await self._write(message)
            except TimeoutError as error:
                log.info("slow client was cut off", transport="websocket")
                raise Close(SLOW_CONSUMER, "Too slow; reconnect and resume") from error

    # Incoming.

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
                self._subscribe(message.get("id"), payload, len(text))
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
        if self._init_timer is not None:
            self._init_timer.cancel()
            self._init_timer = None
        _check_payload(payload)
        try:
            self._caller = await self._endpoint.authenticator.authenticate(_credential(payload, self._scope))
        except AuthenticationFailed as error:
            raise Close(UNAUTHORIZED, str(error)) from error
        try:
            self._endpoint.connections.enter(self._caller)
        except TooManyConnections as error:
            raise Close(TOO_MANY_CONNECTIONS, str(error)) from error
        self._acknowledged = True
        if self._caller is not None:
            self._forget = self._endpoint.authenticator.watch(self._caller, self.expire)
        self._scope["headers"] = [field for field in self._scope["headers"] if field[0] == b"accept-language"]
        await self._put({"type": "connection_ack"})

    def _subscribe(self, identity: Any, payload: Any, size: int) -> None:
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
        others = len(self._operations)
        self._operations[identity] = asyncio.create_task(self._operate(identity, request, size, others))

    async def _operate(self, identity: str, request: GraphQLRequest, size: int, others: int) -> None:
        """Run one operation; `others` ran on the connection when it was asked for."""
        endpoint = self._endpoint
        try:
            try:
                if others >= MAX_OPERATIONS:
                    message = f"A connection runs at most {MAX_OPERATIONS} operations."
                    raise RequestFailed([failure(ErrorCode.THROTTLED, message)], ErrorCode.THROTTLED)
                request = endpoint.resolve_document(request)
                prepared = await endpoint.prepare(request, self._caller, self._scope, size)
                if endpoint.is_blind() and prepared.kind is not OperationType.SUBSCRIPTION:
                    raise RequestFailed([failure(ErrorCode.UNAVAILABLE, UNAVAILABLE_MESSAGE)], ErrorCode.UNAVAILABLE)
                language = header(self._scope, b"accept-language")
                context = endpoint.make_context(self._caller, self._request_id, language)
                answers = endpoint.engine.stream(request, prepared, context)
                try:
                    async for answer in answers:
                        if answer.failed is not None:
                            await self._finish(identity, {"type": "error", "payload": answer.body["errors"]})
                            return
                        await self._put({"id": identity, "type": "next", "payload": answer.body})
                finally:
                    await answers.aclose()
                await self._finish(identity, {"type": "complete"})
            except RequestFailed as error:
                answer = endpoint.engine.failed(error, self._request_id)
                await self._finish(identity, {"type": "error", "payload": answer.body["errors"]})
            except Refused as error:
                errors = format_errors([failure(error.code, error.message, **error.facts)], self._request_id)
                await self._finish(identity, {"type": "error", "payload": errors})
            except StreamsClosing:
                self.go_away()
            except (Close, Lost):
                raise
            except Exception:
                log.exception("operation failed")
                errors = format_errors([failure(ErrorCode.INTERNAL, "")], self._request_id)
                await self._finish(identity, {"type": "error", "payload": errors})
        except Exception as error:
            self._fail(error)

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


def _credential(payload: Any, scope: Scope) -> str | None:
    """The `Authorization` value of connection_init (or a bare `token`), else that of the upgrade request."""
    entries = {str(name).lower(): value for name, value in (payload or {}).items()}
    if isinstance(entries.get("authorization"), str):
        return entries["authorization"]
    if isinstance(entries.get("token"), str):
        token = entries["token"]
        return token if token.lower().startswith("bearer ") else f"Bearer {token}"
    return header(scope, b"authorization")


async def serve_websocket(endpoint: GraphQLEndpoint, scope: Scope, receive: Receive, send: Send) -> None:
    """Serve one WebSocket on the GraphQL path, with a request id and one line of the log."""
    begin(scope)
    started, code = time.perf_counter(), INTERNAL_ERROR
    try:
        code = await _serve(endpoint, scope, receive, send)
    finally:
        tell(scope, code, started)


async def _serve(endpoint: GraphQLEndpoint, scope: Scope, receive: Receive, send: Send) -> int:
    await receive()  # the client wants to connect
    origin, host = header(scope, b"origin"), header(scope, b"host")
    if not is_same_site(origin, host, endpoint.settings.allowed_origins):
        await send({"type": "websocket.close", "code": POLICY})  # before the handshake: the client sees 403
        return POLICY
    code, reason = SUBPROTOCOL_NOT_ACCEPTABLE, "Subprotocol not acceptable"
    if PROTOCOL not in scope.get("subprotocols", ()):
        await send({"type": "websocket.accept"})
    else:
        await send({"type": "websocket.accept", "subprotocol": PROTOCOL})
        try:
            endpoint.connections.open()
        except TooManyConnections as error:
            code, reason = TOO_MANY_CONNECTIONS, str(error)
        else:
            try:
                return await Connection(endpoint, scope, receive, send).run()
            finally:
                endpoint.connections.close()
    await send({"type": "websocket.close", "code": code, "reason": reason[:120]})
    return code
