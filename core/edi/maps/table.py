"""The X12 sets we know, as a compact table: elements, segments, and the order of segments and loops of each set.

Names are our own short words. A segment is a row of `element[!]` references in X12 order (`!` = required); `open` means
that up to 30 free elements are let through, because nothing is taken from them. A set is a tuple of rows: a segment
`TAG[!] [max]`, or a loop as a tuple whose first row is its opening segment.
"""

from __future__ import annotations

from typing import TypeAlias

OPEN = "open"

# number: type, shortest, longest, what it is
ELEMENTS: dict[str, tuple[str, int, int, str]] = {
    "2": ("N0", 1, 6, "number of accepted sets"),
    "19": ("AN", 2, 30, "city"),
    "26": ("ID", 2, 3, "country"),
    "28": ("N0", 1, 9, "group control number"),
    "66": ("ID", 1, 2, "identification code qualifier"),
    "67": ("AN", 1, 80, "identification code"),
    "71": ("N0", 1, 9, "inquiry number"),
    "80": ("N0", 1, 7, "number of packs"),
    "81": ("R", 1, 10, "weight"),
    "87": ("AN", 1, 48, "marks and numbers"),
    "88": ("ID", 1, 2, "marks qualifier"),
    "92": ("ID", 2, 2, "purchase order type"),
    "93": ("AN", 1, 60, "name"),
    "96": ("N0", 1, 10, "number of segments"),
    "97": ("N0", 1, 6, "number of sets"),
    "98": ("ID", 1, 3, "party code"),
    "100": ("ID", 3, 3, "currency"),
    "103": ("AN", 3, 5, "packaging code"),
    "116": ("ID", 3, 15, "postal code"),
    "123": ("N0", 1, 6, "number of sets received"),
    "127": ("AN", 1, 50, "reference"),
    "128": ("ID", 2, 3, "reference qualifier"),
    "133": ("ID", 1, 2, "routing sequence code"),
    "140": ("ID", 2, 4, "carrier code"),
    "143": ("ID", 3, 3, "set identifier"),
    "145": ("AN", 1, 30, "shipment number"),
    "156": ("ID", 2, 2, "state"),
    "166": ("AN", 1, 55, "address"),
    "187": ("ID", 1, 2, "weight qualifier"),
    "207": ("AN", 1, 15, "equipment number"),
    "212": ("R", 1, 17, "unit price"),
    "234": ("AN", 1, 48, "item number"),
    "235": ("ID", 2, 2, "item number qualifier"),
    "309": ("ID", 1, 2, "location qualifier"),
    "310": ("AN", 1, 30, "location"),
    "323": ("ID", 2, 2, "purchase order purpose"),
    "324": ("AN", 1, 22, "purchase order number"),
    "326": ("AN", 1, 45, "request reference"),
    "327": ("AN", 1, 8, "change sequence"),
    "328": ("AN", 1, 30, "release number"),
    "329": ("AN", 1, 9, "set control number"),
    "330": ("R", 1, 15, "ordered quantity"),
    "337": ("TM", 4, 8, "time"),
    "347": ("R", 1, 10, "hash total"),
    "349": ("ID", 1, 1, "description type"),
    "350": ("AN", 1, 20, "line number"),
    "352": ("AN", 1, 80, "description"),
    "353": ("ID", 2, 2, "purpose"),
    "354": ("N0", 1, 6, "number of lines"),
    "355": ("ID", 2, 2, "unit of measure"),
    "356": ("N0", 1, 6, "pack"),
    "357": ("R", 1, 8, "size"),
    "367": ("AN", 1, 30, "contract number"),
    "373": ("DT", 6, 8, "date"),
    "374": ("ID", 3, 3, "date qualifier"),
    "380": ("R", 1, 15, "quantity"),
    "382": ("R", 1, 10, "number of units shipped"),
    "387": ("AN", 1, 35, "routing"),
    "396": ("AN", 1, 30, "shipment identification"),
    "432": ("ID", 2, 2, "date qualifier"),
    "447": ("AN", 1, 6, "loop identifier"),
    "479": ("ID", 2, 2, "functional identifier"),
    "522": ("ID", 1, 3, "amount qualifier"),
    "554": ("N0", 1, 6, "assigned number"),
    "587": ("ID", 2, 2, "acknowledgment type"),
    "623": ("ID", 2, 2, "time code"),
    "628": ("AN", 1, 12, "hierarchical number"),
    "639": ("ID", 2, 2, "basis of price"),
    "640": ("ID", 2, 2, "transaction type"),
    "646": ("R", 1, 15, "quantity shipped to date"),
    "668": ("ID", 2, 2, "line item status"),
    "715": ("ID", 1, 1, "group acknowledgment code"),
    "716": ("ID", 1, 3, "group error code"),
    "717": ("ID", 1, 1, "set acknowledgment code"),
    "718": ("ID", 1, 3, "set error code"),
    "719": ("N0", 1, 10, "position of the segment"),
    "720": ("ID", 1, 3, "segment error code"),
    "721": ("ID", 2, 3, "segment identifier"),
    "722": ("N0", 1, 2, "position of the element"),
    "723": ("ID", 1, 3, "element error code"),
    "724": ("AN", 1, 99, "copy of the bad value"),
    "725": ("N0", 1, 4, "data element number"),
    "728": ("ID", 2, 2, "returnable container code"),
    "734": ("AN", 1, 12, "parent hierarchical number"),
    "735": ("ID", 1, 2, "hierarchical level"),
    "736": ("ID", 1, 1, "has children"),
    "782": ("R", 1, 18, "amount"),
    "1005": ("ID", 4, 4, "hierarchical structure"),
    "1019": ("ID", 1, 3, "invoice type"),
    "1166": ("ID", 2, 2, "contract type"),
    "1650": ("ID", 2, 2, "shipment status"),
    "1651": ("ID", 2, 2, "status reason"),
    "1652": ("ID", 2, 2, "appointment status"),
    "ANY": ("AN", 1, 4096, "value"),
}


