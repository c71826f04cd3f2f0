"""Every list of the schema answers: its first page, its last page, and the page after a cursor."""

from typing import Any

import pytest
from graphql import GraphQLNonNull, GraphQLObjectType

from api.operations import Query, schema
from api.permissions.roles import granted_roles
from core.domain.access import Role
from core.services.start_simulation import ChangeInput, ScenarioInput, StartSimulation, start_simulation
from core.unit_of_work import run_unit_of_work
from tests.graphql_api.schema_under_test import NOW, open_shop

pytestmark = pytest.mark.anyio


def lists() -> list[str]:
    found = []
    for name, field in schema._schema.query_type.fields.items():  # type: ignore[union-attr]
        answer = field.type.of_type if isinstance(field.type, GraphQLNonNull) else field.type
        if isinstance(answer, GraphQLObjectType) and answer.name.endswith("Connection"):
            found.append(name)
    return found


async def test_every_list_answers_forwards_backwards_and_after_a_cursor(database_url: str) -> None:
    roles = {
        schema.config.name_converter.get_graphql_name(field): granted_roles(field) or frozenset()
        for field in Query.__strawberry_definition__.fields  # type: ignore[attr-defined]
    }
    async with open_shop(database_url) as shop:
        change = ChangeInput("LEAD_TIME", days=1)
        question = StartSimulation("q", [ScenarioInput("later", [change])])
        await run_unit_of_work(shop.database, lambda uow: start_simulation(uow, question), clock=shop.clock)
        await shop.database.system.execute(
            "insert into access_denial values ('p', 'STOREFRONT', 'plans', $1, 2), ('p', 'AUDITOR', 'plans', $1, 1)",
            NOW,
        )
        names = lists()
        assert len(names) >= 14
        for name in names:
            context = shop.context(Role.ADMIN if Role.ADMIN in roles[name] else Role.AUDITOR)
            for page in ("first: 1", "last: 1"):
                cursors = f"{{ list: {name}({page}) {{ nodes {{ __typename }} edges {{ cursor }} }} }}"
                edges = (await shop.ask(context, cursors))["list"]["edges"]
                if edges:
                    after = f'first: 1 after: "{edges[0]["cursor"]}"'
                    following: Any = await shop.ask(context, f"{{ list: {name}({after}) {{ edges {{ cursor }} }} }}")
                    assert following["list"]["edges"] != edges, name
