"""Act 4: the transfer arrives, a latecomer of the highest tier orders, and the goods come in two receipts."""

from __future__ import annotations

import time
from typing import Any

from workers.commands.demo_story import figures
from workers.commands.demo_story.chronicle import show
from workers.commands.demo_story.client import until
from workers.commands.demo_story.story import Story

RECEIPT = "receipt { number lines { quantity overDelivered sku { code } } }"


async def transfer_arrives(story: Story) -> None:
    """The reserve warehouse sends its units; the line gets them, and what is whole leaves as a first shipment."""
    chronicle = story.chronicle
    chronicle.step(f"{figures.BY_TRANSFER} kettles come from {figures.RESERVE}")
    line = await story.line("buyer")
    transfers = [peg["supply"]["transfer"] for peg in line["pegs"] if peg["supply"]["kind"] == "TRANSFER"]
    chronicle.expect(
        "the transfer", [(figures.BY_TRANSFER, "PLANNED")], [(t["quantity"], t["state"]) for t in transfers]
    )
    identity = transfers[0]["id"]
    sent = await story.warehouse.do("stockTransferShip", "transfer { state }", {"id": identity})
    chronicle.expect("the transfer has left", "IN_TRANSIT", sent["transfer"]["state"])
    await story.warehouse.do(
        "goodsReceive",
        RECEIPT,
        {
            "reference": identity,
            "kind": "TRANSFER",
            "location": figures.HOME,
            "lines": [{"sku": figures.KETTLE, "quantity": figures.BY_TRANSFER}],
        },
    )
    await story.at_rest()
    units = figures.LEFT + figures.BY_TRANSFER
    line = await story.line("buyer")
    chronicle.expect(
        "the line: allocated, open, backordered",
        (units, 0, figures.SHORT),
        (line["allocated"], line["open"], line["backordered"]),
    )
    shipment = await _ship_planned(story, "buyer", units, "HAUL-1")
    line = await story.line("buyer")
    chronicle.expect("the line: shipped, backordered", (units, figures.SHORT), (line["shipped"], line["backordered"]))
    chronicle.tell(f"{shipment} with {units} has left for {figures.BUYER}; {figures.SHORT} still wait")


async def _ship_planned(story: Story, role: str, units: int, tracking: str) -> str:
    """Confirm the one planned shipment of an order, which holds just so many units; returns its number."""
    order = await story.order(role)
    planned = [s for s in order["shipments"] if s["status"] == "PLANNED"]
    counted = [sum(line["quantity"] for line in s["lines"]) for s in planned]
    story.chronicle.expect(f"{role}: units on planned shipments", [units], counted)
    number = planned[0]["number"]
    given = {"number": number, "carrier": "HAUL", "trackingNumber": tracking}
    payload = await story.warehouse.do("shipmentConfirm", "shipment { number status }", given)
    story.chronicle.expect(f"{number}: status", "SHIPPED", payload["shipment"]["status"])
    story.facts.setdefault("shipments", []).append((role, number))
    await story.at_rest()
    return number


async def latecomer_orders(story: Story) -> None:
    """What is under way is spoken for: the hotel's kettles are bought, whatever its tier."""
    chronicle, quantity = story.chronicle, figures.LATE_WANTED
    assert story.purchase is not None
    chronicle.step(f"{figures.LATECOMER} (highest tier) wants {quantity}: all that is under way is spoken for")
    await story.place("latecomer", figures.LATECOMER, figures.KETTLE, quantity)
    began = time.monotonic()
    await until(lambda: _two_files(story), seconds=5, every=0.02)
    story.buying_seconds.append(time.monotonic() - began)
    await story.at_rest()
    orders = [
        order for order in await story.purchase_orders(figures.KETTLE) if order["number"] != story.purchase.number
    ]
    bought = [(order["status"], order["lines"][0]["ordered"]) for order in orders]
    chronicle.expect("what is bought beside the first purchase order", [("SENT", quantity)], bought)
    line = await story.line("latecomer")
    chronicle.expect("backordered", quantity, line["backordered"])
    chronicle.expect("cause: the supplier's answer", "SUPPLIER_SHORT", line["backorder"]["cause"])
    pegs = [(p["quantity"], p["supply"]["purchaseOrderLine"]["purchaseOrder"]["number"]) for p in line["pegs"]]
    chronicle.expect("its pegs", [(quantity, orders[0]["number"])], pegs)
    chronicle.expect("its promise", story.promised, line["promise"]["deliveryDate"]["expected"])
    chronicle.tell(
        f"{orders[0]['number']} over {quantity}; cause SUPPLIER_SHORT; promised {show(str(story.promised))} (lead time P80)"
    )


async def _two_files(story: Story) -> bool:
    return len(story.desk.orders()) == 2


