"""Group commit of orders: those that arrive while others are being placed go together, in one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
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
        return self.principal.id, self.principal.role, self.principal.customer_id


class OrderGroups:
    """The orders of one process. A lone order is placed at once; those that come meanwhile go together behind it."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock
        self._began = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._waiting: list[_Wish] = []
        self._busy: set[asyncio.Task[None]] = set()

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
        while self._waiting and self._may_start(loop.time()):
            self._began = loop.time()
            task = asyncio.create_task(self._serve(self._next()))
            self._busy.add(task)
            task.add_done_callback(self._ended)
        if self._waiting and self._timer is None:
            self._timer = loop.call_later(PATIENCE, self._look_again)

    def _look_again(self) -> None:
        self._timer = None
        self._start()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._busy.discard(task)
        self._start()

    def _next(self) -> list[_Wish]:
        """The oldest wish and those of the same caller behind it; a key that stands twice waits for its answer."""
        caller, lines = self._waiting[0].caller, 0
        group: dict[str, _Wish] = {}
        rest: list[_Wish] = []
        for wish in self._waiting:
            fits = len(group) < MAX_ORDERS and (not group or lines + len(wish.order.lines) <= MAX_GROUP_LINES)
            if fits and wish.caller == caller and wish.key not in group:
                group[wish.key] = wish
                lines += len(wish.order.lines)
            else:
                rest.append(wish)
        self._waiting = rest
        return list(group.values())

    async def _serve(self, group: list[_Wish]) -> None:
        try:
            await self._place(group)
        except Exception as failure:
            if len(group) == 1:
                _tell(group[0], failure)
                return
            for wish in group:  # one bad order hurts only itself: each again, alone
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
