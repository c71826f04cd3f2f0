"""Sharing out what comes free on a real database: by rank, by fair shares, over lanes, and nobody passed over for ever."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from core.domain.conclude import conclude
from core.domain.placing import LineRequest
from core.domain.states import PegKind, PromiseReason, ShipPolicy
from core.repositories.gates import take_gates
from core.repositories.load_book import load_books
from core.repositories.network import load_network
from core.repositories.save_book import save_books
from core.services.allocate_waiting import allocate_waiting, serve_books
from core.services.plan_shipments import plan_shipments
from core.services.reconcile_stock import recount
from core.services.reprioritize_backorder import ReprioritizeBackorder, reprioritize_backorder
from core.services.reschedule_supply import SupplyChange, reschedule_supply

pytestmark = pytest.mark.anyio

TODAY = date(2026, 11, 2)


async def serve(world, sku: str = "S"):
    sku_id = await world.sku(sku)
    return await world.do(lambda uow: allocate_waiting(uow, [sku_id]))


async def policy(world, code: str, value) -> None:
    await world.database.system.execute(
        "insert into policy (code, value) values ($1, $2) on conflict (code) do update set value = $2", code, value
    )


async def allocated(world, *numbers: str) -> list[int]:
    return [(await world.quantities(number))[1] for number in numbers]


async def waiting(world, *orders) -> list[str]:
    return [result.number for result in await world.place(*orders)]


async def decision(world) -> dict:
    return (await world.rows("select after from audit_entry where operation = 'allocateWaiting' order by id desc"))[0][
        "after"
    ]


async def test_the_contract_class_is_served_before_older_lines_and_the_older_one_is_bumped(world):
    plain, vip = await waiting(world, world.order(("S", 4)), world.order(("S", 4), customer="V1"))
    await world.stock(5)
    await serve(world)
    assert await allocated(world, plain, vip) == [1, 4]
    said = await decision(world)
    assert said["rule"] == "PRIORITY"
    assert [(row["tier"], row["quantity"]) for row in said["given"]] == [("CONTRACT", 4), ("REST", 1)]
    assert [c["name"] for c in said["given"][0]["components"]][:2] == ["slack", "contract"]
    assert (await world.line(plain))["times_bumped"] == 0  # it got something
    assert await world.do(recount) == []


async def test_who_is_passed_over_again_and_again_is_served_at_last(world):
    """Newcomers of a better grade come with every unit; the old line's claim grows until it is its turn."""
    await policy(world, "priority", {"weights": {"bumped": 1.0}, "contractGrades": []})
    (old,) = await waiting(world, world.order(("S", 1)))
    rounds = 0
    while (await allocated(world, old)) == [0]:
        await waiting(world, world.order(("S", 2 + rounds), customer="V1"))
        await world.stock(1)
        await serve(world)
        rounds += 1
        assert rounds < 12
    assert rounds > 2
    assert (await world.line(old))["times_bumped"] == rounds - 1
    assert (await world.line(old))["version"] == 2  # being bumped is no change of the line


async def test_a_line_whose_supply_is_late_is_at_risk_and_gets_free_stock_first(world):
    """Tier from facts: the promise of the plain line does not hold any more, that of the VIP line still does."""
    supply = await world.supply(4, TODAY + timedelta(days=5))
    (risky,) = await waiting(world, world.order(("S", 4)))
    (vip,) = await waiting(world, world.order(("S", 4), customer="V1"))
    sku_id = await world.sku()

    async def slip(uow):
        await take_gates(uow, [sku_id])
        await uow.sql.execute("update supply set usable_date = $2 where id = $1", supply, TODAY + timedelta(days=30))

    await world.do(slip)
    await world.stock(4)
    await serve(world)
    assert await allocated(world, risky, vip) == [4, 0]
    assert (await decision(world))["given"][0]["tier"] == "AT_RISK"
    jobs = await world.rows("select payload from outbox where job = 'raise_purchase_request' and job_key like 'skus:%'")
    assert jobs, "the supply that lost its claim is offered to others"
    assert await world.do(recount) == []


