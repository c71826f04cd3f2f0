"""The one place where failures become top-level GraphQL errors: a published code, the request id, nothing internal."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple

import asyncpg
import structlog
from graphql import GraphQLError

from api.input_errors import Allowed, allowed_values, plain_message
from core.away import is_away
from core.errors import DomainError

log = structlog.get_logger(__name__)

MAX_ERRORS = 5
"""Parse and validation errors that one answer carries at most."""

UNAVAILABLE_MESSAGE = (
    "The database cannot be reached just now; try again in a moment, a mutation under the same idempotency key."
)
INTERNAL_MESSAGE = "Something went wrong on our side; the request id finds it in our logs."


class ErrorCode(StrEnum):
    """The catalogue of `extensions.code`."""

    BAD_REQUEST = "BAD_REQUEST"
    BAD_USER_INPUT = "BAD_USER_INPUT"
    GRAPHQL_PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
    GRAPHQL_VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
    OPERATION_RESOLUTION_FAILURE = "OPERATION_RESOLUTION_FAILURE"
    PERSISTED_QUERY_NOT_FOUND = "PERSISTED_QUERY_NOT_FOUND"
    PERSISTED_QUERY_NOT_SUPPORTED = "PERSISTED_QUERY_NOT_SUPPORTED"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    FORBIDDEN = "FORBIDDEN"
    UNKNOWN_SKU = "UNKNOWN_SKU"
    THROTTLED = "THROTTLED"
    MAX_COST_EXCEEDED = "MAX_COST_EXCEEDED"
    OPERATION_TIMEOUT = "OPERATION_TIMEOUT"
    UNAVAILABLE = "UNAVAILABLE"
    INTERNAL = "INTERNAL"


class Meaning(NamedTuple):
    """What the published catalogue says about a code."""

    when: str
    then: str
    facts: str = ""
    """Members of `extensions` beside `code` and `requestId`."""


CATALOGUE: dict[ErrorCode, Meaning] = {
    ErrorCode.BAD_REQUEST: Meaning("The HTTP request or message is not one of GraphQL.", "Mend the client."),
    ErrorCode.BAD_USER_INPUT: Meaning(
        "A variable, argument, id or cursor cannot be used.",
        "Mend the input; `reason` names the failure where the business refused it.",
        "`variable`; `allowed` values of an enum (where introspection is on); `argument` where a cursor of events is bad; `reason` "
        "and the facts of a refusal",
    ),
    ErrorCode.GRAPHQL_PARSE_FAILED: Meaning("The document is not GraphQL, or too long.", "Mend the document."),
    ErrorCode.GRAPHQL_VALIDATION_FAILED: Meaning(
        "The document does not fit the schema or exceeds a limit of its form.",
        "Mend the document.",
        "for limits `limit`, `found`, `allowed`",
    ),
    ErrorCode.OPERATION_RESOLUTION_FAILURE: Meaning(
        "It is not clear which operation of the document is meant.", "Send `operationName`."
    ),
    ErrorCode.PERSISTED_QUERY_NOT_FOUND: Meaning(
        "No document is known by this id or hash.", "Send hash and text once (development), or a known id."
    ),
    ErrorCode.PERSISTED_QUERY_NOT_SUPPORTED: Meaning(
        "Hashes are not kept here (production without trusted documents).",
        "Send the text; clients stop asking by hash.",
    ),
    ErrorCode.UNAUTHENTICATED: Meaning(
        "There is no credential, or it is wrong, expired or revoked.", "Get a new credential; resume streams with it."
    ),
    ErrorCode.FORBIDDEN: Meaning(
        "The role may not call this field (then 200: the field is null, the others are answered), or only trusted documents "
        "are executed.",
        "Do not repeat it.",
    ),
    ErrorCode.UNKNOWN_SKU: Meaning(
        "An item of the list names no SKU; its place in the answer is null.", "Mend the item.", "`reason`, `sku`"
    ),
    ErrorCode.THROTTLED: Meaning(
        "The key has spent its points, or has as many connections or operations open as it may.",
        "Wait `retryAfterSeconds` (also in `Retry-After`), then repeat.",
        "`retryAfterSeconds`, `rateLimit { available limit }`",
    ),
    ErrorCode.MAX_COST_EXCEEDED: Meaning(
        "The static cost is above the limit.", "Ask for smaller pages.", "`cost { requested available }`"
    ),
    ErrorCode.OPERATION_TIMEOUT: Meaning(
        "The operation took too long and was stopped.",
        "Repeat it; a mutation under the same idempotency key, which is never done twice.",
    ),
    ErrorCode.UNAVAILABLE: Meaning(
        "The database cannot be reached just now; whether a mutation was done is not known.",
        "Repeat it after a moment (`Retry-After`), a mutation under the same idempotency key.",
    ),
    ErrorCode.INTERNAL: Meaning(
        "A failure on our side; its text stays in our log under the request id.",
        "Repeat it later, a mutation under the same idempotency key.",
    ),
}
"""Every code with its meaning: `manage.py schema export` writes docs/errors.md from it."""

_CODES = {code.value for code in ErrorCode}
_DOMAIN_CODES = {"UNKNOWN_SKU": ErrorCode.UNKNOWN_SKU, "FORBIDDEN": ErrorCode.FORBIDDEN}
_VARIABLE = re.compile(r"Variable '\$(\w+)' has invalid")
_ARGUMENT = re.compile(r"Argument '[^']*'|Expected value of|Variable '\$")


def failure(code: ErrorCode, message: str, **facts: Any) -> GraphQLError:
    """A top-level error of the catalogue; `facts` go into its extensions."""
    return GraphQLError(message, extensions={"code": code.value, **facts})


def root_cause(error: BaseException) -> BaseException:
    """The exception that a resolver raised, under the GraphQLError objects it was wrapped in."""
    while isinstance(error, GraphQLError) and error.original_error is not None:
        error = error.original_error
    return error


def _describe(error: GraphQLError, default: ErrorCode, enums: Allowed) -> tuple[str, dict[str, Any]] | None:
    """Message and extensions that a client may see, or None for a failure that must be masked."""
    cause = root_cause(error)
    if isinstance(cause, DomainError):
        code = _DOMAIN_CODES.get(cause.code, ErrorCode.BAD_USER_INPUT)
        facts = {key: value for key, value in cause.facts.items() if isinstance(value, str | int | float | bool)}
        return cause.message, {"code": code.value, "reason": cause.code, **facts}
    if isinstance(cause, asyncpg.CharacterNotInRepertoireError):
        return "A text holds the character U+0000, which cannot be stored.", {"code": ErrorCode.BAD_USER_INPUT.value}
    if is_away(cause):
        log.warning("database is away", error=type(cause).__name__)
        return UNAVAILABLE_MESSAGE, {"code": ErrorCode.UNAVAILABLE.value}
    if isinstance(cause, RecursionError):
        return "The request is nested too deeply.", {"code": ErrorCode.BAD_USER_INPUT.value}
    if not isinstance(cause, GraphQLError):
        if default is not ErrorCode.GRAPHQL_VALIDATION_FAILED and not _VARIABLE.match(error.message):
            return None
        cause = error  # a value that its type could not read
    extensions = dict(cause.extensions or {})
    if extensions.get("code") in _CODES:
        return (INTERNAL_MESSAGE if extensions["code"] == "INTERNAL" else cause.message), extensions
    if error.path is None and default is not ErrorCode.INTERNAL:
        return _misfit(error, cause, enums, {**extensions, "code": default.value})
    if error.path is None or _ARGUMENT.match(cause.message):
        return _misfit(error, cause, enums, {**extensions, "code": ErrorCode.BAD_USER_INPUT.value})
    return None


def _misfit(
    error: GraphQLError, cause: GraphQLError, enums: Allowed, extensions: dict[str, Any]
) -> tuple[str, dict[str, Any]]:
    """A document or value that does not fit: which variable, where in it, and what would fit."""
    variable = _VARIABLE.match(error.message)
    message = plain_message(error.message if variable else cause.message)
    if variable:
        extensions["variable"] = variable[1]
    if values := allowed_values(message, enums):
        message += f" It may be {', '.join(values)}."
        extensions["allowed"] = list(values)
    return message, extensions


def format_errors(
    errors: Iterable[GraphQLError],
    request_id: str,
    *,
    default: ErrorCode = ErrorCode.INTERNAL,
    operation: str | None = None,
    enums: Allowed = MappingProxyType({}),
) -> list[dict[str, Any]]:
    """Errors as the client gets them. `default` is the code of errors that graphql-core raised without one; values of
    `enums` are told to whom sent another.

    What no rule lets through is logged with its traceback and answered as INTERNAL without its text.
    """
    formatted: list[dict[str, Any]] = []
    for error in errors:
        described = _describe(error, default, enums)
        if described is None:
            cause = root_cause(error)
            log.error(
                "operation failed",
                operation=operation,
                path=error.path,
                exc_info=(type(cause), cause, cause.__traceback__),
            )
            described = INTERNAL_MESSAGE, {"code": ErrorCode.INTERNAL.value}
        message, extensions = described
        entry: dict[str, Any] = {"message": message}
        if error.locations:
            entry["locations"] = [{"line": at.line, "column": at.column} for at in error.locations]
        if error.path is not None:
            entry["path"] = list(error.path)
        entry["extensions"] = {**extensions, "requestId": request_id}
        formatted.append(entry)
    return formatted


def format_failure(code: ErrorCode, message: str, request_id: str, **facts: Any) -> dict[str, Any]:
    """A whole answer that carries one error and no data."""
    return {"errors": format_errors([failure(code, message, **facts)], request_id)}
