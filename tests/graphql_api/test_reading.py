"""What the server reads in bites: nothing is lost or reordered by it, and who floods, stalls or overflows is refused."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvicorn
from strawberry.types import get_object_definition
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from api.schema.inputs import OrderLineInput, OrderPlaceInput
from api.transport import reading
from api.transport.reading import HttpProtocol, WebSocketProtocol
from api.transport.request import MAX_JSON_VALUES, EarlyResponse, Refused, parse_json
from core.domain.placing import MAX_LINES
from core.domain.repromising.variant import MAX_VALUES

pytestmark = pytest.mark.anyio

UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
Wire = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Answers a request with its path and length, a message with itself."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            await send({"type": "websocket.send", "text": message["text"]})
        return
    if scope["path"] == "/early":
        await EarlyResponse(b"too large", 413)(scope, receive, send)
        return
    if scope["path"] == "/deaf":
        await asyncio.sleep(0.05)  # more of the body has come than is read ahead
        await send({"type": "http.response.start", "status": 401, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"no"})
        return
    length, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        length, more = length + len(message["body"]), message["more_body"]
    body = json.dumps([scope["path"], length]).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture
async def port() -> AsyncIterator[int]:
    config = uvicorn.Config(
        echo, port=0, lifespan="off", log_level="error", http=HttpProtocol, ws=WebSocketProtocol, loop="uvloop"
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = server.force_exit = True
    await task


async def talk(port: int, data: bytes) -> Wire:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    return reader, writer


async def socket(port: int) -> Wire:
    wire = await talk(port, UPGRADE)
    assert b" 101 " in await wire[0].readuntil(b"\r\n\r\n")
    return wire


def frame(payload: bytes, first: int = 0x81) -> bytes:
    size = len(payload)
    head = bytes([0x80 | size]) if size < 126 else bytes([0xFE]) + size.to_bytes(2, "big")
    return bytes([first]) + head + bytes(4) + payload


async def hear(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Opcode and payload of the next frame."""
    first, size = await reader.readexactly(2)
    if size == 126:
        size = int.from_bytes(await reader.readexactly(2), "big")
    return first & 15, await reader.readexactly(size)


async def test_requests_sent_ahead_are_answered_one_after_the_other(port: int) -> None:
    body = b"x" * 100_000
    posts = b"POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    sent = b"".join(b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n" % number for number in range(1_000))
    reader, writer = await talk(port, sent + posts + sent)
    answers = []
    async with asyncio.timeout(60):
        for _ in range(2_001):
            head = await reader.readuntil(b"\r\n\r\n")
            answers.append(json.loads(await reader.readexactly(int(head.partition(b"content-length: ")[2].split()[0]))))
    writer.close()
    gets = [[f"/{number}", 0] for number in range(1_000)]
    assert answers == [*gets, ["/p", len(body)], *gets]


@pytest.mark.parametrize("begin", [b"POST /deaf", b"GET /deaf", b"HEAD /deaf"], ids=["post", "get", "head"])
@pytest.mark.parametrize("is_ahead", [False, True], ids=["afterwards", "ahead"])
async def test_a_body_that_nobody_reads_is_not_in_the_way_of_the_next_request(
    port: int, begin: bytes, is_ahead: bool
) -> None:
    body = b"x" * 300_000
    following = b"GET /next HTTP/1.1\r\nHost: x\r\n\r\n"
    first = begin + b" HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    reader, writer = await talk(port, first + following if is_ahead else first)
    async with asyncio.timeout(30):
        assert b" 401 " in await reader.readuntil(b"\r\n\r\n")
        assert begin.startswith(b"HEAD") or await reader.readexactly(2) == b"no"
        if not is_ahead:
            writer.write(following)
        assert b" 200 " in await reader.readuntil(b"\r\n\r\n")
        assert await reader.readexactly(12) == b'["/next", 0]'
    writer.close()


