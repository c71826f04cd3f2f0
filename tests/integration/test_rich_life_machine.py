"""The life machine with what makes a company's goods hard: lots, kits, quotas, pre-orders, kept stock, notices of shipment.

All rules of `test_life_machine.py` take part; at the end of each company the auditor finds nothing.
"""

from __future__ import annotations

import itertools
from collections import Counter
from datetime import timedelta
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import precondition, rule, run_state_machine_as_test

from core.domain.placing import LineRequest
from core.services.adjust_stock import AdjustStock, adjust_stock
from core.services.apply_ship_notice import ShipNoticeInput, apply_ship_notice
from core.services.block_lot import ChangeLot, block_lot, release_lot
from core.services.change_kit import ChangeKit, change_kit
from core.services.change_selling_rules import SetProtectedStock, SetQuota, set_protected_stock, set_quota
from core.services.count_stock import CountStock, count_stock
from core.services.create_reservation import CreateReservation, ReservationItem, create_reservation
from core.services.expire_lots import expire_lots
from core.services.extend_reservation import extend_reservation
from core.services.place_orders import place_orders
from core.services.receive_goods import ReceiptLine, ReceiveGoods, receive_goods
from core.services.recount_ledgers import recount
from core.services.set_release_day import SetReleaseDay, set_release_day
from core.services.withdraw_ship_notice import withdraw_ship_notice
from tests.integration.test_life_machine import QUIET, LifeMachine, days, pick, quantity, sku

GOODS = """
insert into sku (code, name, unit_cost, unit_price, currency, tracks_lots, tracks_expiry)
    values ('L', '{"en": "L"}', 1000, 2000, 'KRW', true, true), ('K', '{"en": "K"}', 0, 5000, 'KRW', false, false);
insert into supplier_sku (supplier_id, sku_id, vendor_code, price, currency, lead_time_days, lead_time_p80, is_preferred)
    select p.id, k.id, 'V-L', 700, 'KRW', 10, 14, true from supplier p, sku k where p.code = 'SUP' and k.code = 'L';
"""
lot, place = st.sampled_from(["L1", "L2", "L3"]), st.sampled_from(["A", "B"])
EVENTUAL = {"hold_is_swept"}
"""Says that nobody sweeps, and here nobody does but the machine."""


