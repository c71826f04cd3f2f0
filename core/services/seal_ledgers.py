"""Seal audit entries and promises: an HMAC chain over batches, written by one job and never in line."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from core.errors import ConfigurationError
from core.events import Event
from core.repositories import seals
from core.repositories.seals import BATCH, FORMAT, Digest, StoredSeal
from core.settings import load_settings
from core.unit_of_work import UnitOfWork

START = bytes(32)
"""What the first seal of a chain names as its previous."""

AT_ONCE = 500
"""Seals of a ledger that are anchored by one call."""


@dataclass(frozen=True, slots=True)
class SealHead:
    """A seal as it is shown outside the database: without the key nobody can make another with this hash."""

    ledger: str
    number: int
    entries: int
    last_id: int
    hash: bytes

    @property
    def is_full(self) -> bool:
        """True when more rows may wait behind this batch."""
        return self.entries >= BATCH


def sealing_key(key: bytes | None = None) -> bytes:
    """The key of the seals, by default SEAL_KEY. Raises ConfigurationError when there is none."""
    key = key or load_settings().seal_key.get_secret_value().encode()
    if not key:
        raise ConfigurationError("SEAL_KEY is not set: ledgers can neither be sealed nor verified.")
    return key


def seal_hash(key: bytes, previous: bytes, number: int, found: Digest, version: int) -> bytes:
    """HMAC-SHA256 over version, previous hash, number, count, first and last id, and the rows' digest."""
    figures = (version, number, found.entries, found.first_id, found.last_id)
    message = b"".join([previous, *(figure.to_bytes(8, "big", signed=True) for figure in figures), found.digest])
    return hmac.digest(key, message, "sha256")


async def seal_ledgers(uow: UnitOfWork, *, key: bytes | None = None) -> list[SealHead]:
    """Seal up to BATCH visible rows of each ledger; the new seals. Call it again while one of them is full.

    Rows that become visible later, even with lower ids, go into a later seal.
    """
    key = sealing_key(key)
    heads: list[SealHead] = []
    for ledger in seals.LEDGERS:
        newest = await seals.lock_chain(uow.sql, ledger)
        number = newest.number + 1 if newest else 1
        previous = newest.hash if newest else START
        found = await seals.stamp_unsealed(uow.sql, ledger, number)
        if found is None:
            continue
        sealed = seal_hash(key, previous, number, found, FORMAT)
        await seals.add_seal(
            uow.sql,
            ledger,
            StoredSeal(
                number, found.entries, found.first_id, found.last_id, previous, sealed, FORMAT, found.row_digests
            ),
        )
        head = SealHead(ledger, number, found.entries, found.last_id, sealed)
        facts = {"ledger": ledger, "number": number, "entries": head.entries, "hash": sealed.hex()}
        uow.announce(Event("seal", "SEALED", facts, key=ledger))
        heads.append(head)
    return heads


async def seals_after(uow: UnitOfWork, anchored: Mapping[str, int]) -> list[SealHead]:
    """The next seals after the anchored numbers, `AT_ONCE` per ledger at most: ask again until there are none."""
    return [
        SealHead(ledger, seal.number, seal.entries, seal.last_id, seal.hash)
        for ledger in seals.LEDGERS
        for seal in await seals.seals_from(uow.sql, ledger, anchored.get(ledger, 0), AT_ONCE)
    ]
