"""The web process: plugs pools, Redis, hub, schema and endpoints together; `uvicorn --factory api.app:create_app`."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import sys
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any, TextIO, cast

import structlog
from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from api.context import Context
from api.live import LiveHub
from api.permissions import Authenticator
from api.permissions.denials import DenialCounter
from api.transport import Engine, GraphQLEndpoint
from api.transport.edi import edi_endpoint
from api.transport.health import healthz, readyz_of
from api.transport.language import preferred_language
from api.transport.metrics import forget_dead_processes, metrics_of, use_of
from api.transport.middleware import RequestContext
from api.transport.pages import console, root_of
from core.away import LOOK_SECONDS, within
from core.database import Database
from core.domain.access import Principal
from core.domain.calendars import recall_holidays
from core.ports import SimulationClock, WallClock
from core.queries.gate_versions import answer_versions
from core.queries.system_figures import SystemFigures, system_figures
from core.repositories.network import STAMP
from core.services.count_denials import Denial, count_denials
from core.settings import Settings, load_settings
from core.telemetry import start_tracing, stop_tracing
from core.unit_of_work import run_unit_of_work

log = structlog.get_logger(__name__)

DRAIN_SECONDS = 3.0
"""Given to streams to end by themselves once the process was told to stop."""


class _JsonLines(logging.Handler):
    """What the server and the drivers log, as lines like our own."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno < logging.WARNING and str(record.msg).startswith(('%s - "WebSocket', "connection ")):
            return  # told by our own line when it ends
        level = getattr(structlog.get_logger(record.name), record.levelname.lower(), None)
        if level is not None:
            cause = record.exc_info[1] if record.exc_info else None
            facts: dict[str, Any] = {} if cause is None else {"error": type(cause).__name__}
            if cause is not None and record.levelno >= logging.ERROR:
                facts["exc_info"] = cause
            level(record.getMessage(), logger=record.name, **facts)


class _StandardError:
    """Standard error as it is when a line is written: loggers are kept, and whoever runs us may replace the stream."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


def configure_logging(settings: Settings) -> None:
    """JSON lines on standard error, each with the request id."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file=cast(TextIO, _StandardError())),
        cache_logger_on_first_use=True,
    )
    for name in ("uvicorn", "asyncpg", "asyncio", "opentelemetry"):
        library = logging.getLogger(name)
        library.handlers, library.propagate = [_JsonLines()], False


def _default_schema() -> tuple[Any, Callable[[Context], Any]]:
    from api.loaders import Loaders
    from api.operations import schema

    return schema, Loaders


def _on_stop(drain: Callable[[], None], is_drained: Callable[[], bool]) -> Callable[[], None]:
    """Run `drain`, and the server's own handler of SIGTERM and SIGINT once it is done; returns what undoes it.

    A server closes sockets with a code of its own, and waits for open responses before it ends the lifespan: streams
    end first, as documented. A second signal does not wait.
    """
    loop, before = asyncio.get_running_loop(), {}
    is_told = False

    def wait(number: int, until: float) -> None:
        if is_drained() or loop.time() > until:
            before[number](number, None)
        else:
            loop.call_later(0.02, wait, number, until)

    def begin(number: int) -> None:
        drain()
        wait(number, loop.time() + DRAIN_SECONDS)

    def handle(number: int, frame: Any) -> None:
        nonlocal is_told
        if is_told:
            before[number](number, frame)
        else:
            is_told = True
            loop.call_soon_threadsafe(begin, number)

    with suppress(ValueError):  # not the main thread: a test server, which stops in its own way
        for number in (signal.SIGTERM, signal.SIGINT):
            previous = signal.getsignal(number)
            if callable(previous):
                before[number] = previous
                signal.signal(number, handle)

    def undo() -> None:
        for number, previous in before.items():
            with suppress(ValueError):
                signal.signal(number, previous)

    return undo


GRAPHQL = ("/graphql", "/graphql/")


class Application(Starlette):
    """Starlette, but the GraphQL path goes straight to its endpoint: of its sockets a thousand are open at a time."""

    graphql: ASGIApp
    sockets: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or scope["path"].removeprefix(scope.get("root_path", "")) not in GRAPHQL:
            await super().__call__(scope, receive, send)
        elif scope["type"] == "websocket":
            await self.sockets(scope, receive, send)
        else:
            await self.graphql(scope, receive, send)


