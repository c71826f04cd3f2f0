"""Points per minute and key: a sliding window, counted in Redis for all processes together.

While Redis is away each process counts for itself, so that an outage is no licence.
"""

from __future__ import annotations

import asyncio
import math
import time

import structlog
from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from limits.errors import StorageError
from redis.asyncio import BlockingConnectionPool

from core.domain.access import Principal
from core.settings import Settings

log = structlog.get_logger(__name__)

RETRY_REDIS_SECONDS = 5.0

_Spending = tuple[int, "asyncio.Future[bool]"]
"""Points, and whether they were there."""


class Throttled(Exception):
    """The key has no points left; `retry_after` in whole seconds."""

    def __init__(self, available: int, limit: int, retry_after: int) -> None:
        super().__init__(f"This key may spend {limit} points per minute; try again in {retry_after} s.")
        self.available = available
        self.limit = limit
        self.retry_after = retry_after


class RateLimiter:
    """Counts what each key spends. A limit of 0 in the settings turns its kind off."""

    def __init__(self, settings: Settings) -> None:
        def points(given: int | None, usual: int) -> int:
            return (usual if settings.is_production else 0) if given is None else given

        self._namespace = settings.job_prefix
        self._points = points(settings.rate_limit, 3_000_000)
        self._points_publishable = points(settings.rate_limit_publishable, 300_000)
        self._points_anonymous = points(settings.rate_limit_anonymous, 6_000)
        self._local = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._pool: BlockingConnectionPool | None = None
        self._shared: SlidingWindowCounterRateLimiter | None = None
        self._shared_again_at = 0.0
        self._spending: dict[str, list[_Spending]] = {}
        self._settling: set[asyncio.Future[None]] = set()
        if settings.redis_url:
            self._pool = BlockingConnectionPool.from_url(
                settings.redis_url, max_connections=16, timeout=1, socket_timeout=1.0, socket_connect_timeout=1.0
            )
            storage = RedisStorage(  # the pool says where, the address is only a form
                "async+redis://localhost:6379",
                wrap_exceptions=True,
                implementation="redispy",
                key_prefix=f"{settings.job_prefix}:limit",
                connection_pool=self._pool,  # type: ignore[arg-type]
            )
            self._shared = SlidingWindowCounterRateLimiter(storage)

    async def close(self) -> None:
        """Let go of the connections to Redis."""
        if self._pool is not None:
            await self._pool.aclose()

    async def spend(self, caller: Principal | None, address: str, cost: int) -> None:
        """Charge `cost` points to the caller's credential (to the address without one). Raises Throttled."""
        limit, key = self._limit(caller, address)
        if not limit:
            return
        item, points = RateLimitItemPerMinute(limit, namespace=self._namespace), max(1, cost)
        if not await self._together(item, key, min(points, limit)):
            reset, remaining = await self._stats(item, key)
            raise Throttled(remaining, limit, max(1, math.ceil(reset - time.time())))

    def _limit(self, caller: Principal | None, address: str) -> tuple[int, str]:
        key = self.key_of(caller, address)
        if caller is None:
            return self._points_anonymous, key
        return self._points_publishable if caller.is_publishable else self._points, key

    @staticmethod
    def key_of(caller: Principal | None, address: str) -> str:
        """Names who shares what one may have: a credential, or an address without one."""
        if caller is None:
            return f"address:{address}"
        key = f"key:{caller.credential_id or caller.id}"
        # A publishable key is one for many browsers: each has its own share, the key is only a name.
        return f"{key}:{address}" if caller.is_publishable else key

    async def _together(self, item: RateLimitItemPerMinute, key: str, cost: int) -> bool:
        """Charge with all who spend from this key in the same turn of the event loop: one question to Redis."""
        loop = asyncio.get_running_loop()
        if key not in self._spending:
            self._spending[key] = []
            loop.call_soon(self._begin, item, key)
        answer: asyncio.Future[bool] = loop.create_future()
        self._spending[key].append((cost, answer))
        return await answer

    def _begin(self, item: RateLimitItemPerMinute, key: str) -> None:
        work = asyncio.ensure_future(self._settle(item, key, self._spending.pop(key)))
        self._settling.add(work)
        work.add_done_callback(self._settling.discard)

    async def _settle(self, item: RateLimitItemPerMinute, key: str, spending: list[_Spending]) -> None:
        try:
            total = sum(cost for cost, _ in spending)
            is_enough = len(spending) > 1 and total <= item.amount and await self._hit(item, key, total)
            for cost, answer in spending:  # where all together are too much, the first come first
                is_let = is_enough or await self._hit(item, key, cost)
                if not answer.done():
                    answer.set_result(is_let)
        except Exception as error:
            for _, answer in spending:
                if not answer.done():
                    answer.set_exception(error)

    async def _hit(self, item: RateLimitItemPerMinute, key: str, cost: int) -> bool:
        if self._shared is not None and time.monotonic() >= self._shared_again_at:
            try:
                return await self._shared.hit(item, key, cost=cost)
            except StorageError as error:
                self._shared_again_at = time.monotonic() + RETRY_REDIS_SECONDS
                log.warning("rate limits are counted by this process alone", error=type(error).__name__)
        return await self._local.hit(item, key, cost=cost)

    async def _stats(self, item: RateLimitItemPerMinute, key: str) -> tuple[float, int]:
        limiter = self._local
        if self._shared is not None and time.monotonic() >= self._shared_again_at:
            limiter = self._shared
        try:
            stats = await limiter.get_window_stats(item, key)
        except StorageError:
            return time.time() + 1, 0
        return stats.reset_time, stats.remaining
