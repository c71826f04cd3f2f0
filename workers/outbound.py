"""Requests to addresses that strangers chose: to public hosts only, bounded in time and size, never redirected."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterable
from typing import Any

import httpcore2

from core.domain.webhook_address import is_allowed_address
from core.domain.webhook_message import sign
from core.services.deliver_webhooks import Attempt, Batch, Waiting

ATTEMPT_SECONDS = 15.0
"""For everything: name, connection, TLS, request and answer; shorter than a deliverer's lease."""
CONNECT_SECONDS = 5.0
MAX_ANSWER = 64 * 1024
"""Bytes of an answer that are read; nothing of it is kept."""
MAX_CONNECTIONS = 200
KEEP_SECONDS = 15.0
_TRIED_ADDRESSES = 3


class RefusedAddress(Exception):
    """The host's name stands for an address that we do not connect to."""


class PublicNetwork(httpcore2.AsyncNetworkBackend):
    """Looks a name up once, judges every address it stands for, and connects to one of those: what was judged is what
    is connected to, so a second look-up cannot answer differently."""

    def __init__(self, allow_loopback: bool = False) -> None:
        self._allow_loopback = allow_loopback
        self._network: Any = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        failure: Exception | None = None
        for address in (await self._addresses(host, port, timeout))[:_TRIED_ADDRESSES]:
            try:
                return await self._network.connect_tcp(
                    address, port, timeout=timeout, local_address=local_address, socket_options=socket_options
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
        raise failure or httpcore2.ConnectError("The name has no address.")

    async def connect_unix_socket(self, *_: Any, **__: Any) -> httpcore2.AsyncNetworkStream:
        raise RefusedAddress("no sockets of this machine")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def _addresses(self, host: str, port: int, timeout: float | None) -> list[str]:
        """Every address of the name. Raises RefusedAddress when one of them is refused: a mixture is no accident."""
        loop = asyncio.get_running_loop()
        try:
            found = await asyncio.wait_for(
                loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP), timeout
            )
        except (OSError, UnicodeError) as error:
            raise httpcore2.ConnectError(f"The name cannot be looked up: {host}") from error
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        if not all(is_allowed_address(address, self._allow_loopback) for address in addresses):
            raise RefusedAddress(host)
        return addresses


class Sender:
    """Sends messages over kept connections; `send` never raises for what a receiver does."""

    def __init__(self, allow_loopback: bool = False) -> None:
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=httpcore2.default_ssl_context(),
            max_connections=MAX_CONNECTIONS,
            keepalive_expiry=KEEP_SECONDS,
            network_backend=PublicNetwork(allow_loopback),
        )

    async def send(self, batch: Batch, message: Waiting) -> Attempt:
        """One try of one message: any 2xx within ATTEMPT_SECONDS is a yes."""
        began = time.monotonic()
        status, error, retry_after = None, None, None
        try:
            async with asyncio.timeout(ATTEMPT_SECONDS):
                status, retry_after = await self._post(batch, message)
        except TimeoutError:
            error = f"No answer within {ATTEMPT_SECONDS:.0f} s."
        except RefusedAddress:
            error = "The host's name stands for an address that we do not deliver to."
        except httpcore2.ProtocolError:  # what it says quotes the answer
            error = "The answer is not HTTP, or the connection ended before it."
        except (httpcore2.TimeoutException, httpcore2.NetworkError) as failure:
            error = f"{type(failure).__name__}: {str(failure)[:200]}".rstrip(": ")
        except (httpcore2.UnsupportedProtocol, ValueError, OSError) as failure:
            error = f"{type(failure).__name__}"
        if status is not None and 300 <= status < 400:
            error = f"HTTP {status}: redirects are not followed."
        return Attempt(status, error, round((time.monotonic() - began) * 1000), retry_after)

    async def _post(self, batch: Batch, message: Waiting) -> tuple[int, int | None]:
        timestamp = int(time.time())
        headers: dict[str | bytes, str | bytes] = {
            "content-type": "application/json",
            "user-agent": "backorder-manager-webhooks/1",
            "accept-encoding": "identity",
            "webhook-id": message.message_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": sign(batch.secrets, message.message_id, timestamp, message.body),
            "webhook-delivery-id": f"dlv_{message.delivery_id}",
        }
        timeouts = {"connect": CONNECT_SECONDS, "read": ATTEMPT_SECONDS, "write": ATTEMPT_SECONDS, "pool": 5.0}
        async with self._pool.stream(
            "POST", batch.url, headers=headers, content=message.body, extensions={"timeout": timeouts}
        ) as answer:
            read = 0
            async for chunk in answer.aiter_stream():
                read += len(chunk)
                if read > MAX_ANSWER:
                    break
            return answer.status, _retry_after(answer.headers)

    async def close(self) -> None:
        await self._pool.aclose()


def _retry_after(headers: Iterable[tuple[bytes, bytes]]) -> int | None:
    """Seconds of a `Retry-After` header; a date in it is not understood."""
    for name, value in headers:
        if name.lower() == b"retry-after" and value.isdigit() and len(value) < 10:
            return int(value)
    return None
