"""Orders, holds, changes, shortages, options, supply and stock in any order: the real services on a real database.

After every step all identities are recounted (`tests/life_checks.py`); what was refused has changed nothing.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, ClassVar

import asyncpg
import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from core.database import Database
from core.domain.placing import LineRequest, ShipTo
from core.domain.states import CourseStep, ResolutionKind, ShipPolicy
from core.errors import DomainError
from core.services.adjust_stock import AdjustStock, adjust_stock
from core.services.allocate_waiting import allocate_waiting
from core.services.apply_acknowledgement import AcknowledgeLine, AcknowledgePurchaseOrder, apply_acknowledgement
from core.services.cancel_backorder import CancelBackorder, cancel_backorder
from core.services.cancel_order import CancelOrder, cancel_order
from core.services.cancel_purchase_order import cancel_purchase_order
from core.services.change_order_line import ChangeOrderLine, change_order_line
from core.services.change_policy import ChangePolicy, change_policy
from core.services.change_ship_to import ChangeShipTo, change_ship_to
from core.services.check_overdue_supplies import check_overdue_supplies
from core.services.choose_option import ChooseOption, choose_option, expire_offer
from core.services.close_purchase_order import ClosePurchaseOrder, close_purchase_order
from core.services.confirm_delivery import ConfirmDelivery, confirm_deliveries
from core.services.confirm_shipment import ConfirmShipment, confirm_shipments
from core.services.count_stock import CountStock, count_stock
from core.services.create_reservation import CreateReservation, ReservationItem, create_reservation
from core.services.exchange_goods import ExchangeGoods, exchange_goods
from core.services.expire_reservations import expire_reservations
from core.services.hold_order import HoldOrder, hold_order
from core.services.inspect_goods import InspectGoods, inspect_goods
from core.services.place_orders import place_orders
from core.services.plan_shipments import plan_shipments
from core.services.raise_purchase_requests import raise_purchase_requests
from core.services.receive_goods import ReceiptLine, ReceiveGoods, receive_goods
from core.services.receive_transfers import lose_transfers, receive_transfers
from core.services.release_order_hold import release_order_hold
from core.services.reprioritize_backorder import ReprioritizeBackorder, reprioritize_backorder
from core.services.reschedule_supply import SupplyChange, reschedule_supply
from core.services.return_goods import ReturnGoods, return_goods
from core.services.review_backorders import overdue_options
from core.services.run_backorder_course import run_backorder_course
from core.services.run_hold_deadlines import run_hold_deadlines
from core.services.serve_due_claims import serve_due_claims
from core.services.ship_transfers import ship_transfers
from core.services.split_order_line import SplitOrderLine, split_order_line
from core.services.steer_course import PauseCourse, RunStep, pause_course, run_step
from core.services.substitute_line import substitute_line
from core.services.transfer_stock import TransferStock, transfer_stock
from core.settings import Settings
from tests.conftest import with_database
from tests.life_checks import DIGEST, LEGAL, PARKED, QUERIES, TERMINAL
from tests.repromising_runs import definition, propose, publish
from tests.world import MASTER_DATA, TODAY, FixedClock, World

SKUS, PLACES = ("S", "S2", "S3"), ("A", "B", "R")
MORE = """
insert into substitute (sku_id, substitute_sku_id, ratio, rank, needs_consent)
    select a.id, b.id, v.ratio, 1, v.consent from (values ('S', 'S2', 2, true), ('S2', 'S3', 1, false)) as v(a, b, ratio, consent)
    join sku a on a.code = v.a join sku b on b.code = v.b;
insert into location (code, name, kind, time_zone, calendar_id) select 'JP', 'JP', 'destination', 'Asia/Tokyo', id from calendar;
insert into lane (from_location_id, to_location_id, transit_days, calendar_id)
    select f.id, t.id, 5, c.id from calendar c, location f, location t where f.code = 'B' and t.code = 'JP';
