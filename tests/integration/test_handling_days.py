"""How long goods take at our dock is read from what carriers say; what nobody has booked yet is open."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from core.queries.date_residuals import handling_residuals
from core.repositories.gates import take_gates
from core.services.adjust_stock import AdjustStock, adjust_stock
from core.services.raise_purchase_requests import raise_purchase_requests
from core.services.receive_goods import ReceiptLine, ReceiveGoods, receive_goods

pytestmark = pytest.mark.anyio


async def test_from_the_carriers_delivery_to_the_first_receipt(world):
    at = world.clock.at
    sku_id = await world.value("select min(id) from sku")
    place = await world.value("select min(id) from location where kind in ('dc', 'warehouse')")
    supplier = await world.value("select min(id) from supplier")

    async def write(uow):
        await take_gates(uow, [sku_id])
        for number, received in enumerate((2, None)):
            notice = await uow.sql.fetchval(
                "insert into ship_notice (supplier_id, number) values ($1, $2) returning id", supplier, f"S{number}"
            )
            line = await uow.sql.fetchval(
                "insert into ship_notice_line (sku_id, ship_notice_id, line_number, quantity) values ($1, $2, 1, 5) returning id",
                sku_id, notice,
            )  # fmt: skip
            supply = await uow.sql.fetchval(
                """insert into supply (sku_id, location_id, kind, supplier_id, ship_notice_line_id, quantity, usable_date)
                values ($1, $2, 'purchase', $3, $4, 5, $5) returning id""",
                sku_id, place, supplier, line, at.date(),
            )  # fmt: skip
            for status, ago in (("X6", 9), ("D1", 4)):
                await uow.sql.execute(
                    """insert into carrier_event (carrier, tracking_number, ship_notice_id, status_code, occurred_at)
                    values ('C', $1, $2, $3, $4)""",
                    f"T{number}", notice, status, at - timedelta(days=ago),
                )  # fmt: skip
            if received is not None:
                receipt = await uow.sql.fetchval(
                    "insert into goods_receipt (number, location_id, actor, received_at) values ('R', $1, 't', $2) returning id",
                    place, at - timedelta(days=4 - received),
                )  # fmt: skip
                await uow.sql.execute(
                    "insert into goods_receipt_line (sku_id, goods_receipt_id, supply_id, quantity, damaged) values ($1, $2, $3, 5, 1)",
                    sku_id, receipt, supply,
                )  # fmt: skip

    await world.do(write)
    rows = await world.do(lambda uow: handling_residuals(uow.sql, at, 30))
    days: dict[str, list[int | None]] = {}
    for row in rows:
        came: date | None = row["came"]
        days.setdefault(row["stage"], []).append(None if came is None else (came - row["stated"]).days)
    assert {stage: sorted(found, key=str) for stage, found in days.items()} == {"RECEIVE": [2, None], "SHELF": [None]}


async def test_damaged_units_that_an_adjustment_puts_right_are_on_the_shelf(world):
    """Three receipts of one damaged unit each, the last without any adjustment: it waits, the others do not."""
    start = world.clock.at
    await world.place(world.order(("S", 40)))
    sku_id = await world.sku("S")
    (order,) = await world.do(lambda uow: raise_purchase_requests(uow, [sku_id]))
    await world.database.system.execute("update purchase_order set status = 'SENT', sent_at = now()")
    number, place = (
        await world.rows(
            "select p.number, l.code from purchase_order p join location l on l.id = p.location_id where p.id = $1",
            order,
        )
    )[0].values()
    lines = [ReceiptLine("S", 5, 1)]
    for day in (0, 10, 20):
        world.clock.at = start + timedelta(days=day)
        await world.do(lambda uow: receive_goods(uow, ReceiveGoods(number, "PURCHASE_ORDER", place, lines)))
        world.clock.at += timedelta(days=2)
        if day < 20:
            await world.do(lambda uow: adjust_stock(uow, AdjustStock("S", place, -1, "nothing wrong", unsellable=True)))
    rows = await world.do(lambda uow: handling_residuals(uow.sql, uow.now, 730))
    assert [(row["came"] - row["stated"]).days for row in rows if row["came"]] == [2, 2]
    assert len(rows) == 3
