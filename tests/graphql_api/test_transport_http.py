"""GraphQL over HTTP and SSE on a real server: negotiation, statuses, refusals, roles, and what errors may say."""

import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from jwt.algorithms import ECAlgorithm

from api.transport.negotiation import best_media_type
from api.transport.websocket import is_same_site
from tests.graphql_api.api_under_test import Keys, serve, settings_for

pytestmark = pytest.mark.anyio

RESPONSE = "application/graphql-response+json"


@pytest.fixture
async def api(database_url: str, valkey_url: str, tmp_path: Path) -> AsyncIterator[tuple[httpx2.AsyncClient, Keys]]:
    keys = Keys(tmp_path / "key.pem")
    async with (
        serve(settings_for(database_url, valkey_url, keys.path)) as app,
        httpx2.AsyncClient(base_url=app.state.url) as client,
    ):
        yield client, keys


async def ask(api: tuple[httpx2.AsyncClient, Keys], query: str, role: str | None = "ADMIN", **more: Any) -> Any:
    client, keys = api
    headers = {"accept": more.pop("accept", RESPONSE), **more.pop("headers", {})}
    if role:
        headers["authorization"] = f"Bearer {keys.token(role)}"
    return await client.post("/graphql", json={"query": query, **more}, headers=headers)


def codes(response: Any) -> list[str]:
    return [error["extensions"]["code"] for error in response.json()["errors"]]


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, "application/json"),
        ("", "application/json"),
        ("*/*", "application/json"),
        ("application/*", "application/json"),
        (RESPONSE, RESPONSE),
        (f"{RESPONSE}, application/json", RESPONSE),
        (f"application/json, {RESPONSE}", "application/json"),
        (f"application/json;q=0.5, {RESPONSE};q=0.9", RESPONSE),
        (f"{RESPONSE}, application/graphql+json, application/json, text/event-stream, multipart/mixed", RESPONSE),
        ("text/event-stream, multipart/mixed", "text/event-stream"),
        ("text/event-stream;q=0.1, */*", "application/json"),
        ("application/json;q=0, */*", RESPONSE),
        ("*/*, application/json;q=0.1", RESPONSE),
        ("application/json; charset=utf-8", "application/json"),
        ("application/json; charset=utf-16", None),
        ("text/html", None),
        ("application/json;q=0", None),
    ],
)
async def test_accept_is_negotiated_by_quality_then_order(accept: str | None, expected: str | None) -> None:
    assert best_media_type(accept) == expected


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"7", 400),
        (b"null", 400),
        (b'"x"', 400),
        (b"[]", 400),
        (b'[{"query": "{ hello }"}]', 400),
        (b"", 400),
        (b'{"query"', 400),
        (b'{"query": "{ hello(name: \\"\xff\\") }"}', 400),
        (b"[" * 20_000 + b"]" * 20_000, 400),
        (b'{"query": "{ hello }", "variables": {"a": ' + b"[" * 70 + b"]" * 70 + b"}}", 400),
        (b'{"query": 7}', 400),
        (b'{"query": "{ hello }", "variables": []}', 400),
        (b'{"query": "{ hello }", "operationName": {}}', 400),
        (b'{"extensions": {"persistedQuery": 7}}', 400),
        (b'{"query": "' + b" " * 1_000_000 + b'"}', 413),
    ],
)
async def test_bodies_that_are_no_request_are_refused(api: Any, body: bytes, status: int) -> None:
    client, keys = api
    headers = {"content-type": "application/json", "authorization": f"Bearer {keys.token()}"}
    response = await client.post("/graphql", content=body, headers=headers)
    assert response.status_code == status
    assert codes(response) == ["BAD_REQUEST"]
    assert response.json()["errors"][0]["extensions"]["requestId"] == response.headers["x-request-id"]


