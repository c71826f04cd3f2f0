"""Lots, serial numbers, recalls and kits through the schema."""

from __future__ import annotations

import pytest

from core.domain.access import Role
from core.repositories.gates import take_gates
from core.unit_of_work import UnitOfWork, run_unit_of_work
from tests.graphql_api.schema_under_test import Shop, open_shop

pytestmark = pytest.mark.anyio

LOT = "code expiresOn state onHand unsellable allocated location { code }"


@pytest.fixture
async def shop(database_url):
    async with open_shop(database_url) as opened:
        await opened.database.system.execute(
            """insert into sku (code, name, currency, tracks_lots, tracks_expiry, tracks_serials, min_life_days)
                values ('LENS', '{"en": "Lens"}', 'KRW', true, true, true, 5), ('SET', '{"en": "Set"}', 'KRW', false,
                false, false, 0)"""
        )
        kit, parts = await opened.id_of("sku", "SET"), {"MUG-BLUE": 2, "TEAPOT-1L": 1}
        ids = {await opened.id_of("sku", code): units for code, units in parts.items()}

        async def write(uow: UnitOfWork) -> None:
            await take_gates(uow, [kit, *ids])
            for component, units in ids.items():
                await uow.sql.execute("insert into kit_component values ($1, $2, $3)", kit, component, units)

        await run_unit_of_work(opened.database, write, clock=opened.clock)
        yield opened


async def test_a_lot_from_receipt_to_recall(shop: Shop):
    warehouse = shop.context(Role.WAREHOUSE)
    base = {"sku": "LENS", "location": "DC-ICN", "delta": 2, "reason": "opening"}
    refused = await shop.change(warehouse, "stockAdjust", base, "stock { onHand }")
    assert [(e["code"], e["path"]) for e in refused["userErrors"]] == [("INVALID_INPUT", ["input", "lot"])]
    known = {**base, "lot": "B7", "expiresOn": "2027-06-30", "serials": ["L-1", "L-2"]}
    adjusted = await shop.change(warehouse, "stockAdjust", known, "stock { onHand }")
    assert adjusted == {"stock": {"onHand": 2}, "userErrors": []}
    document = f'{{ sku(code: "LENS") {{ tracksLots tracksExpiry tracksSerials minLifeDays lots {{ {LOT} }} }} }}'
    lens = (await shop.ask(warehouse, document))["sku"]
    assert lens == {
        "tracksLots": True,
        "tracksExpiry": True,
        "tracksSerials": True,
        "minLifeDays": 5,
        "lots": [
            {
                "code": "B7",
                "expiresOn": "2027-06-30",
                "state": "SELLABLE",
                "onHand": 2,
                "unsellable": 0,
                "allocated": 0,
                "location": {"code": "DC-ICN"},
            }
        ],
    }
    assert (await shop.ask(shop.context(Role.STOREFRONT), document))["sku"]["lots"] == []
    placed = await shop.place(await _customer(shop), ("LENS", 1))
    number = placed["order"]["number"]
    assert placed["order"]["lines"][0]["allocated"] == 1
    blocked = await shop.change(
        warehouse,
        "lotBlock",
        {"sku": "LENS", "lot": "B7", "reason": "fogged"},
        "units lots { state unsellable } affectedLines { order { number } backordered backorder { cause } }",
    )
    assert blocked == {
        "units": 2,
        "lots": [{"state": "QUARANTINED", "unsellable": 2}],
        "affectedLines": [{"order": {"number": number}, "backordered": 1, "backorder": {"cause": "QUALITY"}}],
        "userErrors": [],
    }
    released = await shop.change(
        shop.context(Role.PLANNER), "lotRelease", {"sku": "LENS", "lot": "B7", "reason": "clear after all"}, "units"
    )
    assert released == {"units": 2, "userErrors": []}
    trace = await shop.ask(
        warehouse,
        """{ lotTrace(sku: "LENS", lot: "B7") { code lots { onHand } uses { shipped } }
            serialUnits(sku: "LENS", serials: ["L-2", "L-9"]) { code state lot history { kind orderLine { lineNumber } } } }""",
    )
    assert trace == {
        "lotTrace": {"code": "B7", "lots": [{"onHand": 2}], "uses": []},
        "serialUnits": [
            {"code": "L-2", "state": "IN_STOCK", "lot": "B7", "history": [{"kind": "RECEIVED", "orderLine": None}]}
        ],
    }


