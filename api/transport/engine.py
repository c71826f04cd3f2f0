"""Between transports and Strawberry: parse, limit and validate once, then execute or stream, and format the outcome."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import strawberry
from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLEnumType,
    GraphQLError,
    GraphQLSyntaxError,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    create_source_event_stream,
    execute,
    parse,
    specified_rules,
    validate,
)
from prometheus_client import Counter, Histogram
from strawberry.execution import optimized_is_awaitable
from strawberry.extensions import SchemaExtension
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule
from strawberry.types.execution import PreExecutionError
from strawberry.utils.await_maybe import await_maybe

from api.context import Context
from api.error_handlers import MAX_ERRORS, ErrorCode, failure, format_errors, root_cause
from api.limits import LIMITS, Figures, Limits, check_limits, sizes_in
from api.live import StreamsClosing
from api.permissions.roles import unauthenticated
from api.transport.events import EventExecution, build_executor
from api.transport.request import GraphQLRequest
from api.transport.reuse import may_be_kept
from core.settings import Settings
from core.telemetry import span

OPERATION_SECONDS = 30.0
CACHE_SIZE = 500
KEPT_SIZES = 64
CACHED_CHARACTERS = 8_000
"""Longer documents are not kept: the cache stays small whatever is sent."""

OPERATIONS = Counter(
    "backorder_graphql_operations", "Operations by root field, name and outcome", ["root", "operation", "outcome"]
)
SECONDS = Histogram("backorder_graphql_seconds", "Duration of queries and mutations", ["root", "operation"])
COST = Histogram(
    "backorder_graphql_cost", "Static cost of accepted operations", buckets=(1, 10, 50, 100, 500, 1_000, 5_000, 20_000)
)


class RequestFailed(Exception):
    """The operation cannot be executed at all: a request error in the sense of the GraphQL specification."""

    def __init__(self, errors: list[GraphQLError], default: ErrorCode) -> None:
        super().__init__(errors[0].message)
        self.errors = errors
        self.default = default
        self.retry_after: int | None = None
        """Seconds after which the same request may be let through."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document that may be executed."""

    document: DocumentNode
    operation: OperationDefinitionNode
    figures: Figures
    root: str
    """First root field: the label of metrics and logs, bounded by the schema."""
    is_public_availability: bool = False
    """May its answer be kept and given again."""
    is_introspection: bool = False
    """Does it ask for nothing but the schema."""

    @property
    def kind(self) -> OperationType:
        return self.operation.operation

    @property
    def name(self) -> str | None:
        return self.operation.name.value if self.operation.name else None


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
        self._rules = [*specified_rules, MaybeNullValidationRule, OneOfInputValidationRule]
        if not settings.allows_introspection:
            self._rules.append(NoSchemaIntrospectionCustomRule)
        self._hides_suggestions = settings.is_production
        shown = schema._schema.type_map.values() if settings.allows_introspection else ()
        self._enums = {type_.name: list(type_.values) for type_ in shown if isinstance(type_, GraphQLEnumType)}
        self._known: OrderedDict[str, tuple[DocumentNode, list[GraphQLError] | None]] = OrderedDict()
        self._public: OrderedDict[tuple[str, str | None], bool] = OrderedDict()
        self._figures: OrderedDict[tuple[str, str | None], tuple[tuple[str, ...], dict[Any, Figures]]] = OrderedDict()

        self.known_operations: frozenset[str] = frozenset()
        """Names that figures may carry: those of trusted documents. Any other is counted as `other`."""

    def _label(self, prepared: Prepared) -> str:
        name = prepared.name
        return "" if name is None else name if name in self.known_operations else "other"

    # Before execution.

    def prepare(self, request: GraphQLRequest, *, anonymous: bool) -> Prepared:
        """Parse, select, limit and validate; raises RequestFailed."""
        try:
            return self._prepare(request, anonymous)
        except RecursionError as error:
            message = "The document is nested too deeply."
            raise RequestFailed(
                [failure(ErrorCode.GRAPHQL_VALIDATION_FAILED, message)], ErrorCode.GRAPHQL_VALIDATION_FAILED
            ) from error

    def _prepare(self, request: GraphQLRequest, anonymous: bool) -> Prepared:
        text = request.query or ""
        document, errors = self._known.get(text) or (self._parse(text), None)
        operation = _select(document, request.operation_name)
        graph = self._schema._schema
        try:
            figures = self._figures_of(request, document, operation, is_known=errors is not None)
        except GraphQLError as error:
            raise RequestFailed([error], ErrorCode.GRAPHQL_VALIDATION_FAILED) from error
        if errors is None:
            errors = validate(
                graph, document, self._rules, max_errors=MAX_ERRORS, hide_suggestions=self._hides_suggestions
            )[:MAX_ERRORS]
            self._remember(text, document, errors)
        if errors:
            raise RequestFailed(errors, ErrorCode.GRAPHQL_VALIDATION_FAILED)
        roots = list(_root_fields(document, operation.selection_set))
        if anonymous and not all(name.startswith("__") for name in roots):
            raise RequestFailed([unauthenticated()], ErrorCode.UNAUTHENTICATED)
        COST.observe(figures.cost)
        public = roots == ["availability"] and self._is_public(text, request.operation_name, document, operation)
        of_schema = "__schema" in roots and all(name.startswith("__") for name in roots)
        return Prepared(document, operation, figures, roots[0] if roots else "", public, of_schema)

    def _figures_of(
        self, request: GraphQLRequest, document: DocumentNode, operation: OperationDefinitionNode, *, is_known: bool
    ) -> Figures:
        """Measured once per document and sizes in its variables; raises the GraphQLError of an exceeded limit."""
        graph, variables, key = self._schema._schema, request.variables, (request.query or "", request.operation_name)
        names, known = self._figures.get(key, ((), {}))
        if known and (figures := known.get(sizes_in(variables, names))) is not None:
            return figures
        asked: set[str] = set()
        figures = check_limits(graph, document, operation, variables, self._limits, asked)
        if is_known and len(key[0]) <= CACHED_CHARACTERS:
            names, known = self._figures.setdefault(key, (tuple(sorted(asked)), {}))
            if len(known) >= KEPT_SIZES:
                known.clear()
            known[sizes_in(variables, names)] = figures
            if len(self._figures) > CACHE_SIZE:
                self._figures.popitem(last=False)
        return figures

    def _is_public(
        self, text: str, name: str | None, document: DocumentNode, operation: OperationDefinitionNode
    ) -> bool:
        known = self._public.get((text, name))
        if known is None:
            known = may_be_kept(self._schema._schema, document, operation)
            if len(text) <= CACHED_CHARACTERS:
                self._public[text, name] = known
                if len(self._public) > CACHE_SIZE:
                    self._public.popitem(last=False)
        return known

    def _parse(self, text: str) -> DocumentNode:
        limits = self._limits
        try:
            return parse(text, no_location=False, max_tokens=limits.tokens, max_source_length=limits.characters)
        except (GraphQLSyntaxError, GraphQLError) as error:
            raise RequestFailed([error], ErrorCode.GRAPHQL_PARSE_FAILED) from error

    def _remember(self, text: str, document: DocumentNode, errors: list[GraphQLError]) -> None:
        if len(text) <= CACHED_CHARACTERS:
            self._known[text] = (document, errors)
            if len(self._known) > CACHE_SIZE:
                self._known.popitem(last=False)

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
            async with asyncio.timeout(OPERATION_SECONDS):
                with span(f"graphql {prepared.kind.value} {prepared.root}", cost=prepared.figures.cost):
                    result = await self._run(request, prepared, context)
        except TimeoutError:
            seconds = int(OPERATION_SECONDS)
            error = failure(ErrorCode.OPERATION_TIMEOUT, f"The operation took longer than {seconds} s.")
            OPERATIONS.labels(prepared.root, self._label(prepared), "timeout").inc()
            return Answer({"data": None, "errors": format_errors([error], context.request_id)})
        SECONDS.labels(prepared.root, self._label(prepared)).observe(time.perf_counter() - started)
        return self._answer(result, prepared, context)

    async def _run(self, request: GraphQLRequest, prepared: Prepared, context: Context) -> Any:
        """Execute what is parsed and validated already: without other extensions there is nothing to run around it."""
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
            # The whole schema is a fifth of a second without a pause: others go on meanwhile.
            return await (asyncio.to_thread(run) if prepared.is_introspection else await_maybe(run()))
        except Exception as error:
            known = error if isinstance(error, GraphQLError) else GraphQLError(str(error), original_error=error)
            return ExecutionResult(None, [known])

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


def _select(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    if name is not None:
        operations = [node for node in operations if node.name and node.name.value == name]
    if len(operations) == 1:
        return operations[0]
    if name is not None:
        message = f"There is no operation named {name!r} in the document."
    elif operations:
        message = "The document has several operations: say which one with operationName."
    else:
        message = "The document has no operation."
    code = ErrorCode.OPERATION_RESOLUTION_FAILURE
    raise RequestFailed([failure(code, message)], code)


def _root_fields(document: DocumentNode, selections: SelectionSetNode) -> Iterator[str]:
    """Names of the root fields, through fragments (cycles were refused by validation)."""
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    waiting, seen = [selections], set()
    while waiting:
        for node in waiting.pop(0).selections:
            if isinstance(node, FieldNode):
                yield node.name.value
            elif isinstance(node, FragmentSpreadNode):
                if node.name.value not in seen:
                    seen.add(node.name.value)
                    waiting.append(fragments[node.name.value].selection_set)
            else:
                waiting.append(node.selection_set)  # pyright: ignore[reportAttributeAccessIssue]
