"""Hand finished outbound documents to a writer and mark them written, in one transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection

from core.events import Event
from core.repositories import edi_files
from core.repositories.edi_files import OutboundFile, Waiting, newest_pending
from core.unit_of_work import UnitOfWork

__all__ = ["OutboundFile", "Waiting", "newest_pending", "write_edi_files"]


async def write_edi_files(
    uow: UnitOfWork,
    write: Callable[[list[OutboundFile]], Awaitable[list[OutboundFile]]],
    limit: int = 100,
    without: Collection[int] = (),
    which: Waiting = Waiting(),
) -> list[str]:
    """Let `write` put pending files into their folders; the names of those that it wrote, none when nothing is left.

    `write` must be repeatable: when this transaction fails after it, the same bytes are written under the same names.
    What it could not write stays pending; `without` leaves files out that failed just now.
    """
    files: list[OutboundFile] = []
    failed = set(without)
    while not files and (found := await edi_files.lock_pending(uow.sql, limit, failed, which)):
        files = await write(found)
        failed |= {file.id for file in found} - {file.id for file in files}
    if not files:
        return []
    await edi_files.mark_written(uow.sql, [file.id for file in files], uow.now)
    for file in files:
        facts = {"outboundId": file.id, "partner": file.partner, "fileName": file.name}
        uow.announce(Event("edi", "WRITTEN", facts, key=f"outbound:{file.id}"))
    return [file.name for file in files]
