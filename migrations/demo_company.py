"""A small believable company for an empty database: Haneul Home, kitchen and desk goods, from Incheon and Luton.

The demo and the examples use these figures; they may rely on them.

**Places.** Stock: `DC-ICN` (Incheon, Asia/Seoul, cut-off 15:00, KR calendar), `DC-LTN` (Luton, Europe/London, 16:00, GB
calendar), `RES-BUSAN` (reserve warehouse, 12:00), `STORE-SEOUL` (open every day, 18:00). Delivery zones: `ZONE-KR`,
`ZONE-KR-JEJU` (postal codes 63...), `ZONE-GB`, `ZONE-US`, `ZONE-DE`. Suppliers leave from `SUP-SHENZHEN`, `SUP-STOKE`.

| Lane (days in transit) | KR | KR-JEJU | GB | US | DE | DC-ICN | DC-LTN | STORE-SEOUL |
|---|---|---|---|---|---|---|---|---|
| DC-ICN | 1 | 2 | - | 4 | - | - | - | 1 |
| DC-LTN | - | - | 1 | 5 | 3 | - | - | - |
| STORE-SEOUL | 1 | - | - | - | - | - | - | - |
| RES-BUSAN | - | - | - | - | - | 2 | 8 | - |

`RES-BUSAN` reaches customers only by a transfer.

| SKU | DC-ICN | DC-LTN | RES-BUSAN | STORE-SEOUL | protected | inbound | supplier, MOQ / multiple, lead time / P80 |
|---|---|---|---|---|---|---|---|
| KETTLE-17 | 8 | 5 | 3 | 0 | - | - | BRIGHTWORKS 10 / 5, 14 / 18 |
| LAMP-DESK | 20 | 12 | 0 | 2 | - | 24 to DC-ICN in 9 days | BRIGHTWORKS 12 / 12, 14 / 18 |
| MUG-BLUE | 40 | 60 | 100 | 6 | 10 at DC-ICN | 96 to DC-LTN, unanswered | CLAYHOUSE 48 / 24, 10 / 12 |
| MUG-WHITE | 30 | 48 | 0 | 6 | - | - | CLAYHOUSE 48 / 24, 10 / 12 |
| TEAPOT-1L | 5 | 9 | 0 | 0 | - | - | CLAYHOUSE 6 / 6, 10 / 12 |
| TOASTER-2S | 6 | 10 | 4 | 0 | 2 at DC-LTN | 30 to DC-ICN: 20 in 9, 10 in 25 days | BRIGHTWORKS 10 / 10, 14 / 18 |
| FAN-TOWER | 15 | 0 | 25 | 0 | - | - | BRIGHTWORKS 5 / 5, 21 / 28 |
| KETTLE-10 | 12 | 12 | 0 | 1 | - | - | BRIGHTWORKS 10 / 5, 14 / 18 |
| PLATE-SET | 10 | 24 | 0 | 0 | - | - | CLAYHOUSE 12 / 6, 10 / 12 |
| BOWL-RAMEN | 60 | 10 | 40 | 8 | - | - | CLAYHOUSE 24 / 12, 10 / 12 |
| GRINDER-PRO | 0 | 0 | 0 | 0 | - | - | BRIGHTWORKS 5 / 1, 30 / 40 (PREORDER) |
| RADIO-70 | 3 | 0 | 0 | 0 | - | - | none (DISCONTINUED) |
| TEA-SENCHA | 24 | 18 | 0 | 0 | - | 24 to DC-LTN, unanswered | CLAYHOUSE 12 / 12, 10 / 12 (lots) |
| TEA-SET | - | - | - | - | - | - | none (kit: TEAPOT-1L and 4 MUG-WHITE) |

TEA-SENCHA is kept in lots that expire, and must live 30 more days at delivery: at DC-ICN 8 of `SEN-A` live 40 days from
the seed on and 16 of `SEN-B` 200 days, at DC-LTN 18 of `SEN-B`. TEA-SET is a kit, sold as its components.

KETTLE-17 and TEAPOT-1L have no reorder point: they are bought only for backorders. Two kettles each for two customers,
then 17 for a third, in Korea: 4 from DC-ICN, 3 by transfer from RES-BUSAN, 10 short, one purchase order line of 10.
KETTLE-10 may replace KETTLE-17 with the customer's consent, MUG-WHITE replaces MUG-BLUE.

Purchase orders under way: `PO-H-0871` (BRIGHTWORKS: LAMP-DESK 24, TOASTER-2S 20 accepted + 10 backordered) and
`PO-H-0872` (CLAYHOUSE: MUG-BLUE 96, TEA-SENCHA 24, sent). Customers: MINSEO (GOLD, ko), HOTEL-NAMSAN (VIP, ko), BAKER (STANDARD,
en, GB), CAFE-LUNA (SILVER, en, US), WERNER (STANDARD, en, DE), WALK-IN (STANDARD, ko).
Channels: `web` (both DCs), `store`
(STORE-SEOUL, DC-ICN), `marketplace` (both DCs, shows at most 10). Money is USD.
"""

