"""A warehouse that a partner runs is told by a 940 what to ship, what changed of it and what is off; its 945 comes back."""

import asyncio

import pytest

from core.edi.decode_940 import decode_940
from core.edi.documents import SetResult
from core.edi.interchanges import Fault, Level, Severity, Verdict
from core.edi.reader import read
from core.edi.write_997 import write_997
from core.edi.x12_writer import write_interchange
from core.errors import DomainError, InvalidInput
from core.services import apply_shipping_advice
from core.services.adjust_stock import AdjustStock, adjust_stock
from core.services.cancel_order import CancelOrder, cancel_order
from core.services.change_order_line import ChangeOrderLine, change_order_line
from core.services.plan_shipments import plan_shipments
from core.services.reconcile_stock import recount
from core.services.rejudge_routes import move_planned_shipments
from core.services.release_kept_orders import STATUSES, release_kept_orders
from core.services.send_warehouse_release import send_release_anew, send_warehouse_release
from tests.integration.test_ingest_edi_document import PARTNER, day, documents, envelope, take
from tests.integration.test_lots import LATER, SOON, lots, receive, track

pytestmark = pytest.mark.anyio
WAREHOUSE = PARTNER.replace("1, '{}', 'active'", """1, '{"warehouse": "A"}', 'active'""")


async def released(world, shipment_id: int):
    """The release that is sent now, as the warehouse reads it; None where it knows all."""
    outbound_id = await world.do(lambda uow: send_warehouse_release(uow, shipment_id))
    if outbound_id is None:
        return None
    data = await world.value("select bytes from edi_outbound where id = $1", outbound_id)
    (document,) = read(data).interchanges[0].groups[0].sets
    assert document.faults == ()
    return decode_940(document).document


async def test_a_release_its_changes_and_its_945(world):
    assert WAREHOUSE != PARTNER
    await world.database.system.execute(WAREHOUSE)
    await world.stock(5, "S2")
    (placed,) = await world.place(world.order(("S2", 3)))
    await world.do(lambda uow: plan_shipments(uow, [placed.order_id]))
    shipment_id, number = await world.value("select id from shipment"), await world.value("select number from shipment")
    asked = "select job_key from outbox where job = 'send_warehouse_release'"
    assert {row["job_key"] for row in await world.rows(asked)} == {str(shipment_id)}
    await world.database.system.execute("update sku set gtin = '4006381333931' where code = 'S2'")
    order = await released(world, shipment_id)
    assert (order.number, order.purpose, order.ship_from.code) == (number, "N", "A")
    assert [(x.line_number, x.buyer_sku, x.gtin, x.ordered) for x in order.lines] == [("1", "S2", "4006381333931", 3)]
    assert await released(world, shipment_id) is None
    advice = [("W06", "F", number, day(3), "W7"), ("LX", 1), ("W12", "CC", 3, 3, 0, "EA", "", "BP", "S2"), ("W03", 3)]
    assert await take(world, write_interchange("945", "SW", [advice], envelope(2)), "b") == {"applied": 1}
    assert (await documents(world))[0]["result"] == {
        "shipment": number,
        "differences": [],
        "tracking": "",
        "confirmed": True,
    }
    (row,) = await world.rows("select status, shipped_at from shipment")
    assert (row["status"], row["shipped_at"]) == ("SHIPPED", world.clock.at)
    assert await world.rows("select status, shipped from order_line") == [{"status": "SHIPPED", "shipped": 3}]
    assert await world.value("select template from notice") == "SHIPPED"
    assert await released(world, shipment_id) is None


