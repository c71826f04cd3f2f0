"""Server-sent events in the distinct connections mode of graphql-sse, with the cursor of each event as its `id`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec
import structlog
from starlette.types import Receive, Send

from api.context import Context
from api.error_handlers import ErrorCode, format_failure
from api.live import StreamsClosing
from api.transport.engine import Answer

if TYPE_CHECKING:
    from api.transport import GraphQLEndpoint

log = structlog.get_logger(__name__)
_encoder = msgspec.json.Encoder()

KEEP_ALIVE_SECONDS = 12.0
SEND_SECONDS = 20.0
"""A client that takes nothing for this long is cut off; it resumes with its last id."""
HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache, no-transform"),
    (b"x-accel-buffering", b"no"),
    (b"vary", b"Accept"),
]
COMPLETE = b"event: complete\ndata:\n\n"


def frame(body: Any, cursor: str | None = None) -> bytes:
    """One `next` event; JSON has no raw line breaks, so one data line is enough."""
    identity = f"id: {cursor}\n".encode() if cursor else b""
    return b"event: next\n" + identity + b"data: " + _encoder.encode(body) + b"\n\n"


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _pump(answers: AsyncIterator[Answer], queue: asyncio.Queue[bytes | None]) -> None:
    """Run the operation in one task of its own; the queue of one holds it back when the client is slow."""
    try:
        async for answer in answers:
            await queue.put(frame(answer.body, answer.cursor))
        await queue.put(COMPLETE)
    except StreamsClosing:
        pass  # no `complete`: the client reconnects and resumes
    except Exception:
        log.exception("stream failed")
    await queue.put(None)


async def stream_answers(
    endpoint: GraphQLEndpoint, context: Context, answers: AsyncIterator[Answer], receive: Receive, send: Send
) -> None:
    """Send answers until they end, the client leaves, its credential ends, or this process goes away."""

    async def put(body: bytes, more: bool = True) -> None:
        message = {"type": "http.response.body", "body": body, "more_body": more}
        await asyncio.wait_for(send(message), SEND_SECONDS)

    headers = [*HEADERS, (b"x-request-id", context.request_id.encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    queue: asyncio.Queue[bytes | None] = asyncio.Queue(maxsize=1)
    pump = asyncio.create_task(_pump(answers, queue))
    gone = asyncio.create_task(_disconnected(receive))
    tasks: set[asyncio.Task[Any]] = {gone}
    ended: asyncio.Task[None] | None = None
    if context.caller is not None:
        ended = asyncio.create_task(endpoint.authenticator.ended(context.caller))
        tasks.add(ended)
    try:
        await put(b":\n\n")
        while True:
            taken = asyncio.create_task(queue.get())
            tasks.add(taken)
            await asyncio.wait(tasks, timeout=KEEP_ALIVE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            tasks.discard(taken)
            item: bytes | None = b":\n\n"
            if taken.done():
                item = taken.result()
            else:
                taken.cancel()
                if gone.done():
                    return
                if ended is not None and ended.done():
                    message = "The credential has expired or was revoked; authenticate and resume."
                    await put(frame(format_failure(ErrorCode.UNAUTHENTICATED, message, context.request_id)))
                    await put(COMPLETE, more=False)
                    return
            if item is None:
                break
            await put(item)
        await put(b"", more=False)
    except (TimeoutError, OSError):
        log.info("slow or lost client was cut off", transport="sse")
        raise
    finally:
        for task in (pump, *tasks):
            task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(pump, *tasks, return_exceptions=True)
        close = getattr(answers, "aclose", None)
        if close is not None:
            await close()