from __future__ import annotations

from datetime import date, time
from typing import Any

from core.domain.states import HoldDeadlineAction, HoldReason
from core.edi.guide import LineKey, PartialBackorder, PartnerGuide

WEEKDAYS, SIX_DAYS, ALL_DAYS = [1, 2, 3, 4, 5], [1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5, 6, 7]

CALENDARS = (
    ("KR", "Korea, Monday to Friday", WEEKDAYS, "KR"),
    ("GB", "England, Monday to Friday", WEEKDAYS, "GB"),
    ("CARRIER-KR", "Korean parcel carriers, Monday to Saturday", SIX_DAYS, "KR"),
    ("CARRIER-GB", "British parcel carriers, Monday to Saturday", SIX_DAYS, "GB"),
    ("CARRIER-US", "American parcel carriers, Monday to Friday", WEEKDAYS, "US"),
    ("CARRIER-DE", "German parcel carriers, Monday to Saturday", SIX_DAYS, "DE"),
    ("CN", "China, Monday to Saturday", SIX_DAYS, "CN"),
    ("EVERY-DAY", "Every day", ALL_DAYS, None),
)
# the country's calendar has only holidays of the whole United Kingdom; these are England's own
ENGLISH_HOLIDAYS = (
    *(date(2025, 4, 21), date(2025, 8, 25), date(2026, 4, 6), date(2026, 8, 31), date(2027, 3, 29)),
    *(date(2027, 8, 30), date(2028, 4, 17), date(2028, 8, 28)),
)

LOCATIONS: tuple[tuple[str, str, str, str, str, time | None], ...] = (
    ("DC-ICN", "Incheon distribution centre", "dc", "Asia/Seoul", "KR", time(15)),
    ("DC-LTN", "Luton distribution centre", "dc", "Europe/London", "GB", time(16)),
    ("RES-BUSAN", "Busan reserve warehouse", "warehouse", "Asia/Seoul", "KR", time(12)),
    ("STORE-SEOUL", "Seongsu store", "store", "Asia/Seoul", "EVERY-DAY", time(18)),
    ("ZONE-KR", "South Korea", "destination", "Asia/Seoul", "CARRIER-KR", None),
    ("ZONE-KR-JEJU", "Jeju", "destination", "Asia/Seoul", "CARRIER-KR", None),
    ("ZONE-GB", "United Kingdom", "destination", "Europe/London", "CARRIER-GB", None),
    ("ZONE-US", "United States", "destination", "America/New_York", "CARRIER-US", None),
    ("ZONE-DE", "Germany", "destination", "Europe/Berlin", "CARRIER-DE", None),
    ("SUP-SHENZHEN", "Brightworks, Shenzhen", "supplier", "Asia/Shanghai", "CN", time(17)),
    ("SUP-STOKE", "Clayhouse, Stoke-on-Trent", "supplier", "Europe/London", "GB", time(15)),
)
ZONES = (("KR", "", "ZONE-KR"), ("KR", "63", "ZONE-KR-JEJU"), ("GB", "", "ZONE-GB"), ("US", "", "ZONE-US"))
ZONES = (*ZONES, ("DE", "", "ZONE-DE"))

