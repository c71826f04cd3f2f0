"""graphql-transport-ws on a real server: the protocol, its close codes, hostile frames, slow clients, resume over SSE."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from api.transport import sse as streams
from api.transport import websocket as transport
from core.domain.api_keys import new_api_key
from tests.graphql_api.api_under_test import Keys, add_events, serve, settings_for

pytestmark = pytest.mark.anyio


class Api:
    def __init__(self, app: Any, keys: Keys, database_url: str) -> None:
        self.url, self.ws_url, self.app, self.keys = app.state.url, app.state.ws_url, app, keys
        self.database_url = database_url

    def socket(self, **options: Any) -> Any:
        return connect(self.ws_url, subprotocols=options.pop("subprotocols", ["graphql-transport-ws"]), **options)


@pytest.fixture
async def api(database_url: str, valkey_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    keys = Keys(tmp_path / "key.pem")
    async with serve(settings_for(database_url, valkey_url, keys.path, api_key_pepper="pepper")) as app:
        yield Api(app, keys, database_url)


async def say(socket: Any, **message: Any) -> None:
    await socket.send(json.dumps(message))


async def until_watching(api: Api, count: int) -> None:
    """Return once so many subscriptions follow the events."""
    async with asyncio.timeout(30):
        while len(api.app.state.hub._all()) < count:
            await asyncio.sleep(0.01)


async def hear(socket: Any, seconds: float = 30) -> Any:
    async with asyncio.timeout(seconds):
        return json.loads(await socket.recv())


async def greet(socket: Any, token: str | None) -> None:
    await say(socket, type="connection_init", payload={"Authorization": f"Bearer {token}"} if token else {})
    assert await hear(socket) == {"type": "connection_ack"}


async def closed(socket: Any, seconds: float = 30) -> int:
    async with asyncio.timeout(seconds):
        try:
            while True:
                await socket.recv()
        except ConnectionClosed as ended:
            return ended.rcvd.code if ended.rcvd else 1006


async def test_operations_of_every_kind(api: Api) -> None:
    async with api.socket() as socket:
        await greet(socket, api.keys.token())
        await say(socket, type="subscribe", id="1", payload={"query": "{ hello }"})
        assert (await hear(socket))["payload"]["data"] == {"hello": "Hello you"}
        assert await hear(socket) == {"id": "1", "type": "complete"}
        await say(socket, type="subscribe", id="1", payload={"query": "subscription { count(to: 2) }"})
        assert [(await hear(socket))["payload"]["data"]["count"] for _ in range(2)] == ["0", "1"]
        assert await hear(socket) == {"id": "1", "type": "complete"}
        for query, code in (("{ nothing }", "GRAPHQL_VALIDATION_FAILED"), ("{", "GRAPHQL_PARSE_FAILED")):
            await say(socket, type="subscribe", id="2", payload={"query": query})
            answer = await hear(socket)
            assert (answer["type"], answer["payload"][0]["extensions"]["code"]) == ("error", code)
        await say(socket, type="ping", payload={"a": 1})
        assert await hear(socket) == {"type": "pong", "payload": {"a": 1}}
        await say(socket, type="pong")
        await say(socket, type="complete", id="unknown")
        await say(socket, type="ping")
        assert await hear(socket) == {"type": "pong"}


async def test_a_connection_runs_so_many_operations_and_not_one_more(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.transport.websocket.MAX_OPERATIONS", 2)
    endless = {"query": "subscription { happened { n } }"}
    async with api.socket() as socket:
        await greet(socket, api.keys.token())
        for identity in ("1", "2", "3"):
            await say(socket, type="subscribe", id=identity, payload=endless)
        refused = await hear(socket)
        assert (refused["type"], refused["id"]) == ("error", "3")
        assert refused["payload"][0]["extensions"]["code"] == "THROTTLED"
        await say(socket, type="complete", id="1")
        await say(socket, type="subscribe", id="4", payload={"query": "{ hello }"})
        assert (await hear(socket))["payload"]["data"] == {"hello": "Hello you"}


async def test_roles_and_anonymous_clients(api: Api) -> None:
    async with api.socket() as socket:
        await greet(socket, api.keys.token("WAREHOUSE"))
        await say(socket, type="subscribe", id="1", payload={"query": "subscription { planned }"})
        answer = await hear(socket)
        assert (answer["type"], answer["payload"][0]["extensions"]["code"]) == ("error", "FORBIDDEN")
    async with api.socket() as socket:
        await greet(socket, None)
        await say(socket, type="subscribe", id="1", payload={"query": "{ hello }"})
        assert (await hear(socket))["payload"][0]["extensions"]["code"] == "UNAUTHENTICATED"


INIT = '{"type": "connection_init"}'
SUBSCRIBE = '{"type": "subscribe", "id": "1", "payload": {"query": "subscription { happened { n } }"}}'


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        (["nonsense"], 4400),
        (["7"], 4400),
        (["null"], 4400),
        (["[]"], 4400),
        (["{}"], 4400),
        (['{"type": "nothing"}'], 4400),
        ([b"\x00\x01"], 4400),
        (["[" * 20_000], 4400),
        (['{"type": "connection_init", "payload": 7}'], 4400),
        (['{"type": "ping", "payload": "x"}'], 4400),
        ([INIT, '{"type": "subscribe", "payload": {"query": "{ hello }"}}'], 4400),
        ([INIT, '{"type": "subscribe", "id": "", "payload": {"query": "{ hello }"}}'], 4400),
        ([INIT, '{"type": "subscribe", "id": "1"}'], 4400),
        ([INIT, '{"type": "subscribe", "id": "1", "payload": {"query": 7}}'], 4400),
        ([INIT, '{"type": "complete"}'], 4400),
        (["x" * 1_100_000], 4400),
        ([SUBSCRIBE], 4401),
        (['{"type": "connection_init", "payload": {"Authorization": "Bearer x.y.z"}}'], 4401),
        (['{"type": "connection_init", "payload": {"token": "bmk_aa_bb"}}'], 4401),
        ([INIT, INIT], 4429),
    ],
)
async def test_malformed_messages_close_their_own_connection_only(api: Api, frames: list[Any], code: int) -> None:
    async with api.socket() as witness, api.socket() as socket:
        await greet(witness, api.keys.token())
        for frame in frames:
            await socket.send(frame)
        assert await closed(socket) == code
        await say(witness, type="ping")
        assert await hear(witness) == {"type": "pong"}


async def test_duplicate_ids_subprotocols_origins_and_init_timeout(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    async with api.socket() as socket:
        await greet(socket, api.keys.token())
        await socket.send(SUBSCRIBE)
        await socket.send(SUBSCRIBE)
        assert await closed(socket) == 4409
    async with api.socket(subprotocols=None) as socket:
        assert await closed(socket) == 4406
    with pytest.raises(InvalidStatus):
        await api.socket(origin="http://evil.example").__aenter__()
    async with api.socket(origin="http://localhost:3000") as socket:
        await greet(socket, api.keys.token())
    monkeypatch.setattr(transport, "INIT_SECONDS", 0.2)
    async with api.socket() as socket:
        assert await closed(socket) == 4408


async def test_a_client_that_reads_nothing_is_cut_off_and_others_do_not_feel_it(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "SEND_SECONDS", 0.5)
    async with api.socket() as witness, api.socket(compression=None) as stuck:
        await greet(witness, api.keys.token())
        await greet(stuck, api.keys.token())
        query = "subscription { count(to: 2000, size: 60000) }"
        await say(stuck, type="subscribe", id="1", payload={"query": query})
        stuck.transport.pause_reading()
        for _ in range(15):
            await asyncio.sleep(0.1)
            await say(witness, type="ping")
            assert await hear(witness) == {"type": "pong"}
        stuck.transport.resume_reading()
        assert await closed(stuck) == 4290


async def test_expired_tokens_and_revoked_keys_end_streams_within_five_seconds(api: Api) -> None:
    sql = await asyncpg.connect(api.database_url)
    key = new_api_key("pepper")
    await sql.execute(
        "insert into api_key (prefix, secret_hash, role) values ($1, $2, 'PLANNER')", key.prefix, key.secret_hash
    )
    async with (
        api.socket() as by_key,
        api.socket() as by_token,
        httpx2.AsyncClient(base_url=api.url) as client,
    ):
        stream = asyncio.create_task(
            client.post(
                "/graphql",
                json={"query": "subscription { happened { n } }"},
                headers={"accept": "text/event-stream", "authorization": f"Bearer {key.key}"},
                timeout=30,
            )
        )
        await greet(by_key, key.key)
        await greet(by_token, api.keys.token(seconds=8))
        for socket in (by_key, by_token):
            await socket.send(SUBSCRIBE)
        await until_watching(api, 3)
        await sql.execute("update api_key set revoked_at = now()")
        for socket in (by_key, by_token):
            answer = await hear(socket)
            assert (answer["type"], answer["payload"][0]["extensions"]["code"]) == ("error", "UNAUTHENTICATED")
            assert await closed(socket) == 4403
        async with asyncio.timeout(30):
            text = (await stream).text
        assert '"code":"UNAUTHENTICATED"' in text
        assert text.endswith("event: complete\ndata:\n\n")
    async with api.socket() as socket:
        await say(socket, type="connection_init", payload={"Authorization": f"Bearer {key.key}"})
        assert await closed(socket) == 4401
    await sql.close()


async def sse(
    client: httpx2.AsyncClient, api: Api, count: int, last_id: str | None = None, after: str | None = None
) -> list[tuple[str, int]]:
    """The first events of `happened` as (id, n)."""
    headers = {"accept": "text/event-stream", "authorization": f"Bearer {api.keys.token()}"}
    if last_id is not None:
        headers["last-event-id"] = last_id
    events: list[tuple[str, int]] = []
    body = {"query": "subscription ($a: String) { happened(after: $a) { n } }", "variables": {"a": after}}
    async with asyncio.timeout(30), client.stream("POST", "/graphql", json=body, headers=headers) as response:
        identity = ""
        async for line in response.aiter_lines():
            if line.startswith("id: "):
                identity = line[4:]
            elif line.startswith("data: "):
                events.append((identity, json.loads(line[6:])["data"]["happened"]["n"]))
                if len(events) == count:
                    return events
    return events


async def test_sse_resumes_with_last_event_id(api: Api) -> None:
    sql = await asyncpg.connect(api.database_url)
    async with httpx2.AsyncClient(base_url=api.url) as client:
        first = asyncio.create_task(sse(client, api, 3))
        await until_watching(api, 1)
        await add_events(sql, 5)
        seen = await first
        assert [n for _, n in seen] == [1, 2, 3]
        await add_events(sql, 5)
        rest = await sse(client, api, 7, seen[-1][0])
        assert [n for _, n in rest] == [4, 5, 6, 7, 8, 9, 10]
        # a client that comes again repeats its document with the cursor of its beginning
        rest = await sse(client, api, 1, rest[-2][0], after=seen[0][0])
        assert [n for _, n in rest] == [10]
    await sql.close()


async def test_what_a_client_has_completed_says_no_more(api: Api) -> None:
    async with api.socket() as socket:
        await greet(socket, api.keys.token())
        await socket.send(SUBSCRIBE)
        await until_watching(api, 1)
        await say(socket, type="complete", id="1")
        async with asyncio.timeout(30):
            while api.app.state.hub._all():
                await asyncio.sleep(0.01)


async def test_of_a_stream_whose_client_has_left_nothing_stays(api: Api) -> None:
    async with httpx2.AsyncClient(base_url=api.url) as client:
        reading = asyncio.create_task(sse(client, api, 1))
        await until_watching(api, 1)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
    async with asyncio.timeout(30):
        while api.app.state.hub._all() or api.app.state.endpoint.connections.total:
            await asyncio.sleep(0.01)


async def test_a_stream_on_which_nothing_happens_is_kept_alive(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "KEEP_ALIVE_SECONDS", 0.02)
    sql = await asyncpg.connect(api.database_url)
    async with httpx2.AsyncClient(base_url=api.url) as client:
        reading = asyncio.create_task(sse(client, api, 1))
        await until_watching(api, 1)
        await asyncio.sleep(0.2)
        await add_events(sql, 1)
        assert [n for _, n in await reading] == [1]
    await sql.close()


async def test_draining_closes_sockets_and_ends_streams_without_complete(api: Api) -> None:
    async with api.socket() as socket, httpx2.AsyncClient(base_url=api.url) as client:
        await greet(socket, api.keys.token())
        await socket.send(SUBSCRIBE)
        stream = asyncio.create_task(
            client.post(
                "/graphql",
                json={"query": "subscription { happened { n } }"},
                headers={"accept": "text/event-stream", "authorization": f"Bearer {api.keys.token()}"},
            )
        )
        await until_watching(api, 2)
        api.app.state.endpoint.drain()
        api.app.state.hub.drain()
        assert await closed(socket) == 1001
        assert "complete" not in (await stream).text
