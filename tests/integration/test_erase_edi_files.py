"""What is erased is gone from the archive and from the sentences about it; what was never read is kept."""

from datetime import timedelta
from pathlib import Path

import pytest

from core.services.erase_edi_files import erase_edi_file, erase_old_edi_files
from core.services.ingest_edi_document import ingest_edi_file
from core.services.receive_edi_file import store_edi_file
from core.settings import Settings
from tests.integration.test_ingest_edi_document import answer, day, documents, sent
from workers.job import JobContext
from workers.jobs.erase_archived_copies import erase_archived_copies
from workers.jobs.watch_edi_folder import FolderWatcher

pytestmark = pytest.mark.anyio


async def test_erasing_reaches_the_archive_and_the_quoted_words(world, tmp_path: Path):
    await sent(world)
    settings = Settings(env="test", data_dir=tmp_path)
    folder = tmp_path / "edi" / "sup"
    (folder / "in").mkdir(parents=True)
    (folder / "archive").mkdir()
    data = answer("MRS-SMITH", 1, ("IA", 10, day(12)))
    (folder / "in" / "a.edi").write_bytes(data)
    (folder / "archive" / "a.edi").write_bytes(b"x" * len(data))
    watcher = FolderWatcher(world.database, settings)
    assert [await watcher.once(), await watcher.once()] == [0, 1]
    assert (folder / "archive" / "a.edi.1").read_bytes() == data
    await ingest_edi_file(world.do, await world.value("select id from edi_raw"))
    (document,) = await documents(world)
    assert document["quarantine_reason"].startswith("not_found: ")
    await world.database.system.execute("update edi_document set delivery = 'ignored', result = '{\"tracking\": 1}'")
    await world.do(lambda uow: erase_edi_file(uow, document["id"], "asked for"))
    (document,) = await documents(world)
    assert (document["quarantine_reason"], document["result"]) == ("not_found", None)
    asked = await world.value("select payload from outbox where job = 'erase_archived_copies'")
    context = JobContext(world.database, settings, world.clock)
    assert await erase_archived_copies(context, asked) == {"deleted": 1}
    assert [path.name for path in (folder / "archive").iterdir()] == ["a.edi"]


async def test_a_file_that_nobody_has_read_is_not_old_enough_to_be_erased(world):
    number = await sent(world)
    await world.do(lambda uow: store_edi_file(uow, "sup", "folder", "f1", answer(number, 1, ("IA", 10, day(12)))))
    await world.database.system.execute("insert into policy (code, value) values ('edi_retention_days', '30')")
    world.clock.at += timedelta(days=31)
    assert await world.do(erase_old_edi_files) == 0
