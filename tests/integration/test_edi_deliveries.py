"""Whatever order, however often and over whichever way a supplier's files come: every line ends as after one clean delivery."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

from core.edi.documents import (
    AcknowledgedLine,
    Acknowledgement,
    Effect,
    LineStatus,
    ShipNotice,
    ShippedLine,
    ShippedOrder,
)
from core.edi.supplier_side import write_855, write_856
from core.edi.x12_writer import Envelope
from core.services.acknowledge_edi_group import acknowledge_group
from core.services.ingest_edi_document import apply_set, ingest_edi_file
from core.services.plan_edi_file import plan_interchanges
from core.services.receive_edi_file import store_edi_file
from core.services.reconcile_stock import recount
from tests.integration.test_ingest_edi_document import day, sent

pytestmark = pytest.mark.anyio

PARTS = "unanswered, accepted, supplier_backordered, held, in_transit, received, rejected, cancelled, promised_date"
WAYS = ("folder", "http", "graphql")


def _files(number: str) -> list[bytes]:
    """An answer, a newer answer with a backorder, two shipments and a duplicate of the first answer in another file."""

    def envelope(control: int) -> Envelope:
        at = datetime(2026, 11, 2 + control, 9, 0)
        return Envelope("ZZ", "SUPPLIER1", "ZZ", "US", "SUPPLIER1", "US", control, control, 1, at)

    def answered(control: int, *parts: tuple[str, int, int]) -> bytes:
        statuses = tuple(LineStatus(code, n, day(on), "067", Effect.ACCEPT) for code, n, on in parts)
        line = AcknowledgedLine("1", "1", "S", "V-S", "", 10, "EA", statuses)
        return write_855(Acknowledgement(number, "AC", day(control), "", (line,)), envelope(control))

    def shipped(control: int, name: str, quantity: int) -> bytes:
        line = ShippedLine("1", "S", "V-S", quantity, "EA")
        notice = ShipNotice(name, "00", day(2), day(9), "C", f"T-{name}", (ShippedOrder(number, (line,)),))
        return write_856(notice, envelope(control))

    first = answered(1, ("IA", 10, 12))
    return [
        first,
        answered(2, ("IA", 6, 12), ("IB", 4, 30)),
        shipped(3, "SN1", 2),
        shipped(4, "SN2", 3),
        first + b"\r\n",
    ]


async def _line(world) -> list[dict]:
    return await world.rows(f"select {PARTS} from purchase_order_line order by id")


async def _deliver(world, way: str, name: str, data: bytes) -> int:
    return await world.do(lambda uow: store_edi_file(uow, "sup", way, name, data))


CLEAN = {**dict.fromkeys(PARTS.split(", "), 0), "accepted": 1, "supplier_backordered": 4, "in_transit": 5}
"""What one clean delivery comes to: 5 shipped, 1 accepted, 4 to follow."""


async def _one_after_the_other(world, seed: int) -> None:
    """Every file one to three times over random ways, with work on them cut off here and there."""
    chance = random.Random(seed)
    files = _files(await sent(world))
    deliveries = [(at, way) for at in range(len(files)) for way in chance.sample(WAYS, chance.randint(1, 3))]
    chance.shuffle(deliveries)
    raws = []
    for turn, (at, way) in enumerate(deliveries):
        raws.append(await _deliver(world, way, f"{seed}-{turn}", files[at]))
        for raw_id in chance.sample(raws, chance.randint(0, min(2, len(raws)))):
            await _a_while(world, raw_id, chance)
    for raw_id in chance.sample(raws, len(raws)):
        await ingest_edi_file(world.do, raw_id)
    assert await _line(world) == [{**CLEAN, "promised_date": day(30)}], f"seed {seed}"
    assert await world.value("select count(*) from edi_document where quarantine_state is not null") == 0
    assert await world.value("select count(*) from edi_group where acknowledged_at is null") == 0
    assert await world.value("select count(distinct bytes) from edi_outbound where kind = '997'") == len(files)
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


async def test_files_in_any_order_end_as_one_clean_delivery(world):
    await _one_after_the_other(world, 2)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3, 43))
async def test_files_shuffled_often_end_as_one_clean_delivery(world, seed: int):
    await _one_after_the_other(world, seed)


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
async def test_a_worker_killed_in_the_middle_of_a_batch_loses_and_repeats_nothing(world, database_url: str):
    number = await sent(world)
    one = _files(number)[0].decode().split("\n")
    head, body, tail = one[:2], one[2:-3], one[-3:]
    sets = 60
    for control in range(2, sets + 1):
        body += [x.replace("*0001~", f"*{control:04d}~") for x in one[2:-3]]
    tail[0] = tail[0].replace("GE*1*", f"GE*{sets}*")
    raw_id = await _deliver(world, "folder", "batch", "\n".join([*head, *body, *tail]).encode())
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
    assert (await _line(world))[0]["accepted"] == 10
    assert await world.do(recount) == []
