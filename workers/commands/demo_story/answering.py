"""Act 3: the supplier answers (855), ships (856), and the carrier is late (214); promises follow, with reasons."""

from __future__ import annotations

from datetime import date
from typing import Any

from core.domain.notices import render
from migrations.demo_company import SKUS
from workers.commands.demo_story import figures
from workers.commands.demo_story.chronicle import show
from workers.commands.demo_story.client import until
from workers.commands.demo_story.story import Story

TRACKING = "HAUL-4711"
DOCUMENTS = """{ ediDocuments(first: 50) { nodes { kind partner businessKey validation delivery acknowledgement faults { reason } } } }"""
NOTICES = """query($number: String!) { notices(first: 20, filter: {orderNumber: $number, template: "PROMISE_MOVED"}) {
  nodes { language subject text state } } }"""


async def _applied(story: Story, kind: str) -> None:
    """Wait until the one document of this kind is applied, and nothing is left to do."""

    async def look() -> Any:
        nodes = (await story.admin.ask(DOCUMENTS))["ediDocuments"]["nodes"]
        found = [node for node in nodes if node["kind"] == kind]
        return found if found and found[0]["delivery"] != "RECEIVED" else None

    found = await until(look, seconds=15)
    came = [(node["delivery"], node["validation"], node["faults"]) for node in found or []]
    story.chronicle.expect(f"the {kind} is applied", [("APPLIED", "VALID", [])], came)
    await story.at_rest()


async def _acknowledged(story: Story, kind: str, control: str) -> str:
    """The 997 that answers our group; returns its file name."""

    async def look() -> Any:
        return story.desk.acknowledgements().get(control)

    found = await until(look, seconds=5)
    story.chronicle.expect(f"a 997 for the {kind}", True, found is not None)
    path, answer = found
    said = (answer.verdict, [(item.kind, item.verdict) for item in answer.sets])
    story.chronicle.expect(f"what the 997 says of the {kind}", ("A", [(kind, "A")]), said)
    return path.name


def _schedules(line: dict[str, Any]) -> list[tuple[int, int, str, str, str]]:
    return sorted((s["quantity"], s["pegged"], s["paperDate"], s["usableDate"], s["basis"]) for s in line["schedules"])


async def supplier_answers(story: Story) -> None:
    """855: six accepted, four backordered with a later day, on one line."""
    chronicle, days, order = story.chronicle, story.days, story.purchase
    assert order is not None
    usable = days.after_lead_time(figures.KETTLE)
    early, late = days.around(usable, -4), days.around(usable, 2)
    chronicle.step(f"The supplier answers (855): {figures.ACCEPTED} accepted, {figures.BACKORDERED} backordered")
    story.desk.acknowledge(order, [("IA", figures.ACCEPTED, early), ("IB", figures.BACKORDERED, late)])
    await _applied(story, "855")
    answer = await _acknowledged(story, "855", story.desk.last_group)
    line = await story.kettle_line()
    parts = {name: line[name] for name in ("ordered", "confirmed", "backordered", "unanswered")}
    chronicle.expect(
        "quantities of the purchase order line",
        {
            "ordered": figures.ORDERED_KETTLES,
            "confirmed": figures.ACCEPTED,
            "backordered": figures.BACKORDERED,
            "unanswered": 0,
        },
        parts,
    )
    first = (figures.ACCEPTED, figures.ACCEPTED, early, days.usable(early), "CONFIRMED_ORDER")
    second = (figures.BACKORDERED, figures.BACKORDERED, late, days.usable(late), "CONFIRMED_ORDER")
    chronicle.expect("its schedules (units, pegged, dock, usable, basis)", sorted([first, second]), _schedules(line))
    moved = days.delivered(days.usable(late))
    await _expect_promises(story, "follower", [story.promised], ["PLACED"])
    await _expect_promises(story, "buyer", [story.promised, moved], ["PLACED", "SUPPLIER_BACKORDERED"])
    follower = await story.line("follower")
    chronicle.expect(
        "the higher tier keeps the early part",
        [days.usable(early).isoformat()],
        [p["expected"]["expected"] for p in follower["pegs"]],
    )
    chronicle.expect(
        "its backorder is expected", days.delivered(days.usable(early)), follower["backorder"]["expected"]["expected"]
    )
    story.facts["moved"] = moved
    chronicle.tell(
        f"{figures.ACCEPTED} at the dock {show(early)}, {figures.BACKORDERED} on {show(late)}; answered by {answer}"
    )
    chronicle.tell(
        f"{figures.FOLLOWER}: promise confirmed, {show(str(story.promised))}, expected {show(days.delivered(days.usable(early)))}"
    )
    chronicle.tell(f"{figures.BUYER}: promise moves to {show(moved)}: SUPPLIER_BACKORDERED")


