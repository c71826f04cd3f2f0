"""Plain endpoints for machines that watch: alive, and ready (naming what is not)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

log = structlog.get_logger(__name__)

CHECK_SECONDS = 2.0

Checks = Mapping[str, Callable[[], Awaitable[object]]]
"""Dependency name -> a coroutine function that raises when it fails."""


async def healthz(request: Request) -> Response:
    """200 while the process answers at all."""
    return JSONResponse({"status": "ok"})


def readyz_of(checks: Checks) -> Callable[[Request], Awaitable[Response]]:
    """200 when every dependency answers within CHECK_SECONDS, else 503 with the names of those that do not."""

    async def failing(name: str, check: Callable[[], Awaitable[object]]) -> str | None:
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                await check()
        except Exception as error:
            log.warning("dependency fails", dependency=name, error=type(error).__name__)
            return name
        return None

    async def readyz(request: Request) -> Response:
        results = await asyncio.gather(*(failing(name, check) for name, check in checks.items()))
        broken = [name for name in results if name is not None]
        state = {name: "failing" if name in broken else "ok" for name in checks}
        body = {"status": "unavailable" if broken else "ready", "dependencies": state, "failing": broken}
        return JSONResponse(body, status_code=503 if broken else 200)

    return readyz
