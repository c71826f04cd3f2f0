"""Choose the media type of an answer from `Accept`, by quality, then by the order in which the client wrote it."""

from __future__ import annotations

from functools import lru_cache

JSON = "application/json"
GRAPHQL_RESPONSE = "application/graphql-response+json"
EVENT_STREAM = "text/event-stream"

OFFERS = (JSON, GRAPHQL_RESPONSE, EVENT_STREAM)
"""In the order in which a wildcard picks."""


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "q":
            try:
                return min(max(float(value.strip()), 0.0), 1.0)
            except ValueError:
                return 0.0
    return 1.0


def _is_utf8(parameters: list[str]) -> bool:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset" and value.strip().strip('"').lower() not in ("utf-8", "utf8"):
            return False
    return True


@lru_cache(maxsize=512)
def best_media_type(accept: str | None) -> str | None:
    """The best offer for an `Accept` header, or None when the client accepts none of them.

    The most specific range that matches an offer decides its quality (RFC 9110, 12.5.1). Equal qualities fall to
    the range written first; offers that share a range fall to the order of OFFERS. No header means JSON.
    """
    if accept is None or not accept.strip():
        return JSON
    ranges: list[tuple[str, float, int]] = []
    for index, part in enumerate(accept.split(",")):
        media_range, *parameters = part.split(";")
        if media_range.strip() and _is_utf8(parameters):
            ranges.append((media_range.strip().lower(), _quality(parameters), index))
    best: tuple[float, int, int] | None = None
    chosen: str | None = None
    for rank, offer in enumerate(OFFERS):
        wildcards = {"*/*": 0, offer.partition("/")[0] + "/*": 1, offer: 2}
        matches = [(wildcards[name], -index, quality) for name, quality, index in ranges if name in wildcards]
        if not matches:
            continue
        _, index, quality = max(matches)
        candidate = (quality, index, -rank)
        if quality > 0 and (best is None or candidate > best):
            best, chosen = candidate, offer
    return chosen


def is_json_content(content_type: str | None) -> bool:
    """True for `application/json` in UTF-8, said or unsaid."""
    if content_type is None:
        return False
    media_type, *parameters = content_type.split(";")
    return media_type.strip().lower() == JSON and _is_utf8(parameters)