insert into delivery_zone (country, postal_prefix, location_id) select 'JP', '', id from location where code = 'JP';
insert into policy (code, value) values ('backorder_course', '[{"step": "OTHER_SITES"}, {"step": "SUBSTITUTE"},
    {"step": "PURCHASE"}, {"step": "OPTIONS", "waitLongerThanDays": 3}, {"step": "RELEASE"}]'),
    ('backorder_options', '{"compensation": {"basisPoints": 500, "minWaitDays": 5}}'), ('purchase_approval_limit', '100000000'),
    ('duplicate_window_minutes', '0');
"""
OUTDATED = """select o.id from option_offer o join backorder b on b.sku_id = o.sku_id and b.id = o.backorder_id
where o.state = 'OPEN' and b.state = 'OPTION_OFFERED'
    and (o.quantity, o.expected_date) is distinct from (b.quantity, b.expected_date)"""
_numbers = itertools.count(1)
quantity, pick = st.integers(1, 12), st.integers(0, 1_000)
sku, site = st.sampled_from(SKUS), st.sampled_from(PLACES)
days = st.integers(0, 40)


order_lines = st.lists(
    st.tuples(sku, quantity, st.none() | days, st.sampled_from(ShipPolicy), st.booleans()), min_size=1, max_size=3
)


class LifeMachine(RuleBasedStateMachine):
    """One company from its first order on. `pick` chooses among what there is."""

    server_url = ""
    template = ""
    seen: ClassVar[Counter[str]] = Counter()
    """What was done, and which states backorders have been in: a machine that never gets there proves nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.ended: dict[tuple[int, int], str] = {}
        self.there: dict[str, int] = {}

    def run(self, work: Awaitable[Any]) -> Any:
        async def wait() -> Any:
            return await work

        return self.runner.run(wait())

    @initialize(
        stock=st.lists(st.tuples(sku, site, st.integers(1, 10)), max_size=4),
        orders=st.lists(
            st.tuples(order_lines, st.sampled_from(["C1", "C2", "V1"]), st.booleans()), min_size=2, max_size=4
        ),
    )
    def found(self, stock: list[tuple[str, str, int]], orders: list) -> None:
        self.run(self._found(stock))
        for lines, customer, whole in orders:
            self.place(lines, customer, whole, "OK", False, "course")

    async def _found(self, stock: list[tuple[str, str, int]]) -> None:
        self.name = f"backorder_life_{id(self)}_{next(_numbers)}"
        admin = await asyncpg.connect(self.server_url)
        await admin.execute(f"create database {self.name} template {self.template} strategy file_copy")
        await admin.close()
        url = with_database(self.server_url, self.name)
        self.database = Database(Settings(database_url=url, env="test", pool_size=2))
        await self.database.open()
        self.world = World(self.database, FixedClock())
        await self.database.system.execute(MASTER_DATA + MORE)
        for code, where, units in stock:
            await self.world.stock(units, code, where)
        await self.check()

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.run(self._close())
        self.runner.close()

    async def _close(self) -> None:
        await self.database.close()
        admin = await asyncpg.connect(self.server_url)
        await admin.execute(f"drop database {self.name} with (force)")
        await admin.close()

    # --- doing and checking

    def act(self, name: str, use_case: Callable[[Any], Awaitable[Any]]) -> Any:
        return self.run(self._act(name, use_case))

    async def _act(self, name: str, use_case: Callable[[Any], Awaitable[Any]]) -> Any:
        before = await self.world.value(DIGEST)
        self.world.clock.at += timedelta(minutes=1)
        try:
            result = await self.world.do(use_case)
        except DomainError:
            assert await self.world.value(DIGEST) == before, f"{name} was refused and changed something"
            return None
        self.seen[name] += 1
        await self.check()
        return result

    async def check(self) -> None:
        for name, query in QUERIES.items():
            rows = await self.world.rows(query)
            assert rows == [], f"{name}: {rows}"
        await self._check_history()
        ended = {
            (row["sku_id"], row["id"]): row["fingerprint"]
            for row in await self.world.rows(
                """select sku_id, id, state || quantity || closed_at || version || (select count(*) from backorder_event e
                    where e.sku_id = b.sku_id and e.backorder_id = b.id) as fingerprint
                from backorder b where closed_at is not null"""
            )
        }
        for key, fingerprint in self.ended.items():
            assert ended.get(key) == fingerprint, f"backorder {key} had ended and was changed"
        self.ended = ended
        self.there = (
            await self.world.rows(
                """select (select count(*) from order_hold where released_at is null) as holds,
                (select count(*) from backorder where closed_at is null) as backorders,
                (select count(*) from option_offer where state = 'OPEN') as offers,
                (select count(*) from supply where quantity > received + cancelled) as supplies,
                (select count(*) from purchase_order) as purchases,
                (select count(*) from transfer where state <> 'received') as transfers,
                (select count(*) from shipment where status <> 'DELIVERED') as shipments"""
            )
        )[0]

    async def _check_history(self) -> None:
        rows = await self.world.rows(
            "select sku_id, backorder_id, from_state, to_state from backorder_event order by sku_id, backorder_id, sequence"
        )
        for _, steps in itertools.groupby(rows, key=lambda row: (row["sku_id"], row["backorder_id"])):
            parked_from = None
            for step in steps:
                before, after = step["from_state"], step["to_state"]
                self.seen[after] += 1
                if before is None:
                    assert after == "PROVISIONAL", step
                elif before != after:
                    back = before in PARKED and after == parked_from
                    assert back or after in LEGAL.get(before, "").split(), step
                    if after in PARKED and before not in PARKED:
                        parked_from = before
                assert before not in TERMINAL, step

    def some(self, n: int, query: str, *arguments: Any) -> Any:
        """One of the rows, or None when there is none."""
        rows = self.run(self.world.rows(query, *arguments))
        return rows[n % len(rows)] if rows else None

    def skus(self) -> list[int]:
        return [row["id"] for row in self.run(self.world.rows("select id from sku order by id"))]

    def line(self, n: int) -> Any:
        return self.some(
            n,
            "select o.number, l.*, l.line_number as n from order_line l join sales_order o on o.id = l.order_id order by l.id",
        )

    def backorder(self, n: int) -> Any:
        return self.some(n, "select * from backorder order by (closed_at is null) desc, id")

    # --- orders

    @rule(
        lines=order_lines,
        customer=st.sampled_from(["C1", "C2", "V1", None]),
        whole=st.booleans(),
        pays=st.sampled_from(["OK", "OK", "OK", "FAILED"]),
        held=st.booleans(),
        then=st.sampled_from(["", "course", "course", "buy"]),
    )
    def place(self, lines: list, customer: str | None, whole: bool, pays: str, held: bool, then: str) -> None:
        today = self.world.clock.at.date()
        wanted = [
            LineRequest(code, n, None if wait is None else today + timedelta(days=wait), policy, substitutes)
            for code, n, wait, policy, substitutes in lines
        ]
        group = self.some(0, "select group_id from reservation order by id desc") if held else None
        more = {"reservation_id": str(group["group_id"])} if group is not None else {}
        order = self.world.order(*wanted, customer=customer, ship_complete=whole, payment_state=pays, **more)
        self.act("place", lambda uow: place_orders(uow, [order]))
        if then:
            ids = self.skus()
            work = run_backorder_course if then == "course" else raise_purchase_requests
            self.act(then, lambda uow: work(uow, ids))

    @rule(items=st.dictionaries(sku, quantity, min_size=1, max_size=2), seconds=st.sampled_from([30, 3600]))
    def reserve(self, items: dict[str, int], seconds: int) -> None:
        wanted = CreateReservation([ReservationItem(*item) for item in items.items()], ttl_seconds=seconds)
        self.act("reserve", lambda uow: create_reservation(uow, wanted))

    @rule()
    def sweep(self) -> None:
        self.act("sweep", expire_reservations)

    @rule(
        n=pick,
        reason=st.sampled_from(["FRAUD", "PAYMENT", "MANUAL"]),
        action=st.sampled_from(["RELEASE", "CANCEL", "ESCALATE"]),
    )
    def hold(self, n: int, reason: str, action: str) -> None:
        if order := self.some(n, "select number from sales_order order by id"):
            self.act("hold", lambda uow: hold_order(uow, HoldOrder(order["number"], reason, on_deadline=action)))

    @precondition(lambda self: self.there.get("holds"))
    @rule(n=pick)
    def release(self, n: int) -> None:
        if order := self.some(
            n,
            "select number from sales_order o where exists (select from order_hold h where h.order_id = o.id) order by id",
        ):
            self.act("release", lambda uow: release_order_hold(uow, order["number"]))

    @precondition(lambda self: self.there.get("holds"))
    @rule()
    def hold_deadlines(self) -> None:
        self.act("hold_deadlines", run_hold_deadlines)

    @rule(
        n=pick,
        units=st.none() | quantity,
        wait=st.none() | days,
        policy=st.none() | st.sampled_from(ShipPolicy),
        substitutes=st.none() | st.booleans(),
    )
    def amend(self, n: int, units: int | None, wait: int | None, policy: Any, substitutes: bool | None) -> None:
        if line := self.line(n):
            when = None if wait is None else self.world.clock.at.date() + timedelta(days=wait)
            change = ChangeOrderLine(line["number"], line["n"], units, when, None, policy, substitutes)
            self.act("amend", lambda uow: change_order_line(uow, change))

    @rule(n=pick, country=st.sampled_from(["KR", "JP", "JP", "FR"]))
    def readdress(self, n: int, country: str) -> None:
        if order := self.some(n, "select number from sales_order order by id"):
            change = ChangeShipTo(order["number"], ShipTo(country, "1", "N"))
            self.act("readdress", lambda uow: change_ship_to(uow, change))

    @rule(n=pick, units=quantity, wait=st.none() | days)
    def split(self, n: int, units: int, wait: int | None) -> None:
        if line := self.line(n):
            when = None if wait is None else self.world.clock.at.date() + timedelta(days=wait)
            wanted = SplitOrderLine(line["number"], line["n"], units, when)
            self.act("split", lambda uow: split_order_line(uow, wanted))

    @rule(units=quantity)
    def replace(self, units: int) -> None:
        """Short of one SKU with plenty of another that takes its place without asking."""
        self.adjust("S3", "A", 12, False)
        self.place([("S2", units, None, ShipPolicy.PARTIAL_BACKORDER_REST, True)], "C1", False, "OK", False, "")
        self.course()

    @rule(n=pick, units=st.none() | quantity, whole=st.booleans())
    def cancel(self, n: int, units: int | None, whole: bool) -> None:
        if line := self.line(n):
            wanted = CancelOrder(line["number"]) if whole else CancelOrder(line["number"], line["n"], units)
            self.act("cancel", lambda uow: cancel_order(uow, wanted))

    # --- backorders

    @precondition(lambda self: self.there.get("backorders"))
    @rule(n=pick, units=st.none() | quantity)
    def give_up(self, n: int, units: int | None) -> None:
        if row := self.backorder(n):
            wanted = CancelBackorder(row["sku_id"], row["id"], quantity=units)
            self.act("give_up", lambda uow: cancel_backorder(uow, wanted))

    @precondition(lambda self: self.there.get("backorders"))
    @rule(n=pick, score=st.integers(0, 5_000_000))
    def rank(self, n: int, score: int) -> None:
        if row := self.backorder(n):
            change = ReprioritizeBackorder(row["sku_id"], row["id"], score, "because")
            self.act("rank", lambda uow: reprioritize_backorder(uow, change))

    @precondition(lambda self: self.there.get("backorders"))
    @rule()
    def course(self) -> None:
        ids = self.skus()
        for _ in range(10):
            wanted = self.act("course", lambda uow: run_backorder_course(uow, ids))
            for request in wanted or ():
                self.act("substitute", lambda uow, request=request: substitute_line(uow, request))
            if not wanted:
                break
        else:
            raise AssertionError("the course does not end")
        assert self.run(self.world.rows(OUTDATED)) == [], "a question that is no longer the one that was put"
        before = self.run(self.world.value("select count(*) from backorder_event"))
        self.act("course again", lambda uow: run_backorder_course(uow, ids))
        assert self.run(self.world.value("select count(*) from backorder_event")) == before, "twice is not once"

    @precondition(lambda self: self.there.get("backorders"))
    @rule(n=pick, step=st.sampled_from(CourseStep))
    def one_step(self, n: int, step: CourseStep) -> None:
        if row := self.backorder(n):
            self.act("one_step", lambda uow: run_step(uow, RunStep(row["sku_id"], row["id"], step)))

    @precondition(lambda self: self.there.get("backorders"))
    @rule(n=pick, stop=st.booleans())
    def pause(self, n: int, stop: bool) -> None:
        if row := self.backorder(n):
            self.act("pause", lambda uow: pause_course(uow, PauseCourse(row["sku_id"], row["id"], stop)))

    @precondition(lambda self: self.there.get("offers"))
    @rule(n=pick, kind=st.sampled_from(ResolutionKind))
    def choose(self, n: int, kind: ResolutionKind) -> None:
        if row := self.some(n, "select * from option_offer order by (state = 'OPEN') desc, id"):
            asked = ChooseOption(row["sku_id"], row["backorder_id"], kind=kind)
            self.act("choose", lambda uow: choose_option(uow, asked))

    @precondition(lambda self: self.there.get("offers"))
    @rule(default=st.sampled_from(["WAIT", "CANCEL"]), hours=st.sampled_from([1, 73]))
    def expire(self, default: str, hours: int) -> None:
        self.world.clock.at += timedelta(hours=hours)
        for key in self.act("due", lambda uow: overdue_options(uow, 10)) or ():
            self.act("expire", lambda uow, key=key: expire_offer(uow, *key))
        assert self.act("due", lambda uow: overdue_options(uow, 10)) == [], "a set has outlived its deadline"
        policy = {"default": default, "compensation": {"basisPoints": 500, "minWaitDays": 5}}
        self.act("policy", lambda uow: change_policy(uow, ChangePolicy("backorder_options", policy)))

    @precondition(lambda self: self.there.get("backorders"))
    @rule(strategy=st.sampled_from(["REDISTRIBUTE", "IMPROVE", "WIN", "GAIN", "FILL", "LOSE"]), late=st.booleans())
    def repromise(self, strategy: str, late: bool) -> None:
        run_id = self.run(propose(self.world, definition(strategy)))
        if late:  # the facts move between the proposal and its publishing
            self.count("S", "A", 4)
        try:
            self.run(publish(self.world, run_id))
        except DomainError:
            return
        self.seen["repromise"] += 1
        self.run(self.check())

    # --- supply

    @precondition(lambda self: self.there.get("backorders"))
    @rule()
    def buy(self) -> None:
        ids = self.skus()
        self.act("buy", lambda uow: raise_purchase_requests(uow, ids))
        self.run(self.world.send_purchases())

    @precondition(lambda self: self.there.get("purchases"))
    @rule(n=pick, units=quantity, damaged=st.integers(0, 3))
    def receive(self, n: int, units: int, damaged: int) -> None:
        if row := self.some(
            n,
            """select p.number, k.code, w.code as place, l.line_number from purchase_order_line l
            join purchase_order p on p.id = l.purchase_order_id join sku k on k.id = l.sku_id
            join location w on w.id = p.location_id order by l.id""",
        ):
            line = ReceiptLine(row["code"], units, min(damaged, units), row["line_number"])
            receipt = ReceiveGoods(row["number"], "PURCHASE_ORDER", row["place"], [line])
            self.act("receive", lambda uow: receive_goods(uow, receipt))

    @precondition(lambda self: self.there.get("supplies"))
    @rule()
    def night(self) -> None:
        self.world.clock.at += timedelta(days=1)
        ids = self.skus()
        self.act("night", lambda uow: check_overdue_supplies(uow, ids))
        self.act("due", lambda uow: serve_due_claims(uow, ids))

    @precondition(lambda self: self.there.get("supplies"))
    @rule(n=pick, wait=days, basis=st.sampled_from(["CONFIRMED_ORDER", "LEAD_TIME"]))
    def redate(self, n: int, wait: int, basis: str) -> None:
        if row := self.some(n, "select sku_id, id from supply where quantity > received + cancelled order by id"):
            when = self.world.clock.at.date() + timedelta(days=wait)
            change = SupplyChange(row["sku_id"], row["id"], when, basis)
            self.act("redate", lambda uow: reschedule_supply(uow, [change]))

    @precondition(lambda self: self.there.get("purchases"))
    @rule(n=pick, accepted=st.integers(0, 12), rejected=st.integers(0, 12), wait=days)
    def answer(self, n: int, accepted: int, rejected: int, wait: int) -> None:
        if row := self.some(
            n,
            """select p.number, l.line_number, l.unanswered + l.accepted + l.supplier_backordered + l.held as open
            from purchase_order_line l join purchase_order p on p.id = l.purchase_order_id order by l.id""",
        ):
            taken = min(accepted, row["open"])
            gone = min(rejected, row["open"] - taken)
            later = row["open"] - taken - gone
            when = self.world.clock.at.date() + timedelta(days=wait)
            said = AcknowledgeLine(
                row["line_number"],
                [(taken, when)] if taken else (),
                [(later, when + timedelta(days=9))] if later else (),
                rejected=gone,
            )
            answer = AcknowledgePurchaseOrder(row["number"], None, [said])
            self.act("answer", lambda uow: apply_acknowledgement(uow, answer))

    @precondition(lambda self: self.there.get("purchases"))
    @rule(n=pick)
    def drop(self, n: int) -> None:
        if row := self.some(n, "select number from purchase_order order by id"):
            self.act("drop", lambda uow: cancel_purchase_order(uow, row["number"]))

    @precondition(lambda self: self.there.get("purchases"))
    @rule(n=pick, line=st.none() | st.integers(1, 3))
    def close_short(self, n: int, line: int | None) -> None:
        if row := self.some(n, "select number from purchase_order order by id"):
            wanted = ClosePurchaseOrder(row["number"], "no more", None if line is None else [line])
            self.act("close_short", lambda uow: close_purchase_order(uow, wanted))

    # --- stock

    @rule(code=sku, where=site, found=st.integers(0, 15))
    def count(self, code: str, where: str, found: int) -> None:
        self.act("count", lambda uow: count_stock(uow, CountStock(code, where, found)))

    @rule(code=sku, where=site, delta=st.integers(-5, 8), unsellable=st.booleans())
    def adjust(self, code: str, where: str, delta: int, unsellable: bool) -> None:
        self.act("adjust", lambda uow: adjust_stock(uow, AdjustStock(code, where, delta, "found", unsellable)))

    @precondition(lambda self: self.there.get("backorders"))
    @rule()
    def allocate(self) -> None:
        ids = self.skus()
        self.act("allocate", lambda uow: allocate_waiting(uow, ids))

    @rule(code=sku, way=st.sampled_from([("R", "A"), ("A", "B")]), units=quantity)
    def transfer(self, code: str, way: tuple[str, str], units: int) -> None:
        self.act("transfer", lambda uow: transfer_stock(uow, TransferStock(code, *way, units)))

    @precondition(lambda self: self.there.get("transfers"))
    @rule(n=pick, units=quantity, how=st.sampled_from(["ship", "receive", "lose"]))
    def move_transfer(self, n: int, units: int, how: str) -> None:
        row = self.some(n, "select id from transfer where state <> 'received' order by id")
        if row is None:
            return
        if how == "ship":
            self.act("ship transfer", lambda uow: ship_transfers(uow, [row["id"]]))
        elif how == "receive":
            self.act("receive transfer", lambda uow: receive_transfers(uow, [(row["id"], units)]))
        else:
            self.act("lose transfer", lambda uow: lose_transfers(uow, [(row["id"], units)]))

    # --- shipping

    @rule(leaves=st.booleans())
    def plan(self, leaves: bool) -> None:
        ids = [row["id"] for row in self.run(self.world.rows("select id from sales_order order by id"))]
        self.act("plan", lambda uow: plan_shipments(uow, ids))
        if leaves:
            for row in self.run(self.world.rows("select number from shipment where status = 'PLANNED' order by id")):
                self.act("ship", lambda uow, row=row: confirm_shipments(uow, [ConfirmShipment(row["number"])]))

    @precondition(lambda self: self.there.get("shipments"))
    @rule(n=pick)
    def ship(self, n: int) -> None:
        if row := self.some(n, "select number from shipment order by id"):
            self.act("ship", lambda uow: confirm_shipments(uow, [ConfirmShipment(row["number"])]))

    @precondition(lambda self: self.there.get("shipments"))
    @rule(n=pick)
    def deliver(self, n: int) -> None:
        if row := self.some(n, "select number from shipment order by id"):
            self.act("deliver", lambda uow: confirm_deliveries(uow, [ConfirmDelivery(row["number"])]))

    @rule(n=pick, units=quantity, where=site, condition=st.sampled_from(["SELLABLE", "QUARANTINED"]))
    def give_back(self, n: int, units: int, where: str, condition: str) -> None:
        if line := self.line(n):
            back = ReturnGoods(line["number"], line["n"], units, where, condition)
            self.act("give_back", lambda uow: return_goods(uow, back))

    @rule(n=pick, units=quantity, where=site, code=st.none() | sku, out=st.none() | quantity)
    def exchange(self, n: int, units: int, where: str, code: str | None, out: int | None) -> None:
        if line := self.some(
            n,
            """select o.number, l.line_number as n, l.shipped from order_line l join sales_order o on o.id = l.order_id
            order by (l.shipped > 0) desc, l.id""",
        ):
            back = ReturnGoods(line["number"], line["n"], 1 + units % max(1, line["shipped"]), where, "QUARANTINED")
            wanted = ExchangeGoods(back, code, out)
            self.act("exchange", lambda uow: exchange_goods(uow, wanted))

    @rule(code=sku, where=site, accepted=st.integers(0, 4), rejected=st.integers(0, 4))
    def inspect(self, code: str, where: str, accepted: int, rejected: int) -> None:
        found = InspectGoods(where, code, accepted, rejected)
        self.act("inspect", lambda uow: inspect_goods(uow, found))

    @rule(wait=st.integers(1, 9))
    def wait(self, wait: int) -> None:
        if self.world.clock.at.date() < TODAY + timedelta(days=200):
            self.world.clock.at += timedelta(days=wait)


QUIET = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    "print_blob": True,
    "report_multiple_bugs": False,
    "phases": (Phase.explicit, Phase.generate),
}
"""No shrinking: a step takes a tenth of a second, and the steps that led to a failure are printed as they were."""


def _machine(server_url: str, template: str) -> type[LifeMachine]:
    return type("Life", (LifeMachine,), {"server_url": server_url, "template": template, "seen": Counter()})


def test_a_company_lives_through_anything(server_url, template_database):
    machine = _machine(server_url, template_database)
    short = settings(max_examples=8, stateful_step_count=25, derandomize=True, **QUIET)
    run_state_machine_as_test(machine, settings=short)
    assert {"place", "course", "OPTION_OFFERED", "PEGGED"} <= set(machine.seen)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_many_companies_live_through_anything(server_url, template_database):
    machine = _machine(server_url, template_database)
    many = settings(max_examples=100, stateful_step_count=60, **QUIET)
    run_state_machine_as_test(machine, settings=many)
    never = (set(LEGAL) | set(TERMINAL)) - set(machine.seen)
    assert never == set(), f"never seen: {never}"
