"""What says that PostgreSQL is away, and that nobody waits longer for it than they were told."""

import asyncio
import time

import asyncpg
import pytest
from graphql import GraphQLError

from api.error_handlers import format_errors
from core import away
from core.away import is_away, within

pytestmark = pytest.mark.anyio


async def clinging() -> None:
    """Work that is stopped, and still waits for something."""
    try:
        await asyncio.sleep(60)
    finally:
        await asyncio.sleep(60)


@pytest.mark.parametrize("error", [ConnectionRefusedError(), TimeoutError(), asyncpg.AdminShutdownError("x")])
def test_a_lost_connection_is_told_as_such_and_a_wrong_question_is_not(error: Exception) -> None:
    assert is_away(error)
    assert not is_away(asyncpg.DataError("x"))
    assert not is_away(KeyError("x"))
    wrapped = [GraphQLError("secret", original_error=error, path=["order"])]
    assert [told["extensions"]["code"] for told in format_errors(wrapped, "r")] == ["UNAVAILABLE"]


async def test_who_waits_is_told_in_time_whatever_the_work_clings_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(away, "LEAVE_SECONDS", 0.01)
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        await within(0.01, clinging())
    waiting = asyncio.ensure_future(within(60, clinging()))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert time.monotonic() - began < 30


async def test_what_was_found_or_failed_in_time_is_handed_on() -> None:
    async def found(what: int) -> int:
        if not what:
            raise LookupError
        return what

    assert await within(60, found(7)) == 7
    with pytest.raises(LookupError):
        await within(60, found(0))
