"""Delete the copies of erased files in the partners' archive folders."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workers.job import JobContext, job

if TYPE_CHECKING:
    from core.services.erase_edi_files import ErasedFile


@job(queue="bulk", timeout=600)
async def erase_archived_copies(context: JobContext, input: dict[str, Any]) -> dict[str, Any]:
    """Input: rawIds. Copies are told by size and hash, whatever their name is now; repeating it deletes nothing more."""
    from core.services.erase_edi_files import erased_files

    erased = await context.run(lambda uow: erased_files(uow, input["rawIds"]))
    return {"deleted": await asyncio.to_thread(delete_copies, context.settings.edi_dir, erased)}


def delete_copies(folder: Path, erased: Collection[ErasedFile]) -> int:
    """How many files in the archives had one of these sizes and hashes of their partner, and are gone."""
    deleted = 0
    for partner in {file.partner for file in erased}:
        archive = folder / partner / "archive"
        mine = {(file.size, file.sha256) for file in erased if file.partner == partner}
        sizes = {size for size, _ in mine}
        if not archive.is_dir():
            continue
        with os.scandir(archive) as entries:
            for entry in entries:
                if not entry.is_file(follow_symlinks=False):
                    continue
                size = entry.stat(follow_symlinks=False).st_size
                if size in sizes and (size, hashlib.sha256(Path(entry.path).read_bytes()).digest()) in mine:
                    Path(entry.path).unlink(missing_ok=True)
                    deleted += 1
    return deleted