# from, to, days in transit, calendar, cost per unit, grams of CO2 per kg
LANES = (
    ("DC-ICN", "ZONE-KR", 1, "CARRIER-KR", 250, 60),
    ("DC-ICN", "ZONE-KR-JEJU", 2, "CARRIER-KR", 450, 180),
    ("DC-ICN", "ZONE-US", 4, "CARRIER-US", 1900, 5200),
    ("DC-LTN", "ZONE-GB", 1, "CARRIER-GB", 350, 80),
    ("DC-LTN", "ZONE-DE", 3, "CARRIER-DE", 700, 240),
    ("DC-LTN", "ZONE-US", 5, "CARRIER-US", 1700, 4300),
    ("STORE-SEOUL", "ZONE-KR", 1, "CARRIER-KR", 600, 70),
    ("DC-ICN", "STORE-SEOUL", 1, "KR", 80, 30),
    ("RES-BUSAN", "DC-ICN", 2, "KR", 60, 90),
    ("RES-BUSAN", "DC-LTN", 8, "GB", 900, 5600),
    ("SUP-SHENZHEN", "DC-ICN", 4, "KR", 120, 300),
    ("SUP-SHENZHEN", "DC-LTN", 6, "GB", 800, 5400),
    ("SUP-STOKE", "DC-LTN", 1, "GB", 40, 50),
    ("SUP-STOKE", "DC-ICN", 6, "KR", 850, 5500),
)

# code, English, Korean, weight g, cost, price, reorder point, reorder quantity, status
SKUS = (
    ("KETTLE-17", "Electric kettle, 1.7 l", "전기 주전자 1.7L", 1100, 1450, 3900, 0, 0, "ACTIVE"),
    ("LAMP-DESK", "Desk lamp, dimmable", "책상 스탠드(밝기 조절)", 900, 1200, 3500, 12, 24, "ACTIVE"),
    ("MUG-BLUE", "Mug, blue, 350 ml", "머그잔 파랑 350ml", 380, 210, 900, 60, 96, "ACTIVE"),
    ("MUG-WHITE", "Mug, white, 350 ml", "머그잔 흰색 350ml", 380, 200, 850, 24, 48, "ACTIVE"),
    ("TEAPOT-1L", "Teapot, 1 l", "찻주전자 1L", 850, 900, 2800, 0, 0, "ACTIVE"),
    ("TOASTER-2S", "Toaster, two slots", "토스터 2구", 1600, 1700, 4500, 8, 20, "ACTIVE"),
    ("FAN-TOWER", "Tower fan", "타워형 선풍기", 4200, 3200, 7900, 10, 20, "ACTIVE"),
    ("KETTLE-10", "Electric kettle, 1.0 l", "전기 주전자 1.0L", 850, 1150, 3200, 6, 15, "ACTIVE"),
    ("PLATE-SET", "Plates, set of four", "접시 4개 세트", 2400, 1300, 3900, 8, 18, "ACTIVE"),
    ("BOWL-RAMEN", "Ramen bowl", "라면기", 520, 320, 1100, 36, 60, "ACTIVE"),
    ("GRINDER-PRO", "Coffee grinder Pro", "커피 그라인더 프로", 2900, 5200, 12900, 0, 0, "PREORDER"),
    ("RADIO-70", "Kitchen radio 70", "주방 라디오 70", 1300, 1800, 4200, 0, 0, "DISCONTINUED"),
    ("TEA-SENCHA", "Sencha, green tea, 100 g", "센차 녹차 100g", 120, 420, 1200, 0, 0, "ACTIVE"),
    (
        "TEA-SET",
        "Tea set: a teapot and four white mugs",
        "찻주전자와 흰색 머그잔 4개 세트",
        2370,
        1700,
        5900,
        0,
        0,
        "ACTIVE",
    ),
)
# of SKUs that are kept in lots that expire: days of life left at delivery; then location, lot, units, days it lives
MIN_LIFE = {"TEA-SENCHA": 30}
LOTS = {
    "TEA-SENCHA": (("DC-ICN", "SEN-A", 8, 40), ("DC-ICN", "SEN-B", 16, 200), ("DC-LTN", "SEN-B", 18, 200)),
}
# kit, then component and units of it in one kit
KITS = (("TEA-SET", "TEAPOT-1L", 1), ("TEA-SET", "MUG-WHITE", 4))
PACKS = (("KETTLE-17", "CA", 5), ("LAMP-DESK", "CA", 12), ("MUG-BLUE", "CA", 24), ("MUG-WHITE", "CA", 24))
PACKS = (*PACKS, ("TEAPOT-1L", "CA", 6), ("BOWL-RAMEN", "CA", 12))
# sku, substitute, rank, needs consent
SUBSTITUTES = (("KETTLE-17", "KETTLE-10", 1, True), ("MUG-BLUE", "MUG-WHITE", 1, False))

