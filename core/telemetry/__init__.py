"""Spans of OpenTelemetry when the standard OTEL_* environment asks for them; without it every call here does nothing."""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

_tracer: Any = None
_provider: Any = None
_NOTHING: AbstractContextManager[Any] = nullcontext()

_TABLE = re.compile(r"\b(?:from|into|update|join)\s+([a-z_]+)", re.IGNORECASE)
_CHANGE = re.compile(r"\b(insert|update|delete)\s", re.IGNORECASE)
STOP_SECONDS = 2.0
"""Given to the last spans of a process."""
MAX_STATEMENT = 2_000
"""Characters of a statement that a span keeps; its arguments are never kept."""


def is_wanted() -> bool:
    """Does the environment name a collector, and neither turn tracing off nor name another exporter."""
    environment = os.environ
    if environment.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    if environment.get("OTEL_TRACES_EXPORTER", "otlp").strip() != "otlp":
        return False
    return bool(
        environment.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
        or environment.get("OTEL_EXPORTER_OTLP_ENDPOINT")
        or environment.get("OTEL_TRACES_EXPORTER")
    )


def is_on() -> bool:
    """Are spans made in this process."""
    return _tracer is not None


def start_tracing(service: str) -> bool:
    """Begin to send spans of this process, when the environment asks for it; True when they are sent.

    `service` is the name without OTEL_SERVICE_NAME. Sampling follows OTEL_TRACES_SAMPLER.
    """
    global _tracer, _provider
    if _tracer is not None or not is_wanted():
        return _tracer is not None
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    from core.telemetry.otlp import OtlpJsonExporter

    named = {} if os.environ.get("OTEL_SERVICE_NAME") else {"service.name": service}
    _provider = TracerProvider(resource=Resource.create(named), shutdown_on_exit=False)
    _provider.add_span_processor(BatchSpanProcessor(OtlpJsonExporter()))
    _tracer = _provider.get_tracer("backorder-manager")
    return True


def stop_tracing() -> None:
    """Send what is left and make no more spans; a collector that does not answer holds nobody up."""
    global _tracer, _provider
    provider, _tracer, _provider = _provider, None, None
    if provider is not None:
        last = threading.Thread(target=provider.shutdown, name="last-spans", daemon=True)
        last.start()
        last.join(STOP_SECONDS)


def span(
    name: str, kind: str = "INTERNAL", parent: str | None = None, **attributes: str | int | None
) -> AbstractContextManager[Any]:
    """A span around a block. `parent` is a W3C traceparent from elsewhere; None: the span around this one.

    Attributes hold names and figures, never input: a failure is told by its type alone.
    """
    return _NOTHING if _tracer is None else _span(name, kind, parent, attributes)


def open_span(
    name: str, kind: str = "INTERNAL", parent: str | None = None, **attributes: str | int | None
) -> Callable[[], None]:
    """As `span`, for a stretch that is no block: what is returned ends it, in the task that began it."""
    opened = span(name, kind, parent, **attributes)
    opened.__enter__()

    def end() -> None:
        opened.__exit__(None, None, None)

    return end


@contextmanager
def _span(name: str, kind: str, parent: str | None, attributes: dict[str, Any]) -> Iterator[Any]:
    from opentelemetry import trace
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    context = TraceContextTextMapPropagator().extract({"traceparent": parent}) if parent else None
    with _tracer.start_as_current_span(
        name,
        context,
        trace.SpanKind[kind],
        {key: value for key, value in attributes.items() if value is not None},
        record_exception=False,
        set_status_on_exception=False,
    ) as current:
        try:
            yield current
        except BaseException as error:
            current.set_status(trace.Status(trace.StatusCode.ERROR, type(error).__name__))
            raise


def traceparent() -> str | None:
    """The span around this call in W3C form, to be continued elsewhere; None without one."""
    if _tracer is None:
        return None
    from opentelemetry import trace

    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{int(context.trace_flags):02x}"


def watch_statements(connection: Any) -> None:
    """Make a span of every statement of an asyncpg connection that runs inside another span."""
    if _tracer is not None:
        connection.add_query_logger(_statement)


def _statement(record: Any) -> None:
    """Called by asyncpg after a statement, in the context of whoever ran it."""
    from opentelemetry import trace

    if _tracer is None or not trace.get_current_span().get_span_context().is_valid:
        return
    ended = time.time_ns()
    text = " ".join(record.query.split())
    table = _TABLE.search(text)
    verb = text.partition(" ")[0].upper()
    if verb == "WITH":  # told by what it changes
        changes = _CHANGE.search(text)
        verb = changes.group(1).upper() if changes else "SELECT"
    made = _tracer.start_span(
        f"{verb} {table.group(1)}" if table else verb,
        kind=trace.SpanKind.CLIENT,
        attributes={"db.system.name": "postgresql", "db.query.text": text[:MAX_STATEMENT]},
        start_time=ended - int(record.elapsed * 1e9),
    )
    if record.exception is not None:
        made.set_status(trace.Status(trace.StatusCode.ERROR, type(record.exception).__name__))
    made.end(ended)
