"""Act 5: a count finds less than recorded, and a line that had stock goes short; its cause says so."""

from __future__ import annotations

import json
import statistics
import time

from workers.commands.demo_story import figures
from workers.commands.demo_story.chronicle import show
from workers.commands.demo_story.client import until
from workers.commands.demo_story.edi_desk import EdiDesk
from workers.commands.demo_story.story import Story

BUYING_SECONDS = 5.0
"""So soon a shortage must have become a file in the supplier's folder."""


async def count_finds_less(story: Story) -> None:
    """All teapots are allocated; the count finds fewer: backorder with cause STOCK_RECORD_ERROR, and a purchase."""
    chronicle, sku, days = story.chronicle, figures.TEAPOT, story.days
    chronicle.step(f"A count finds {figures.FOUND} teapots where {figures.TEAPOTS} are recorded")
    payload = await story.place("counted", figures.COUNTED_CUSTOMER, sku, figures.TEAPOTS)
    chronicle.expect("at first, backorders", [], payload["backorders"])
    await story.at_rest()
    given = {"sku": sku, "location": figures.HOME, "counted": figures.FOUND, "reason": "cycle count"}
    stock = (await story.warehouse.do("stockCount", "stock { onHand allocated }", given))["stock"]
    chronicle.expect("stock after the count", {"onHand": figures.FOUND, "allocated": figures.FOUND}, stock)
    began = time.monotonic()
    pottery = EdiDesk(story.stack.edi_dir, "clayhouse")
    await until(lambda: _written(pottery), seconds=10, every=0.02)
    story.buying_seconds.append(time.monotonic() - began)
    typical = statistics.median(story.buying_seconds)
    chronicle.within("from a shortage to the 850, median of all purchase orders", BUYING_SECONDS, typical)
    await story.at_rest()
    line = await story.line("counted")
    quantities = (line["ordered"], line["allocated"], line["backordered"])
    chronicle.expect("ordered, allocated, backordered", (figures.TEAPOTS, figures.FOUND, figures.MISSING), quantities)
    backorder = line["backorder"]
    chronicle.expect(
        "its backorder",
        ("STOCK_RECORD_ERROR", figures.MISSING, "PEGGED"),
        (backorder["cause"], backorder["quantity"], backorder["state"]),
    )
    evidence = {fact["name"]: fact["value"] for fact in backorder["evidence"]}
    found = [row["delta"] for row in json.loads(evidence.get("stockMovements", "[]"))]
    chronicle.expect("the count that proves it", [-figures.MISSING], found)
    later = days.delivered(days.after_lead_time(sku))
    last = line["promiseHistory"][-1]
    chronicle.expect("its promise", (later, "STOCK_CORRECTED"), (last["promised"], last["reason"]))
    bought = [(order.lines[0].buyer_sku, order.lines[0].quantity) for _, order in pottery.orders().values()]
    chronicle.expect(f"850 to {figures.POTTERY}", [(sku, figures.TEAPOTS_ORDERED)], bought)
    chronicle.tell(
        f"{story.orders['counted']}: {figures.MISSING} of {figures.TEAPOTS} backordered, cause STOCK_RECORD_ERROR;"
        f" promise moves to {show(later)}: STOCK_CORRECTED; {figures.TEAPOTS_ORDERED} bought from {figures.POTTERY}"
    )
    chronicle.tell("from shortage to 850: " + ", ".join(f"{seconds:.2f} s" for seconds in story.buying_seconds))


async def _written(desk: EdiDesk) -> bool:
    return bool(desk.orders())
