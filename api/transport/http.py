"""GraphQL over HTTP: one POST or GET, one answer, in the media type and with the status of the specification."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import TYPE_CHECKING, Any

import msgspec
import structlog
from graphql import OperationType
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from api.error_handlers import ErrorCode, format_failure
from api.permissions import AuthenticationFailed
from api.transport.connections import TooManyConnections
from api.transport.engine import Answer, RequestFailed
from api.transport.language import preferred_language
from api.transport.negotiation import EVENT_STREAM, GRAPHQL_RESPONSE, JSON, best_media_type, is_json_content
from api.transport.request import GraphQLRequest, Refused, parse_json, read_body, request_of, request_of_query_string
from api.transport.reuse import Kept
from api.transport.sse import stream_answers

if TYPE_CHECKING:
    from api.transport import GraphQLEndpoint

log = structlog.get_logger(__name__)
_encoder = msgspec.json.Encoder()

STATUS = {
    ErrorCode.UNAUTHENTICATED: 401,
    ErrorCode.FORBIDDEN: 403,
    ErrorCode.THROTTLED: 429,
    ErrorCode.INTERNAL: 500,
}
"""Codes whose request errors keep their status under application/json too."""


def status_of(answer: Answer, media_type: str) -> int:
    """200 for everything that was executed; request errors are 400 under application/graphql-response+json."""
    if answer.failed is None:
        return 200
    return STATUS.get(answer.failed, 400 if media_type == GRAPHQL_RESPONSE else 200)


def _respond(body: Any, status: int, media_type: str, headers: Mapping[str, str] | None = None) -> Response:
    return Response(
        _encoder.encode(body),
        status_code=status,
        headers={"content-type": f"{media_type}; charset=utf-8", "vary": "Accept", **(headers or {})},
    )


def _cached(request: Request, kept: Kept, media_type: str) -> Response:
    """A kept answer; to a GET with its validator, so that browsers and CDNs store it and ask again every time."""
    headers = {"content-type": f"{media_type}; charset=utf-8", "vary": "Accept, Authorization, Accept-Language"}
    if request.method != "GET":
        return Response(kept.body, headers=headers)
    headers |= {"etag": kept.etag, "cache-control": "public, no-cache"}
    wanted = [tag.strip() for tag in request.headers.get("if-none-match", "").split(",")]
    if kept.etag in wanted or kept.etag.removeprefix("W/") in wanted or "*" in wanted:
        return Response(status_code=304, headers={name: headers[name] for name in ("etag", "cache-control", "vary")})
    return Response(kept.body, headers=headers)


async def _read(request: Request, limit: int) -> GraphQLRequest:
    if request.method == "GET":
        return request_of_query_string(request.query_params)
    if not is_json_content(request.headers.get("content-type")):
        raise Refused(415, ErrorCode.BAD_REQUEST, "Send the body as application/json in UTF-8.")
    body = await read_body(request.stream(), request.headers.get("content-length"), limit)
    return request_of(parse_json(body))


async def handle_http(endpoint: GraphQLEndpoint, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one HTTP request on the GraphQL path."""
    request = Request(scope, receive)
    request_id = endpoint.request_id(scope)
    media_type = JSON
    has_begun = False

    async def sending(message: Message) -> None:
        nonlocal has_begun
        has_begun = True
        await send(message)

    try:
        if request.method not in ("GET", "POST"):
            raise Refused(405, ErrorCode.BAD_REQUEST, "Use GET or POST.", {"Allow": "GET, POST"})
        accepted = best_media_type(",".join(request.headers.getlist("accept")) or None)
        if accepted is None:
            raise Refused(406, ErrorCode.BAD_REQUEST, f"Accept one of {JSON}, {GRAPHQL_RESPONSE} and {EVENT_STREAM}.")
        media_type = accepted
        graphql_request = await _read(request, endpoint.settings.max_body_bytes)
        caller = await endpoint.authenticator.authenticate(request.headers.get("authorization"))
        graphql_request = endpoint.resolve_document(graphql_request)
        language = preferred_language(request.headers.get("accept-language"))
        name = None if media_type == EVENT_STREAM else endpoint.reuse_key(graphql_request, caller, language)
        if name is not None and (kept := await endpoint.reuse.find(name)) is not None:
            await endpoint.charge(caller, scope, 1)
            await _cached(request, kept, media_type)(scope, receive, sending)
            return
        prepared = endpoint.engine.prepare(graphql_request, anonymous=caller is None)
        await endpoint.charge(caller, scope, prepared.figures.cost)
        if request.method == "GET" and prepared.kind is OperationType.MUTATION:
            raise Refused(405, ErrorCode.BAD_REQUEST, "Mutations need POST.", {"Allow": "POST"})
        if prepared.kind is OperationType.SUBSCRIPTION and media_type != EVENT_STREAM:
            raise Refused(
                406, ErrorCode.BAD_REQUEST, f"Subscriptions need Accept: {EVENT_STREAM}, or a WebSocket on this path."
            )
        context = endpoint.make_context(caller, request_id, request.headers.get("accept-language"))
        if media_type == EVENT_STREAM:
            context.resume_after = request.headers.get("last-event-id") or None
            with endpoint.connections.one_of(caller):
                answers = endpoint.engine.stream(graphql_request, prepared, context)
                await stream_answers(endpoint, context, answers, receive, sending)
            return
        answer = await endpoint.engine.execute(graphql_request, prepared, context)
        response = _respond(answer.body, status_of(answer, media_type), media_type)
        if name is not None and prepared.is_public_availability and "errors" not in answer.body:
            kept = endpoint.reuse.keep(name, bytes(response.body), context)
            if kept is not None:
                response = _cached(request, kept, media_type)
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
    except Exception:  # such as a database that is away when a key is looked up
        if has_begun:
            raise
        log.exception("request failed")
        shown = JSON if media_type == EVENT_STREAM else media_type
        response = _respond(format_failure(ErrorCode.INTERNAL, "", request_id), 500, shown)
    await response(scope, receive, send)


async def _only(answer: Answer) -> AsyncGenerator[Answer, None]:
    yield answer