async def _expect_promises(story: Story, role: str, promised: list[date | None], reasons: list[str]) -> None:
    history = (await story.line(role))["promiseHistory"]
    story.chronicle.expect(
        f"{role}: promises and their reasons",
        list(zip(promised, reasons, strict=True)),
        [(record["promised"], record["reason"]) for record in history],
    )


async def supplier_ships(story: Story) -> None:
    """856: what was accepted is on its way and expected a day later than confirmed; promises hold."""
    chronicle, days, order = story.chronicle, story.days, story.purchase
    assert order is not None
    dock = days.around(days.after_lead_time(figures.KETTLE), -3)
    chronicle.step(f"The supplier ships {figures.ACCEPTED} (856), due {show(dock)}")
    story.desk.ship(order, figures.ACCEPTED, days.today, dock, TRACKING)
    await _applied(story, "856")
    await _acknowledged(story, "856", story.desk.last_group)
    line = await story.kettle_line()
    chronicle.expect(
        "in transit, still backordered",
        (figures.ACCEPTED, figures.BACKORDERED),
        (line["inTransit"], line["backordered"]),
    )
    expected = days.delivered(days.usable(dock))
    follower = await story.line("follower")
    chronicle.expect("the follower's backorder is expected", expected, follower["backorder"]["expected"]["expected"])
    await _expect_promises(story, "follower", [story.promised], ["PLACED"])
    await _expect_promises(story, "buyer", [story.promised, story.facts["moved"]], ["PLACED", "SUPPLIER_BACKORDERED"])
    chronicle.tell(f"{figures.ACCEPTED} in transit; {figures.FOLLOWER} expects {show(expected)}; no promise moves")


async def carrier_is_late(story: Story) -> None:
    """214: the goods come after every promise; all of them move, with the reason, and the customers read why."""
    chronicle, days, order = story.chronicle, story.days, story.purchase
    assert order is not None
    dock = days.around(days.after_lead_time(figures.KETTLE), 6)
    chronicle.step(f"The carrier reports a delay (214): now due {show(dock)}")
    await story.portal.cut()
    story.facts["seen_before_cut"] = len(story.portal.events)
    story.desk.delay(order, TRACKING, dock)
    await _applied(story, "214")
    delivered = days.delivered(days.usable(dock))
    before = story.facts["moved"]
    await _expect_promises(story, "follower", [story.promised, delivered], ["PLACED", "SUPPLY_DELAYED"])
    await _expect_promises(
        story, "buyer", [story.promised, before, delivered], ["PLACED", "SUPPLIER_BACKORDERED", "SUPPLY_DELAYED"]
    )
    for role in ("follower", "buyer"):
        chronicle.expect(f"the {role}'s backorder", "DELAYED", (await story.backorder(role))["state"])
    chronicle.tell(f"both promises move to {show(delivered)}: SUPPLY_DELAYED (the portal's line was cut just before)")
    names = next(row[1:3] for row in SKUS if row[0] == figures.KETTLE)
    await _read_notice(story, "buyer", figures.BUYER, "en", names[0], before, delivered)
    await _read_notice(story, "follower", figures.FOLLOWER, "ko", names[1], story.promised, delivered)


async def _read_notice(
    story: Story, role: str, customer: str, language: str, sku: str, before: date | None, now: date
) -> None:
    """What the customer reads about the delay, word for word."""
    line = await story.line(role)
    number = story.orders[role]
    facts = {
        "orderNumber": number, "skuName": sku, "quantity": line["backordered"] + line["open"] + line["allocated"],
        "previousPromised": before, "promised": now, "reason": "SUPPLY_DELAYED",
    }  # fmt: skip
    subject, text = render("PROMISE_MOVED", language, facts)
    client = story.customer(customer)

    async def look() -> Any:
        nodes = (await client.ask(NOTICES, number=number))["notices"]["nodes"]
        return [node for node in nodes if node["text"] == text]

    found = await until(look, seconds=15)
    if not found:
        nodes = (await client.ask(NOTICES, number=number))["notices"]["nodes"]
        story.chronicle.expect(f"the notice to {customer}", text, [node["text"] for node in nodes])
    notice = found[0]
    story.chronicle.expect(
        f"the notice to {customer}",
        (language, subject, "SENT"),
        (notice["language"], notice["subject"], notice["state"]),
    )
    story.chronicle.tell(f"{customer} reads: {notice['text']}")
