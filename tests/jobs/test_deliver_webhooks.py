"""Webhooks on a real database and a real receiver: signed, in order, tried again, never lost, never to inside."""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from core.database import Database
from core.domain.access import Principal, Role
from core.domain.webhook_message import GAP_TYPE, written_secret
from core.repositories import webhooks
from core.services import deliver_webhooks as deliveries
from core.services.deliver_webhooks import LEASE_SECONDS, claim_due, load_batch, release
from core.services.queue_webhook_deliveries import ReplayWebhook, replay_deliveries, skip_waiting
from core.services.register_webhook import (
    ChangeWebhook,
    CreateWebhook,
    Rules,
    change_webhook,
    create_webhook,
    rotate_webhook_secret,
)
from core.settings import Settings
from core.unit_of_work import run_unit_of_work
from tests.graphql_api.api_under_test import add_events
from tests.receiver import Received, Receiver, receiving, status
from workers.jobs.deliver_webhooks import Deliverer
from workers.outbound import MAX_ANSWER, PublicNetwork, RefusedAddress, Sender

pytestmark = pytest.mark.anyio
RULES = Rules("key", allow_loopback=True)
PLANNER = Principal("p", Role.PLANNER)


@dataclass
class Hooks:
    database: Database
    settings: Settings
    receiver: Receiver

    async def do(self, use_case: Any) -> Any:
        return await run_unit_of_work(self.database, use_case, principal=PLANNER)

    async def create(self, *topics: str, **more: Any) -> tuple[int, str]:
        wanted = CreateWebhook(more.pop("url", self.receiver.url), topics or ("order",), **more)
        webhook_id, secret = await self.do(lambda uow: create_webhook(uow, wanted, RULES))
        return webhook_id, written_secret(secret)

    async def happen(self, count: int, **columns: Any) -> list[str]:
        async with self.database.system.acquire() as sql:
            return [f"evt_1_{position}" for position in await add_events(sql, count, **columns)]

    async def deliver(self, *, now: bool = True) -> int:
        """One look; waits are over unless `now` is False."""
        if now:
            await self.database.system.execute("update webhook set retry_at = null")
        deliverer = Deliverer(self.database, self.settings)
        try:
            return await deliverer.once()
        finally:
            await deliverer.close()

    async def row(self) -> dict[str, Any]:
        query = "select *, extract(epoch from retry_at - now())::int as waits from webhook order by id limit 1"
        row = await self.database.system.fetchrow(query)
        return dict(row) if row else {}

    async def log(self) -> list[tuple[str, str, list[Any]]]:
        rows = await self.database.system.fetch("select message_id, state, attempts from webhook_delivery order by id")
        return [(row["message_id"], row["state"], [a["status"] for a in row["attempts"]]) for row in rows]


@pytest.fixture
async def hooks(database_url: str) -> AsyncIterator[Hooks]:
    settings = Settings(env="test", database_url=database_url, pool_size=4, webhook_key="key")  # type: ignore[arg-type]
    async with Database(settings) as database, receiving() as receiver:
        await database.system.execute(
            "insert into customer (code) values ('C1'), ('C2'); insert into supplier (code, name) values ('V1', 'V')"
        )
        yield Hooks(database, settings, receiver)


async def test_events_arrive_signed_once_and_in_order(hooks: Hooks) -> None:
    await hooks.happen(2)  # before there was anybody to tell
    _, secret = await hooks.create("order")
    wanted = await hooks.happen(130)
    await hooks.happen(3, topic="notice")
    assert await hooks.deliver() == 130
    assert hooks.receiver.ids == wanted
    assert await hooks.deliver() == 0
    first = hooks.receiver.got[0]
    assert all(received.is_signed_with(secret) for received in hooks.receiver.got)
    assert not first.is_signed_with("whsec_" + "A" * 44)
    assert (first.json["id"], first.json["type"], first.path) == (wanted[0], "order.placed", "/hook")
    assert first.headers["content-type"] == "application/json"
    assert len({received.headers["webhook-delivery-id"] for received in hooks.receiver.got}) == 130
    assert (await hooks.row())["position"] == 135