async def test_stock_of_a_reserve_is_moved_for_the_highest_rank_at_once(world):
    """20: the reserve cannot ship to customers; what comes free there is redistributed by rank, over its lane."""
    plain, vip = await waiting(world, world.order(("S", 4)), world.order(("S", 4), customer="V1"))
    await world.stock(5, location="R")
    await serve(world)
    pegs = await world.rows(
        """select o.number, p.kind, p.quantity, p.need_date from peg p join order_line l on l.id = p.order_line_id
        join sales_order o on o.id = l.order_id order by o.number, p.kind"""
    )
    there = TODAY + timedelta(days=2)
    assert [tuple(row.values()) for row in pegs] == [
        (plain, PegKind.FIRM, 1, there),
        (plain, PegKind.OPEN, 3, TODAY + timedelta(days=14)),
        (vip, PegKind.FIRM, 4, there),
    ]
    transfers = await world.rows("select quantity, state from transfer order by quantity")
    assert [tuple(row.values()) for row in transfers] == [(1, "planned"), (4, "planned")]
    assert (await world.line(vip))["promised_date"] == there + timedelta(days=1)
    assert (
        await world.value(
            "select state from backorder b join order_line l on l.id = b.order_line_id where l.id = $1",
            (await world.line(vip))["id"],
        )
        == "PEGGED"
    )
    assert await world.do(recount) == []
    await serve(world)
    assert await world.value("select count(*) from transfer") == 2


@pytest.mark.parametrize("rule", [{"isOn": False}, {"maxDays": 1}, {"maxCostPerUnit": 10}])
async def test_planners_say_when_stock_is_moved(world, rule):
    await policy(world, "redistribution", rule)
    await world.database.system.execute("update lane set cost = 11, updated_at = now()")
    await waiting(world, world.order(("S", 4)))
    await world.stock(5, location="R")
    await serve(world)
    assert await world.value("select count(*) from transfer") == 0


async def test_fair_shares_of_customers_instead_of_rank(world):
    await policy(world, "allocation", {"skus": {"S": "FAIR_SHARE"}, "groupBy": "GRADE", "weights": {"VIP": 2}})
    plain, vip, other = await waiting(
        world, world.order(("S", 30)), world.order(("S", 30), customer="V1"), world.order(("S2", 9), customer="V1")
    )
    await world.stock(15)
    await serve(world)
    assert await allocated(world, plain, vip) == [5, 10]
    assert (await decision(world))["rule"] == "FAIR_SHARE"
    await world.stock(3, "S2")
    await serve(world, "S2")
    assert await allocated(world, other) == [3]
    assert (await decision(world))["rule"] == "PRIORITY"


async def test_a_share_that_its_group_cannot_use_goes_to_the_others(world):
    await policy(world, "allocation", {"default": "FAIR_SHARE"})
    first, second = await waiting(world, world.order(("S", 2)), world.order(("S", 30), customer="C2"))
    await world.stock(15)
    await serve(world)
    assert await allocated(world, first, second) == [2, 13]


async def test_a_complete_line_waits_until_it_is_whole_where_planners_want_that(world):
    await policy(world, "complete_lines", "FREE")
    whole, small = await waiting(
        world,
        world.order(LineRequest("S", 10, ship_policy=ShipPolicy.COMPLETE), customer="V1"),
        world.order(("S", 3)),
    )
    await world.stock(6)
    await serve(world)
    assert await allocated(world, whole, small) == [0, 0]  # its promise is kept from those who rank lower
    await world.stock(5)
    await serve(world)
    assert await allocated(world, whole, small) == [10, 1]


async def test_a_planners_rank_wins_until_it_is_taken_back(world):
    plain, vip = await waiting(world, world.order(("S", 4)), world.order(("S", 4), customer="V1"))
    line = await world.line(plain)
    backorder = await world.value("select id from backorder where order_line_id = $1", line["id"])

    async def rank(score):
        await world.do(
            lambda uow: reprioritize_backorder(
                uow, ReprioritizeBackorder(line["sku_id"], backorder, score, "promised to the minister")
            )
        )
        return await world.value("select priority from backorder where id = $1", backorder)

    said = await rank(9_000_000)
    assert (said["score"], said["manual"], said["reason"]) == (9_000_000, True, "promised to the minister")
    await world.stock(1)
    await serve(world)
    assert await allocated(world, plain, vip) == [1, 0]
    assert (await world.line(plain))["priority_score"] == 9_000_000
    assert await world.value("select priority ->> 'reason' from backorder where id = $1", backorder)
    said = await rank(None)
    assert said["manual"] is False
    assert said["score"] < 1_000_000
    await world.stock(1)
    await serve(world)
    assert await allocated(world, plain, vip) == [1, 1]


