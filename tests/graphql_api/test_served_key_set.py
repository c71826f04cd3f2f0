"""An issuer that really serves its key set: rotation while the API runs, tokens of others, an issuer away or mad."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx2
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from api.permissions import tokens
from core.settings import Settings
from tests.graphql_api.api_under_test import Keys, serve

pytestmark = pytest.mark.anyio

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


class Issuer:
    """Serves `published` on a loopback port, or behaves as `answer` says."""

    def __init__(self) -> None:
        self.published: dict[str, Any] = {}
        self.answer: Answer | None = None
        self.fetches = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            self.fetches += 1
            if self.answer is not None:
                await self.answer(writer)
            else:
                keys = [{**json.loads(ECAlgorithm.to_jwk(key)), "kid": kid} for kid, key in self.published.items()]
                await say(writer, json.dumps({"keys": keys}).encode())
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


async def say(writer: asyncio.StreamWriter, body: bytes, status: str = "200 OK") -> None:
    writer.write(f"HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body)
    await writer.drain()


class Api:
    def __init__(self, app: Any, issuer: Issuer, client: httpx2.AsyncClient, folder: Path) -> None:
        self.app, self.issuer, self.client = app, issuer, client
        self.claims = jwt.decode(Keys(folder / "key.pem").token(), options={"verify_signature": False})

    @property
    def verifier(self) -> Any:
        return self.app.state.endpoint.authenticator._tokens

    def an_hour_later(self) -> None:
        """What was proven a moment ago, and when the keys were read, is forgotten."""
        self.app.state.endpoint.authenticator._recent.clear()
        self.verifier._fetched_at = float("-inf")

    def new_key(self, kid: str) -> Any:
        key = ec.generate_private_key(ec.SECP256R1())
        self.issuer.published[kid] = key.public_key()
        return key

    def token(self, key: Any, kid: str | None, alg: str = "ES256", **claims: Any) -> str:
        content = {name: value for name, value in {**self.claims, **claims}.items() if value is not None}
        return jwt.encode(content, key, algorithm=alg, headers={"kid": kid} if kid else None)

    async def ask(self, token: str) -> int:
        headers = {"authorization": f"Bearer {token}", "accept": "application/graphql-response+json"}
        answer = await self.client.post("/graphql", json={"query": "{ hello }"}, headers=headers)
        if answer.status_code == 401:
            assert answer.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
        return answer.status_code

    async def connect(self, token: str) -> str | int:
        """The first message over a WebSocket, or the code of its close."""
        async with connect(self.app.state.ws_url, subprotocols=["graphql-transport-ws"]) as socket:  # type: ignore[list-item]
            await socket.send(json.dumps({"type": "connection_init", "payload": {"authorization": f"Bearer {token}"}}))
            try:
                return json.loads(await socket.recv())["type"]
            except ConnectionClosed as closed:
                return closed.rcvd.code if closed.rcvd else 1006

    async def judged(self, token: str) -> tuple[int, str | int]:
        return await self.ask(token), await self.connect(token)


LET_IN, TURNED_AWAY = (200, "connection_ack"), (401, 4401)


@pytest.fixture
async def api(
    database_url: str, valkey_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Api]:
    monkeypatch.setattr(tokens, "MIN_RETRY", -1.0)  # what is asked for in one second is not this test's matter
    monkeypatch.setattr(tokens, "FETCH_WINDOW", 0.0)
    issuer = Issuer()
    server = await asyncio.start_server(issuer.serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/jwks"
    settings = Settings(env="test", database_url=database_url, redis_url=valkey_url, jwks_url=url, pool_size=2)
    async with serve(settings) as app, httpx2.AsyncClient(base_url=app.state.url, timeout=60) as client:
        yield Api(app, issuer, client, tmp_path)
    server.close()


async def test_keys_are_rotated_while_the_api_runs(api: Api) -> None:
    first = api.new_key("first")
    old = api.token(first, "first")
    assert await api.judged(old) == LET_IN
    second = api.new_key("second")
    assert await api.judged(api.token(second, "second")) == LET_IN
    assert await api.judged(old) == LET_IN
    del api.issuer.published["first"]
    api.an_hour_later()
    assert await api.ask(old) == 200
    await api.verifier._renewal
    api.app.state.endpoint.authenticator._recent.clear()
    assert await api.judged(old) == TURNED_AWAY
    assert await api.judged(api.token(first, "first", sub="another")) == TURNED_AWAY
    assert await api.judged(api.token(second, "second")) == LET_IN


async def test_a_token_that_is_not_for_us_opens_neither_transport(api: Api) -> None:
    ours = api.new_key("ours")
    assert await api.judged(api.token(ours, "ours")) == LET_IN
    stranger = ec.generate_private_key(ec.SECP256R1())
    wrong = {
        "over": api.token(ours, "ours", exp=1_700_000_000),
        "not yet": api.token(ours, "ours", nbf=4_000_000_000),
        "without end": api.token(ours, "ours", exp=None),
        "issuer": api.token(ours, "ours", iss="https://elsewhere.example"),
        "audience": api.token(ours, "ours", aud="another-api"),
        "algorithm": api.token("s" * 64, "ours", alg="HS256"),
        "RSA": api.token(rsa.generate_private_key(65_537, 2_048), "ours", alg="RS256"),
        "none": jwt.encode(api.claims, "", algorithm="none", headers={"kid": "ours"}),
        "kid": api.token(ours, "theirs"),
        "stranger": api.token(stranger, "ours"),
        "stranger without kid": api.token(stranger, None),
    }
    for why, token in wrong.items():
        assert (why, await api.judged(token)) == (why, TURNED_AWAY)
    assert await api.judged(api.token(ours, "ours")) == LET_IN


async def test_an_issuer_that_is_away_slow_or_mad_keeps_nobody_out(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    key, stranger = api.new_key("ours"), ec.generate_private_key(ec.SECP256R1())
    assert await api.judged(api.token(key, "ours")) == LET_IN
    monkeypatch.setattr(tokens, "FETCH_SECONDS", 0.1)

    def body(text: bytes, status: str = "200 OK") -> Answer:
        return lambda writer: say(writer, text, status)

    async def hang(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(30)

    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        for _ in range(3_000):
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.01)

    async def pour(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b" " * 65_536)
            await writer.drain()

    async def leave(writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    mad: dict[str, Answer] = {
        "away": leave,
        "503": body(b"", "503 Service Unavailable"),
        "elsewhere": body(b"", "302 Found"),
        "a page": body(b"<html>"),
        "empty": body(b""),
        "null": body(b"null"),
        "no list": body(b'{"keys": null}'),
        "number": body(b'{"keys": 7}'),
        "no keys": body(b'{"keys": [7, null, {"crv": "P-256"}, {"kty": "EC", "crv": "P-256", "kid": {}, "x": 1}]}'),
        "deep": body(b"[" * 100_000),
        "bytes": body(b"\xff\xfe\x00"),
        "without end": pour,
        "slowly": drip,
        "silent": hang,
    }
    for what, answer in mad.items():
        api.issuer.answer = answer
        assert (what, await api.ask(api.token(stranger, "theirs"))) == (what, 401)
        api.an_hour_later()
        assert (what, await api.judged(api.token(key, "ours", sub=what))) == (what, LET_IN)


async def test_all_who_wait_for_an_unknown_key_wait_for_one_fetch_and_others_do_not(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, stranger = api.new_key("ours"), ec.generate_private_key(ec.SECP256R1())
    assert await api.judged(api.token(key, "ours")) == LET_IN
    monkeypatch.setattr(tokens, "FETCH_SECONDS", 60.0)
    answered, waiting, renew = asyncio.Event(), 0, api.verifier._renew

    async def hang(writer: asyncio.StreamWriter) -> None:
        await answered.wait()
        await say(writer, b"<html>")

    def counted() -> Any:
        nonlocal waiting
        waiting += 1
        return renew()

    api.issuer.answer = hang
    monkeypatch.setattr(api.verifier, "_renew", counted)
    before = api.issuer.fetches
    unknown = [asyncio.ensure_future(api.ask(api.token(stranger, f"theirs-{number}"))) for number in range(8)]
    async with asyncio.timeout(60):
        while waiting < 8:
            await asyncio.sleep(0.01)
    assert await api.judged(api.token(key, "ours", sub="meanwhile")) == LET_IN
    answered.set()
    assert await asyncio.gather(*unknown) == [401] * 8
    assert api.issuer.fetches == before + 1
    api.issuer.answer = None
    renewed = api.new_key("renewed")
    assert await api.judged(api.token(renewed, "renewed")) == LET_IN
