"""Availability with public keys: validators for HTTP, and never an answer from before an acknowledged change."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import pytest

from api.context import Sources
from api.operations import schema
from api.transport.request import GraphQLRequest
from api.transport.reuse import AnswerReuse, may_be_kept
from core.domain.access import Principal, Role
from core.domain.api_keys import new_api_key
from migrations.demo_data import seed
from tests.graphql_api.api_under_test import Keys, serve, settings_for

pytestmark = pytest.mark.anyio

ASK = """query Widget($skus: [String!]!) { availability(skus: $skus, channel: "web") {
    sku { code name } state availableNow validUntil version promise { shipDate { expected } binding { kind } } } }"""


class Shop:
    planner = ""

    def __init__(self, app: Any, key: str, database_url: str) -> None:
        self.app, self.key, self.database_url = app, key, database_url

    async def get(self, skus: list[str], etag: str | None = None, query: str = ASK, **headers: str) -> Any:
        parameters = {"query": query, "variables": json.dumps({"skus": skus})}
        headers = {"authorization": f"Bearer {self.key}", "accept": "application/json", **headers}
        if etag:
            headers["if-none-match"] = etag
        async with httpx2.AsyncClient(base_url=self.app.state.url) as client:
            return await client.get("/graphql", params=parameters, headers=headers)

    async def change(self, sku: str, delta: int) -> int:
        """Stock changes in another process, under the gate; the version that its client is told."""
        async with (
            asyncpg.create_pool(self.database_url, min_size=1, max_size=1) as pool,
            pool.acquire() as sql,
            sql.transaction(),
        ):
            sku_id = await sql.fetchval("select id from sku where code = $1", sku)
            version = await sql.fetchval(
                """update sku_gate set version = version + 1, changed_by = pg_current_xact_id() where sku_id = $1
                returning version""",
                sku_id,
            )
            await sql.execute(
                """update stock_level set on_hand = on_hand + $2 where (sku_id, location_id) = (
                    select sku_id, location_id from stock_level where sku_id = $1 order by location_id limit 1)""",
                sku_id,
                delta,
            )
        return version


@pytest.fixture
async def shop(database_url: str, valkey_url: str, tmp_path: Path) -> AsyncIterator[Shop]:
    await seed(database_url, datetime.now(UTC))
    keys = Keys(tmp_path / "key.pem")
    settings = settings_for(database_url, valkey_url, keys.path, api_key_pepper="pepper")
    key = new_api_key("pepper")
    sql = await asyncpg.connect(database_url)
    await sql.execute(
        """insert into api_key (prefix, secret_hash, role, scope) values ($1, $2, 'STOREFRONT', '["publishable"]')""",
        key.prefix,
        key.secret_hash,
    )
    await sql.close()
    async with serve(settings, is_whole=True) as app:
        opened = Shop(app, key.key, database_url)
        opened.planner = keys.token("PLANNER")
        yield opened


async def test_an_unchanged_answer_is_not_sent_twice_and_a_changed_one_is(shop: Shop) -> None:
    first = await shop.get(["MUG-BLUE", "LAMP-DESK"])
    assert first.status_code == 200
    assert first.headers["cache-control"] == "public, no-cache"
    again = await shop.get(["MUG-BLUE", "LAMP-DESK"], first.headers["etag"])
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    etag = first.headers["etag"]
    known = (etag.removeprefix("W/"), f'"other", {etag}', "*")  # a proxy may have made it a strong one
    answers = [await shop.get(["MUG-BLUE", "LAMP-DESK"], given) for given in (*known, '"other"')]
    assert [answer.status_code for answer in answers] == [304, 304, 304, 200]
    whole = await shop.get(["MUG-BLUE", "LAMP-DESK"])
    assert (whole.status_code, whole.content) == (200, first.content)
    await shop.change("LAMP-DESK", -1)
    changed = await shop.get(["MUG-BLUE", "LAMP-DESK"], first.headers["etag"])
    assert changed.status_code == 200
    assert changed.headers["etag"] != first.headers["etag"]
    other = await shop.get(["MUG-BLUE"])
    assert other.headers["etag"] not in (first.headers["etag"], changed.headers["etag"])


async def test_whoever_was_told_of_a_change_never_sees_the_answer_from_before_it(shop: Shop) -> None:
    await shop.get(["TEAPOT-1L"])
    for step in range(30):
        version = await shop.change("TEAPOT-1L", 1 if step % 2 else -1)
        answers = await asyncio.gather(*(shop.get(["TEAPOT-1L"]) for _ in range(4)))
        assert {answer.status_code for answer in answers} == {200}
        assert {answer.json()["data"]["availability"][0]["version"] for answer in answers} == {str(version)}


async def test_a_kept_answer_costs_a_point(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    spent: list[int] = []

    async def charge(caller: Any, scope: Any, cost: int) -> None:
        spent.append(cost)

    monkeypatch.setattr(shop.app.state.endpoint, "charge", charge)
    for _ in range(2):
        await shop.get(["MUG-BLUE"])
    first, second = spent
    assert first > second == 1


async def test_a_slower_lane_ends_kept_answers_at_once(shop: Shop) -> None:
    first = await shop.get(["MUG-BLUE"])
    assert (await shop.get(["MUG-BLUE"], etag=first.headers["etag"])).status_code == 304
    sql = await asyncpg.connect(shop.database_url)
    await sql.execute("update lane set transit_days = transit_days + 1, updated_at = clock_timestamp()")
    await sql.close()
    again = await shop.get(["MUG-BLUE"], etag=first.headers["etag"])
    assert again.status_code == 200
    assert again.headers["etag"] != first.headers["etag"]


async def test_errors_other_roles_and_other_fields_are_never_kept(shop: Shop) -> None:
    unknown = await shop.get(["NOPE"])
    assert "etag" not in unknown.headers
    assert unknown.json()["errors"][0]["extensions"]["code"] == "UNKNOWN_SKU"
    more = await shop.get(["MUG-BLUE"], query=ASK.replace("code name", "code status"))
    assert more.status_code == 200
    assert "etag" not in more.headers


async def test_an_answer_ends_with_its_time_even_when_no_version_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime.now(UTC)
    monkeypatch.setattr("api.transport.reuse.datetime", type("Clock", (), {"now": staticmethod(lambda zone: now)}))

    async def versions(sku_ids: Any) -> dict[int, int]:
        return dict.fromkeys(sku_ids, 1)

    reuse = AnswerReuse(versions)
    caller = Principal("key", Role.STOREFRONT, is_publishable=True)
    name = reuse.key(GraphQLRequest(ASK), caller, "en")
    assert name is not None
    context: Any = type("C", (), {"sources": Sources({7: 1}, now + timedelta(seconds=1))})()
    assert reuse.keep(name, b"{}", context) is not None
    assert await reuse.find(name) is not None
    now += timedelta(seconds=1)
    assert await reuse.find(name) is None


async def test_all_who_ask_in_one_turn_share_one_statement_and_a_failure_reaches_all() -> None:
    asked: list[set[int]] = []

    async def versions(sku_ids: Any) -> dict[int, int]:
        asked.append(set(sku_ids))
        if len(asked) > 1:
            raise ConnectionError("away")
        return {sku_id: sku_id for sku_id in sku_ids}

    reuse = AnswerReuse(versions)
    found = await asyncio.gather(*(reuse._versions([n]) for n in (1, 2, 3)))
    assert [answer[n] for answer, n in zip(found, (1, 2, 3), strict=True)] == [1, 2, 3]
    assert asked == [{1, 2, 3}]
    failed = await asyncio.gather(*(reuse._versions([n]) for n in (4, 5)), return_exceptions=True)
    assert [type(error) for error in failed] == [ConnectionError, ConnectionError]
    assert asked[1] == {4, 5}, "of an earlier turn nothing is read again"


async def test_kept_answers_are_bounded_in_bytes_and_belong_to_public_keys_only() -> None:
    async def versions(sku_ids: Any) -> dict[int, int]:
        return dict.fromkeys(sku_ids, 1)

    reuse = AnswerReuse(versions, max_bytes=250)
    caller = Principal("key", Role.STOREFRONT, is_publishable=True)
    context: Any = type("C", (), {"sources": Sources({7: 1}, datetime.now(UTC) + timedelta(hours=1))})()
    names = [reuse.key(GraphQLRequest(ASK, variables={"n": n}), caller, "en") for n in range(3)]
    for name in names:
        reuse.keep(name, b"x" * 100, context)  # type: ignore[arg-type]
    assert [await reuse.find(name) is not None for name in names] == [False, True, True]  # type: ignore[arg-type]
    assert reuse.key(GraphQLRequest(ASK), Principal("p", Role.PLANNER), "en") is None
    assert reuse.key(GraphQLRequest(ASK), Principal("s", Role.STOREFRONT), "en") is None, "a shop is told more"
    assert reuse.key(GraphQLRequest(ASK), caller, "en") != reuse.key(GraphQLRequest(ASK), caller, "ko")


async def test_the_same_bytes_are_the_answer_of_their_caller_and_language(shop: Shop) -> None:
    ask = '{ availability(skus: ["MUG-BLUE"]) { sku { name } availableNow } }'
    public = [await shop.get([], query=ask) for _ in range(2)]
    korean = await shop.get([], query=ask, **{"accept-language": "ko"})
    shop.key, widget = shop.planner, shop.key
    staff = await shop.get([], query=ask)
    shop.key = "bmk_" + widget.split("_")[1] + "_" + "0" * 64
    forged = await shop.get([], query=ask)
    first = json.loads(public[0].content)["data"]["availability"][0]
    assert [answer.headers["etag"] for answer in public] == [public[0].headers["etag"]] * 2
    assert (first["availableNow"], "etag" in staff.headers) == (10, False)
    assert staff.json()["data"]["availability"][0]["availableNow"] > 10
    assert korean.json()["data"]["availability"][0]["sku"]["name"] != first["sku"]["name"]
    assert forged.status_code == 401


@pytest.mark.parametrize(
    ("document", "stays"),
    [
        (ASK, True),
        ("{ availability(skus: []) { ...a } } fragment a on Availability { atp { date quantity } }", True),
        ("{ availability(skus: []) { promise { slices { source { kind } location { code } } } } }", True),
        ("{ availability(skus: []) { promise { slices { source { purchaseOrderLine { lineNumber } } } } } }", False),
        ("{ availability(skus: []) { version } viewer { role } }", False),
        ("{ viewer { role } }", False),
        ("mutation { noticeMarkRead(input: {id: 1}, idempotencyKey: 1) { __typename } }", False),
    ],
)
def test_only_public_availability_may_be_kept(document: str, stays: bool) -> None:
    from graphql import parse

    parsed = parse(document)
    operation: Any = parsed.definitions[0]
    assert may_be_kept(schema._schema, parsed, operation) is stays