async def _customer(shop: Shop) -> str:
    return await shop.database.system.fetchval("select code from customer order by id limit 1")


async def test_a_kit_is_answered_and_its_lines_say_so(shop: Shop):
    storefront = shop.context(Role.STOREFRONT)
    answer = await shop.ask(
        storefront,
        """{ availability(skus: ["SET", "TEAPOT-1L"], quantity: 2) { availableNow promise { complete quantity }
            sku { components { quantity sku { code } } } }
            many: availability(skus: ["SET"], quantity: 40) { promise { binding { kind sku { code } } } } }""",
    )
    kit, teapot = answer["availability"]
    limit = {"kind": "LEAD_TIME", "sku": {"code": "TEAPOT-1L"}}
    assert answer["many"] == [{"promise": {"binding": limit}}], "teapots run out first, and are ordered anew"
    assert kit["availableNow"] <= teapot["availableNow"]
    assert kit["promise"] == {"complete": True, "quantity": 2}
    assert {(c["quantity"], c["sku"]["code"]) for c in kit["sku"]["components"]} == {(2, "MUG-BLUE"), (1, "TEAPOT-1L")}
    placed = await shop.place(await _customer(shop), ("MUG-BLUE", 1), ("SET", 1))
    assert placed["userErrors"] == []
    found = await shop.ask(
        shop.context(Role.PLANNER),
        "query ($n: String!) { order(number: $n) { lines { lineNumber kit { lineNumber quantity unitsPerKit promised sku { code } } } } }",
        n=placed["order"]["number"],
    )
    first, second, third = (line["kit"] for line in found["order"]["lines"])
    assert first is None
    assert (second["lineNumber"], second["quantity"], second["unitsPerKit"], second["sku"]["code"]) == (2, 1, 2, "SET")
    assert (third["lineNumber"], third["unitsPerKit"]) == (2, 1)
    assert second["promised"] == third["promised"]


async def test_a_planner_says_what_a_kit_is_made_of(shop: Shop):
    planner = shop.context(Role.PLANNER)
    want = "sku { components { quantity sku { code } } }"

    async def change(sku: str, *parts: tuple[str, int]):
        components = [{"sku": code, "quantity": units} for code, units in parts]
        return await shop.change(planner, "kitChange", {"sku": sku, "components": components}, want)

    changed = await change("SET", ("MUG-BLUE", 6))
    assert changed == {"sku": {"components": [{"quantity": 6, "sku": {"code": "MUG-BLUE"}}]}, "userErrors": []}
    for sku, part, code in (
        ("LENS", ("SET", 1), "INVALID_INPUT"),
        ("MUG-BLUE", ("LENS", 1), "INVALID_INPUT"),
        ("SET", ("SET", 1), "INVALID_INPUT"),
        ("SET", ("LENS", 0), "INVALID_INPUT"),
        ("TEAPOT-1L", ("LENS", 1), "INVALID_INPUT"),
        ("SET", ("NONE", 1), "UNKNOWN_SKU"),
    ):
        refused = await change(sku, part)
        assert [e["code"] for e in refused["userErrors"]] == [code], (sku, part)
    (stocked,) = (await change("KETTLE-10", ("LENS", 1)))["userErrors"]
    assert stocked["message"] == (
        "A kit has no stock of its own: 25 units of KETTLE-10 are on hand; count them to 0 first."
    )
    assert (await change("SET"))["sku"] == {"components": []}
