"""One subscriber: pages from the event table until it has caught up, then a bounded buffer that the hub fills."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import structlog

from api.live.cursor import Cursor
from api.live.event import COLUMNS, LiveEvent, LiveFilter
from core.away import AWAY

if TYPE_CHECKING:
    from api.live.hub import LiveHub

log = structlog.get_logger(__name__)

Reader = Callable[[], AbstractAsyncContextManager[Any]]
"""Opens a connection that sees what the subscriber may see."""

Follow = Callable[[LiveEvent | None], None]
"""Hears of each event that is handed on, and of None once the subscriber is done with it."""

BUFFER = 256
"""Events kept for one subscriber; beyond, it reads the table again instead of memory growing."""
PAGE = 500


class StreamsClosing(Exception):
    """This process is going away: the client reconnects elsewhere and resumes with its last cursor."""


class Subscription(AsyncIterator[LiveEvent]):
    """Events of a filter, in order, each once. Registered from its construction on: nothing is missed before
    the first `anext`. `cursor` is where it stands."""

    __slots__ = (
        "__weakref__", "_after", "_behind", "_buffer", "_checked", "_closed", "_follow", "_hub", "_marker", "_page",
        "_reached", "_read", "_states", "_waiter", "wanted",
    )  # fmt: skip

    def __init__(
        self, hub: LiveHub, wanted: LiveFilter, after: Cursor | None, read: Reader, follow: Follow | None = None
    ) -> None:
        self.wanted = wanted
        self._follow = follow
        self._hub = hub
        self._read = read
        self._after = after
        self._reached = hub.position if after is None else after.position
        """Everything up to here was yielded or did not concern us."""
        self._checked = after is None
        self._behind = after is not None
        self._buffer: list[LiveEvent] = []
        self._states: dict[int | None, LiveEvent] = {}
        self._page: list[LiveEvent] = []
        """Read from the table, the next one last."""
        self._marker: LiveEvent | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._closed: Exception | None = None
        hub.register(self)

    @property
    def cursor(self) -> str:
        return self._hub.cursor_at(self._reached)

    # The hub's side: never waits.

    def offer(self, event: LiveEvent) -> None:
        """Take an event that matches the filter, or remember to read the table when the buffer is full."""
        if self._behind or event.position <= self._reached:
            return
        if self.wanted.coalesce:
            self._states.pop(event.sku_id, None)
            self._states[event.sku_id] = event
        else:
            self._buffer.append(event)
        if len(self._buffer) > BUFFER or len(self._states) > BUFFER * 4:
            self._fall_behind()
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _fall_behind(self) -> None:
        self._buffer.clear()
        self._states.clear()
        self._behind = True

    def resync(self, epoch: int, position: int) -> None:
        """The log began anew: drop what was buffered and tell the client to read a snapshot."""
        self._fall_behind()
        self._page.clear()
        self._marker = LiveEvent.resync(epoch, position, datetime.now(UTC))
        self._reached, self._behind, self._checked = position, False, True
        self._wake()

    def close(self, error: Exception | None = None) -> None:
        """End the iteration: with `error`, or quietly."""
        self._closed = error or StopAsyncIteration()
        self._wake()

    # The subscriber's side.

    def __aiter__(self) -> Subscription:
        return self

    async def __anext__(self) -> LiveEvent:
        if self._follow is not None:
            self._follow(None)
        event = await self._take()
        if self._follow is not None:
            self._follow(event)
        return event

    async def _take(self) -> LiveEvent:
        while True:
            if self._closed is not None:
                self._hub.unregister(self)
                raise self._closed
            if not self._checked:
                await self._check()
                continue
            if self._marker is not None:
                event, self._marker = self._marker, None
                return event
            if self._page:
                return self._advance(self._page.pop())
            if self._behind:
                await self._read_page()
                continue
            event = self._next_buffered()
            if event is not None:
                return self._advance(event)
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None

    async def aclose(self) -> None:
        self._hub.unregister(self)
        self.close()
        if self._follow is not None:
            self._follow(None)

    def _advance(self, event: LiveEvent) -> LiveEvent:
        self._reached = max(self._reached, event.position)
        return event

    def _next_buffered(self) -> LiveEvent | None:
        if self._states:
            return self._states.pop(next(iter(self._states)))
        return self._buffer.pop(0) if self._buffer else None

    async def _check(self) -> None:
        """Find out whether the cursor can be resumed at all; if not, begin with a marker at the present head."""
        assert self._after is not None
        try:
            async with self._hub.resuming:
                can_resume = await self._hub.can_resume(self._after)
        except AWAY as error:
            log.debug("a cursor could not be checked yet", error=type(error).__name__)
            await self._hub.next_look()
            return
        self._checked = True
        if not can_resume:
            self.resync(self._hub.epoch, self._hub.position)

    async def _read_page(self) -> None:
        """Read on from where we stand up to where the hub stands; there the buffer takes over."""
        upto = self._hub.position
        # From here on the hub's events go to the buffer: a page ends where the buffer begins.
        self._behind = False
        clause, values = self.wanted.sql()
        source = f"select {COLUMNS} from event where position > $1 and position <= $2 and {clause}"
        if self.wanted.coalesce:
            newest = f"select distinct on (sku_id) * from ({source}) e order by sku_id, position desc"
            query = f"select * from ({newest}) s order by position limit $3"
        else:
            query = f"{source} order by position limit $3"
        limit = PAGE if not self.wanted.coalesce else None
        try:
            if upto > self._reached:
                async with self._hub.resuming, self._read() as connection:
                    rows = await connection.fetch(query, self._reached, upto, limit, *values)
            else:
                rows = []
        except AWAY as error:
            self._fall_behind()
            log.debug("events could not be resumed yet", error=type(error).__name__)
            await self._hub.next_look()
            return
        except BaseException:
            self._fall_behind()
            raise
        if self._marker is not None:
            return
        if limit is not None and len(rows) == limit:
            upto = rows[-1]["position"]
            self._fall_behind()
        accepts = self.wanted.accepts
        events = [LiveEvent.from_row(row, self._hub.epoch) for row in rows]
        self._page = [event for event in reversed(events) if accepts is None or accepts(event)]
        if not self._page:
            self._reached = max(self._reached, upto)
