"""What the server reads from a socket, in bites: no client holds the event loop, or memory, by how it sends.

uvicorn takes these two instead of its own (`--http`, `--ws`). One read may hold a quarter of a million bytes: forty thousand
frames or requests of a few bytes each. Here one turn of the loop digests one bite of a connection, and no more is read
before what was read is dealt with.
"""

from __future__ import annotations

import asyncio
import http
from collections.abc import Callable
from typing import Any

import httptools
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT, FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

BITE = 8_192
HEAD_BYTES = 131_072
"""Of a request line and its fields together; a longer document is sent by POST."""
HEAD_SECONDS = 20.0
"""From connecting, or from the first byte of another request, to the end of its head."""
BODY_SECONDS = 20.0
BODY_BYTES = 2_048
"""At least so much of a body, or its rest, arrives in BODY_SECONDS."""
FRAMES_PER_SECOND = 1_000
TOO_MANY_FRAMES = 4292
"""The client sends more frames than one that means well; messages, fragments and pings alike."""
MESSAGE_BYTES = 4_000_000
"""A longer message, unpacked, is closed with 1009 before it is put together."""
LINGER_SECONDS = 1.0
"""Who is refused while still sending is read without heed for so long: a reset would overtake the reason."""


class _Flow(FlowControl):
    """Asks before the socket is read again."""

    def __init__(self, transport: asyncio.Transport, may_read: Callable[[], bool]) -> None:
        super().__init__(transport)
        self._may_read = may_read

    def resume_reading(self) -> None:
        if self.read_paused and self._may_read():
            super().resume_reading()

    def forget(self) -> None:
        """Let go of who was asked: nobody waits for the collector because of this."""
        self._may_read = bool


