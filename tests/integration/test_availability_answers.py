"""Answers of availability: one statement, never stale, and exactly what an order placed right after gets."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from core.domain.placing import LineRequest
from core.queries.availability import read_curves, timeline_of
from core.repositories.gates import take_gates
from core.repositories.load_book import load_books
from core.repositories.network import load_network
from core.services.answer_availability import AvailabilityQuestion, SkuAvailability, answer_availability
from core.services.refresh_curves import refresh_curves
from tests.world import NOW, TODAY, World

pytestmark = pytest.mark.anyio


class Counting:
    """A connection that counts what is asked of it."""

    def __init__(self, sql: Any) -> None:
        self.sql, self.statements = sql, 0

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.sql, name)
        if name not in ("fetch", "fetchrow", "fetchval", "execute", "executemany"):
            return value

        async def counted(*arguments: Any) -> Any:
            self.statements += 1
            return await value(*arguments)

        return counted


async def _ask(world: World, *skus: str, **more: Any) -> tuple[list[SkuAvailability], int]:
    question = AvailabilityQuestion(skus, **{"channel": "web", "ship_to": ("KR", "04524"), **more})

    async def answer(uow) -> tuple[Any, int]:
        counting = Counting(uow.sql)
        return await answer_availability(replace_sql(uow, counting), question), counting.statements

    return await world.do(answer)


def replace_sql(uow: Any, sql: Any) -> Any:
    return replace(uow, sql=sql)


async def test_sixty_pairs_are_one_round_trip_once_kept(world):
    await world.database.system.execute(
        """insert into sku (code, name, currency) select 'K' || n, '{"en": "k"}', 'KRW' from generate_series(1, 20) n"""
    )
    codes = [f"K{n}" for n in range(1, 21)]
    for code in codes:
        await world.stock(3, sku=code)
    await _ask(world, "S")  # the network is read once per process
    _, first = await _ask(world, *codes)
    assert await world.value("select count(*) from availability_curve") == 63, "21 SKUs at A, B and their donor"
    answers, second = await _ask(world, *codes)
    assert (first, second) == (2, 1)
    assert [a.available_now for a in answers] == [3] * 20
    await world.stock(2, sku="K7")
    answers, third = await _ask(world, *codes)
    assert third == 2, "the pairs of K7 were missing"
    assert [a.available_now for a in answers] == [3] * 6 + [5] + [3] * 13


async def test_a_stale_row_never_answers(world):
    await world.stock(5)
    (before,), _ = await _ask(world, "S")
    await world.place(world.order(("S", 4)))
    (after,), statements = await _ask(world, "S")
    assert (before.available_now, after.available_now, statements) == (5, 1, 2)
    assert after.version == before.version + 1
    assert await world.do(refresh_curves) == 0, "the reader has refreshed it"
    await world.stock(1)
    assert await world.do(refresh_curves) == 3
    (again,), statements = await _ask(world, "S")
    assert (again.available_now, statements) == (2, 1)


async def test_time_alone_makes_a_row_stale(world):
    """Midnight makes a supply overdue, and a hold ends: neither writes anything."""
    await world.supply(5, TODAY + timedelta(days=1))
    await world.stock(2)
    sku_id, place = await world.sku(), await world.location()

    async def hold(uow) -> None:
        await take_gates(uow, [sku_id])
        await uow.sql.execute(
            """insert into reservation (sku_id, group_id, location_id, need_date, quantity, kind, holder, expires_at,
                hold_until_latest, state) values ($1, gen_random_uuid(), $2, $3, 2, 'cart', 'x', $4, $4, 'held')""",
            sku_id,
            place,
            TODAY,
            NOW + timedelta(minutes=10),
        )

    await world.do(hold)
    (held,), _ = await _ask(world, "S")
    world.clock.at = NOW + timedelta(minutes=10)
    (free,), statements = await _ask(world, "S")
    assert (held.available_now, free.available_now, statements) == (0, 2, 2)
    assert held.valid_until == NOW + timedelta(minutes=10)
    world.clock.at = NOW + timedelta(days=2)
    (late,), statements = await _ask(world, "S", quantity=7)
    assert statements == 3, "asked, made anew, and which supply the dated part waits for"
    assert late.proposal is not None
    assert max(s.ship_date for s in late.proposal.slices) == TODAY + timedelta(days=3), (
        "overdue: tomorrow at the earliest"
    )


async def test_what_expires_is_answered_from_kept_curves_and_as_an_order_gets_it(world):
    chance = random.Random(7)
    sku_id, places = await world.sku(), [await world.location(code) for code in ("A", "B", "R")]
    await world.database.system.execute(
        "update sku set tracks_lots = true, tracks_expiry = true, min_life_days = 2 where id = $1", sku_id
    )

    async def write(uow) -> None:
        await take_gates(uow, [sku_id])
        for number in range(9):
            place, units, day = (
                chance.choice(places),
                chance.randint(1, 6),
                TODAY + timedelta(days=chance.randint(0, 16)),
            )
            await receive_lot(uow, sku_id, place, f"L{number}", day, units)
        await uow.sql.execute("insert into minimum_life (sku_id, channel, days) values ($1, 'web', 3)", sku_id)
        await uow.sql.execute(
            "insert into minimum_life (sku_id, customer_id, days) select $1, id, 6 from customer where code = 'C1'",
            sku_id,
        )

    await world.do(write)
    await world.supply(9, TODAY + timedelta(days=5))
    customer_id = await world.value("select id from customer where code = 'C1'")
    for number in range(10):
        asks = chance.choice((None, None, 0, 5, 9))
        code, id = chance.choice((("C1", customer_id), (None, None)))
        quantity, more = chance.randint(1, 7), {"customer_id": id, "min_life_days": asks}
        (_, _), ((answer,), statements) = [await _ask(world, "S", quantity=quantity, **more) for _ in range(2)]
        dated = any(
            part["source"] not in ("LEAD_TIME", "TRANSFER") and part["shipDate"] > TODAY.isoformat()
            for part in answer.slices
        )
        assert statements <= 2, "kept: one, and one for the names of dated supplies"
        assert dated or statements == 1
        wanted = world.order(
            LineRequest("S", quantity, min_life_days=asks), customer=code, external_number=f"X{number}"
        )
        (placed,) = await world.place(wanted)
        line = await world.line(placed.number)
        slices = await world.value("select slices from promise where order_line_id = $1 and sequence = 1", line["id"])
        assert [(s["location"], s["shipDate"], s["quantity"]) for s in _merge(answer.slices)] == [
            (s["location"], s["shipDate"], s["quantity"]) for s in _merge(slices)
        ], (number, asks, code, quantity)
        assert line["allocated"] <= answer.available_now


async def receive_lot(uow: Any, sku_id: int, place: int, code: str, expires: date, units: int) -> None:
    await uow.sql.execute(
        """insert into lot (sku_id, location_id, code, expires_on, on_hand) values ($1, $2, $3, $4, $5)""",
        sku_id,
        place,
        code,
        expires,
        units,
    )
    await uow.sql.execute(
        """insert into stock_level (sku_id, location_id, on_hand) values ($1, $2, $3)
        on conflict (sku_id, location_id) do update set on_hand = stock_level.on_hand + excluded.on_hand""",
        sku_id,
        place,
        units,
    )


async def _mess_up(world: World, chance: random.Random) -> None:
    """A random world under the gates: stock, supplies (late, received in part), holds, protections, orders."""
    skus = [await world.sku(code) for code in ("S", "S2", "S3")]
    places = {code: await world.location(code) for code in ("A", "B", "R")}
    for code in ("S", "S2", "S3"):
        for place in places:
            if chance.random() < 0.6:
                await world.stock(chance.randint(1, 9), sku=code, location=place)

    async def write(uow) -> None:
        await take_gates(uow, skus)
        for _ in range(14):
            sku_id, place = chance.choice(skus), chance.choice(list(places.values()))
            day = TODAY + timedelta(days=chance.randint(-4, 18))
            await uow.sql.execute(
                """insert into supply (sku_id, location_id, kind, quantity, received, cancelled, usable_date, overdue_days)
                values ($1, $2, 'production', $3, $4, $5, $6, $7)""",
                sku_id,
                place,
                chance.randint(4, 12),
                chance.randint(0, 2),
                chance.randint(0, 2),
                day,
                chance.randint(0, 3),
            )
            await uow.sql.execute(
                """insert into reservation (sku_id, group_id, location_id, need_date, quantity, kind, holder, expires_at,
                    hold_until_latest, state) values ($1, gen_random_uuid(), $2, $3, $4, 'cart', 'x', $5, $5, $6)""",
                chance.choice(skus),
                chance.choice(list(places.values())),
                max(day, TODAY),
                chance.randint(1, 3),
                NOW + timedelta(minutes=chance.choice((-5, 0, 5))),
                chance.choice(("held", "held", "released")),
            )
        for sku_id in skus:
            for demand_class, place in (("", places["A"]), ("vip", places["A"]), ("", places["B"])):
                if chance.random() < 0.5:
                    for offset in chance.sample(range(-9, 15), chance.randint(1, 3)):
                        await uow.sql.execute(
                            """insert into protected_stock (sku_id, location_id, demand_class, from_date, quantity)
                            values ($1, $2, $3, $4, $5)""",
                            sku_id,
                            place,
                            demand_class,
                            TODAY + timedelta(days=offset),
                            chance.randint(0, 4),
                        )

    await world.do(write)
    orders = []
    for number in range(8):
        order = world.order((chance.choice(("S", "S2", "S3")), chance.randint(1, 9)), customer=None)
        orders.append(replace(order, channel=chance.choice(("web", "vip")), external_number=f"M{number}"))
    await world.place(*orders)


async def _vip(world: World) -> None:
    await world.database.system.execute(
        "insert into channel (code, name, protected_class) values ('vip', 'VIP', 'vip') on conflict do nothing"
    )


def _read_day_by_day(book: Any, place: int, demand_class: str, day: date, last: date) -> int:
    """ATP(day) from the rows, day by day, by the definition; other classes' claims without a source give way."""
    today, lowest = book.today[place], None
    own = book.protection_class(place, demand_class)
    while day <= last:
        balance = book.level(place).available
        balance += sum(s.open for s in book.supplies if s.location_id == place and s.effective_date(today) <= day)
        balance -= sum(h.quantity for h in book.holds if h.location_id == place and h.need_date <= day)
        claims: dict[str, int] = {}
        for peg in book.pegs:
            if peg.location_id != place or peg.kind == "HARD" or peg.need_date > day:
                continue
            name = book.protection_class(place, peg.line.demand_class if peg.line is not None else peg.demand_class)
            if peg.kind == "OPEN" and name != own:
                claims[name] = claims.get(name, 0) + peg.quantity
            else:
                balance -= peg.quantity
        for name in sorted(claims, key=lambda n: -book.protected_at(place, n, day)):
            balance = max(balance - claims[name], min(balance, book.protected_at(place, name, day)))
        balance -= book.protected_at(place, demand_class, day)
        lowest = balance if lowest is None else min(lowest, balance)
        day += timedelta(days=1)
    return max(0, lowest or 0)


