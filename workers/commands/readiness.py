"""Waiting for an API that was just started, without hiding why it does not come."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from workers.commands.claims import StackError

READY_SECONDS = 90.0
DEATHS_BEFORE_GIVING_UP = 3


async def until_ready(host: str, port: int, log: Path, deaths: Callable[[], int]) -> None:
    """Ask /readyz until it says 200. Raises StackError when the API keeps dying or the time is over."""
    loop = asyncio.get_running_loop()
    limit = loop.time() + READY_SECONDS
    answer = "no answer"
    while loop.time() < limit:
        if deaths() >= DEATHS_BEFORE_GIVING_UP:
            raise StackError(f"The API does not start: {_last_line(log)} (log: {log})")
        try:
            answer = await asyncio.wait_for(status_of(host, port, "/readyz"), 2)
        except (OSError, TimeoutError):
            continue
        if answer == "200":
            return
        await asyncio.sleep(0.05)
    raise StackError(f"The API was not ready within {READY_SECONDS:.0f} s (/readyz: {answer}; log: {log}).")


async def status_of(host: str, port: int, path: str) -> str:
    """Status code of a plain GET; no HTTP client is imported for this one question."""
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        words = (await reader.readline()).split()
        return words[1].decode() if len(words) > 1 else "no answer"
    finally:
        writer.close()


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines() if log.exists() else []
    return lines[-1].strip() if lines else "it wrote no log"
