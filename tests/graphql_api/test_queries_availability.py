"""Availability: what is shown is what placing an order allocates, from one statement, and valid as long as it says."""

import random
from datetime import UTC, date, datetime, timedelta

import pytest

from api.operations import schema
from core.domain.access import Role
from core.domain.availability import Timeline
from core.queries.availability import read_curves
from core.repositories.gates import take_gates
from core.repositories.load_book import load_books
from core.repositories.network import load_network
from core.unit_of_work import unit_of_work
from tests.graphql_api.schema_under_test import NOW, Shop, open_shop

pytestmark = pytest.mark.anyio

ASK = """query ($skus: [String!]!, $quantity: Int, $to: ShipToInput, $channel: String, $locations: [String!]) {
    availability(skus: $skus, quantity: $quantity, shipTo: $to, channel: $channel, locations: $locations) {
        sku { code } asOf validUntil version state availableNow atp(horizonDays: 60) { date quantity }
        promise { quantity complete binding { kind date } shipDate { expected } deliveryDate { expected }
            slices { quantity location { code } source { kind } shipDate { expected } deliveryDate { expected } } }
        locations { location { code } onHand allocated reserved safetyStock onOrder availableNow } } }"""
KOREA = {"country": "KR", "postalCode": "04524"}


@pytest.fixture
async def shop(database_url):
    async with open_shop(database_url) as opened:
        yield opened


async def test_answers_come_in_the_order_of_the_codes_and_an_unknown_one_fails_alone(shop: Shop):
    from api.operations import schema

    context = shop.context(Role.STOREFRONT)
    variables = {"skus": ["MUG-BLUE", "NOPE", "TEAPOT-1L", "MUG-BLUE"], "to": KOREA}
    result = await schema.execute(ASK, variable_values=variables, context_value=context)
    codes = [answer and answer["sku"]["code"] for answer in result.data["availability"]]
    assert codes == ["MUG-BLUE", None, "TEAPOT-1L", "MUG-BLUE"]
    (error,) = result.errors
    assert error.path == ["availability", 1]
    assert error.original_error.code == "UNKNOWN_SKU"


async def test_the_proposal_is_what_placing_the_order_promises(shop: Shop):
    storefront = shop.context(Role.STOREFRONT)
    (answer,) = (await shop.ask(storefront, ASK, skus=["KETTLE-17"], quantity=17, to=KOREA, channel="web"))[
        "availability"
    ]
    placed = (await shop.place("MINSEO", ("KETTLE-17", 17)))["order"]["lines"][0]
    assert answer["availableNow"] == placed["allocated"] == 8
    assert answer["state"] == "IN_STOCK"
    assert answer["promise"]["complete"] is True

    def short(slices):
        return [(s["quantity"], s["location"]["code"], s["source"]["kind"]) for s in slices]

    assert short(answer["promise"]["slices"]) == short(placed["promise"]["slices"])
    assert answer["promise"]["deliveryDate"] == {"expected": placed["promise"]["deliveryDate"]["expected"]}


async def test_what_is_shown_as_available_is_allocated_to_the_next_order_and_no_unit_more(shop: Shop):
    storefront = shop.context(Role.STOREFRONT)
    for sku, country in (("MUG-BLUE", "KR"), ("TOASTER-2S", "GB"), ("LAMP-DESK", "US"), ("GRINDER-PRO", "KR")):
        to = {"country": country, "postalCode": "1"}
        (before,) = (await shop.ask(storefront, ASK, skus=[sku], to=to, channel="web"))["availability"]
        placed = (await shop.place("MINSEO", (sku, before["availableNow"] + 3), country=country))["order"]
        (after,) = (await shop.ask(storefront, ASK, skus=[sku], to=to, channel="web"))["availability"]
        assert (sku, placed["lines"][0]["allocated"]) == (sku, before["availableNow"])
        assert (sku, after["availableNow"]) == (sku, 0)
        assert int(after["version"]) > int(before["version"])


