"""What /metrics says: of operations with few names, of the pools, and of all that waits in the system."""

from __future__ import annotations

import json
from pathlib import Path

import asyncpg
import httpx2
import pytest

from tests.graphql_api.api_under_test import Keys, serve, settings_for

pytestmark = pytest.mark.anyio

WAITING = """
insert into outbox (topic, kind, created_at) values ('order', 'PLACED', now() - interval '40 seconds'), ('order', 'X', now());
insert into job_run (function, key, queue, state, created_at) values
    ('a', '1', 'bulk', 'waiting', now() - interval '90 seconds'), ('a', '2', 'bulk', 'dead', now()),
    ('ingest_edi_document', 'raw:1', 'fast', 'running', now() - interval '1 hour'),
    ('b', '1', 'fast', 'queued', now() + interval '0 seconds');
insert into webhook (id, url, topics, position, actor, state, failing_since) values
    (1, 'u', '{order}', 0, 'a', 'ACTIVE', now()), (2, 'u', '{order}', 0, 'a', 'DISABLED', now()),
    (3, 'u', '{order}', 0, 'a', 'ACTIVE', null);
insert into webhook_delivery (webhook_id, message_id, type, body, created_at) values
    (1, 'm', 't', 'b', now() - interval '50 seconds'), (1, 'n', 't', 'b', now()), (2, 'm', 't', 'b', now() - interval '1 hour');
insert into supplier (code, name) values ('V1', 'Vendor');
insert into date_spread (path, stage, basis, supplier_id, observations, says, p50, p80, p95, days, shares, coverage, coverage_p50,
    coverage_p95, judged, is_drifting, computed_at)
    select 'SUPPLY|CARRIER|' || id, 'SUPPLY', 'CARRIER', id, 40, 's', 0, 1, 2, '{0}', '{1}', 0.5, 0.25, null, 40, true, now()
    from supplier order by id limit 1;
insert into job_run (function, key, run_after) values ('later', '', now() + interval '1 hour');
"""


def figures(text: str) -> dict[str, float]:
    pairs = (line.rpartition(" ") for line in text.splitlines() if line and line[0] != "#")
    return {name: float(value) for name, _, value in pairs}


async def test_metrics_tell_operations_pools_and_what_waits(database_url: str, valkey_url: str, tmp_path: Path) -> None:
    keys, manifest = Keys(tmp_path / "key.pem"), tmp_path / "documents.json"
    manifest.write_text(json.dumps({"1": "query Greeting { hello }"}))
    sql = await asyncpg.connect(database_url)
    await sql.execute(WAITING)
    settings = settings_for(database_url, valkey_url, keys.path, trusted_documents=manifest)
    async with serve(settings) as app, httpx2.AsyncClient(base_url=app.state.url) as client:
        before = figures((await client.get("/metrics")).text)
        for role, query in (
            ("ADMIN", "query Greeting { hello }"),
            ("ADMIN", "query Invented123 { hello }"),
            ("STOREFRONT", "{ plans }"),
        ):
            headers = {"authorization": f"Bearer {keys.token(role)}"}
            await client.post("/graphql", json={"query": query}, headers=headers)
        text = (await client.get("/metrics")).text
        after = figures(text)
        await sql.execute("alter table relay rename to relay_away")
        away = figures((await client.get("/metrics")).text)
        await sql.execute("alter table relay_away rename to relay")
    await sql.close()

    def grown(name: str) -> float:
        return after.get(name, 0) - before.get(name, 0)

    assert grown('backorder_graphql_operations_total{operation="Greeting",outcome="ok",root="hello"}') == 1
    assert grown('backorder_graphql_operations_total{operation="other",outcome="ok",root="hello"}') == 1
    assert grown('backorder_denials_total{role="STOREFRONT"}') == 1
    assert "Invented123" not in text
    assert grown("backorder_graphql_cost_count") == 3
    assert after["backorder_database_up"] == 1
    assert after["backorder_outbox_rows"] == 2
    states = {
        state: after[f'backorder_webhooks{{state="{state}"}}'] for state in ("ACTIVE", "FAILING", "PAUSED", "DISABLED")
    }
    assert states == {"ACTIVE": 1, "FAILING": 1, "PAUSED": 0, "DISABLED": 1}
    assert (after["backorder_webhook_waiting"], 50 <= after["backorder_webhook_lag_seconds"] < 120) == (2, True)
    assert 40 <= after["backorder_outbox_lag_seconds"] < 100
    assert 90 <= after['backorder_queue_age_seconds{queue="bulk"}'] < 150
    assert after['backorder_queue_age_seconds{queue="fast"}'] < 60
    assert after['backorder_queue_age_seconds{queue="learning"}'] == 0
    assert after['backorder_job_runs{queue="bulk",state="dead"}'] == 1
    assert after['backorder_edi_backlog{kind="unread"}'] == 1
    assert after["backorder_stream_behind_events"] == 0
    assert after['backorder_pool_connections{pool="system",state="limit"}'] == 4
    kept = {name: value for name, value in after.items() if name.startswith("backorder_date_coverage")}
    assert kept == {
        'backorder_date_coverage{level="P50",supplier="V1"}': 0.25,
        'backorder_date_coverage{level="P80",supplier="V1"}': 0.5,
    }, "what was not measured makes no series"
    assert after['backorder_dates_judged{supplier="V1"}'] == 40
    assert after["backorder_dates_drifting"] == 1
    assert away["backorder_database_up"] == 0
    assert "backorder_outbox_rows" not in away