async def _receive(story: Story, quantity: int) -> None:
    assert story.purchase is not None
    given = {
        "reference": story.purchase.number, "kind": "PURCHASE_ORDER", "location": figures.HOME,
        "lines": [{"sku": figures.KETTLE, "quantity": quantity}],
    }  # fmt: skip
    payload = await story.warehouse.do("goodsReceive", RECEIPT, given)
    lines = [(line["sku"]["code"], line["quantity"], line["overDelivered"]) for line in payload["receipt"]["lines"]]
    booked = [sum(line[1] for line in lines), sum(line[2] for line in lines)]
    story.chronicle.expect("booked, over delivered", [quantity, 0], booked)
    await story.at_rest()


async def _waiting(story: Story) -> dict[str, tuple[Any, ...]]:
    lines = {role: await story.line(role) for role in ("follower", "buyer", "latecomer")}
    return {role: (line["allocated"], line["backordered"], line["status"]) for role, line in lines.items()}


async def first_receipt(story: Story) -> None:
    """Too few for all: lines pegged to that purchase order, by priority, then age; the latecomer waits for its own."""
    chronicle, came = story.chronicle, figures.FIRST_RECEIPT
    chronicle.step(f"The first receipt brings {came} of {figures.ORDERED_KETTLES}")
    await story.portal.watch()
    await _receive(story, came)
    rest = came - figures.FOLLOWER_QUANTITY
    left = figures.SHORT - rest
    expected = {
        "follower": (figures.FOLLOWER_QUANTITY, 0, "READY_TO_SHIP"),
        "buyer": (rest, left, "BACKORDERED"),
        "latecomer": (0, figures.LATE_WANTED, "BACKORDERED"),
    }
    chronicle.expect("allocated, backordered, status of those who wait", expected, await _waiting(story))
    chronicle.expect("the follower's backorder", "FILLED", (await story.backorder("follower"))["state"])
    chronicle.expect("the first purchase order line: received", came, (await story.kettle_line())["received"])
    chronicle.tell(
        f"{figures.FOLLOWER} (GOLD, younger): all of its {figures.FOLLOWER_QUANTITY}; backorder FILLED, READY_TO_SHIP"
    )
    chronicle.tell(f"{figures.BUYER} (STANDARD, older): {rest}; {left} still wait")
    chronicle.tell(f"{figures.LATECOMER} (VIP): none; it waits for the purchase order it is pegged to")


async def second_receipt(story: Story) -> None:
    """The rest arrives: the purchase order is received, the backorder filled, the line ready to ship."""
    chronicle, came = story.chronicle, figures.SECOND_RECEIPT
    chronicle.step(f"The second receipt brings the other {came}")
    await _receive(story, came)
    expected = {
        "follower": (figures.FOLLOWER_QUANTITY, 0, "READY_TO_SHIP"),
        "buyer": (figures.SHORT, 0, "READY_TO_SHIP"),
        "latecomer": (0, figures.LATE_WANTED, "BACKORDERED"),
    }
    chronicle.expect("allocated, backordered, status of those who wait", expected, await _waiting(story))
    backorder = await story.backorder("buyer")
    chronicle.expect("the buyer's backorder", ("FILLED", 0), (backorder["state"], backorder["quantity"]))
    last = (await story.line("buyer"))["promiseHistory"][-1]
    arrives = story.days.delivered(story.days.leaves_now(figures.HOME))
    chronicle.expect("the buyer's promise", (arrives, "ALLOCATED"), (last["promised"], last["reason"]))
    orders = {order["number"]: order["status"] for order in await story.purchase_orders(figures.KETTLE)}
    assert story.purchase is not None
    chronicle.expect("the purchase order", "RECEIVED", orders[story.purchase.number])
    chronicle.tell(
        f"{figures.BUYER}: backorder FILLED, {figures.SHORT} READY_TO_SHIP, now promised {show(arrives)};"
        f" {story.purchase.number} RECEIVED"
    )


async def ship_and_deliver(story: Story) -> None:
    """What is ready leaves and arrives; both orders are DELIVERED."""
    chronicle = story.chronicle
    chronicle.step("What is ready is shipped and delivered")
    await _ship_planned(story, "buyer", figures.SHORT, "HAUL-2")
    await _ship_planned(story, "follower", figures.FOLLOWER_QUANTITY, "HAUL-3")
    for role, number in story.facts["shipments"]:
        payload = await story.warehouse.do(
            "shipmentDeliver", "shipment { number status deliveredAt }", {"number": number}
        )
        chronicle.expect(f"{role}: {number}", "DELIVERED", payload["shipment"]["status"])
    await story.at_rest()
    for role in ("buyer", "follower"):
        order = await story.order(role)
        line = order["lines"][0]
        chronicle.expect(
            f"{role}: order, line, shipped",
            ("DELIVERED", "DELIVERED", line["ordered"]),
            (order["status"], line["status"], line["shipped"]),
        )
        chronicle.tell(
            f"{order['number']}: {line['shipped']} of {line['ordered']} delivered in {len(order['shipments'])} shipment(s)"
        )