async def test_states_and_figures(shop: Shop):
    storefront = shop.context(Role.STOREFRONT)
    skus = ["MUG-BLUE", "RADIO-70", "GRINDER-PRO", "TEAPOT-1L"]
    answers = (await shop.ask(storefront, ASK, skus=skus, to=KOREA))["availability"]
    assert [(a["state"], a["availableNow"]) for a in answers] == [
        ("IN_STOCK", 36),
        ("DISCONTINUED", 0),
        ("PREORDER", 0),
        ("LOW_STOCK", 5),
    ]
    mug = answers[0]
    assert mug["locations"] == [
        {
            "location": {"code": "DC-ICN"},
            "onHand": 40,
            "allocated": 0,
            "reserved": 0,
            "safetyStock": 10,
            "onOrder": 0,
            "availableNow": 30,
        },
        {
            "location": {"code": "STORE-SEOUL"},
            "onHand": 6,
            "allocated": 0,
            "reserved": 0,
            "safetyStock": 0,
            "onOrder": 0,
            "availableNow": 6,
        },
    ]
    assert answers[1]["promise"] is None
    narrowed = (await shop.ask(storefront, ASK, skus=["MUG-BLUE"], to=KOREA, locations=["STORE-SEOUL"]))["availability"]
    assert narrowed[0]["availableNow"] == 6
    nowhere = (await shop.ask(storefront, ASK, skus=["MUG-BLUE"], to={"country": "AQ"}))["availability"]
    assert (nowhere[0]["availableNow"], nowhere[0]["promise"], nowhere[0]["state"]) == (0, None, "OUT_OF_STOCK")


async def test_channels_and_publishable_keys_show_no_more_than_they_may(shop: Shop):
    public = shop.context(Role.STOREFRONT, is_publishable=True)
    (answer,) = (await shop.ask(public, ASK, skus=["MUG-BLUE"]))["availability"]
    assert answer["availableNow"] == 10
    assert {step["quantity"] for step in answer["atp"]} == {10}
    assert answer["locations"] == []
    (market,) = (await shop.ask(shop.context(Role.STOREFRONT), ASK, skus=["MUG-BLUE"], channel="marketplace"))[
        "availability"
    ]
    assert market["availableNow"] == 10
    (customer,) = (await shop.ask(await shop.customer("MINSEO"), ASK, skus=["MUG-BLUE"]))["availability"]
    assert (customer["availableNow"] > 10, customer["locations"]) == (True, [])


async def test_what_is_not_shown_is_not_told_by_the_parts_of_a_promise(shop: Shop):
    document = """query ($quantity: Int!) { availability(skus: ["MUG-BLUE"], quantity: $quantity, shipTo: {country: "KR"}) {
        promise { quantity complete slices { quantity shipDate { expected } } deliveryDate { expected } } } }"""
    asked = {}
    for name, caller in (("public", {"is_publishable": True}), ("shop", {})):
        context = shop.context(Role.STOREFRONT, **caller)
        for quantity in (5, 1_000):
            (answer,) = (await shop.ask(context, document, quantity=quantity))["availability"]
            asked[name, quantity] = answer["promise"]
    assert [part["quantity"] for part in asked["public", 1_000]["slices"]] == [1_000]
    assert len(asked["shop", 1_000]["slices"]) > 2
    assert asked["public", 1_000]["deliveryDate"] == asked["shop", 1_000]["deliveryDate"]
    assert asked["public", 5] == asked["shop", 5]


async def test_a_country_that_is_no_code_is_refused_and_not_sold_out(shop: Shop):
    document = 'query ($to: ShipToInput!) { availability(skus: ["MUG-BLUE"], shipTo: $to) { state } }'
    for country in ("Korea", "", "K"):
        result = await schema.execute(
            document, variable_values={"to": {"country": country}}, context_value=shop.context(Role.STOREFRONT)
        )
        (error,) = result.errors or ()
        assert error.original_error.message == f"The country {country!r} is not a two-letter code (ISO 3166)."


