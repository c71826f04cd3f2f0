"""One rule that bounds a document before anything is executed: depth, aliases, directives and static cost.

Every selection set and every fragment is measured once per request, so the work is linear in the document however
often a fragment is reused. Figures are those of the expanded document: equal for inline, aliased and fragment forms.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    is_leaf_type,
)


@dataclass(frozen=True, slots=True)
class Limits:
    """Upper bounds of one request. Cost: one point per object field, multiplied by the sizes of the lists above."""

    tokens: int = 3_000
    characters: int = 100_000
    depth: int = 15
    introspection_depth: int = 30
    aliases: int = 60
    directives: int = 40
    fields: int = 1_500
    variables: int = 100
    object_repeats: int = 80
    """How often one object field may be written in a document (root of the sum of squares over all names)."""
    leaf_repeats: int = 300
    spreads: int = 100
    """How often named fragments may be spread in a document as it is written."""
    cost: int = 20_000
    introspected: int = 10_000
    """Values of the schema that a document may ask for beside other fields; alone it may ask for all."""
    page: int = 100
    list_size: int = 10
    """Assumed length of a list that no argument bounds."""


LIMITS = Limits()
LENGTHS_IN_SCHEMA = {"fields": 12, "inputFields": 8, "enumValues": 8, "possibleTypes": 8, "directives": 5, "args": 3}
MAX_DIGITS = 12
_CEILING = 10**12
"""Figures saturate here, so that nested fragments cannot make the arithmetic itself expensive."""


class Figures(NamedTuple):
    depth: int = 0
    aliases: int = 0
    directives: int = 0
    fields: int = 0
    cost: int = 0
    introspected: int = 0
    """Values of the schema, by the usual lengths of its lists."""


class _Measure:
    def __init__(self, schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any], limits: Limits):
        self.schema = schema
        self.asked: set[str] = set()
        """Variables that a figure may depend on."""
        self.variables = variables
        self.limits = limits
        self.fragments: dict[str, FragmentDefinitionNode] = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        self.known: dict[str, Figures | None] = {}

    def selection(self, node: SelectionSetNode | None, parent: Any, in_introspection: bool = False) -> Figures:
        depth = aliases = directives = fields = cost = introspected = 0
        for child in node.selections if node else ():
            part: Figures
            if isinstance(child, FieldNode):
                part = self.field(child, parent, in_introspection)
            elif isinstance(child, InlineFragmentNode):
                on = self.schema.get_type(child.type_condition.name.value) if child.type_condition else parent
                part = self.selection(child.selection_set, on, in_introspection)
            elif isinstance(child, FragmentSpreadNode):
                part = self.fragment(child.name.value, in_introspection)
            else:
                continue
            depth = max(depth, part.depth)
            aliases += part.aliases
            directives += part.directives + len(child.directives or ())
            fields += part.fields
            cost += part.cost
            introspected += part.introspected
        return Figures(depth, *(min(sum_, _CEILING) for sum_ in (aliases, directives, fields, cost, introspected)))

    def fragment(self, name: str, in_introspection: bool) -> Figures:
        if name in self.known:
            return self.known[name] or Figures()  # None: a cycle, which validation refuses
        definition = self.fragments.get(name)
        if definition is None:
            return Figures()
        self.known[name] = None
        on = self.schema.get_type(definition.type_condition.name.value)
        figures = self.selection(definition.selection_set, on, in_introspection)
        self.known[name] = figures._replace(
            directives=min(figures.directives + len(definition.directives or ()), _CEILING)
        )
        return self.known[name] or Figures()

    def field(self, node: FieldNode, parent: Any, in_introspection: bool) -> Figures:
        name = node.name.value
        if name.startswith("__"):
            in_introspection = True
        definition = parent.fields.get(name) if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType) else None
        output = definition.type if definition else None
        is_list = False
        while isinstance(output, GraphQLNonNull | GraphQLList):
            is_list = is_list or isinstance(output, GraphQLList)
            output = output.of_type
        inner = self.selection(node.selection_set, output, in_introspection)
        own = 0 if output is None or is_leaf_type(output) else 1
        times = 1 if in_introspection or not own else self.size(node, definition, is_list)
        return Figures(
            inner.depth if in_introspection else inner.depth + 1,
            min(inner.aliases + (node.alias is not None), _CEILING),
            inner.directives,
            min(inner.fields + 1, _CEILING),
            min((own + inner.cost) * times, _CEILING),
            min((1 + inner.introspected) * self.length_in_schema(name), _CEILING) if in_introspection else 0,
        )

    def length_in_schema(self, name: str) -> int:
        return len(self.schema.type_map) if name == "types" else LENGTHS_IN_SCHEMA.get(name, 1)

    def size(self, node: FieldNode, definition: Any, is_list: bool) -> int:
        """How many objects a field may return: its page size, the longest list it was given, or a guess."""
        given: list[int] = []
        self.asked.update(a.value.name.value for a in node.arguments or () if isinstance(a.value, VariableNode))
        for argument in node.arguments or ():
            value: Any = argument.value
            if isinstance(value, VariableNode):
                value = self.variables.get(value.name.value)
            elif isinstance(value, IntValueNode):
                value = _number(value)
            if argument.name.value in ("first", "last") and isinstance(value, int):
                return max(1, min(value, self.limits.page))
            if isinstance(value, ListValueNode):
                given.append(len(value.values))
            elif isinstance(value, list):
                given.append(len(value))
        if definition is not None and ("first" in definition.args or "last" in definition.args):
            default = definition.args["first"].default_value if "first" in definition.args else None
            return default if isinstance(default, int) else self.limits.page
        if not is_list or node.name.value in ("edges", "nodes"):  # a connection's page size has multiplied already
            return 1
        return max(given) if given and max(given) > 0 else self.limits.list_size


def _number(node: IntValueNode) -> int:
    """Its value; a number with more digits than any Int has, which validation refuses, is only large."""
    return int(node.value) if len(node.value) <= MAX_DIGITS else _CEILING


def _check_shape(document: DocumentNode, limits: Limits) -> None:
    """Bound what validation has to compare: it looks at every pair of fields that share a name, wherever they merge,
    and at every pair of fragments that are spread together, whether they share one or not."""
    for node in document.definitions:
        if isinstance(node, OperationDefinitionNode) and len(node.variable_definitions or ()) > limits.variables:
            _refuse("variables", len(node.variable_definitions or ()), limits.variables)
    level = [
        node.selection_set
        for node in document.definitions
        if isinstance(node, OperationDefinitionNode | FragmentDefinitionNode)
    ]
    depth = spreads = 0
    objects: Counter[str] = Counter()
    leaves: Counter[str] = Counter()
    while level and depth <= limits.introspection_depth:
        following: list[SelectionSetNode] = []
        for child in (child for one in level for child in one.selections):
            if isinstance(child, FieldNode):
                (objects if child.selection_set else leaves)[(child.alias or child.name).value] += 1
            spreads += isinstance(child, FragmentSpreadNode)
            if isinstance(child, FieldNode | InlineFragmentNode) and child.selection_set:
                following.append(child.selection_set)
        level, depth = following, depth + 1
    if depth > limits.introspection_depth:
        _refuse("depth", depth, limits.introspection_depth)
    if spreads > limits.spreads:
        _refuse("spreads", spreads, limits.spreads)
    for what, names, allowed in (
        ("object repeats", objects, limits.object_repeats),
        ("leaf repeats", leaves, limits.leaf_repeats),
    ):
        # Pairs grow with the square, so many names repeated a little are cheaper than one repeated a lot.
        found = math.isqrt(sum(count * count for count in names.values() if count > 1))
        if found > allowed:
            _refuse(what, found, allowed)


def beyond(what: str, found: int, allowed: int) -> GraphQLError:
    """What is said of a limit that is exceeded."""
    return GraphQLError(
        f"The operation has {what} {found}, the limit is {allowed}.",
        extensions={"code": "GRAPHQL_VALIDATION_FAILED", "limit": what, "found": found, "allowed": allowed},
    )


def _refuse(what: str, found: int, allowed: int) -> None:
    raise beyond(what, found, allowed)


def measure(
    schema: GraphQLSchema,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    variables: Mapping[str, Any],
    limits: Limits = LIMITS,
    asked: set[str] | None = None,
) -> Figures:
    """Depth, aliases, directives, fields and static cost of `operation`, with all fragments expanded.

    The names of the variables that the figures may depend on are added to `asked`.
    """
    root = schema.get_root_type(operation.operation)
    measuring = _Measure(schema, document, variables, limits)
    figures = measuring.selection(operation.selection_set, root)
    if asked is not None:
        asked |= measuring.asked
    return figures._replace(directives=figures.directives + len(operation.directives or ()))


def sizes_in(variables: Mapping[str, Any], names: Iterable[str]) -> tuple[Any, ...]:
    """What `measure` sees of these variables: the same sizes give the same figures."""
    values = (variables.get(name) for name in names)
    return tuple(
        value if isinstance(value, int) else ("of", len(value)) if isinstance(value, list) else None for value in values
    )


def check_limits(
    schema: GraphQLSchema,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    variables: Mapping[str, Any],
    limits: Limits = LIMITS,
    asked: set[str] | None = None,
) -> Figures:
    """The figures of an operation; raises a GraphQLError that names the first limit it exceeds. `asked` as in `measure`."""
    _check_shape(document, limits)
    figures = measure(schema, document, operation, variables, limits, asked)
    for what in ("depth", "aliases", "directives", "fields"):
        found, allowed = getattr(figures, what), getattr(limits, what)
        if found > allowed:
            _refuse(what, found, allowed)
    if figures.cost > limits.cost:
        raise GraphQLError(
            f"The operation costs {figures.cost}, the limit is {limits.cost}: ask for smaller pages.",
            extensions={
                "code": "MAX_COST_EXCEEDED",
                "cost": {"requested": figures.cost, "available": limits.cost},
            },
        )
    return figures
