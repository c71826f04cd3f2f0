"""Act 2: orders arrive, the third is short, and a purchase order leaves for what nothing else covers."""

from __future__ import annotations

import time

from workers.commands.demo_story import figures
from workers.commands.demo_story.asking import told
from workers.commands.demo_story.chronicle import show
from workers.commands.demo_story.client import until
from workers.commands.demo_story.story import Story

COLD_SECONDS = 5.0
"""The first purchase order may take so long on a busy machine, where the workers have just been started."""


async def take_from_stock(story: Story) -> None:
    """Two orders that stock covers; a job plans their shipments."""
    chronicle = story.chronicle
    chronicle.step("Two orders that stock covers")
    await story.portal.watch()
    for customer, quantity in figures.EARLY_CUSTOMERS:
        payload = await story.place(f"early {customer}", customer, figures.KETTLE, quantity)
        chronicle.expect(f"{customer}: line", ["ALLOCATED"], [line["status"] for line in payload["order"]["lines"]])
        chronicle.expect(f"{customer}: backorders", [], payload["backorders"])
    await story.at_rest(30)  # the workers may still be loading
    for customer, quantity in figures.EARLY_CUSTOMERS:
        order = await story.order(f"early {customer}")
        units = [(s["status"], s["location"]["code"], [x["quantity"] for x in s["lines"]]) for s in order["shipments"]]
        chronicle.expect(f"{customer}: shipment", [("PLANNED", figures.HOME, [quantity])], units)
        chronicle.expect(f"{customer}: status", "SHIPMENT_RESERVED", order["status"])
        chronicle.tell(
            f"{order['number']} {customer}: {quantity} kettles allocated at {figures.HOME}, shipment planned"
        )


async def run_short(story: Story) -> None:
    """The third order: part from stock, part by transfer, the rest backordered with cause, evidence and first promise."""
    chronicle, days = story.chronicle, story.days
    chronicle.step(
        f"The third order wants {figures.WANTED} kettles; {figures.LEFT} are left, {figures.BY_TRANSFER} in reserve"
    )
    by_transfer, later = days.after_transfer(), days.after_lead_time(figures.KETTLE)
    story.promised = days.delivered(later)
    began = time.monotonic()
    payload = await story.place(
        "buyer", figures.BUYER, figures.KETTLE, figures.WANTED, wanted=days.delivered(by_transfer)
    )
    story.facts["placed_at"] = time.monotonic()
    chronicle.expect("backorders opened", 1, len(payload["backorders"]))
    line = await story.line("buyer")
    quantities = {name: line[name] for name in ("ordered", "allocated", "open", "backordered", "shipped", "cancelled")}
    wanted = {
        "ordered": figures.WANTED, "allocated": figures.LEFT, "open": figures.BY_TRANSFER,
        "backordered": figures.SHORT, "shipped": 0, "cancelled": 0,
    }  # fmt: skip
    chronicle.expect("quantities of the line", wanted, quantities)
    slices = [
        (figures.LEFT, "ON_HAND", days.leaves_now(figures.HOME)),
        (figures.BY_TRANSFER, "TRANSFER", by_transfer),
    ]
    first = line["promiseHistory"][0]
    promised = [[n, source, leaves, days.delivered(leaves)] for n, source, leaves in slices]
    chronicle.expect("slices from stock and by transfer", promised, told(line["promise"])[:2])
    chronicle.expect(
        "first promise", (story.promised, None, "PLACED"), (first["promised"], first["previous"], first["reason"])
    )
    backorder = line["backorder"]
    chronicle.expect(
        "backorder: quantity and cause", (figures.SHORT, "FORECAST_ERROR"), (backorder["quantity"], backorder["cause"])
    )
    evidence = {fact["name"]: fact["value"] for fact in backorder["evidence"]}
    proof = {
        "shortage": figures.SHORT,
        "explained": figures.SHORT,
        "reorderPoint": 0,
        "leadTimeDays": figures.terms(figures.KETTLE).lead_days,
    }
    chronicle.expect("backorder: evidence", {k: str(v) for k, v in proof.items()}, {k: evidence.get(k) for k in proof})
    chronicle.tell(
        f"{payload['order']['number']} {figures.BUYER}: {figures.LEFT} allocated, {figures.BY_TRANSFER} by transfer from"
        f" {figures.RESERVE} (leave {show(by_transfer)}), {figures.SHORT} backordered, in {time.monotonic() - began:.2f} s"
    )
    chronicle.tell(
        f"cause FORECAST_ERROR: reorder point {evidence['reorderPoint']}, lead time {evidence['leadTimeDays']} days"
    )
    chronicle.tell(
        f"first promise: all delivered {show(story.promised)} (lead time P80, {figures.terms(figures.KETTLE).lead_p80} days)"
    )


