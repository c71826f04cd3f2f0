"""Codes that we know of, one list per element: another one is noted, and never taken for something it may not be.

Only codes that messages in trade really use are listed, by number and without descriptions. A list says nothing of what
a code means to us: that stands with the document which has it.
"""

from __future__ import annotations

import re


def _codes(text: str) -> frozenset[str]:
    return frozenset(text.split())


# X12 element to its codes; a pattern where a list is full in practice.
X12: dict[str, frozenset[str] | re.Pattern[str]] = {
    "88": _codes(
        "AA AI CA CP DZ E1 E2 E3 E4 E5 EM GI GM GR GS L LB MC MT OT PB R S S1 SI SM SN SR SS SW TC UC UI UP VC VS W X ZZ"
    ),
    "92": _codes(
        "26 AB AC AO AP BD BE BH BK BL BM BQ BY CA CB CC CD CF CN CO CP CR DD DR DS EF EO EX FH FL GU IN IT JL JT KA KB KC KD "
        "KE KG KI KN KO KP KQ KR KS KT LB LO LS MN NE NO NP NS OF OS PA PE PL PR RA RC RE RL RN RO RP RR RS RT RU RW SA SD SM "
        "SO SP SS ST SU SW TC TM TR UC UD UE US WH WO XA XE ZZ"
    ),
    "353": re.compile(r"[0-6]\d|5C|77|CN|CO|EX|GR|PR|RH|RV|SU|ZZ"),
    "374": re.compile(r"\d{3}|[A-Z][A-Z0-9]{2}"),
    "473": _codes("A C D E F H L N P R T U X Z"),
    "623": re.compile(r"[ACEMNPT][DST]|[CEMPAT]T|GM|H[DST]|LT|UT|0[1-9]|1\d|2[0-4]"),
    "720": re.compile(r"[1-8]|I[0-9A-Z]{1,2}"),
    "723": re.compile(r"[1-9]|1[0-3]|I[0-9A-Z]{1,2}"),
    "962": re.compile(r"[1-9]"),
    "1005": re.compile(r"00\d\d|ZZZZ"),
}
HEADERS = _codes("AK AT AD AC AE AH RD RJ")
# Element 368: how a line of a warehouse's report ended.
WAREHOUSE_STATUSES = _codes(
    "AA AB AC AN AP AS AU AV BK BM BO BP BT BW CA CB CC CD CE CF CI CK CL CM CN CO CP CS CT CU DA DD DE DI DO DP DR DS EC ED "
    "EW EX FS HQ IC ID IN IP IS LM LS NS OF PP PR PS RD SC SH SI SL SP SS ST SU"
)
CARRIER_STATUSES = _codes(
    "A3 A7 A9 AA AB AF AG AH AI AJ AL AM AN AO AP AR AV AW B6 BA BC BO BR C1 CA CB CD CH CL CM CP D1 D2 DE DG DN DO EA I1 J1 "
    "K1 L1 NA NB NS OA OF OO P1 PA PR R1 RB RH RL S1 SD UC X1 X2 X3 X4 X5 X6 X8 X9 XB XC XD"
)

# EDIFACT: data element 1229 (actions on a line), and what numbers 1225, 2005 and 6063 can be: directories add to them.
ACTIONS = _codes("1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36")
_LAST_FUNCTION, _LAST_DATE, _LAST_QUANTITY = 70, 850, 520
# ISA12 and the beginning of GS08: version, release and sub-release from 2000 to 8060.
_INTERCHANGE_VERSION, _GROUP_VERSION = re.compile(r"00[2-8]0\d"), re.compile(r"00[2-8]\d\d\d.*")
# UNH 0052 and 0054: D.96A; S.93A; 90.1, 1.911 and 2.912 of before; 3, 2.2 and 4.1 of service messages.
_DIRECTORY = re.compile(r"[A-Z]{1,3}|\d{1,3}"), re.compile(r"\d\d[A-C]|\d{1,3}")
_OF_A_SUBSET = re.compile(r"\d{1,3}[A-Z]")


def is_known_x12(reference: str, code: str) -> bool:
    """Whether `code` is one of those of the X12 data element, or its list is not kept here."""
    known = X12.get(reference)
    if known is None:
        return True
    return code in known if isinstance(known, frozenset) else known.fullmatch(code) is not None


def is_interchange_version(text: str) -> bool:
    """Whether `text` (ISA12) is a version of X12."""
    return _INTERCHANGE_VERSION.fullmatch(text) is not None


def is_group_version(text: str) -> bool:
    """Whether `text` (GS08) is a version of X12, whatever guide it names behind it."""
    return _GROUP_VERSION.fullmatch(text) is not None


def is_directory(version: str, release: str) -> bool:
    """Whether data elements 0052 and 0054 can name a directory of EDIFACT."""
    return all(pattern.fullmatch(text) for pattern, text in zip(_DIRECTORY, (version, release), strict=True))


def is_function(code: str) -> bool:
    """Data element 1225: what a message is to the ones before it."""
    return code.isascii() and code.isdecimal() and len(code) < 4 and int(code) <= _LAST_FUNCTION


def is_date_code(code: str) -> bool:
    """Data element 2005: numbers, and codes of a subset that end with a letter."""
    return not (code.isascii() and code.isdecimal()) or (len(code) < 4 and int(code) <= _LAST_DATE)


def is_quantity_kind(code: str) -> bool:
    """Data element 6063: numbers, and codes of a subset that end with a letter (17E)."""
    if code.isascii() and code.isdecimal():
        return len(code) < 4 and 0 < int(code) <= _LAST_QUANTITY
    return _OF_A_SUBSET.fullmatch(code) is not None
