"""From a text to an operation that may be executed: parsed, limited and validated once, long ones beside the loop."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import strawberry
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSyntaxError,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    parse,
    specified_rules,
    validate,
)
from prometheus_client import Histogram
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from api.error_handlers import MAX_ERRORS, ErrorCode, failure
from api.limits import LIMITS, Figures, Limits, beyond, check_limits, sizes_in
from api.permissions.roles import unauthenticated
from api.transport.memory import Memory
from api.transport.request import GraphQLRequest
from api.transport.reuse import may_be_kept
from api.transport.turns import OneEach
from core.settings import Settings

KEPT_DOCUMENTS = 500
KEPT_SIZES = 64
KEPT_CHARACTERS = 500_000
"""Of all documents that are kept parsed: a character takes up to 200 bytes then."""
CACHED_CHARACTERS = 20_000
"""Longer documents are not kept."""
SHORT = 500
"""Characters of a document that is read at once, in a few milliseconds whatever it says."""
CHARACTERS_PER_POINT = 500
"""What reading a long document costs that is not known yet, whether it may be executed or not."""
PAIRS_PER_POINT = 25
"""Fragments are compared in pairs: so many, as far as the text alone tells, cost a point on top."""
KEPT_OF_STRANGERS = 50_000
"""Characters of documents that are kept for callers without a credential: they push out one another's only."""
OF_SCHEMA = 100
"""Values of the schema that are told at once."""

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
    """Does it ask for nothing but the schema, and for more of it than is told at once."""

    @property
    def kind(self) -> OperationType:
        return self.operation.operation

    @property
    def name(self) -> str | None:
        return self.operation.name.value if self.operation.name else None


