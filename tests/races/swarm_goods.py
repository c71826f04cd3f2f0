"""What the swarm does with goods that are more than a number: lots that expire, serial numbers, kits, pre-orders."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.races.swarm_scene import SHOPS, Deed, Scene

TEA, SAW, KIT, BOX, PAN = "SWARM-TEA", "SWARM-SAW", "SWARM-KIT", "SWARM-BOX", "SWARM-PAN"
"""In lots that expire; with serial numbers; a kit with tea, one with a saw; a pre-order."""
DOCKS = ("DC-ICN", "DC-LTN")
LOTS = {"T-OLD": 12, "T-NEW": 300}
"""Lots of the tea, by the days they live."""


def _day(days: int) -> str:
    return (datetime.now(UTC).date() + timedelta(days=days)).isoformat()


def _fresh(s: Scene, units: int) -> list[str]:
    """Numbers that nobody has seen."""
    return [f"N{s.dice.getrandbits(48):x}" for _ in range(units)]


async def stock_goods(s: Scene) -> None:
    """Take the goods into the catalogue, with a supplier and opening stock, as a planner and a clerk would."""
    flags: dict[str, dict[str, Any]] = {
        TEA: {"tracksLots": True, "tracksExpiry": True, "minLifeDays": 5}, SAW: {"tracksSerials": True}, KIT: {}, BOX: {}, PAN: {},
    }  # fmt: skip
    for code, fields in flags.items():
        given: dict[str, Any] = {
            "code": code, "currency": "USD",
            "fields": {"names": [{"language": "en", "text": code}], "unitCost": 500, "unitPrice": 900, **fields},
        }  # fmt: skip
        if code == PAN:
            given["availableFrom"] = _day(9)
        await s.planner.do("skuCreate", "sku { code }", given)
    for code in (TEA, SAW, PAN):
        terms = {
            "supplier": "BRIGHTWORKS", "sku": code, "priceMinor": 500, "currency": "USD", "vendorCode": code, "moq": 1,
            "orderMultiple": 1, "leadTimeDays": 10, "leadTimeP80": 12, "isApproved": True, "isPreferred": True,
        }  # fmt: skip
        await s.planner.do("supplierTermsSet", "__typename", terms)
    parts = {KIT: {s.skus[0]: 2, TEA: 1}, BOX: {s.skus[-1]: 1, SAW: 2}}
    for kit, units in parts.items():
        components = [{"sku": code, "quantity": n} for code, n in units.items()]
        await s.planner.do("kitChange", "sku { code }", {"sku": kit, "components": components})
    for place in (*DOCKS, "RES-BUSAN"):
        for lot, days in LOTS.items():
            await _adjust(s, TEA, place, 12, lot=lot, expiresOn=_day(days))
        await _adjust(s, SAW, place, 15, serials=_fresh(s, 15))
        await _adjust(s, PAN, place, 8)


async def _adjust(s: Scene, sku: str, place: str, delta: int, **more: Any) -> None:
    given = {"sku": sku, "location": place, "delta": delta, "reason": "swarm", **more}
    await s.dock.do("stockAdjust", "stock { onHand }", given)
    if delta > 0:
        s.serials.setdefault(place, []).extend(more.get("serials", ()))


def receipt_of(s: Scene, sku: str, units: int, place: str) -> dict[str, Any]:
    """What a receipt has to say of such units besides how many they are."""
    if sku == TEA:
        lot, days = s.dice.choice((*LOTS.items(), ("T-NOW", 1), ("T-SOON", 6)))
        return {"lot": lot, "expiresOn": _day(days)}
    if sku == SAW:
        numbers = _fresh(s, units)
        s.serials.setdefault(place, []).extend(numbers)
        return {"serials": numbers}
    return {}


def picks_of(s: Scene, shipment: dict[str, Any]) -> list[dict[str, Any]]:
    """Serial numbers for the lines of a planned shipment, as a picker takes them from the shelf."""
    shelf, picks = s.serials.get(shipment["location"]["code"], []), []
    for line in shipment["lines"]:
        if line["orderLine"]["sku"]["code"] == SAW:
            numbers = s.dice.sample(shelf, min(len(shelf), line["quantity"]))
            picks.append(
                {"lineNumber": line["orderLine"]["lineNumber"], "quantity": line["quantity"], "serials": numbers}
            )
    return picks


async def adjust_lot(s: Scene) -> None:
    lot = s.dice.choice(list(LOTS))
    more = {"expiresOn": _day(LOTS[lot]), "unsellable": s.dice.random() < 0.2}
    await _adjust(s, TEA, s.dice.choice((*SHOPS, "RES-BUSAN")), s.dice.choice((-3, -1, 4, 8)), lot=lot, **more)


async def count_lot(s: Scene) -> None:
    lot = s.dice.choice(list(LOTS))
    given = {"sku": TEA, "location": s.dice.choice(DOCKS), "counted": s.dice.randint(2, 20), "lot": lot}
    await s.dock.do("stockCount", "stock { onHand }", given)


async def recall(s: Scene) -> None:
    """A lot is blocked, and mostly given back soon."""
    lot = s.dice.choice(list(LOTS))
    given = {"sku": TEA, "lot": lot, "reason": "swarm"}
    await s.dock.do("lotBlock", "units", given)
    if s.dice.random() < 0.8:
        await s.planner.do("lotRelease", "units", given)


async def lose_or_find_units(s: Scene) -> None:
    place = s.dice.choice(DOCKS)
    shelf = s.serials.setdefault(place, [])
    if shelf and s.dice.random() < 0.5:
        await _adjust(s, SAW, place, -1, serials=[shelf.pop(s.dice.randrange(len(shelf)))])
    else:
        await _adjust(s, SAW, place, 3, serials=_fresh(s, 3))


async def bring_back_unit(s: Scene) -> None:
    """A unit that was sold comes back by its number, sometimes to be sold again."""
    order = s.recent(s.left)
    found = await s.planner.ask(
        "query($n: String!) { order(number: $n) { shipments { status lines { serials orderLine { lineNumber } } } } }",
        n=order,
    )
    gone = [
        (line["orderLine"]["lineNumber"], number)
        for shipment in found["order"]["shipments"]
        for line in shipment["lines"]
        for number in line["serials"]
    ]
    line_number, number = s.recent(gone)
    place = s.dice.choice(DOCKS)
    given = {
        "number": order, "lineNumber": line_number, "quantity": 1, "location": place, "serials": [number],
        "condition": s.dice.choice(("SELLABLE", "SELLABLE", "QUARANTINED")), "reason": "swarm",
    }  # fmt: skip
    await s.dock.do("goodsReturn", "goodsReturn { number }", given)
    s.serials.setdefault(place, []).append(number)


async def move_release(s: Scene) -> None:
    """The pre-order comes later, sooner, or now; and is none, or one again."""
    day = s.dice.choice((None, _day(s.dice.randint(1, 30)), _day(s.dice.randint(1, 30))))
    await s.planner.do("skuReleaseSet", "sku { code }", {"sku": PAN, "availableFrom": day})


async def change_box(s: Scene) -> None:
    """Another recipe; what was ordered keeps the one it was ordered with."""
    components = [
        {"sku": SAW, "quantity": s.dice.choice((1, 2))},
        {"sku": s.skus[-1], "quantity": s.dice.choice((1, 3))},
    ]
    await s.planner.do("kitChange", "sku { code }", {"sku": BOX, "components": components})


GOODS: tuple[Deed, ...] = (
    (adjust_lot, 3, "stockAdjust"), (count_lot, 2, "stockCount"), (recall, 1, "lotBlock"),
    (lose_or_find_units, 3, "stockAdjust"), (bring_back_unit, 3, "goodsReturn"), (move_release, 1, "skuReleaseSet"),
    (change_box, 1, "kitChange"),
)  # fmt: skip
