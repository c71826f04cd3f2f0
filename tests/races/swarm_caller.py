"""A caller that never gives up on a key: an outcome it does not know is asked for again, under the same key."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections import Counter
from typing import Any

import httpx2

AGAIN = {"INTERNAL", "OPERATION_TIMEOUT", "THROTTLED", "UNAUTHENTICATED", "UNAVAILABLE"}
"""Codes after which the outcome is unknown, or the server could not look; the same key finds out."""
PATIENCE = 80
"""Tries of one key; with growing pauses about half a minute, more than any restart takes."""


class Refused(Exception):
    """A user error: the verb came too late, or chance asked for something that cannot be."""

    def __init__(self, codes: list[str]) -> None:
        super().__init__(", ".join(codes))
        self.codes = codes


class Stuck(Exception):
    """Nobody could say what became of a key."""


class Caller:
    """One role at the API. `twice` is the share of requests that are sent a second time beside the first."""

    def __init__(
        self, http: httpx2.AsyncClient, url: str, token: str, dice: random.Random, done: Counter[str], twice: float
    ) -> None:
        self._http, self._url, self._dice, self._done, self._twice = http, f"{url}/graphql", dice, done, twice
        self._headers = {"Authorization": f"Bearer {token}", "Accept": "application/graphql-response+json"}

    async def ask(self, document: str, **variables: Any) -> dict[str, Any]:
        """The data of a query, asked until it is answered."""
        return await self._answer(document, variables)

    async def do(self, mutation: str, selection: str, given: dict[str, Any], key: str | None = None) -> dict[str, Any]:
        """Carry out a mutation once, whatever dies meanwhile; its payload. Raises Refused."""
        key = key or uuid.UUID(int=self._dice.getrandbits(128)).hex
        kind = (
            "RepromisingRunInput" if mutation == "repromisingRunStart" else mutation[0].upper() + mutation[1:] + "Input"
        )
        document = (
            f"mutation($input: {kind}!, $key: String!) {{ {mutation}(input: $input, idempotencyKey: $key)"
            f" {{ {selection} userErrors {{ code message }} }} }}"
        )
        variables = {"input": given, "key": key}
        if self._dice.random() < self._twice:
            self._done["sent twice"] += 1
            first, second = await asyncio.gather(
                self._settled(document, variables, mutation), self._settled(document, variables, mutation)
            )
            if first["userErrors"]:  # a refusal is not kept: the other may have come when there was something again
                first, second = second, first
            if not second["userErrors"] and self._identity(first) != self._identity(second):
                raise Stuck(f"{mutation} under one key gave {first} and {second}")
        else:
            first = await self._settled(document, variables, mutation)
        codes = [error["code"] for error in first["userErrors"]]
        blocking = [code for code in codes if code != "RESERVATION_EXPIRED" or not first.get("order")]
        if blocking:
            for code in blocking:
                self._done[f"refused {code}"] += 1
            raise Refused(blocking)
        self._done[mutation] += 1
        return first

    @staticmethod
    def _identity(payload: dict[str, Any]) -> Any:
        """What was done to what; what else is told of it is as of now, and may have changed between two answers."""
        things = [thing for thing in payload.values() if isinstance(thing, dict)]
        return [thing.get("number") or thing.get("id") for thing in things]

    async def _settled(self, document: str, variables: dict[str, Any], mutation: str) -> dict[str, Any]:
        for _ in range(PATIENCE):
            payload = (await self._answer(document, variables))[mutation]
            if not any(error["code"] == "IDEMPOTENCY_IN_PROGRESS" for error in payload["userErrors"]):
                return payload
            await asyncio.sleep(self._dice.uniform(0.05, 0.4))
        raise Stuck(f"{mutation}: the key {variables['key']} stays in progress")

    async def _answer(self, document: str, variables: dict[str, Any]) -> dict[str, Any]:
        last: Any = None
        for attempt in range(PATIENCE):
            try:
                reply = await self._http.post(
                    self._url, json={"query": document, "variables": variables}, headers=self._headers
                )
                answer = reply.json()
            except (httpx2.HTTPError, ValueError) as error:
                last = f"{type(error).__name__}: {error}"
                self._done["unknown outcomes"] += 1
            else:
                errors = answer.get("errors") or []
                codes = {(error.get("extensions") or {}).get("code") for error in errors}
                if not errors:
                    return answer["data"]
                if not codes <= AGAIN:
                    raise Stuck(f"{document[:80]!r} with {variables}: {errors}")
                last = errors
                self._done["unknown outcomes"] += 1
            await asyncio.sleep(min(1.0, 0.05 * (attempt + 1)) * self._dice.uniform(0.5, 1))
        raise Stuck(f"nobody answers {document[:80]!r} with {variables}: {last}")
