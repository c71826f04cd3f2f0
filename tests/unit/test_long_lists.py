"""A list that is longer than a page is answered page by page, and says the same."""

import asyncio
from typing import Any

import pytest
import strawberry
from strawberry.dataloader import DataLoader

from api.schema.long_lists import LONG, LongLists

pytestmark = pytest.mark.anyio

batches: list[int] = []


async def double(keys: list[int]) -> list[int]:
    batches.append(len(keys))
    return [2 * key for key in keys]


@strawberry.type
class Line:
    number: int

    @strawberry.field
    async def double(self, info: strawberry.Info) -> int:
        return await info.context.load(self.number)

    @strawberry.field
    def odd(self) -> int | None:
        if self.number % 2 == 0:
            raise ValueError(f"{self.number} is even")
        return self.number


@strawberry.type
class Query:
    @strawberry.field
    def lines(self, count: int) -> list[Line]:
        return [Line(number=number) for number in range(count)]


DOCUMENT = "query ($count: Int!) { lines(count: $count) { number double odd } __schema { types { name } } }"


async def ask(count: int, **options: Any) -> tuple[Any, list[Any], int]:
    """Data, paths of errors, and how often others had their turn."""
    turns, is_over = 0, False

    async def others() -> None:
        nonlocal turns
        while not is_over:
            turns += 1
            await asyncio.sleep(0)

    batches.clear()
    schema = strawberry.Schema(query=Query, **options)
    other = asyncio.create_task(others())
    result = await schema.execute(DOCUMENT, {"count": count}, context_value=DataLoader(double, cache=False))
    is_over = True
    await other
    return result.data, sorted(error.path for error in result.errors or ()), turns


async def test_a_long_list_is_answered_page_by_page_and_says_the_same() -> None:
    count = 3 * LONG
    plain = await ask(count)
    patient = await ask(count, execution_context_class=LongLists)
    assert patient[:2] == plain[:2]
    assert len(plain[1]) == count // 2
    assert batches == [LONG] * 3
    assert patient[2] > 2 * plain[2]
    await ask(LONG, execution_context_class=LongLists)
    assert batches == [LONG]  # of a page everything is loaded at once
