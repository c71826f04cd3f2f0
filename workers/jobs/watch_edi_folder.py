"""Watch `<data>/edi/<partner>/in`: store each finished file, then move it to `archive`. Nothing is ever deleted."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from core.errors import DomainError
from core.services.take_turn import turn
from core.unit_of_work import UnitOfWork, run_unit_of_work
from workers.job import clock_of

if TYPE_CHECKING:
    from core.database import Database
    from core.settings import Settings

log = structlog.get_logger("edi")
INTERVAL_SECONDS = 0.3
SETTLE_SECONDS = 5.0
"""A file that does not end as an interchange does is finished when it has not changed for so long: uploads pause."""
_END = re.compile(rb"(?:IEA[^A-Za-z0-9]\d+[^A-Za-z0-9]\d+|UNZ[^A-Za-z0-9]\d+[^A-Za-z0-9][ -~]{1,14}?)[^A-Za-z0-9]\s*\Z")
"""The end of an interchange, with its terminator."""
TOGETHER, TOGETHER_BYTES = 25, 1_000_000
"""Small files of a backlog are stored in one transaction, and ingested by one job, up to so many or so much."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A file as it lies in an inbox."""

    partner: str
    path: Path
    size: int
    changed: int

    @property
    def transport_id(self) -> str:
        """Names this delivery: the same file looked at again after a crash is the same delivery."""
        name = os.fsencode(self.path.name).decode("utf-8", "backslashreplace")  # a name may be no text
        return f"{self.partner}/{name}:{self.size}:{self.changed}"


def look(folder: Path) -> list[Arrival]:
    """Files in all inboxes, oldest first; dot files and `.tmp` files are still being written."""
    found: list[Arrival] = []
    for inbox in sorted(folder.glob("*/in")):
        with os.scandir(inbox) as entries:
            for entry in entries:
                if entry.name.startswith(".") or entry.name.endswith((".tmp", ".part")):
                    continue
                try:
                    if entry.is_file(follow_symlinks=False):
                        facts = entry.stat(follow_symlinks=False)
                        found.append(Arrival(inbox.parent.name, Path(entry.path), facts.st_size, facts.st_mtime_ns))
                except FileNotFoundError:
                    continue
    return sorted(found, key=lambda arrival: (arrival.changed, arrival.path.name))


def move(path: Path, folder: Path) -> Path:
    """Rename into `folder`; a name that is taken gets a number."""
    folder.mkdir(parents=True, exist_ok=True)
    target, number = folder / path.name, 1
    while target.exists():
        target, number = folder / f"{path.name}.{number}", number + 1
    return path.rename(target)


class FolderWatcher:
    """Takes in what has not changed between two looks, or for SETTLE_SECONDS where it does not end whole.

    `clock` counts seconds; it is ours, since the times of files are by the clock of who writes them.
    """

    def __init__(self, database: Database, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock
        self._seen: dict[Arrival, float] = {}

    async def once(self) -> int:
        """One look; the number of files taken in. Only the process that has the turn takes any."""
        arrivals = await asyncio.to_thread(look, self._settings.edi_dir)
        now, before = self._clock(), self._seen
        self._seen = {arrival: before.get(arrival, now) for arrival in arrivals}
        finished = await asyncio.to_thread(
            lambda: [a for a in arrivals if a in before and (now - before[a] >= SETTLE_SECONDS or _ends_whole(a.path))]
        )
        if not finished:
            return 0
        async with turn(self._database, "watch_edi_folder") as mine:
            if not mine:
                return 0
            for chunk in _chunks(finished):
                await self._take_in_together(chunk)
        return len(finished)

    async def _take_in_together(self, chunk: list[Arrival]) -> None:
        """All of a chunk in one transaction; where one is refused, each in its own."""
        if len(chunk) > 1:
            from core.services.receive_edi_file import ArrivedFile, store_edi_files

            try:
                contents = await asyncio.to_thread(lambda: [arrival.path.read_bytes() for arrival in chunk])
                files = [
                    ArrivedFile(arrival.partner, "folder", arrival.transport_id, data)
                    for arrival, data in zip(chunk, contents, strict=True)
                ]

                async def store(uow: UnitOfWork) -> list[int]:
                    return await store_edi_files(uow, files)

                await run_unit_of_work(self._database, store, clock=clock_of(self._settings))
                await asyncio.to_thread(_archive, chunk)
                log.info("files stored", files=len(chunk))
                return
            except (DomainError, OSError):
                pass  # one of them cannot be taken: it is found below, and the others do not wait for it
        for arrival in chunk:
            try:
                await self._take_in(arrival)
            except OSError as failure:  # it is tried again at the next look
                log.warning("file cannot be taken in", partner=arrival.partner, error=type(failure).__name__)

    async def _take_in(self, arrival: Arrival) -> None:
        from core.services.receive_edi_file import store_edi_file

        try:
            if arrival.size > self._settings.edi_max_bytes:
                await self._set_aside(arrival, f"larger than {self._settings.edi_max_bytes} bytes")
                return
            data = await asyncio.to_thread(arrival.path.read_bytes)
        except FileNotFoundError:
            return  # the watcher that had the turn before took it

        async def store(uow: UnitOfWork) -> int:
            return await store_edi_file(uow, arrival.partner, "folder", arrival.transport_id, data)

        try:
            raw_id = await run_unit_of_work(self._database, store, clock=clock_of(self._settings))
        except DomainError as refusal:
            await self._set_aside(arrival, refusal.message)
            return
        kept = await asyncio.to_thread(move, arrival.path, arrival.path.parent.parent / "archive")
        log.info("file stored", partner=arrival.partner, file=kept.name, raw=raw_id)

    async def _set_aside(self, arrival: Arrival, reason: str) -> None:
        kept = await asyncio.to_thread(move, arrival.path, arrival.path.parent.parent / "quarantine")
        log.error("file set aside", partner=arrival.partner, file=kept.name, reason=reason)


def _ends_whole(path: Path) -> bool:
    """Is the end of the file that of an interchange?"""
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 100))
            return _END.search(file.read()) is not None
    except OSError:  # gone, or not ours to read: taking it in says so
        return True


def _chunks(arrivals: list[Arrival]) -> Iterator[list[Arrival]]:
    """The arrivals in their order, as many together as may be."""
    chunk: list[Arrival] = []
    for arrival in arrivals:
        if chunk and (len(chunk) == TOGETHER or sum(a.size for a in chunk) + arrival.size > TOGETHER_BYTES):
            yield chunk
            chunk = []
        chunk.append(arrival)
    if chunk:
        yield chunk


def _archive(arrivals: list[Arrival]) -> None:
    for arrival in arrivals:
        with contextlib.suppress(FileNotFoundError):  # a crash in between: the one that had the turn before moved it
            move(arrival.path, arrival.path.parent.parent / "archive")


async def watch_forever(database: Database, settings: Settings) -> None:
    """Look every INTERVAL_SECONDS; what fails is tried again at the next look."""
    watcher = FolderWatcher(database, settings)
    while True:
        try:
            await watcher.once()
        except Exception as failure:
            log.warning("folder watch failed", error=type(failure).__name__)
            await asyncio.sleep(1)
        await asyncio.sleep(INTERVAL_SECONDS)
