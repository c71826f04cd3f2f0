"""GraphQL over HTTP: one POST or GET, one answer, in the media type and with the status of the specification."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import TYPE_CHECKING, Any

import msgspec
import structlog
from graphql import OperationType
from starlette.datastructures import QueryParams
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from api.error_handlers import UNAVAILABLE_MESSAGE, ErrorCode, format_failure
from api.permissions import AuthenticationFailed
from api.transport.connections import TooManyConnections
from api.transport.engine import Answer
from api.transport.headers import all_of, header
from api.transport.language import preferred_language
from api.transport.negotiation import EVENT_STREAM, GRAPHQL_RESPONSE, JSON, best_media_type, is_json_content
from api.transport.preparing import RequestFailed
from api.transport.request import (
    EarlyResponse,
    GraphQLRequest,
    Refused,
    parse_json,
    read_body,
    request_of,
    request_of_query_string,
)
from api.transport.reuse import Kept, Recalled, may_share
from api.transport.sse import stream_answers
from core.away import is_away

if TYPE_CHECKING:
    from api.transport import GraphQLEndpoint

log = structlog.get_logger(__name__)
_encoder = msgspec.json.Encoder()

STATUS = {
    ErrorCode.UNAUTHENTICATED: 401,
    ErrorCode.FORBIDDEN: 403,
    ErrorCode.THROTTLED: 429,
    ErrorCode.UNAVAILABLE: 503,
    ErrorCode.INTERNAL: 500,
}
"""Codes whose request errors keep their status under application/json too."""


RETRY_SECONDS = 2
"""After which it is worth asking again whether the database is back."""

CONTENT_TYPES = {kind: f"{kind}; charset=utf-8".encode() for kind in (JSON, GRAPHQL_RESPONSE)}


def status_of(answer: Answer, media_type: str) -> int:
    """200 for everything that was executed; request errors are 400 under application/graphql-response+json."""
    if answer.failed is None:
        return 200
    return STATUS.get(answer.failed, 400 if media_type == GRAPHQL_RESPONSE else 200)


def _respond(body: Any, status: int, media_type: str, headers: Mapping[str, str] | None = None) -> Response:
    kind = EarlyResponse if status == 413 else Response
    return kind(
        _encoder.encode(body),
        status_code=status,
        headers={"content-type": f"{media_type}; charset=utf-8", "vary": "Accept", **(headers or {})},
    )


async def _give(scope: Scope, kept: Kept, media_type: str, send: Send) -> None:
    """A kept answer; to a GET with its validator, so that browsers and CDNs store it and ask again every time."""
    headers = [(b"vary", b"Accept, Authorization, Accept-Language")]
    if scope["method"] == "GET":
        headers += [(b"etag", kept.etag.encode()), (b"cache-control", b"public, no-cache")]
        wanted = [tag.strip() for tag in (all_of(scope, b"if-none-match") or "").split(",")]
        if kept.etag in wanted or kept.etag.removeprefix("W/") in wanted or "*" in wanted:
            await send({"type": "http.response.start", "status": 304, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
            return
    headers.append((b"content-type", CONTENT_TYPES[media_type]))
    headers.append((b"content-length", str(len(kept.body)).encode()))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": kept.body})


async def _chunks(receive: Receive) -> AsyncGenerator[bytes, None]:
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        more = message.get("more_body", False)
        yield message.get("body", b"")


SINGLE = frozenset((b"host", b"authorization", b"content-type", b"content-encoding", b"content-length"))
"""Fields of which there is one: of two, a proxy may have read the other."""


def _check_form(scope: Scope) -> None:
    """Refused unless the message has one meaning (RFC 9110 and 9112)."""
    if scope["http_version"] not in ("1.0", "1.1"):
        raise Refused(505, ErrorCode.BAD_REQUEST, "Speak HTTP/1.1.", {"Connection": "close"})
    names = [name for name, _ in scope["headers"] if name in SINGLE]
    if len(names) != len(set(names)) or (scope["http_version"] == "1.1" and b"host" not in names):
        message = "Send each of Host, Authorization, Content-Type and Content-Encoding once."
        raise Refused(400, ErrorCode.BAD_REQUEST, message, {"Connection": "close"})
    if (header(scope, b"transfer-encoding") or "chunked").strip().lower() != "chunked":
        raise Refused(501, ErrorCode.BAD_REQUEST, "Send the body as it is, or chunked.", {"Connection": "close"})


async def _asked(scope: Scope, receive: Receive, limit: int) -> bytes:
    """What is asked, as it came: the body, or a question mark and the query string."""
    if scope["method"] == "GET":
        return b"?" + scope["query_string"]
    if not is_json_content(header(scope, b"content-type")):
        raise Refused(415, ErrorCode.BAD_REQUEST, "Send the body as application/json in UTF-8.")
    if (header(scope, b"content-encoding") or "identity").lower() != "identity":
        raise Refused(415, ErrorCode.BAD_REQUEST, "Send the body as it is.", {"Accept-Encoding": "identity"})
    return await read_body(_chunks(receive), header(scope, b"content-length"), limit)


def _request_in(scope: Scope, asked: bytes) -> GraphQLRequest:
    if scope["method"] == "GET":
        return request_of_query_string(QueryParams(scope["query_string"]))
    return request_of(parse_json(asked))


async def handle_http(endpoint: GraphQLEndpoint, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one HTTP request on the GraphQL path."""
    request_id = endpoint.request_id(scope)
    media_type = JSON
    has_begun = False

    async def sending(message: Message) -> None:
        nonlocal has_begun
        has_begun = True
        await send(message)

    try:
        _check_form(scope)
        if scope["method"] not in ("GET", "POST"):
            raise Refused(405, ErrorCode.BAD_REQUEST, "Use GET or POST.", {"Allow": "GET, POST"})
        accepted = best_media_type(all_of(scope, b"accept"))
        if accepted is None:
            raise Refused(406, ErrorCode.BAD_REQUEST, f"Accept one of {JSON}, {GRAPHQL_RESPONSE} and {EVENT_STREAM}.")
        media_type = accepted
        asked = await _asked(scope, receive, endpoint.settings.max_body_bytes)
        if endpoint.is_blind() and media_type != EVENT_STREAM:
            raise TimeoutError  # who asks now would only wait behind the others
        language = preferred_language(header(scope, b"accept-language"))
        known = None if media_type == EVENT_STREAM else endpoint.reuse.recall(asked, language)
        graphql_request = _request_in(scope, asked) if known is None else known.request
        caller = await endpoint.authenticator.authenticate(header(scope, b"authorization"))
        if known is not None:
            name = known.name if may_share(caller) else None
        else:
            graphql_request = endpoint.resolve_document(graphql_request)
            name = None if media_type == EVENT_STREAM else endpoint.reuse_key(graphql_request, caller, language)
        if name is not None and (kept := await endpoint.reuse.find(name)) is not None:
            await endpoint.charge(caller, scope, 1)
            await _give(scope, kept, media_type, sending)
            return
        prepared = await endpoint.prepare(graphql_request, caller, scope, len(asked))
        if scope["method"] == "GET" and prepared.kind is OperationType.MUTATION:
            raise Refused(405, ErrorCode.BAD_REQUEST, "Mutations need POST.", {"Allow": "POST"})
        if prepared.kind is OperationType.SUBSCRIPTION and media_type != EVENT_STREAM:
            raise Refused(
                406, ErrorCode.BAD_REQUEST, f"Subscriptions need Accept: {EVENT_STREAM}, or a WebSocket on this path."
            )
        context = endpoint.make_context(caller, request_id, header(scope, b"accept-language"))
        if media_type == EVENT_STREAM:
            context.resume_after = header(scope, b"last-event-id") or None
            with endpoint.connections.one_of(caller):
                answers = endpoint.engine.stream(graphql_request, prepared, context)
                await stream_answers(endpoint, context, answers, receive, sending)
            return
        answer = await endpoint.engine.execute(graphql_request, prepared, context)
        response = _respond(answer.body, status_of(answer, media_type), media_type)
        if name is not None and prepared.is_public_availability and "errors" not in answer.body:
            kept = endpoint.reuse.keep(name, bytes(response.body), context)
            if kept is not None:
                endpoint.reuse.remember(asked, language, Recalled(graphql_request, name))
                await _give(scope, kept, media_type, sending)
                return
    except Refused as error:
        shown = JSON if media_type == EVENT_STREAM else media_type
        body = format_failure(error.code, error.message, request_id, **error.facts)
        response = _respond(body, error.status, shown, error.headers)
    except TooManyConnections as error:
        body = format_failure(ErrorCode.THROTTLED, str(error), request_id)
        response = _respond(body, 429, JSON, {"Retry-After": "5"})
    except AuthenticationFailed as error:
        shown = JSON if media_type == EVENT_STREAM else media_type
        body = format_failure(ErrorCode.UNAUTHENTICATED, str(error), request_id)
        response = _respond(body, 401, shown, {"WWW-Authenticate": "Bearer"})
    except RequestFailed as error:
        answer = endpoint.engine.failed(error, request_id)
        if media_type == EVENT_STREAM and answer.failed not in STATUS:
            context = endpoint.make_context(None, request_id, None)
            await stream_answers(endpoint, context, _only(answer), receive, sending)
            return
        shown = JSON if media_type == EVENT_STREAM else media_type
        headers = {"WWW-Authenticate": "Bearer"} if answer.failed is ErrorCode.UNAUTHENTICATED else {}
        if error.retry_after is not None:
            headers = {"Retry-After": str(error.retry_after)}
        response = _respond(answer.body, status_of(answer, shown), shown, headers)
    except ClientDisconnect:
        return
    except Exception as error:
        if has_begun:
            raise
        shown = JSON if media_type == EVENT_STREAM else media_type
        if is_away(error):  # such as a key that cannot be looked up
            log.warning("database is away", error=type(error).__name__)
            body = format_failure(ErrorCode.UNAVAILABLE, UNAVAILABLE_MESSAGE, request_id)
            response = _respond(body, STATUS[ErrorCode.UNAVAILABLE], shown, {"Retry-After": str(RETRY_SECONDS)})
        else:
            log.exception("request failed")
            response = _respond(format_failure(ErrorCode.INTERNAL, "", request_id), 500, shown)
    await response(scope, receive, send)


async def _only(answer: Answer) -> AsyncGenerator[Answer, None]:
    yield answer
