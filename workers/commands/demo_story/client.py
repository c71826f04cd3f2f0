"""A caller of the GraphQL API over HTTP, with the token of one role."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import httpx2

from workers.commands.demo_story.chronicle import StepFailed

_keys = itertools.count(1)


class ApiClient:
    """One person or program at the API; `who` stands in messages. Refusals and errors end the story with their text."""

    def __init__(self, http: httpx2.AsyncClient, url: str, who: str, token: str) -> None:
        self._http, self._url, self._who = http, f"{url}/graphql", who
        self._headers = {"Authorization": f"Bearer {token}", "Accept": "application/graphql-response+json"}

    async def ask(self, document: str, **variables: Any) -> dict[str, Any]:
        """The data of a query."""
        body = {"query": document, "variables": variables}
        reply = await self._http.post(self._url, json=body, headers=self._headers)
        answer = reply.json()
        if reply.status_code != 200 or answer.get("errors"):
            raise StepFailed(
                "API", f"{self._who} asks {document.strip()[:60]!r}", "an answer", answer.get("errors", reply.text)
            )
        return answer["data"]

    async def do(self, mutation: str, selection: str, given: dict[str, Any]) -> dict[str, Any]:
        """Carry out a mutation by name; returns its payload."""
        kind = mutation[0].upper() + mutation[1:] + "Input"
        document = (
            f"mutation($input: {kind}!, $key: String!) {{ {mutation}(input: $input, idempotencyKey: $key)"
            f" {{ {selection} userErrors {{ code message path }} }} }}"
        )
        payload = (await self.ask(document, input=given, key=f"demo-{next(_keys)}"))[mutation]
        if payload["userErrors"]:
            raise StepFailed(mutation, f"{self._who} calls {mutation}", "no user errors", payload["userErrors"])
        return payload


async def until(look: Any, *, seconds: float = 10.0, every: float = 0.05) -> Any:
    """Call the coroutine function `look` until it answers something true; returns its last answer."""
    for _ in range(max(1, round(seconds / every))):
        if found := await look():
            return found
        await asyncio.sleep(every)
    return await look()
