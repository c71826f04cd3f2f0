"""The portal client: watches `orderChanged` over graphql-transport-ws and can be cut off without a goodbye."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from workers.commands.demo_story.chronicle import StepFailed

WATCH = """subscription($after: String) { orderChanged(after: $after) {
  cursor kind orderNumber lineNumber status version quantity promised previousPromised reason resyncRequired } }"""


class Portal:
    """`events` are all that it saw, in the order in which they came; `cursor` is that of the last one."""

    def __init__(self, ws_url: str, token: str) -> None:
        self._url, self._token = ws_url, token
        self._socket: ClientConnection | None = None
        self._reader: asyncio.Task[None] | None = None
        self.events: list[dict[str, Any]] = []
        self.trouble: list[Any] = []

    @property
    def cursor(self) -> str | None:
        return self.events[-1]["cursor"] if self.events else None

    async def watch(self) -> None:
        """Connect and go on after the last event seen; from now on at the first time."""
        socket = await connect(self._url, subprotocols=["graphql-transport-ws"])  # type: ignore[list-item]
        await socket.send(
            json.dumps({"type": "connection_init", "payload": {"Authorization": f"Bearer {self._token}"}})
        )
        hello = json.loads(await asyncio.wait_for(socket.recv(), 10))
        if hello.get("type") != "connection_ack":
            raise StepFailed("portal", "the greeting over WebSocket", "connection_ack", hello)
        payload = {"query": WATCH, "variables": {"after": self.cursor}}
        await socket.send(json.dumps({"type": "subscribe", "id": "orders", "payload": payload}))
        # A ping is answered in order: after the pong the subscription has been taken up.
        await socket.send(json.dumps({"type": "ping"}))
        self._socket, self._reader = socket, asyncio.create_task(self._read(socket))

    async def cut(self) -> None:
        """Break the TCP connection at once: no close frame, no goodbye."""
        assert self._socket is not None
        self._socket.transport.abort()
        await self._end()

    async def close(self) -> None:
        if self._socket is not None:
            await self._socket.close()
        await self._end()

    async def _end(self) -> None:
        if self._reader is not None:
            self._reader.cancel()
            with suppress(asyncio.CancelledError):
                await self._reader
        self._socket = self._reader = None

    async def _read(self, socket: ClientConnection) -> None:
        with suppress(ConnectionClosed, OSError):
            async for message in socket:
                said = json.loads(message)
                if said["type"] == "next" and not said["payload"].get("errors"):
                    self.events.append(said["payload"]["data"]["orderChanged"])
                elif said["type"] != "pong":
                    self.trouble.append(said)
