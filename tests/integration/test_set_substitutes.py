"""Planners say what may replace what; who waits and takes a substitute is looked at anew."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from core.domain.placing import LineRequest
from core.errors import DomainError, InvalidInput, NotFound, SkuNotSellable, UnknownSku
from core.services.change_kit import ChangeKit, change_kit
from core.services.set_substitute import SetSubstitute, remove_substitute, set_substitute
from tests.world import World

pytestmark = pytest.mark.anyio


async def set_(world: World, sku: str, substitute: str, **given: Any) -> int:
    return await world.do(lambda uow: set_substitute(uow, SetSubstitute(sku, substitute, **given)))


async def kept(world: World) -> list[tuple[Any, ...]]:
    rows = await world.rows(
        """select k.code as sku, o.code as other, s.ratio, s.rank, s.needs_consent from substitute s
        join sku k on k.id = s.sku_id join sku o on o.id = s.substitute_sku_id order by 1, 2"""
    )
    return [tuple(row.values()) for row in rows]


async def test_a_substitute_comes_changes_and_goes(world: World) -> None:
    asked = "select payload from outbox where job = 'run_backorder_course'"
    await set_(world, "S2", "S3")
    assert await world.rows(asked) == [], "nobody waits"
    await world.place(world.order(LineRequest("S", 2, substitutes_allowed=True)))
    await world.database.system.execute("delete from outbox")
    sku_id = await set_(world, "S", "S2", ratio=2, needs_consent=False)
    assert [row["payload"] for row in await world.rows(asked)] == [{"skuIds": [sku_id]}]
    await set_(world, "S", "S2", rank=3)
    assert await kept(world) == [("S", "S2", 2, 3, False), ("S2", "S3", 1, 1, True)]
    await world.do(lambda uow: remove_substitute(uow, "S", "S2"))
    assert await kept(world) == [("S2", "S3", 1, 1, True)]
    with pytest.raises(NotFound):
        await world.do(lambda uow: remove_substitute(uow, "S", "S2"))
    rows = await world.rows("select operation, before from audit_entry where operation like 'substitute%' order by id")
    assert [row["operation"] for row in rows] == ["substituteSet"] * 3 + ["substituteRemove"]
    assert rows[3]["before"] == {"ratio": 2, "rank": 3, "needsConsent": False, "substitute": await world.sku("S2")}


async def test_what_cannot_replace_is_refused_and_nothing_is_written(world: World) -> None:
    execute = world.database.system.execute
    await execute("update sku set status = 'DISCONTINUED' where code = 'S3'")
    await execute("insert into sku (code, name, currency) values ('KIT', '{}', 'KRW')")
    await world.do(lambda uow: change_kit(uow, ChangeKit("KIT", {"S2": 1})))
    cases: list[tuple[tuple[str, str], dict[str, Any], type[DomainError], str]] = [
        (("S", "S"), {}, InvalidInput, "substitute"),
        (("S", "NOPE"), {}, UnknownSku, "substitute"),
        (("NOPE", "S"), {}, UnknownSku, "sku"),
        (("S", "S3"), {}, SkuNotSellable, "substitute"),
        (("KIT", "S"), {}, InvalidInput, "sku"),
        (("S", "KIT"), {}, InvalidInput, "substitute"),
        (("S", "S2"), {"ratio": 0}, InvalidInput, "ratio"),
        (("S", "S2"), {"rank": 1001}, InvalidInput, "rank"),
    ]
    for codes, given, error, field in cases:
        with pytest.raises(error) as refused:
            await set_(world, *codes, **given)
        assert refused.value.path == ("input", field), codes
    assert await kept(world) == []
    assert await world.value("select count(*) from audit_entry where operation like 'substitute%'") == 0


async def test_of_two_at_once_both_count(world: World) -> None:
    await asyncio.gather(set_(world, "S", "S2", ratio=3), set_(world, "S", "S2", rank=4))
    assert await kept(world) == [("S", "S2", 3, 4, True)]
