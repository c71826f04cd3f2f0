"""Customers come, change and are erased; what a person told us is in one row, and goes with it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from core.domain.access import Principal, Role
from core.domain.customer_fields import Person
from core.domain.placing import ShipTo
from core.errors import DomainError, Forbidden, IllegalTransition, InvalidInput, NotFound
from core.services.erase_customer import erase_customer
from core.services.set_customer import SetCustomer, set_customer
from tests.world import World

pytestmark = pytest.mark.anyio

MIRA = Person("Mira Quill", "Mira@quill.example", "+44 20 7946", ShipTo("gb", "M1 2AB", line1="Nightingale Mews 3"))


async def set_(world: World, code: str, **given: Any) -> int:
    return await world.do(lambda uow: set_customer(uow, SetCustomer(code, **given)))


async def kept(world: World, code: str) -> list[Any]:
    return await world.rows(
        """select c.tier, c.language, p.name, p.email, p.phone, p.address from customer c
        left join customer_person p on p.customer_id = c.id where c.code = $1""",
        code,
    )


async def test_a_customer_comes_orders_changes_and_is_erased(world: World) -> None:
    id = await set_(world, "NEW-1", person=MIRA)
    address = {"country": "GB", "postalCode": "M1 2AB", "line1": "Nightingale Mews 3"}
    person = {"name": "Mira Quill", "email": "Mira@quill.example", "phone": "+44 20 7946", "address": address}
    assert await kept(world, "NEW-1") == [{"tier": "STANDARD", "language": "en", **person}]
    to = ShipTo("KR", "04524", "Mira Quill", "Nightingale Mews 3", "Seoul")
    (placed,) = await world.place(world.order(("S", 2), customer="NEW-1", ship_to=to))
    assert placed.outcome == "placed"
    await world.database.system.execute("delete from outbox")
    assert await set_(world, "NEW-1", tier="GOLD", language="ko", person=Person(phone="")) == id
    assert await kept(world, "NEW-1") == [{"tier": "GOLD", "language": "ko", **person, "phone": None}]
    asked = await world.rows("select payload from outbox where job = 'allocate_waiting_demand'")
    assert [row["payload"] for row in asked] == [{"skuIds": [await world.sku()]}], "its rank is another now"
    with pytest.raises(IllegalTransition) as refused:
        await world.do(lambda uow: erase_customer(uow, "NEW-1"))
    assert str(placed.number) in refused.value.message
    await world.database.system.execute("update sales_order set status = 'CANCELLED'")
    assert await world.do(lambda uow: erase_customer(uow, "NEW-1")) == id
    nobody = dict.fromkeys(("name", "email", "phone", "address"))
    assert await kept(world, "NEW-1") == [{"tier": "GOLD", "language": "ko", **nobody}]
    (order,) = await world.rows("select number, ship_to from sales_order")
    empty = {"country": "KR", "postalCode": "04524", "name": "", "line1": "", "city": ""}
    assert order == {"number": placed.number, "ship_to": empty}
    entries = await world.rows(
        "select operation, object, before, after from audit_entry where operation like 'customer%' order by id"
    )
    assert [row["object"] for row in entries] == [f"customer:{id}"] * 3
    assert entries[0]["after"]["personalFields"] == ["address", "email", "name", "phone"]
    assert entries[1]["before"] == {"tier": "STANDARD", "language": "en"}
    assert entries[2]["after"] == {"wasKnown": True, "addresses": 1}
    told = json.dumps(entries)
    assert [word for word in ("Quill", "quill", "7946", "Mews", "04524") if word in told] == []


@pytest.mark.parametrize(
    ("given", "path", "words"),
    [
        ({"code": "a@b.example"}, "code", "1 to 64 letters"),
        ({"tier": "PLATINUM"}, "tier", "known: STRATEGIC, VIP"),
        ({"language": "Korean"}, "language", "two small letters"),
        ({"person": Person(email="Mews")}, "email", "name@example.com"),
        ({"person": Person(phone="Mews")}, "phone", "3 to 32"),
        ({"person": Person(name="Mews" * 100)}, "name", "200"),
        ({"person": Person(address=ShipTo("KOR"))}, "address.country", "'KOR'"),
        ({"person": Person(address=ShipTo("KR", line1="Mews\n"))}, "address.line1", "printable"),
        ({"person": Person(email="MIRA@quill.example")}, "email", "Another customer"),
    ],
)
async def test_what_cannot_be_is_refused_and_changes_nothing(
    world: World, given: dict[str, Any], path: str, words: str
) -> None:
    await set_(world, "NEW-1", person=MIRA)
    count = "select count(*) from customer union all select count(*) from customer_person union all select count(*) from audit_entry"
    before = await world.rows(count)
    with pytest.raises(InvalidInput) as refused:
        await set_(world, **{"code": "NEW-2", **given})
    assert ".".join(refused.value.path) == f"input.{path}"
    assert words in refused.value.message
    assert "Mews" not in refused.value.message + str(refused.value.facts)
    assert await world.rows(count) == before


async def test_a_storefront_makes_customers_and_changes_none(world: World) -> None:
    world.principal = Principal("shop", Role.STOREFRONT)
    await set_(world, "NEW-1", person=MIRA)
    for given, error in (
        ({"code": "NEW-1"}, InvalidInput),
        ({"code": "C1", "person": MIRA}, InvalidInput),
        ({"code": "NEW-2", "tier": "VIP"}, Forbidden),
    ):
        with pytest.raises(error):
            await set_(world, **given)
    assert await world.value("select count(*) from customer_person") == 1
    with pytest.raises(NotFound):
        await world.do(lambda uow: erase_customer(uow, "NEW-9"))


async def test_of_two_at_once_with_one_address_one_gets_it(world: World) -> None:
    async def one(code: str) -> str:
        try:
            await set_(world, code, person=Person(email="only@one.example"))
        except DomainError as error:
            return error.code
        return "done"

    assert sorted(await asyncio.gather(one("N1"), one("N2"))) == ["INVALID_INPUT", "done"]
    both = await asyncio.gather(set_(world, "N3", tier="VIP"), set_(world, "N3", language="ko"))
    assert both[0] == both[1]
    assert (await kept(world, "N3"))[0]["tier"] == "VIP"
    assert (await kept(world, "N3"))[0]["language"] == "ko"