class HttpProtocol(HttpToolsProtocol):
    """HTTP/1.1 as uvicorn speaks it, with bounds on what is read ahead, on the head, and on slow senders."""

    _backlog = b""
    _is_biting = False
    """The next bite is due."""
    _is_refused = False
    _is_upgraded = False
    _is_passed_over = False
    """The head that just ended offers another protocol than WebSocket: it is read again without the offer."""
    _is_in_head = False
    _is_in_body = False
    _received = 0
    """Bytes of the present head, or of the body since the timer was set."""
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.flow = self._gate = _Flow(transport, self._may_read)
        self._timer = self.loop.call_later(HEAD_SECONDS, self._check)

    def connection_lost(self, exc: Exception | None) -> None:
        self._backlog = b""
        self._stop_timer()
        super().connection_lost(exc)
        self._gate.forget()

    def data_received(self, data: bytes) -> None:
        if self._is_refused:
            return
        if self._backlog or self._is_biting:
            self._backlog += data
        elif len(data) <= BITE:
            self._digest(data)
        else:
            self._backlog = data
            self._bite()

    def _may_read(self) -> bool:
        """What was read has been used: requests that wait come first, then the rest of what was read."""
        if self.pipeline:
            return False
        if self._backlog:
            self._bite_soon()
            return False
        return True

    def _bite_soon(self) -> None:
        if not self._is_biting:
            self._is_biting = True
            self.loop.call_soon(self._bite)

    def _bite(self) -> None:
        self._is_biting = False
        if self._is_refused or self.transport.is_closing():
            return
        data, self._backlog = self._backlog[:BITE], self._backlog[BITE:]
        self._digest(data)
        if self._is_refused or self.transport.is_closing():
            return
        successor = self.transport.get_protocol()
        if successor is not self:  # the connection is a WebSocket now
            rest, self._backlog = self._backlog, b""
            if rest:
                successor.data_received(rest)  # pyright: ignore[reportAttributeAccessIssue]
            return
        is_full = bool(self.pipeline) or (not self._is_answered() and len(self.cycle.body) > HIGH_WATER_LIMIT)
        if self._backlog:
            self.flow.pause_reading()
            if not is_full:
                self._bite_soon()
        elif not is_full:
            self.flow.resume_reading()

    def _digest(self, data: bytes) -> None:
        self._received += len(data)
        self._feed(data)
        if self._is_in_head and self._received > HEAD_BYTES:
            self._refuse(http.HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        elif self._timer is None and self._waits():
            self._timer = self.loop.call_later(BODY_SECONDS if self._is_in_body else HEAD_SECONDS, self._check)

    def _feed(self, data: bytes) -> None:
        """As uvicorn does, except that an offer which we do not take is no reason to leave HTTP/1.1.

        Java's client offers h2c with each first request, and the parser ends a message with its head then.
        """
        self._unset_keepalive_if_required()
        while data:
            try:
                self.parser.feed_data(data)
                return
            except httptools.HttpParserError:
                message = "Invalid HTTP request received."
                self.logger.warning(message)
                self.send_400_response(message)
                return
            except httptools.HttpParserUpgrade as upgrade:
                if self._is_passed_over:
                    data = self._without_offer() + data[upgrade.args[0] :]
                    continue
                if self._should_upgrade():
                    self.handle_websocket_upgrade()
                else:
                    self._unsupported_upgrade_warning()
                return

    def _without_offer(self) -> bytes:
        """The head that was read, for a parser that has read nothing: what it offered is under a name that says nothing."""
        self._is_passed_over = False
        parts = [self.parser.get_method(), b" ", self.url, b" HTTP/", self.parser.get_http_version().encode(), b"\r\n"]
        for name, value in self.headers:
            parts += [b"x-upgrade" if name == b"upgrade" else name, b": ", value, b"\r\n"]
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn's own
        return b"".join([*parts, b"\r\n"])

    def _waits(self) -> bool:
        """Does it depend on the client alone that something happens."""
        return self._is_in_head or self._is_in_body or (self._is_answered() and not self._is_upgraded)

    def _is_answered(self) -> bool:
        """Has the newest request its answer, or is there none: nobody will take what more comes of its body."""
        return self.cycle is None or self.cycle.response_complete

    def _check(self) -> None:
        """Time is up for a head, or for a part of a body."""
        self._timer = None
        if self._is_in_body and not self._is_answered() and (self.flow.read_paused or self._received >= BODY_BYTES):
            self._received = 0
            self._timer = self.loop.call_later(BODY_SECONDS, self._check)
        elif self._waits():
            self._refuse(http.HTTPStatus.REQUEST_TIMEOUT)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _refuse(self, status: http.HTTPStatus) -> None:
        """Say why, where nothing else is being said, and close."""
        self._is_refused, self._backlog = True, b""
        self._stop_timer()
        if not self._is_in_head and not self._is_in_body:
            self.transport.close()  # it has asked nothing
            return
        before = self.cycle
        if before is None or (before.response_complete if self._is_in_head else not before.response_started):
            text = f"{status.phrase}.".encode()
            head = f"HTTP/1.1 {status.value} {status.phrase}\r\nconnection: close\r\ncontent-type: text/plain; charset=utf-8\r\n"
            self.transport.write(head.encode() + b"content-length: %d\r\n\r\n" % len(text) + text)
        if before is not None and not before.response_complete:
            before.disconnected = True
            before.message_event.set()
        self.flow.resume_reading()
        self.loop.call_later(LINGER_SECONDS, self.transport.close)

    def handle_websocket_upgrade(self) -> None:
        self._is_upgraded, self._is_in_head, self._is_in_body = True, False, False
        self._stop_timer()
        super().handle_websocket_upgrade()
        self._gate.forget()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._is_in_body and self._is_answered():  # the rest of a body that nobody took
            self._stop_timer()
            self._timer = self.loop.call_later(BODY_SECONDS, self._check)

    # What the parser tells.

    def on_message_begin(self) -> None:
        self._is_in_head, self._received = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        is_offer = self.parser.should_upgrade() and self.parser.get_method() != b"CONNECT"
        if is_offer and not self._should_upgrade():
            self._is_passed_over = True
            return
        self._is_in_head, self._is_in_body, self._received = False, True, 0
        self._stop_timer()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        if self._is_passed_over:
            return
        self._is_in_body = False
        self._stop_timer()
        super().on_message_complete()


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """WebSocket as uvicorn speaks it, with bounds on what is read ahead, on messages, and on frames per second."""

    _backlog = b""
    _is_biting = False
    _is_refused = False
    _second = 0
    _frames = 0

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self.conn.max_message_size = MESSAGE_BYTES

    def data_received(self, data: bytes) -> None:
        if self._is_refused:
            return
        if self._backlog or self._is_biting:
            self._backlog += data
        elif len(data) <= BITE:
            super().data_received(data)
        else:
            self._backlog = data
            self._bite()

    def _bite(self) -> None:
        self._is_biting = False
        if self._is_refused or self.transport.is_closing():
            return
        data, self._backlog = self._backlog[:BITE], self._backlog[BITE:]
        super().data_received(data)
        if self._is_refused or self.transport.is_closing():
            return
        if self._backlog:
            self._go_on()
        elif not self.read_paused:
            self.transport.resume_reading()

    def _go_on(self) -> None:
        """The rest of what was read comes before anything new, and after what the application has not taken yet."""
        self.transport.pause_reading()
        if not self.read_paused and not self._is_biting:
            self._is_biting = True
            self.loop.call_soon(self._bite)

    def handle_events(self) -> None:
        second = int(self.loop.time())
        if second != self._second:
            self._second, self._frames = second, 0
        self._frames += len(self.conn.events)
        if self._frames > FRAMES_PER_SECOND and self.handshake_complete:
            self._refuse()
        else:
            super().handle_events()

    def _refuse(self) -> None:
        self._is_refused, self._backlog = True, b""
        self.stop_keepalive()
        self.queue.put_nowait({"type": "websocket.disconnect", "code": TOO_MANY_FRAMES})
        if not self.close_sent:
            self.conn.fail(TOO_MANY_FRAMES, "Too many frames")
            self.close_sent = True
            self.transport.write(b"".join(self.conn.data_to_send()))
        self.transport.resume_reading()
        self.close_timer = self.close_timer or self.loop.call_later(LINGER_SECONDS, self.transport.close)

    async def receive(self) -> Any:
        message = await super().receive()
        if self._backlog:
            self._go_on()
        return message

    async def send(self, message: Any) -> None:
        await super().send(message)
        if self._backlog and message["type"] == "websocket.close":
            self._go_on()
