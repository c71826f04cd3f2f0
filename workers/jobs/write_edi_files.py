"""Write outbound EDI files into `<data>/edi/<partner>/out`: as `.tmp`, then renamed."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

from core.errors import InvariantBroken
from core.services.write_edi_files import OutboundFile
from core.services.write_edi_files import write_edi_files as write_files
from workers.job import JobContext, job

CHUNK = 100


def place(folder: Path, files: list[OutboundFile]) -> None:
    """Put the files into their partners' folders; a reader sees each whole or not at all."""
    for file in files:
        if Path(file.name).name != file.name or Path(file.partner).name != file.partner:
            raise InvariantBroken("edi_file_name", [file.partner, file.name])
        out = folder / file.partner / "out"
        out.mkdir(parents=True, exist_ok=True)
        temporary = out / f"{file.name}.tmp"
        with temporary.open("wb") as handle:
            handle.write(file.content)
            handle.flush()
            os.fsync(handle.fileno())
        temporary.rename(out / file.name)


async def write_pending(context: JobContext) -> list[str]:
    """Write every pending file; the names written."""

    async def write(files: list[OutboundFile]) -> None:
        await asyncio.to_thread(place, context.settings.edi_dir, files)

    names: list[str] = []
    while part := await context.run(lambda uow: write_files(uow, write, CHUNK)):
        names += part
    return names


@job(queue="fast", timeout=60)
async def write_edi_files(context: JobContext, _: dict[str, Any]) -> dict[str, Any]:
    """Whatever is pending, also what a crash left behind."""
    return {"files": await write_pending(context)}