async def test_methods_media_types_and_get(api: Any) -> None:
    client, keys = api
    token = {"authorization": f"Bearer {keys.token()}"}
    slash = await client.post("/graphql/", json={"query": "{ hello }"}, headers=token)
    assert (slash.status_code, slash.json()) == (200, (await ask(api, "{ hello }")).json())
    put = await client.put("/graphql", headers=token)
    assert (put.status_code, put.headers["allow"]) == (405, "GET, POST")
    text = await client.post("/graphql", content=b"{}", headers={**token, "content-type": "text/plain"})
    assert text.status_code == 415
    packed = await client.post("/graphql", json={"query": "{ hello }"}, headers={**token, "content-encoding": "gzip"})
    assert (packed.status_code, packed.headers["accept-encoding"]) == (415, "identity")
    html = await ask(api, "{ hello }", accept="text/html")
    assert html.status_code == 406
    got = await client.get(
        "/graphql",
        params={"query": "query ($n: String!) { hello(name: $n) }", "variables": '{"n": "Ann"}'},
        headers=token,
    )
    assert (got.status_code, got.json()["data"]) == (200, {"hello": "Hello Ann"})
    changed = await client.get("/graphql", params={"query": "mutation { change }"}, headers=token)
    assert (changed.status_code, changed.headers["allow"]) == (405, "POST")
    twice = await client.get("/graphql?query=%7Bhello%7D&query=%7Bhello%7D", headers=token)
    assert twice.status_code == 400
    live = await ask(api, "subscription { count(to: 1) }")
    assert live.status_code == 406


@pytest.mark.parametrize(
    ("query", "more", "code"),
    [
        ("{", {}, "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", {}, "GRAPHQL_VALIDATION_FAILED"),
        ("query ($n: String!) { hello(name: $n) }", {"variables": {"n": 7}}, "BAD_USER_INPUT"),
        ("query A { hello } query B { hello }", {}, "OPERATION_RESOLUTION_FAILURE"),
        ("query A { hello }", {"operationName": "C"}, "OPERATION_RESOLUTION_FAILURE"),
    ],
)
async def test_request_errors_are_400_in_the_new_media_type_and_200_in_json(
    api: Any, query: str, more: dict[str, Any], code: str
) -> None:
    new = await ask(api, query, **more)
    assert (new.status_code, codes(new), "data" in new.json()) == (400, [code], False)
    old = await ask(api, query, accept="application/json", **more)
    assert (old.status_code, codes(old)) == (200, [code])