@pytest.mark.parametrize(
    ("told", "shipped", "confirmed"),
    [
        ([("1", "S2", 2), ("2", "S2", 2)], {1: 2, 2: 2}, True),
        ([("01", "S2", 1), ("2", "S2", 2)], {1: 1, 2: 2}, True),
        ([("", "S2", 4)], {}, False),
        ([("1", "S2", 0), ("2", "S2", 0)], {}, False),
        ([("1", "S2", 1), ("2", "S", 1)], {}, False),
    ],
)
async def test_a_945_of_fewer_units_ships_these_and_sets_the_rest_aside(world, told, shipped, confirmed):
    await world.database.system.execute(WAREHOUSE)
    await world.stock(9, "S2")
    (placed,) = await world.place(world.order(("S2", 3), ("S2", 2)))
    await world.do(lambda uow: plan_shipments(uow, [placed.order_id]))
    number = await world.value("select number from shipment")
    rows = [("W06", "F", number, day(0), "W7")]
    for at, (line, sku, units) in enumerate(told, start=1):
        rows += [("LX", at), ("W12", "BP", 3, units, 0, "EA", "", "BP", sku), *([("N9", "LI", line)] if line else [])]
    assert await take(world, write_interchange("945", "SW", [rows], envelope(2)), "b") == {"applied": 1}
    assert (await documents(world))[0]["result"]["confirmed"] is confirmed
    assert await world.value("select count(*) from outbox where kind = 'SHIPPING_DOUBT'") == 1
    lines = {row["line_number"]: row for row in await world.rows("select * from order_line")}
    ordered = {1: 3, 2: 2}
    assert {x: (row["shipped"], row["allocated"]) for x, row in lines.items()} == {
        x: (shipped.get(x, 0), units - shipped.get(x, 0)) for x, units in ordered.items()
    }
    assert {row["ready"] for row in lines.values()} == ({row["allocated"] for row in lines.values()})
    units = """select status, sum(quantity)::int as units from shipment s join shipment_line l on l.shipment_id = s.id
        group by s.id order by s.id"""
    rest = [] if not confirmed else [{"status": "PLANNED", "units": 5 - sum(shipped.values())}]
    left = {"status": "SHIPPED", "units": sum(shipped.values())} if confirmed else {"status": "PLANNED", "units": 5}
    assert await world.rows(units) == [left, *rest]
    assert await world.do(recount) == []


async def test_what_a_warehouse_lacked_is_asked_for_again_by_a_person_only(world):
    await world.database.system.execute(WAREHOUSE)
    await world.stock(10, "S2")
    (placed,) = await world.place(world.order(("S2", 10)))
    (first,) = await world.do(lambda uow: plan_shipments(uow, [placed.order_id]))
    assert (await released(world, first)).purpose == "N"
    await advise(world, 2, "W7", 4)
    asked = "select count(*) from outbox where job = 'plan_shipments'"
    before = await world.value(asked)
    for status in STATUSES:
        await world.do(lambda uow, status=status: release_kept_orders(uow, status, 0))
    assert await world.value(asked) == before
    assert await world.do(lambda uow: plan_shipments(uow, [placed.order_id])) == []
    rest = await world.value("select id from shipment where rest_of = $1", first)
    assert [await released(world, one) for one in (first, rest)] == [None, None]
    number = await world.value("select number from shipment where id = $1", rest)
    await world.do(lambda uow: send_release_anew(uow, number))
    sent = await world.rows("select reference, bytes from edi_outbound where kind = '940' order by id")
    assert [row["reference"] for row in sent] == [
        await world.value("select number from shipment where id = $1", first),
        number,
    ]
    assert [
        line.ordered for line in decode_940(read(sent[1]["bytes"]).interchanges[0].groups[0].sets[0]).document.lines
    ] == [6]


@pytest.mark.parametrize(
    ("advices", "confirmed", "shipped", "doubts"),
    [
        ([("W7", 5), ("W8", 5)], [True, True], 10, 1),
        ([("W7", 5), ("W8", 2), ("W9", 3)], [True, True, True], 10, 2),
        ([("W7", 5), ("W8", 6)], [True, False], 5, 2),
        ([("W7", 10), ("W8", 10)], [True, False], 10, 1),
        ([("W7", 5), ("", 5)], [True, False], 5, 2),
        ([("W7", 5), ("W8", 5), ("W9", 5)], [True, True, False], 10, 2),
    ],
)
async def test_each_945_of_a_shipment_is_beside_what_the_ones_before_it_left(
    world, advices, confirmed, shipped, doubts
):
    await world.database.system.execute(WAREHOUSE)
    await world.stock(10, "S2")
    (placed,) = await world.place(world.order(("S2", 10)))
    await world.do(lambda uow: plan_shipments(uow, [placed.order_id]))
    for control, (number, units) in enumerate(advices, start=2):
        await advise(world, control, number, units)
    assert [row["result"]["confirmed"] for row in await documents(world)] == confirmed
    assert await world.rows("select shipped, allocated, ready from order_line") == [
        {"shipped": shipped, "allocated": 10 - shipped, "ready": 10 - shipped}
    ]
    assert await world.value("select count(*) from outbox where kind = 'SHIPPING_DOUBT'") == doubts
    assert await world.do(recount) == []


async def advise(world, control: int, number: str, units: int) -> None:
    """A 945 of the first shipment: so many units of its only line."""
    ours = await world.value("select number from shipment order by id limit 1")
    rows = [("W06", "F", ours, day(0), number), ("LX", 1), ("W12", "CC", 10, units, 0, "EA", "", "BP", "S2")]
    assert await take(world, write_interchange("945", "SW", [rows], envelope(control)), f"f{control}") == {"applied": 1}


