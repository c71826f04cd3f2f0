"""Files in the partners' folders: seen when finished, moved and never lost, written whole or not at all."""

from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from core.database import Database
from core.ports import WallClock
from core.repositories.edi_files import Waiting
from core.services.take_turn import turn
from core.services.write_edi_files import OutboundFile, write_edi_files
from core.settings import Settings
from workers.job import JobContext
from workers.jobs.watch_edi_folder import SETTLE_SECONDS, FolderWatcher, look, move
from workers.jobs.write_edi_files import place, write_pending

pytestmark = pytest.mark.anyio
COMPANY = """
insert into calendar (code, name, working_days) values ('D', 'D', '{1,2,3,4,5,6,7}');
insert into location (id, code, name, kind, time_zone, calendar_id, cutoff_time) select 1, 'A', 'A', 'dc', 'UTC', id, '18:00' from calendar;
insert into supplier (id, code, name, time_zone) values (1, 'SUP', 'Supplier', 'UTC');
insert into purchase_order (id, supplier_id, number, location_id, status, currency) values (7, 1, 'PO7', 1, 'SENT', 'EUR');
insert into channel (code, name) values ('web', 'web');
insert into customer (id, code, tier, language) values (1, 'C', 'STANDARD', 'en');
insert into sales_order (id, number, customer_id, channel, currency, placed_at) values (3, 'SO3', 1, 'web', 'EUR', now());
insert into shipment (id, number, order_id, customer_id, location_id, status) values (5, 'S5', 3, 1, 1, 'PLANNED');
insert into edi_outbound (partner_id, kind, bytes, file_name, purchase_order_id, reference)
    values (1, '850', '', '850-7.x12', 7, ''), (1, '940', '', '940-S5.x12', null, 'S5')"""


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


def slow_looks(context: JobContext) -> FolderWatcher:
    """A watcher between whose looks whatever is being written has had time to go on."""
    return FolderWatcher(context.database, context.settings, count(0, SETTLE_SECONDS).__next__)


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
    def crash(folder: Path, file: OutboundFile) -> None:
        place(folder, file)
        raise RuntimeError("killed after the rename")

    with monkeypatch.context() as patch:
        patch.setattr("workers.jobs.write_edi_files.place", crash)
        with pytest.raises(RuntimeError, match="killed"):
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
    watcher = slow_looks(context)
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


async def test_an_upload_that_pauses_is_not_taken_for_finished(context: JobContext, tmp_path: Path) -> None:
    """What ends as an interchange does is taken at the second look, anything else when it has lain still for long."""
    now = 0.0
    watcher = FolderWatcher(context.database, context.settings, lambda: now)
    inbox = tmp_path / "edi" / "acme" / "in"
    inbox.mkdir(parents=True)
    whole = {"x.x12": b"ISA*00*1~GS*PR~IEA*1*000000001~\n", "e.edi": b"UNB+UNOA:1+A+B'UNZ+1+REF-7'"}
    for name, data in whole.items():
        (inbox / name).write_bytes(data[:-6])
    assert [await watcher.once() for _ in range(3)] == [0, 0, 0]
    now = SETTLE_SECONDS - 0.1
    assert await watcher.once() == 0
    for name, data in whole.items():
        (inbox / name).write_bytes(data)
    assert [await watcher.once() for _ in range(2)] == [0, 2]
    kept = await context.database.system.fetch("select bytes from edi_raw order by bytes")
    assert [bytes(row["bytes"]) for row in kept] == sorted(whole.values())
    (inbox / "torn.x12").write_bytes(b"ISA*00*2~GS*PR~")
    assert await watcher.once() == 0
    now += SETTLE_SECONDS
    assert await watcher.once() == 1


async def test_a_file_of_nobody_is_set_aside_not_lost(context: JobContext, tmp_path: Path) -> None:
    watcher = slow_looks(context)
    inbox = tmp_path / "edi" / "stranger" / "in"
    inbox.mkdir(parents=True)
    (inbox / "x").write_bytes(b"ISA*00")
    assert [await watcher.once(), await watcher.once(), await watcher.once()] == [0, 1, 0]
    assert (tmp_path / "edi" / "stranger" / "quarantine" / "x").read_bytes() == b"ISA*00"


async def test_only_one_watcher_takes_files(context: JobContext, tmp_path: Path) -> None:
    watcher = slow_looks(context)
    inbox = tmp_path / "edi" / "acme" / "in"
    inbox.mkdir(parents=True)
    (inbox / "x").write_bytes(b"ISA*00")
    async with turn(context.database, "watch_edi_folder") as mine:
        assert mine
        assert [await watcher.once(), await watcher.once()] == [0, 0]
    assert await watcher.once() == 1