class RichLifeMachine(LifeMachine):
    """One company whose goods are lots, parts of kits, rationed, announced and kept back."""

    async def _found(self, stock: list[tuple[str, str, int]]) -> None:
        await super()._found(stock)
        await self.database.system.execute(GOODS)
        await self.world.do(lambda uow: change_kit(uow, ChangeKit("K", {"S": 1, "S2": 2})))

    def teardown(self) -> None:
        try:
            if hasattr(self, "world"):
                found = self.run(self.world.do(recount))
                assert [(d.check, d.rows[:2]) for d in found if d.check not in EVENTUAL] == []
        finally:
            super().teardown()

    def _day(self, wait: int) -> Any:
        return self.world.clock.at.date() + timedelta(days=wait)

    # --- kits and lots

    @rule(code=st.sampled_from(["L", "L", "K"]), units=st.integers(1, 6), wait=st.none() | days, life=st.none() | days)
    def place_goods(self, code: str, units: int, wait: int | None, life: int | None) -> None:
        when = None if wait is None else self._day(wait)
        order = self.world.order(LineRequest(code, units, when, min_life_days=life if code == "L" else None))
        self.act(f"place {code}", lambda uow: place_orders(uow, [order]))

    @rule(code=lot, where=place, units=st.integers(-3, 8), life=st.integers(1, 40))
    def find_lot(self, code: str, where: str, units: int, life: int) -> None:
        found = AdjustStock("L", where, units, "found", lot=code, expires_on=self._day(life) if units > 0 else None)
        self.act("find lot", lambda uow: adjust_stock(uow, found))

    @rule(code=lot, where=place, units=st.integers(0, 8))
    def count_lot(self, code: str, where: str, units: int) -> None:
        self.act("count lot", lambda uow: count_stock(uow, CountStock("L", where, units, lot=code)))

    @rule(code=lot, stop=st.booleans())
    def recall(self, code: str, stop: bool) -> None:
        change = ChangeLot("L", code, "because")
        self.act("recall", lambda uow: block_lot(uow, change) if stop else release_lot(uow, change))

    @rule()
    def spoil(self) -> None:
        sku_id = self.run(self.world.sku("L"))
        self.act("spoil", lambda uow: expire_lots(uow, sku_id))

    @precondition(lambda self: self.there.get("purchases"))
    @rule(n=pick, units=quantity, damaged=st.integers(0, 2), code=lot, life=st.integers(5, 60))
    def receive_lot(self, n: int, units: int, damaged: int, code: str, life: int) -> None:
        if row := self.some(
            n,
            """select p.number, w.code as place, l.line_number from purchase_order_line l
            join purchase_order p on p.id = l.purchase_order_id join sku k on k.id = l.sku_id
            join location w on w.id = p.location_id where k.code = 'L' order by l.id""",
        ):
            line = ReceiptLine("L", units, min(damaged, units), row["line_number"], code, self._day(life))
            receipt = ReceiveGoods(row["number"], "PURCHASE_ORDER", row["place"], [line])
            self.act("receive lot", lambda uow: receive_goods(uow, receipt))

    # --- who may have how much, and from when on

    @rule(code=sku, units=st.none() | st.integers(0, 9), tier=st.none() | st.just("VIP"), period=st.integers(-3, 20))
    def ration(self, code: str, units: int | None, tier: str | None, period: int) -> None:
        today = self._day(0)
        last = None if period < 0 else self._day(period)
        quota = SetQuota(code, "WEEK" if last is None else "WINDOW", units, today, last, tier=tier)
        self.act("ration", lambda uow: set_quota(uow, quota))

    @rule(code=sku, where=place, units=st.integers(0, 6), wait=days)
    def keep_back(self, code: str, where: str, units: int, wait: int) -> None:
        rule = SetProtectedStock(code, where, [(self._day(wait), units)])
        self.act("keep back", lambda uow: set_protected_stock(uow, rule))

    @rule(code=sku, wait=st.none() | st.integers(1, 20))
    def announce(self, code: str, wait: int | None) -> None:
        release = SetReleaseDay(code, None if wait is None else self._day(wait))
        self.act("announce", lambda uow: set_release_day(uow, release))

    @rule(n=pick, seconds=st.sampled_from([60, 7200]))
    def extend(self, n: int, seconds: int) -> None:
        if row := self.some(n, "select distinct group_id::text as g from reservation order by 1"):
            self.act("extend", lambda uow: extend_reservation(uow, row["g"], seconds))

    @rule(units=quantity)
    def hold_lot(self, units: int) -> None:
        wanted = CreateReservation([ReservationItem("L", units)], ttl_seconds=3600)
        self.act("hold lot", lambda uow: create_reservation(uow, wanted))

    # --- on the way

    @precondition(lambda self: self.there.get("purchases"))
    @rule(n=pick, units=quantity, wait=days)
    def ship_in(self, n: int, units: int, wait: int) -> None:
        if row := self.some(
            n,
            """select p.number, p.supplier_id, l.line_number from purchase_order_line l
            join purchase_order p on p.id = l.purchase_order_id
            where l.unanswered + l.accepted + l.supplier_backordered + l.held > 0 order by l.id""",
        ):
            number = f"N{next(_notices)}"
            lines = [(row["number"], row["line_number"], None, units)]
            notice = ShipNoticeInput(row["supplier_id"], number, self._day(0), self._day(wait), "DHL", number, lines)
            self.act("ship in", lambda uow: apply_ship_notice(uow, notice))

    @precondition(lambda self: self.there.get("purchases"))
    @rule(n=pick, back=st.booleans())
    def turn_back(self, n: int, back: bool) -> None:
        if row := self.some(n, "select supplier_id, number from ship_notice order by id"):
            who = row["supplier_id"], row["number"]
            self.act("turn back", lambda uow: withdraw_ship_notice(uow, *who, came_back=back))


_notices = itertools.count(1)


def _machine(server_url: str, template: str) -> type[RichLifeMachine]:
    return type("RichLife", (RichLifeMachine,), {"server_url": server_url, "template": template, "seen": Counter()})


def test_a_company_with_hard_goods_lives_through_anything(server_url, template_database):
    machine = _machine(server_url, template_database)
    run_state_machine_as_test(
        machine, settings=settings(max_examples=3, stateful_step_count=20, derandomize=True, **QUIET)
    )
    assert {"place", "course"} < set(machine.seen)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_many_companies_with_hard_goods_live_through_anything(server_url, template_database):
    machine = _machine(server_url, template_database)
    run_state_machine_as_test(machine, settings=settings(max_examples=60, stateful_step_count=60, **QUIET))
    wanted = {"place K", "place L", "find lot", "count lot", "recall", "spoil", "receive lot", "ration", "keep back"}
    assert {*wanted, "announce", "extend", "ship in", "turn back", "repromise"} <= set(machine.seen)
