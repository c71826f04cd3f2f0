"""Every example of the console and of the documents is executed on the small company: none of them can rot."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from api.context import Context
from api.examples import AUDIENCES, Example, examples, read_example
from api.live import LiveHub
from api.operations import schema
from api.transport.pages import console_page
from core.domain.access import Role
from core.repositories.outbox import move_outbox
from core.settings import Settings
from tests.graphql_api.schema_under_test import NOW, Shop, open_shop

pytestmark = pytest.mark.anyio

DOCS = Path(__file__).parents[2] / "docs"


class Stage:
    """Executes examples one after another; what one gives, the next can use."""

    def __init__(self, shop: Shop, hub: LiveHub) -> None:
        self.shop, self.hub = shop, hub
        self.known: dict[str, str] = {"after": hub.cursor_at(0)}

    async def context(self, token: str) -> Context:
        role, _, code = token.partition(" ")
        if role == "CUSTOMER":
            context = await self.shop.customer(code or "MINSEO")
        elif role == "SUPPLIER":
            context = await self.shop.supplier(code or "BRIGHTWORKS")
        else:
            context = self.shop.context(Role(role))
        context.hub = self.hub
        return context

    def lacks(self, text: str) -> set[str]:
        return set(re.findall(r"\{\{(\w+)\}\}", text)) - self.known.keys() - {"key"}

    def fill(self, text: str) -> Any:
        def value(match: re.Match[str]) -> str:
            name, days = match[1], match[2]
            if name == "today":
                return (NOW.date() + timedelta(days=int(days))).isoformat()
            return uuid4().hex if name == "key" else self.known[name]

        return json.loads(re.sub(r"\{\{(\w+)(?:\+(\d+))?\}\}", value, text))

    async def happen(self) -> None:
        """Move what was announced to the events, as the relay does."""
        async with self.shop.database.system.acquire() as sql, sql.transaction():
            moved = await move_outbox(sql)
        async with asyncio.timeout(30):
            while self.hub.position < moved.head:
                await asyncio.sleep(0.01)

    async def play(self, example: Example) -> dict[str, Any]:
        """Execute it; there is neither an error nor a user error."""
        context, variables = await self.context(example.token), self.fill(example.variables)
        if re.search(r"^subscription\b", example.document, re.MULTILINE):
            context.resume_after = self.known["after"]  # as Last-Event-ID does: something has happened already
            stream = await schema.subscribe(example.document, variable_values=variables, context_value=context)
            async with asyncio.timeout(30), aclosing(stream):  # type: ignore[type-var]
                result = await anext(stream)  # type: ignore[arg-type]
        else:
            result = await schema.execute(example.document, variable_values=variables, context_value=context)
        assert result.errors is None, (example.name, result.errors)
        assert result.data is not None
        for name, answer in result.data.items():
            assert answer is not None, (example.name, name)
            assert not (isinstance(answer, dict) and answer.get("userErrors")), (example.name, answer)
        for name, path in example.gives.items():
            at: Any = result.data
            for key in path.split("."):
                at = at[int(key)] if isinstance(at, list) else at[key]
            self.known[name] = at
        await self.happen()
        return result.data

    async def play_all(self, wanted: list[Example]) -> list[str]:
        """Each once, those first whose names are known, subscriptions last; the names of what was played."""
        waiting, played = sorted(wanted, key=lambda example: "subscription" in example.document), []
        while waiting:
            ready = next((one for one in waiting if not self.lacks(one.variables)), None)
            assert ready is not None, [(one.name, self.lacks(one.variables)) for one in waiting]
            waiting.remove(ready)
            await self.play(ready)
            played.append(ready.name)
        return played


@pytest.fixture
async def stage(database_url: str) -> AsyncIterator[Stage]:
    async with open_shop(database_url) as shop:
        shop.settings = Settings(env="test", database_url=database_url, webhook_key="key")  # type: ignore[arg-type]
        hub = LiveHub(shop.database, None, shop.settings)
        await hub.start()
        try:
            yield Stage(shop, hub)
        finally:
            await hub.close()


def documented() -> list[Example]:
    """The GraphQL blocks of the documents for callers that say which token they want, and the requests of their shell blocks."""
    found = []
    for file in (DOCS / "api.md", DOCS / "webhooks.md", DOCS / "backorders.md", DOCS / "master-data.md"):
        text = file.read_text(encoding="utf-8")
        for n, block in enumerate(re.findall(r"^```graphql\n(.*?)^```", text, re.DOTALL | re.MULTILINE), 1):
            found.append(read_example(f"{file.name} graphql {n}", block))
        for n, block in enumerate(re.findall(r"^```sh\n(.*?)^```", text, re.DOTALL | re.MULTILINE), 1):
            token = re.search(r"manage\.py token (\w+)(?: --\w+ (\S+))?\)", block)
            role = f"{token[1]} {token[2] or ''}".strip() if token else "ADMIN"
            name = f"{file.name} sh {n}"
            found += [
                Example(name, "widget", "", role, "{}", {}, query) for query in re.findall(r"'query=(.*?)'", block)
            ]
            for start in (match.start() for match in re.finditer(r'\{\s*"query"', block)):
                request = json.JSONDecoder(strict=False).raw_decode(block[start:])[0]
                variables = json.dumps(request.get("variables", {}))
                found.append(Example(name, "portal", "", role, variables, {}, request["query"]))
    return found


async def test_every_example_of_the_console_and_of_the_documents_works(stage: Stage) -> None:
    mine, theirs = list(examples()), documented()
    assert {example.audience for example in mine} == set(AUDIENCES)
    assert len(await stage.play_all(mine)) == len(mine) >= 25
    assert len(await stage.play_all(theirs)) == len(theirs) >= 12


def test_the_console_offers_every_example_with_its_token() -> None:
    offered = re.search(r'id="offered">(.*?)</script>', console_page(), re.DOTALL)
    assert offered is not None
    given = json.loads(offered[1])
    assert [example["name"] for example in given] == [example.name for example in examples()]
    assert {"token": "CUSTOMER MINSEO", "tokenArguments": "CUSTOMER --customer MINSEO"}.items() <= next(
        example for example in given if example["audience"] == "portal"
    ).items()
    for text in ("query { a }", "# elsewhere: x\n# token: ADMIN\n{ a }", "# portal: x\n{ a }"):
        with pytest.raises(ValueError):
            read_example("x", text)
