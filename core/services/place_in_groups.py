"""Group commit of orders: those that arrive while others are being placed go together, in one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from core.domain.access import Principal
from core.domain.placing import OrderRequest
from core.errors import DomainError, IdempotencyInProgress, IdempotencyMismatch
from core.ports import Clock
from core.repositories.idempotency import find_answers, request_hash, store_answers
from core.services.accept_orders import OrderResult
from core.services.idempotent import check_key
from core.services.place_orders import place_orders
from core.unit_of_work import UnitOfWork, run_unit_of_work

if TYPE_CHECKING:
    from core.database import Database

OPERATION = "orderPlace"
MAX_ORDERS = 64
MAX_GROUP_LINES = 400
"""A group holds the gates of all its lines: more would make others wait long."""
AT_ONCE = 3
"""Groups of a process under way at once."""
WORTH = 16
"""Orders for which it is worth to begin while another group is under way: what a group costs is shared by its orders."""
PATIENCE = 0.25
"""Seconds after which orders do not wait for the group under way any longer: it may wait for a gate itself."""


@dataclass(frozen=True, slots=True)
class Placed:
    """The answer stored under the key, or why the order was refused (then nothing was done or stored)."""

    answer: dict[str, Any] = field(default_factory=dict)
    refusals: Sequence[DomainError] = ()
    row: Any = None
    """What `rows` found of it, where it was placed just now."""


ReadRows = Callable[[UnitOfWork, Sequence[OrderResult]], Awaitable[list[Any]]]


@dataclass(slots=True)
class _Wish:
    """One order that waits for its group."""

    principal: Principal
    key: str
    digest: bytes
    order: OrderRequest
    answer: Callable[[OrderResult], dict[str, Any]]
    rows: ReadRows | None
    done: asyncio.Future[Placed]

    @property
    def caller(self) -> tuple[Any, ...]:
        return self.principal.account, self.principal.role

    @property
    def name(self) -> tuple[str, str]:
        """What is placed once."""
        return self.principal.account, self.key

    @property
    def names(self) -> set[tuple[str, str]]:
        """What may stand in a group once: the key, and the number the order has in its channel."""
        number = self.order.external_number
        return {self.name} if number is None else {self.name, (f"channel {self.order.channel}", number)}


class OrderGroups:
    """The orders of one process. A lone order is placed at once; those that come meanwhile go together behind it."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock
        self._began = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._waiting: list[_Wish] = []
        self._busy: set[asyncio.Task[None]] = set()
        self._under_way: set[tuple[str, str]] = set()
        """Keys of the groups under way: their repetitions wait for the answer."""

    async def place(
        self,
        principal: Principal,
        key: str,
        request: Any,
        order: OrderRequest,
        answer: Callable[[OrderResult], dict[str, Any]],
        rows: ReadRows | None = None,
    ) -> Placed:
        """Place `order` once per (principal, key) and return what `answer` made of the result, or its refusals.

        `request` is what the key's hash is taken of; `rows` reads at the end of the transaction what the callers of all
        its orders want to know of them. Raises what a transaction raises when its outcome is unknown.
        """
        check_key(key)
        wish = _Wish(
            principal, key, request_hash(request), order, answer, rows, asyncio.get_running_loop().create_future()
        )
        self._waiting.append(wish)
        self._start()
        return await wish.done

    def _may_start(self, now: float) -> bool:
        if not self._busy:
            return True
        return len(self._busy) < AT_ONCE and (len(self._waiting) >= WORTH or now >= self._began + PATIENCE)

    def _start(self) -> None:
        loop = asyncio.get_running_loop()
        while self._may_start(loop.time()):
            group = self._next()
            if not group:
                break
            self._began = loop.time()
            self._under_way.update(wish.name for wish in group)
            task = asyncio.create_task(self._serve(group))
            self._busy.add(task)
            task.add_done_callback(partial(self._ended, group))
        if self._waiting and self._timer is None:
            self._timer = loop.call_later(PATIENCE, self._look_again)

    def _look_again(self) -> None:
        self._timer = None
        self._start()

    def _ended(self, group: list[_Wish], task: asyncio.Task[None]) -> None:
        self._busy.discard(task)
        self._under_way.difference_update(wish.name for wish in group)
        self._start()

    def _next(self) -> list[_Wish]:
        """The oldest wish and those of the same caller behind it; empty when nobody waits for more than a group.

        A key that stands twice waits for its answer, and so does an external number: the second is told of the first.
        A wish whose caller has gone is dropped: nobody would hear that it was placed.
        """
        group: list[_Wish] = []
        rest: list[_Wish] = []
        taken: set[tuple[str, str]] = set()
        lines = 0
        for wish in self._waiting:
            if wish.done.done():
                continue
            fits = not group or (
                wish.caller == group[0].caller
                and len(group) < MAX_ORDERS
                and lines + len(wish.order.lines) <= MAX_GROUP_LINES
            )
            if fits and wish.name not in self._under_way and taken.isdisjoint(wish.names):
                group.append(wish)
                taken |= wish.names
                lines += len(wish.order.lines)
            else:
                rest.append(wish)
        self._waiting = rest
        return group

    async def _serve(self, group: list[_Wish]) -> None:
        try:
            await self._place(group)
        except Exception as failure:
            if len(group) == 1:
                _tell(group[0], failure)
                return
            await self._serve_each(group)
        except BaseException as stop:
            for wish in group:
                _tell(wish, stop)
            raise

    async def _serve_each(self, group: list[_Wish]) -> None:
        """One bad order hurts only itself: each again, alone."""
        try:
            for wish in group:
                if not wish.done.done():
                    await self._serve([wish])
        except BaseException as stop:
            for wish in group:
                _tell(wish, stop)
            raise

    async def _place(self, group: list[_Wish]) -> None:
        async def use_case(uow: UnitOfWork) -> list[Placed | DomainError]:
            return await _place_once(uow, group)

        outcomes = await run_unit_of_work(
            self._database,
            use_case,
            clock=self._clock,
            principal=group[0].principal,
            request_id=group[0].order.request_id,
        )
        for wish, outcome in zip(group, outcomes, strict=True):
            _tell(wish, outcome)