async def buy(story: Story) -> None:
    """Within a second the jobs raise one purchase order and write its 850."""
    chronicle, days = story.chronicle, story.days
    chronicle.step("Jobs raise the purchase order and write the 850")
    found = await until(lambda: _order_file(story), seconds=10, every=0.02)
    seconds = time.monotonic() - story.facts["placed_at"]
    chronicle.expect("an 850 in the out folder", True, found)
    chronicle.within("from the order's answer to the 850", COLD_SECONDS, seconds)
    story.buying_seconds.append(seconds)
    orders = story.desk.orders()
    chronicle.expect("850 files", 1, len(orders))
    path, document = next(iter(orders.values()))
    story.purchase = document
    usable = days.after_lead_time(figures.KETTLE)
    dock = days.dock_for(usable)
    said = [(line.buyer_sku, line.quantity, line.requested_date) for line in document.lines]
    chronicle.expect("lines of the 850", [(figures.KETTLE, figures.ORDERED_KETTLES, dock)], said)
    await story.at_rest()
    raised = await story.purchase_orders(figures.KETTLE)
    chronicle.expect("purchase orders for kettles", [document.number], [order["number"] for order in raised])
    chronicle.expect(
        "its status",
        ("SENT", figures.SUPPLIER, figures.HOME),
        (raised[0]["status"], raised[0]["supplier"]["code"], raised[0]["location"]["code"]),
    )
    line = await story.line("buyer")
    chronicle.expect(
        "the backorder", ("PEGGED", figures.SHORT), (line["backorder"]["state"], line["backorder"]["quantity"])
    )
    chronicle.expect("the promise stays", [story.promised], [record["promised"] for record in line["promiseHistory"]])
    chronicle.tell(
        f"{document.number} to {figures.SUPPLIER}: {figures.ORDERED_KETTLES} ({figures.SHORT} short, MOQ"
        f" {figures.terms(figures.KETTLE).moq}), wanted at the dock {show(dock)}; {path.name} after {seconds:.2f} s"
    )


async def _order_file(story: Story) -> bool:
    return bool(story.desk.orders())


async def follow(story: Story) -> None:
    """A fourth order is covered by what the open purchase order has left: nothing is bought."""
    chronicle = story.chronicle
    chronicle.step(f"A fourth order wants {figures.FOLLOWER_QUANTITY}: the purchase order has just so many left")
    payload = await story.place("follower", figures.FOLLOWER, figures.KETTLE, figures.FOLLOWER_QUANTITY)
    await story.at_rest()
    assert story.purchase is not None
    line = await story.line("follower")
    pegs = [
        (peg["quantity"], peg["firmness"], peg["supply"]["purchaseOrderLine"]["purchaseOrder"]["number"])
        for peg in line["pegs"]
    ]
    chronicle.expect("its pegs", [(figures.FOLLOWER_QUANTITY, "FIRM", story.purchase.number)], pegs)
    chronicle.expect("its promise", story.promised, line["promise"]["deliveryDate"]["expected"])
    chronicle.expect("purchase orders for kettles", 1, len(await story.purchase_orders(figures.KETTLE)))
    chronicle.expect("850 files", 1, len(story.desk.orders()))
    chronicle.tell(
        f"{payload['order']['number']} {figures.FOLLOWER}: {figures.FOLLOWER_QUANTITY} pegged to {story.purchase.number};"
        f" nothing bought; promised {show(str(story.promised))}"
    )