SUPPLIERS = (
    ("BRIGHTWORKS", "Brightworks Manufacturing", "Asia/Shanghai", "CN", "SUP-SHENZHEN"),
    ("CLAYHOUSE", "Clayhouse Potteries", "Europe/London", "GB", "SUP-STOKE"),
)
# supplier, sku, vendor code, price, MOQ, order multiple, lead time, its P80 (calendar days, order to usable)
SUPPLIER_SKUS = (
    ("BRIGHTWORKS", "KETTLE-17", "BW-K170", 1400, 10, 5, 14, 18),
    ("BRIGHTWORKS", "LAMP-DESK", "BW-L020", 1150, 12, 12, 14, 18),
    ("BRIGHTWORKS", "TOASTER-2S", "BW-T002", 1650, 10, 10, 14, 18),
    ("BRIGHTWORKS", "FAN-TOWER", "BW-F090", 3100, 5, 5, 21, 28),
    ("BRIGHTWORKS", "KETTLE-10", "BW-K100", 1100, 10, 5, 14, 18),
    ("BRIGHTWORKS", "GRINDER-PRO", "BW-G500", 5000, 5, 1, 30, 40),
    ("CLAYHOUSE", "MUG-BLUE", "CH-350B", 200, 48, 24, 10, 12),
    ("CLAYHOUSE", "MUG-WHITE", "CH-350W", 190, 48, 24, 10, 12),
    ("CLAYHOUSE", "TEAPOT-1L", "CH-1000T", 870, 6, 6, 10, 12),
    ("CLAYHOUSE", "PLATE-SET", "CH-4PL", 1250, 12, 6, 10, 12),
    ("CLAYHOUSE", "BOWL-RAMEN", "CH-RB1", 300, 24, 12, 10, 12),
    ("CLAYHOUSE", "TEA-SENCHA", "CH-TEA100", 400, 12, 12, 10, 12),
)
# partner (and its EDI folder), supplier, interchange and group id, guide
PARTNERS = (
    (
        "brightworks",
        "BRIGHTWORKS",
        "BRIGHTWORKS",
        PartnerGuide(partial_backorder_encoding=PartialBackorder.ACCEPT_AND_BACKORDER, unit_map={"EA": 1}),
    ),
    (
        "clayhouse",
        "CLAYHOUSE",
        "CLAYHOUSE",
        PartnerGuide(
            line_key=LineKey.VENDOR_CODE,
            partial_backorder_encoding=PartialBackorder.PARTIAL_WITH_ACCEPTED,
            unit_map={"EA": 1},
        ),
    ),
)
OUR_EDI_ID = "HANEULHOME"

# code, tier, language, name, e-mail, address
CUSTOMERS = (
    ("MINSEO", "GOLD", "ko", "김민서", "minseo.kim@example.com", {"country": "KR", "postalCode": "04524"}),
    (
        "HOTEL-NAMSAN",
        "VIP",
        "ko",
        "남산호텔 구매팀",
        "po@namsan.example",
        {"country": "KR", "postalCode": "04628"},
    ),
    ("BAKER", "STANDARD", "en", "Alice Baker", "alice.baker@example.com", {"country": "GB", "postalCode": "M1 2AB"}),
    ("CAFE-LUNA", "SILVER", "en", "Cafe Luna", "orders@luna.example", {"country": "US", "postalCode": "97205"}),
    ("WERNER", "STANDARD", "en", "Jonas Werner", "jonas.werner@example.com", {"country": "DE", "postalCode": "20095"}),
    ("WALK-IN", "STANDARD", "ko", None, None, None),
)
CHANNELS = (
    ("web", "Web shop", "en", ("DC-ICN", "DC-LTN"), None, ""),
    ("store", "Seongsu store", "ko", ("STORE-SEOUL", "DC-ICN"), None, "store"),
    ("marketplace", "Marketplace", "en", ("DC-ICN", "DC-LTN"), 10, ""),
)