def _items(pairs: int) -> str:
    return " ".join(["235 234"] * pairs)


SEGMENTS: dict[str, str] = {
    "ST": "143! 329! ANY",
    "SE": "96! 329!",
    "BEG": "353! 92! 324! 328 373! 367 587 1019 1166 ANY ANY 640",
    "BAK": "353! 587! 324! 373! 328 326 367 127 373 640",
    "BSN": "353! 396! 373! 337! 1005 640 ANY",
    "B10": "127 145 140! 71 128 127 ANY",
    "AK1": "479! 28! ANY",
    "AK2": "143! 329! ANY",
    "AK3": "721! 719! 447 720",
    "AK4": "ANY! 725 723! 724",
    "AK5": "717! 718 718 718 718 718",
    "AK9": "715! 97! 123! 2! 716 716 716 716 716",
    "PO1": "350 330 355 212 639 " + _items(10),
    "ACK": "668! 380 355 374 373 326 " + _items(10) + " ANY ANY ANY",
    "SCH": "380! 355! 98 93 374! 373! 337 374 373 337 326 350",
    "HL": "628! 734 735! 736",
    "PRF": "324! 328 327 373 350 367 92",
    "LIN": "350 235! 234! " + _items(14),
    "SN1": "350 382! 355! 646 330 355 728 668",
    "MAN": "88! 87! 87 88 87 87",
    "DTM": "374! 373 337 623 ANY ANY",
    "G62": "432 373 ANY 337 623",
    "REF": "128! ANY ANY ANY",
    "N1": "98! 93 66 67 ANY 98",
    "N2": "93 93",
    "N3": "166 166",
    "N4": "19 156 116 26 309 310 ANY",
    "CTT": "354! 347 81 355 ANY 355 ANY",
    "LX": "554!",
    "AT7": "1650 1651 1652 1651 373 337 623",
    "L11": "127 128 352",
    "MS1": "19 156 26 ANY ANY ANY ANY ANY ANY",
    "MS2": "140 207 ANY ANY",
    "CUR": "98! 100! ANY ANY ANY ANY 374 373 337 374 373 337 374 373 337 374 373 337 374 373 337",
    "AMT": "522! 782! ANY",
}