async def test_the_backorder_says_what_its_rank_is_made_of(world):
    (number,) = await waiting(world, world.order(("S", 4), ("S2", 1), customer="V1"))
    given = (await world.rows("select priority from backorder order by id"))[0]["priority"]
    assert given["tier"] == "CONTRACT"
    assert given["score"] == (await world.line(number))["priority_score"]
    figures = {c["name"]: (c["value"], c["weight"]) for c in given["components"]}
    assert figures["grade"] == (1.0, 3.0)
    assert figures["margin"] == (0.5, 1.0)
    assert figures["completion"] == (0.0, 1.0)
    assert figures["supplierRisk"] == (1.0, 0.5)
    total = sum(value * weight for value, weight in figures.values())
    assert given["score"] == 1_000_000 + int(total * 1_000)


async def test_a_delay_puts_a_line_at_risk_and_stock_elsewhere_rescues_it(world):
    """36: the customer was told a later day; what comes free at another place goes there before a better grade."""
    supply = await world.supply(4, TODAY + timedelta(days=5))
    (risky,) = await waiting(world, world.order(("S", 4)))
    await waiting(world, world.order(("S", 4), customer="V1"))
    change = SupplyChange(await world.sku(), supply, TODAY + timedelta(days=30), "CONFIRMED_ORDER")
    await world.do(lambda uow: reschedule_supply(uow, [change]))
    rank = await world.value(
        "select b.priority from backorder b join order_line l on l.id = b.order_line_id where l.id = $1",
        (await world.line(risky))["id"],
    )
    assert rank["tier"] == "AT_RISK"
    told = (await world.line(risky))["promised_date"]
    assert told == TODAY + timedelta(days=31)
    await world.stock(6, location="R")
    await serve(world)
    assert (await world.line(risky))["promised_date"] == TODAY + timedelta(days=3)
    firm = await world.rows(
        "select l.id, sum(p.quantity)::int as units from peg p join order_line l on l.id = p.order_line_id "
        "where p.kind = 'FIRM' and p.need_date = $1 group by 1 order by 1",
        TODAY + timedelta(days=2),
    )
    assert [row["units"] for row in firm] == [4, 2]
    assert await world.do(recount) == []


async def test_goods_that_reach_a_reserve_go_on_to_who_waits_at_once(world):
    """34: the reserve cannot ship to customers; its receipt becomes transfers in the very next job."""
    (number,) = await waiting(world, world.order(("S", 4)))
    await world.supply(9, TODAY, location="R")
    reserve, sku_id = await world.location("R"), await world.sku()

    async def arrive(uow):
        books = await load_books(uow, await take_gates(uow, [sku_id]), await load_network(uow), lines="waiting")
        book = books[sku_id]
        book.receive(next(s for s in book.supplies if s.location_id == reserve), 9, 0, "goods_receipt", 1)
        await serve_books(uow, [book], await load_network(uow))
        await save_books(uow, [book])

    await world.do(arrive)
    assert await world.rows("select quantity, state from transfer") == [{"quantity": 4, "state": "planned"}]
    assert await world.quantities(number) == (0, 0, 4, 0, 0)
    assert await world.value("select state from backorder") == "PEGGED"
    found = [difference.check for difference in await world.do(recount)]
    assert found == ["units_have_a_document"]  # this receipt has no document, nothing else is wrong


async def test_goods_for_a_waiting_line_are_on_its_shipment_without_hands(world):
    """23: what arrives for a line is never put away: the shipment is planned from the receipt on."""
    await world.supply(4, TODAY + timedelta(days=5))
    (number,) = await waiting(world, world.order(("S", 4)))
    sku_id = await world.sku()

    async def arrive(uow):
        books = await load_books(uow, await take_gates(uow, [sku_id]), await load_network(uow), lines="waiting")
        book = books[sku_id]
        lines = book.receive(book.supplies[0], 4, 0, "goods_receipt", 1)
        conclude(book, await load_network(uow), lines, PromiseReason.ALLOCATED)
        await save_books(uow, [book])
        return lines[0].order_id

    order_id = await world.do(arrive)
    assert len(await world.do(lambda uow: plan_shipments(uow, [order_id]))) == 1
    assert (await world.line(number))["status"] == "READY_TO_SHIP"
