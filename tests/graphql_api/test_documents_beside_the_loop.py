"""Long documents and questions about the schema are dealt with beside the event loop: others are served meanwhile."""

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from graphql import get_introspection_query

from api.error_handlers import ErrorCode
from api.transport import engine as engine_module
from api.transport import preparing
from api.transport.memory import Memory
from api.transport.preparing import (
    CACHED_CHARACTERS,
    CHARACTERS_PER_POINT,
    KEPT_CHARACTERS,
    SHORT,
    Preparer,
    RequestFailed,
)
from api.transport.request import GraphQLRequest
from api.transport.turns import OTHERS, Turns
from core.settings import Settings
from tests.graphql_api.api_under_test import Keys, serve, settings_for, small_schema

pytestmark = pytest.mark.anyio
LONG = "#" + "x" * SHORT + "\n"


class Api:
    def __init__(self, app: Any, client: httpx2.AsyncClient, keys: Keys) -> None:
        self.endpoint, self.client, self.keys = app.state.endpoint, client, keys

    async def ask(self, query: str, sub: str = "tester") -> Any:
        headers = {"authorization": f"Bearer {self.keys.token(sub=sub)}"}
        return (await self.client.post("/graphql", json={"query": query}, headers=headers)).json()


@pytest.fixture
async def api(database_url: str, valkey_url: str, tmp_path: Path, request: Any) -> AsyncIterator[Api]:
    keys = Keys(tmp_path / "key.pem")
    settings = settings_for(database_url, valkey_url, keys.path, rate_limit=200, job_prefix=request.node.name[:24])
    async with serve(settings) as app, httpx2.AsyncClient(base_url=app.state.url, timeout=60) as client:
        yield Api(app, client, keys)


