"""A stream that has lasted long holds no more than one that has just begun."""

import gc
from collections.abc import AsyncGenerator
from types import SimpleNamespace
from typing import Any

import pytest
import strawberry
from graphql.execution.collect_fields import CollectedFields

from api.transport.engine import Engine
from api.transport.events import EventExecution
from api.transport.request import request_of
from core.settings import Settings

pytestmark = pytest.mark.anyio


@strawberry.type
class Thing:
    number: int


@strawberry.type
class Query:
    number: int = 1


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def things(self) -> AsyncGenerator[Thing, None]:
        yield Thing(number=0)


def held() -> int:
    """What GraphQL-core has remembered of documents and is still there."""
    gc.collect()
    return sum(isinstance(one, CollectedFields) for one in gc.get_objects())


async def test_nothing_of_an_event_stays_with_its_stream() -> None:
    schema = strawberry.Schema(query=Query, subscription=Subscription)
    request = request_of({"query": "subscription { things { number } }"})
    prepared = Engine(schema, Settings(env="test")).prepare(request, anonymous=False)
    context: Any = SimpleNamespace(hub=None, caller=None)
    execute = EventExecution(schema, request, prepared, context)
    await execute(Thing(number=0))
    before = held()
    for number in range(50):
        assert (await execute(Thing(number=number))).data == {"things": {"number": number}}
    assert held() <= before
