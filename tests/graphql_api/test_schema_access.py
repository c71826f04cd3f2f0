"""Who may call which root field: the matrix is checked in, and every cell is tried."""

import pytest
from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLList, GraphQLNonNull

from api.commands.access_matrix import FILE, ROLES, access_matrix, root_matrix, undecided
from api.context import Context
from api.loaders import Loaders
from api.operations import Query, schema
from api.pagination import encode_id
from api.permissions.owners import OWNERS
from core.domain.access import Principal, Role
from core.settings import Settings

pytestmark = pytest.mark.anyio

MATRIX = root_matrix()
FIELDS = [(root, name) for root, fields in MATRIX.items() for name in fields]


def test_the_checked_in_matrix_is_that_of_the_code_and_nothing_is_undecided():
    assert undecided() == []
    assert FILE.read_text(encoding="utf-8") == access_matrix()


def test_a_field_without_roles_and_a_type_without_a_rule_are_found(monkeypatch):
    monkeypatch.setattr(Query.__strawberry_definition__.get_field("viewer"), "extensions", [])
    monkeypatch.delitem(OWNERS, "Peg")
    assert undecided() == ["Peg", "Query.viewer"]


class _Reached(Exception):
    """The resolver ran into the database: it was let through."""


class _NoDatabase:
    def __getattr__(self, name):
        raise _Reached


def _value(type_):
    """A literal that is valid for a required argument."""
    if isinstance(type_, GraphQLNonNull):
        type_ = type_.of_type
    if isinstance(type_, GraphQLList):
        return "[]" if isinstance(type_.of_type, GraphQLNonNull) else "null"
    if isinstance(type_, GraphQLEnumType):
        return next(iter(type_.values))
    if isinstance(type_, GraphQLInputObjectType):
        needed = {name: item for name, item in type_.fields.items() if isinstance(item.type, GraphQLNonNull)}
        return "{" + " ".join(f"{name}: {_value(item.type)}" for name, item in needed.items()) + "}"
    return {"Int": "1", "Date": '"2026-01-01"', "DateTime": '"2026-01-01T00:00:00Z"', "Boolean": "false"}.get(
        type_.name, '"x"'
    )


def _document(root, name):
    field = schema._schema.type_map[root].fields[name]
    given = {arg: item for arg, item in field.args.items() if isinstance(item.type, GraphQLNonNull)}
    parts = [f"{arg}: {_value(item.type)}" for arg, item in given.items()]
    if "first" in field.args:
        parts.append("first: 1")
    arguments = f"({' '.join(parts)})" if parts else ""
    arguments = arguments.replace('delivery: "x"', f'delivery: "{encode_id("WebhookDelivery", 1)}"')
    arguments = arguments.replace('id: "x"', f'id: "{encode_id(_kind(name), 1)}"')
    return f"{root.lower()} {{ {name}{arguments} {{ __typename }} }}"


def _kind(name):
    kinds = {
        "backorder": "Backorder",
        "notice": "Notice",
        "job": "JobRun",
        "ediDocument": "EdiDocument",
        "webhook": "Webhook",
    }
    return next((kind for start, kind in kinds.items() if name.startswith(start)), "Order")


def _caller(role, **more):
    return Principal(id="p", role=role, customer_id=1, supplier_id=1, **more)


async def _codes(root, name, caller):
    context = Context(_NoDatabase(), Settings(env="test"), caller, make_loaders=Loaders)  # type: ignore[arg-type]
    document = _document(root, name)
    if root != "Subscription":
        result = await schema.execute(document, context_value=context)
        errors = result.errors or []
    else:
        errors = []
        try:
            stream = await schema.subscribe(document, context_value=context)
            async for result in stream:
                errors += result.errors or []
        except (_Reached, AssertionError):
            pass
    return [(error.extensions or {}).get("code") for error in errors]


@pytest.mark.parametrize(("root", "name"), FIELDS, ids=[name for _, name in FIELDS])
async def test_a_root_field_is_open_to_exactly_its_roles(root, name):
    decision = MATRIX[root][name]
    for role in ROLES:
        codes = await _codes(root, name, _caller(role))
        if role in decision.allowed:
            assert "FORBIDDEN" not in codes, role
        else:
            assert codes == ["FORBIDDEN"], role
    assert await _codes(root, name, None) == ["UNAUTHENTICATED"]
    codes = await _codes(root, name, _caller(Role.STOREFRONT, is_publishable=True))
    assert ("FORBIDDEN" in codes) is not decision.publishable
