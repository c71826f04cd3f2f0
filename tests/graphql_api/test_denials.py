"""Refusals are counted per caller, operation and minute, apart from what was refused."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import pytest

from api.permissions.denials import DenialCounter
from core.domain.access import Principal, Role
from tests.graphql_api.api_under_test import Keys, serve, settings_for

pytestmark = pytest.mark.anyio
CALLER = Principal("shop", Role.STOREFRONT)


async def test_refusals_over_http_are_counted_and_what_is_allowed_is_not(
    database_url: str, valkey_url: str, tmp_path: Path
) -> None:
    keys = Keys(tmp_path / "key.pem")
    async with (
        serve(settings_for(database_url, valkey_url, keys.path)) as app,
        httpx2.AsyncClient(base_url=app.state.url) as client,
    ):
        for role, query in (
            *[("STOREFRONT", "{ p: plans hello }")] * 3,
            ("PLANNER", "{ plans }"),
            ("AUDITOR", "{ plans }"),
        ):
            headers = {"authorization": f"Bearer {keys.token(role)}"}
            await client.post("/graphql", json={"query": query}, headers=headers)
    sql = await asyncpg.connect(database_url)
    rows = await sql.fetch("select principal, role, operation, denials from access_denial order by role")
    await sql.close()
    assert [tuple(row) for row in rows] == [("tester", "AUDITOR", "plans", 1), ("tester", "STOREFRONT", "plans", 3)]


async def test_what_cannot_be_written_now_is_written_later() -> None:
    written: list[Mapping[Any, int]] = []
    fails = True

    async def write(counts: Mapping[Any, int]) -> None:
        if fails:
            raise ConnectionError("away")
        written.append(dict(counts))

    counter = DenialCounter(write)
    counter.count(CALLER, "plans")
    counter.count(CALLER, "plans")
    await counter.flush()
    assert written == []
    fails = False
    counter.count(CALLER, "orders")
    await counter.close()
    (counts,) = written
    assert {(key[2], n) for key, n in counts.items()} == {("plans", 2), ("orders", 1)}
    await asyncio.sleep(0)
    await counter.close()
    assert len(written) == 1
