"""Spans to a collector in the JSON form of OTLP over HTTP: one POST per batch, from the exporter's own thread."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any
from urllib.parse import unquote

import httpx2
import msgspec
import structlog
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

log = structlog.get_logger("tracing")

DEFAULT_ENDPOINT = "http://localhost:4318"
KINDS = {"INTERNAL": 1, "SERVER": 2, "CLIENT": 3, "PRODUCER": 4, "CONSUMER": 5}


def endpoint_of(environment: Mapping[str, str]) -> str:
    """Where spans go: the address for traces as it is, or the general one with the path of traces."""
    if given := environment.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"):
        return given
    return environment.get("OTEL_EXPORTER_OTLP_ENDPOINT", DEFAULT_ENDPOINT).rstrip("/") + "/v1/traces"


def headers_of(environment: Mapping[str, str]) -> dict[str, str]:
    """OTEL_EXPORTER_OTLP_HEADERS (or _TRACES_HEADERS): `name=value` pairs with commas between, percent-encoded."""
    text = environment.get("OTEL_EXPORTER_OTLP_TRACES_HEADERS") or environment.get("OTEL_EXPORTER_OTLP_HEADERS", "")
    pairs = (pair.partition("=") for pair in text.split(",") if "=" in pair)
    return {name.strip(): unquote(value.strip()) for name, _, value in pairs}


class OtlpJsonExporter(SpanExporter):
    """Spans as `ExportTraceServiceRequest`; what cannot be delivered is dropped and said once per outage."""

    def __init__(self) -> None:
        environment = os.environ
        seconds = float(environment.get("OTEL_EXPORTER_OTLP_TIMEOUT", "10"))
        self._url = endpoint_of(environment)
        self._client = httpx2.Client(timeout=seconds, headers=headers_of(environment))
        self._is_away = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Deliver one batch."""
        try:
            body = msgspec.json.encode(request_of(spans))
            self._client.post(self._url, content=body, headers={"content-type": "application/json"}).raise_for_status()
        except httpx2.HTTPError as error:
            if not self._is_away:
                log.warning("spans cannot be delivered", error=type(error).__name__, endpoint=self._url)
            self._is_away = True
            return SpanExportResult.FAILURE
        self._is_away = False
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        self._client.close()


def request_of(spans: Sequence[ReadableSpan]) -> dict[str, Any]:
    """The message of one batch, by resource."""
    ordered = sorted(spans, key=lambda span: id(span.resource))
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": _attributes(own[0].resource.attributes)},
                "scopeSpans": [{"scope": {"name": "backorder-manager"}, "spans": [_span(span) for span in own]}],
            }
            for own in (list(group) for _, group in groupby(ordered, key=lambda span: id(span.resource)))
        ]
    }


def _span(span: ReadableSpan) -> dict[str, Any]:
    context = span.get_span_context()
    assert context is not None
    told = {
        "traceId": f"{context.trace_id:032x}",
        "spanId": f"{context.span_id:016x}",
        "name": span.name,
        "kind": KINDS[span.kind.name],
        "startTimeUnixNano": str(span.start_time),
        "endTimeUnixNano": str(span.end_time),
        "attributes": _attributes(span.attributes or {}),
        "status": {"code": span.status.status_code.value, "message": span.status.description or ""},
    }
    return told if span.parent is None else {**told, "parentSpanId": f"{span.parent.span_id:016x}"}


def _attributes(given: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": _value(value)} for key, value in given.items()]


def _value(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    return {"stringValue": str(value)}
