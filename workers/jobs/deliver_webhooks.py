"""Deliver webhooks: each in the order of its events, all of them beside each other, by any number of processes.

No arq job: a receiver that is slow must not take a place from the work of the house.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import socket
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import structlog

from core.services import deliver_webhooks as service
from core.settings import Settings
from core.unit_of_work import UnitOfWork, run_unit_of_work
from workers.job import clock_of
from workers.outbound import Sender

if TYPE_CHECKING:
    from core.database import Database

T = TypeVar("T")
log = structlog.get_logger("webhooks")

LOOK_SECONDS = 0.5
TURN_SECONDS = 10.0
"""So long one webhook is served before it is claimed anew, after others."""
HOLD_SECONDS = 30.0
"""Pause after a failure of our own."""
TOGETHER = 50
"""Webhooks that one process serves at a time."""


class Deliverer:
    """Serves webhooks that are due; which ones, PostgreSQL decides by leases."""

    def __init__(self, database: Database, settings: Settings, sender: Sender | None = None) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock_of(settings)
        self._sender = sender or Sender(settings.allows_loopback_webhooks)
        self._name = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"
        self._serving: dict[int, asyncio.Task[int]] = {}

    async def once(self) -> int:
        """Serve all that are due now; how many messages were sent, taken or not."""
        await self._start_due()
        sent = await asyncio.gather(*self._serving.values())
        self._serving.clear()
        return sum(sent)

    async def run(self) -> None:
        """Look every LOOK_SECONDS until cancelled; a slow receiver keeps nobody else waiting."""
        try:
            while True:
                try:
                    await self._start_due()
                except Exception as failure:
                    log.warning("webhooks could not be looked at", error=f"{type(failure).__name__}: {failure}")
                    await asyncio.sleep(1)
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            await self.close()

    async def close(self) -> None:
        for task in self._serving.values():
            task.cancel()
        await asyncio.gather(*self._serving.values(), return_exceptions=True)
        await self._sender.close()

    async def _start_due(self) -> None:
        self._serving = {id: task for id, task in self._serving.items() if not task.done()}
        free = TOGETHER - len(self._serving)
        if free <= 0:
            return
        for id in await self._do(lambda uow: service.claim_due(uow, self._name, free)):
            if id not in self._serving:
                self._serving[id] = asyncio.create_task(self._serve(id), name=f"webhook-{id}")

    async def _serve(self, webhook_id: int) -> int:
        sent, ends = 0, time.monotonic() + TURN_SECONDS
        try:
            while time.monotonic() < ends:
                batch = await self._do(
                    lambda uow: service.load_batch(
                        uow, webhook_id, self._name, self._settings.webhook_key.get_secret_value()
                    )
                )
                if batch is None:
                    break
                for message in batch.messages:
                    attempt = await self._sender.send(batch, message)
                    sent += 1
                    if not attempt.is_taken:
                        log.info("webhook not taken", webhook=webhook_id, status=attempt.status, error=attempt.error)
                    if not await self._note(batch, message.delivery_id, attempt):
                        return sent
        except Exception as failure:
            log.error("webhook could not be served", webhook=webhook_id, error=f"{type(failure).__name__}: {failure}")
            with contextlib.suppress(Exception):
                await self._do(lambda uow: service.hold(uow, webhook_id, HOLD_SECONDS))
        finally:
            with contextlib.suppress(Exception):
                await asyncio.shield(self._do(lambda uow: service.release(uow, webhook_id, self._name)))
        return sent

    async def _note(self, batch: service.Batch, delivery_id: int, attempt: service.Attempt) -> bool:
        return await self._do(lambda uow: service.note_attempt(uow, batch, delivery_id, self._name, attempt))

    async def _do(self, use_case: Callable[[UnitOfWork], Awaitable[T]]) -> T:
        return await run_unit_of_work(self._database, use_case, clock=self._clock, request_id="webhooks")


async def deliver_forever(database: Database, settings: Settings) -> None:
    """Deliver until cancelled."""
    await Deliverer(database, settings).run()