async def test_a_945_that_differs_or_is_of_another_warehouse_confirms_nothing(world):
    await world.database.system.execute(WAREHOUSE)
    await world.stock(5, "S2")
    (placed,) = await world.place(world.order(("S2", 3)))
    await world.do(lambda uow: plan_shipments(uow, [placed.order_id]))
    number = await world.value("select number from shipment")
    other = "update partner_guide set guide = $1"

    async def report(control: int, shipped: int) -> dict:
        rows = [
            ("W06", "F", number, day(0), "W7"),
            ("LX", 1),
            ("W12", "CC", 3, shipped, 3 - shipped, "EA", "", "BP", "S2"),
        ]
        assert await take(world, write_interchange("945", "SW", [rows], envelope(control)), f"f{control}") == {
            "applied": 1
        }
        assert await world.value("select status from shipment") == "PLANNED"
        return (await documents(world))[-1]["result"]

    more = await report(2, 4)
    assert (more["confirmed"], more["differences"]) == (False, [{"sku": "S2", "released": 3, "shipped": 4}])
    assert await world.value("select count(*) from outbox where kind = 'SHIPPING_DOUBT'") == 1
    await world.database.system.execute(other, {"warehouse": "B"})
    assert (await report(3, 3))["confirmed"] is False
    rows = [("W06", "F", "", day(0), "W7"), ("LX", 1), ("W12", "CC", 3, 3, 0, "EA", "", "BP", "S2")]
    assert await take(world, write_interchange("945", "SW", [rows], envelope(4)), "f4") == {"quarantined": 1}
    assert (await documents(world))[-1][
        "quarantine_reason"
    ] == "no_order: Warehouse shipment W7 names no order of ours."


async def test_a_cancelled_shipment_is_told_and_its_945_is_set_aside(world):
    await world.database.system.execute(WAREHOUSE)
    await world.stock(5, "S2")
    (placed,) = await world.place(world.order(("S2", 3)))
    (shipment_id,) = await world.do(lambda uow: plan_shipments(uow, [placed.order_id]))
    assert (await released(world, shipment_id)).purpose == "N"
    number = await world.value("select number from shipment")
    order_number = await world.value("select number from sales_order")
    await world.do(lambda uow: cancel_order(uow, CancelOrder(order_number, reason="CUSTOMER_REQUEST")))
    gone = await released(world, shipment_id)
    assert (gone.number, gone.purpose, gone.lines) == (number, "F", ())
    assert await released(world, shipment_id) is None
    rows = [("W06", "F", number, day(0), "W7"), ("LX", 1), ("W12", "CC", 3, 3, 0, "EA", "", "BP", "S2")]
    assert await take(world, write_interchange("945", "SW", [rows], envelope(2)), "b") == {"quarantined": 1}


async def test_a_warehouse_of_our_own_is_told_nothing(world):
    await world.database.system.execute(PARTNER)
    await world.stock(5, "S2")
    (placed,) = await world.place(world.order(("S2", 3)))
    (shipment_id,) = await world.do(lambda uow: plan_shipments(uow, [placed.order_id]))
    assert await world.rows("select 1 from outbox where job = 'send_warehouse_release'") == []
    assert await released(world, shipment_id) is None


async def test_a_refused_release_told_nothing_and_goes_out_anew(world):
    await world.database.system.execute(WAREHOUSE)
    await world.stock(3, "S2")
    (placed,) = await world.place(world.order(("S2", 3)))
    (shipment_id,) = await world.do(lambda uow: plan_shipments(uow, [placed.order_id]))
    first = await released(world, shipment_id)
    number = await world.value("select number from shipment")
    with pytest.raises(InvalidInput):
        await world.do(lambda uow: send_release_anew(uow, number))
    ours = read(await world.value("select bytes from edi_outbound")).interchanges[0].groups[0]
    fault = Fault(Level.SET, Severity.ERROR, "1", "not supported")
    result = SetResult("940", ours.sets[0].control, Verdict.REJECTED, (fault,))
    assert await take(world, write_997(ours, [result], envelope(2)), "r") == {"applied": 1}
    assert await world.value("select count(*) from outbox where topic = 'edi' and kind = 'SEND_FAILED'") == 1
    assert await world.do(lambda uow: send_release_anew(uow, number))
    assert await released(world, shipment_id) is None
    again = await world.value("select bytes from edi_outbound where kind = '940' order by id desc limit 1")
    (document,) = read(again).interchanges[0].groups[0].sets
    assert decode_940(document).document == first
    assert first.purpose == "N"


