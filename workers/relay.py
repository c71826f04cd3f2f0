"""The outbox relay, a process of its own: gives events their positions, then tells the live stream and the workers.

Positions come from PostgreSQL alone. Redis hears of them after the commit and may be away, wiped or late: the stream
is compared with the position at start, after every failure and once a second, and catches up from `event`.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from typing import Any

import asyncpg
import msgspec
import structlog
from redis.exceptions import RedisError, ResponseError

from core.database import Database
from core.repositories import jobs, outbox
from core.repositories.jobs import Ticket
from core.settings import Settings, load_settings
from core.telemetry import start_tracing, stop_tracing
from workers.logs import configure_logging
from workers.queue import REDIS_ERRORS, JobQueue, connect_redis

log = structlog.get_logger("relay")

POLL_SECONDS = 0.25
"""NOTIFY wakes the relay at once; this only bounds what a lost wake-up costs. Each look passes dead rows of the outbox."""
CHECK_SECONDS = 1.0
LEADER_LOCK = 0x_0B0E_0001
"""Advisory lock of the one relay that works; a second one waits for it. The row lock in `relay` guards besides."""
POSTGRES_ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError)


def stream_entry(event: dict[str, Any], epoch: int) -> bytes:
    """What readers of the live stream get: JSON with the names of the API."""
    return msgspec.json.encode(
        {
            "position": event["position"],
            "topic": event["topic"],
            "kind": event["kind"],
            "key": event["key"],
            "skuId": event["sku_id"],
            "orderId": event["order_id"],
            "customerId": event["customer_id"],
            "supplierId": event["supplier_id"],
            "channel": event["channel"],
            "payload": event["payload"],
            "occurredAt": event["occurred_at"],
            "epoch": epoch,
            "traceparent": event["traceparent"],
        }
    )


class Publisher:
    """Keeps the Redis stream at the head of `event`, in position order."""

    def __init__(self, settings: Settings, redis: Any) -> None:
        self._settings = settings
        self._redis = redis
        self.published: int | None = None
        """Position of the newest stream entry as far as known; None: ask."""

    async def newest(self) -> int:
        """Position of the newest entry in the stream, 0 when it is empty."""
        entries = await self._redis.xrevrange(self._settings.stream_name, count=1)
        return int(entries[0][0].split(b"-")[0]) if entries else 0

    async def add(self, events: list[dict[str, Any]], epoch: int) -> None:
        """Append; an entry that is there already is refused by the stream itself."""
        async with self._redis.pipeline(transaction=False) as pipe:
            for event in events:
                pipe.xadd(
                    self._settings.stream_name,
                    {"data": stream_entry(event, epoch)},
                    id=f"{event['position']}-0",
                    maxlen=self._settings.stream_length,
                    approximate=True,
                )
            for answer in await pipe.execute(raise_on_error=False):
                if isinstance(answer, ResponseError) and "equal or smaller" in str(answer):
                    continue
                if isinstance(answer, Exception):
                    raise answer
        self.published = events[-1]["position"]

    async def catch_up(self, sql: Any) -> None:
        """Bring the stream to the head of `event`: after a start, an outage, or a wipe."""
        at = await self.newest()
        head, epoch = await outbox.read_relay(sql)
        if at > head:
            log.warning("stream belongs to another database; it is begun anew", newest=at, head=head)
            await self._redis.delete(self._settings.stream_name)
            at = 0
        at = max(at, head - self._settings.stream_length)
        while at < head:
            events = await outbox.read_events(sql, at)
            if not events:  # older than the retention
                at = head
                break
            await self.add(events, epoch)
            at = events[-1]["position"]
        self.published = at


class Relay:
    """One relay: `run` works until it is cancelled, over failures of PostgreSQL and of Redis."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self._wake = asyncio.Event()
        self._news: asyncio.Queue[outbox.Moved] = asyncio.Queue(maxsize=64)

    async def run(self) -> None:
        teller = asyncio.create_task(self._tell_forever())
        try:
            while True:
                try:
                    await self._lead()
                except POSTGRES_ERRORS as failure:
                    log.warning("database is away", error=f"{type(failure).__name__}: {failure}")
                    await asyncio.sleep(0.5)
        finally:
            teller.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await teller

    async def _lead(self) -> None:
        """Take the lead on one connection and move until it fails; the lock dies with the connection."""
        connection = await self._database.system.acquire()
        try:
            while not await connection.fetchval("select pg_try_advisory_lock($1)", LEADER_LOCK):  # noqa: ASYNC110
                await asyncio.sleep(0.25)
            await connection.add_listener("outbox", lambda *_: self._wake.set())
            head, _ = await outbox.read_relay(connection)
            await outbox.ensure_partitions(connection, head)
            log.info("relay leads", head=head)
            while True:
                self._wake.clear()
                async with connection.transaction():
                    moved = await outbox.move_outbox(connection)
                if moved.events:
                    self._hand_over(moved)
                    if outbox.enters_partition(moved.head - len(moved.events), moved.head):
                        await outbox.ensure_partitions(connection, moved.head)
                if len(moved.events) < outbox.BATCH:
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self._wake.wait(), POLL_SECONDS)
                else:
                    await asyncio.sleep(0)
        finally:
            connection.terminate()
            await self._database.system.release(connection)

    def _hand_over(self, moved: outbox.Moved) -> None:
        # A full queue means that Redis lags: the teller then reads what it missed from `event` and `job_run`.
        with contextlib.suppress(asyncio.QueueFull):
            self._news.put_nowait(moved)

    async def _tell_forever(self) -> None:
        while True:
            try:
                redis = await connect_redis(self._settings)
                try:
                    await self._tell(Publisher(self._settings, redis), JobQueue(self._settings, redis))
                finally:
                    await redis.aclose(close_connection_pool=True)
            except (*POSTGRES_ERRORS, *REDIS_ERRORS, RedisError) as failure:
                log.warning("telling failed", error=f"{type(failure).__name__}: {failure}")
            except Exception:
                # Never silently deaf: what is wrong here must not stop the telling for good.
                log.exception("telling failed")
            await asyncio.sleep(0.5)

    async def _tell(self, publisher: Publisher, queue: JobQueue) -> None:
        """Publish and wake until something fails; begins by catching up."""
        clock = asyncio.get_running_loop().time
        checked = 0.0
        while True:
            if clock() - checked >= CHECK_SECONDS:
                await publisher.catch_up(self._database.system)
                await self._wake_workers(queue, await jobs.due_tickets(self._database.system, CHECK_SECONDS))
                checked = clock()
            try:
                moved = await asyncio.wait_for(self._news.get(), CHECK_SECONDS / 4)
            except TimeoutError:
                continue
            fresh = [event for event in moved.events if event["position"] > (publisher.published or 0)]
            if fresh and fresh[0]["position"] == (publisher.published or 0) + 1:
                await publisher.add(fresh, moved.epoch)
            elif fresh:
                await publisher.catch_up(self._database.system)
            await self._wake_workers(queue, moved.tickets)

    async def _wake_workers(self, queue: JobQueue, tickets: list[Ticket]) -> None:
        if tickets:
            await queue.enqueue(tickets)
            # Those that arq knew already are in Redis as well.
            await jobs.mark_queued(self._database.system, [ticket.run_id for ticket in tickets])


async def serve(settings: Settings) -> None:
    """Run one relay until SIGTERM or SIGINT."""
    start_tracing("backorder-relay")
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    while not stop.is_set():
        database = Database(settings.model_copy(update={"pool_size": 3}))
        try:
            await database.open()
        except POSTGRES_ERRORS as failure:
            log.warning("database is away", error=str(failure))
            await asyncio.sleep(0.5)
            continue
        try:
            relay = asyncio.create_task(Relay(database, settings).run())
            await asyncio.wait([relay, asyncio.ensure_future(stop.wait())], return_when=asyncio.FIRST_COMPLETED)
            relay.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await relay
        finally:
            await database.close()


if __name__ == "__main__":
    configure_logging(load_settings())
    try:
        asyncio.run(serve(load_settings()))
    finally:
        stop_tracing()
