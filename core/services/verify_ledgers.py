"""Verify the sealed ledgers: recompute every seal from its rows, and compare the chain with what stands outside."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field

from core.repositories import seals
from core.repositories.seals import FORMAT, FORMATS, ROW_BYTES, Digest, StoredSeal
from core.services.seal_ledgers import START, SealHead, seal_hash, sealing_key
from core.unit_of_work import UnitOfWork

UNSEALED_ALARM_SECONDS = 60.0
LEAST = -(2**63)
"""Below every number: a forged seal may have any."""
NAMED = 50
"""Rows that the words of a fault name; its `rows` are all."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong at one seal. `kind`: ROWS_ALTERED, ROWS_REMOVED, ROWS_INSERTED, SEAL_REMOVED, SEAL_ALTERED.

    `rows` are all ids at fault in the ledger's table, where the seal can name them.
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

    Where seals are added meanwhile, read the file first and call it in a `snapshot`: all it reads has to be of one
    instant.
    A chain whose end was cut off together with its anchors and its events cannot be told from a shorter one.
    """
    key = sealing_key(key)
    return [
        await _verify(uow, ledger, [head for head in anchors if head.ledger == ledger], key) for ledger in seals.LEDGERS
    ]


async def _verify(uow: UnitOfWork, ledger: str, anchors: list[SealHead], key: bytes) -> LedgerReport:
    report = LedgerReport(ledger)
    stored = {seal.number: seal for seal in await seals.seals_from(uow.sql, ledger, LEAST)}
    found = {number: digest async for number, digest in seals.digests(uow.sql, ledger)}
    anchored = {head.number: head for head in anchors}
    told = await seals.told_heads(uow.sql, ledger)
    report.seals, report.entries = len(stored), sum(digest.entries for digest in found.values())
    newest = max([0, *stored, *anchored, *told])
    while newest + 1 in found:  # its rows are all that is left of a seal
        newest += 1
    previous: bytes | None = START
    last = 0
    for number in sorted({*stored, *anchored, *told, *(n for n in found if 1 <= n <= newest)}):
        if number < 1:
            report.faults.append(Fault(number, "SEAL_ALTERED", "no seal has this number"))
            continue
        if number > last + 1:  # a forged number may be far away: what is missing before it is one fault
            detail = f"nothing is left of seals {last + 1} to {number - 1}"
            report.faults.append(Fault(last + 1, "SEAL_REMOVED", detail))
            previous = None
        last = number
        seen = _Seen(number, stored.get(number), found.get(number), anchored.get(number), told.get(number), previous)
        report.faults += await _judge(uow, ledger, seen, key)
        previous = seen.hash
    for number in sorted(number for number in found if not 1 <= number <= newest):
        rows = sorted(_listed(await seals.digest_of(uow.sql, ledger, number, FORMAT)))
        detail = f"{found[number].entries} rows name a seal that never was: {_some(rows)}"
        report.faults.append(Fault(number, "ROWS_INSERTED", detail, rows))
    report.unanchored_seals = sorted(number for number in stored if number not in anchored)
    report.unsealed_entries, report.oldest_unsealed_seconds = await seals.unsealed(uow.sql, ledger)
    report.unanchored_ids = await seals.id_ranges(uow.sql, ledger, report.unanchored_seals)
    return report


@dataclass(frozen=True, slots=True)
class _Seen:
    """All that is known of one seal: its row, the rows that name it, the line of the file, the event, the seal before."""

    number: int
    seal: StoredSeal | None
    digest: Digest | None
    anchor: SealHead | None
    told: bytes | None
    previous: bytes | None

    @property
    def hash(self) -> bytes | None:
        """What the seal was, as whoever is hardest to forge says."""
        if self.anchor is not None:
            return self.anchor.hash
        return self.told or (self.seal.hash if self.seal is not None else None)

    def proves(self, key: bytes, digest: Digest | None, version: int) -> bool:
        """Are these the very rows that were sealed."""
        previous = self.previous or (self.seal.previous if self.seal is not None else None)
        if digest is None or previous is None or self.hash is None:
            return False
        return hmac.compare_digest(seal_hash(key, previous, self.number, digest, version), self.hash)


async def _judge(uow: UnitOfWork, ledger: str, seen: _Seen, key: bytes) -> list[Fault]:
    """What is wrong with the seal, then what is wrong with its rows; the one does not hide the other."""
    seal, digest = seen.seal, seen.digest
    if seal is None:
        return [Fault(seen.number, "SEAL_REMOVED", f"{digest.entries if digest else 0} rows name it")]
    proved = seen.proves(key, digest, seal.format)
    altered = _altered(seen, proved)
    if not proved:
        for version in FORMATS:  # sound rows under another form: the seal's own word for it was changed
            if version != seal.format:
                other = await seals.digest_of(uow.sql, ledger, seen.number, version)
                if seen.proves(key, other, version):
                    return [Fault(seen.number, "SEAL_ALTERED", f"its format is {seal.format} instead of {version}")]
        now = await seals.digest_of(uow.sql, ledger, seen.number, seal.format) if seal.format in FORMATS else None
        return [*altered, _rows_fault(seen, seal, _listed(now))]
    return altered


def _altered(seen: _Seen, proved: bool) -> list[Fault]:
    """The seal itself, against the file, the event, the seal before it and, when its rows are sound, the rows."""
    seal, digest = seen.seal, seen.digest
    assert seal is not None
    detail = ""
    if seen.previous is not None and seal.previous != seen.previous:
        detail = "it does not name the hash of the seal before it"
    elif seen.anchor is not None and seen.anchor.hash != seal.hash:
        detail = "its hash is not the one that was anchored"
    elif seen.told is not None and seen.told != seal.hash:
        detail = "its hash is not the one that its event told"
    elif seen.anchor is not None and (seen.anchor.entries, seen.anchor.last_id) != (seal.entries, seal.last_id):
        detail = f"it was anchored over {seen.anchor.entries} rows up to id {seen.anchor.last_id}"
    elif proved and digest is not None:
        if (seal.entries, seal.first_id, seal.last_id) != (digest.entries, digest.first_id, digest.last_id):
            detail = f"its figures are not those of the {digest.entries} rows that it seals"
        elif seal.row_digests is not None and hashlib.sha256(seal.row_digests).digest() != digest.row_digests:
            detail = "its list of rows is not that of the rows that it seals"
    return [Fault(seen.number, "SEAL_ALTERED", detail)] if detail else []


def _rows_fault(seen: _Seen, seal: StoredSeal, now: dict[int, bytes]) -> Fault:
    """What became of the rows of a seal that they do not prove, with those that differ where the seal lists them."""
    number, entries = seen.number, seen.digest.entries if seen.digest is not None else 0
    count = seen.anchor.entries if seen.anchor is not None else seal.entries
    if entries < count:
        fault = Fault(number, "ROWS_REMOVED", f"{count - entries} of {count} rows are missing")
    elif entries > count:
        fault = Fault(number, "ROWS_INSERTED", f"{entries - count} rows more than the {count} sealed")
    else:
        ids = f"between ids {seal.first_id} and {seal.last_id}"
        fault = Fault(number, "ROWS_ALTERED", f"a row {ids}, or the seal, was changed")
    sealed = _listed(seal)
    if len(sealed) != count:
        return fault
    altered = sorted(id for id in sealed.keys() & now.keys() if sealed[id] != now[id])
    removed, inserted = sorted(sealed.keys() - now.keys()), sorted(now.keys() - sealed.keys())
    words = [
        f"{what} {_some(ids)}"
        for what, ids in (("altered", altered), ("removed", removed), ("inserted", inserted))
        if ids
    ]
    rows = sorted([*altered, *removed, *inserted])
    return Fault(number, fault.kind, "; ".join([fault.detail, *words]), rows) if rows else fault


def _some(ids: list[int]) -> str:
    more = f" and {len(ids) - NAMED} more" if len(ids) > NAMED else ""
    return ", ".join(map(str, ids[:NAMED])) + more


def _listed(of: Digest | StoredSeal | None) -> dict[int, bytes]:
    """The digests of rows by id; nothing of a list that is none."""
    listed = (of.row_digests if of is not None else None) or b""
    if len(listed) % ROW_BYTES:
        return {}
    return {
        int.from_bytes(listed[at : at + 8], "big", signed=True): listed[at + 8 : at + ROW_BYTES]
        for at in range(0, len(listed), ROW_BYTES)
    }
