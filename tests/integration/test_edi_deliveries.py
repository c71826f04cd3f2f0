"""Whatever order, however often and over whichever way a supplier's files come: every line ends as after one clean delivery."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from core.database import Database
from core.services.acknowledge_edi_group import acknowledge_group
from core.services.create_purchase_order import CreatePurchaseOrder, create_purchase_order
from core.services.ingest_edi_document import apply_set, ingest_edi_file
from core.services.plan_edi_file import plan_interchanges
from core.services.receive_edi_file import store_edi_file
from core.services.reconcile_stock import recount
from core.settings import Settings
from tests.edi_streams import Story, files_of, stories
from tests.integration.test_ingest_edi_document import PARTNER, answer, day, sent
from tests.world import MASTER_DATA, FixedClock, World

PARTS = "unanswered, accepted, supplier_backordered, held, in_transit, received, rejected, cancelled"
WAYS = ("folder", "http", "graphql")
QUIET: dict[str, Any] = {"deadline": None, "database": None, "suppress_health_check": list(HealthCheck)}


class _Company:
    """One database for all stories: each has an order of its own."""

    def __init__(self, database_url: str) -> None:
        self.runner, self.url, self.control = asyncio.Runner(), database_url, 1
        self.world = self.runner.run(self._open())

    async def _open(self) -> World:
        database = await Database(Settings(database_url=self.url, env="test", pool_size=4)).open()
        await database.system.execute(MASTER_DATA)
        await database.system.execute(PARTNER)
        return World(database, FixedClock())

    def close(self) -> None:
        self.runner.run(self.world.database.close())
        self.runner.close()

    def tell(self, story: Story) -> None:
        self.runner.run(self._tell(story))

    async def _tell(self, story: Story) -> None:
        world, chance = self.world, random.Random(story.order)
        order = CreatePurchaseOrder("SUP", "A", [("S", story.ordered, None)])
        made = await world.do(lambda uow: create_purchase_order(uow, order))
        files = files_of(story, made.number, "S", ("SUPPLIER1", "US"), self.control, day(2))
        self.control += 100
        deliveries = [(at, way) for at, ways in enumerate(story.times) for way in ways]
        chance.shuffle(deliveries)
        raws: list[int] = []
        for turn, (at, way) in enumerate(deliveries):
            name = f"{made.number}-{turn}"
            raws.append(
                await world.do(
                    lambda uow, at=at, way=way, name=name: store_edi_file(uow, "sup", WAYS[way], name, files[at])
                )
            )
            for raw_id in chance.sample(raws, chance.randint(0, min(2, len(raws)))):
                await _a_while(world, raw_id, chance)
        for raw_id in chance.sample(raws, len(raws)):
            await ingest_edi_file(world.do, raw_id)
        (line,) = await world.rows(
            f"select {PARTS} from purchase_order_line where purchase_order_id = $1", made.purchase_order_id
        )
        assert {name: units for name, units in line.items() if units} == story.parts
        mine = "select count(*) from edi_document where raw_id = any($1::bigint[]) and "
        assert await world.value(mine + "quarantine_state is not null", raws) == 0
        assert await world.value(mine + "acknowledgement = 'pending'", raws) == 0
        answers = "select count(distinct bytes) from edi_outbound where kind = '997' and file_name ~ $1"
        of_these = f"^997-({'|'.join(str(raw) for raw in sorted(set(raws)))})-"
        assert await world.value(answers, of_these) == len(files)
        assert await world.do(recount) == []


async def _a_while(world, raw_id: int, chance: random.Random) -> None:
    """Work on a file that stops after some of its transactions, as a worker that was killed does."""
    for group in await world.do(lambda uow: plan_interchanges(uow, raw_id)):
        if chance.random() < 0.3:
            return
        await world.do(lambda uow, at=group.index: apply_set(uow, raw_id, at, 0))
        if chance.random() < 0.3:
            return
        await world.do(lambda uow, at=group.index: acknowledge_group(uow, raw_id, at))


@pytest.fixture
def company(database_url: str) -> Iterator[_Company]:
    found = _Company(database_url)
    yield found
    found.close()


def test_files_in_any_order_end_as_one_clean_delivery(company: _Company):
    settings(max_examples=4, derandomize=True, phases=[Phase.generate], **QUIET)(given(stories())(company.tell))()


@pytest.mark.long
@pytest.mark.timeout(1750)
def test_files_shuffled_often_end_as_one_clean_delivery(company: _Company):
    settings(max_examples=150, **QUIET)(given(stories())(company.tell))()


CHILD = """
import asyncio, sys
from core.database import Database
from core.services.ingest_edi_document import ingest_edi_file
from core.settings import Settings
from core.unit_of_work import run_unit_of_work

async def main():
    async with Database(Settings(database_url=sys.argv[1], pool_size=2)) as database:
        await ingest_edi_file(lambda use_case: run_unit_of_work(database, use_case), int(sys.argv[2]))

asyncio.run(main())
"""


@pytest.mark.long
@pytest.mark.timeout(1750)
@pytest.mark.anyio
async def test_a_worker_killed_in_the_middle_of_a_batch_loses_and_repeats_nothing(world, database_url: str):
    number = await sent(world)
    one = answer(number, 1, ("IA", 10, day(12))).decode().split("\n")
    head, body, tail = one[:2], one[2:-3], one[-3:]
    sets = 60
    for control in range(2, sets + 1):
        body += [x.replace("*0001~", f"*{control:04d}~") for x in one[2:-3]]
    tail[0] = tail[0].replace("GE*1*", f"GE*{sets}*")
    content = "\n".join([*head, *body, *tail]).encode()
    raw_id = await world.do(lambda uow: store_edi_file(uow, "sup", "folder", "batch", content))
    root = Path(__file__).resolve().parents[2]
    worker = subprocess.Popen([sys.executable, "-c", CHILD, database_url, str(raw_id)], cwd=root)
    applied = "select count(*) from edi_document where delivery = 'applied'"
    try:
        while await world.value(applied) < 5:
            assert worker.poll() is None
            await asyncio.sleep(0.02)
    finally:
        worker.kill()
        worker.wait()
    before = await world.value(applied)
    assert 5 <= before < sets
    found = await ingest_edi_file(world.do, raw_id)
    assert found == {"done": before, "applied": sets - before}
    assert await world.value("select count(*) from edi_identity") == sets
    assert await world.value("select count(*) from edi_outbound where kind = '997'") == 1
    assert await world.value("select accepted from purchase_order_line") == 10
    assert await world.do(recount) == []