async def test_what_fails_waits_longer_each_time_and_what_is_behind_waits_with_it(hooks: Hooks) -> None:
    await hooks.create("order")
    first, second = await hooks.happen(2)
    answers = [status(500), status(429, "retry-after: 77\r\n"), status(302, "location: http://127.0.0.1/\r\n")]
    hooks.receiver.answer = lambda _: answers.pop(0) if answers else status(200)
    for attempt, seconds in ((1, (5, 6)), (2, (77, 86)), (3, (120, 132))):
        assert await hooks.deliver() == 1
        row = await hooks.row()
        assert (row["attempts"], row["state"]) == (attempt, "ACTIVE")
        assert seconds[0] - 2 <= row["waits"] <= seconds[1]
        assert await hooks.deliver(now=False) == 0
    assert row["last_error"] == "HTTP 302: redirects are not followed."
    assert await hooks.deliver() == 2
    assert hooks.receiver.ids == [first] * 4 + [second]
    assert len({received.body for received in hooks.receiver.got[:4]}) == 1
    row = await hooks.row()
    assert (row["attempts"], row["failing_since"], row["last_error"]) == (0, None, None)
    assert await hooks.log() == [(first, "DELIVERED", [500, 429, 302, 200]), (second, "DELIVERED", [200])]


async def test_failing_for_days_disables_with_an_alarm_and_nothing_is_lost(hooks: Hooks) -> None:
    webhook_id, _ = await hooks.create("order")
    wanted = await hooks.happen(2)
    hooks.receiver.answer = lambda _: status(503)
    for _ in range(13):
        assert await hooks.deliver() == 1
    assert (await hooks.row())["state"] == "DISABLED"
    assert await hooks.deliver() == 0
    alarm = await hooks.database.system.fetchrow("select kind, payload from outbox where topic = 'alarm'")
    assert (alarm["kind"], alarm["payload"]["attempts"]) == ("WEBHOOK_DISABLED", 13)
    audited = "select count(*) from audit_entry where operation = 'webhookDisable'"
    assert await hooks.database.system.fetchval(audited) == 1
    wanted += await hooks.happen(1)
    hooks.receiver.answer = None
    hooks.receiver.got.clear()
    change = ChangeWebhook(webhook_id, state="ACTIVE")  # type: ignore[arg-type]
    await hooks.do(lambda uow: change_webhook(uow, change, RULES))
    assert await hooks.deliver() == 3
    assert hooks.receiver.ids == wanted


async def test_what_waits_for_who_takes_nothing_is_bounded(hooks: Hooks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliveries, "QUEUE", 3)
    await hooks.create("order")
    wanted = await hooks.happen(8)
    hooks.receiver.answer = lambda _: status(500)
    for _ in range(3):
        await hooks.deliver()
    assert len(await hooks.log()) == 3, "the others stay in the log of events"
    hooks.receiver.answer = None
    hooks.receiver.got.clear()
    for _ in range(3):
        await hooks.deliver()
    assert hooks.receiver.ids == wanted


async def test_gone_is_believed_at_once(hooks: Hooks) -> None:
    await hooks.create("order")
    await hooks.happen(1)
    hooks.receiver.answer = lambda _: status(410)
    assert await hooks.deliver() == 1
    assert (await hooks.row())["state"] == "DISABLED"


async def test_killed_between_sending_and_noting_it_is_sent_again_under_the_same_id(hooks: Hooks) -> None:
    await hooks.create("order")
    (wanted,) = await hooks.happen(1)

    (webhook_id,) = await hooks.do(lambda uow: claim_due(uow, "dead", 10))
    batch = await hooks.do(lambda uow: load_batch(uow, webhook_id, "dead", "key"))
    sender = Sender(allow_loopback=True)
    assert (await sender.send(batch, batch.messages[0])).is_taken
    await sender.close()
    # while the lease of the dead one lasts nobody else serves it; then somebody does
    assert await hooks.deliver() == 0
    await hooks.database.system.execute(
        "update webhook set lease_until = lease_until - make_interval(secs => $1)", float(LEASE_SECONDS + 1)
    )
    assert await hooks.deliver() == 1
    assert hooks.receiver.ids == [wanted, wanted]
    assert await hooks.log() == [(wanted, "DELIVERED", [204])]


