"""The fan-out hub: follows the Redis stream, fills every gap from PostgreSQL, and hands events to subscribers."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakSet

import structlog
from prometheus_client import Counter, Gauge

from api.live.cursor import Cursor, decode_cursor, encode_cursor
from api.live.entry import entries_of, event_of
from api.live.event import COLUMNS, LiveEvent, LiveFilter
from api.live.sharing import ReadsUnderWay
from api.live.subscription import Follow, Reader, StreamsClosing, Subscription
from core.away import LOOK_SECONDS, is_away, within
from core.settings import Settings

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from core.database import Database

log = structlog.get_logger(__name__)
T = TypeVar("T")

HEAD_SECONDS = 1.0
"""How often PostgreSQL is asked for the head: the longest an event stays unseen when Redis is gone."""
BLOCK_MS = 1_000
STALE_SECONDS = 10.0
RETRY_SECONDS = 0.5
BATCH = 1_000
RESUMING = 3
"""So many subscribers read the table at a time: a thousand that come back leave connections to those who ask."""

SUBSCRIBERS = Gauge("backorder_live_subscribers", "Open subscriptions", multiprocess_mode="livesum")
POSITION = Gauge(
    "backorder_live_position", "Position of the last event handed to subscribers", multiprocess_mode="livemin"
)
FILLED = Counter("backorder_live_filled_events", "Events read from PostgreSQL because the stream had a gap")
LAG = Gauge("backorder_live_lag_seconds", "Age of the newest event when it was handed on", multiprocess_mode="livemax")


class LiveHub:
    """One per process. Knows the last position it has handed on, so that events leave without gap and in order."""

    def __init__(self, database: Database, redis: Redis | None, settings: Settings) -> None:
        self._database = database
        self._redis = redis
        self._stream = settings.stream_name
        self.epoch = 0
        self.position = 0
        self._order = asyncio.Lock()
        self._wide: dict[str, WeakSet[Subscription]] = defaultdict(WeakSet)
        self._narrow: dict[tuple[str, str, Any], WeakSet[Subscription]] = defaultdict(WeakSet)
        self._tasks: list[asyncio.Task[None]] = []
        """Weak: a subscription that its reader dropped without closing must not be fed for ever."""
        self._closing = False
        self.reads = ReadsUnderWay(lambda: self.position)
        """What its subscribers read for one event, together."""
        self.resuming = asyncio.Semaphore(RESUMING)
        self._seen_at = time.monotonic()
        self._looked = asyncio.Event()

    # Life.

    async def start(self) -> None:
        """Take the present head as the beginning and follow it until `close`."""
        self.epoch, self.position = await self._head()
        self._tasks.append(asyncio.create_task(self._follow_database(), name="live-head"))
        if self._redis is not None:
            self._tasks.append(asyncio.create_task(self._follow_redis(), name="live-stream"))

    def drain(self) -> None:
        """End every subscription with StreamsClosing and accept no new one."""
        self._closing = True
        for subscription in self._all():
            subscription.close(StreamsClosing())

    async def close(self) -> None:
        self.drain()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=BLOCK_MS / 500)
        self._tasks.clear()

    async def check(self) -> None:
        """Raise RuntimeError when the hub does not follow the event log."""
        if self._closing or not self._tasks or any(task.done() for task in self._tasks):
            raise RuntimeError("The live hub is not running.")
        if self.is_blind:
            raise RuntimeError("The event log could not be read lately.")

    @property
    def is_blind(self) -> bool:
        """PostgreSQL has not answered for a while: what is asked of it now would wait, and everything behind it."""
        return bool(self._tasks) and time.monotonic() - self._seen_at > STALE_SECONDS

    async def next_look(self) -> bool:
        """True when PostgreSQL has answered again, False after a while without: one asks for all who wait."""
        with suppress(TimeoutError):
            async with asyncio.timeout(STALE_SECONDS):
                return await self._looked.wait()
        return False

    async def patiently(self, read: Callable[[], Awaitable[T]]) -> T:
        """What `read` reads; while PostgreSQL is away a stream waits for it rather than ending."""
        while True:
            try:
                return await read()
            except Exception as error:
                if not is_away(error):
                    raise
                await self.next_look()

    # Subscribing.

    def cursor_at(self, position: int) -> str:
        return encode_cursor(self.epoch, position)

    def subscribe(
        self, wanted: LiveFilter, after: str | None = None, read: Reader | None = None, follow: Follow | None = None
    ) -> Subscription:
        """Events of `wanted` that come after the cursor `after`, or from now on without one.

        Registered at once, so a snapshot read afterwards overlaps with the stream and never misses anything.
        `read` opens the connection for resumed events (the caller's own, with row-level security); the system pool
        is the default. `follow` hears of each event that is handed on, and of None when the next is asked for.
        Raises BAD_USER_INPUT for a malformed cursor, StreamsClosing while the process goes away.
        """
        if self._closing:
            raise StreamsClosing
        cursor = decode_cursor(after) if after is not None else None
        return Subscription(self, wanted, cursor, read or self._system, follow)

    @asynccontextmanager
    async def _system(self) -> AsyncIterator[Any]:
        async with self._database.system.acquire() as connection:
            yield connection

    async def can_resume(self, cursor: Cursor) -> bool:
        """False for another epoch, a position above the head, or events that are no longer kept."""
        row = await self._database.system.fetchrow(
            """select r.epoch, r.position, (select e.position from event e order by e.position limit 1) as oldest
            from relay r"""
        )
        if row is None or cursor.epoch != row["epoch"] or cursor.position > row["position"]:
            return False
        if cursor.position == row["position"]:
            return True
        return row["oldest"] is not None and row["oldest"] <= cursor.position + 1

    def _keys(self, wanted: LiveFilter) -> list[tuple[str, str, Any]] | None:
        if wanted.sku_ids is not None:
            return [(topic, "sku", sku) for topic in wanted.topics for sku in wanted.sku_ids]
        if wanted.order_id is not None:
            return [(topic, "order", wanted.order_id) for topic in wanted.topics]
        if wanted.customer_id is not None:
            return [(topic, "customer", wanted.customer_id) for topic in wanted.topics]
        return None

    def register(self, subscription: Subscription) -> None:
        keys = self._keys(subscription.wanted)
        for key in keys or ():
            self._narrow[key].add(subscription)
        for topic in subscription.wanted.topics if keys is None else ():
            self._wide[topic].add(subscription)

    def unregister(self, subscription: Subscription) -> None:
        keys = self._keys(subscription.wanted)
        places: list[tuple[dict[Any, WeakSet[Subscription]], Any]] = (
            [(self._wide, topic) for topic in subscription.wanted.topics]
            if keys is None
            else [(self._narrow, key) for key in keys]
        )
        for places_of, key in places:
            there = places_of.get(key)
            if there is not None:
                there.discard(subscription)
                if not there:
                    del places_of[key]

    def _all(self) -> set[Subscription]:
        groups = [*self._wide.values(), *self._narrow.values()]
        return {subscription for group in groups for subscription in group}

    # Following.

    async def _head(self) -> tuple[int, int]:
        row = await within(LOOK_SECONDS, self._database.system.fetchrow("select epoch, position from relay"))
        self._seen_at = time.monotonic()
        self._looked.set()
        self._looked = asyncio.Event()
        return (row["epoch"], row["position"]) if row else (1, 0)

    async def _follow_database(self) -> None:
        while True:
            await asyncio.sleep(HEAD_SECONDS)
            SUBSCRIBERS.set(len(self._all()))
            try:
                async with self._order:
                    epoch, head = await self._head()
                    if epoch != self.epoch or head < self.position:
                        self._begin_anew(epoch, head)
                    elif head > self.position:
                        await self._fill(head)
            except Exception as error:  # the database is away: keep the streams, ask again
                log.warning("event head could not be read", error=type(error).__name__)

    async def _follow_redis(self) -> None:
        assert self._redis is not None
        while not self._closing:  # the client may swallow a cancellation, so the flag has the last word
            try:
                answer: Any = await self._redis.xread({self._stream: f"{self.position}-0"}, count=BATCH, block=BLOCK_MS)
                entries = entries_of(answer)
                before = self.position
                await self._deliver([event_of(entry, self.epoch) for entry in entries])
                if entries and self.position == before:
                    await asyncio.sleep(RETRY_SECONDS)  # nothing of it was ours: do not spin
            except Exception as error:  # Redis is away or was wiped: PostgreSQL keeps the stream going
                log.warning("event stream could not be read", error=type(error).__name__)
                await asyncio.sleep(RETRY_SECONDS)

    async def _deliver(self, events: Iterable[LiveEvent | None]) -> None:
        async with self._order:
            for event in events:
                if event is None or event.position <= self.position:
                    continue
                if event.position > self.position + 1:
                    await self._fill(event.position - 1)
                if event.position == self.position + 1:
                    self._dispatch(event)

    async def _fill(self, upto: int) -> None:
        """Hand on everything from the event table up to a position, so that no gap is ever passed."""
        while self.position < upto:
            rows = await self._database.system.fetch(
                f"select {COLUMNS} from event where position > $1 and position <= $2 order by position limit {BATCH}",
                self.position,
                upto,
            )
            self._seen_at = time.monotonic()
            for row in rows:
                self._dispatch(LiveEvent.from_row(row, self.epoch))
            FILLED.inc(len(rows))
            if len(rows) < BATCH:
                # What is not in the table any more was dropped with its partition; a reader cannot get it anywhere.
                self.position = max(self.position, upto)

    def _dispatch(self, event: LiveEvent) -> None:
        for group in (
            self._wide.get(event.topic),
            self._narrow.get((event.topic, "sku", event.sku_id)),
            self._narrow.get((event.topic, "order", event.order_id)),
            self._narrow.get((event.topic, "customer", event.customer_id)),
        ):
            for subscription in list(group or ()):
                if subscription.wanted.matches(event):
                    subscription.offer(event)
        self.position = event.position
        POSITION.set(event.position)
        LAG.set(max(0.0, time.time() - event.occurred_at.timestamp()))

    def _begin_anew(self, epoch: int, head: int) -> None:
        """The database was restored: positions start again, so every subscriber needs a fresh snapshot."""
        log.warning("event log began anew", epoch=epoch, position=head)
        self.epoch, self.position = epoch, head
        for subscription in self._all():
            subscription.resync(epoch, head)
