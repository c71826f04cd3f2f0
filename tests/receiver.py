"""A receiver of webhooks on loopback that keeps what it gets, and checks signatures by the specification alone."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Received:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def is_signed_with(self, secret: str) -> bool:
        """As the specification of Standard Webhooks describes it; shares no code with the sender."""
        key = base64.b64decode(secret.removeprefix("whsec_"))
        content = b".".join([self.id.encode(), self.headers["webhook-timestamp"].encode(), self.body])
        expected = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest())
        versions = [part.split(",", 1) for part in self.headers["webhook-signature"].split(" ")]
        return any(name == "v1" and hmac.compare_digest(value.encode(), expected) for name, value in versions)


@dataclass
class Receiver:
    """Answers 204, or what `answer` says of a request: raw bytes of an HTTP response, or None to hang."""

    url: str = ""
    answer: Callable[[Received], bytes | None] | None = None
    got: list[Received] = field(default_factory=list)

    @property
    def ids(self) -> list[str]:
        return [received.id for received in self.got]

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                first, *lines = head.strip().split("\r\n")
                headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                received = Received(first.split(" ")[1], headers, body)
                self.got.append(received)
                answer = self.answer(received) if self.answer else status(204)
                if answer is None:
                    await asyncio.sleep(60)
                writer.write(answer or b"")
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


def status(code: int, headers: str = "", body: bytes = b"") -> bytes:
    """A whole response."""
    length = "" if code == 204 else f"content-length: {len(body)}\r\n"
    return f"HTTP/1.1 {code} X\r\n{length}{headers}\r\n".encode() + body


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """A receiver on a free port of 127.0.0.1."""
    receiver = Receiver()
    server = await asyncio.start_server(receiver.handle, "127.0.0.1", 0)
    receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    try:
        yield receiver
    finally:
        server.close()
