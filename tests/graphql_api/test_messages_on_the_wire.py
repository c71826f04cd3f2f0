"""HTTP as bytes: what a proxy may read in another way is refused, what is merely old or odd is answered."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.graphql_api.api_under_test import Keys, serve, settings_for

pytestmark = pytest.mark.anyio

BODY = b'{"query": "{ hello }"}'
LENGTH = b"Content-Length: %d" % len(BODY)
CHUNKED = b"Transfer-Encoding: chunked"
IN_CHUNKS = b"%x;note=1\r\n%b\r\n0\r\nX-Sum: 1\r\n\r\n" % (len(BODY), BODY)
POST = b"POST /graphql HTTP/1.1"
HOST, TYPE = b"Host: x", b"Content-Type: application/json"
H2C = (b"Connection: Upgrade, HTTP2-Settings", b"HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA", b"UPGRADE: h2c")
PACKED = gzip.compress(BODY)
UTF16 = BODY.decode().encode("utf-16")

MESSAGES: dict[str, tuple[list[bytes], bytes, int]] = {
    "plain": ([POST, HOST, TYPE, LENGTH], BODY, 200),
    "HTTP/1.0": ([b"POST /graphql HTTP/1.0", TYPE, LENGTH], BODY, 200),
    "HTTP/2 without its frames": ([b"POST /graphql HTTP/2.0", HOST, TYPE, LENGTH], BODY, 505),
    "an offer of h2c": ([POST, HOST, TYPE, LENGTH, *H2C], BODY, 200),
    "chunks with a trailer": ([POST, HOST, TYPE, CHUNKED, b"Trailer: X-Sum"], IN_CHUNKS, 200),
    "chunks of no size": ([POST, HOST, TYPE, CHUNKED], b"-5\r\n" + BODY, 400),
    "chunks and a length": ([POST, HOST, TYPE, LENGTH, CHUNKED], IN_CHUNKS, 400),
    "a length and chunks": ([POST, HOST, TYPE, CHUNKED, LENGTH], IN_CHUNKS, 400),
    "chunked twice": ([POST, HOST, TYPE, CHUNKED, CHUNKED], IN_CHUNKS, 400),
    "packed chunks": ([POST, HOST, TYPE, b"Transfer-Encoding: gzip, chunked"], IN_CHUNKS, 501),
    "unknown coding": ([POST, HOST, TYPE, b"Transfer-Encoding: xchunked"], IN_CHUNKS, 400),
    "two lengths": ([POST, HOST, TYPE, LENGTH, b"Content-Length: 5"], BODY, 400),
    "the same length twice": ([POST, HOST, TYPE, LENGTH, LENGTH], BODY, 400),
    "a list of lengths": ([POST, HOST, TYPE, LENGTH + b", %d" % len(BODY)], BODY, 400),
    "a negative length": ([POST, HOST, TYPE, b"Content-Length: -1"], BODY, 400),
    "a folded field": ([POST, HOST, TYPE, LENGTH, b"X-A: a\r\n b"], BODY, 400),
    "a space before the colon": ([POST, HOST, TYPE, b"Transfer-Encoding : chunked"], IN_CHUNKS, 400),
    "no host": ([POST, TYPE, LENGTH], BODY, 400),
    "two hosts": ([POST, HOST, HOST, TYPE, LENGTH], BODY, 400),
    "two credentials": ([POST, HOST, TYPE, LENGTH, b"Authorization: Bearer x"], BODY, 400),
    "two types": ([POST, HOST, TYPE, b"Content-Type: text/plain", LENGTH], BODY, 400),
    "no type": ([POST, HOST, LENGTH], BODY, 415),
    "UTF-8, quoted": ([POST, HOST, TYPE + b'; charset="UTF-8"', LENGTH], BODY, 200),
    "Latin-1": ([POST, HOST, TYPE + b"; charset=iso-8859-1", LENGTH], BODY, 415),
    "UTF-16 unsaid": ([POST, HOST, TYPE, b"Content-Length: %d" % len(UTF16)], UTF16, 400),
    "gzip": ([POST, HOST, TYPE, b"Content-Length: %d" % len(PACKED), b"Content-Encoding: gzip"], PACKED, 415),
    "HEAD": ([b"HEAD /graphql?query={hello} HTTP/1.1", HOST], b"", 405),
    "OPTIONS without an origin": ([b"OPTIONS /graphql HTTP/1.1", HOST], b"", 405),
    "an unknown method": ([b"BREW /graphql HTTP/1.1", HOST], b"", 400),
    "GET with a body": ([b"GET /graphql?query=%7Bhello%7D HTTP/1.1", HOST, LENGTH], BODY, 200),
}


class Wire:
    def __init__(self, url: str, token: str) -> None:
        self.address = urlsplit(url).hostname, urlsplit(url).port
        self.credential = b"Authorization: Bearer " + token.encode()

    async def statuses(self, fields: list[bytes], body: bytes, *, awaits_go_on: bool = False) -> list[int]:
        """Statuses of what comes back; with `awaits_go_on` the body is sent only when the server asks for it."""
        reader, writer = await asyncio.open_connection(*self.address)
        found: list[int] = []
        try:
            writer.write(b"\r\n".join([*fields, self.credential]) + b"\r\n\r\n" + (b"" if awaits_go_on else body))
            while not found or found == [100]:
                async with asyncio.timeout(60):
                    head = await reader.readuntil(b"\r\n\r\n")
                found.append(int(head.split(b" ", 2)[1]))
                if found == [100]:
                    writer.write(body)
        finally:
            writer.close()
        return found


@pytest.fixture
async def wire(database_url: str, valkey_url: str, tmp_path: Path) -> AsyncIterator[Wire]:
    keys = Keys(tmp_path / "key.pem")
    async with serve(settings_for(database_url, valkey_url, keys.path)) as app:
        yield Wire(app.state.url, keys.token())


async def test_each_message_gets_its_status(wire: Wire) -> None:
    got = {name: await wire.statuses(fields, body) for name, (fields, body, _) in MESSAGES.items()}
    assert got == {name: [status] for name, (_, _, status) in MESSAGES.items()}


async def test_who_asks_first_is_told_to_go_on_or_why_not(wire: Wire) -> None:
    expects = [POST, HOST, b"Expect: 100-continue"]
    assert await wire.statuses([*expects, TYPE, LENGTH], BODY, awaits_go_on=True) == [100, 200]
    assert await wire.statuses([*expects, TYPE, b"Content-Length: 99999999"], BODY, awaits_go_on=True) == [413]
    assert await wire.statuses([*expects, b"Content-Type: text/plain", LENGTH], BODY, awaits_go_on=True) == [415]
