"""Write outbound EDI files into `<data>/edi/<partner>/out`: as `.tmp`, then renamed."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import structlog

from core.errors import InvariantBroken
from core.services.write_edi_files import OutboundFile, Waiting, newest_pending
from core.services.write_edi_files import write_edi_files as write_files
from workers.job import JobContext, job

log = structlog.get_logger("edi")
CHUNK = 100


def is_plain_name(name: str) -> bool:
    """Whether a name stays in its folder."""
    return name not in ("", ".", "..") and Path(name).name == name and "\0" not in name


def place(folder: Path, file: OutboundFile) -> None:
    """Put a file into its partner's folder; a reader sees it whole or not at all."""
    if not is_plain_name(file.name) or not is_plain_name(file.partner):
        raise InvariantBroken("edi_file_name", [file.partner, file.name])
    out = folder / file.partner / "out"
    out.mkdir(parents=True, exist_ok=True)
    temporary = out / f"{file.name}.tmp"
    with temporary.open("wb") as handle:
        handle.write(file.content)
        handle.flush()
        os.fsync(handle.fileno())
    temporary.rename(out / file.name)


async def write_pending(context: JobContext, which: Waiting | None = None) -> list[str]:
    """Write the files that wait now, or only those that are meant; the names written.

    One that cannot be written waits and holds up no other. What is added meanwhile is left to the next writer: a small job
    beside a backlog would go on as long as that lasts.
    """
    failed: set[int] = set()
    if which is None:
        which = Waiting(last_id=await context.run(lambda uow: newest_pending(uow.sql)))

    def place_all(files: list[OutboundFile]) -> list[OutboundFile]:
        written = []
        for file in files:
            try:
                place(context.settings.edi_dir, file)
                written.append(file)
            except (OSError, InvariantBroken) as failure:
                failed.add(file.id)
                log.error("file cannot be written", partner=file.partner, file=file.name, error=str(failure))
        return written

    async def write(files: list[OutboundFile]) -> list[OutboundFile]:
        return await asyncio.to_thread(place_all, files)

    names: list[str] = []
    while part := await context.run(lambda uow: write_files(uow, write, CHUNK, failed, which)):
        names += part
    return names


@job(queue="fast", timeout=60)
async def write_edi_files(context: JobContext, _: dict[str, Any]) -> dict[str, Any]:
    """Whatever is pending, also what a crash left behind."""
    return {"files": await write_pending(context)}
