"""Erase the bytes of files that hold personal data, on request or when they are old; hash, documents and effects stay."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from core.errors import IllegalTransition, InvalidInput, NotFound
from core.events import Event, JobRequest
from core.ports import Transaction
from core.repositories import edi_files
from core.repositories.supplying import load_policies

RETENTION = "edi_retention_days"
AT_ONCE = 1000
"""Files that one run erases."""
JOB = "erase_archived_copies"
_ARRIVAL = re.compile(r":(\d+):\d+(?:#\d+:\d+)?\Z")


@dataclass(frozen=True, slots=True)
class ErasedFile:
    """A file whose copy in the partner's archive has to go too."""

    partner: str
    size: int
    sha256: bytes


async def erase_edi_file(uow: Transaction, document_id: int, reason: str) -> int:
    """Erase the file of this document with everything it quotes; returns the raw file's id.

    It cannot be read again, so nothing in it may wait: raises IllegalTransition while a document of it is not settled.
    Copies in the archive folder go after the commit. The same file delivered again is still known and has no effect.
    Raises NotFound, InvalidInput without a reason.
    """
    if not reason.strip():
        raise InvalidInput("Say why the file is erased.", path=("input", "reason"), field="reason")
    raw_id = await uow.sql.fetchval("select raw_id from edi_document where id = $1", document_id)
    if raw_id is None:
        raise NotFound("document", str(document_id), path=("input", "id"))
    waiting = await edi_files.unsettled(uow.sql, raw_id)
    if waiting:
        raise IllegalTransition("document", str(waiting[0]), "waiting", "erased")
    await edi_files.erase(uow.sql, [raw_id], uow.now)
    uow.audit("ediFileErase", f"edi_raw:{raw_id}", None, {"reason": reason.strip()[:200]})
    uow.announce(Event("edi", "ERASED", {"rawId": raw_id}, key=f"raw:{raw_id}"))
    request_erasing_copies(uow, [raw_id])
    return raw_id


async def erase_old_edi_files(uow: Transaction) -> int:
    """Erase settled files that are older than the policy `edi_retention_days` (null: none are); how many."""
    days = (await load_policies(uow)).get(RETENTION)
    if days is None:
        return 0
    old = await edi_files.settled_before(uow.sql, uow.now - timedelta(days=int(days)), AT_ONCE)
    if old:
        await edi_files.erase(uow.sql, old, uow.now)
        uow.audit("ediFileErase", "edi_raw", None, {"files": len(old), "olderThanDays": int(days)})
        request_erasing_copies(uow, old)
    return len(old)


def request_erasing_copies(uow: Transaction, raw_ids: Sequence[int], in_a_while: timedelta = timedelta()) -> None:
    """Ask for the copies of these files in the archive folders to be deleted, after the commit or later."""
    name, later = f"{raw_ids[0]}-{raw_ids[-1]}", uow.now + in_a_while if in_a_while else None
    uow.enqueue(JobRequest(JOB, name, {"rawIds": list(raw_ids)}, queue="bulk", run_after=later))


async def erased_files(uow: Transaction, raw_ids: Sequence[int]) -> set[ErasedFile]:
    """Those of these files that are erased and once lay in a folder, by partner, size and hash."""
    found: set[ErasedFile] = set()
    for row in await edi_files.folder_deliveries(uow.sql, raw_ids):
        if arrival := _ARRIVAL.search(row["transport_id"]):
            found.add(ErasedFile(row["partner"], int(arrival[1]), row["sha256"]))
    return found
