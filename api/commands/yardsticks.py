"""Stock servers that benchmarks compare ours with: ready bytes, bare WebSockets, Strawberry's own subscriptions.

`python -m api.commands.yardsticks NAME DESCRIPTOR` serves one on a listening socket; STOCK in the environment names the
file of ready bytes. Nothing of the product imports this.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import strawberry
import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from strawberry.asgi import GraphQL
from websockets.asyncio.server import ServerConnection, serve


@strawberry.type
class Availability:
    """What a delivery says."""

    available_now: int
    state: str


@strawberry.type
class Event:
    """A delivery, of the shape of ours."""

    cursor: str
    availability: Availability


@strawberry.type
class Query:
    """A schema needs one."""

    one: int = 1


def ready_bytes() -> Any:
    """A Starlette route that returns the same bytes to everybody."""
    body = Path(os.environ["STOCK"]).read_bytes()

    async def answer(request: Request) -> Response:
        await request.body()
        return Response(body, media_type="application/json")

    return Starlette(routes=[Route("/graphql", answer, methods=["POST"])])


def strawberry_app() -> Any:
    """Strawberry's own server with one subscription that all clients follow; POST /tell moves it on."""
    waiting: set[asyncio.Queue[int]] = set()

    @strawberry.type
    class Subscription:
        @strawberry.subscription
        async def availability_changed(self, skus: list[str]) -> AsyncGenerator[Event, None]:
            queue: asyncio.Queue[int] = asyncio.Queue()
            waiting.add(queue)
            try:
                while True:
                    number = await queue.get()
                    yield Event(cursor=str(number), availability=Availability(available_now=number, state="IN_STOCK"))
            finally:
                waiting.discard(queue)

    async def count(request: Request) -> Response:
        return Response(f"subscribers {len(waiting)}\n")

    async def tell(request: Request) -> Response:
        for queue in waiting:
            queue.put_nowait(int(request.query_params["number"]))
        return Response()

    schema = strawberry.Schema(Query, subscription=Subscription)
    app: Any = GraphQL(schema)
    return Starlette(routes=[Route("/tell", tell, methods=["POST"]), Route("/metrics", count), Mount("/", app)])


async def bare_websockets(descriptor: int) -> None:
    """The library `websockets`, which holds connections open and answers each message with itself."""

    async def handle(connection: ServerConnection) -> None:
        async for message in connection:
            await connection.send(message)

    listener = socket.socket(fileno=descriptor)
    async with serve(handle, sock=listener, subprotocols=["graphql-transport-ws"], compression=None):  # pyright: ignore[reportArgumentType]
        await asyncio.Future()


if __name__ == "__main__":
    _, name, given = sys.argv
    if name == "bare_websockets":
        uvloop.run(bare_websockets(int(given)))
    else:
        app = {"ready_bytes": ready_bytes, "strawberry": strawberry_app}[name]()
        uvicorn.run(app, fd=int(given), loop="uvloop", access_log=False, log_level="error")
