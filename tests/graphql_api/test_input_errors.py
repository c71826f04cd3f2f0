"""What a front-end developer is told of a value that does not fit: which variable, where, what would; no echo of objects."""

from typing import Any

import pytest
from graphql import GraphQLEnumType, OperationDefinitionNode, get_variable_values, parse, validate

from api.context import Context
from api.error_handlers import INTERNAL_MESSAGE, MAX_ERRORS, ErrorCode, failure, format_errors
from api.loaders import Loaders
from api.operations import schema
from api.transport.engine import Engine
from api.transport.request import GraphQLRequest
from core.domain.access import Principal, Role
from core.settings import Settings

pytestmark = pytest.mark.anyio
GRAPH = schema._schema
ENUMS = {name: list(type_.values) for name, type_ in GRAPH.type_map.items() if isinstance(type_, GraphQLEnumType)}
ORDERS = "query ($f: OrderFilter!) { orders(first: 1, filter: $f) { nodes { id } } }"
PLACE = 'mutation ($i: OrderPlaceInput!) { orderPlace(input: $i, idempotencyKey: "k") { order { id } } }'


def told(query: str, variables: dict[str, Any], enums: Any = ENUMS) -> list[dict[str, Any]]:
    document = parse(query)
    errors = list(validate(GRAPH, document))
    if not errors:
        operation = document.definitions[0]
        assert isinstance(operation, OperationDefinitionNode)
        found = get_variable_values(GRAPH, operation.variable_definitions or (), variables)
        assert isinstance(found, list)
        errors = found
    return format_errors(errors, "r", default=ErrorCode.BAD_USER_INPUT, enums=enums)


def test_a_variable_that_is_missing_or_null_is_named() -> None:
    for variables, what in (({}, "to be provided"), ({"f": None}, "not to be null")):
        error = told(ORDERS, variables)[0]
        assert error["message"].startswith("Variable '$f' has invalid value: ")
        assert what in error["message"]
        assert error["extensions"]["variable"] == "f"


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        (ORDERS, {"f": {"status": ["NOPE"]}}),
        (ORDERS, {"f": {"status": [7]}}),
        ("{ orders(first: 1, filter: {status: [NOPE]}) { nodes { id } } }", {}),
    ],
)
def test_an_enum_says_what_it_may_be_where_the_schema_is_shown(query: str, variables: dict[str, Any]) -> None:
    error = told(query, variables)[0]
    assert error["extensions"]["allowed"] == ENUMS["OrderStatus"]
    assert "It may be RECEIVED, VALIDATED," in error["message"]
    hidden = told(query, variables, {})[0]
    assert "allowed" not in hidden["extensions"]
    assert "VALIDATED" not in hidden["message"]


@pytest.mark.parametrize(
    "given",
    [
        {"surplus": 1, "customer": {"email": "zebulon@example.org"}},
        {"channel": {"email": "zebulon@example.org"}},
        {"lines": [["zebulon@example.org"]]},
        {"shipTo": ["zebulon@example.org"]},
    ],
)
def test_what_stands_in_an_object_or_list_is_not_repeated(given: dict[str, Any]) -> None:
    good = {"channel": "web", "shipTo": {"country": "KR"}, "lines": []}
    for error in told(PLACE, {"i": {**good, **given}}):
        assert error["message"].startswith("Variable '$i' has invalid value")
        assert "zebulon" not in error["message"]


def test_a_number_of_many_digits_does_not_fit_and_is_no_failure_of_ours() -> None:
    document = parse("{ skus(first: " + "9" * 5_000 + ") { nodes { id } } }")
    error = format_errors(validate(GRAPH, document), "r", default=ErrorCode.GRAPHQL_VALIDATION_FAILED)[0]
    assert error["message"] == "Expected value of type 'Int'."
    assert error["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"


@pytest.mark.parametrize("env", ["development", "production"])
async def test_production_suggests_nothing_to_variables_either(env: Any) -> None:
    settings = Settings(env=env)
    engine, request = (
        Engine(schema, settings),
        GraphQLRequest(ORDERS, variables={"f": {"statsu": 1, "status": ["NOPE"]}}),
    )
    caller = Principal(id="p", role=Role.PLANNER)
    context = Context(None, settings, caller, make_loaders=Loaders)  # type: ignore[arg-type]
    answer = await engine.execute(request, engine.prepare(request, anonymous=False), context)
    text = str(answer.body)
    assert answer.failed is ErrorCode.BAD_USER_INPUT
    assert ("Did you mean" in text, "VALIDATED" in text) == ((env == "development",) * 2)


@pytest.mark.parametrize(
    ("kind", "value", "what"),
    [
        ("DateTime", "2026-12-01T09:00:00", "needs its offset"),
        ("DateTime", "0001-01-01T00:00:00+14:00", "lies between 1900-01-01 and 2999-12-31"),
        ("DateTime", "2026-12-01T09:00:00+09:00", ""),
        ("Date", "9999-12-31", "lies between 1900-01-01 and 2999-12-31"),
        ("Date", "2026-12-01", ""),
    ],
)
def test_an_instant_has_an_offset_and_days_stay_within_reckoning(kind: str, value: str, what: str) -> None:
    definition = parse(f"query ($d: {kind}!) {{ __typename }}").definitions[0]
    assert isinstance(definition, OperationDefinitionNode)
    found = get_variable_values(GRAPH, definition.variable_definitions or (), {"d": value})
    assert isinstance(found, list) is bool(what)
    assert what in str(found)


async def test_of_many_values_that_do_not_fit_the_first_are_told() -> None:
    settings, caller = Settings(env="test"), Principal("p", Role.PLANNER)
    engine: Any = Engine(schema, settings)
    given = {"i": {"channel": "web", "lines": [{"sku": 7, "quantity": "x"}] * 9}}
    request = GraphQLRequest(PLACE, variables=given)
    context: Any = Context(None, settings, caller, make_loaders=Loaders)  # type: ignore[arg-type]
    answer = await engine.execute(request, engine.prepare(request, anonymous=False), context)
    assert len(answer.body["errors"]) == MAX_ERRORS
    assert answer.failed is ErrorCode.BAD_USER_INPUT


def test_what_went_wrong_on_our_side_is_told_by_its_number_alone() -> None:
    error = format_errors([failure(ErrorCode.INTERNAL, "secret of ours", shown=1)], "r")[0]
    assert error == {"message": INTERNAL_MESSAGE, "extensions": {"code": "INTERNAL", "shown": 1, "requestId": "r"}}
