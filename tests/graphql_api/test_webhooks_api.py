"""Webhooks through the API: the secret is shown once, owners see and change their own only, nothing points inside."""

from collections.abc import AsyncIterator

import pytest

from api.context import Context
from core.domain.access import Role
from core.settings import Settings
from tests.graphql_api.schema_under_test import Shop, open_shop

pytestmark = pytest.mark.anyio

URL = "https://hooks.example.com/in"
WANT = "webhook { id url state version topics skus { code } customer { code } supplier { code } } secret"
LIST = """{ webhooks(first: 10) { nodes { url customer { code } supplier { code } } }
    webhookDeliveries(first: 10) { nodes { type state webhook { url } } } }"""


@pytest.fixture
async def shop(database_url: str) -> AsyncIterator[Shop]:
    async with open_shop(database_url) as opened:
        opened.settings = Settings(env="test", database_url=database_url, webhook_key="key")  # type: ignore[arg-type]
        yield opened


async def _create(shop: Shop, context: Context, *topics: str, **more: object) -> dict:
    done = await shop.change(context, "webhookCreate", {"url": URL, "topics": [*topics], **more}, WANT)
    assert done["userErrors"] == []
    return done


async def test_the_secret_is_shown_once_and_stands_nowhere_in_clear(shop: Shop) -> None:
    planner = shop.context(Role.PLANNER)
    given = {"url": URL, "topics": ["ORDER", "AVAILABILITY"], "skus": ["MUG-BLUE"]}
    first = await shop.change(planner, "webhookCreate", given, WANT, key="once")
    again = await shop.change(planner, "webhookCreate", given, WANT, key="once")
    assert first["secret"].startswith("whsec_")
    assert len(first["secret"]) == 50
    assert again == {**first, "secret": None}
    assert first["webhook"]["skus"] == [{"code": "MUG-BLUE"}]
    tables = ("webhook", "webhook_secret", "audit_entry", "idempotency", "outbox")
    for table in tables:
        rows = await shop.database.system.fetch(f"select t::text as row from {table} t")
        assert not any(first["secret"][6:] in row["row"] for row in rows), table
    id = first["webhook"]["id"]
    rotated = await shop.change(planner, "webhookSecretRotate", {"id": id}, WANT)
    assert rotated["secret"] not in (None, first["secret"])
    assert rotated["webhook"]["version"] == 2
    audits = await shop.database.system.fetch("select operation from audit_entry order by id")
    assert [row["operation"] for row in audits] == ["webhookCreate", "webhookSecretRotate"]


async def test_owners_see_and_change_their_own_and_no_others(shop: Shop) -> None:
    planner, minseo = shop.context(Role.PLANNER), await shop.customer("MINSEO")
    baker, bright = await shop.customer("BAKER"), await shop.supplier("BRIGHTWORKS")
    await _create(shop, planner, "ORDER", "PURCHASE_ORDER")
    mine = (await _create(shop, minseo, "ORDER", "BACKORDER"))["webhook"]
    theirs = (await _create(shop, bright, "PURCHASE_ORDER"))["webhook"]
    assert (mine["customer"], mine["supplier"], theirs["supplier"]) == (
        {"code": "MINSEO"},
        None,
        {"code": "BRIGHTWORKS"},
    )
    await _create(shop, planner, "ORDER", customer="BAKER")
    test = "webhook { id } delivery { id deliveryId eventId type state }"
    tested = await shop.change(minseo, "webhookTest", {"id": mine["id"]}, test)
    assert (tested["delivery"]["type"], tested["delivery"]["state"]) == ("webhook.test", "PENDING")
    for context, count, deliveries in ((planner, 4, 1), (minseo, 1, 1), (baker, 1, 0), (bright, 1, 0)):
        seen = await shop.ask(context, LIST)
        assert len(seen["webhooks"]["nodes"]) == count
        assert len(seen["webhookDeliveries"]["nodes"]) == deliveries
    node = "query ($id: ID!) { node(id: $id) { id } }"
    for id in (mine["id"], tested["delivery"]["id"]):
        found = [(await shop.ask(who, node, id=id))["node"] is not None for who in (planner, minseo, baker, bright)]
        assert found == [True, True, False, False]
    before = await shop.database.system.fetchval("select count(*) from audit_entry")
    delivery = tested["delivery"]["id"]
    for name, more in (
        ("webhookChange", {"url": "https://elsewhere.example.com/"}),
        ("webhookSecretRotate", {}),
        ("webhookDelete", {}),
        ("webhookTest", {}),
        ("webhookReplay", {"deliveries": [delivery]}),
        ("webhookDeliverySkip", {"delivery": delivery}),
    ):
        for context in (baker, bright):
            refused = await shop.change(context, name, {"id": mine["id"], **more}, "__typename")
            assert [error["code"] for error in refused["userErrors"]] == ["NOT_FOUND"], name
    # by their own webhook they reach no message of another
    own = (await _create(shop, bright, "PURCHASE_ORDER"))["webhook"]
    skipped = await shop.change(bright, "webhookDeliverySkip", {"id": own["id"], "delivery": delivery}, "__typename")
    assert [error["code"] for error in skipped["userErrors"]] == ["NOT_FOUND"]
    replayed = await shop.change(bright, "webhookReplay", {"id": own["id"], "deliveries": [delivery]}, "queued")
    assert replayed == {"queued": 0, "userErrors": []}
    assert await shop.database.system.fetchval("select count(*) from audit_entry") == before + 2
    async with minseo.read() as sql:  # the second wall, for queries that forgot the first
        assert await sql.fetchval("select count(*) from webhook") == 1
        assert await sql.fetchval("select count(*) from webhook_delivery") == 1
        assert not await sql.fetchval("select has_table_privilege('webhook_secret', 'select')")
    async with baker.read() as sql:
        assert await sql.fetchval("select count(*) from webhook_delivery") == 0
    gone = await shop.change(minseo, "webhookDelete", {"id": mine["id"]}, "id")
    assert gone == {"id": mine["id"], "userErrors": []}
    assert (await shop.ask(minseo, LIST))["webhookDeliveries"]["nodes"] == []


