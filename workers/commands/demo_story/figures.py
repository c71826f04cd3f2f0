"""The quantities of the story, worked out from the seed: a changed seed changes the story, or stops it with a reason."""

from __future__ import annotations

from dataclasses import dataclass

from core.domain.purchasing import order_quantity
from migrations.demo_company import (
    CHANNELS,
    CUSTOMERS,
    LANES,
    OPENING_STOCK,
    PROTECTED,
    PURCHASE_ORDERS,
    STOCK_AT,
    SUPPLIER_SKUS,
)

CHANNEL = "web"
HOME, RESERVE, ZONE = "DC-ICN", "RES-BUSAN", "ZONE-KR"
KETTLE, LAMP, MUG, TEAPOT = "KETTLE-17", "LAMP-DESK", "MUG-BLUE", "TEAPOT-1L"
SUPPLIER, PARTNER = "BRIGHTWORKS", "brightworks"
POTTERY = "CLAYHOUSE"

SHIP_TO = {"country": "KR", "postalCode": "04524", "name": "Haneul demo", "line1": "1 Sejong-daero", "city": "Seoul"}

EARLY_CUSTOMERS = (("HOTEL-NAMSAN", 2), ("CAFE-LUNA", 2))
"""Who takes kettles from stock before the third order, and how many."""
BUYER, BUYER_LANGUAGE = "BAKER", "en"
"""The third order: the line that goes short; the portal client watches as this customer."""
FOLLOWER, FOLLOWER_LANGUAGE, FOLLOWER_QUANTITY = "MINSEO", "ko", 2
"""A later order of a higher tier, covered by what the purchase order has left over."""
LATECOMER = "HOTEL-NAMSAN"
"""Highest tier, but comes when the goods on their way are spoken for."""
COUNTED_CUSTOMER = "WALK-IN"

ASKED = 25
"""One quantity for three SKUs, each answered from another source."""
ACCEPTED = 6
"""What the supplier accepts at once; the rest of its line is backordered."""
FIRST_RECEIPT = 5
"""Too few for all who wait for that purchase order."""
MISSING = 2
"""What the count of the teapots finds less than recorded."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a supplier asks for a SKU; lead times in calendar days."""

    moq: int
    multiple: int
    lead_days: int
    lead_p80: int


def stock(sku: str, place: str) -> int:
    return OPENING_STOCK[sku][STOCK_AT.index(place)]


def protected(sku: str, place: str) -> int:
    return sum(row[3] for row in PROTECTED if row[:2] == (sku, place))


def terms(sku: str) -> Terms:
    row = next(row for row in SUPPLIER_SKUS if row[1] == sku)
    return Terms(*row[4:8])


def inbound(sku: str, place: str) -> list[tuple[int, int]]:
    """(quantity, days until the dock) of what is on order for the place."""
    return [
        (quantity, days)
        for _, _, target, _, _, lines in PURCHASE_ORDERS
        if target == place
        for code, parts in lines
        if code == sku
        for _, quantity, days in parts
    ]


def transit(origin: str, target: str) -> int:
    return next(row[2] for row in LANES if row[:2] == (origin, target))


FREE = stock(KETTLE, HOME) - protected(KETTLE, HOME)
LEFT = FREE - sum(quantity for _, quantity in EARLY_CUSTOMERS)
"""Kettles on hand for the third order."""
BY_TRANSFER = stock(KETTLE, RESERVE)
ORDERED_KETTLES = terms(KETTLE).moq
"""The purchase order; the story needs that the short quantity below is rounded up to it."""
SHORT = ORDERED_KETTLES - FOLLOWER_QUANTITY
"""Backordered units of the third order."""
WANTED = LEFT + BY_TRANSFER + SHORT
BACKORDERED = ORDERED_KETTLES - ACCEPTED
"""What the supplier backorders."""
SECOND_RECEIPT = ORDERED_KETTLES - FIRST_RECEIPT
LATE_WANTED = terms(KETTLE).moq
TEAPOTS = stock(TEAPOT, HOME)
FOUND = TEAPOTS - MISSING
TEAPOTS_ORDERED = order_quantity(MISSING, terms(TEAPOT).moq, terms(TEAPOT).multiple)


def check() -> list[str]:
    """What of the seed does not fit the story; empty when it can be told."""
    sources = next(places for code, _, _, places, _, _ in CHANNELS if code == CHANNEL)
    direct = {row[0] for row in LANES if row[1] == ZONE}
    tiers = {row[0]: row[1] for row in CUSTOMERS}
    languages = {row[0]: row[2] for row in CUSTOMERS}
    facts = {
        f"{HOME} alone serves {ZONE} on channel {CHANNEL}": direct & set(sources) == {HOME},
        f"{RESERVE} reaches {ZONE} only through {HOME}": RESERVE not in direct,
        "some kettles are left for the third order": LEFT > 0 and BY_TRANSFER > 0,
        "the short kettles make one smallest purchase order": order_quantity(
            SHORT, terms(KETTLE).moq, terms(KETTLE).multiple
        )
        == ORDERED_KETTLES,
        "no kettle is on order yet": not inbound(KETTLE, HOME),
        "the first receipt is too small for all, but enough for the highest tier": FOLLOWER_QUANTITY
        < FIRST_RECEIPT
        < ACCEPTED,
        "tiers rise from buyer to follower to latecomer": (tiers[BUYER], tiers[FOLLOWER], tiers[LATECOMER])
        == ("STANDARD", "GOLD", "VIP"),
        "one customer reads English, one Korean": (languages[BUYER], languages[FOLLOWER]) == ("en", "ko"),
        f"{KETTLE} is short of {ASKED}": FREE + BY_TRANSFER < ASKED,
        f"{MUG} is not short of {ASKED}": stock(MUG, HOME) - protected(MUG, HOME) >= ASKED,
        f"{LAMP} has {ASKED} only with what is on order": 0
        < ASKED - stock(LAMP, HOME)
        <= sum(quantity for quantity, _ in inbound(LAMP, HOME)),
    }
    return [fact for fact, holds in facts.items() if not holds]
