"""While PostgreSQL is away: who asks is told so at once and may ask again, over each transport."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from api.live import hub as live_hub
from core.domain.api_keys import new_api_key
from tests.graphql_api.api_under_test import Keys, serve, settings_for

pytestmark = pytest.mark.anyio


@pytest.fixture
async def api(database_url: str, valkey_url: str, tmp_path: Path) -> AsyncIterator[Any]:
    keys = Keys(tmp_path / "key.pem")
    async with serve(settings_for(database_url, valkey_url, keys.path)) as app:
        app.state.keys = keys
        yield app


async def over_socket(api: Any, token: str, document: str) -> Any:
    """The first message about an operation, or the code of the close."""
    async with connect(api.state.ws_url, subprotocols=["graphql-transport-ws"]) as socket:  # type: ignore[list-item]
        try:
            await socket.send(json.dumps({"type": "connection_init", "payload": {"authorization": f"Bearer {token}"}}))
            await socket.recv()
            await socket.send(json.dumps({"type": "subscribe", "id": "1", "payload": {"query": document}}))
            return json.loads(await socket.recv())
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else None


async def ask(api: Any, token: str, **headers: str) -> Any:
    async with httpx2.AsyncClient(timeout=30) as client:
        headers["authorization"] = f"Bearer {token}"
        return await client.post(f"{api.state.url}/graphql", json={"query": "{ hello }"}, headers=headers)


async def test_who_asks_is_refused_at_once_and_streams_may_begin(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    token = api.state.keys.token("ADMIN")
    assert (await ask(api, token)).status_code == 200
    monkeypatch.setattr(live_hub, "STALE_SECONDS", -1.0)
    for media_type in ("application/json", "application/graphql-response+json"):
        answer = await ask(api, token, accept=media_type)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
        assert [error["extensions"]["code"] for error in answer.json()["errors"]] == ["UNAVAILABLE"]
    refused = await over_socket(api, token, "{ hello }")
    assert (refused["type"], refused["payload"][0]["extensions"]["code"]) == ("error", "UNAVAILABLE")
    counted = await over_socket(api, token, "subscription { count(to: 1) }")
    assert counted["payload"]["data"] == {"count": "0"}


async def test_a_key_that_cannot_be_looked_up_is_not_a_wrong_one(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client takes most codes of a close for final: this one says to come again."""

    class Away:
        async def fetchrow(self, *_: Any) -> Any:
            raise ConnectionRefusedError

    monkeypatch.setattr(api.state.endpoint.authenticator, "_database", type("Lost", (), {"system": Away()}))
    key = new_api_key("").key
    answer = await ask(api, key)
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (503, "UNAVAILABLE")
    assert await over_socket(api, key, "{ hello }") == 1013