_OPEN_TAGS = (
    "TD1 TD3 TD4 TD5 PID PO4 PO3 MEA PKG PER FOB ITD DIS SAC TAX TXI CSH CTP CTB PAM PWK MSG N9 MTX SDQ "
    "SLN CAD CLD CN1 ITA INC LDT NTE AT8 AT5 AT9 Q7 K1 SPO SAL CD3 NM1 M7 OID PAL ETD SR SN2 R4 V9 TOP"
)
OPEN_SEGMENTS = frozenset(_OPEN_TAGS.split())


def _some(tags: str) -> tuple[str, ...]:
    return tuple(f"{tag} >1" for tag in tags.split())


_PARTY = ("N1", *_some("N2 N3 N4 REF PER DTM FOB TD5 L11 G62 SN1 NM1"))
_PARTY_ORDER = ("N1", *_some("N2 N3 N4 REF PER DTM FOB TD1 TD5 TD3 TD4 PKG SAC"))

Row: TypeAlias = "str | tuple[Row, ...]"

SETS: dict[str, tuple[Row, ...]] = {
    "850": (
        "BEG!",
        *_some(
            "CUR REF PER TAX FOB CTP PAM CSH SAC ITD DIS INC DTM LIN SPO PID MEA PWK PKG TD1 TD5 TD3 TD4 MAN CTB TXI",
        ),
        ("N9", *_some("DTM MSG MTX")),
        _PARTY_ORDER,
        (
            "PO1!",
            *_some("LIN SN1 CUR CN1 PO3 CTP PAM MEA"),
            ("PID", *_some("MEA")),
            *_some("PWK PO4 REF PER SAC CSH ITD DIS INC TAX FOB SDQ DTM"),
            *_some("TD1 TD5 TD3 TD4 MAN SPO AMT CTB TXI"),
            ("SCH", *_some("TD1 TD5 TD3 TD4 REF")),
            ("N9", *_some("DTM MSG MTX")),
            _PARTY_ORDER,
            ("SLN", *_some("PID ITA PO3 TAX SAC DTM CTP PO4 REF")),
        ),
        ("CTT", "AMT >1"),
    ),
    "855": (
        "BAK!",
        *_some(
            "CUR REF PER TAX FOB CTP PAM CSH SAC ITD DIS INC DTM LDT LIN PID MEA PWK PKG TD1 TD5 TD3 TD4 MAN TXI CTB",
        ),
        ("N9", *_some("DTM MSG MTX")),
        _PARTY_ORDER,
        (
            "PO1",
            *_some("LIN SN1 CUR CN1 PO3 CTP PAM MEA"),
            ("PID", *_some("MEA")),
            *_some("PWK PO4 REF PER SAC CSH ITD DIS INC TAX FOB SDQ DTM LDT TD1 TD5 TD3 TD4 MAN SPO AMT CTB TXI"),
            ("ACK", *_some("DTM LDT REF MSG")),
            ("SCH", *_some("TD1 TD5 TD3 TD4 REF")),
            ("N9", *_some("DTM MSG MTX")),
            _PARTY_ORDER,
            ("SLN", *_some("PID ITA PO3 TAX SAC DTM CTP PO4 ACK REF")),
        ),
        ("CTT", "AMT >1"),
    ),
    "856": (
        "BSN!",
        "DTM >1",
        (
            "HL!",
            *_some("LIN SN1 SLN PRF PO4 PID MEA PWK PKG TD1 TD5 TD3 TD4 REF PER CLD MAN DTM FOB PAL SAC CUR ETD"),
            ("N1", *_some("N2 N3 N4 REF PER FOB")),
            *_some("AMT ITA TXI"),
            ("LX", *_some("MAN REF")),
        ),
        "CTT",
    ),
    "214": (
        "B10!",
        *_some("MS1 L11 MAN K1"),
        _PARTY,
        *_some("MS1 MS2 L11 MEA K1 AT5 AT8 CD3 NM1 Q7"),
        (
            "LX",
            ("AT7", *_some("MS1 MS2 M7")),
            *_some("L11 MAN Q7 K1 AT5 AT8 CD3 OID"),
            _PARTY,
            ("PRF", *_some("L11 MAN Q7")),
            ("SPO", "SDQ >1"),
        ),
    ),
    "997": (
        "AK1!",
        ("AK2", ("AK3", "AK4 >1"), "AK5!"),
        "AK9!",
    ),
}

SYNTAX: dict[str, tuple[str, ...]] = {"AT7": ("E0103",)}
