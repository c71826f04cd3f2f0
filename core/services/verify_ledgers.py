"""Verify the sealed ledgers: recompute every seal from its rows, and compare the chain with the anchors outside."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field

from core.repositories import seals
from core.services.seal_ledgers import START, SealHead, seal_hash, sealing_key
from core.unit_of_work import UnitOfWork

UNSEALED_ALARM_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong at one seal. `kind`: ROWS_ALTERED, ROWS_REMOVED, ROWS_INSERTED, SEAL_REMOVED, SEAL_ALTERED."""

    seal: int
    kind: str
    detail: str


@dataclass(slots=True)
class LedgerReport:
    """Result for one ledger. Rows without a seal and seals without an anchor are not proved by anything yet."""

    ledger: str
    seals: int = 0
    entries: int = 0
    faults: list[Fault] = field(default_factory=list)
    unsealed_entries: int = 0
    oldest_unsealed_seconds: float = 0.0
    unanchored_seals: list[int] = field(default_factory=list)

    @property
    def is_sound(self) -> bool:
        return not self.faults


async def verify_ledgers(
    uow: UnitOfWork, anchors: Sequence[SealHead], *, key: bytes | None = None
) -> list[LedgerReport]:
    """One report per ledger. `anchors` are the lines of the seal file; without them a cut-off end stays unseen."""
    key = sealing_key(key)
    return [
        await _verify(uow, ledger, [head for head in anchors if head.ledger == ledger], key) for ledger in seals.LEDGERS
    ]


async def _verify(uow: UnitOfWork, ledger: str, anchors: list[SealHead], key: bytes) -> LedgerReport:
    report = LedgerReport(ledger)
    stored = {seal.number: seal for seal in await seals.seals_from(uow.sql, ledger, 0)}
    found = {number: digest async for number, digest in seals.digests(uow.sql, ledger)}
    anchored = {head.number: head.hash for head in anchors}
    report.seals, report.entries = len(stored), sum(digest.entries for digest in found.values())
    previous = START
    for number in range(1, max([0, *stored, *found, *anchored]) + 1):
        seal, digest = stored.get(number), found.get(number)
        if seal is None:
            report.faults.append(Fault(number, "SEAL_REMOVED", f"{digest.entries if digest else 0} rows name it"))
            previous = anchored.get(number, b"")
            continue
        if seal.previous != previous:
            report.faults.append(Fault(number, "SEAL_ALTERED", "it does not name the hash of the seal before it"))
        elif number in anchored and anchored[number] != seal.hash:
            report.faults.append(Fault(number, "SEAL_ALTERED", "its hash is not the one that was anchored"))
        elif digest is None or digest.entries < seal.entries:
            missing = seal.entries - (digest.entries if digest else 0)
            report.faults.append(Fault(number, "ROWS_REMOVED", f"{missing} of {seal.entries} rows are missing"))
        elif digest.entries > seal.entries:
            extra = digest.entries - seal.entries
            report.faults.append(Fault(number, "ROWS_INSERTED", f"{extra} rows more than the {seal.entries} sealed"))
        elif not hmac.compare_digest(seal_hash(key, seal.previous, number, digest, seal.format), seal.hash):
            ids = f"between ids {seal.first_id} and {seal.last_id}"
            report.faults.append(Fault(number, "ROWS_ALTERED", f"a row {ids}, or the seal, was changed"))
        previous = seal.hash
    report.unanchored_seals = sorted(number for number in stored if number not in anchored)
    report.unsealed_entries, report.oldest_unsealed_seconds = await seals.unsealed(uow.sql, ledger)
    return report