async def test_nobody_waits_while_a_long_document_is_read(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    going_on, prepare = threading.Event(), Preparer.prepare

    def slowly(self: Preparer, request: Any, *, anonymous: bool) -> Any:
        if request.query.startswith(LONG):
            assert going_on.wait(60)
        return prepare(self, request, anonymous=anonymous)

    monkeypatch.setattr(Preparer, "prepare", slowly)
    bombs = [asyncio.ensure_future(api.ask(f"{LONG} {{ hello nothing{number} }}")) for number in range(4)]
    try:
        for _ in range(5):
            assert (await api.ask("{ hello }"))["data"] == {"hello": "Hello you"}
        assert not any(bomb.done() for bomb in bombs)
    finally:
        going_on.set()
    for answer in await asyncio.gather(*bombs):
        assert answer["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"


async def test_who_asks_for_many_documents_waits_behind_himself_and_nobody_else_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    going_on, order = threading.Event(), []

    def slowly(self: Preparer, request: Any, *, anonymous: bool) -> Any:
        assert going_on.wait(60)
        order.append(request.query[-1])

    monkeypatch.setattr(Preparer, "prepare", slowly)
    preparer = Preparer(small_schema(), Settings(env="test"))
    asked = [
        asyncio.ensure_future(preparer.read(GraphQLRequest(LONG + "#" + name), name[0], anonymous=False))
        for name in ("a1", "a2", "a3", "b4")
    ]
    await asyncio.sleep(0)  # all have asked
    going_on.set()
    await asyncio.gather(*asked)
    assert order == ["1", "4", "2", "3"]


def test_no_work_is_done_for_strangers_and_nothing_is_forgotten_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    preparer = Preparer(small_schema(), Settings(env="test"))
    member = GraphQLRequest(LONG + "{ hello }")
    preparer.prepare(member, anonymous=False)
    filler = "#" + "x" * (CACHED_CHARACTERS - 100)
    for number in range(KEPT_CHARACTERS // CACHED_CHARACTERS + 5):
        preparer.prepare(GraphQLRequest(f"{filler}{number}\n{{ __typename }}"), anonymous=True)
    assert preparer.price(member) == 0
    monkeypatch.setattr(preparing, "validate", lambda *_, **__: pytest.fail("validated"))
    for text in ("{ hello nothing }", "{ ...A } fragment A on Query { hello ...A }", "{ ...Missing }"):
        with pytest.raises(RequestFailed) as refused:
            preparer.prepare(GraphQLRequest(text), anonymous=True)
        assert refused.value.default is ErrorCode.UNAUTHENTICATED


def test_fragments_that_are_compared_have_their_price() -> None:
    preparer = Preparer(small_schema(), Settings(env="test"))
    plain, spread = (preparer.price(GraphQLRequest("#" + mark * 600)) for mark in ("xxxx", "...F"))
    assert (plain, spread) == (4, 202)


async def test_reading_much_has_its_price_and_what_is_known_has_none(api: Api) -> None:
    long = "#" + "x" * (150 * CHARACTERS_PER_POINT) + "\n"
    assert (await api.ask(long + "{ nothing }"))["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    assert (await api.ask(long + "{ hello }"))["errors"][0]["extensions"]["code"] == "THROTTLED"
    for _ in range(20):
        assert "data" in await api.ask("#" + "x" * 19_000 + "\n{ hello }", sub="another")


async def test_the_schema_is_told_once_per_question(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    told, execute = [], engine_module.execute

    def counted(*given: Any, **more: Any) -> Any:
        told.append(threading.current_thread() is threading.main_thread())
        return execute(*given, **more)

    monkeypatch.setattr(engine_module, "execute", counted)
    query = get_introspection_query()
    answers = await asyncio.gather(*(api.ask(query, sub=str(number)) for number in range(4)))
    assert all(answer == answers[0] for answer in answers)
    assert answers[0]["data"]["__schema"]["queryType"]["name"] == "Query"
    assert told == [False]
    named = "query Q($deprecated: Boolean) { __schema { types { fields(includeDeprecated: $deprecated) { name } } } }"
    for deprecated in (True, False, True):
        given = {"query": named, "variables": {"deprecated": deprecated}}
        headers = {"authorization": f"Bearer {api.keys.token()}"}
        assert (await api.client.post("/graphql", json=given, headers=headers)).json()["data"]["__schema"]
    assert told == [False] * 3


async def test_much_of_the_schema_stands_alone_and_little_may_stand_beside_others(api: Api) -> None:
    mixed = get_introspection_query().replace("{", "{ hello ", 1)
    (error,) = (await api.ask(mixed))["errors"]
    assert (error["extensions"]["code"], error["extensions"]["limit"]) == ("GRAPHQL_VALIDATION_FAILED", "introspected")
    answer = await api.ask("{ hello __typename __schema { queryType { name } types { name } } }")
    assert answer["data"]["__typename"] == "Query"
    assert len(answer["data"]["__schema"]["types"]) > 10


def test_a_memory_forgets_what_was_used_longest_ago() -> None:
    memory: Memory[str, int] = Memory(10, 6)
    for key, weight in (("a", 4), ("b", 4), ("too heavy", 7)):
        memory.keep(key, weight, weight)
    assert [memory.get(key) for key in ("a", "b", "too heavy")] == [4, 4, None]
    memory.get("a")
    memory.keep("c", 3, 3)
    assert [memory.get(key) for key in ("a", "b", "c")] == [4, None, 3]
    memory.keep("c", 5, 5)
    assert ([memory.get(key) for key in ("a", "c")], len(memory)) == ([4, 5], 2)
    memory.keep("d", 6, 6)
    assert ([memory.get(key) for key in ("a", "c", "d")], "d" in memory) == ([None, None, 6], True)


async def test_others_are_served_between_two_turns() -> None:
    turns, seen = Turns(), []

    async def large(name: str) -> None:
        await turns.take()
        seen.append(name)

    async def small() -> None:
        for step in range(OTHERS - 1):
            seen.append(step)
            await asyncio.sleep(0)

    await asyncio.gather(large("first"), large("second"), small())
    assert seen == ["first", *range(OTHERS - 1), "second"]
