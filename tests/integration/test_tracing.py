"""Spans: one trace from the request through its statements to the job it asked for; nothing at all when it is off."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx2
import pytest

from core import telemetry
from core.database import Database
from core.events import Event, JobRequest
from core.repositories import outbox
from core.settings import Settings
from core.telemetry import span, start_tracing, stop_tracing
from core.unit_of_work import UnitOfWork, run_unit_of_work
from tests.graphql_api.api_under_test import Keys, serve, settings_for
from workers.job import Job, JobContext, JobRunner

pytestmark = pytest.mark.anyio


class Collector:
    """Receives what an OTLP collector receives."""

    def __init__(self) -> None:
        self.spans: list[dict[str, Any]] = []
        self.services: set[str] = set()
        self.headers: dict[str, str] = {}
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                assert self.path == "/v1/traces"
                collector.headers = {name.lower(): value for name, value in self.headers.items()}
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                for resource in body["resourceSpans"]:
                    named = {one["key"]: one["value"] for one in resource["resource"]["attributes"]}
                    collector.services.add(named["service.name"]["stringValue"])
                    collector.spans += [span for scope in resource["scopeSpans"] for span in scope["spans"]]
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: Any) -> None: ...

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def one(self, name: str, parent: dict[str, Any] | None = None) -> dict[str, Any]:
        """The first span of this name, inside `parent`."""
        found = [
            s for s in self.spans if s["name"] == name and (not parent or s.get("parentSpanId") == parent["spanId"])
        ]
        assert found, (name, sorted({s["name"] for s in self.spans}))
        return found[0]


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    made = Collector()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{made.server.server_port}")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-key=a%20b")
    yield made
    stop_tracing()
    made.server.shutdown()
    made.server.server_close()
    made.thread.join()


async def test_the_trace_of_a_request_goes_on_in_the_job_it_asked_for(collector: Collector, database_url: str) -> None:
    settings = Settings(database_url=database_url, env="test", pool_size=2)

    async def work(context: JobContext, given: dict[str, Any]) -> None:
        await context.run(lambda uow: uow.sql.execute("select count(*) from sku where code = $1", "private"))

    async def ask(uow: UnitOfWork) -> None:
        uow.enqueue(JobRequest("probe", "k"))

    assert start_tracing("tester")
    async with Database(settings) as database:
        with span("request"):
            await run_unit_of_work(database, ask, request_id="request-1")
        async with database.system.acquire() as sql, sql.transaction():
            (ticket,) = (await outbox.move_outbox(sql)).tickets
        await JobRunner(database, settings, None).run(
            Job("probe", work, "fast", 5, 1, 1), ticket.run_id, ticket.attempt
        )
        assert await database.system.fetchval("select request_id from job_run") == "request-1"
    stop_tracing()

    request = collector.one("request")
    unit = collector.one("unit of work", request)
    assert collector.one("INSERT outbox", unit)["kind"] == 3
    job = collector.one("job probe", unit)
    statement = collector.one("SELECT sku", collector.one("unit of work", job))
    assert {one["traceId"] for one in (request, unit, job, statement)} == {request["traceId"]}
    texts = {one["key"]: one["value"] for one in statement["attributes"]}
    assert texts["db.query.text"] == {"stringValue": "select count(*) from sku where code = $1"}
    assert "private" not in json.dumps(collector.spans)
    assert (collector.services, collector.headers["x-key"]) == ({"tester"}, "a b")


async def test_a_request_is_seen_from_its_callers_span_to_the_statement(
    collector: Collector, database_url: str, valkey_url: str, tmp_path: Path
) -> None:
    keys = Keys(tmp_path / "key.pem")
    parent = f"00-{'ab' * 16}-{'cd' * 8}-01"
    settings = settings_for(database_url, valkey_url, keys.path)
    async with serve(settings, is_whole=True) as app, httpx2.AsyncClient(base_url=app.state.url) as client:
        headers = {"authorization": f"Bearer {keys.token('PLANNER')}", "traceparent": parent}
        query = {"query": '{ orders(first: 1) { nodes { number } } nothing: order(number: "secret-1") { number } }'}
        assert (await client.post("/graphql", json=query, headers=headers)).status_code == 200
        await client.get("/healthz")
    root = collector.one("POST /graphql")
    assert (root["traceId"], root["parentSpanId"]) == ("ab" * 16, "cd" * 8)
    operation = collector.one("graphql query orders", root)
    field = collector.one("Query.orders", operation)
    statements = [one for one in collector.spans if one.get("parentSpanId") == field["spanId"]]
    assert {one["traceId"] for one in statements} == {"ab" * 16}
    assert any("from sales_order" in json.dumps(one["attributes"]) for one in statements)
    assert "secret-1" not in json.dumps(collector.spans)
    assert not any("healthz" in one["name"] for one in collector.spans)


async def test_an_event_is_followed_from_the_change_to_its_delivery(
    collector: Collector, database_url: str, valkey_url: str, tmp_path: Path
) -> None:
    keys, facts = (
        Keys(tmp_path / "key.pem"),
        {"orderNumber": "SO-1", "status": "VALIDATED", "version": 1, "quantity": 7},
    )

    async def tell(uow: UnitOfWork) -> None:
        uow.announce(Event("order", "LINE_CHANGED", facts, key="order:1"))

    async with serve(settings_for(database_url, valkey_url, keys.path), is_whole=True) as app:
        database, headers = app.state.database, {"authorization": f"Bearer {keys.token('PLANNER')}"}
        with span("request"):
            await run_unit_of_work(database, tell)
        async with database.system.acquire() as sql, sql.transaction():
            await outbox.move_outbox(sql)
        query = {"query": f'subscription {{ orderChanged(after: "{app.state.hub.cursor_at(0)}") {{ quantity }} }}'}
        async with (
            httpx2.AsyncClient(base_url=app.state.url) as client,
            client.stream("POST", "/graphql", json=query, headers={**headers, "accept": "text/event-stream"}) as answer,
        ):
            async for line in answer.aiter_lines():
                if line.startswith("data: ") and '"quantity":7' in line:
                    break
    unit = collector.one("unit of work", collector.one("request"))
    delivery = collector.one("event order", unit)
    assert (delivery["traceId"], delivery["kind"]) == (unit["traceId"], 5)
    assert {"position", "late_milliseconds"} == {one["key"] for one in delivery["attributes"]}


def test_a_collector_that_does_not_answer_holds_no_process_up(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "60")
        monkeypatch.setattr(telemetry, "STOP_SECONDS", 0.2)
        assert start_tracing("tester")
        with span("request"):
            pass
        began = time.monotonic()
        stop_tracing()
        assert time.monotonic() - began < 30


def test_without_a_collector_nothing_is_made_and_no_exporter_imported() -> None:
    assert not start_tracing("tester")
    assert span("a") is span("b") is telemetry._NOTHING
    check = "import sys, api.app, workers.relay; assert 'core.telemetry.otlp' not in sys.modules"
    done = subprocess.run(
        [sys.executable, "-c", check], cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
