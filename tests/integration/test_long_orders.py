"""Orders of many lines: whatever is done to them, others are served between two of the lines."""

import asyncio
from itertools import count

import pytest

from core import giving_way
from core.giving_way import GivingWay
from core.services.cancel_order import CancelOrder, cancel_order
from core.services.hold_order import HoldOrder, hold_order
from core.services.release_order_hold import release_order_hold

pytestmark = pytest.mark.anyio


async def test_a_task_goes_on_until_it_has_had_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = count(0.0, 0.009)
    monkeypatch.setattr(giving_way, "perf_counter", lambda: next(seconds))
    served = 0

    async def other() -> None:
        nonlocal served
        while True:
            served += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    work = GivingWay()
    shares = []
    for _ in range(8):
        await work.between()
        shares.append(served)
    task.cancel()
    assert shares == [0, 0, 1, 1, 1, 2, 2, 2]


async def test_others_are_served_between_the_lines_of_an_order(world, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = 0

    class Counted(GivingWay):
        async def between(self) -> None:
            nonlocal asked
            asked += 1

    for verb in ("place_orders", "hold_order", "release_order_hold", "cancel_order"):
        monkeypatch.setattr(f"core.services.{verb}.GivingWay", Counted)
    pauses = {}
    await world.stock(2)

    async def counted(name, doing):
        nonlocal asked
        asked = 0
        result = await doing
        pauses[name] = asked
        return result

    number = (await counted("place", world.place(world.order(*[("S", 1)] * 5))))[0].number
    await counted("hold", world.do(lambda uow: hold_order(uow, HoldOrder(number, "CREDIT"))))
    await counted("release", world.do(lambda uow: release_order_hold(uow, number)))
    await counted("cancel", world.do(lambda uow: cancel_order(uow, CancelOrder(number))))
    assert pauses == {"place": 5, "hold": 5, "release": 5, "cancel": 5}
