"""API keys by mutation: told once, replaced while used, ended; only administrators make them, auditors see them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from api.operations import schema
from api.permissions import AuthenticationFailed, Authenticator
from core.domain.access import Role
from core.settings import Settings
from tests.graphql_api.schema_under_test import Shop, open_shop

pytestmark = pytest.mark.anyio
ANSWER = "apiKey { name prefix role isLive isPublishable expiresAt customer } key userErrors { code path }"


@pytest.fixture
async def shop(database_url: str) -> AsyncIterator[Shop]:
    async with open_shop(database_url) as opened:
        opened.settings = Settings(env="test", database_url=database_url, api_key_pepper="pepper")  # type: ignore[arg-type]
        yield opened


async def change(shop: Shop, operation: str, key: str, answer: str = ANSWER, **input: Any) -> dict[str, Any]:
    kind = operation[0].upper() + operation[1:]
    document = (
        f"mutation ($i: {kind}Input!, $k: String!) {{ {operation}(input: $i, idempotencyKey: $k) {{ {answer} }} }}"
    )
    result = await schema.execute(
        document, variable_values={"i": input, "k": key}, context_value=shop.context(Role.ADMIN)
    )
    assert result.errors is None, result.errors
    assert result.data is not None
    return result.data[operation]


async def test_a_key_is_made_replaced_and_ended(shop: Shop) -> None:
    authenticator = Authenticator(shop.database, shop.settings)
    try:
        made = await change(shop, "apiKeyCreate", "1", name="portal", role="CUSTOMER", customer="MINSEO")
        assert made["userErrors"] == []
        assert (made["apiKey"]["name"], made["apiKey"]["isLive"], made["apiKey"]["customer"]) == (
            "portal",
            True,
            "MINSEO",
        )
        caller = await authenticator.authenticate(f"Bearer {made['key']}")
        assert caller is not None
        assert (caller.role, caller.id) == (Role.CUSTOMER, "key:portal")

        again = await change(shop, "apiKeyCreate", "1", name="portal", role="CUSTOMER", customer="MINSEO")
        assert (again["apiKey"]["prefix"], again["key"]) == (made["apiKey"]["prefix"], None)
        kept = await shop.database.system.fetch("select * from idempotency where operation = 'apiKeyCreate'")
        assert made["key"].rpartition("_")[2] not in str(kept)
        taken = await change(shop, "apiKeyCreate", "2", name="portal", role="CUSTOMER", customer="MINSEO")
        assert [error["code"] for error in taken["userErrors"]] == ["ILLEGAL_TRANSITION"]
        wrong = await change(shop, "apiKeyCreate", "3", name="late", role="PLANNER", expiresAt="2020-01-01T00:00:00Z")
        assert wrong["userErrors"] == [{"code": "INVALID_INPUT", "path": ["input", "expiresAt"]}]

        second = await change(shop, "apiKeyRotate", "4", name="portal", overlapHours=1)
        assert second["apiKey"]["prefix"] != made["apiKey"]["prefix"]
        listed = await schema.execute("{ apiKeys { prefix isLive } }", context_value=shop.context(Role.AUDITOR))
        assert listed.data == {
            "apiKeys": [{"prefix": one["apiKey"]["prefix"], "isLive": True} for one in (made, second)]
        }

        ended = await change(
            shop, "apiKeyRevoke", "5", "apiKeys { isLive revokedAt } userErrors { code }", name="portal"
        )
        assert [key["isLive"] for key in ended["apiKeys"]] == [False, False]
        with pytest.raises(AuthenticationFailed):
            await Authenticator(shop.database, shop.settings).authenticate(f"Bearer {second['key']}")
        audited = await shop.database.system.fetch("select operation from audit_entry where operation like 'apiKey%'")
        assert [row["operation"] for row in audited] == ["apiKeyCreate", "apiKeyRotate", "apiKeyRevoke", "apiKeyRevoke"]
    finally:
        await authenticator.close()
