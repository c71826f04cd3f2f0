"""The X12 segments we know, and which of their elements belong together.

A row has `element[!]` references in X12 order (`!` = required). Segments of which nothing is taken are open: up to 30 free
elements are let through. Which combinations hold in all versions from 3040 to 8010 stands in `SYNTAX`.
"""

from __future__ import annotations


def _items(pairs: int) -> str:
    return " ".join(["235 234"] * pairs)


SEGMENTS: dict[str, str] = {
    "ST": "143! 329! 1705",
    "SE": "96! 329!",
    "BEG": "353! 92! 324! 328 373! 367 587 1019 1166 ANY ANY 640",
    "BAK": "353! 587! 324! 373! 328 326 367 127 373 640",
    "BSN": "353! 396! 373! 337! 1005 640 ANY",
    "B10": "127 145 140! 71 128 127 ANY",
    "AK1": "479! 28! 480",
    "AK2": "143! 329! 1705",
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
    "DTM": "374! 373 337 623 ANY ANY ANY",
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
    "BCH": "353! 92! 324! 328 327 373! 326 367 127 373 373 1166 ANY ANY ANY",
    "BCA": "353! 587 324! 328 327 373! 326 367 127 373 373 640 ANY ANY ANY",
    "POC": "350 670! 330 671 ANY 212 639 " + _items(10),
    "BIA": "353! 755! 127! 373! 337 306",
    "QTY": "673! 380 355 ANY",
    "LDT": "345! 380! 344! 373",
    "BIG": "373! 76! 373 324 328 327 640 353 306 76",
    "IT1": "350 358 355 212 639 " + _items(10),
    "TDS": "610! 610 610 610",
    "W05": "473! 285! 324 ANY ANY ANY ANY ANY",
    "W01": "330! 355! 438 235 234 235 234 " + " ".join(["ANY"] * 15),
    "W06": "514! 285 373 145 ANY 324 ANY ANY ANY ANY ANY",
    "W12": "368! 330 382 383 355 438 235 234 451 81 ANY ANY ANY ANY ANY ANY 235 234 ANY ANY 235 234",
    "W27": "91! 140 387 146 ANY ANY ANY ANY ANY ANY ANY",
    "W66": "146! 91 ANY ANY 387 ANY ANY ANY ANY 140 ANY",
    "BRA": "127! 373! 353! 962! 337 ANY ANY",
    "RCD": "350 663 ANY 664 ANY 667 ANY 412 667 ANY 412 667 ANY 412 667 ANY 412 667 ANY 412 ANY",
    "BGN": "353! 127! 373! 337 623 127 640 306 ANY",
    "OTI": "110! 128! 127! ANY ANY 373 337 28 329 143 ANY ANY ANY ANY ANY ANY ANY",
    "TED": "647! 3 721 719 722 725 724 ANY",
    "IK3": "721! 719! 447 620",
    "IK4": "ANY! 725 621! 724",
    "IK5": "717! 618 618 618 618 618",
    "N9": "128! 127 369 373 337 623 ANY",
    "PER": "366! 93 365 364 365 364 365 364 443",
    "PID": "349! 750 559 751 352 752 822 1073 819",
    "TD1": "103 80 23 22 79 187 81 355 183 355",
    "TD5": "133 66 67 91 387 368 309 310 731 732 733 284 284 284 26",
    "TD3": "40 206 207 187 81 355 102 407 225 24",
    "PO4": "356 357 355 103 187 384 355 385 355 82 189 65 355 810 352 ANY ANY ANY",
    "SAC": "248! 1300 559 1301 610 378 332 118 355 380 380 331 127 770 352 819",
    "ITD": "336 333 338 370 351 446 386 362 388 389 342 352 765 107 954",
    "FOB": "146! 309 352 334 335 309 352 54 352",
    "CTP": "687 236 212 380 ANY 648 649 782 639 499 289",
    "MEA": "737 738 739 ANY 740 741 935 936 752 ANY ANY ANY",
    "NTE": "363 352!",
    "MSG": "933! 934 ANY",
    "G69": "369!",
    "W03": "382! 81 355 ANY ANY ANY ANY",
    "W76": "330! 81 355 ANY ANY ANY ANY ANY ANY",
}

_OPEN_TAGS = (
    "TD4 PO3 PKG DIS TAX TXI CSH CTB PAM PWK MTX SDQ SLN CAD CLD CN1 ITA INC AT8 AT5 AT9 Q7 K1 SPO SAL "
    "CD3 NM1 M7 OID PAL ETD SR SN2 R4 V9 TOP CTX IT3 TC2 ISS BAL L7 FA1 FA2 YNQ CRC LM LQ LS LE UIT G61 "
    "G68 G69 G72 PD PDD W09 W10 W20 W28 W6 W02 W13 W14 W07 RED G66 PSA III SSS MS3 IT8 SI PCT SPI ADV"
)
OPEN_SEGMENTS = frozenset(_OPEN_TAGS.split())


def _pairs(first: int, count: int) -> tuple[str, ...]:
    """Rules for `count` pairs of qualifier and number from element `first` on: one is nothing without the other."""
    return tuple(f"P{at:02d}{at + 1:02d}" for at in range(first, first + 2 * count, 2))


# Elements that belong together (X12.6): P all or none, R at least one, E at most one, C the first needs all others,
# L the first needs one of the others.
SYNTAX: dict[str, tuple[str, ...]] = {
    "ACK": ("P0203", "C0405", *_pairs(7, 10)),
    "AT7": ("P0102", "P0304", "E0103", "C0605"),
    "CTP": ("P0405", "C0902"),
    "CTT": ("P0304", "P0506"),
    "CUR": ("C0807", "C0907"),
    "DTM": ("R0203050607", "C0403"),
    "FOB": ("C0302", "C0405", "C0706", "C0908"),
    "G62": ("R0103", "P0102", "P0304", "C0503"),
    "IT1": ("P020304", *_pairs(6, 10)),
    "L11": ("R0103", "P0102"),
    "LIN": _pairs(4, 14),
    "MAN": ("P0405", "C0605"),
    "MEA": ("R030508",),
    "MS2": ("P0102",),
    "N1": ("R0203", "P0304"),
    "N9": ("R0203", "C0605"),
    "PER": ("P0304", "P0506", "P0708"),
    "PID": ("C0403", "R0405", "C0703", "C0804", "C0905"),
    "PO1": ("C0302", "C0504", *_pairs(6, 10)),
    "PO4": ("P0203", "C0506", "P0607", "P0809"),
    "POC": ("P0305", "C0706", *_pairs(8, 10)),
    "QTY": ("R0204", "E0204"),
    "RCD": ("P0203", "P0405", "P0607"),
    "REF": ("R0203",),
    "SAC": ("R0203", "P0304", "P0607", "P0910"),
    "SCH": ("L080910",),
    "SN1": ("P0506",),
    "TD1": ("C0102", "C0304", "P0708", "P0910"),
    "TD3": ("P0506",),
    "TD5": ("R0204050612", "C0203", "C0708"),
    "W01": ("P0405", "P0607"),
    "W12": ("P0708", "P1718"),
}
