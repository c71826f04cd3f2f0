"""Verify the sealed ledgers: recompute every seal from its rows, and compare the chain with what stands outside."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from core.repositories import seals
from core.repositories.seals import ROW_BYTES, Digest, StoredSeal
from core.services.seal_ledgers import START, SealHead, seal_hash, sealing_key
from core.unit_of_work import UnitOfWork

UNSEALED_ALARM_SECONDS = 60.0
NAMED = 50
"""Rows that a fault names; `detail` says how many there are."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong at one seal. `kind`: ROWS_ALTERED, ROWS_REMOVED, ROWS_INSERTED, SEAL_REMOVED, SEAL_ALTERED.

    `rows` are ids of the ledger's table, where the seal can name them.
    """

    seal: int
    kind: str
    detail: str
    rows: list[int] = field(default_factory=list)


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
    unanchored_ids: list[tuple[int, int]] = field(default_factory=list)
    """Exactly the rows that nothing outside proves yet, as first and last id of each unbroken run."""

    @property
    def is_sound(self) -> bool:
        return not self.faults


async def verify_ledgers(
    uow: UnitOfWork, anchors: Sequence[SealHead], *, key: bytes | None = None
) -> list[LedgerReport]:
    """One report per ledger. `anchors` are the lines of the seal file; kept events tell of seals as well.

    A chain whose end was cut off together with its anchors and its events cannot be told from a shorter one.
    """
    key = sealing_key(key)
    return [
        await _verify(uow, ledger, [head for head in anchors if head.ledger == ledger], key) for ledger in seals.LEDGERS
    ]


async def _verify(uow: UnitOfWork, ledger: str, anchors: list[SealHead], key: bytes) -> LedgerReport:
    report = LedgerReport(ledger)
    stored = {seal.number: seal for seal in await seals.seals_from(uow.sql, ledger, 0)}
    found = {number: digest async for number, digest in seals.digests(uow.sql, ledger)}
    anchored = {head.number: head.hash for head in anchors}
    told = await seals.told_heads(uow.sql, ledger)
    report.seals, report.entries = len(stored), sum(digest.entries for digest in found.values())
    previous = START
    for number in range(1, max([0, *stored, *found, *anchored, *told]) + 1):
        seal, digest = stored.get(number), found.get(number)
        if seal is None:
            report.faults.append(Fault(number, "SEAL_REMOVED", f"{digest.entries if digest else 0} rows name it"))
            previous = anchored.get(number) or told.get(number, b"")
            continue
        fault = _judge(seal, digest, previous, anchored.get(number), told.get(number), key)
        if fault is not None and fault.kind.startswith("ROWS"):
            fault = _named(fault, seal, await seals.row_digests(uow.sql, ledger, number))
        if fault is not None:
            report.faults.append(fault)
        previous = seal.hash
    report.unanchored_seals = sorted(number for number in stored if number not in anchored)
    report.unsealed_entries, report.oldest_unsealed_seconds = await seals.unsealed(uow.sql, ledger)
    report.unanchored_ids = await seals.id_ranges(uow.sql, ledger, report.unanchored_seals)
    return report


def _judge(
    seal: StoredSeal, digest: Digest | None, previous: bytes, anchor: bytes | None, told: bytes | None, key: bytes
) -> Fault | None:
    number = seal.number
    if seal.previous != previous:
        return Fault(number, "SEAL_ALTERED", "it does not name the hash of the seal before it")
    if anchor is not None and anchor != seal.hash:
        return Fault(number, "SEAL_ALTERED", "its hash is not the one that was anchored")
    if told is not None and told != seal.hash:
        return Fault(number, "SEAL_ALTERED", "its hash is not the one that its event told")
    if digest is None or digest.entries < seal.entries:
        missing = seal.entries - (digest.entries if digest else 0)
        return Fault(number, "ROWS_REMOVED", f"{missing} of {seal.entries} rows are missing")
    if digest.entries > seal.entries:
        extra = digest.entries - seal.entries
        return Fault(number, "ROWS_INSERTED", f"{extra} rows more than the {seal.entries} sealed")
    if not hmac.compare_digest(seal_hash(key, seal.previous, number, digest, seal.format), seal.hash):
        ids = f"between ids {seal.first_id} and {seal.last_id}"
        return Fault(number, "ROWS_ALTERED", f"a row {ids}, or the seal, was changed")
    return None


def _named(fault: Fault, seal: StoredSeal, now: Mapping[int, bytes]) -> Fault:
    """The fault with the rows that differ from those sealed; none where the seal has no row digests, or they agree."""
    listed = seal.row_digests or b""
    if len(listed) != seal.entries * ROW_BYTES:
        return fault
    sealed = {
        int.from_bytes(listed[at : at + 8], "big"): listed[at + 8 : at + ROW_BYTES]
        for at in range(0, len(listed), ROW_BYTES)
    }
    altered = sorted(id for id in sealed.keys() & now.keys() if sealed[id] != now[id])
    removed, inserted = sorted(sealed.keys() - now.keys()), sorted(now.keys() - sealed.keys())
    words = [
        f"{what} {', '.join(map(str, ids[:NAMED]))}"
        for what, ids in (("altered", altered), ("removed", removed), ("inserted", inserted))
        if ids
    ]
    rows = sorted([*altered, *removed, *inserted])[:NAMED]
    return Fault(fault.seal, fault.kind, "; ".join([fault.detail, *words]), rows) if rows else fault
