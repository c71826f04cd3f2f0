"""What else happens to orders in the swarm: splits, new addresses, returns, exchanges, suppliers by EDI, simulations."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
from datetime import UTC, datetime, timedelta
from typing import Any

from core.edi.change_documents import ChangeAcknowledgement, ChangedLine
from core.edi.documents import (
    AcknowledgedLine,
    Acknowledgement,
    Effect,
    LineStatus,
    ShipNotice,
    ShippedLine,
    ShippedOrder,
)
from core.edi.supplier_changes import write_865
from core.edi.supplier_side import write_855, write_856
from core.edi.x12_writer import Envelope
from migrations.demo_company import OUR_EDI_ID, PARTNERS
from tests.races.swarm_caller import Refused
from tests.races.swarm_scene import SHIP_TO, SHOPS, Deed, Scene
from tests.races.swarm_verbs import backorders, purchase_of

POLICIES: dict[str, Any] = {
    "backorder_options": {"deadlineHours": 0.005, "default": "WAIT", "compensation": {"basisPoints": 500, "minWaitDays": 5}},
    "backorder_course": [
        {"step": "OTHER_SITES"}, {"step": "SUBSTITUTE"}, {"step": "PURCHASE"}, {"step": "OPTIONS", "waitLongerThanDays": 3},
        {"step": "RELEASE"},
    ],
}  # fmt: skip
_controls = itertools.count(1)
_LEFT = """query($n: String!) { order(number: $n) {
    lines { lineNumber ordered shipped cancelled sku { code } } } }"""


async def short_lives(s: Scene) -> None:
    """Policies under which a swarm sees the whole course: questions after few days, that nobody answers for seconds."""
    for code, value in POLICIES.items():
        await s.planner.do("policyChange", "policy { code }", {"code": code, "value": json.dumps(value)})


async def hold_for_a_moment(s: Scene) -> None:
    """A hold that nobody ends but its deadline."""
    until = datetime.now(UTC) + timedelta(seconds=s.dice.randint(1, 6))
    given = {
        "number": s.recent(s.orders), "reason": s.dice.choice(("FRAUD", "CREDIT")), "releaseDeadline": until.isoformat(),
        "onDeadline": s.dice.choice(("RELEASE", "RELEASE", "CANCEL")),
    }  # fmt: skip
    await s.planner.do("orderHold", "order { number }", given)
    s.done["held until a deadline"] += 1


async def _shipped_line(s: Scene) -> tuple[str, dict[str, Any]]:
    number = s.recent(s.left)
    found = await s.planner.ask(_LEFT, n=number)
    lines = [line for line in found["order"]["lines"] if line["shipped"]]
    return number, s.recent(lines)


async def split(s: Scene) -> None:
    day = datetime.now(UTC).date() + timedelta(days=s.dice.randint(3, 30))
    given = {
        "number": s.recent(s.orders),
        "lineNumber": 1,
        "quantity": s.dice.randint(1, 2),
        "requestedDate": day.isoformat(),
    }
    await s.planner.do("orderLineSplit", "order { number }", given)


async def readdress(s: Scene) -> None:
    country, postal = s.dice.choice(SHIP_TO)
    to = {"country": country, "postalCode": postal, "name": "M", "line1": "L", "city": "C"}
    await s.planner.do("orderShipToChange", "order { number }", {"number": s.recent(s.orders), "shipTo": to})


async def give_back(s: Scene) -> None:
    number, line = await _shipped_line(s)
    given = {
        "number": number, "lineNumber": line["lineNumber"], "quantity": s.dice.randint(1, line["shipped"]),
        "location": s.dice.choice(SHOPS), "condition": s.dice.choice(("SELLABLE", "QUARANTINED")), "reason": "swarm",
    }  # fmt: skip
    await s.dock.do("goodsReturn", "goodsReturn { number }", given)


async def exchange(s: Scene) -> None:
    number, line = await _shipped_line(s)
    given = {
        "number": number, "lineNumber": line["lineNumber"], "quantity": 1, "location": s.dice.choice(SHOPS),
        "reason": "swarm", "sku": s.dice.choice((None, s.dice.choice(s.skus))),
    }  # fmt: skip
    await s.dock.do("goodsExchange", "goodsReturn { number }", given)


async def inspect(s: Scene) -> None:
    given = {
        "sku": s.dice.choice(s.skus), "location": s.dice.choice(SHOPS), "accepted": s.dice.randint(0, 2),
        "rejected": s.dice.randint(0, 1), "reason": "swarm",
    }  # fmt: skip
    await s.dock.do("goodsInspect", "stock { onHand }", given)


async def give_up_part(s: Scene) -> None:
    found = s.recent(await backorders(s))
    await s.planner.do("backorderCancel", "backorder { id }", {"id": found["id"], "quantity": 1, "reason": "swarm"})


async def choose_by_kind(s: Scene) -> None:
    offered = [row for row in await backorders(s) if row["state"] == "OPTION_OFFERED"]
    kind = s.dice.choice(("WAIT", "PART_SHIP", "SUBSTITUTE", "CANCEL", "COMPENSATE"))
    await s.planner.do(
        "backorderOptionChoose", "backorder { id }", {"backorderId": s.recent(offered)["id"], "kind": kind}
    )


async def offer_and_choose(s: Scene) -> None:
    """Options are offered, and two people answer at once: one of them is told what the other took."""
    found = s.recent(
        [row for row in await backorders(s) if row["state"] not in ("ON_HOLD", "FILLED", "CANCELLED", "SUBSTITUTED")]
    )
    given = {"id": found["id"], "step": "OPTIONS"}
    payload = await s.planner.do("backorderCourseRun", "backorder { options { id kind } }", given)
    options = payload["backorder"]["options"]
    if not options:
        raise Refused(["NOTHING_YET"])
    answers = await asyncio.gather(
        *(
            s.planner.do("backorderOptionChoose", "backorder { id }", {"id": option["id"]})
            for option in s.dice.sample(options, min(2, len(options)))
        ),
        return_exceptions=True,
    )
    wrong = [answer for answer in answers if isinstance(answer, BaseException) and not isinstance(answer, Refused)]
    if wrong:
        raise wrong[0]
    assert sum(not isinstance(answer, BaseException) for answer in answers) <= 1, answers
    s.done["answered at once"] += 1


async def pause(s: Scene) -> None:
    found = s.recent(await backorders(s))
    given = {"id": found["id"], "isPaused": s.dice.random() < 0.4, "reason": "swarm"}
    await s.planner.do("backorderCoursePause", "backorder { id }", given)


async def end_purchase(s: Scene) -> None:
    order, _ = await purchase_of(s)
    if s.dice.random() < 0.5:
        await s.planner.do("purchaseOrderCancel", "purchaseOrder { number }", {"number": order["number"]})
    else:
        await s.planner.do(
            "purchaseOrderClose", "purchaseOrder { number }", {"number": order["number"], "reason": "swarm"}
        )


async def simulate(s: Scene) -> None:
    days = {"kind": "LEAD_TIME", "days": s.dice.choice((-3, 5))}
    given = {"name": "swarm", "scenarios": [{"name": "other lead times", "changes": [days]}], "horizonDays": 14}
    await s.planner.do("simulationStart", "simulation { id }", given)


def _drop(s: Scene, partner: str, name: str, data: bytes) -> None:
    path = s.edi_dir / partner / "in" / name
    partial = path.with_suffix(".tmp")
    partial.write_bytes(data)
    os.replace(partial, path)


def _envelope(partner: str) -> Envelope:
    number = next(_controls)
    theirs = next(row[2] for row in PARTNERS if row[0] == partner)
    return Envelope("ZZ", theirs, "ZZ", OUR_EDI_ID, theirs, OUR_EDI_ID, number, number, number, datetime.now(UTC))


async def _of_partner(s: Scene) -> tuple[dict[str, Any], str]:
    order, _ = await purchase_of(s)
    partner = order["supplier"]["code"].lower()
    if partner != "brightworks" or order["status"] not in ("SENT", "ACKNOWLEDGED", "PARTIALLY_RECEIVED"):
        raise Refused(["NOTHING_YET"])
    return order, partner


async def answer_by_edi(s: Scene) -> None:
    """An 855 in the partner's folder: some of each line accepted for a day, the rest backordered for a later one."""
    order, partner = await _of_partner(s)
    today = datetime.now(UTC).date()
    lines = []
    for line in order["lines"]:
        later = s.dice.choice((0, 0, line["ordered"] // 3))
        first = today + timedelta(days=s.dice.randint(3, 20))
        statuses = [LineStatus("IA", line["ordered"] - later, first, "067", Effect.ACCEPT)]
        if later:
            statuses.append(LineStatus("IB", later, first + timedelta(days=9), "067", Effect.ACCEPT))
        code = line["sku"]["code"]
        lines.append(
            AcknowledgedLine("", str(line["lineNumber"]), code, code, "", line["ordered"], "EA", tuple(statuses))
        )
    answer = Acknowledgement(order["number"], "AC", today, "", tuple(lines), supplier_reference="SWARM")
    name = f"855-{order['number']}-{s.dice.getrandbits(32):x}.edi"
    _drop(s, partner, name, write_855(answer, _envelope(partner)))
    s.done["855 dropped"] += 1


async def notice_by_edi(s: Scene) -> None:
    """An 856 in the partner's folder for part of a line."""
    order, partner = await _of_partner(s)
    line = s.dice.choice(order["lines"])
    today = datetime.now(UTC).date()
    code, units = line["sku"]["code"], s.dice.randint(1, line["ordered"])
    shipped = ShippedLine(str(line["lineNumber"]), code, code, units, "EA")
    mark = f"{s.dice.getrandbits(32):x}"
    notice = ShipNotice(
        f"ASN-{mark}", "00", today, today + timedelta(days=s.dice.randint(1, 9)), "HAUL", f"T{mark}",
        (ShippedOrder(order["number"], (shipped,)),),
    )  # fmt: skip
    _drop(s, partner, f"856-{mark}.edi", write_856(notice, _envelope(partner)))
    s.done["856 dropped"] += 1


async def ask_by_edi(s: Scene) -> None:
    """An 865 of the supplier's own: fewer of a line and on another day; it waits for us."""
    order, partner = await _of_partner(s)
    today = datetime.now(UTC).date()
    line = s.dice.choice(order["lines"])
    number, code = str(line["lineNumber"]), line["sku"]["code"]
    day = today + timedelta(days=s.dice.randint(5, 30))
    now = AcknowledgedLine(number, number, code, code, "", None, "EA", (), (("067", day),))
    asked = ChangedLine(number, "QD", code, code, left_to_receive=s.dice.randint(1, 3))
    head = Acknowledgement(order["number"], "AC", today, "", (now,), purpose="04")
    data = write_865(ChangeAcknowledgement(head, (asked,), "", today), _envelope(partner))
    _drop(s, partner, f"865-{s.dice.getrandbits(32):x}.edi", data)
    s.done["865 dropped"] += 1


async def decide(s: Scene) -> None:
    found = await s.planner.ask("{ supplierChanges(first: 20, filter: {state: [PROPOSED]}) { nodes { id } } }")
    given = {
        "id": s.recent(found["supplierChanges"]["nodes"])["id"],
        "accept": s.dice.random() < 0.7,
        "reason": "swarm",
    }
    await s.planner.do("supplierChangeDecide", "change { id }", given)


LIFE: tuple[Deed, ...] = (
    (ask_by_edi, 3, "supplierChangeDecide"), (decide, 3, "supplierChangeDecide"),
    (hold_for_a_moment, 3, "orderHold"), (split, 2, "orderLineSplit"), (readdress, 3, "orderShipToChange"), (give_back, 3, "goodsReturn"),
    (exchange, 2, "goodsExchange"), (inspect, 2, "goodsInspect"), (give_up_part, 2, "backorderCancel"),
    (offer_and_choose, 6, "backorderOptionChoose"),
    (choose_by_kind, 3, "backorderOptionChoose"), (pause, 1, "backorderCoursePause"), (end_purchase, 1, "purchaseOrderClose"),
    (simulate, 1, "simulationStart"), (answer_by_edi, 3, "purchaseOrderAcknowledge"), (notice_by_edi, 2, "goodsReceive"),
)  # fmt: skip