async def test_a_body_may_not_go_on_for_ever_after_its_answer(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "BODY_SECONDS", 0.2)
    monkeypatch.setattr(reading, "LINGER_SECONDS", 0.1)
    reader, writer = await talk(port, b"POST /deaf HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
    async with asyncio.timeout(30):
        heard = asyncio.create_task(reader.read())
        while not heard.done():
            writer.write(b"ffff\r\n" + bytes(0xFFFF) + b"\r\n")
            await asyncio.sleep(0.01)
    if heard.exception() is None:  # it may be cut
        assert heard.result().endswith(b"\r\n\r\nno")
    writer.close()


async def test_a_socket_that_is_silent_stays_open(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "HEAD_SECONDS", 0.05)
    monkeypatch.setattr(reading, "BODY_SECONDS", 0.05)
    reader, writer = await socket(port)
    await asyncio.sleep(0.2)
    writer.write(frame(b"still here"))
    async with asyncio.timeout(30):
        assert await hear(reader) == (1, b"still here")
    writer.close()


async def test_messages_sent_ahead_come_whole_and_in_order(port: int) -> None:
    reader, writer = await socket(port)
    texts = [b"%d" % number * (1 + number % 40 * 300) for number in range(600)]
    writer.write(b"".join(map(frame, texts)))
    async with asyncio.timeout(60):
        assert [(await hear(reader))[1] for _ in texts] == texts
    writer.close()


@pytest.mark.parametrize("flood", [frame(b"1"), frame(b"", 0x89), frame(b"", 0x8A)], ids=["text", "ping", "pong"])
async def test_a_flood_of_frames_is_closed_and_nobody_waits_for_it(
    port: int, flood: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "FRAMES_PER_SECOND", 200)
    digested, digest = [0], WebSocketsSansIOProtocol.data_received

    def counted(self: Any, data: bytes) -> None:
        digested[-1] += len(data)
        digest(self, data)

    monkeypatch.setattr(WebSocketsSansIOProtocol, "data_received", counted)
    reader, writer = await socket(port)

    async def watch() -> None:
        while True:
            await asyncio.sleep(0)
            digested.append(0)

    watching = asyncio.create_task(watch())
    writer.write(flood * 30_000)
    async with asyncio.timeout(60):
        while (heard := await hear(reader))[0] != 8:
            pass
    watching.cancel()
    writer.close()
    assert heard[1] == reading.TOO_MANY_FRAMES.to_bytes(2, "big") + b"Too many frames"
    assert 0 < max(digested) <= 16_384  # of one turn of the loop


@pytest.mark.parametrize(
    "begin", [b"GET /", b"GET / HTTP/1.1\r\nA: ", b"GET / HTTP/1.1\r\n"], ids=["url", "field", "fields"]
)
async def test_a_head_without_end_is_refused(port: int, begin: bytes) -> None:
    reader, writer = await talk(port, begin + b"a:\r\n" * 50_000 if begin.endswith(b"\n") else begin + b"a" * 200_000)
    async with asyncio.timeout(30):
        assert b" 431 " in await reader.readline()
    writer.close()


@pytest.mark.parametrize(
    ("begin", "more", "answer"),
    [
        (b"", b"", b""),
        (b"\r\n", b"\r\n", b""),
        (b"GET / HTTP/1.1\r\n", b"A: b\r\n", b"408"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n", b"x", b"408"),
    ],
    ids=["nothing", "line ends", "head", "body"],
)
async def test_who_dawdles_is_sent_away(
    port: int, begin: bytes, more: bytes, answer: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "HEAD_SECONDS", 0.1)
    monkeypatch.setattr(reading, "BODY_SECONDS", 0.1)
    reader, writer = await talk(port, begin)
    async with asyncio.timeout(30):
        reply = asyncio.create_task(reader.readline())
        while not reply.done():
            writer.write(more)
            await asyncio.sleep(0.03)
    if answer or reply.exception() is None:  # a connection that asked nothing may be cut without a word
        assert reply.result()[9:12] == answer
    writer.close()


@pytest.mark.parametrize("cut", [1, 10, 60, -20, -1, None])
async def test_an_offer_of_another_protocol_is_passed_over_however_the_head_comes(
    port: int, cut: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Any] = []
    make = HttpProtocol.connection_made
    monkeypatch.setattr(HttpProtocol, "connection_made", lambda self, wire: made.append(self) or make(self, wire))
    head = b"POST /p HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nContent-Length: 5\r\nUpgrade: h2c\r\n\r\n"
    reader, writer = await talk(port, head[:cut])
    async with asyncio.timeout(30):
        while cut is not None and not (made and made[0]._is_in_head):
            await asyncio.sleep(0.001)
        writer.write((b"" if cut is None else head[cut:]) + b"12345" + (head + b"12345") * 2)
        for _ in range(3):
            assert b" 200 " in (answer := await reader.readuntil(b"\r\n\r\n"))
            assert json.loads(await reader.readexactly(int(answer.partition(b"content-length: ")[2].split()[0]))) == [
                "/p",
                5,
            ]
    writer.close()


async def test_a_body_that_comes_slowly_but_steadily_is_taken(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "BODY_SECONDS", 3_600.0)  # the test says when they are over
    made: list[Any] = []
    make = HttpProtocol.connection_made
    monkeypatch.setattr(HttpProtocol, "connection_made", lambda self, wire: made.append(self) or make(self, wire))
    reader, writer = await talk(port, b"POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n")
    async with asyncio.timeout(30):
        while not made or not made[0]._is_in_body:
            await asyncio.sleep(0.001)
        for _ in range(19):
            writer.write(b"x" * 3_000)
            while made[0]._received < 3_000:
                await asyncio.sleep(0.001)
            made[0]._check()
    writer.write(b"x" * 3_000)
    async with asyncio.timeout(30):
        assert b" 200 " in await reader.readline()
    writer.close()


async def test_who_is_refused_while_sending_can_read_why(port: int) -> None:
    reader, writer = await talk(port, b"POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: 20000000\r\n\r\n")
    async with asyncio.timeout(30):
        for _ in range(100):
            writer.write(bytes(200_000))
            await writer.drain()
        assert b" 413 " in await reader.readline()
    writer.close()


def test_the_longest_order_and_the_longest_filter_that_are_allowed_are_let_in() -> None:
    order, line = (
        {member.python_name: None for member in get_object_definition(kind, strict=True).fields}
        for kind in (OrderPlaceInput, OrderLineInput)
    )
    for given in (order | {"lines": [line] * MAX_LINES}, {"segments": [{"where": {"skus": ["a"] * MAX_VALUES}}]}):
        body = {"query": "", "operationName": None, "variables": {"input": given}, "extensions": {}}
        assert parse_json(json.dumps(body)) == body


def test_json_of_too_many_values_is_refused() -> None:
    half = "[" + ",".join(["1"] * (MAX_JSON_VALUES // 2 - 1)) + "]"
    assert len(parse_json(f"[{half},{half}]")) == 2
    with pytest.raises(Refused, match="values"):
        parse_json(f'{{"a":{half},"b":{half},"c":1}}')