async def test_valid_until_is_the_next_cut_off_then_midnight_or_a_hold(shop: Shop):
    storefront = shop.context(Role.STOREFRONT)

    async def valid_until():
        (answer,) = (await shop.ask(storefront, ASK, skus=["MUG-BLUE"], to=KOREA))["availability"]
        return datetime.fromisoformat(answer["validUntil"])

    assert await valid_until() == datetime(2026, 11, 18, 6, 0, tzinfo=UTC)  # 15:00 in Incheon
    shop.clock.at = datetime(2026, 11, 18, 9, 30, tzinfo=UTC)
    assert await valid_until() == datetime(2026, 11, 18, 15, 0, tzinfo=UTC)  # midnight in Seoul
    async with unit_of_work(shop.database, shop.clock) as uow:
        sku_id, location_id = await shop.id_of("sku", "MUG-BLUE"), await shop.id_of("location", "DC-ICN")
        await take_gates(uow, [sku_id])
        await uow.sql.execute(
            """insert into reservation (sku_id, group_id, location_id, need_date, quantity, holder, expires_at,
                hold_until_latest) values ($1, gen_random_uuid(), $2, $3, 7, 'cart', $4, $4)""",
            sku_id,
            location_id,
            date(2026, 11, 18),
            shop.clock.at + timedelta(minutes=10),
        )
    assert await valid_until() == shop.clock.at + timedelta(minutes=10)
    (held,) = (await shop.ask(storefront, ASK, skus=["MUG-BLUE"], to=KOREA))["availability"]
    assert (held["availableNow"], held["locations"][0]["reserved"]) == (29, 7)
    shop.clock.at += timedelta(minutes=10)
    (free,) = (await shop.ask(storefront, ASK, skus=["MUG-BLUE"], to=KOREA))["availability"]
    assert (free["availableNow"], free["version"]) == (36, held["version"])


async def test_the_curve_of_the_statement_is_the_curve_of_the_book(shop: Shop):
    """One rule, two readers: random supplies, pegs and holds, overdue ones too."""
    chance = random.Random(7)
    today = NOW.date()
    places = [await shop.id_of("location", code) for code in ("DC-ICN", "DC-LTN", "RES-BUSAN")]
    async with unit_of_work(shop.database, shop.clock) as uow:
        sku_ids = [r["id"] for r in await uow.sql.fetch("select id from sku order by id limit 6")]
        await take_gates(uow, sku_ids)
        for _ in range(120):
            sku_id, place = chance.choice(sku_ids), chance.choice(places)
            day = today + timedelta(days=chance.randint(-5, 40))
            await uow.sql.execute(
                """insert into supply (sku_id, location_id, kind, quantity, received, usable_date, overdue_days)
                values ($1, $2, 'return', $3, $4, $5, $6)""",
                sku_id,
                place,
                chance.randint(3, 9),
                chance.randint(0, 3),
                day,
                chance.randint(0, 4),
            )
            await uow.sql.execute(
                """insert into reservation (sku_id, group_id, location_id, need_date, quantity, holder, expires_at,
                    hold_until_latest, state) values ($1, gen_random_uuid(), $2, $3, $4, 'x', $5, $5, 'held')""",
                sku_id,
                place,
                day,
                chance.randint(1, 4),
                NOW + timedelta(minutes=chance.choice((-5, 0, 5))),
            )
    async with unit_of_work(shop.database, shop.clock) as uow:
        rows = await read_curves(uow.sql, sku_ids, places, NOW, "")
        network = await load_network(uow)
        versions = await take_gates(uow, sku_ids)
        books = await load_books(uow, versions, network)
        for row in rows:
            curve = Timeline(row["today"], zip(row["days"] or (), row["nets"] or (), strict=True))
            expected = books[row["sku_id"]].timeline(row["location_id"])
            assert curve.steps() == expected.steps()
            assert row["version"] + 1 == versions[row["sku_id"]]
        assert len(rows) == 18


async def test_bad_questions_are_refused(shop: Shop):
    storefront = shop.context(Role.STOREFRONT)
    for variables in (
        {"skus": ["MUG-BLUE"], "quantity": 0},
        {"skus": ["MUG-BLUE"], "channel": "nope"},
        {"skus": ["MUG-BLUE"], "locations": ["nope"]},
        {"skus": ["MUG-BLUE"] * 101},
    ):
        assert await shop.errors(storefront, ASK, **variables) == [("InvalidInput", ["availability"])]
    assert (await shop.ask(storefront, ASK, skus=[]))["availability"] == []


async def test_a_dated_slice_names_the_supply_that_placing_pegs_it_to(shop: Shop):
    document = """query ($skus: [String!]!, $to: ShipToInput) { availability(skus: $skus, quantity: 40, shipTo: $to, channel: "web") {
        promise { slices { quantity source { kind } shipDate { expected basis } } } } }"""
    (answer,) = (await shop.ask(shop.context(Role.STOREFRONT), document, skus=["LAMP-DESK"], to=KOREA))["availability"]
    placed = (await shop.place("MINSEO", ("LAMP-DESK", 40)))["order"]["lines"][0]

    def kinds(slices):
        return [(s["quantity"], s["source"]["kind"]) for s in slices]

    assert kinds(answer["promise"]["slices"]) == kinds(placed["promise"]["slices"])
