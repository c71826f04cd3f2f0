"""Between transports and Strawberry: execute or stream what was prepared, and format the outcome."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple

import msgspec
import strawberry
from graphql import ExecutionResult, GraphQLEnumType, GraphQLError, OperationType, create_source_event_stream, execute
from prometheus_client import Counter, Histogram
from strawberry.execution import optimized_is_awaitable
from strawberry.extensions import SchemaExtension
from strawberry.types.execution import PreExecutionError
from strawberry.utils.await_maybe import await_maybe

from api.context import Context
from api.error_handlers import MAX_ERRORS, ErrorCode, failure, format_errors, root_cause
from api.limits import LIMITS, Limits
from api.live import StreamsClosing
from api.transport.events import EventExecution, build_executor
from api.transport.memory import Memory
from api.transport.preparing import Prepared, Preparer, RequestFailed
from api.transport.request import GraphQLRequest
from core.away import within
from core.settings import Settings
from core.telemetry import span

OPERATION_SECONDS = 30.0
TOLD_BYTES = 8_000_000
"""Of answers about the schema that are kept."""

OPERATIONS = Counter(
    "backorder_graphql_operations", "Operations by root field, name and outcome", ["root", "operation", "outcome"]
)
SECONDS = Histogram("backorder_graphql_seconds", "Duration of queries and mutations", ["root", "operation"])


class Answer(NamedTuple):
    """A formatted result. `failed` names the code when it is a request error (no data, nothing executed)."""

    body: dict[str, Any]
    failed: ErrorCode | None = None
    cursor: str | None = None


class PreparedDocument(SchemaExtension):
    """Hands Strawberry the document that was parsed and validated already."""

    def on_parse(self) -> Iterator[None]:
        self.execution_context.graphql_document = self.execution_context.context.document
        self.execution_context.pre_execution_errors = []
        yield


class Engine:
    """One schema with its rules. Thread of use: `prepare`, then `execute` or `stream`."""

    def __init__(self, schema: strawberry.Schema, settings: Settings, limits: Limits = LIMITS) -> None:
        if PreparedDocument not in schema.extensions:
            schema.extensions = (*schema.extensions, PreparedDocument)
        # Strawberry logs every error with the text of the client; ours are logged once, masked, in error_handlers.
        logging.getLogger("strawberry.execution").setLevel(logging.CRITICAL + 1)
        self._schema = schema
        self._limits = limits
        self.preparer = Preparer(schema, settings, limits)
        self._hides_suggestions = settings.is_production
        shown = schema._schema.type_map.values() if settings.allows_introspection else ()
        self._enums = {type_.name: list(type_.values) for type_ in shown if isinstance(type_, GraphQLEnumType)}
        self._told: Memory[tuple[str, str | None, bytes], msgspec.Raw] = Memory(TOLD_BYTES, TOLD_BYTES // 4)
        """What was said of the schema, by what was asked."""
        self._telling = ThreadPoolExecutor(1, "introspection")

        self.known_operations: frozenset[str] = frozenset()
        """Names that figures may carry: those of trusted documents. Any other is counted as `other`."""

    def _label(self, prepared: Prepared) -> str:
        name = prepared.name
        return "" if name is None else name if name in self.known_operations else "other"

    def prepare(self, request: GraphQLRequest, *, anonymous: bool) -> Prepared:
        """A document that may be executed; raises RequestFailed."""
        return self.preparer.prepare(request, anonymous=anonymous)

    # Execution.

    def failed(self, error: RequestFailed, request_id: str) -> Answer:
        """The answer to a request that `prepare` refused."""
        OPERATIONS.labels("", "", error.default.value).inc()
        formatted = format_errors(error.errors, request_id, default=error.default, enums=self._enums)
        return Answer({"errors": formatted}, ErrorCode(formatted[0]["extensions"]["code"]))

    async def execute(self, request: GraphQLRequest, prepared: Prepared, context: Context) -> Answer:
        """Run a query or mutation within OPERATION_SECONDS."""
        context.document = prepared.document
        started = time.perf_counter()
        try:
            result = await within(OPERATION_SECONDS, self._run(request, prepared, context))
        except TimeoutError:
            seconds = int(OPERATION_SECONDS)
            error = failure(ErrorCode.OPERATION_TIMEOUT, f"The operation took longer than {seconds} s.")
            OPERATIONS.labels(prepared.root, self._label(prepared), "timeout").inc()
            return Answer({"data": None, "errors": format_errors([error], context.request_id)})
        SECONDS.labels(prepared.root, self._label(prepared)).observe(time.perf_counter() - started)
        return self._answer(result, prepared, context)

    async def _run(self, request: GraphQLRequest, prepared: Prepared, context: Context) -> Any:
        """Execute what is parsed and validated already: without other extensions there is nothing to run around it."""
        with span(f"graphql {prepared.kind.value} {prepared.root}", cost=prepared.figures.cost):
            return await self._result(request, prepared, context)

    async def _result(self, request: GraphQLRequest, prepared: Prepared, context: Context) -> Any:
        schema = self._schema
        if tuple(schema.extensions) != (PreparedDocument,) or schema.directives:
            return await schema.execute(
                request.query,
                variable_values=request.variables,
                context_value=context,
                operation_name=prepared.name,
            )
        run = partial(
            execute,
            schema._schema,
            prepared.document,
            context_value=context,
            variable_values=request.variables,
            operation_name=prepared.name,
            is_awaitable=optimized_is_awaitable,  # pyright: ignore[reportArgumentType]
            hide_suggestions=self._hides_suggestions,
            executor_class=schema.execution_context_class,
        )
        try:
            if prepared.is_introspection:
                return await self._tell(request, run)
            return await await_maybe(run())
        except Exception as error:
            known = error if isinstance(error, GraphQLError) else GraphQLError(str(error), original_error=error)
            return ExecutionResult(None, [known])

    async def _tell(self, request: GraphQLRequest, run: Callable[[], Any]) -> ExecutionResult:
        """What `run` says of the schema, a fifth of a second without a pause: once per question, in a thread of its own."""
        key = (request.query or "", request.operation_name, msgspec.json.encode(request.variables))

        def tell() -> ExecutionResult:
            if (known := self._told.get(key)) is not None:
                return ExecutionResult(known)  # pyright: ignore[reportArgumentType]
            result = run()
            if result.errors:
                return result
            told = msgspec.Raw(msgspec.json.encode(result.data))
            self._told.keep(key, told, len(told) + len(key[0]) + len(key[2]))
            return ExecutionResult(told)  # pyright: ignore[reportArgumentType]

        if key in self._told:
            return tell()
        return await asyncio.get_running_loop().run_in_executor(self._telling, tell)

    def stream(self, request: GraphQLRequest, prepared: Prepared, context: Context) -> AsyncGenerator[Answer, None]:
        """Results of any operation: one of a query or mutation, many of a subscription.

        Raises StreamsClosing when this process goes away, so that a transport can tell it from a completed stream.
        """
        context.document = prepared.document
        kind = self._events if prepared.kind is OperationType.SUBSCRIPTION else self._single
        return kind(request, prepared, context)

    async def _single(
        self, request: GraphQLRequest, prepared: Prepared, context: Context
    ) -> AsyncGenerator[Answer, None]:
        yield await self.execute(request, prepared, context)

    async def _events(
        self, request: GraphQLRequest, prepared: Prepared, context: Context
    ) -> AsyncGenerator[Answer, None]:
        """What GraphQL-core yields for a subscription; an error before or between events is a result without data."""
        source: Any = None
        try:
            source = await self._source(request, prepared, context)
            if isinstance(source, PreExecutionError):
                yield self._answer(source, prepared, context)
                return
            execute_event = EventExecution(self._schema, request, prepared, context)
            async for event in source:
                yield self._answer(await execute_event(event), prepared, context)
        except StreamsClosing:
            raise
        except Exception as error:
            if isinstance(root_cause(error), StreamsClosing):
                raise StreamsClosing from error
            known = error if isinstance(error, GraphQLError) else GraphQLError(str(error), original_error=error)
            yield self._answer(ExecutionResult(None, [known]), prepared, context)
        finally:
            close = getattr(source, "aclose", None)
            if close is not None:
                await close()

    async def _source(self, request: GraphQLRequest, prepared: Prepared, context: Context) -> Any:
        """The events of a subscription, or the ExecutionResult of one that cannot begin."""
        executor = build_executor(self._schema, request, prepared, context, hides_suggestions=self._hides_suggestions)
        if isinstance(executor, list):
            return PreExecutionError(data=None, errors=executor)
        source = await await_maybe(create_source_event_stream(executor))
        if isinstance(source, ExecutionResult):
            if any(isinstance(root_cause(error), StreamsClosing) for error in source.errors or ()):
                raise StreamsClosing
            return PreExecutionError(data=None, errors=source.errors)
        return source

    def _answer(self, result: Any, prepared: Prepared, context: Context) -> Answer:
        extensions = {
            **(result.extensions or {}),
            **context.extensions,
            "cost": {"requested": prepared.figures.cost, "available": self._limits.cost},
        }
        if not result.errors:
            OPERATIONS.labels(prepared.root, self._label(prepared), "ok").inc()
            return Answer({"data": result.data, "extensions": extensions}, None, context.stream_cursor)
        # An error without a path was raised before the first field: variables that do not fit, or a bug.
        before_execution = isinstance(result, PreExecutionError) or (
            result.data is None and all(error.path is None for error in result.errors)
        )
        if before_execution:
            result.errors = result.errors[:MAX_ERRORS]
        errors = format_errors(
            result.errors,
            context.request_id,
            default=ErrorCode.BAD_USER_INPUT if before_execution else ErrorCode.INTERNAL,
            operation=prepared.root,
            enums=self._enums,
        )
        code = ErrorCode(errors[0]["extensions"]["code"])
        OPERATIONS.labels(prepared.root, self._label(prepared), code.value).inc()
        if before_execution:
            return Answer({"errors": errors, "extensions": extensions}, code)
        return Answer({"errors": errors, "data": result.data, "extensions": extensions}, None, context.stream_cursor)
