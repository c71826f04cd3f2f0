"""Messages about one ship notice that are applied at the same time end as if they had come one after the other."""

import asyncio
from datetime import datetime

import pytest

from core.edi.documents import CarrierEvent, CarrierStatus, Pack, ShipNotice, ShippedLine, ShippedOrder
from core.edi.supplier_side import write_214, write_856
from core.services import apply_edi_shipment
from core.services.create_purchase_order import CreatePurchaseOrder, create_purchase_order
from core.services.ingest_edi_document import apply_set, ingest_edi_file
from core.services.plan_edi_file import plan_interchanges
from core.services.receive_edi_file import store_edi_file
from core.services.reconcile_stock import recount
from core.settings import Settings
from tests.integration.test_edi_both_ways import line, notice
from tests.integration.test_ingest_edi_document import PARTNER, answer, day, envelope, sent, take
from workers.job import JobContext
from workers.jobs.take_up_statuses import take_up_statuses

pytestmark = pytest.mark.anyio


async def at_once(world, ahead: int, behind: int):
    """What became of two files, the second of which is ingested while the first one's transaction is still open."""
    applied = asyncio.Event()

    async def slowly(uow):
        outcome = await apply_set(uow, ahead, 0, 0)
        applied.set()
        await asyncio.sleep(0.3)
        return outcome

    async def meanwhile():
        await applied.wait()
        return await ingest_edi_file(world.do, behind)

    return await asyncio.gather(world.do(slowly), meanwhile())


@pytest.mark.parametrize(("first", "second"), [("01", {"stale": 1}), ("00", {"applied": 1})])
async def test_a_withdrawal_beside_its_notice_leaves_nothing_in_transit(world, first: str, second: dict[str, int]):
    number = await sent(world)
    await take(world, answer(number, 1, ("IA", 10, day(12))))
    files = {
        "00": write_856(notice(number, "00", 6), envelope(3)),
        "01": write_856(notice(number, "01", 6), envelope(4)),
    }
    raws = {p: await world.do(lambda uow, p=p: store_edi_file(uow, "sup", "folder", p, files[p])) for p in files}
    for raw_id in raws.values():
        await world.do(lambda uow, raw_id=raw_id: plan_interchanges(uow, raw_id))
    assert await at_once(world, raws.pop(first), *raws.values()) == ["applied", second]
    assert await line(world) == {"accepted": 10}
    assert await world.value("select cancelled_at is not null from ship_notice")
    assert await world.do(recount) == []


async def test_an_older_replacement_beside_a_newer_one_takes_none_of_its_packs(world, monkeypatch: pytest.MonkeyPatch):
    number = await sent(world)
    await take(world, answer(number, 1, ("IA", 10, day(12))))

    def packed(control: int, sscc: str, purpose: str) -> bytes:
        shipped = ShippedLine("1", "S", "V-S", 6, "EA", packs=(Pack(sscc, f"00{sscc}", "GM"),))
        orders = (ShippedOrder(number, (shipped,)),)
        return write_856(
            ShipNotice("SN1", purpose, day(2), day(10), "CARR", "TRACK1", orders, noticed_on=day(1)), envelope(control)
        )

    ours, theirs, first = "340123450000000017", "340123450000000024", "340123450000000031"
    assert await take(world, packed(3, first, "00"), "a") == {"applied": 1}
    raws = [
        await world.do(lambda uow, d=data, n=name: store_edi_file(uow, "sup", "folder", n, d))
        for name, data in (("newer", packed(5, ours, "05")), ("older", packed(4, theirs, "05")))
    ]
    for raw_id in raws:
        await world.do(lambda uow, raw_id=raw_id: plan_interchanges(uow, raw_id))

    async def late(uow, wanted, read=apply_edi_shipment.shipped_lines):
        await asyncio.sleep(0.5)  # the newer one commits after this one has looked at the notice
        return await read(uow, wanted)

    monkeypatch.setattr(apply_edi_shipment, "shipped_lines", late)
    assert await at_once(world, *raws) == ["applied", {"stale": 1}]
    assert await world.rows("select sscc from ship_notice_pack") == [{"sscc": ours}]


async def test_a_status_that_is_refused_while_its_notice_commits_is_taken_up_by_the_look_after_it(world):
    number = await sent(world)
    await take(world, answer(number, 1, ("IA", 10, day(12))))
    event = CarrierEvent("AG", "", datetime(2026, 11, 17, 8, 0), day(15))
    said = write_214(CarrierStatus("TRACK1", "TRACK1", (), (event,), carrier="CARR"), envelope(5))
    notice_id, status_id = [
        await world.do(lambda uow, d=data, n=name: store_edi_file(uow, "sup", "folder", n, d))
        for name, data in (("notice", write_856(notice(number, "00", 6), envelope(3))), ("status", said))
    ]
    for raw_id in (notice_id, status_id):
        await world.do(lambda uow, raw_id=raw_id: plan_interchanges(uow, raw_id))
    assert await at_once(world, notice_id, status_id) == ["applied", {"quarantined": 1}]
    asked = await world.rows("select payload from outbox where job = 'take_up_statuses' order by id")
    assert [row["payload"]["references"] for row in asked] == [["TRACK1"], ["SN1", "TRACK1"]]
    context = JobContext(world.database, Settings(env="test"), world.clock)
    found = [await take_up_statuses(context, row["payload"]) for row in asked]
    assert found == [{"statuses": 1}, {"statuses": 0}]
    assert await ingest_edi_file(world.do, status_id) == {"applied": 1}
    assert await world.value("select usable_date from supply where ship_notice_line_id is not null") == day(15)


async def test_a_replacement_takes_the_gates_of_both_notices_before_it_locks_the_order(world):
    """Or a receipt, which does so, and this one wait for each other."""
    await world.database.system.execute(PARTNER)
    order = CreatePurchaseOrder("SUP", "A", [("S", 10, 500), ("S2", 10, 500)])
    number = (await world.do(lambda uow: create_purchase_order(uow, order))).number
    await world.database.system.execute("update purchase_order set status = 'SENT'")

    def shipped(name: str, control: int, purpose: str, *positions: int) -> bytes:
        lines = tuple(ShippedLine(str(n), "S" if n == 1 else "S2", "", 4, "EA") for n in positions)
        orders = (ShippedOrder(number, lines),)
        return write_856(
            ShipNotice(name, purpose, day(2), day(10), "CARR", "TRACK1", orders, noticed_on=day(1)), envelope(control)
        )

    assert await take(world, shipped("SN1", 3, "00", 1), "a") == {"applied": 1}
    said = shipped("SN1", 5, "05", 1, 2)
    sku_id = await world.sku("S2")
    async with world.database.system.acquire() as other, world.database.system.acquire() as third:
        trial = other.transaction()
        await trial.start()
        holder = await other.fetchval("select pg_backend_pid() from sku_gate where sku_id = $1 for update", sku_id)
        work = asyncio.create_task(take(world, said, "c"))
        waits = "select exists (select from pg_stat_activity where $1 = any(pg_blocking_pids(pid)))"
        while not work.done() and not await third.fetchval(waits, holder):
            await asyncio.sleep(0.01)
        await third.execute("select 1 from purchase_order where number = $1 for update nowait", number)
        await trial.rollback()
    assert await work == {"applied": 1}
    on_the_way = await world.rows("select in_transit from purchase_order_line order by line_number")
    assert [row["in_transit"] for row in on_the_way] == [4, 4]
    assert await world.do(recount) == []