async def test_what_may_not_be_registered_is_refused_and_nothing_is_kept(shop: Shop) -> None:
    minseo, bright = await shop.customer("MINSEO"), await shop.supplier("BRIGHTWORKS")
    planner = shop.context(Role.PLANNER)
    cases = (
        (minseo, {"url": "https://169.254.169.254/"}, "INVALID_INPUT"),
        (minseo, {"topics": ["PURCHASE_ORDER"]}, "FORBIDDEN"),
        (bright, {"topics": ["AVAILABILITY"]}, "FORBIDDEN"),
        (minseo, {"customer": "BAKER"}, "FORBIDDEN"),
        (planner, {"customer": "MINSEO", "topics": ["PURCHASE_ORDER"]}, "FORBIDDEN"),
        (planner, {"customer": "nobody"}, "NOT_FOUND"),
        (planner, {"skus": ["nothing"]}, "UNKNOWN_SKU"),
        (planner, {"topics": []}, "INVALID_INPUT"),
    )
    for context, wrong, code in cases:
        done = await shop.change(context, "webhookCreate", {"url": URL, "topics": ["ORDER"], **wrong}, WANT)
        assert (done["webhook"], [error["code"] for error in done["userErrors"]]) == (None, [code]), wrong
    for _ in range(10):
        await _create(shop, minseo, "ORDER")
    done = await shop.change(minseo, "webhookCreate", {"url": URL, "topics": ["ORDER"]}, WANT)
    assert [error["code"] for error in done["userErrors"]] == ["INVALID_INPUT"]
    assert await shop.database.system.fetchval("select count(*) from webhook") == 10
    shop.settings = Settings(env="test")
    off = await shop.change(shop.context(Role.PLANNER), "webhookCreate", {"url": URL, "topics": ["ORDER"]}, WANT)
    assert "WEBHOOK_KEY" in off["userErrors"][0]["message"]
    id = (await shop.ask(minseo, "{ webhooks(first: 1) { nodes { id } } }"))["webhooks"]["nodes"][0]["id"]
    paused = await shop.change(minseo, "webhookChange", {"id": id, "state": "PAUSED", "expectedVersion": 1}, WANT)
    assert (paused["webhook"]["state"], paused["webhook"]["version"]) == ("PAUSED", 2)
    for given, code in (({"expectedVersion": 1}, "VERSION_CONFLICT"), ({"state": "DISABLED"}, "INVALID_INPUT")):
        done = await shop.change(minseo, "webhookChange", {"id": id, **given}, WANT)
        assert [error["code"] for error in done["userErrors"]] == [code]
    tested = await shop.change(minseo, "webhookTest", {"id": id}, "queued")
    assert [error["code"] for error in tested["userErrors"]] == ["ILLEGAL_TRANSITION"]
