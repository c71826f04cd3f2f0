"""One article has one GTIN, whatever zeros it is written with; who has it is named, and it can be taken away and moved."""

from __future__ import annotations

import asyncio

import pytest

from core.domain.sku_fields import SkuFields, is_gtin, shortest_gtin
from core.errors import InvalidInput
from core.services.change_sku import ChangeSku, change_sku
from core.services.create_sku import CreateSku, create_sku
from tests.world import World

pytestmark = pytest.mark.anyio


async def give(world: World, sku: str, gtin: str) -> int:
    return await world.do(lambda uow: change_sku(uow, ChangeSku(sku, fields=SkuFields(gtin=gtin))))


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("0036000291452", "036000291452"),
        ("00036000291452", "036000291452"),
        ("04006381333931", "4006381333931"),
        ("10012345678902", "10012345678902"),
        ("00000096385074", "96385074"),
    ],
)
def test_a_gtin_has_one_form(written: str, kept: str) -> None:
    assert (is_gtin(written), is_gtin(kept), shortest_gtin(written), shortest_gtin(kept)) == (True, True, kept, kept)


def test_zeros_alone_are_no_gtin() -> None:
    assert not any(is_gtin("0" * length) for length in (8, 12, 13, 14))


async def test_a_gtin_with_other_zeros_is_the_same_and_goes_to_another_sku_once_it_is_taken_away(world: World) -> None:
    await give(world, "S", "0036000291452")
    assert await world.value("select gtin from sku where code = 'S'") == "036000291452"
    fields = SkuFields(names={"en": "New"}, gtin="00036000291452")
    for wanted in (
        lambda uow: change_sku(uow, ChangeSku("S2", fields=SkuFields(gtin="036000291452"))),
        lambda uow: create_sku(uow, CreateSku("NEW", "KRW", fields=fields)),
    ):
        with pytest.raises(InvalidInput, match="SKU 'S' has this GTIN"):
            await world.do(wanted)
    await give(world, "S", "")
    await give(world, "S2", "036000291452")
    await world.do(lambda uow: create_sku(uow, CreateSku("NEW", "KRW", fields=SkuFields(names={"en": "New"}, gtin=""))))
    rows = await world.rows("select code, gtin from sku where code in ('S', 'S2', 'NEW')")
    assert {row["code"]: row["gtin"] for row in rows} == {"S": None, "S2": "036000291452", "NEW": None}


async def test_of_several_that_ask_for_one_gtin_at_once_one_gets_it_and_the_others_are_told_who(world: World) -> None:
    asked = [give(world, sku, "4006381333931") for sku in ("S", "S2", "S3")]
    refused = [answer for answer in await asyncio.gather(*asked, return_exceptions=True) if not isinstance(answer, int)]
    owner = await world.value("select code from sku where gtin = '4006381333931'")
    assert [str(error) for error in refused] == [f"SKU {owner!r} has this GTIN."] * 2
    assert all(isinstance(error, InvalidInput) for error in refused)