def _tell(wish: _Wish, outcome: Placed | BaseException) -> None:
    if wish.done.done():  # its caller has gone
        return
    if isinstance(outcome, BaseException):
        wish.done.set_exception(outcome)
    else:
        wish.done.set_result(outcome)


async def _place_once(uow: UnitOfWork, group: Sequence[_Wish]) -> list[Placed | DomainError]:
    found = await find_answers(uow, OPERATION, [wish.key for wish in group])
    outcomes: dict[str, Placed | DomainError] = {}
    for wish in group:
        answer = found[wish.key]
        if answer.is_busy:
            outcomes[wish.key] = IdempotencyInProgress(wish.key)
        elif answer.digest is not None and answer.digest != wish.digest:
            outcomes[wish.key] = IdempotencyMismatch(wish.key)
        elif answer.digest is not None:
            outcomes[wish.key] = Placed(answer.result)
    new = [wish for wish in group if wish.key not in outcomes]
    stored: list[tuple[str, bytes, dict[str, Any]]] = []
    results = await place_orders(uow, [wish.order for wish in new]) if new else []
    read = new[0].rows if new else None
    rows = await read(uow, results) if read is not None else [None] * len(results)
    for wish, result, row in zip(new, results, rows, strict=True):
        if result.outcome == "placed":
            outcomes[wish.key] = placed = Placed(wish.answer(result), row=row)
            stored.append((wish.key, wish.digest, placed.answer))
        else:
            outcomes[wish.key] = Placed(refusals=result.errors)
    await store_answers(uow, OPERATION, stored)
    return [outcomes[wish.key] for wish in group]


_groups: WeakKeyDictionary[Any, OrderGroups] = WeakKeyDictionary()


def groups_of(database: Database, clock: Clock) -> OrderGroups:
    """The groups of this process for a database; one per pool, since a pool belongs to one event loop."""
    groups = _groups.get(database)
    if groups is None:
        groups = _groups[database] = OrderGroups(database, clock)
    return groups
