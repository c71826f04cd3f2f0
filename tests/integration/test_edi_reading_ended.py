"""A death of the process that reads files is no verdict on the file: it is read again, and what waits is never given up unsaid."""

from pathlib import Path

import pytest

from core.edi.interchanges import ReadResult
from core.edi.reader import read
from core.edi.reading_child import refusal
from core.errors import GiveUp, ReadingEnded
from core.services import edi_places
from core.services.ingest_edi_document import ingest_edi_file
from core.services.plan_edi_file import plan_interchanges
from core.services.receive_edi_file import store_edi_file
from core.settings import Settings
from tests.integration.test_ingest_edi_document import answer, answers, day, documents, sent, take
from workers.job import JobContext
from workers.jobs.ingest_edi_document import ingest_edi_document

pytestmark = pytest.mark.anyio


class Reading:
    """A reading process that ends, until it is told to read."""

    def __init__(self) -> None:
        self.says: ReadResult | None = None
        self.is_well = False

    def read(self, data: bytes) -> ReadResult:
        if self.is_well:
            return read(data)
        if self.says is not None:
            return self.says
        raise ReadingEnded("ended")


@pytest.fixture
def reading(monkeypatch: pytest.MonkeyPatch) -> Reading:
    found = Reading()
    monkeypatch.setattr(edi_places, "LARGE_BYTES", 0)
    monkeypatch.setattr(edi_places, "READING", found)
    forget()
    return found


def forget() -> None:
    edi_places.read_stored.cache_clear()
    edi_places._places.cache_clear()


async def test_only_the_last_try_sets_a_file_aside_and_the_same_file_is_read_when_it_comes_again(
    world, reading: Reading, tmp_path: Path
):
    data = answer(await sent(world), 1, ("IA", 10, day(12)))
    raw_id = await world.do(lambda uow: store_edi_file(uow, "sup", "folder", "f1", data))
    with pytest.raises(ReadingEnded):
        await ingest_edi_file(world.do, raw_id)
    assert await documents(world) == []
    context = JobContext(world.database, Settings(env="test", data_dir=tmp_path), world.clock)
    assert context.is_last_try
    await ingest_edi_document(context, {"rawId": raw_id})
    (aside,) = await documents(world)
    assert (aside["delivery"], aside["faults"][0]["message"]) == ("quarantined", "unreadable: ended")
    reading.is_well = True
    assert await take(world, data, "f2") == {"applied": 1}
    assert len(await answers(world)) == 1


async def test_sets_that_wait_in_a_file_which_cannot_be_read_any_more_end_its_run_with_a_reason(
    world, reading: Reading
):
    data = answer(await sent(world), 1, ("IA", 10, day(12)))
    raw_id = await world.do(lambda uow: store_edi_file(uow, "sup", "folder", "f1", data))
    reading.is_well = True
    await world.do(lambda uow: plan_interchanges(uow, raw_id))
    forget()
    reading.is_well, reading.says = False, refusal("unread", "no memory")
    with pytest.raises(GiveUp, match="1 documents of file"):
        await ingest_edi_file(world.do, raw_id)
    forget()
    reading.is_well = True
    assert await ingest_edi_file(world.do, raw_id) == {"applied": 1}


async def test_another_document_at_the_place_of_one_that_waits_is_not_applied_for_it(world):
    data = answer(await sent(world), 1, ("IA", 10, day(12)))
    raw_id = await world.do(lambda uow: store_edi_file(uow, "sup", "folder", "f1", data))
    await world.do(lambda uow: plan_interchanges(uow, raw_id))
    await world.database.system.execute("update edi_document set identity = identity || '|then'")
    with pytest.raises(GiveUp, match="1 documents of file"):
        await ingest_edi_file(world.do, raw_id)
    assert await answers(world) == []