async def test_many_deliverers_send_everything_once(hooks: Hooks) -> None:
    for _ in range(3):
        await hooks.create("order")
    wanted = await hooks.happen(40)
    deliverers = [Deliverer(hooks.database, hooks.settings) for _ in range(4)]
    sent = [sum(await asyncio.gather(*(one.once() for one in deliverers))) for _ in range(3)]
    await asyncio.gather(*(one.close() for one in deliverers))
    assert sum(sent) == 120
    assert sorted(hooks.receiver.ids) == sorted(wanted * 3)


async def test_whoever_waits_longest_is_served_first_and_the_idle_hide_nobody(
    hooks: Hooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        await hooks.create("backorder")
    busy = [(await hooks.create("order"))[0] for _ in range(3)]
    await hooks.happen(1)
    monkeypatch.setattr(webhooks, "LOOK", 3)
    served: list[int] = []
    for _ in range(8):
        for webhook_id in await hooks.do(lambda uow: claim_due(uow, "one", 1)):
            served.append(webhook_id)
            await hooks.do(lambda uow, id=webhook_id: release(uow, id, "one"))
    assert served[:3] == busy
    assert len(served) >= 5


async def test_replays_carry_the_old_id_and_a_message_that_is_never_taken_is_passed_over(hooks: Hooks) -> None:
    webhook_id, _ = await hooks.create("order")
    wanted = await hooks.happen(3)
    assert await hooks.deliver() == 3
    ids = [row["id"] for row in await hooks.database.system.fetch("select id from webhook_delivery order by id")]
    assert await hooks.do(lambda uow: replay_deliveries(uow, ReplayWebhook(webhook_id, ids[1:]))) == 2
    hooks.receiver.answer = lambda received: status(500 if received.id == wanted[1] else 200)
    assert await hooks.deliver() == 1
    stuck = await hooks.database.system.fetchval("select min(id) from webhook_delivery where state = 'PENDING'")
    await hooks.do(lambda uow: skip_waiting(uow, webhook_id, stuck))
    assert await hooks.deliver() == 1
    assert hooks.receiver.ids == [*wanted, wanted[1], wanted[2]]
    assert len({received.headers["webhook-delivery-id"] for received in hooks.receiver.got}) == 5
    again = ReplayWebhook(webhook_id, since=await hooks.database.system.fetchval("select now() - interval '1 hour'"))
    assert await hooks.do(lambda uow: replay_deliveries(uow, again)) == 3


async def test_two_secrets_sign_while_one_is_replaced(hooks: Hooks) -> None:
    webhook_id, old = await hooks.create("order")
    new = written_secret(await hooks.do(lambda uow: rotate_webhook_secret(uow, webhook_id, 1, RULES)))
    await hooks.happen(1)
    await hooks.deliver()
    await hooks.database.system.execute(
        "update webhook_secret set expires_at = now() - interval '1 s' where expires_at is not null"
    )
    await hooks.happen(1)
    await hooks.deliver()
    signed = [(received.is_signed_with(old), received.is_signed_with(new)) for received in hooks.receiver.got]
    assert signed == [(True, True), (False, True)]


async def test_a_party_is_told_of_its_own_events_and_availability_by_its_newest_state(hooks: Hooks) -> None:
    await hooks.create("order", "availability", customer="C1")
    mine = await hooks.happen(1, customer_id=1)
    await hooks.happen(1, customer_id=2)
    await hooks.happen(1)
    states = await hooks.happen(4, topic="availability", sku_id=5)
    await hooks.deliver()
    assert hooks.receiver.ids == [*mine, states[-1]]


async def test_a_log_that_was_cut_off_behind_a_paused_webhook_is_told(hooks: Hooks) -> None:
    await hooks.create("order")
    wanted = await hooks.happen(5)
    await hooks.database.system.execute("delete from event where position <= 3")
    await hooks.deliver()
    assert [received.json["type"] for received in hooks.receiver.got] == [GAP_TYPE, "order.placed", "order.placed"]
    assert hooks.receiver.ids[1:] == wanted[3:]


async def test_no_name_leads_inside_and_the_judged_address_is_the_one_connected_to(
    hooks: Hooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = asyncio.get_running_loop()
    port = int(hooks.receiver.url.split(":")[2].split("/")[0])
    asked: list[str] = []
    names = {
        "inside.example": ["10.0.0.7"],
        "mixed.example": ["8.8.8.8", "169.254.169.254"],
        "mapped.example": ["::ffff:127.0.0.1"],
        "rebinding.example": ["127.0.0.1"],
    }

    async def getaddrinfo(host: Any, port: Any, **_: Any) -> list[Any]:
        asked.append(host)
        found = names.get(host, [host])
        if host == "rebinding.example":
            names[host] = ["10.0.0.7"]  # what a second look-up would be told
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    monkeypatch.setattr(loop, "getaddrinfo", getaddrinfo)
    for allows, host in [(False, name) for name in names] + [(True, "inside.example"), (True, "mapped.example")]:
        with pytest.raises(RefusedAddress):
            await PublicNetwork(allows).connect_tcp(host, port, 1)
    names["rebinding.example"] = ["127.0.0.1"]
    asked.clear()
    stream = await PublicNetwork(allow_loopback=True).connect_tcp("rebinding.example", port, 1)
    await stream.aclose()
    assert asked == ["rebinding.example"]
    await hooks.create("order", url=f"http://inside.example:{port}/")
    await hooks.happen(1)
    assert await hooks.deliver() == 1
    assert (await hooks.row())["last_error"] == "The host's name stands for an address that we do not deliver to."
    assert hooks.receiver.got == []


async def test_slow_and_endless_answers_are_cut_off(hooks: Hooks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.outbound.ATTEMPT_SECONDS", 0.3)
    await hooks.create("order")
    await hooks.happen(2)
    hooks.receiver.answer = lambda _: None
    assert await hooks.deliver() == 1
    assert (await hooks.row())["last_error"] == "No answer within 0 s."
    hooks.receiver.answer = lambda _: b"SSH-2.0-inside\r\n\r\n"
    assert await hooks.deliver() == 1
    assert "inside" not in (await hooks.row())["last_error"], "nothing of an answer is kept"
    hooks.receiver.answer = lambda _: status(200, body=b"x" * (MAX_ANSWER * 4))
    assert await hooks.deliver() == 2
    assert [state for _, state, _ in await hooks.log()] == ["DELIVERED", "DELIVERED"]


@pytest.mark.long
async def test_a_worker_killed_while_it_delivers_is_followed_by_another(stack: Any) -> None:
    """The whole way: a real worker process is killed when the receiver has the message and before it may note that."""
    async with receiving() as receiver:
        hooks = Hooks(stack.database, stack.settings, receiver)
        await hooks.create("order")
        wanted = await hooks.happen(3)
        worker = stack.start("-m", "workers.settings", "bulk", WEBHOOK_KEY="key")

        def kill(_: Received) -> bytes:
            worker.send_signal(signal.SIGKILL)
            receiver.answer = None
            return status(200)

        receiver.answer = kill

        async def has(count: int) -> bool:
            return len(receiver.got) >= count

        await stack.until(lambda: has(1), 120)
        await asyncio.to_thread(worker.wait, 30)
        stack.start("-m", "workers.settings", "bulk", WEBHOOK_KEY="key")
        await stack.until(lambda: has(4), 120 + LEASE_SECONDS)
        assert receiver.ids == [wanted[0], *wanted]
