"""A line that is not validated knows its sources and keeps its place, and gets no stock before it is validated."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from core.domain.placing import LineRequest
from core.services.release_order_hold import release_order_hold
from core.services.reschedule_supply import SupplyChange, reschedule_supply
from tests.world import TODAY, World

pytestmark = pytest.mark.anyio
WANTED = TODAY + timedelta(days=9)


async def pegs(world: World, number: str | None) -> list[tuple[Any, ...]]:
    rows = await world.rows(
        """select p.kind, p.quantity, p.need_date from peg p join order_line l on l.sku_id = p.sku_id and
        l.id = p.order_line_id join sales_order o on o.id = l.order_id where o.number = $1 order by p.kind""",
        number,
    )
    return [(row["kind"], row["quantity"], (row["need_date"] - TODAY).days) for row in rows]


async def held(world: World, quantity: int = 4) -> str | None:
    line = LineRequest("S", quantity, requested_date=WANTED)
    (result,) = await world.place(world.order(line, payment_state="FAILED"))
    return result.number


async def test_a_held_order_is_covered_softly_and_firmly_once_it_is_released(world: World) -> None:
    await world.supply(4, TODAY + timedelta(days=5))
    number = await held(world)
    assert await pegs(world, number) == [("SOFT", 4, 8)]
    assert await world.quantities(number) == (4, 0, 0, 0, 0)
    assert await world.value("select pegged from supply") == 4
    (sale,) = await world.rows("select slices from promise")
    assert [s["source"] for s in sale["slices"]] == ["PRODUCTION"]
    await world.do(lambda uow: release_order_hold(uow, number or ""))
    assert await pegs(world, number) == [("FIRM", 4, 8)]


async def test_its_supply_may_slip_without_a_word_to_the_customer(world: World) -> None:
    supply_id, sku_id = await world.supply(4, TODAY + timedelta(days=5)), await world.sku()
    number = await held(world)
    change = SupplyChange(sku_id, supply_id, TODAY + timedelta(days=20), "CONFIRMED_ORDER")
    await world.do(lambda uow: reschedule_supply(uow, [change]))
    assert await pegs(world, number) == [("OPEN", 4, 8)]
    assert await world.value("select pegged from supply") == 0
    assert await world.value("select count(*) from outbox where kind = 'PROMISE_MOVED'") == 0


async def test_a_validated_line_that_would_be_late_takes_its_source(world: World) -> None:
    early, sku_id = await world.supply(4, TODAY + timedelta(days=5)), await world.sku()
    late = await world.supply(4, TODAY + timedelta(days=6))
    number = await held(world)
    (firm,) = await world.place(world.order(LineRequest("S", 4, requested_date=WANTED), customer="C2"))
    assert await pegs(world, firm.number) == [("FIRM", 4, 8)]
    covering = await world.value("select supply_id from peg where kind = 'FIRM'")
    change = SupplyChange(sku_id, covering, TODAY + timedelta(days=40), "CONFIRMED_ORDER")
    await world.do(lambda uow: reschedule_supply(uow, [change]))
    assert await pegs(world, firm.number) == [("FIRM", 4, 8)]
    assert await pegs(world, number) == [("OPEN", 4, 8)]
    other = early if covering == late else late
    assert await world.value("select supply_id from peg where kind = 'FIRM'") == other
    assert (await world.line(firm.number))["promised_date"] == WANTED


async def test_goods_that_arrive_are_not_given_to_it_and_its_place_stays(world: World) -> None:
    from core.domain.states import PegKind

    await world.supply(4, TODAY + timedelta(days=5))
    number = await held(world)
    from core.repositories.gates import take_gates
    from core.repositories.load_book import load_books
    from core.repositories.network import load_network
    from core.repositories.save_book import save_books

    async def arrive(uow: Any) -> None:
        sku_id = await uow.sql.fetchval("select id from sku where code = 'S'")
        network = await load_network(uow)
        books = await load_books(uow, await take_gates(uow, [sku_id]), network, lines="waiting")
        book = books[sku_id]
        lines = book.receive(book.supplies[0], 4, 0, "goods_receipt", None)
        for line in lines:
            book.settle(line, "ALLOCATED")
        assert [p.kind for p in book.pegs if p.quantity] == [PegKind.OPEN]
        await save_books(uow, books.values())

    await world.do(arrive)
    assert await pegs(world, number) == [("OPEN", 4, 8)]
    assert await world.quantities(number) == (4, 0, 0, 0, 0)
    (other,) = await world.place(world.order(("S", 1), customer="C2"))
    assert (await world.quantities(other.number))[1] == 0