async def test_a_file_that_cannot_be_taken_in_holds_up_no_other(
    context: JobContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watcher = slow_looks(context)
    inbox = tmp_path / "edi" / "acme" / "in"
    inbox.mkdir(parents=True)
    (inbox / "locked.x12").write_bytes(b"ISA*00*locked")
    (inbox / "good.x12").write_bytes(b"ISA*00*good")
    (inbox / "odd\udcff.x12").write_bytes(b"ISA*00*odd")
    read_bytes = Path.read_bytes

    def refuse(path: Path) -> bytes:
        if path.name == "locked.x12":
            raise PermissionError(13, "Permission denied")
        return read_bytes(path)

    monkeypatch.setattr(Path, "read_bytes", refuse)
    await watcher.once()
    await watcher.once()
    assert [path.name for path in inbox.iterdir()] == ["locked.x12"]
    archived = {path.name for path in (tmp_path / "edi" / "acme" / "archive").iterdir()}
    assert archived == {"good.x12", "odd\udcff.x12"}
    assert await context.database.system.fetchval("select count(*) from edi_raw") == 2


async def test_a_folder_that_cannot_be_written_holds_up_no_other_partner(context: JobContext, tmp_path: Path) -> None:
    sql = context.database.system
    await sql.execute(
        """insert into partner (id, code, qualifier, interchange_id, our_qualifier, our_interchange_id)
        values (2, 'bolt', 'ZZ', 'BOLT', 'ZZ', 'US'), (3, '..', 'ZZ', 'UP', 'ZZ', 'US')"""
    )
    await sql.execute(
        """insert into edi_outbound (partner_id, kind, bytes, file_name)
        values (2, '850', 'ISA 3', '850-3.x12'), (3, '850', 'ISA 4', '850-4.x12'), (1, '850', 'ISA 5', '850-5.x12')"""
    )
    (tmp_path / "edi" / "bolt").mkdir(parents=True)
    (tmp_path / "edi" / "bolt" / "out").write_text("a file in the way")
    assert await write_pending(context) == ["850-1.x12", "850-2.x12", "850-5.x12"]
    assert not (tmp_path / "out").exists()
    waiting = await sql.fetch("select file_name from edi_outbound where state = 'pending' order by id")
    assert [row["file_name"] for row in waiting] == ["850-3.x12", "850-4.x12"]
    (tmp_path / "edi" / "bolt" / "out").unlink()
    assert await write_pending(context) == ["850-3.x12"]


async def test_a_small_job_beside_a_backlog_writes_what_it_was_asked_for(
    context: JobContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sql = context.database.system
    await sql.execute(COMPANY)
    assert await write_pending(context, Waiting(purchase_order_id=7)) == ["850-7.x12"]
    assert await write_pending(context, Waiting(shipment_id=5)) == ["940-S5.x12"]

    async def and_another(uow: Any, *arguments: Any) -> list[str]:
        names = await write_edi_files(uow, *arguments)
        number = len(added)
        if number < 5:
            added.append(number)
            await sql.execute(
                "insert into edi_outbound (partner_id, kind, bytes, file_name) values (1, '997', '', $1)",
                f"997-{number}",
            )
        return names

    added: list[int] = []
    monkeypatch.setattr("workers.jobs.write_edi_files.write_files", and_another)
    assert await write_pending(context) == ["850-1.x12", "850-2.x12"]


async def test_small_files_of_a_backlog_are_stored_together_and_a_bad_one_falls_alone(
    context: JobContext, tmp_path: Path
) -> None:
    watcher = slow_looks(context)
    partner = tmp_path / "edi" / "acme"
    (partner / "in").mkdir(parents=True)
    asked = "select payload from outbox where job = 'ingest_edi_document' order by id"
    for number in range(3):
        (partner / "in" / f"{number}.x12").write_bytes(f"ISA*0{number}".encode())
    await watcher.once()
    assert await watcher.once() == 3
    (row,) = await context.database.system.fetch(asked)
    assert len(row["payload"]["rawIds"]) == 3
    (partner / "in" / "4.x12").write_bytes(b"ISA*04")
    (partner / "in" / "5.x12").write_bytes(b"  ")
    await watcher.once()
    await watcher.once()
    assert [path.name for path in (partner / "quarantine").iterdir()] == ["5.x12"]
    assert len(list((partner / "archive").iterdir())) == 4
    assert len(await context.database.system.fetch(asked)) == 2