async def test_a_lost_unit_and_a_day_off_are_told_too(world):
    await world.database.system.execute(WAREHOUSE)
    await world.stock(3, "S2")
    (placed,) = await world.place(world.order(("S2", 3)))
    (shipment_id,) = await world.do(lambda uow: plan_shipments(uow, [placed.order_id]))
    ship_on = (await released(world, shipment_id)).ship_on
    asked = "select count(*) from outbox where job = 'send_warehouse_release'"
    assert await world.value(asked) == 1
    await world.do(lambda uow: adjust_stock(uow, AdjustStock("S2", "A", -1, "lost")))
    assert await world.value(asked) == 2
    fewer = await released(world, shipment_id)
    assert (fewer.purpose, [x.ordered for x in fewer.lines]) == ("R", [2])
    await world.database.system.execute(
        "insert into calendar_exception (calendar_id, day, is_working) select id, $1, false from calendar", ship_on
    )
    place = await world.location("A")
    assert await world.do(lambda uow: move_planned_shipments(uow, [place])) == 1
    assert await world.value(asked) == 3
    later = await released(world, shipment_id)
    assert (later.purpose, later.ship_on > ship_on) == ("R", True)


@pytest.mark.parametrize(
    ("told", "confirmed", "differences", "left"),
    [
        ([("L1", 1), ("L2", 9)], True, [], {"A/L1": (4, 0, 0), "A/L2": (11, 0, 0)}),
        ([("L2", 5), ("L1", 5)], True, [], {"A/L2": (15, 0, 0)}),
        ([("L2", 10)], True, [], {"A/L1": (5, 0, 0), "A/L2": (10, 0, 0)}),
        (
            [("L9", 10)],
            False,
            [{"sku": "S", "lot": "L9", "released": 0, "shipped": 10}],
            {"A/L1": (5, 0, 5), "A/L2": (20, 0, 5)},
        ),
    ],
)
async def test_a_945_that_names_lots_ships_these_lots(world, told, confirmed, differences, left):
    await track(world)
    await world.database.system.execute(WAREHOUSE)
    await world.database.system.execute("update supplier_sku set moq = 1")
    await receive(world, 5, "L1", SOON)
    await receive(world, 20, "L2", LATER)
    (placed,) = await world.place(world.order(("S", 4), ("S", 6)))
    await world.do(lambda uow: plan_shipments(uow, [placed.order_id]))
    number = await world.value("select number from shipment")
    rows = [("W06", "F", number, day(0), "W7")]
    for at, (lot, units) in enumerate(told, 1):
        rows += [("LX", at), ("W12", "CC", units, units, 0, "EA", "", "BP", "S", lot)]
    assert await take(world, write_interchange("945", "SW", [rows], envelope(2)), "b") == {"applied": 1}
    result = (await documents(world))[-1]["result"]
    assert (result["confirmed"], result["differences"]) == (confirmed, differences)
    assert await lots(world) == left
    doubts = await world.value("select count(*) from outbox where kind = 'SHIPPING_DOUBT'")
    assert doubts == (0 if confirmed else 1)


async def test_what_a_945_is_compared_with_is_what_leaves(world, monkeypatch):
    await world.database.system.execute(WAREHOUSE)
    await world.stock(5, "S2")
    (placed,) = await world.place(world.order(("S2", 3)))
    await world.do(lambda uow: plan_shipments(uow, [placed.order_id]))
    number = await world.value("select number from shipment")
    fewer = ChangeOrderLine(placed.number, 1, quantity=2)
    confirm = apply_shipping_advice.confirm_shipments
    changes: list[asyncio.Task] = []

    async def after_a_change(uow, requests):
        changes.append(asyncio.create_task(world.do(lambda other: change_order_line(other, fewer))))
        await asyncio.wait(changes, timeout=0.3)
        return await confirm(uow, requests)

    monkeypatch.setattr(apply_shipping_advice, "confirm_shipments", after_a_change)
    rows = [("W06", "F", number, day(0), "W7"), ("LX", 1), ("W12", "CC", 3, 3, 0, "EA", "", "BP", "S2")]
    assert await take(world, write_interchange("945", "SW", [rows], envelope(2)), "b") == {"applied": 1}
    (refused,) = await asyncio.gather(*changes, return_exceptions=True)
    assert isinstance(refused, DomainError)
    assert await world.rows("select ordered, shipped from order_line") == [{"ordered": 3, "shipped": 3}]
    assert await world.rows("select on_hand, allocated from stock_level where on_hand > 0") == [
        {"on_hand": 2, "allocated": 0}
    ]
