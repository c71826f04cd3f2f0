"""What every resolver gets: the caller, the clock, connections that see what the caller may see, and the live hub."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from api.live import LiveEvent, LiveFilter, LiveHub, Subscription
from api.permissions.denials import DenialCounter
from api.permissions.roles import unauthenticated
from core.domain.access import Principal, Role
from core.ports import Clock, WallClock
from core.settings import Settings
from core.telemetry import is_on, open_span
from core.unit_of_work import UnitOfWork, run_unit_of_work

if TYPE_CHECKING:
    from core.database import Database

T = TypeVar("T")

PUBLIC_TOPICS = frozenset({"availability"})
"""Facts that belong to nobody: their rows carry neither customer nor supplier."""


@dataclass(slots=True)
class Sources:
    """What an answer rests on: gate versions by SKU, and the first moment at which it can change without an event."""

    versions: dict[int, int] = field(default_factory=dict)
    valid_until: datetime | None = None

    def add(self, versions: Mapping[int, int], valid_until: datetime) -> None:
        """One more part of the answer."""
        self.versions.update(versions)
        self.valid_until = valid_until if self.valid_until is None else min(self.valid_until, valid_until)


@dataclass(eq=False, slots=True)
class Context:
    """One operation. `caller` is None for an anonymous one; `principal` refuses it instead."""

    database: Database
    settings: Settings
    caller: Principal | None = None
    clock: Clock = field(default_factory=WallClock)
    request_id: str = ""
    language: str = "en"
    hub: LiveHub | None = None
    make_loaders: Callable[[Context], Any] | None = None
    resume_after: str | None = None
    """`Last-Event-ID` of an SSE reconnection: newer than the `after` of the document it repeats."""
    stream_cursor: str | None = None
    """Cursor of the event that is being answered; the SSE transport sends it as `id:`."""
    document: Any = None
    """The parsed and validated document of this operation."""
    extensions: dict[str, Any] = field(default_factory=dict)
    """Merged into `extensions` of the answer."""
    denials: DenialCounter | None = None
    sources: Sources = field(default_factory=Sources)
    """Of availability answers, so that they can be kept and compared."""
    _loaders: Any = None
    _delivery: Callable[[], None] | None = None
    """Ends the span of the event that is being answered."""

    @property
    def principal(self) -> Principal:
        """The caller; raises UNAUTHENTICATED when there is none."""
        if self.caller is None:
            raise unauthenticated()
        return self.caller

    @property
    def loaders(self) -> Any:
        """The DataLoaders of this operation; in a subscription they are new for every event."""
        if self._loaders is None and self.make_loaders is not None:
            self._loaders = self.make_loaders(self)
        return self._loaders

    async def now(self) -> datetime:
        """The present instant of the system (simulated in a replay stack), aware, UTC."""
        async with self.database.system.acquire() as connection:
            return await self.clock.now(connection)

    async def mutate(self, use_case: Callable[[UnitOfWork], Awaitable[T]]) -> T:
        """Run `use_case` in one transaction as this caller; it has committed when this returns."""
        return await run_unit_of_work(
            self.database, use_case, clock=self.clock, principal=self.principal, request_id=self.request_id
        )

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Any]:
        """A connection for queries. CUSTOMER and SUPPLIER read under row-level security and see their own rows only."""
        caller = self.principal
        if not caller.is_row_scoped:
            async with self.database.system.acquire() as connection:
                yield connection
            return
        is_customer = caller.role is Role.CUSTOMER
        name = "app.customer" if is_customer else "app.supplier"
        owner = caller.customer_id if is_customer else caller.supplier_id
        async with self.database.app.acquire() as connection, connection.transaction():
            await connection.execute("select set_config($1, $2, true)", name, "" if owner is None else str(owner))
            yield connection

    @asynccontextmanager
    async def read_system(self) -> AsyncIterator[Any]:
        """A connection that sees everything, for figures that need everybody's rows (availability)."""
        async with self.database.system.acquire() as connection:
            yield connection

    @asynccontextmanager
    async def read_snapshot(self) -> AsyncIterator[Any]:
        """As `read_system`, but every statement sees the database as of one instant: for what-if questions."""
        async with (
            self.database.system.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            yield connection

    async def live(self, wanted: LiveFilter, after: str | None = None) -> AsyncIterator[LiveEvent]:
        """Events of `wanted` that this caller may see, after a cursor or from now on; the answer's cursor follows them.

        A CUSTOMER or SUPPLIER gets only events of its own, whatever the filter says.
        """
        stream = self.open_live(wanted, after)
        try:
            async for event in stream:
                yield event
        finally:
            await stream.aclose()

    def open_live(self, wanted: LiveFilter, after: str | None = None) -> Subscription:
        """As `live`, but registered at once: read a snapshot after this call and nothing falls between."""
        assert self.hub is not None, "this process has no live hub"
        caller = self.principal
        if wanted.topics <= PUBLIC_TOPICS:
            pass
        elif caller.role is Role.CUSTOMER:
            wanted = replace(wanted, customer_id=caller.customer_id if caller.customer_id is not None else -1)
        elif caller.role is Role.SUPPLIER:
            wanted = replace(wanted, supplier_id=caller.supplier_id if caller.supplier_id is not None else -1)
        self._loaders = None
        return self.hub.subscribe(wanted, self.resume_after or after, self.read, self._follow)

    def _follow(self, event: LiveEvent | None) -> None:
        """What is answered from here on is this event; None: the last one has been dealt with."""
        if self._delivery is not None:
            self._delivery()
            self._delivery = None
        if event is None:
            return
        self.stream_cursor = event.cursor
        self._loaders = None
        if is_on():
            late = int((time.time() - event.occurred_at.timestamp()) * 1000)
            self._delivery = open_span(
                f"event {event.topic}", "CONSUMER", event.traceparent, position=event.position, late_milliseconds=late
            )
