"""A small schema, keys and tokens, and a real server on a loopback port for the tests of the API's edge."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import jwt
import strawberry
import uvicorn
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from graphql import GraphQLError

from api.app import create_app
from api.live import LiveFilter
from api.permissions import roles
from api.transport.reading import HttpProtocol, WebSocketProtocol
from core.domain.access import Role
from core.errors import InsufficientStock
from core.settings import Settings

EVERYONE = roles()


@strawberry.type
class Thing:
    number: int

    @strawberry.field
    def children(self, first: int) -> list["Thing"]:
        return [Thing(number=n) for n in range(min(first, 2))]

    @strawberry.field
    def parent(self) -> "Thing":
        return self


@strawberry.type
class Query:
    @strawberry.field(extensions=[roles()])
    def hello(self, name: str = "you") -> str:
        return f"Hello {name}"

    @strawberry.field(extensions=[roles()])
    def thing(self) -> Thing:
        return Thing(number=1)

    @strawberry.field(extensions=[roles()])
    def things(self, first: int) -> list[Thing]:
        return [Thing(number=n) for n in range(min(first, 3))]

    @strawberry.field(extensions=[roles(Role.PLANNER, Role.ADMIN)])
    def plans(self) -> str | None:
        return "secret plans"

    @strawberry.field(extensions=[roles(publishable=True)])
    def public(self) -> str:
        return "public"

    @strawberry.field(extensions=[roles()])
    def broken(self) -> str | None:
        raise RuntimeError("password=hunter2")

    @strawberry.field(extensions=[roles()])
    def refused(self) -> str | None:
        raise InsufficientStock("BOLT", 5, 2)

    @strawberry.field(extensions=[roles()])
    def unknown(self) -> str | None:
        raise GraphQLError("There is no SKU X.", extensions={"code": "UNKNOWN_SKU"})

    @strawberry.field(extensions=[roles()])
    async def mine(self, info: strawberry.Info) -> list[int]:
        async with info.context.read() as sql:
            return [row["position"] for row in await sql.fetch("select position from event order by 1")]


@strawberry.type
class Mutation:
    @strawberry.mutation(extensions=[roles()])
    def change(self) -> str:
        return "changed"


@strawberry.type
class Happened:
    cursor: str
    kind: str
    n: int | None
    resync_required: bool


@strawberry.type
class Subscription:
    @strawberry.subscription(extensions=[roles()])
    async def happened(self, info: strawberry.Info, after: str | None = None) -> AsyncIterator[Happened]:
        async for event in info.context.live(LiveFilter(frozenset({"order"})), after):
            yield Happened(
                cursor=event.cursor,
                kind=event.kind,
                n=event.payload.get("n"),
                resync_required=event.resync_required,
            )

    @strawberry.subscription(extensions=[roles()])
    async def count(self, to: int, size: int = 0) -> AsyncIterator[str]:
        for number in range(to):
            yield f"{number}{'x' * size}"

    @strawberry.subscription(extensions=[roles(Role.PLANNER)])
    async def planned(self) -> AsyncIterator[int]:
        yield 1


def small_schema() -> strawberry.Schema:
    return strawberry.Schema(query=Query, mutation=Mutation, subscription=Subscription)


@dataclass
class Keys:
    """A development key pair in a file, and tokens signed with it."""

    path: Path

    def __post_init__(self) -> None:
        self.private = ec.generate_private_key(ec.SECP256R1())
        self.path.write_bytes(
            self.private.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )

    def token(
        self, role: str = "ADMIN", seconds: float = 600, key: Any = None, alg: str = "ES256", **claims: Any
    ) -> str:
        content = {
            "sub": "tester",
            "role": role,
            "iss": "backorder-manager",
            "aud": "backorder-manager-api",
            "exp": datetime.now(UTC) + timedelta(seconds=seconds),
            **claims,
        }
        content = {name: value for name, value in content.items() if value is not None}
        return jwt.encode(content, key or self.private, algorithm=alg)


@asynccontextmanager
async def serve(
    settings: Settings, schema: strawberry.Schema | None = None, *, is_whole: bool = False
) -> AsyncIterator[Any]:
    """Run the application on a free loopback port, with a small schema or whole; yields it with `.state.url`."""
    app = create_app(settings) if is_whole else create_app(settings, schema=schema or small_schema())
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=0,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=3,
        http=HttpProtocol,
        ws=WebSocketProtocol,
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:
        if task.done():
            task.result()
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    app.state.url = f"http://127.0.0.1:{port}"
    app.state.ws_url = f"ws://127.0.0.1:{port}/graphql"
    try:
        yield app
    finally:
        app.state.endpoint.drain()
        app.state.hub.drain()
        server.should_exit = True
        await task


def settings_for(database_url: str, valkey_url: str, key_file: Path, **more: Any) -> Settings:
    return Settings(
        env="test", database_url=database_url, redis_url=valkey_url, local_key_file=key_file, pool_size=4, **more
    )


async def add_events(
    sql: asyncpg.Connection, count: int, *, topic: str = "order", start: int | None = None, **columns: Any
) -> list[int]:
    """Append events as the relay does, in one transaction: gapless positions, then the head."""
    async with sql.transaction():
        head = await sql.fetchval("select position from relay for update")
        if head is None:
            await sql.execute("insert into relay default values on conflict do nothing")
            head = 0
        positions = list(range(head + 1, head + 1 + count))
        await sql.executemany(
            """insert into event (position, topic, kind, key, sku_id, order_id, customer_id, supplier_id, payload,
                occurred_at)
            values ($1, $2, 'PLACED', '', $3, $4, $5, $6, jsonb_build_object('n', $1::bigint), now())""",
            [
                (
                    position,
                    topic,
                    columns.get("sku_id"),
                    columns.get("order_id"),
                    columns.get("customer_id"),
                    columns.get("supplier_id"),
                )
                for position in positions
            ],
        )
        await sql.execute("update relay set position = $1", positions[-1] if positions else head)
    return positions