async def test_a_failure_of_our_own_before_execution_is_an_answer_too(
    api: Any, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    async def lose(*_: Any) -> None:
        raise KeyError("password=hunter2")

    monkeypatch.setattr("api.permissions.authentication.Authenticator.authenticate", lose)
    for accept in (RESPONSE, "text/event-stream"):
        response = await ask(api, "{ hello }", accept=accept)
        assert (response.status_code, codes(response)) == (500, ["INTERNAL"])
        assert "hunter2" not in response.text
        assert response.json()["errors"][0]["extensions"]["requestId"] in capfd.readouterr().err


async def test_at_most_five_validation_errors(api: Any) -> None:
    response = await ask(api, "{" + " ".join(f"x{n}" for n in range(40)) + "}")
    assert codes(response) == ["GRAPHQL_VALIDATION_FAILED"] * 5


async def test_execution_errors_are_typed_and_internal_ones_are_masked(api: Any) -> None:
    response = await ask(api, "{ broken refused unknown hello }")
    assert response.status_code == 200
    assert response.json()["data"] == {"broken": None, "refused": None, "unknown": None, "hello": "Hello you"}
    assert codes(response) == ["INTERNAL", "BAD_USER_INPUT", "UNKNOWN_SKU"]
    assert "hunter2" not in response.text
    assert response.json()["errors"][1]["extensions"]["available"] == 2
    request_ids = {error["extensions"]["requestId"] for error in response.json()["errors"]}
    assert request_ids == {response.headers["x-request-id"]}


async def test_roles_open_root_fields(api: Any) -> None:
    assert (await ask(api, "{ plans }", "PLANNER")).json()["data"] == {"plans": "secret plans"}
    refused = await ask(api, "{ plans hello }", "WAREHOUSE")
    assert (refused.status_code, codes(refused)) == (200, ["FORBIDDEN"])
    assert refused.json()["data"] == {"plans": None, "hello": "Hello you"}
    anonymous = await ask(api, "{ hello }", None)
    assert (anonymous.status_code, codes(anonymous)) == (401, ["UNAUTHENTICATED"])
    assert anonymous.headers["www-authenticate"] == "Bearer"
    hidden = await ask(api, "fragment F on Query { hello } { __typename ...F }", None)
    assert codes(hidden) == ["UNAUTHENTICATED"]
    assert (await ask(api, "{ __typename __schema { queryType { name } } }", None)).status_code == 200


async def test_production_hides_schema_and_suggestions(database_url: str, valkey_url: str, tmp_path: Path) -> None:
    keys = Keys(tmp_path / "key.pem")
    jwks = tmp_path / "jwks.json"
    jwks.write_text(json.dumps({"keys": [{**json.loads(ECAlgorithm.to_jwk(keys.private.public_key())), "kid": "a"}]}))
    settings = settings_for(database_url, valkey_url, Path()).model_copy(
        update={"env": "production", "jwks_file": jwks, "local_key_file": None}
    )
    async with serve(settings) as app, httpx2.AsyncClient(base_url=app.state.url) as client:
        api = (client, keys)
        assert set(codes(await ask(api, "{ __schema { queryType { name } } }"))) == {"GRAPHQL_VALIDATION_FAILED"}
        wrong = await ask(api, "{ helo }")
        assert [error["message"] for error in wrong.json()["errors"]] == ["Cannot query field 'helo' on type 'Query'."]
        assert (await client.get("/graphiql")).status_code == 404
        assert (await ask(api, "{ hello }")).status_code == 200


async def test_sse_streams_frames_and_reports_request_errors_in_the_stream(api: Any) -> None:
    response = await ask(api, "subscription { count(to: 2) }", accept="text/event-stream")
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    frames = response.text.split("\n\n")
    assert [frame.split("\n")[0] for frame in frames] == [":", "event: next", "event: next", "event: complete", ""]
    assert json.loads(frames[1].split("data: ")[1])["data"] == {"count": "0"}
    wrong = await ask(api, "subscription { nothing }", accept="text/event-stream")
    assert (wrong.status_code, "GRAPHQL_VALIDATION_FAILED" in wrong.text) == (200, True)
    refused = await ask(api, "subscription { planned }", "WAREHOUSE", accept="text/event-stream")
    assert "FORBIDDEN" in refused.text
    assert (await ask(api, "subscription { planned }", None, accept="text/event-stream")).status_code == 401
    query = await ask(api, "{ hello }", accept="text/event-stream")
    assert json.loads(query.text.split("data: ")[1].split("\n")[0])["data"] == {"hello": "Hello you"}


async def test_plain_endpoints_and_cors(api: Any) -> None:
    client, keys = api
    assert (await client.get("/healthz")).json() == {"status": "ok"}
    assert (await client.get("/readyz")).json()["status"] == "ready"
    assert "backorder_graphql_operations" in (await client.get("/metrics")).text
    assert (await client.get("/")).json()["links"]["graphql"] == "/graphql"
    assert "<textarea" in (await client.get("/graphiql")).text
    allowed = await ask(api, "{ hello }", headers={"origin": "http://localhost:3000"})
    assert allowed.headers["access-control-allow-origin"] == "http://localhost:3000"
    foreign = await ask(api, "{ hello }", headers={"origin": "http://evil.example"})
    assert "access-control-allow-origin" not in foreign.headers
    edi = await client.post("/edi/ACME", content=b"ISA", headers={"authorization": f"Bearer {keys.token('AUDITOR')}"})
    assert edi.status_code == 403
    assert (await client.post("/edi/ACME", content=b"ISA")).status_code == 401


async def test_readiness_names_what_fails(database_url: str, tmp_path: Path) -> None:
    keys = Keys(tmp_path / "key.pem")
    settings = settings_for(database_url, "redis://127.0.0.1:1/0", keys.path)
    async with serve(settings) as app, httpx2.AsyncClient(base_url=app.state.url) as client:
        response = await client.get("/readyz")
        assert (response.status_code, response.json()["failing"]) == (503, ["redis"])
        assert (await client.get("/healthz")).status_code == 200


async def test_persisted_documents_are_registered_in_development(api: Any) -> None:
    text = "{ hello }"
    digest = hashlib.sha256(text.encode()).hexdigest()
    extensions = {"persistedQuery": {"version": 1, "sha256Hash": digest}}
    client, keys = api
    token = {"authorization": f"Bearer {keys.token()}"}
    missing = await client.post("/graphql", json={"extensions": extensions}, headers=token)
    assert codes(missing) == ["PERSISTED_QUERY_NOT_FOUND"]
    assert (await ask(api, text, extensions=extensions)).json()["data"] == {"hello": "Hello you"}
    got = await client.get("/graphql", params={"extensions": json.dumps(extensions)}, headers=token)
    assert got.json()["data"] == {"hello": "Hello you"}
    wrong = await ask(api, "{ public }", extensions=extensions)
    assert codes(wrong) == ["BAD_USER_INPUT"]


async def test_an_origin_that_is_none_is_foreign() -> None:
    for origin in ("null", "http://[", "http://localhost:3000.evil.example"):
        assert is_same_site(origin, "localhost:8000", ["http://localhost:3000"]) is False
    assert is_same_site("http://localhost:8000", "localhost:8000", []) is True
