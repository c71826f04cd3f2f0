"""Act 6: the portal saw every event once and in order, all facts are published, and the recount finds nothing."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from redis.asyncio import Redis

from core.repositories.announce_changes import REARRANGED
from workers.commands.demo_story import figures
from workers.commands.demo_story.chronicle import StepFailed
from workers.commands.demo_story.client import until
from workers.commands.demo_story.story import Story
from workers.commands.stack import ROOT

TIMELINE = """query($number: String!, $after: String) { order(number: $number) { timeline(first: 100, after: $after) {
  pageInfo { hasNextPage endCursor }
  nodes { cursor kind lineNumber status version quantity promised previousPromised reason } } } }"""

HEARD: tuple[tuple[str, int | None], ...] = (
    ("PLACED", None),
    ("VALIDATED", None),
    ("BACKORDER_OPENED", figures.SHORT),
    ("READY_TO_SHIP", figures.LEFT),
    ("ALLOCATED", figures.BY_TRANSFER),
    ("READY_TO_SHIP", figures.BY_TRANSFER),
    ("SHIPPED", figures.LEFT + figures.BY_TRANSFER),
    ("PROMISE_MOVED", figures.SHORT),  # the 855: backordered by the supplier
    ("PROMISE_MOVED", figures.SHORT),  # the 214: delayed; from here on the portal was cut off
    ("ALLOCATED", figures.FIRST_RECEIPT - figures.FOLLOWER_QUANTITY),
    ("READY_TO_SHIP", figures.FIRST_RECEIPT - figures.FOLLOWER_QUANTITY),
    ("ALLOCATED", figures.ACCEPTED - figures.FIRST_RECEIPT),  # the rest of what was on the ship notice
    ("ALLOCATED", figures.BACKORDERED),
    ("PROMISE_MOVED", figures.SHORT),  # all is here: earlier
    ("READY_TO_SHIP", figures.SECOND_RECEIPT),
    ("SHIPPED", figures.SHORT),
    ("DELIVERED", figures.LEFT + figures.BY_TRANSFER),
    ("DELIVERED", figures.SHORT),
)
"""What the watcher of the third order hears, with units; besides, versions that rose without news."""
CUT_AT = 8
"""How many of these came before the line was cut."""


async def compare_portal(story: Story) -> None:
    """The stream of the portal, cut and resumed, equals the order's timeline, and that equals the event table."""
    chronicle, portal = story.chronicle, story.portal
    chronicle.step("The portal's stream, cut in the middle and resumed, against the record")
    timeline = (await story.customer(figures.BUYER).ask(TIMELINE, number=story.orders["buyer"], after=None))["order"][
        "timeline"
    ]
    chronicle.expect("the timeline fits one page", False, timeline["pageInfo"]["hasNextPage"])
    recorded = timeline["nodes"]
    await until(lambda: _seen(story, len(recorded)), seconds=5)
    chronicle.expect("errors on the portal's line", [], portal.trouble)
    chronicle.expect("no resync was needed", [], [event for event in portal.events if event["resyncRequired"]])
    names = list(recorded[0])
    chronicle.expect("events seen, once each and in order", recorded, [{n: e[n] for n in names} for e in portal.events])
    rows = await story.database.system.fetch(
        """select e.position from event e join sales_order o on o.id = e.order_id join customer c on c.id = o.customer_id
        where e.topic = 'order' and c.code = $1 order by 1""",
        figures.BUYER,
    )
    chronicle.expect("rows in the event table", len(rows), len(portal.events))
    chronicle.expect("cursors, each once", len(rows), len({event["cursor"] for event in portal.events}))
    told = [event for event in portal.events if event["reason"] != REARRANGED]
    heard = [(event["kind"], event["quantity"]) for event in told]
    chronicle.expect("what the customer hears (kind, units)", HEARD, heard)
    before = story.facts["seen_before_cut"]
    cut_at = sum(event["reason"] != REARRANGED for event in portal.events[:before])
    chronicle.expect("the line was cut in the middle", True, 0 < cut_at <= CUT_AT)
    number, after = story.orders["buyer"], len(portal.events) - before
    chronicle.tell(
        f"{len(portal.events)} events of {number}: {before} before the cut, {after} after; none lost, repeated or swapped"
    )


async def _seen(story: Story, count: int) -> bool:
    return len(story.portal.events) >= count


async def recount(story: Story) -> None:
    """Outbox empty, stream and relay at the same position, and `audit` finds no difference."""
    chronicle = story.chronicle
    chronicle.step("The recount")
    await story.at_rest()
    row = await story.database.system.fetchrow(
        "select (select count(*) from outbox) as waiting, (select position from relay) as position,"
        " (select count(*) from event) as events, (select count(*) from ledger_alarm where cleared_at is null) as alarms"
    )
    async with Redis.from_url(story.settings.redis_url) as client:
        newest: Any = await client.xrevrange(story.settings.stream_name, count=1)
    published = int(newest[0][0].split(b"-")[0])
    chronicle.expect("events recorded, and the relay's position", row["events"], row["position"])
    chronicle.expect("published of recorded events; still waiting", (row["position"], 0), (published, row["waiting"]))
    chronicle.expect("open alarms", 0, row["alarms"])
    dead = await story.database.system.fetch(
        "select function, key, error from job_run where state in ('dead', 'failed')"
    )
    chronicle.expect("jobs that failed", [], [dict(item) for item in dead])
    report = await _audit(story)
    chronicle.expect("differences found by the recount", [], report["differences"])
    chronicle.tell(
        f"{row['events']} events recorded, {published} published; the recount of every identity finds 0 differences"
    )


async def _audit(story: Story) -> dict[str, Any]:
    """What `python manage.py audit --json` says of this stack."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "manage.py", "audit", "--json", cwd=ROOT, env=story.stack.environment_of_children(),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, errors = await process.communicate()
    lines = out.decode().strip().splitlines()
    if not lines:
        raise StepFailed("The recount", "audit --json", "a report", errors.decode()[-500:])
    return json.loads(lines[-1])
