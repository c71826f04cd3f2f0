"""The published catalogue of error codes as a page: written from the code, never by hand."""

from __future__ import annotations

from pathlib import Path

from graphql import GraphQLEnumType, GraphQLObjectType

from api.error_handlers import CATALOGUE, ErrorCode
from api.operations import schema
from api.schema.errors import TYPES
from api.transport import reading, websocket
from api.transport.http import STATUS

FILE = Path(__file__).resolve().parents[2] / "docs" / "errors.md"
_COMMON = ("code", "message", "path")

HEAD = """# Errors

Written by `python3 manage.py schema export` from `api/error_handlers.py:CATALOGUE` and the user errors of the schema; do not edit it.
A code that is here keeps its meaning; new ones may be added, so treat an unknown one like its kind.

There are two kinds. A **user error** is data: the mutation was understood and refused, the payload's `userErrors` say why, and
nothing was changed for its cause. A **top-level error** means that the request, or a part of it, could not be answered at all.
"""

TOP = """
## Top-level errors

`errors[].extensions` always holds `code` and `requestId`, which finds the request in our log. The status is that of HTTP when
nothing was executed: 400 under `application/graphql-response+json` unless said otherwise, and then also under `application/json`,
where the rest is 200. An answer that was executed is always 200, with `errors` beside `data`. At most five parse or validation errors are
told.

| Code | Status | When | What to do | Facts in `extensions` |
|---|---|---|---|---|
"""

USER = """
## User errors

Members of the interface `UserError` (`code`, `message` in the caller's language, `path` of the input); each type carries
its facts. `message` is for people; decide by `code`. A failure without a type of its own is `BadInput`.

| Code | Type | When | Facts |
|---|---|---|---|
"""

CLOSED = """
## Close codes of the WebSocket

| Code | When | What to do |
|---|---|---|
"""

CLOSE_CODES = {
    websocket.GOING_AWAY: ("This process goes away.", "Reconnect, resume with the last cursor."),
    websocket.INTERNAL_ERROR: ("A failure on our side.", "Reconnect, resume with the last cursor."),
    websocket.TRY_AGAIN: (
        "The database cannot be reached just now.",
        "Reconnect after a moment, resume with the last cursor.",
    ),
    websocket.SLOW_CONSUMER: (
        f"The client took nothing for {websocket.SEND_SECONDS:.0f} s.",
        "Reconnect, resume with the last cursor.",
    ),
    websocket.TOO_MANY_CONNECTIONS: ("The server, or the credential, has its connections open.", "Try again later."),
    reading.TOO_MANY_FRAMES: (
        f"More than {reading.FRAMES_PER_SECOND:,} frames in a second.",
        "Mend the client, resume with the last cursor.",
    ),
    websocket.BAD_REQUEST: ("A message is not one of `graphql-transport-ws`.", "Mend the client."),
    websocket.UNAUTHORIZED: ("The credential is wrong, or `subscribe` came before `connection_ack`.", "Authenticate."),
    websocket.FORBIDDEN: (
        "The credential has expired or was revoked; each stream got an `UNAUTHENTICATED` error first.",
        "Get a new credential, resume.",
    ),
    websocket.SUBPROTOCOL_NOT_ACCEPTABLE: ("The subprotocol is not `graphql-transport-ws`.", "Ask for it."),
    websocket.INIT_TIMEOUT: (f"No `connection_init` within {websocket.INIT_SECONDS:.0f} s.", "Send it first."),
    websocket.ALREADY_EXISTS: ("An operation with this id is running.", "Use another id."),
    websocket.TOO_MANY_INITS: ("A second `connection_init`.", "Send it once."),
}


def _status(code: ErrorCode) -> str:
    if code is ErrorCode.BAD_REQUEST:
        return "400, 405, 406, 413, 415"
    if code in (ErrorCode.UNKNOWN_SKU, ErrorCode.OPERATION_TIMEOUT):
        return "200"
    return f"{STATUS[code]}, both" if code in STATUS else "400"


def error_catalogue() -> str:
    """The page as Markdown."""
    lines = [HEAD, TOP]
    for code in ErrorCode:
        said = CATALOGUE[code]
        lines.append(f"| `{code.value}` | {_status(code)} | {said.when} | {said.then} | {said.facts} |\n")
    lines.append(USER)
    codes, types = schema._schema.type_map["UserErrorCode"], schema._schema.type_map
    assert isinstance(codes, GraphQLEnumType)
    for code, value in codes.values.items():
        own = types[TYPES[code].__name__]
        assert isinstance(own, GraphQLObjectType)
        facts = ", ".join(f"`{name}: {member.type}`" for name, member in own.fields.items() if name not in _COMMON)
        lines.append(f"| `{code}` | `{own.name}` | {value.description} | {facts} |\n")
    lines.append(CLOSED)
    lines += [f"| {code} | {when} | {then} |\n" for code, (when, then) in sorted(CLOSE_CODES.items())]
    return "".join(lines)
