"""The limit rule: equal for every spelling of a query, linear in the document, quick to refuse bombs."""

import contextlib
import sys
from collections.abc import Callable

import pytest
from graphql import GraphQLError, OperationDefinitionNode, parse

from api.limits.cost import Figures, Limits, check_limits, measure
from api.transport.engine import Engine
from api.transport.preparing import RequestFailed
from api.transport.request import GraphQLRequest
from core.settings import Settings
from tests.graphql_api.api_under_test import small_schema

GRAPH = small_schema()._schema


MOST_CALLS = 500_000
"""Python calls that handling any document may take; a bomb that were followed would take billions."""


def calls_in(work: Callable[[], object]) -> int:
    """How many Python functions `work` calls: the same on every machine, unlike its time."""
    count = 0

    def tally(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(tally)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def figures(query: str, **variables: int) -> Figures:
    document = parse(query)
    operation = next(node for node in document.definitions if isinstance(node, OperationDefinitionNode))
    return measure(GRAPH, document, operation, variables)


def test_cost_multiplies_page_sizes_and_is_equal_in_every_spelling() -> None:
    plain = figures("{ things(first: 10) { number children(first: 5) { number } } }")
    assert plain == Figures(depth=3, aliases=0, directives=0, fields=4, cost=10 * (1 + 5))
    inline = figures("{ ... on Query { things(first: 10) { ... { number children(first: 5) { number } } } } }")
    named = figures(
        "query { ...A } fragment A on Query { things(first: 10) { ...B } }"
        " fragment B on Thing { number children(first: 5) { number } }"
    )
    assert inline == named == plain
    variable = figures("query ($n: Int!) { things(first: $n) { children(first: 5) { number } } }", n=10)
    assert variable.cost == plain.cost
    aliased = figures("{ a: things(first: 10) { number } b: things(first: 10) { number } }")
    assert (aliased.cost, aliased.aliases) == (20, 2)


def test_a_fragment_bomb_is_measured_in_linear_time() -> None:
    levels = "".join(f"fragment F{n} on Thing {{ ...F{n + 1} ...F{n + 1} }} " for n in range(150))
    query = "{ thing { ...F0 } } " + levels + "fragment F150 on Thing { number parent { number } }"
    found: list[Figures] = []
    assert calls_in(lambda: found.append(figures(query))) < MOST_CALLS
    assert found[0].fields == 10**12  # saturated


def test_reusing_a_fragment_costs_a_step_each_time_and_not_its_size() -> None:
    def calls(reuses: int, fields: int) -> int:
        inner = " ".join(f"a{n}: parent {{ number }}" for n in range(fields))
        query = f"{{ thing {{ {'...F ' * reuses}}} }} fragment F on Thing {{ {inner} }}"
        document = parse(query)
        operation = document.definitions[0]
        assert isinstance(operation, OperationDefinitionNode)
        return calls_in(lambda: measure(GRAPH, document, operation, {}))

    small, large = calls(10, 50), calls(1_000, 50)
    assert large - small == calls(1_000, 5) - calls(10, 5)  # whatever the fragment holds
    assert (large - small) / 990 < 10


@pytest.mark.parametrize(
    ("query", "what"),
    [
        ("{ thing " + "{ parent " * 20 + "{ number }" + "}" * 20 + " }", "depth"),
        ("{ " + " ".join(f"a{n}: hello" for n in range(100)) + " }", "aliases"),
        ("{ hello " + "@skip(if: false) " * 60 + "}", "directives"),
        ("{ thing { " + "...F " * 101 + "} } fragment F on Thing { number }", "spreads"),
        ("{ things(first: 100) { children(first: 100) { children(first: 100) { number } } } }", "cost"),
    ],
)
def test_each_limit_refuses_by_name(query: str, what: str) -> None:
    document = parse(query)
    operation = document.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    with pytest.raises(GraphQLError) as refused:
        check_limits(GRAPH, document, operation, {}, Limits())
    extensions = refused.value.extensions or {}
    assert extensions.get("limit", "cost") == what
    assert extensions["code"] == ("MAX_COST_EXCEEDED" if what == "cost" else "GRAPHQL_VALIDATION_FAILED")


@pytest.mark.parametrize(
    "query",
    [
        "{ " + "hello " * 2_900 + "}",
        "{ " + "thing { number } " * 700 + "}",
        "{ " + "hello " * 300 + "}",
        "{ " + "thing { number } " * 80 + "}",
        "{ thing { ...A } } fragment A on Thing { ...B } fragment B on Thing { ...A }",
        "{ thing " + "{ parent " * 1_400 + "}",
        "query (" + " ".join(f"$v{n}: Int" for n in range(700)) + ") { hello }",
        "{ "
        + " ".join(f"... on Query {{ thing {{ number children(first: {n}) {{ number }} }} }}" for n in range(150))
        + "}",
        "{ thing { "
        + " ".join(f"...F{n}" for n in range(280))
        + " } } "
        + " ".join(f"fragment F{n} on Thing {{ number }}" for n in range(280)),
        "#" + "x" * 99_000 + "\n{ hello }",
        "{ hello" * 20_000,
        '{ hello(name: "' + "y" * 200_000 + '") }',
        "{ things(first: " + "9" * 90_000 + ") { number } }",
    ],
)
def test_bombs_cost_a_bounded_number_of_steps(query: str) -> None:
    engine = Engine(small_schema(), Settings(env="test"))

    def prepare() -> None:
        with contextlib.suppress(RequestFailed):
            engine.prepare(GraphQLRequest(query), anonymous=False)

    assert calls_in(prepare) < MOST_CALLS


def test_figures_are_measured_again_for_other_sizes_only(monkeypatch: pytest.MonkeyPatch) -> None:
    engine, measured = Engine(small_schema(), Settings()), []
    real = check_limits
    monkeypatch.setattr("api.transport.preparing.check_limits", lambda *given: measured.append(1) or real(*given))
    query = "query ($n: Int!) { things(first: $n) { number } }"

    def cost(n: int) -> int:
        return engine.prepare(GraphQLRequest(query, variables={"n": n}), anonymous=False).figures.cost

    assert [cost(n) for n in (10, 10, 20, 10, 20)] == [10, 10, 20, 10, 20]
    assert len(measured) == 3  # while the document is new, then once per size
