"""What a customer tells us about a person is in the rows made for it, and nowhere else: log, errors, audit, events."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import pytest

from core.domain.access import Role
from core.domain.api_keys import new_api_key
from migrations.demo_data import seed
from tests.graphql_api.api_under_test import Keys, serve, settings_for

pytestmark = pytest.mark.anyio

PERSONAL = ("Zebulon Quirk", "zebulon.quirk@example.org", "Nightingale Mews")
PLACE = """mutation ($input: OrderPlaceInput!, $key: String!) { orderPlace(input: $input, idempotencyKey: $key) {
    order { number } userErrors { code message path } } }"""
ALLOWED = {"sales_order", "customer_person"}
"""Tables that hold what a person told us, each erasable by its row."""


def order(sku: str, **more: Any) -> dict[str, Any]:
    name, email, street = PERSONAL
    return {
        "channel": "web",
        "customer": {"email": email},
        "shipTo": {
            "country": "GB",
            "postalCode": "M1 2AB",
            "name": name,
            "line1": street,
            "city": "Leeds",
        },
        "lines": [{"sku": sku, "quantity": 2}],
        **more,
    }


async def test_personal_data_and_secrets_are_in_no_log_error_audit_row_or_event(
    database_url: str,
    valkey_url: str,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from tests.graphql_api.schema_under_test import NOW

    await seed(database_url, NOW)
    sql = await asyncpg.connect(database_url)
    await sql.execute(
        "update customer_person set name = $1, email = $2 where customer_id = (select id from customer where code = 'BAKER')",
        PERSONAL[0],
        PERSONAL[1],
    )
    key = new_api_key("pepper-of-this-test")
    await sql.execute(
        "insert into api_key (prefix, secret_hash, role, name) values ($1, $2, 'STOREFRONT', 'shop')",
        key.prefix,
        key.secret_hash,
    )
    keys = Keys(tmp_path / "key.pem")
    token = keys.token(Role.STOREFRONT.value)
    settings = settings_for(database_url, valkey_url, keys.path, api_key_pepper="pepper-of-this-test")
    answers: list[Any] = []

    async with serve(settings, is_whole=True) as app, httpx2.AsyncClient(base_url=app.state.url) as client:

        async def ask(input: dict[str, Any], credential: str, idempotency_key: str = "k", query: str = PLACE) -> Any:
            body = {"query": query, "variables": {"input": input, "key": idempotency_key}}
            response = await client.post("/graphql", json=body, headers={"authorization": f"Bearer {credential}"})
            answers.append(response.text)
            return response.json()

        placed = await ask(order("MUG-BLUE"), key.key)
        assert placed["data"]["orderPlace"]["userErrors"] == []
        await ask(order("NO-SUCH-SKU"), token, "k2")
        await ask({**order("MUG-BLUE"), "surplus": PERSONAL[0]}, token, "k3")
        await ask(order("MUG-BLUE"), token + "x", "k4")
        monkeypatch.setattr("api.resolvers.order_mutations.groups_of", lambda *_: 1 / 0)
        broken = await ask(order("MUG-BLUE"), token, "k5")
        assert broken["errors"][0]["extensions"]["code"] == "INTERNAL"
        await client.get("/graphql", params={"query": f'{{ order(number: "{PERSONAL[1]}") {{ number }} }}'})

    log = capfd.readouterr().err
    assert "ZeroDivisionError" in log
    assert broken["errors"][0]["extensions"]["requestId"] in log
    told: dict[str, str] = {"log": log}
    for table in [
        row[0]
        for row in await sql.fetch(
            "select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace"
        )
    ]:
        if table not in ALLOWED:
            told[table] = json.dumps([dict(row) for row in await sql.fetch(f"select * from {table}")], default=str)
    await sql.close()
    assert '"orderPlace"' in told["audit_entry"]
    secrets = (key.key.rpartition("_")[2], token.rpartition(".")[2], "pepper-of-this-test")
    for where, text in told.items():
        assert [word for word in (*PERSONAL, *secrets) if word in text] == [], where
    for text in answers[3:]:
        assert [word for word in (*PERSONAL, *secrets) if word in text] == []
