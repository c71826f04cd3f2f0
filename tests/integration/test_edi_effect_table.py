"""What each document does to a purchase order line and to those who wait for it: the table of effects, row by row.

Each row: 10 units wait on an order of 10 that was sent (lead time: day 14). Its document comes by `POST /edi/{partner}`, is
set aside once, tried, and replayed: what the dry run says is what happens, and what the customer reads.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import pytest

from core.edi.documents import (
    AcknowledgedLine,
    Acknowledgement,
    CarrierEvent,
    CarrierStatus,
    Effect,
    LineStatus,
    SetResult,
    ShipNotice,
    ShippedLine,
    ShippedOrder,
)
from core.edi.interchanges import Fault, Level, Severity, Verdict
from core.edi.reader import read
from core.edi.supplier_side import write_214, write_855, write_856
from core.edi.write_997 import write_997
from core.edi.x12_writer import write_interchange
from core.services.ingest_edi_document import ingest_edi_file
from core.services.preview_edi_document import preview_edi_document
from core.services.raise_purchase_requests import raise_purchase_requests
from core.services.reconcile_stock import recount
from core.services.replay_edi_document import replay_edi_document
from core.services.send_notices import send_notices
from core.services.send_purchase_order import send_purchase_order
from tests.integration.test_ingest_edi_document import PARTNER, day, envelope, take
from tests.integration.test_receive_edi_over_http import api, post

pytestmark = pytest.mark.anyio
assert api  # a fixture


@dataclass
class Case:
    """An article of its own with the order that brings it."""

    sku: str
    sku_id: int = 0
    line_id: int = 0
    number: str = ""
    sent: bytes = b""


Make = Callable[[Case, int], bytes]


def said(*statuses: tuple[str, int, int | None]) -> Make:
    def make(case: Case, control: int) -> bytes:
        acks = tuple(
            LineStatus(code, units, None if at is None else day(at), "067" if at is not None else "", Effect.ACCEPT)
            for code, units, at in statuses
        )
        line = AcknowledgedLine("1", "1", case.sku, "", "", 10, "EA", acks)
        return write_855(Acknowledgement(case.number, "AC", day(1), "", (line,)), envelope(control))

    return make


def shipped(units: int, status: str = "", purpose: str = "00") -> Make:
    def make(case: Case, control: int) -> bytes:
        order = ShippedOrder(case.number, (ShippedLine("1", case.sku, "", units, "EA", status=status),))
        name = f"SN{case.sku}"
        notice = ShipNotice(name, purpose, day(2), day(10), "CARR", f"T{case.sku}", (order,), noticed_on=day(1))
        return write_856(notice, envelope(control))

    return make


def carried(code: str, estimated: date | None = None) -> Make:
    def make(case: Case, control: int) -> bytes:
        event = CarrierEvent(code, "AF", datetime(2026, 11, 6, 8, 0, tzinfo=UTC), None)
        name = f"T{case.sku}"
        status = CarrierStatus(name, name, (), (event,), carrier="CARR", estimated_date=estimated)
        return write_214(status, envelope(control))

    return make


def received(verdict: Verdict) -> Make:
    def make(case: Case, control: int) -> bytes:
        group = read(case.sent).interchanges[0].groups[0]
        faults = () if verdict is Verdict.ACCEPTED else (Fault(Level.SET, Severity.ERROR, "1", "not supported"),)
        return write_997(group, [SetResult("850", group.sets[0].control, verdict, faults)], envelope(control))

    return make


def plain(kind: str, group: str, *rows: tuple[Any, ...]) -> Make:
    def make(case: Case, control: int) -> bytes:
        names = {"PO": case.number, "SKU": case.sku}
        filled = [tuple(names.get(value, value) if isinstance(value, str) else value for value in row) for row in rows]
        return write_interchange(kind, group, [filled], envelope(control))

    return make


@dataclass(frozen=True)
class Effects:
    """None: as before. `pegs` are (units, day they are usable, None without a source), `promised` (units, day of delivery);
    `told` is what the notice to the customer says, `event` a kind of event, `job` what is asked for."""

    parts: dict[str, int]
    pegs: list[tuple[int, int | None]]
    state: str = "PEGGED"
    promised: list[tuple[int, int]] = field(default_factory=lambda: [(10, 15)])
    told: str = ""
    event: str = "APPLIED"
    job: str = ""


ACCEPTED = said(("IA", 10, 12))
ASKED = (
    ("BCA", "04", "AC", "PO", "", "", day(0), "", "", "X", day(1)),
    ("POC", "1", "CT", 10, "", "EA", "", "", "BP", "SKU"),
)
BILLED = (("BIG", day(1), "I1", day(0), "PO"), ("IT1", "1", 10, "EA", "700", "", "BP", "SKU"), ("TDS", 7000))
CAME = (("BRA", "R1", day(1), "00", "1"), ("RCD", "1", 10, "EA"), ("LIN", "1", "BP", "SKU"), ("PRF", "PO"))
LATE = "Thursday 3 December 2026. Reason: "

TABLE: dict[str, tuple[tuple[Make, ...], Make, Effects]] = {
    "997 A: delivered, no more": (
        (),
        received(Verdict.ACCEPTED),
        Effects({"unanswered": 10}, [(10, 14)], event="ACKNOWLEDGED"),
    ),
    "997 R: send failed": (
        (),
        received(Verdict.REJECTED),
        Effects({"unanswered": 10}, [(10, 14)], event="SEND_FAILED"),
    ),
    "855 accepted in time": ((), ACCEPTED, Effects({"accepted": 10}, [(10, 12)])),
    "855 accepted late": (
        (),
        said(("IA", 10, 30)),
        Effects({"accepted": 10}, [(10, 30)], "DELAYED", [(10, 31)], LATE + "the supplier has given a date."),
    ),
    "855 part and backorder": (
        (),
        said(("IA", 6, 12), ("IB", 4, 30)),
        Effects(
            {"accepted": 6, "supplier_backordered": 4},
            [(6, 12), (4, 30)],
            "DELAYED",
            [(6, 15), (4, 31)],
            LATE + "the supplier cannot deliver all of it at once.",
        ),
    ),
    "855 refused: back to sourcing": (
        (),
        said(("IR", 10, None)),
        Effects({"rejected": 10}, [(10, None)], "AWAITING_SUPPLY", event="CANCELLED", job="raise_purchase_request"),
    ),
    "865 of the supplier's own: proposed": (
        (ACCEPTED,),
        plain("865", "CA", *ASKED, ("DTM", "067", day(40))),
        Effects({"accepted": 10}, [(10, 12)], event="CHANGE_PROPOSED"),
    ),
    "856: in transit": ((ACCEPTED,), shipped(10), Effects({"in_transit": 10}, [(10, 10)])),
    "856 short, the rest to follow": (
        (ACCEPTED,),
        shipped(6, "BP"),
        Effects({"in_transit": 6, "supplier_backordered": 4}, [(6, 10), (4, 14)]),
    ),
    "856 short, no more to come": (
        (ACCEPTED,),
        shipped(6, "CP"),
        Effects(
            {"in_transit": 6, "rejected": 4}, [(6, 10), (4, None)], "AWAITING_SUPPLY", job="raise_purchase_request"
        ),
    ),
    "856 of more than was ordered: review": (
        (ACCEPTED,),
        shipped(12),
        Effects({"accepted": 10}, [(10, 12)], event="QUARANTINED"),
    ),
    "214 late: promised anew": (
        (ACCEPTED, shipped(10)),
        carried("SD", day(30)),
        Effects({"in_transit": 10}, [(10, 30)], "DELAYED", [(10, 31)], LATE + "the delivery to us is delayed."),
    ),
    "214 returned: owed again": ((ACCEPTED, shipped(10)), carried("A3"), Effects({"accepted": 10}, [(10, 14)])),
    "861 of others: kept": ((ACCEPTED,), plain("861", "RC", *CAME), Effects({"accepted": 10}, [(10, 12)])),
    "810 of what was not shipped: alert": (
        (ACCEPTED,),
        plain("810", "IN", *BILLED),
        Effects({"accepted": 10}, [(10, 12)], event="INVOICE_DOUBT"),
    ),
}
ARTICLE = """
insert into sku (code, name, unit_cost, unit_price, currency) select v, '{"en": "Kettle"}', 1000, 2000, 'KRW' from unnest($1::text[]) v
"""
OFFER = """
insert into supplier_sku (supplier_id, sku_id, vendor_code, price, currency, lead_time_days, lead_time_p80, is_preferred, moq)
select p.id, k.id, 'V-' || k.code, 700, 'KRW', 10, 14, true, 10 from supplier p, sku k where p.code = 'SUP' and k.code = any($1::text[])
"""


async def case_of(world, sku: str) -> Case:
    case = Case(sku, await world.sku(sku))
    await world.place(world.order((sku, 10), customer="C1"))
    (order_id,) = await world.do(lambda uow: raise_purchase_requests(uow, [case.sku_id]))
    outbound_id = await world.do(lambda uow: send_purchase_order(uow, order_id))
    case.number = await world.value("select number from purchase_order where id = $1", order_id)
    case.line_id = await world.value("select id from purchase_order_line where purchase_order_id = $1", order_id)
    case.sent = bytes(await world.value("select bytes from edi_outbound where id = $1", outbound_id))
    return case


async def standing(world, case: Case, since: int) -> Effects:
    """How the line and those who wait for it stand; events, jobs and notices since an outbox row."""
    parts = "select unanswered, accepted, supplier_backordered, held, in_transit, received, rejected from purchase_order_line"
    (row,) = await world.rows(f"{parts} where id = $1", case.line_id)
    pegs = await world.rows(
        """select sum(g.quantity)::int as units, s.usable_date - $2::date as at from peg g
        left join supply s on s.sku_id = g.sku_id and s.id = g.supply_id where g.sku_id = $1 group by 2 order by 2""",
        case.sku_id,
        day(0),
    )
    promised = await world.rows(
        """select (x ->> 'quantity')::int as units, (x ->> 'deliveryDate')::date - $2::date as at from order_line l
        join promise p on p.sku_id = l.sku_id and p.id = l.current_promise_id
        cross join jsonb_array_elements(p.slices) x where l.sku_id = $1 order by 2""",
        case.sku_id,
        day(0),
    )
    events = await world.rows("select kind, job from outbox where id > $1", since)
    told = await world.value("select text from notice where sku_id = $1 and template = 'PROMISE_MOVED'", case.sku_id)
    return Effects(
        {name: units for name, units in row.items() if units},
        [(x["units"], x["at"]) for x in pegs],
        await world.value("select state from backorder where sku_id = $1", case.sku_id),
        [(x["units"], x["at"]) for x in promised],
        told or "",
        " ".join(sorted({x["kind"] for x in events if x["kind"]})),
        " ".join(sorted({x["job"] for x in events if x["job"]})),
    )


async def test_every_row_of_the_table(world, api):
    await world.database.system.execute(PARTNER)
    skus = [f"E{at:02d}" for at in range(len(TABLE))]
    await world.database.system.execute(ARTICLE, skus)
    await world.database.system.execute(OFFER, skus)
    control = 0
    for sku, (name, (before, document, expected)) in zip(skus, TABLE.items(), strict=True):
        case = await case_of(world, sku)
        for make in before:
            control += 1
            assert await take(world, make(case, control), f"before-{control}") == {"applied": 1}, name
        since = await world.value("select max(id) from outbox")
        control += 1
        response = await post(api, document(case, control), name=f"row-{control}")
        raw_id = response.json()["rawId"]
        await world.database.system.execute("update partner set is_active = false where code = 'sup'")
        assert await ingest_edi_file(world.do, raw_id) == {"done": 1}
        await world.database.system.execute("update partner set is_active = true where code = 'sup'")
        document_id = await world.value("select max(id) from edi_document")
        tried = await world.do(lambda uow, i=document_id: preview_edi_document(uow, i))
        await world.do(lambda uow, i=document_id: replay_edi_document(uow, i))
        assert await ingest_edi_file(world.do, raw_id) == {
            "quarantined" if expected.event == "QUARANTINED" else "applied": 1
        }
        await world.do(send_notices)
        found = await standing(world, case, since)
        assert (found.parts, found.pegs, found.state, found.promised) == (
            expected.parts,
            expected.pegs,
            expected.state,
            expected.promised,
        ), name
        assert found.told.endswith(expected.told), name
        assert bool(found.told) == bool(expected.told), (name, found.told)
        assert expected.event in found.event.split(), (name, found)
        assert expected.job in found.job, (name, found)
        # The dry run named the customer's order where its day, or what it relies on, was to change.
        hit = [(x["before"]["customer"], x["after"]["promised"], x["after"]["relies_on"]) for x in tried.order_lines]
        relies = sum(units for units, at in expected.pegs if at is not None)
        is_hit = expected.told or relies < 10
        last = day(max(at for _, at in expected.promised)).isoformat()
        assert hit == ([("C1", last, relies)] if is_hit else []), (name, tried)
    assert await world.do(recount) == []
