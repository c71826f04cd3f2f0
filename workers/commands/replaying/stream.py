"""Where the live stream stands."""

from __future__ import annotations

from typing import Any

from redis.asyncio import Redis

from core.settings import Settings


async def stream_head(settings: Settings) -> int:
    """Position of the newest entry of the live stream, 0 when it is empty."""
    client = Redis.from_url(settings.redis_url)
    try:
        newest: Any = await client.xrevrange(settings.stream_name, count=1)
        return int(newest[0][0].split(b"-")[0]) if newest else 0
    finally:
        await client.aclose()
