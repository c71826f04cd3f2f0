"""Erase the bytes of files that hold personal data, on request or when they are old; hash, documents and effects stay."""

from __future__ import annotations

from datetime import timedelta

from core.errors import IllegalTransition, InvalidInput, NotFound
from core.events import Event
from core.ports import Transaction
from core.repositories import edi_files
from core.repositories.supplying import load_policies

RETENTION = "edi_retention_days"
AT_ONCE = 1000
"""Files that one run erases."""


async def erase_edi_file(uow: Transaction, document_id: int, reason: str) -> int:
    """Erase the file of this document with everything it quotes; returns the raw file's id.

    It cannot be read again, so nothing in it may wait: raises IllegalTransition while a document of it is not settled.
    The same file delivered again is still known and has no effect. Raises NotFound, InvalidInput without a reason.
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
    return len(old)
