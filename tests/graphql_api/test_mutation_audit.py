"""Every mutation leaves an audit entry: all run through the one runner, and that sees to it."""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from collections.abc import Callable
from typing import Any

import pytest

from api.operations import Mutation
from api.resolvers.mutation import run_mutation
from core.domain.access import Role
from core.errors import NotFound
from core.unit_of_work import UnitOfWork
from tests.graphql_api.schema_under_test import open_shop

pytestmark = pytest.mark.anyio

RUNNERS = {"run_mutation", "groups_of"}
"""`groups_of` serves orderPlace: many orders in one transaction, each audited by place_orders under its own request."""


def called(function: Callable[..., Any]) -> set[str]:
    """Names of what a function calls or hands on, also through helpers of the product's own resolver modules."""
    found: set[str] = set()
    waiting, seen = [function], set()
    while waiting:
        one = waiting.pop()
        if one in seen or not one.__module__.startswith("api.resolvers"):
            continue
        seen.add(one)
        names = {
            node.id
            for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(one))))
            if isinstance(node, ast.Name)
        }
        found |= names
        module = sys.modules[one.__module__]
        waiting += [value for name in names - RUNNERS if inspect.isfunction(value := getattr(module, name, None))]
    return found


FIELDS = {field.name: field for field in Mutation.__strawberry_definition__.fields}  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", sorted(FIELDS))
def test_a_mutation_runs_through_the_one_runner(name: str) -> None:
    function = FIELDS[name].base_resolver.wrapped_func
    assert called(function) & RUNNERS, name


async def test_what_no_service_records_the_runner_does_and_a_refusal_or_repeat_leaves_nothing(
    database_url: str,
) -> None:
    async def silent(uow: UnitOfWork) -> dict[str, Any]:
        return {"thingId": 7, "version": 2, "userErrors": []}

    async def spoken(uow: UnitOfWork) -> dict[str, Any]:
        uow.audit("thingDo", "thing:8", {"version": 1}, {"version": 2})
        return {"thingId": 8}

    async def refused(uow: UnitOfWork) -> dict[str, Any]:
        raise NotFound("thing", "9")

    async with open_shop(database_url) as shop:
        context = shop.context(Role.PLANNER)
        context.request_id = "request-1"
        for key, use_case in (("a", silent), ("a", silent), ("b", spoken), ("c", refused)):
            await run_mutation(context, "thingDo", {"n": key}, key, use_case)
        rows = await shop.database.system.fetch(
            "select actor, operation, object, before, after, request_id from audit_entry order by id"
        )
    actor = context.principal.id
    assert [tuple(row) for row in rows] == [
        (actor, "thingDo", "thingDo:7", None, {"thingId": 7, "version": 2}, "request-1"),
        (actor, "thingDo", "thing:8", {"version": 1}, {"version": 2}, "request-1"),
    ]
