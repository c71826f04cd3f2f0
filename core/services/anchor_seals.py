"""The file outside the database that every seal's hash is appended to: one JSON line each, never rewritten."""

from __future__ import annotations

import contextlib
import hmac
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from core.repositories.seals import LEDGERS
from core.services.seal_ledgers import SealHead

BLOCK = 65_536
"""Bytes of the file that are read at once, from its end."""
_UNREADABLE = (msgspec.DecodeError, KeyError, TypeError, ValueError)


@dataclass(frozen=True, slots=True)
class HeadFault:
    """What is wrong at one line. `kind`: HEAD_UNREADABLE, HEAD_ALTERED, HEAD_REMOVED, HEAD_TWICE."""

    line: int
    kind: str
    detail: str


@dataclass(slots=True)
class HeadsFile:
    """The anchored seals in the order of the file, and what somebody did to the file."""

    heads: list[SealHead] = field(default_factory=list)
    faults: list[HeadFault] = field(default_factory=list)


def inspect_heads(path: Path, key: bytes = b"") -> HeadsFile:
    """Read the file and find altered, removed and doubled lines; `key` is that of the seals.

    A last line that a crash cut short is no fault: the next run writes it again. Lines cut off at the end are seen by
    `verify_ledgers` as seals that are not anchored.
    """
    found = HeadsFile()
    seen: dict[tuple[str, int], bytes] = {}
    newest: dict[str, int] = {}
    content = path.read_bytes() if path.exists() else b""
    lines = content.splitlines()
    for number, line in enumerate(lines, start=1):
        try:
            facts = msgspec.json.decode(line)
            head = SealHead(
                facts["ledger"], facts["number"], facts["entries"], facts["lastId"], bytes.fromhex(facts["hash"])
            )
        except _UNREADABLE:
            if number < len(lines) and not _is_cut(line, lines[number]):
                found.faults.append(HeadFault(number, "HEAD_UNREADABLE", "the line is no seal"))
            continue
        if not all(isinstance(figure, int) for figure in (head.number, head.entries, head.last_id)):
            found.faults.append(HeadFault(number, "HEAD_UNREADABLE", "the line is no seal"))
            continue
        proof = facts.get("proof")
        if key and not hmac.compare_digest(str(proof).encode(), _proof(key, facts).encode()):
            found.faults.append(
                HeadFault(number, "HEAD_ALTERED", f"{head.ledger} seal {head.number} is not as written")
            )
            continue
        before = seen.get((head.ledger, head.number))
        if before is not None:
            if before != head.hash:
                detail = f"{head.ledger} seal {head.number} stands twice with two hashes"
                found.faults.append(HeadFault(number, "HEAD_TWICE", detail))
            continue
        expected = newest.get(head.ledger, 0) + 1
        if head.number != expected:
            detail = f"{head.ledger} seal {head.number} follows {expected - 1}: lines between them are gone"
            found.faults.append(HeadFault(number, "HEAD_REMOVED", detail))
        newest[head.ledger] = max(head.number, newest.get(head.ledger, 0))
        seen[head.ledger, head.number] = head.hash
        found.heads.append(head)
    return found


def _is_cut(line: bytes, following: bytes) -> bool:
    """A crash in the middle of a line: it is a beginning of the line that the next run wrote."""
    return following.startswith(line)


def read_heads(path: Path) -> list[SealHead]:
    """All anchored seals in the order of the file. What is no seal is left out."""
    return inspect_heads(path).heads


def last_anchored(path: Path) -> dict[str, int]:
    """Number of the newest anchored seal of each ledger; the file, which only grows, is read from its end."""
    newest: dict[str, int] = {}
    for line in _from_the_end(path):
        with contextlib.suppress(*_UNREADABLE):
            facts = msgspec.json.decode(line)
            ledger, number = str(facts["ledger"]), int(facts["number"])
            newest.setdefault(ledger, number)
        if newest.keys() >= set(LEDGERS):
            break
    return newest


def _from_the_end(path: Path) -> Iterator[bytes]:
    """The lines of a file, last first."""
    if not path.exists():
        return
    with path.open("rb") as file:
        at, rest = file.seek(0, os.SEEK_END), b""
        while at:
            step = min(BLOCK, at)
            at -= step
            file.seek(at)
            first, *lines = (file.read(step) + rest).split(b"\n")
            yield from reversed(lines)
            rest = first
        yield rest


def append_heads(path: Path, heads: Sequence[SealHead], key: bytes = b"") -> None:
    """Append and force to disk. With the `key` of the seals each line carries a proof that nobody else can write."""
    if not heads:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [b"" if next(_from_the_end(path), b"") == b"" else b"\n"]
    for head in heads:
        facts: dict[str, Any] = {
            "ledger": head.ledger,
            "number": head.number,
            "entries": head.entries,
            "lastId": head.last_id,
            "hash": head.hash.hex(),
        }
        if key:
            facts["proof"] = _proof(key, facts)
        lines.append(msgspec.json.encode(facts) + b"\n")
    with path.open("ab") as file:
        file.write(b"".join(lines))
        file.flush()
        os.fsync(file.fileno())


def _proof(key: bytes, facts: dict[str, Any]) -> str:
    told = [facts["ledger"], facts["number"], facts["entries"], facts["lastId"], facts["hash"]]
    return hmac.digest(key, b"head:" + msgspec.json.encode(told), "sha256").hex()[:32]
