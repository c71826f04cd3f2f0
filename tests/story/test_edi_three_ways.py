"""Files over folder, POST and GraphQL on a whole stack: mixed, repeated, workers killed; orders end as by one delivery."""

from __future__ import annotations

import itertools
import json
import os
import random
import signal
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import psutil
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from migrations.demo_company import OUR_EDI_ID, PARTNERS
from tests.edi_streams import Story, files_of, stories
from tests.story.test_up_command import Up, data

assert data  # a fixture

ORDER = "mutation($i: PurchaseOrderCreateInput!, $k: String!) { purchaseOrderCreate(input: $i, idempotencyKey: $k) {"
ORDER += " purchaseOrder { number status } userErrors { message } } }"
APPROVE = (
    "mutation($i: PurchaseOrderApproveInput!, $k: String!) { purchaseOrderApprove(input: $i, idempotencyKey: $k) {"
)
APPROVE += " userErrors { message } } }"
SUBMIT = "mutation($i: EdiDocumentSubmitInput!, $k: String!) { ediDocumentSubmit(input: $i, idempotencyKey: $k) {"
SUBMIT += " userErrors { message } } }"
LINES = (
    "query($n: String!) { purchaseOrder(number: $n) { status lines { confirmed backordered inTransit unanswered } } }"
)
OPEN = "{ ediDocuments(first: 100, filter: { delivery: [RECEIVED, QUARANTINED] }) { nodes { kind delivery quarantineReason } } }"


class Sender:
    """A supplier with its three ways to us, and a planner who orders from it."""

    def __init__(self, stack: Up) -> None:
        self.stack, self.url, self.tokens = stack, stack.facts["url"], stack.facts["tokens"]
        self.partner = PARTNERS[0][0]
        self.supplier, self.address = PARTNERS[0][1], PARTNERS[0][2]
        self.folder = Path(stack.facts["ediDir"]) / self.partner
        self.keys = itertools.count(1)

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        body = json.dumps({"query": query, "variables": variables}).encode()
        answer = json.loads(self._post("/graphql", body, "application/json"))
        assert "errors" not in answer, answer
        return answer["data"]

    def change(self, query: str, **input: Any) -> dict[str, Any]:
        return self.ask(query, i=input, k=f"three-ways-{next(self.keys)}")

    def _post(self, path: str, body: bytes, kind: str, **headers: str) -> bytes:
        head = {"Content-Type": kind, "Authorization": f"Bearer {self.tokens['PLANNER']}", **headers}
        with urllib.request.urlopen(urllib.request.Request(self.url + path, body, head), timeout=60) as answer:
            return answer.read()

    def order(self, sku: str, units: int) -> str:
        made = self.change(ORDER, supplier=self.supplier, location="DC-ICN", lines=[{"sku": sku, "quantity": units}])
        found = made["purchaseOrderCreate"]
        assert not found["userErrors"], found
        if found["purchaseOrder"]["status"] != "APPROVED":
            self.change(APPROVE, number=found["purchaseOrder"]["number"])
        return found["purchaseOrder"]["number"]

    def deliver(self, way: int, name: str, content: bytes) -> None:
        if way == 0:
            partial = self.folder / "in" / f"{name}.tmp"
            partial.write_bytes(content)
            os.replace(partial, partial.with_suffix(".edi"))
        elif way == 1:
            self._post(f"/edi/{self.partner}", content, "application/edi-x12", **{"X-Transport-Id": name})
        else:
            sent = self.change(SUBMIT, partner=self.partner, content=content.decode(), transportId=name)
            assert not sent["ediDocumentSubmit"]["userErrors"], sent

    def until(self, condition: Any, seconds: float = 240) -> Any:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if found := condition():
                return found
            time.sleep(0.3)
        raise AssertionError((self.ask(OPEN), self.stack.errors.read_text()[-3000:]))


def _kill_bulk_worker() -> None:
    """The worker that applies files, wherever it is in its work; the supervisor starts another."""
    for process in psutil.process_iter(["cmdline"]):
        command = process.info["cmdline"] or []
        if command[-2:] == ["workers.settings", "bulk"] and psutil.Process(process.pid).ppid() in _mine:
            process.send_signal(signal.SIGKILL)


_mine: set[int] = set()


def _deliver_all(sender: Sender, told: list[Story], skus: list[str], controls: Any) -> None:
    chance = random.Random(told[0].order)
    numbers = [sender.order(skus[at % len(skus)], story.ordered) for at, story in enumerate(told)]
    sender.until(lambda: all(sender.ask(LINES, n=n)["purchaseOrder"]["status"] == "SENT" for n in numbers))
    waiting = []
    for at, (story, number) in enumerate(zip(told, numbers, strict=True)):
        address = (sender.address, OUR_EDI_ID)
        files = files_of(story, number, skus[at % len(skus)], address, next(controls), datetime.now(UTC).date())
        waiting += [
            (way, f"{number}-{n}-{turn}", content)
            for n, (content, ways) in enumerate(zip(files, story.times, strict=True))
            for turn, way in enumerate(ways)
        ]
    chance.shuffle(waiting)
    for turn, (way, name, content) in enumerate(waiting):
        sender.deliver(way, name, content)
        if turn in (len(waiting) // 3, 2 * len(waiting) // 3):
            _kill_bulk_worker()

    def settled() -> bool:
        documents = sender.ask(OPEN)["ediDocuments"]["nodes"]
        return (
            not list((sender.folder / "in").glob("*.edi"))
            and not documents
            and all(_parts(sender, n) == s.parts for n, s in zip(numbers, told, strict=True))
        )

    sender.until(settled)


def _parts(sender: Sender, number: str) -> dict[str, int]:
    (line,) = sender.ask(LINES, n=number)["purchaseOrder"]["lines"]
    names = {
        "confirmed": "accepted",
        "backordered": "supplier_backordered",
        "inTransit": "in_transit",
        "unanswered": "unanswered",
    }
    return {names[name]: units for name, units in line.items() if units}


@pytest.mark.long
@pytest.mark.timeout(1750)
def test_orders_end_as_by_one_clean_delivery(data: Path):
    stack = Up(data)
    sender = Sender(stack)
    _mine.clear()
    _mine.update({stack.process.pid, stack.pids["up"]})
    skus = [
        s["sku"]["code"]
        for s in sender.ask("query($c: String!) { supplier(code: $c) { offers { sku { code } } } }", c=sender.supplier)[
            "supplier"
        ]["offers"]
    ]
    controls = itertools.count(100, 100)
    many = st.lists(stories(), min_size=8, max_size=8)
    quiet: dict[str, Any] = {"deadline": None, "database": None, "suppress_health_check": list(HealthCheck)}
    settings(max_examples=3, phases=[Phase.generate], **quiet)(
        given(many)(lambda told: _deliver_all(sender, told, skus, controls))
    )()
    stack.stop()
