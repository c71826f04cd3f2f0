"""The port to arq: hand a ticket for a row of `job_run` to Redis. PostgreSQL decides, Redis only wakes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import msgspec
from arq.connections import ArqRedis, RedisSettings, create_pool
from arq.constants import in_progress_key_prefix
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from core.repositories.jobs import Ticket
from core.settings import Settings

QUEUES = ("fast", "bulk", "learning")
REDIS_ERRORS = (RedisError, OSError, asyncio.TimeoutError)
"""What a Redis that is away may raise."""

# What one process may hold open: redis-py 8 raises at once beyond its own default.
MAX_CONNECTIONS = 32
_TOGETHER = 16


def queue_name(settings: Settings, queue: str) -> str:
    """The Redis key of a worker class's queue."""
    if queue not in QUEUES:
        raise ValueError(f"There is no queue {queue!r}; the queues are {', '.join(QUEUES)}.")
    return f"{settings.job_prefix}:{queue}"


def redis_settings(settings: Settings, *, retries: int = 60) -> RedisSettings:
    """How to reach Redis (redis://, rediss:// or unix://); `retries` of 60 outlives a restart of about a minute."""
    return replace(
        RedisSettings.from_dsn(settings.redis_url),
        max_connections=MAX_CONNECTIONS,
        conn_timeout=2,
        conn_retries=retries,
        retry=Retry(ExponentialBackoff(cap=1, base=0.05), retries),
        retry_on_error=[RedisConnectionError, RedisTimeoutError],
    )


def _plain(value: Any) -> Any:
    # arq stores exceptions as results; only their text may leave this process.
    return f"{type(value).__name__}: {value}" if isinstance(value, BaseException) else str(value)


_encoder = msgspec.msgpack.Encoder(enc_hook=_plain)
_decoder = msgspec.msgpack.Decoder()


def serialize(value: dict[str, Any]) -> bytes:
    """msgpack instead of arq's pickle: whoever can write to Redis must not be able to run code."""
    return _encoder.encode(value)


def deserialize(data: bytes) -> dict[str, Any]:
    return _decoder.decode(data)


async def connect_redis(settings: Settings, *, retries: int = 2) -> ArqRedis:
    """A pool of its own, for a process that is no arq worker; few retries, so that it notices an outage soon."""
    return await create_pool(
        redis_settings(settings, retries=retries), job_serializer=serialize, job_deserializer=deserialize
    )


class JobQueue:
    """Wakes the worker class of a run. Every method raises one of REDIS_ERRORS when Redis is away."""

    def __init__(self, settings: Settings, redis: ArqRedis) -> None:
        self._settings = settings
        self._redis = redis

    def job_id(self, ticket: Ticket) -> str:
        """Fresh for each attempt: arq refuses an id it still knows."""
        return f"{self._settings.job_prefix}:{ticket.run_id}:{ticket.attempt}"

    async def enqueue(self, tickets: Sequence[Ticket]) -> list[int]:
        """Hand over the tickets; the run ids that arq took now. Those left out were there already."""
        taken: list[int] = []
        for start in range(0, len(tickets), _TOGETHER):
            part = tickets[start : start + _TOGETHER]
            answers = await asyncio.gather(*(self._enqueue(ticket) for ticket in part))
            taken += [ticket.run_id for ticket, took in zip(part, answers, strict=True) if took]
        return taken

    async def _enqueue(self, ticket: Ticket) -> bool:
        later = ticket.run_after if ticket.run_after and ticket.run_after > datetime.now(UTC) else None
        job = await self._redis.enqueue_job(
            ticket.function,
            ticket.run_id,
            ticket.attempt,
            _job_id=self.job_id(ticket),
            _queue_name=queue_name(self._settings, ticket.queue),
            _defer_until=later,
        )
        return job is not None

    async def started(self, tickets: Sequence[Ticket]) -> list[int]:
        """Run ids whose ticket a worker has picked up in Redis (and perhaps died before it claimed the row)."""
        if not tickets:
            return []
        async with self._redis.pipeline(transaction=False) as pipe:
            for ticket in tickets:
                pipe.exists(in_progress_key_prefix + self.job_id(ticket))
            answers = await pipe.execute()
        return [ticket.run_id for ticket, found in zip(tickets, answers, strict=True) if found]
