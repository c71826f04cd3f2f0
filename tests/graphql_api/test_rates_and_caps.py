"""Points per minute, connection caps and trusted documents on a real server; Redis may go away."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from api.documents import read_manifest
from api.limits.rates import RateLimiter, Throttled
from api.transport import connections
from core.domain.access import Principal, Role
from core.errors import ConfigurationError
from core.settings import Settings
from tests.graphql_api.api_under_test import Keys, serve, settings_for

pytestmark = pytest.mark.anyio
THING = "{ thing { number } }"


@pytest.fixture
async def start(database_url: str, valkey_url: str, tmp_path: Path) -> AsyncIterator[Callable[..., Any]]:
    """`await start(**settings)` gives the url, the socket's url and the keys of a new server on the same Redis."""
    async with AsyncExitStack() as stack:
        keys = Keys(tmp_path / "key.pem")

        async def one(**more: Any) -> Any:
            settings = settings_for(database_url, valkey_url, keys.path, **more)
            return await stack.enter_async_context(serve(settings)), keys

        yield one


@pytest.fixture
def one_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a process counts by itself is counted per minute of the clock: none ends during a test."""
    monkeypatch.setattr("limits.aio.storage.memory.time", SimpleNamespace(time=lambda: 1_800_000_000.0))


async def ask(app: Any, token: str | None, query: str | None = THING, **more: Any) -> Any:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    body = {"query": query, **more} if query is not None else more
    async with httpx2.AsyncClient(base_url=app.state.url) as client:
        return await client.post("/graphql", json=body, headers=headers)


async def test_a_key_spends_its_points_over_all_processes_and_others_do_not_feel_it(start: Any, request: Any) -> None:
    prefix = request.node.name[:20]
    one, keys = await start(rate_limit=3, job_prefix=prefix)
    two, _ = await start(rate_limit=3, job_prefix=prefix)
    mine, other = keys.token("ADMIN", sub="mine"), keys.token("ADMIN", sub="other")
    for app in (one, two, one):
        assert (await ask(app, mine)).json()["data"] == {"thing": {"number": 1}}
    refused = await ask(two, mine)
    assert refused.status_code == 429
    (error,) = refused.json()["errors"]
    assert error["extensions"]["code"] == "THROTTLED"
    assert error["extensions"]["rateLimit"] == {"available": 0, "limit": 3}
    assert int(refused.headers["retry-after"]) == error["extensions"]["retryAfterSeconds"] >= 1
    assert (await ask(two, other)).status_code == 200


async def test_an_operation_is_charged_what_it_costs(start: Any, request: Any) -> None:
    app, keys = await start(rate_limit=20, job_prefix=request.node.name[:20])
    token = keys.token("ADMIN")
    assert (await ask(app, token, "{ things(first: 10) { number } }")).status_code == 200
    assert (await ask(app, token, "{ things(first: 10) { number } }")).status_code == 200
    assert (await ask(app, token, THING)).status_code == 429


async def test_an_operation_on_a_socket_is_refused_and_the_socket_lives_on(start: Any, request: Any) -> None:
    app, keys = await start(rate_limit=1, job_prefix=request.node.name[:20])
    async with connect(app.state.ws_url, subprotocols=["graphql-transport-ws"]) as socket:
        authorization = f"Bearer {keys.token('ADMIN')}"
        await socket.send(json.dumps({"type": "connection_init", "payload": {"Authorization": authorization}}))
        assert json.loads(await socket.recv()) == {"type": "connection_ack"}
        kinds = []
        for identity in ("a", "b"):
            await socket.send(json.dumps({"type": "subscribe", "id": identity, "payload": {"query": THING}}))
            kinds.append(json.loads(await asyncio.wait_for(socket.recv(), 30)))
            if identity == "a":
                assert json.loads(await socket.recv()) == {"type": "complete", "id": "a"}
        assert kinds[0]["type"] == "next"
        assert (kinds[1]["type"], kinds[1]["payload"][0]["extensions"]["code"]) == ("error", "THROTTLED")
        await socket.send(json.dumps({"type": "ping"}))
        assert json.loads(await socket.recv()) == {"type": "pong"}


@pytest.mark.usefixtures("one_minute")
async def test_without_redis_each_process_counts_for_itself() -> None:
    limiter = RateLimiter(Settings(redis_url="redis://127.0.0.1:1/0", rate_limit=2, env="test"))
    caller = Principal("planner", Role.PLANNER, credential_id="jwt:1")
    await limiter.spend(caller, "127.0.0.1", 1)
    await limiter.spend(caller, "127.0.0.1", 1)
    with pytest.raises(Throttled) as caught:
        await limiter.spend(caller, "127.0.0.1", 1)
    assert caught.value.limit == 2


@pytest.mark.usefixtures("one_minute")
@pytest.mark.parametrize(("env", "passes"), [("test", 30), ("production", 4)])
async def test_limits_are_off_unless_set_but_in_production(env: Any, passes: int) -> None:
    limiter = RateLimiter(Settings(env=env))
    key = Principal("key", Role.STOREFRONT, credential_id="key:1", is_publishable=True)
    done = 0
    for _ in range(30):
        try:
            await limiter.spend(key, "192.0.2.1", 75_000)
        except Throttled:
            break
        done += 1
    assert done == passes


@pytest.mark.usefixtures("one_minute")
async def test_browsers_share_no_points_of_a_publishable_key_and_what_costs_nothing_costs_one() -> None:
    rates = RateLimiter(Settings(env="test", redis_url="", rate_limit_publishable=2))
    widget = Principal("key", Role.STOREFRONT, credential_id="key:1", is_publishable=True)
    for address in ("192.0.2.1", "192.0.2.2"):
        await rates.spend(widget, address, 0)
        await rates.spend(widget, address, 0)
        with pytest.raises(Throttled):
            await rates.spend(widget, address, 0)


async def test_a_credential_has_its_connections_and_gets_them_back(start: Any) -> None:
    app, keys = await start(max_connections_per_key=1)
    init = json.dumps({"type": "connection_init", "payload": {"Authorization": f"Bearer {keys.token('ADMIN')}"}})
    open_one = lambda: connect(app.state.ws_url, subprotocols=["graphql-transport-ws"])  # noqa: E731

    async def is_let_in() -> bool:
        async with open_one() as third:
            await third.send(init)
            with suppress(ConnectionClosed):
                return json.loads(await third.recv()) == {"type": "connection_ack"}
        return False

    async with open_one() as first:
        await first.send(init)
        assert json.loads(await first.recv()) == {"type": "connection_ack"}
        async with open_one() as second:
            await second.send(init)
            with pytest.raises(ConnectionClosed) as ended:
                await asyncio.wait_for(second.recv(), 30)
            assert ended.value.rcvd is not None
            assert ended.value.rcvd.code == 4291
        stream = await ask_stream(app, keys)
        assert (stream.status_code, stream.json()["errors"][0]["extensions"]["code"]) == (429, "THROTTLED")
    async with asyncio.timeout(30):
        while not await is_let_in():
            await asyncio.sleep(0.02)


async def ask_stream(app: Any, keys: Keys) -> Any:
    headers = {"authorization": f"Bearer {keys.token('ADMIN')}", "accept": "text/event-stream"}
    async with httpx2.AsyncClient(base_url=app.state.url) as client:
        return await client.post("/graphql", json={"query": "subscription { count(to: 1) }"}, headers=headers)


async def test_only_trusted_documents_are_executed_where_that_is_switched_on(start: Any, tmp_path: Path) -> None:
    manifest = tmp_path / "documents.json"
    manifest.write_text(json.dumps({"thing-1": THING}))
    app, keys = await start(trusted_documents=manifest, only_trusted_documents=True)
    token = keys.token("ADMIN")
    assert (await ask(app, token, None, documentId="thing-1")).json()["data"] == {"thing": {"number": 1}}
    assert (await ask(app, token, THING)).status_code == 200
    refused = await ask(app, token, "{ hello }")
    assert (refused.status_code, refused.json()["errors"][0]["extensions"]["code"]) == (403, "FORBIDDEN")
    unknown = await ask(app, token, None, documentId="other")
    assert unknown.json()["errors"][0]["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"


def test_a_manifest_of_either_shape_is_read_and_a_broken_one_is_named(tmp_path: Path) -> None:
    file = tmp_path / "m.json"
    file.write_text(json.dumps({"format": "x", "operations": [{"id": "1", "name": "Q", "body": THING}]}))
    assert read_manifest(file) == {"1": THING}
    file.write_text("[1]")
    with pytest.raises(ConfigurationError, match=r"TRUSTED_DOCUMENTS: .*m\.json is no manifest of documents"):
        read_manifest(file)
    with pytest.raises(ConfigurationError, match="No such file"):
        read_manifest(tmp_path / "none.json")


async def test_what_closed_connections_leave_is_collected(monkeypatch: pytest.MonkeyPatch) -> None:
    collected: list[int] = []
    monkeypatch.setattr(connections, "COLLECT_EVERY", 3)
    monkeypatch.setattr(connections.gc, "collect", lambda: collected.append(1))
    monkeypatch.setattr(asyncio.get_running_loop(), "call_later", lambda _, action: action())
    for pause, times in ((0.0, 2), (60.0, 1)):  # it holds up every caller: no more often than that
        monkeypatch.setattr(connections, "COLLECT_SECONDS", pause)
        collected.clear()
        count = connections.ConnectionCount(limit=5, limit_per_key=5)
        for _ in range(7):
            with count.one_of(None):
                pass
        assert (len(collected), count.total) == (times, 0)


@pytest.mark.usefixtures("one_minute")
async def test_who_spends_in_one_turn_asks_once_and_never_gets_more_than_there_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rates, asked = RateLimiter(Settings(env="test", redis_url="", rate_limit=10)), []
    real = rates._hit

    async def hit(item: Any, key: str, cost: int) -> bool:
        asked.append((key, cost))
        return await real(item, key, cost)

    monkeypatch.setattr(rates, "_hit", hit)
    one, two = Principal("one", Role.PLANNER), Principal("two", Role.PLANNER)
    await asyncio.gather(*(rates.spend(caller, "", 2) for caller in (one, one, one, two)))
    assert asked == [("key:one", 6), ("key:two", 2)]
    asked.clear()
    found = await asyncio.gather(*(rates.spend(one, "", 2) for _ in range(3)), return_exceptions=True)
    assert [type(refused) for refused in found] == [type(None), type(None), Throttled]
    assert asked == [("key:one", 6), ("key:one", 2), ("key:one", 2), ("key:one", 2)]


async def test_redis_that_is_away_is_not_asked_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    limiter, asked = RateLimiter(Settings(env="test", redis_url="redis://127.0.0.1:1", rate_limit_anonymous=9)), 0
    shared: Any = limiter._shared
    hit = shared.hit

    async def counted(*arguments: Any, **named: Any) -> bool:
        nonlocal asked
        asked += 1
        return await hit(*arguments, **named)

    monkeypatch.setattr(shared, "hit", counted)
    for _ in range(3):
        await limiter.spend(None, "192.0.2.1", 1)
    await limiter.close()
    assert asked == 1