async def _compare(world: World) -> int:
    """Every curve of the statement against a reading day by day; returns how many days were compared."""
    skus = [await world.sku(code) for code in ("S", "S2", "S3")]
    places = [await world.location(code) for code in ("A", "B", "R")]

    async def compare(uow) -> int:
        network = await load_network(uow)
        rows = {c: await read_curves(uow.sql, skus, places, NOW, c) for c in ("", "vip")}
        books = await load_books(uow, await take_gates(uow, skus), network)
        compared = 0
        for demand_class, found in rows.items():
            for row in found:
                curve, book = timeline_of(row), books[row["sku_id"]]
                for offset in range(26):
                    day = TODAY + timedelta(days=offset)
                    expected = _read_day_by_day(book, row["location_id"], demand_class, day, TODAY + timedelta(days=50))
                    assert curve.atp(day) == expected, (row["sku_id"], row["location_id"], demand_class, day)
                    compared += 1
        return compared

    return await world.do(compare)


async def _same_as_ordered(world: World, chance: random.Random, rounds: int) -> None:
    for number in range(rounds):
        sku, quantity = chance.choice(("S", "S2", "S3")), chance.randint(1, 16)
        channel = chance.choice(("web", "vip"))
        (answer,), _ = await _ask(world, sku, quantity=quantity, channel=channel)
        wanted = replace(world.order((sku, quantity), customer=None), channel=channel, external_number=f"E{number}")
        (placed,) = await world.place(wanted)
        line = await world.line(placed.number)
        (promise,) = await world.rows(
            "select slices, evidence from promise where order_line_id = $1 and sequence = 1", line["id"]
        )
        shown = sorted((s["location"], s["shipDate"], s["quantity"]) for s in _merge(answer.slices))
        told = sorted((s["location"], s["shipDate"], s["quantity"]) for s in _merge(promise["slices"]))
        assert shown == told
        # what is protected until tomorrow is on hand, and allocated tomorrow
        now = [s for s in answer.slices if s["source"] == "ON_HAND" and s["shipDate"] == TODAY.isoformat()]
        assert line["allocated"] == sum(s["quantity"] for s in now)
        assert line["allocated"] <= answer.available_now
        assert line["promised_date"] == max(date.fromisoformat(s["deliveryDate"]) for s in answer.slices)


def _merge(slices: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One slice per place and day: an order's pegs are merged or split by source."""
    found: dict[tuple[int, str], int] = {}
    for part in slices:
        key = (part["location"], part["shipDate"])
        found[key] = found.get(key, 0) + part["quantity"]
    return [{"location": place, "shipDate": day, "quantity": units} for (place, day), units in found.items()]


@pytest.mark.parametrize("seed", range(3))
async def test_the_statement_equals_a_reading_day_by_day(world, seed):
    await _vip(world)
    await _mess_up(world, random.Random(seed))
    assert await _compare(world) == 468


@pytest.mark.parametrize("seed", range(3))
async def test_an_answer_is_what_an_order_right_after_gets(world, seed):
    await _vip(world)
    chance = random.Random(100 + seed)
    await _mess_up(world, chance)
    await _same_as_ordered(world, chance, 12)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(40))
async def test_many_more_worlds(world, seed):
    await _vip(world)
    chance = random.Random(1_000 + seed)
    await _mess_up(world, chance)
    await _compare(world)
    await _same_as_ordered(world, chance, 20)
    await _compare(world)