class Preparer:
    """Reads documents for one schema, and remembers what it has read."""

    def __init__(self, schema: strawberry.Schema, settings: Settings, limits: Limits = LIMITS) -> None:
        self._graph = schema._schema
        self._limits = limits
        self._rules = [*specified_rules, MaybeNullValidationRule, OneOfInputValidationRule]
        if not settings.allows_introspection:
            self._rules.append(NoSchemaIntrospectionCustomRule)
        self._hides_suggestions = settings.is_production
        self._known: Memory[str, tuple[DocumentNode, list[GraphQLError]]] = Memory(KEPT_CHARACTERS, CACHED_CHARACTERS)
        self._strangers: Memory[str, tuple[DocumentNode, list[GraphQLError]]] = Memory(
            KEPT_OF_STRANGERS, CACHED_CHARACTERS
        )
        self._public: Memory[tuple[str, str | None], bool] = Memory(KEPT_DOCUMENTS)
        self._figures: Memory[tuple[str, str | None], tuple[tuple[str, ...], Memory[Any, Figures]]] = Memory(
            KEPT_DOCUMENTS
        )
        self._beside = ThreadPoolExecutor(1, "documents")
        self._one_each = OneEach()

    def price(self, request: GraphQLRequest) -> int:
        """Points for reading a document: 0 for one that is short or known."""
        text = request.query or ""
        if len(text) <= SHORT or text in self._known or text in self._strangers:
            return 0
        spreads = min(text.count("..."), self._limits.spreads)
        return len(text) // CHARACTERS_PER_POINT + spreads * (spreads - 1) // 2 // PAIRS_PER_POINT

    async def read(self, request: GraphQLRequest, who: str, *, anonymous: bool) -> Prepared:
        """As `prepare`; a long document that is not known is read in a thread, one at a time, and nobody waits for it.

        Of each caller (`who`) one document waits for the thread, so that a new one waits for as many as there are callers.
        """
        work = partial(self.prepare, request, anonymous=anonymous)
        if not self.price(request):
            return work()
        async with self._one_each.of(who):
            if not self.price(request):  # the same was read meanwhile
                return work()
            return await asyncio.get_running_loop().run_in_executor(self._beside, work)

    def prepare(self, request: GraphQLRequest, *, anonymous: bool) -> Prepared:
        """Parse, select, limit and validate; raises RequestFailed."""
        try:
            return self._prepare(request, anonymous)
        except RecursionError as error:
            message = "The document is nested too deeply."
            raise _invalid(failure(ErrorCode.GRAPHQL_VALIDATION_FAILED, message)) from error

    def _prepare(self, request: GraphQLRequest, anonymous: bool) -> Prepared:
        text = request.query or ""
        document, errors = self._known.get(text) or self._strangers.get(text) or (self._parse(text), None)
        operation = _select(document, request.operation_name)
        roots = list(_root_fields(document, operation.selection_set))
        of_schema = bool(roots) and all(name.startswith("__") for name in roots)
        if anonymous and not of_schema:  # before the work that a document makes
            raise RequestFailed([unauthenticated()], ErrorCode.UNAUTHENTICATED)
        try:
            figures = self._figures_of(request, document, operation, is_known=errors is not None)
        except GraphQLError as error:
            raise _invalid(error) from error
        if errors is None:
            errors = validate(
                self._graph, document, self._rules, max_errors=MAX_ERRORS, hide_suggestions=self._hides_suggestions
            )[:MAX_ERRORS]
            (self._strangers if anonymous else self._known).keep(text, (document, errors), len(text))
        if errors:
            raise _invalid(*errors)
        if not of_schema and figures.introspected > self._limits.introspected:
            raise _invalid(beyond("introspected", figures.introspected, self._limits.introspected))
        COST.observe(figures.cost)
        public = roots == ["availability"] and self._is_public(text, request.operation_name, document, operation)
        is_much = of_schema and figures.introspected > OF_SCHEMA
        return Prepared(document, operation, figures, roots[0] if roots else "", public, is_much)

    def _figures_of(
        self, request: GraphQLRequest, document: DocumentNode, operation: OperationDefinitionNode, *, is_known: bool
    ) -> Figures:
        """Measured once per document and sizes in its variables; raises the GraphQLError of an exceeded limit."""
        key = (request.query or "", request.operation_name)
        names, known = self._figures.get(key) or ((), None)
        if known is not None and (figures := known.get(sizes_in(request.variables, names))) is not None:
            return figures
        asked: set[str] = set()
        figures = check_limits(self._graph, document, operation, request.variables, self._limits, asked)
        if is_known:
            if known is None:
                names, known = tuple(sorted(asked)), Memory(KEPT_SIZES)
                self._figures.keep(key, (names, known))
            known.keep(sizes_in(request.variables, names), figures)
        return figures

    def _is_public(
        self, text: str, name: str | None, document: DocumentNode, operation: OperationDefinitionNode
    ) -> bool:
        known = self._public.get((text, name))
        if known is None:
            known = may_be_kept(self._graph, document, operation)
            self._public.keep((text, name), known, 1 if len(text) <= CACHED_CHARACTERS else KEPT_DOCUMENTS)
        return known

    def _parse(self, text: str) -> DocumentNode:
        limits = self._limits
        try:
            return parse(text, no_location=False, max_tokens=limits.tokens, max_source_length=limits.characters)
        except (GraphQLSyntaxError, GraphQLError) as error:
            raise RequestFailed([error], ErrorCode.GRAPHQL_PARSE_FAILED) from error


def _invalid(*errors: GraphQLError) -> RequestFailed:
    return RequestFailed(list(errors), ErrorCode.GRAPHQL_VALIDATION_FAILED)


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
    """Names of the root fields, through fragments: each once, as nothing has been validated yet."""
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    waiting, seen = [selections], set()
    while waiting:
        for node in waiting.pop(0).selections:
            if isinstance(node, FieldNode):
                yield node.name.value
            elif isinstance(node, FragmentSpreadNode):
                if node.name.value not in seen and node.name.value in fragments:
                    seen.add(node.name.value)
                    waiting.append(fragments[node.name.value].selection_set)
            else:
                waiting.append(node.selection_set)  # pyright: ignore[reportAttributeAccessIssue]
