"""Files in the partners' folders: seen when finished, moved and never lost, written whole or not at all."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.database import Database
from core.ports import WallClock
from core.services.take_turn import turn
from core.settings import Settings
from workers.job import JobContext
from workers.jobs.watch_edi_folder import FolderWatcher, look, move
from workers.jobs.write_edi_files import place, write_pending

pytestmark = pytest.mark.anyio


@pytest.fixture
async def context(database_url: str, tmp_path: Path) -> AsyncIterator[JobContext]:
    settings = Settings(database_url=database_url, data_dir=tmp_path, pool_size=3)
    async with Database(settings) as database:
        await database.system.execute(
            """insert into partner (id, code, qualifier, interchange_id, our_qualifier, our_interchange_id)
            values (1, 'acme', 'ZZ', 'ACME', 'ZZ', 'US')"""
        )
        for number in (1, 2):
            await database.system.execute(
                "insert into edi_outbound (partner_id, kind, bytes, file_name) values (1, '850', $1, $2)",
                f"ISA {number}".encode(),
                f"850-{number}.x12",
            )
        yield JobContext(database, settings, WallClock())


async def test_pending_files_are_written_once(context: JobContext, tmp_path: Path) -> None:
    assert await write_pending(context) == ["850-1.x12", "850-2.x12"]
    out = tmp_path / "edi" / "acme" / "out"
    assert {path.name: path.read_bytes() for path in out.iterdir()} == {"850-1.x12": b"ISA 1", "850-2.x12": b"ISA 2"}
    assert await context.database.system.fetchval("select count(*) from edi_outbound where written_at is not null") == 2
    (out / "850-1.x12").unlink()  # the partner took it
    assert await write_pending(context) == []
    assert [path.name for path in out.iterdir()] == ["850-2.x12"]


async def test_a_file_that_was_placed_before_a_crash_is_placed_again(
    context: JobContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(folder: Path, files: list) -> None:
        place(folder, files)
        raise OSError("the disk went away after the rename")

    with monkeypatch.context() as patch:
        patch.setattr("workers.jobs.write_edi_files.place", crash)
        with pytest.raises(OSError, match="went away"):
            await write_pending(context)
    assert await context.database.system.fetchval("select count(*) from edi_outbound where state = 'pending'") == 2
    assert await write_pending(context) == ["850-1.x12", "850-2.x12"]
    assert len(list((tmp_path / "edi" / "acme" / "out").iterdir())) == 2


def test_only_finished_files_are_seen_and_names_never_collide(tmp_path: Path) -> None:
    inbox = tmp_path / "acme" / "in"
    inbox.mkdir(parents=True)
    for name in ("a.x12", "b.tmp", ".c", "d.part"):
        (inbox / name).write_bytes(b"1")
    (inbox / "folder").mkdir()
    first = look(tmp_path)
    assert [(arrival.partner, arrival.path.name, arrival.size) for arrival in first] == [("acme", "a.x12", 1)]
    (inbox / "a.x12").write_bytes(b"12")
    assert look(tmp_path) != first
    assert move(inbox / "a.x12", tmp_path / "acme" / "archive").name == "a.x12"
    (inbox / "a.x12").write_bytes(b"other")
    assert move(inbox / "a.x12", tmp_path / "acme" / "archive").name == "a.x12.1"
    assert sorted(path.read_bytes() for path in (tmp_path / "acme" / "archive").iterdir()) == [b"12", b"other"]


async def test_a_finished_file_is_stored_and_archived_and_a_repeat_too(context: JobContext, tmp_path: Path) -> None:
    watcher = FolderWatcher(context.database, context.settings)
    partner = tmp_path / "edi" / "acme"
    (partner / "in").mkdir(parents=True)
    for number in range(2):
        (partner / "in" / "855.x12").write_bytes(b"ISA*00")
        assert await watcher.once() == 0  # may still be growing
        assert await watcher.once() == 1
        assert sorted(path.name for path in (partner / "archive").iterdir()) == ["855.x12", "855.x12.1"][: number + 1]
    assert list((partner / "in").iterdir()) == []
    assert await context.database.system.fetchval("select count(*) from edi_raw") == 1
    assert await context.database.system.fetchval("select count(*) from edi_delivery") == 2
    requests = await context.database.system.fetch("select job, job_queue from outbox where job is not null")
    assert [tuple(row) for row in requests] == [("ingest_edi_document", "bulk")] * 2


async def test_a_file_of_nobody_is_set_aside_not_lost(context: JobContext, tmp_path: Path) -> None:
    watcher = FolderWatcher(context.database, context.settings)
    inbox = tmp_path / "edi" / "stranger" / "in"
    inbox.mkdir(parents=True)
    (inbox / "x").write_bytes(b"ISA*00")
    assert [await watcher.once(), await watcher.once(), await watcher.once()] == [0, 1, 0]
    assert (tmp_path / "edi" / "stranger" / "quarantine" / "x").read_bytes() == b"ISA*00"


async def test_only_one_watcher_takes_files(context: JobContext, tmp_path: Path) -> None:
    watcher = FolderWatcher(context.database, context.settings)
    inbox = tmp_path / "edi" / "acme" / "in"
    inbox.mkdir(parents=True)
    (inbox / "x").write_bytes(b"ISA*00")
    async with turn(context.database, "watch_edi_folder") as mine:
        assert mine
        assert [await watcher.once(), await watcher.once()] == [0, 0]
    assert await watcher.once() == 1