HOLDS = (
    (HoldReason.PAYMENT, 72, HoldDeadlineAction.CANCEL),
    (HoldReason.ADDRESS, 72, HoldDeadlineAction.CANCEL),
    (HoldReason.FRAUD, 24, HoldDeadlineAction.ESCALATE),
    (HoldReason.CREDIT, 48, HoldDeadlineAction.ESCALATE),
    (HoldReason.DUPLICATE, 24, HoldDeadlineAction.CANCEL),
    (HoldReason.SKU_NOT_SELLABLE, 168, HoldDeadlineAction.CANCEL),
    (HoldReason.CUSTOMER_REQUEST, 336, HoldDeadlineAction.RELEASE),
    (HoldReason.MANUAL, 168, HoldDeadlineAction.ESCALATE),
)
POLICIES: dict[str, Any] = {
    # how long a hold waits, and what happens then
    "hold_deadline_hours": {reason.value: hours for reason, hours, _ in HOLDS},
    "hold_deadline_action": {reason.value: action.value for reason, _, action in HOLDS},
    # the same basket of the same customer within this time is held as a duplicate
    "duplicate_window_minutes": 10,
    # purchase orders up to this total go out without a person; minor units by currency
    "purchase_approval_limit": {"USD": 500_000},
    # an estimated date must move by this many days before a customer is told
    "promise_hysteresis_days": 2,
    "reservation_ttl": {"seconds": 600, "maximumSeconds": 3600},
    # working days from dock to usable
    "receiving_days": 1,
    # a pilot: small shops are asked what they want by a message, everybody else is called by a person
    "backorder_course": [
        {"step": "OTHER_SITES"},
        {"step": "SUBSTITUTE"},
        {"step": "PURCHASE"},
        {"step": "OPTIONS", "waitLongerThanDays": 10, "tiers": ["SILVER"]},
        {"step": "RELEASE"},
    ],
}

# an example of our own that shows the form of a pack; it is no law of any country
DELAY_RULES: tuple[dict[str, Any], ...] = (
    {
        "pack": "EXAMPLE-NO-LAW",
        "code": "tell-within-three-days",
        "country": None,
        "valid_from": date(2026, 1, 1),
        "notice_days": 3,
        "consent_needed": False,
        "note": "Written by us as an example: a delay is told within three days, silence means that the customer waits.",
    },
)

STOCK_AT = ("DC-ICN", "DC-LTN", "RES-BUSAN", "STORE-SEOUL")
OPENING_STOCK: dict[str, tuple[int, int, int, int]] = {
    "KETTLE-17": (8, 5, 3, 0),
    "LAMP-DESK": (20, 12, 0, 2),
    "MUG-BLUE": (40, 60, 100, 6),
    "MUG-WHITE": (30, 48, 0, 6),
    "TEAPOT-1L": (5, 9, 0, 0),
    "TOASTER-2S": (6, 10, 4, 0),
    "FAN-TOWER": (15, 0, 25, 0),
    "KETTLE-10": (12, 12, 0, 1),
    "PLATE-SET": (10, 24, 0, 0),
    "BOWL-RAMEN": (60, 10, 40, 8),
    "RADIO-70": (3, 0, 0, 0),
    "TEA-SENCHA": (24, 18, 0, 0),
}
# sku, location, class, quantity
PROTECTED = (("MUG-BLUE", "DC-ICN", "", 10), ("TOASTER-2S", "DC-LTN", "", 2))

# number, supplier, location, status, days since sent, lines: sku, then parts as (state, quantity, days until the dock)
PURCHASE_ORDERS = (
    (
        "PO-H-0871",
        "BRIGHTWORKS",
        "DC-ICN",
        "ACKNOWLEDGED",
        5,
        (
            ("LAMP-DESK", (("accepted", 24, 9),)),
            ("TOASTER-2S", (("accepted", 20, 9), ("supplier_backordered", 10, 25))),
        ),
    ),
    (
        "PO-H-0872",
        "CLAYHOUSE",
        "DC-LTN",
        "SENT",
        1,
        (("MUG-BLUE", (("unanswered", 96, 11),)), ("TEA-SENCHA", (("unanswered", 24, 11),))),
    ),
)
