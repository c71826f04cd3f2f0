"""Hand finished outbound documents to a writer and mark them written, in one transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from core.events import Event
from core.repositories import edi_files
from core.repositories.edi_files import OutboundFile
from core.unit_of_work import UnitOfWork


async def write_edi_files(
    uow: UnitOfWork, write: Callable[[list[OutboundFile]], Awaitable[None]], limit: int = 100
) -> list[str]:
    """Let `write` put pending files into their folders; their names.

    `write` must be repeatable: when this transaction fails after it, the same bytes are written under the same names.
    """
    files = await edi_files.lock_pending(uow.sql, limit)
    if not files:
        return []
    await write(files)
    await edi_files.mark_written(uow.sql, [file.id for file in files], uow.now)
    for file in files:
        facts = {"outboundId": file.id, "partner": file.partner, "fileName": file.name}
        uow.announce(Event("edi", "WRITTEN", facts, key=f"outbound:{file.id}"))
    return [file.name for file in files]
