"""`POST /edi/{partner}` on a real server: the file is stored, answered with a receipt, applied once, and never lost."""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from core.domain.access import Role
from core.services.ingest_edi_document import ingest_edi_file
from tests.graphql_api.api_under_test import Keys, serve, settings_for
from tests.integration.test_ingest_edi_document import answer, answers, day, sent

pytestmark = pytest.mark.anyio


@pytest.fixture
async def api(database_url: str, valkey_url: str, tmp_path: Path) -> AsyncIterator[tuple[httpx2.AsyncClient, Keys]]:
    keys = Keys(tmp_path / "key.pem")
    async with (
        serve(settings_for(database_url, valkey_url, keys.path)) as app,
        httpx2.AsyncClient(base_url=app.state.url) as client,
    ):
        yield client, keys


async def post(api: Any, data: bytes, partner: str = "sup", name: str | None = None, **claims: Any) -> Any:
    client, keys = api
    claims = claims or {"role": Role.SUPPLIER.value, "supplier": "SUP"}
    headers = {"authorization": f"Bearer {keys.token(**claims)}"}
    if name is not None:
        headers["x-transport-id"] = name
    return await client.post(f"/edi/{partner}", content=data, headers=headers)


async def requested(world: Any) -> list[int]:
    rows = await world.rows("select payload from outbox where job = 'ingest_edi_document' order by id")
    return [row["payload"]["rawId"] for row in rows]


async def test_a_file_is_stored_answered_with_a_receipt_and_applied_once(world, api):
    number = await sent(world)
    data = answer(number, 1, ("IA", 6, day(12)), ("IB", 4, day(30)))
    response = await post(api, data, name="f-1")
    assert response.status_code == 202
    receipt = response.json()
    assert receipt["requestId"] == response.headers["x-request-id"]
    stored = (await world.rows("select id, sha256, bytes from edi_raw"))[0]
    assert bytes(stored["bytes"]) == data
    assert {name: receipt[name] for name in ("rawId", "partner", "bytes", "sha256", "transportId")} == {
        "rawId": stored["id"],
        "partner": "sup",
        "bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "transportId": "f-1",
    }
    assert await requested(world) == [stored["id"]]
    assert await ingest_edi_file(world.do, stored["id"]) == {"applied": 1}
    assert (await world.rows("select accepted, supplier_backordered from purchase_order_line")) == [
        {"accepted": 6, "supplier_backordered": 4}
    ]
    assert len(await answers(world)) == 1
    again = await post(api, data, name="f-1")
    assert (again.status_code, again.json()["rawId"]) == (202, stored["id"])
    assert await requested(world) == [stored["id"]]
    assert await world.value("select count(*) from edi_delivery") == 1


async def test_a_transport_id_that_is_used_again_loses_no_file(world, api):
    number = await sent(world)
    first = await post(api, answer(number, 1, ("IA", 10, day(12))), name="855.edi")
    second = await post(api, answer(number, 2, ("IA", 10, day(14))), name="855.edi")
    other = await post(api, b"ISA*of another partner", "other", "855.edi", role="ADMIN")
    ids = [response.json()["rawId"] for response in (first, second, other)]
    assert [response.status_code for response in (first, second, other)] == [202, 202, 202]
    assert await requested(world) == ids
    assert await world.value("select count(distinct (raw_id, partner_id)) from edi_delivery") == 3


async def test_only_those_who_may_deliver_for_a_partner_do(world, api):
    await sent(world)
    stranger = {"role": "SUPPLIER", "supplier": "SUP2"}
    assert (await post(api, b"ISA", **stranger)).status_code == 403
    assert (await post(api, b"ISA", "nobody", **stranger)).status_code == 403
    assert (await post(api, b"ISA", role="CUSTOMER", customer="C1")).status_code == 403
    assert (await post(api, b"ISA", "nobody", role="ADMIN")).status_code == 404
    assert (await post(api, b"", role="ADMIN")).status_code == 400
    assert (await post(api, b" \r\n", role="ADMIN")).status_code == 422
    assert (await post(api, b"ISA", "a%00b", role="ADMIN")).status_code == 404
    assert await world.value("select count(*) from edi_raw") == 0
