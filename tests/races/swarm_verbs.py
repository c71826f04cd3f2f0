"""What the actors of the swarm do: shops, clerks, docks, buyers and customers, all at once on few SKUs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.races.swarm_caller import Refused
from tests.races.swarm_goods import picks_of, receipt_of
from tests.races.swarm_scene import CUSTOMERS, SHIP_TO, SHOPS, TRANSFERS, Deed, Scene


async def place(s: Scene) -> None:
    country, postal = s.dice.choice(SHIP_TO)
    number = f"swarm-{s.seed}-{s.dice.getrandbits(48):x}"
    lines = []
    for sku in s.wares(s.dice.choice((1, 1, 2, 3))):
        line: dict[str, Any] = {"sku": sku, "quantity": s.dice.randint(1, 5)}
        if s.dice.random() < 0.2:
            line["requestedDate"] = (datetime.now(UTC).date() + timedelta(days=s.dice.randint(2, 25))).isoformat()
        if s.dice.random() < 0.2:
            line["shipPolicy"] = s.dice.choice(("COMPLETE", "PARTIAL_CANCEL_REST"))
        line["substitutesAllowed"] = s.dice.random() < 0.2
        lines.append(line)
    given: dict[str, Any] = {
        "channel": s.dice.choice(("web", "web", "marketplace", "store")),
        "externalNumber": number,
        "shipTo": {"country": country, "postalCode": postal, "name": "N", "line1": "L", "city": "C"},
        "shipComplete": s.dice.random() < 0.1,
        "lines": lines,
    }
    if (customer := s.dice.choice(CUSTOMERS)) is not None:
        given["customer"] = {"code": customer}
    if s.holds and s.dice.random() < 0.3:
        given["reservationId"] = s.holds.pop(s.dice.randrange(len(s.holds)))
    payload = await s.shop.do("orderPlace", "order { number }", given)
    s.numbers[number] = payload["order"]["number"]
    s.orders.append(payload["order"]["number"])


async def reserve(s: Scene) -> None:
    items = [{"sku": sku, "quantity": s.dice.randint(1, 3)} for sku in s.wares(s.dice.choice((1, 2)))]
    given = {"items": items, "ttlSeconds": s.dice.choice((1, 1, 2, 30)), "channel": "web"}
    if s.holds and s.dice.random() < 0.2:
        given["replaces"] = s.recent(s.holds)
    payload = await s.shop.do("reservationCreate", "reservation { id }", given)
    s.holds.append(payload["reservation"]["id"])


async def prolong(s: Scene) -> None:
    await s.shop.do("reservationExtend", "reservation { id }", {"id": s.recent(s.holds), "ttlSeconds": 2})


async def give_back(s: Scene) -> None:
    await s.shop.do("reservationRelease", "reservation { id }", {"id": s.recent(s.holds)})


async def cancel(s: Scene) -> None:
    given: dict[str, Any] = {"number": s.recent(s.orders)}
    if s.dice.random() < 0.6:
        given |= {"lineNumber": s.dice.randint(1, 2), "quantity": s.dice.randint(1, 2)}
    await s.planner.do("orderCancel", "order { number }", given)


async def change(s: Scene) -> None:
    given = {"number": s.recent(s.orders), "lineNumber": 1, "quantity": s.dice.randint(1, 7)}
    await s.planner.do("orderLineChange", "order { number }", given)


async def stop_and_go(s: Scene) -> None:
    number = s.recent(s.orders)
    await s.planner.do("orderHold", "order { number }", {"number": number, "reason": "MANUAL"})
    await asyncio.sleep(s.dice.uniform(0, 0.5))
    await s.planner.do("orderHoldRelease", "order { number }", {"number": number, "reason": "MANUAL"})


async def adjust(s: Scene) -> None:
    given = {
        "sku": s.dice.choice(s.skus), "location": s.dice.choice((*SHOPS, "RES-BUSAN")),
        "delta": s.dice.choice((-4, -2, -1, 3, 6)), "reason": "swarm", "unsellable": s.dice.random() < 0.2,
    }  # fmt: skip
    await s.dock.do("stockAdjust", "stock { onHand }", given)


async def count(s: Scene) -> None:
    sku, location = s.dice.choice(s.skus), s.dice.choice(SHOPS)
    await s.dock.do(
        "stockCount", "stock { onHand }", {"sku": sku, "location": location, "counted": s.dice.randint(4, 30)}
    )


async def buy(s: Scene) -> None:
    sku = s.dice.choice(s.skus)
    location = s.dice.choice(("DC-ICN", "DC-LTN"))
    terms = await s.planner.ask(
        "query($c: [String!]!) { skus(first: 1, filter: {codes: $c}) { nodes { code } } }", c=[sku]
    )
    assert terms["skus"]["nodes"]
    supplier = "CLAYHOUSE" if sku.split("-")[0] in ("MUG", "TEAPOT", "PLATE", "BOWL") else "BRIGHTWORKS"
    payload = await s.planner.do(
        "purchaseOrderCreate",
        "purchaseOrder { number status lines { lineNumber ordered } }",
        {"supplier": supplier, "location": location, "lines": [{"sku": sku, "quantity": s.dice.choice((24, 48))}]},
    )
    order = payload["purchaseOrder"]
    if order["status"] == "DRAFT":
        await s.planner.do("purchaseOrderApprove", "purchaseOrder { number }", {"number": order["number"]})
    s.purchases.append((order["number"], location))


async def purchase_of(s: Scene) -> tuple[dict[str, Any], str]:
    found = await s.planner.ask(
        "{ purchaseOrders(first: 30) { nodes { number status location { code } supplier { code }"
        " lines { lineNumber ordered sku { code } } } } }"
    )
    orders = [
        o for o in found["purchaseOrders"]["nodes"] if o["status"] not in ("DRAFT", "CANCELLED", "RECEIVED", "CLOSED")
    ]
    if not orders:
        raise Refused(["NOTHING_YET"])
    order = s.dice.choice(orders)
    return order, order["location"]["code"]


async def acknowledge(s: Scene) -> None:
    order, _ = await purchase_of(s)
    lines = []
    for line in order["lines"]:
        later = s.dice.choice((0, 0, 5))
        day = datetime.now(UTC).date() + timedelta(days=s.dice.randint(3, 20))
        first = max(1, line["ordered"] - later)
        answer: dict[str, Any] = {
            "lineNumber": line["lineNumber"], "accepted": [{"quantity": first, "date": day.isoformat()}],
        }  # fmt: skip
        if line["ordered"] > first:
            rest = line["ordered"] - first
            answer["backordered"] = [{"quantity": rest, "date": (day + timedelta(days=9)).isoformat()}]
        lines.append(answer)
    given = {"number": order["number"], "lines": lines}
    await s.planner.do("purchaseOrderAcknowledge", "purchaseOrder { number }", given)


async def receive(s: Scene) -> None:
    order, location = await purchase_of(s)
    line = s.dice.choice(order["lines"])
    units = s.dice.randint(1, 15)
    sku = line["sku"]["code"]
    receipt = {
        "sku": sku, "quantity": units, "damaged": s.dice.choice((0, 0, 0, 1)), **receipt_of(s, sku, units, location),
    }  # fmt: skip
    given = {"reference": order["number"], "kind": "PURCHASE_ORDER", "location": location, "lines": [receipt]}
    await s.dock.do("goodsReceive", "receipt { number }", given)
    s.done["units received"] += units


async def transfer(s: Scene) -> None:
    source, target = s.dice.choice(TRANSFERS)
    sku, units = s.dice.choice(s.wares(1)), s.dice.randint(1, 4)
    given = {"sku": sku, "fromLocation": source, "toLocation": target, "quantity": units}
    payload = await s.dock.do("stockTransfer", "transfer { id }", given)
    s.transfers.append((payload["transfer"]["id"], sku, target, units))


async def move_transfer(s: Scene) -> None:
    identity, sku, target, units = s.recent(s.transfers)
    with suppress(Refused):
        await s.dock.do("stockTransferShip", "transfer { id }", {"id": identity})
    receipt = {"sku": sku, "quantity": s.dice.randint(1, units)}
    given = {"reference": identity, "kind": "TRANSFER", "location": target, "lines": [receipt]}
    await s.dock.do("goodsReceive", "receipt { number }", given)


async def ship(s: Scene) -> None:
    order = s.recent(s.orders)
    found = await s.planner.ask(
        "query($n: String!) { order(number: $n) { shipments { number status location { code }"
        " lines { quantity orderLine { lineNumber sku { code } } } } } }",
        n=order,
    )
    planned = [x for x in found["order"]["shipments"] if x["status"] == "PLANNED"]
    if not planned:
        raise Refused(["NOTHING_YET"])
    chosen = s.dice.choice(planned)
    given = {"number": chosen["number"], "carrier": "SWARM", "picks": picks_of(s, chosen)}
    await s.dock.do("shipmentConfirm", "shipment { number }", given)
    s.left.append(order)
    if s.dice.random() < 0.3:
        await s.dock.do("shipmentDeliver", "shipment { number }", {"number": chosen["number"]})


async def backorders(s: Scene) -> list[dict[str, Any]]:
    found = await s.planner.ask("{ backorders(first: 20) { nodes { id state options { id kind isChosen } } } }")
    return found["backorders"]["nodes"]


async def reprioritize(s: Scene) -> None:
    found = s.recent(await backorders(s))
    given = {"id": found["id"], "score": s.dice.randint(0, 10**6), "reason": "swarm"}
    await s.planner.do("backorderReprioritize", "backorder { id }", given)


async def cancel_backorder(s: Scene) -> None:
    found = s.recent(await backorders(s))
    await s.planner.do("backorderCancel", "backorder { id }", {"id": found["id"], "reason": "swarm"})


async def choose(s: Scene) -> None:
    offered = [option for row in await backorders(s) for option in row["options"] if not option["isChosen"]]
    option = s.recent(offered)
    await s.planner.do("backorderOptionChoose", "backorder { id }", {"id": option["id"]})


async def course(s: Scene) -> None:
    found = s.recent(await backorders(s))
    step = s.dice.choice(("OTHER_SITES", "SUBSTITUTE", "PURCHASE", "OPTIONS", "OPTIONS", "RELEASE"))
    await s.planner.do("backorderCourseRun", "backorder { id }", {"id": found["id"], "step": step})


async def repromise(s: Scene) -> None:
    """A run by any strategies, published with a snapshot that is stale by then, or given up."""
    every = ("REDISTRIBUTE", "REDISTRIBUTE", "IMPROVE", "GAIN", "WIN", "FILL", "LOSE", "SKIP")
    budget = {"worsenedShare": s.dice.choice((None, 0.2)), "maxDays": s.dice.choice((None, 14)), "windowDays": 0}
    given: dict[str, Any] = {
        "definition": {
            "segments": [
                {"name": "web", "strategy": s.dice.choice(every), "include": {"channels": ["web"]}},
                {"name": "others", "strategy": s.dice.choice(every[:3])},
            ],
            "reaction": s.dice.choice(("KEEP", "BEST_EFFORT")),
            "budget": budget,
        },
        "seed": s.dice.randint(1, 99),
    }
    payload = await s.planner.do("repromisingRunStart", "run { id }", given)
    identity = payload["run"]["id"]
    for _ in range(40):
        found = await s.planner.ask("query($id: ID!) { repromisingRun(id: $id) { state } }", id=identity)
        if found["repromisingRun"]["state"] != "COMPUTING":
            break
        if s.dice.random() < 0.05:
            await s.planner.do("repromisingRunCancel", "run { id }", {"id": identity})
            return
        await asyncio.sleep(0.25)
    verb = "repromisingRunPublish" if s.dice.random() < 0.8 else "repromisingRunCancel"
    await s.planner.do(verb, "run { id }", {"id": identity})


async def limit(s: Scene) -> None:
    """A quota of a channel for this week and the next ones, or its end."""
    given = {
        "sku": s.dice.choice(s.skus), "period": "WEEK", "quantity": s.dice.choice((None, 3, 9)), "channel": "web",
        "fromDay": datetime.now(UTC).date().isoformat(),
    }  # fmt: skip
    await s.planner.do("quotaSet", "sku { code }", given)


async def protect(s: Scene) -> None:
    """Stock that is kept back from now on, less in a week, or nothing."""
    today = datetime.now(UTC).date()
    steps = [(today, s.dice.randint(1, 9)), (today + timedelta(days=7), 0)] if s.dice.random() < 0.7 else []
    given = {
        "sku": s.dice.choice(s.skus), "location": s.dice.choice(SHOPS),
        "steps": [{"fromDay": day.isoformat(), "quantity": units} for day, units in steps],
    }  # fmt: skip
    await s.planner.do("protectedStockSet", "sku { code }", given)


async def look(s: Scene) -> None:
    found = await s.shop.ask(
        'query($skus: [String!]!) { availability(skus: $skus, channel: "web") { availableNow atp { quantity } } }',
        skus=s.dice.sample(s.skus, min(5, len(s.skus))),
    )
    for answer in found["availability"]:
        quantities = [step["quantity"] for step in answer["atp"]]
        assert answer["availableNow"] >= 0
        assert quantities == sorted(quantities), quantities
    s.done["availability"] += 1


VERBS: tuple[Deed, ...] = (
    (place, 30, "orderPlace"), (reserve, 14, "reservationCreate"), (prolong, 3, "reservationExtend"),
    (give_back, 3, "reservationRelease"), (cancel, 8, "orderCancel"), (change, 5, "orderLineChange"),
    (stop_and_go, 3, "orderHold"), (adjust, 4, "stockAdjust"), (count, 2, "stockCount"),
    (buy, 2, "purchaseOrderCreate"), (acknowledge, 3, "purchaseOrderAcknowledge"), (receive, 6, "goodsReceive"),
    (transfer, 3, "stockTransfer"), (move_transfer, 3, "stockTransferShip"), (ship, 6, "shipmentConfirm"),
    (reprioritize, 2, "backorderReprioritize"), (cancel_backorder, 2, "backorderCancel"),
    (choose, 2, "backorderOptionChoose"), (repromise, 1, "repromisingRunStart"), (course, 2, "backorderCourseRun"),
    (limit, 1, "quotaSet"), (protect, 1, "protectedStockSet"), (look, 4, ""),
)  # fmt: skip


async def act(scene: Scene, until: Callable[[], bool], wrong: list[str], more: Sequence[Deed] = ()) -> None:
    """One actor: a verb after the other until the end; what is no refusal is wrong."""
    known = [
        (verb, weight) for verb, weight, mutation in (*VERBS, *more) if not mutation or mutation in scene.mutations
    ]
    verbs, weights = [verb for verb, _ in known], [weight for _, weight in known]
    while not until():
        verb = scene.dice.choices(verbs, weights)[0]
        try:
            await verb(scene)
        except Refused:
            await asyncio.sleep(0.02)
        except Exception as error:
            wrong.append(f"{verb.__name__}: {type(error).__name__}: {error}")