def _cors(settings: Settings) -> dict[str, Any]:
    return {
        "allow_origins": settings.allowed_origins,
        "allow_methods": ["GET", "POST"],
        "allow_headers": ["*"],
        "expose_headers": ["X-Request-Id", "ETag", "Retry-After"],
        "max_age": 600,
    }


def create_app(
    settings: Settings | None = None,
    *,
    schema: Any = None,
    make_loaders: Callable[[Context], Any] | None = None,
) -> Starlette:
    """The ASGI application. Connections are opened by its lifespan; `schema` is for tests, the product's otherwise."""
    chosen = settings or load_settings()
    configure_logging(chosen)
    if schema is None:
        schema, make_loaders = _default_schema()
    database = Database(chosen)
    redis = (
        Redis.from_url(chosen.redis_url, socket_timeout=5, socket_connect_timeout=2, health_check_interval=15)
        if chosen.redis_url
        else None
    )
    hub = LiveHub(database, redis, chosen)
    authenticator = Authenticator(database, chosen)
    clock = SimulationClock() if chosen.simulated_clock else WallClock()

    async def write_denials(counts: Mapping[Denial, int]) -> None:
        await run_unit_of_work(database, lambda uow: count_denials(uow, counts))

    denials = DenialCounter(write_denials)

    def make_context(caller: Principal | None, request_id: str, accept_language: str | None) -> Context:
        language = preferred_language(accept_language)
        return Context(database, chosen, caller, clock, request_id, language, hub, make_loaders, denials=denials)

    async def read_versions(sku_ids: Collection[int]) -> Mapping[int, int]:
        async def read() -> Mapping[int, int]:
            async with database.system.acquire() as sql:
                return await answer_versions(sql, sku_ids, STAMP)

        return await within(LOOK_SECONDS, read())

    endpoint = GraphQLEndpoint(
        Engine(schema, chosen),
        authenticator,
        make_context,
        chosen,
        read_versions=read_versions,
        is_blind=lambda: hub.is_blind,
    )

    def drain() -> None:
        endpoint.drain()
        hub.drain()

    async def read_figures() -> SystemFigures:
        async with database.system.acquire() as sql:
            return await system_figures(sql)

    def pools() -> dict[str, Any]:
        return {"system": use_of(database.system), "app": use_of(database.app)}

    async def ping_redis() -> None:
        if redis is not None:
            await redis.ping()  # pyright: ignore[reportGeneralTypeIssues]

    checks = {
        "postgresql": lambda: database.system.fetchval("select position from relay"),
        "redis": ping_redis,
        "live": hub.check,
    }

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        start_tracing("backorder-api")
        forget_dead_processes()
        async with database:
            await hub.start()
            # Before the first caller: in the middle of its question everybody would wait for it.
            calendars = await database.system.fetch("select distinct country from calendar where country is not null")
            await asyncio.to_thread(recall_holidays, [row["country"] for row in calendars], datetime.now(UTC).year)
            undo = _on_stop(drain, lambda: endpoint.connections.total == 0)
            # Schema and modules live as long as the process: look for cycles among what requests leave, and more rarely.
            gc.collect()
            gc.freeze()
            gc.set_threshold(20_000, 20, 50)
            # A thread that reads a long document, or tells the schema, lets go of the interpreter after so much of it.
            sys.setswitchinterval(0.001)
            log.info("ready", environment=chosen.env, cors_origins=chosen.allowed_origins, position=hub.position)
            try:
                yield
            finally:
                undo()
                drain()
                await asyncio.sleep(0)
                await hub.close()
                await authenticator.close()
                await denials.close()
                await endpoint.rates.close()
                if redis is not None:
                    await redis.aclose()
                await asyncio.to_thread(stop_tracing)

    graphql = RequestContext(CORSMiddleware(endpoint, **_cors(chosen)))
    routes = [
        Route("/", root_of(chosen)),
        Route("/healthz", healthz),
        Route("/readyz", readyz_of(checks)),
        Route("/metrics", metrics_of(read_figures, pools, lambda: hub.position)),
        Route("/edi/{partner}", edi_endpoint(database, authenticator, chosen, clock), methods=["POST"]),
    ]
    if chosen.allows_introspection:
        routes.append(Route("/graphiql", console))
    middleware = [
        Middleware(RequestContext),
        Middleware(CORSMiddleware, **_cors(chosen)),
    ]
    app = Application(routes=routes, middleware=middleware, lifespan=lifespan)
    app.graphql, app.sockets = graphql, endpoint
    app.state.hub, app.state.endpoint, app.state.database = hub, endpoint, database
    return app
