"""The file outside the database that every seal's hash is appended to: one JSON line each, never rewritten."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from core.services.seal_ledgers import SealHead


def read_heads(path: Path) -> list[SealHead]:
    """All anchored seals in the order of the file. A last line that a crash cut short is left out."""
    if not path.exists():
        return []
    heads: list[SealHead] = []
    for line in path.read_bytes().splitlines():
        try:
            facts = msgspec.json.decode(line)
            heads.append(
                SealHead(
                    facts["ledger"], facts["number"], facts["entries"], facts["lastId"], bytes.fromhex(facts["hash"])
                )
            )
        except (msgspec.DecodeError, KeyError, TypeError, ValueError):
            continue
    return heads


def last_anchored(path: Path) -> dict[str, int]:
    """Number of the newest anchored seal of each ledger."""
    newest: dict[str, int] = {}
    for head in read_heads(path):
        newest[head.ledger] = max(newest.get(head.ledger, 0), head.number)
    return newest


def append_heads(path: Path, heads: Sequence[SealHead]) -> None:
    """Append and force to disk."""
    if not heads:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = b""
    if path.exists() and path.stat().st_size and not path.read_bytes().endswith(b"\n"):
        lines = b"\n"
    for head in heads:
        facts = {
            "ledger": head.ledger,
            "number": head.number,
            "entries": head.entries,
            "lastId": head.last_id,
            "hash": head.hash.hex(),
        }
        lines += msgspec.json.encode(facts) + b"\n"
    with path.open("ab") as file:
        file.write(lines)
        file.flush()
        os.fsync(file.fileno())
