"""Act 1: a storefront asks when three SKUs could be delivered."""

from __future__ import annotations

from datetime import date
from typing import Any

from workers.commands.demo_story import figures
from workers.commands.demo_story.chronicle import show
from workers.commands.demo_story.story import Story

AVAILABILITY = """query($skus: [String!]!, $quantity: Int!, $channel: String!, $shipTo: ShipToInput!) {
  availability(skus: $skus, quantity: $quantity, channel: $channel, shipTo: $shipTo) {
    sku { code } state availableNow
    promise { complete shipDate { expected } deliveryDate { expected basis }
      slices { quantity source { kind } location { code } shipDate { expected } deliveryDate { expected } } } } }"""

Slice = tuple[int, str, date]
"""Quantity, source, day on which it leaves."""


def expected_slices(story: Story) -> dict[str, list[Slice]]:
    """What the seed says for `figures.ASKED` units of each SKU: stock, then what comes, then ordering anew."""
    days, asked = story.days, figures.ASKED
    now = days.leaves_now(figures.HOME)
    kettles = [
        (figures.FREE, "ON_HAND", now),
        (figures.BY_TRANSFER, "TRANSFER", days.after_transfer()),
        (asked - figures.FREE - figures.BY_TRANSFER, "LEAD_TIME", days.after_lead_time(figures.KETTLE)),
    ]
    lamps: list[Slice] = [(figures.stock(figures.LAMP, figures.HOME), "ON_HAND", now)]
    left = asked - lamps[0][0]
    for quantity, in_days in figures.inbound(figures.LAMP, figures.HOME):
        lamps.append((min(left, quantity), "PURCHASE_ORDER", days.inbound(in_days)))
        left -= lamps[-1][0]
    return {figures.KETTLE: kettles, figures.LAMP: lamps, figures.MUG: [(asked, "ON_HAND", now)]}


async def ask_availability(story: Story) -> None:
    """Three SKUs, one quantity, three kinds of answer, each with ship and delivery days."""
    chronicle = story.chronicle
    chronicle.step(f"The storefront asks for {figures.ASKED} of each of three SKUs, to Seoul")
    expected = expected_slices(story)
    ship_to = {"country": figures.SHIP_TO["country"], "postalCode": figures.SHIP_TO["postalCode"]}
    answers = (
        await story.shop.ask(
            AVAILABILITY, skus=list(expected), quantity=figures.ASKED, channel=figures.CHANNEL, shipTo=ship_to
        )
    )["availability"]
    for answer, (sku, slices) in zip(answers, expected.items(), strict=True):
        free = figures.stock(sku, figures.HOME) - figures.protected(sku, figures.HOME)
        chronicle.expect(f"{sku}: state", "IN_STOCK", answer["state"])
        chronicle.expect(f"{sku}: available now", free, answer["availableNow"])
        promise = answer["promise"]
        chronicle.expect(f"{sku}: slices (units, source, leaves, arrives)", _days(story, slices), told(promise))
        chronicle.expect(f"{sku}: complete", True, promise["complete"])
        last = story.days.delivered(slices[-1][2])
        chronicle.expect(f"{sku}: the day of delivery", last, promise["deliveryDate"]["expected"])
        parts = ", ".join(f"{n} {source.lower().replace('_', ' ')} {show(day)[:10]}" for n, source, day in slices)
        chronicle.tell(f"{sku:<10} {free:>2} now; {figures.ASKED}: {parts}; all delivered {show(last)}")


def _days(story: Story, slices: list[Slice]) -> list[tuple[int, str, date, date]]:
    return [(quantity, source, leaves, story.days.delivered(leaves)) for quantity, source, leaves in slices]


def told(promise: dict[str, Any]) -> list[list[Any]]:
    """The slices of a promise as (units, source, leaves, arrives)."""
    return [
        [s["quantity"], s["source"]["kind"], s["shipDate"]["expected"], s["deliveryDate"]["expected"]]
        for s in promise["slices"]
    ]
