"""From bytes to a GraphQL request: what a body or a query string must look like, and the status when it does not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import msgspec
from starlette.datastructures import QueryParams
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.error_handlers import ErrorCode

MAX_JSON_DEPTH = 64
MAX_JSON_VALUES = 16_000
"""Members and items together: who reads them does so in one go, and everybody waits. The longest order that is allowed
(2,000 lines with everything that a line may say) and the longest filter (10,000 values) are less."""
LINGER_SECONDS = 3.0


class Refused(Exception):
    """The HTTP request is answered with `status` and one error; nothing of it was executed."""

    def __init__(
        self, status: int, code: ErrorCode, message: str, headers: Mapping[str, str] | None = None, **facts: Any
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})
        self.facts = facts


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """The four parameters of GraphQL over HTTP."""

    query: str | None
    operation_name: str | None = None
    variables: dict[str, Any] = field(default_factory=dict)
    extensions: dict[str, Any] = field(default_factory=dict)
    document_id: str | None = None


def _bad(message: str) -> Refused:
    return Refused(400, ErrorCode.BAD_REQUEST, message)


class EarlyResponse(Response):
    """An answer to who is still sending: what comes is read without heed for a while, as a reset would overtake it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": True})
        with suppress(TimeoutError):
            async with asyncio.timeout(LINGER_SECONDS):
                while (await receive()).get("more_body", False):
                    pass
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def read_body(chunks: AsyncIterator[bytes], declared: str | None, limit: int) -> bytes:
    """The whole body; Refused with 413 as soon as it is known to be longer than `limit` bytes."""
    too_large = Refused(413, ErrorCode.BAD_REQUEST, f"The body is larger than {limit} bytes.", {"Connection": "close"})
    if declared is not None and declared.isdigit() and int(declared) > limit:
        raise too_large
    parts: list[bytes] = []
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if size > limit:
            raise too_large
        parts.append(chunk)
    return b"".join(parts)


def _check_shape(value: Any, what: str) -> None:
    """Refused when it is nested deeper than MAX_JSON_DEPTH or has more than MAX_JSON_VALUES values."""
    level = [value] if isinstance(value, dict | list) else []
    count = 0
    for _ in range(MAX_JSON_DEPTH):
        count += sum(map(len, level))
        if count > MAX_JSON_VALUES:
            raise _bad(f"{what} has more than {MAX_JSON_VALUES} values.")
        level = [
            child
            for one in level
            for child in (one.values() if isinstance(one, dict) else one)
            if isinstance(child, dict | list)
        ]
        if not level:
            return
    raise _bad(f"{what} is nested deeper than {MAX_JSON_DEPTH}.")


def parse_json(raw: bytes | str, what: str = "The body") -> Any:
    """JSON, or Refused with 400: malformed, not UTF-8, nested too deeply, or of too many values."""
    try:
        value = msgspec.json.decode(raw)
    except RecursionError as error:
        raise _bad(f"{what} is nested too deeply.") from error
    except (msgspec.DecodeError, UnicodeError, ValueError) as error:
        raise _bad(f"{what} is not valid JSON in UTF-8.") from error
    _check_shape(value, what)
    return value


def request_of(parameters: Any) -> GraphQLRequest:
    """A request from a decoded JSON object; Refused with 400 for anything else, batches included."""
    if isinstance(parameters, list):
        raise _bad("Batches are not supported: send one operation per request.")
    if not isinstance(parameters, dict):
        raise _bad("The body must be a JSON object with the member `query`.")
    query, name = parameters.get("query"), parameters.get("operationName")
    document_id = parameters.get("documentId")
    variables, extensions = parameters.get("variables"), parameters.get("extensions")
    for member, value, kind in (
        ("query", query, str),
        ("operationName", name, str),
        ("documentId", document_id, str),
        ("variables", variables, dict),
        ("extensions", extensions, dict),
    ):
        if value is not None and not isinstance(value, kind):
            raise _bad(f"The member `{member}` must be {'a string' if kind is str else 'an object'}.")
    persisted = (extensions or {}).get("persistedQuery")
    if persisted is not None and not isinstance(persisted, dict):
        raise _bad("The extension `persistedQuery` must be an object.")
    if not query and not document_id and persisted is None:
        raise _bad("The member `query` is missing.")
    return GraphQLRequest(query or None, name or None, variables or {}, extensions or {}, document_id)


def request_of_query_string(parameters: QueryParams) -> GraphQLRequest:
    """A request from the parameters of a GET; `variables` and `extensions` are JSON."""
    decoded: dict[str, Any] = {}
    for member in ("query", "operationName", "documentId", "variables", "extensions"):
        values = parameters.getlist(member)
        if len(values) > 1:
            raise _bad(f"The parameter `{member}` is given more than once.")
        if values and values[0]:
            is_json = member in ("variables", "extensions")
            decoded[member] = parse_json(values[0], f"The parameter `{member}`") if is_json else values[0]
    return request_of(decoded)
