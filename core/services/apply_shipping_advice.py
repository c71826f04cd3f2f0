"""What a warehouse says it shipped (945): beside the shipment that we released to it, and its confirmation where both agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from core.domain.picking import Pick
from core.domain.states import ShipmentStatus
from core.edi.interchanges import Fault
from core.edi.warehouse_documents import ShippingAdvice
from core.errors import InvalidInput, QuantityExceeded
from core.events import Event
from core.ports import Transaction
from core.repositories.edi import Partner
from core.repositories.orders import again_with_more_gates
from core.repositories.warehouse_releases import held_lots, note_advice, release_lines, released_shipments
from core.services.confirm_shipment import ConfirmShipment, confirm_shipments
from core.services.edi_outcome import Applied, Unusable, doubt
from core.services.set_aside_rest import set_aside_rest
from core.services.take_shipments import take_shipments

# W0601: a report of all that left. What another code means is for a person.
_FULL = ("F", "N", "00", "")


async def apply_shipping_advice(
    uow: Transaction, advice: ShippingAdvice, faults: tuple[Fault, ...], partner: Partner, document_id: int
) -> Applied:
    """A planned shipment that left in the units released, from the warehouse that this partner runs, is confirmed in the
    lots that the advice names. Where fewer units left and the lines tell which, these leave, and the others are planned as
    the rest of the shipment: the next advice of another number is about them. All else that differs, lots that cannot have
    left, and another advice of what has left whole move nothing. Each difference is an event `SHIPPING_DOUBT`.

    Raises NotFound for a shipment that we do not know, Unusable for one that was cancelled or is not named.
    """
    if not advice.order_number:
        text = f"Warehouse shipment {advice.number or 'without a number'} names no order of ours."
        raise Unusable("no_order", text, [doubt("number", text, None, "W06")])
    # Locked first: what is compared here is what leaves below.
    known = [row["number"] for row in await released_shipments(uow, advice.order_number)]
    await take_shipments(uow, known or [advice.order_number])
    family = await released_shipments(uow, advice.order_number)
    if known != [row["number"] for row in family]:
        raise again_with_more_gates()
    ours = _told_of(advice, family)
    if ours["status"] == ShipmentStatus.CANCELLED and any(line.shipped for line in advice.lines):
        text = f"Shipment {ours['number']} was cancelled; the warehouse says that it left."
        raise Unusable("cancelled_shipment", text, [doubt("number", text, None, "W06")])
    released = await release_lines(uow, ours["id"])
    tracked = {row["code"] for row in released if row["tracks_lots"]}
    has_left = ours["status"] in (ShipmentStatus.SHIPPED, ShipmentStatus.DELIVERED)
    differences = _differences(advice, released)
    is_full = partner.guide.warehouse == ours["location"] and advice.purpose in _FULL
    short = _short_lines(advice, released) if differences and is_full and not has_left else {}
    refusal, rest_number, is_confirmed = "", "", False
    if has_left and ours["advice"] is not None and (not advice.number or ours["advice"] != advice.number):
        refusal = f"It has left by {ours['advice'] or 'an advice without a number'} already."
    elif has_left:
        differences += _other_lots(_named_lots(advice, tracked), released)
    elif is_full and (short or not differences):
        held, named = await held_lots(uow, ours["id"]), _named_lots(advice, tracked)
        left = _moment(advice, ours["time_zone"], uow.now)
        rest = _without(released, short)
        picks = _picks(named, rest, held) if any(lot for _, lot in named) else []
        request = ConfirmShipment(ours["number"], advice.carrier or None, advice.tracking or None, left, picks)
        try:
            async with uow.savepoint():
                if short:
                    rest_number = await set_aside_rest(uow, ours["number"], family[0]["id"], short)
                await confirm_shipments(uow, [request])
            is_confirmed = True
        except (InvalidInput, QuantityExceeded) as error:
            refusal, differences = error.message, [*differences, *_other_lots(named, held)]
    is_agreed = is_confirmed or (is_full and not (differences or refusal))
    if is_agreed:
        await note_advice(uow, ours["id"], advice.number)
    told: dict[str, Any] = {
        "shipment": ours["number"],
        "differences": differences,
        "tracking": advice.tracking,
        "confirmed": is_agreed,
    }
    if differences or refusal:
        text = f"Warehouse shipment {advice.number} differs from {ours['number']}."
        if is_confirmed:
            text += f" It left without {sum(short.values())} units: they are planned as {rest_number}, and no one is told to ship it."
        text = f"{text} {refusal}".rstrip()
        facts = {"documentId": document_id, "error": text}
        uow.announce(Event("edi", "SHIPPING_DOUBT", facts, f"document:{document_id}", supplier_id=partner.supplier_id))
    return Applied("applied", advice.number, None, faults, told)


def _told_of(advice: ShippingAdvice, family: list[Any]) -> Any:
    """The shipment that left by this advice; else what is left of what was released, once a part of it has left."""
    first, *rests = family
    again = [row for row in family if advice.number and row["advice"] == advice.number]
    still = [row for row in rests if advice.number and row["status"] == ShipmentStatus.PLANNED]
    return (again or still or [first])[0]


def _differences(advice: ShippingAdvice, released: list[Any]) -> list[dict[str, Any]]:
    """Articles of which more or fewer units left than were released."""
    ours, theirs = Counter[str](), Counter[str]()
    for row in released:
        ours[row["code"]] += row["quantity"]
    for line in advice.lines:
        theirs[line.buyer_sku] += line.shipped or 0
    return [
        {"sku": sku, "released": ours[sku], "shipped": theirs[sku]}
        for sku in sorted({*ours, *theirs})
        if ours[sku] != theirs[sku]
    ]


def _short_lines(advice: ShippingAdvice, released: list[Any]) -> dict[int, int]:
    """Units that did not leave, by line of the customer's order; empty where it cannot be told which, where more left than
    was released or nothing did, and of parts of kits, which leave together."""
    ours, theirs = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for row in released:
        ours[row["code"], str(row["line_number"])] += row["quantity"]
    lines_of: dict[str, list[str]] = {}
    for code, number in ours:
        lines_of.setdefault(code, []).append(number)
    for line in advice.lines:
        numbers = lines_of.get(line.buyer_sku, [])
        number = numbers[0] if len(numbers) == 1 else line.line_number.lstrip("0")
        if line.shipped is None or number not in numbers:
            return {}
        theirs[line.buyer_sku, number] += line.shipped
    if not theirs.total() or theirs - ours:
        return {}
    short = {int(number): units for (_, number), units in (ours - theirs).items()}
    return {} if any(row["is_kit"] and row["line_number"] in short for row in released) else short


def _without(released: list[Any], short: Mapping[int, int]) -> list[dict[str, Any]]:
    """What was released, less the units that did not leave."""
    left, rest = Counter(short), list[dict[str, Any]]()
    for row in reversed(released):
        off = min(left[row["line_number"]], row["quantity"])
        left[row["line_number"]] -= off
        rest.append({**row, "quantity": row["quantity"] - off})
    return rest[::-1]


def _named_lots(advice: ShippingAdvice, tracked: set[str]) -> Counter[tuple[str, str]]:
    """Units by article and lot ("" where none is named), of articles that have lots."""
    named = Counter[tuple[str, str]]()
    for line in advice.lines:
        if line.buyer_sku in tracked and line.shipped:
            named[line.buyer_sku, line.lot] += line.shipped
    return named


def _other_lots(named: Counter[tuple[str, str]], ours: list[Any]) -> list[dict[str, Any]]:
    """Lots of which the warehouse names more units than we have here."""
    known = Counter[tuple[str, str]]()
    for row in ours:
        known[row["code"], row["lot"] or ""] += row["quantity"]
    return [
        {"sku": sku, "lot": lot, "released": known[sku, lot], "shipped": units}
        for (sku, lot), units in sorted(named.items())
        if lot and units > known[sku, lot]
    ]


def _picks(named: Counter[tuple[str, str]], released: list[Any], held: list[Any]) -> list[Pick]:
    """The lots that left by line of the order: what a line holds of them it keeps, the rest fills up. An article of which
    no lot is named leaves as it is allocated."""
    lots, picked = +named, Counter[tuple[int, str]]()
    with_lots = {sku for sku, lot in lots if lot}
    room = Counter[tuple[str, int]]()
    for row in released:
        if row["code"] in with_lots:
            room[row["code"], row["line_number"]] += row["quantity"]
    wanted = [(row["code"], row["line_number"], row["lot"], row["quantity"]) for row in held]
    wanted += [(sku, number, lot, room[sku, number]) for sku, lot in lots for code, number in room if code == sku]
    for sku, number, lot, most in wanted:
        units = min(most, room[sku, number], lots[sku, lot])
        room[sku, number] -= units
        lots[sku, lot] -= units
        picked[number, lot] += units
    return [Pick(number, units, lot or None) for (number, lot), units in picked.items() if units]


def _moment(advice: ShippingAdvice, time_zone: str, now: datetime) -> datetime:
    """Noon of the day that the advice names, at the warehouse; never later than now."""
    if advice.shipped_on is None:
        return now
    noon = datetime.combine(advice.shipped_on, time(12), ZoneInfo(time_zone))
    return min(noon.astimezone(UTC), now)
