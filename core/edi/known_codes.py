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
    "88": _codes("AA AI CA CP EM GM L LB MC OT PB R S SI SM SN SR SS SW TC UC UP VC VS W ZZ"),
    "92": _codes(
        "26 AB AP BE BK BL BM BQ BY CA CB CC CD CF CN CO CP CR DD DR DS EF EO FL GU IN IT JL JT KA KB KC KD KE KG KI KN "
        "KO KP KQ KR KS KT LB LO LS MN NE NP NS OF OS PA PE PL PR RA RC RE RL RN RO RP RR RS RT SA SD SM SO SP SS ST SU "
        "TM TR UC UD UE US WH WO XA XE ZZ"
    ),
    "353": re.compile(r"[0-6]\d|77|CN|CO|EX|GR|PR|RH|RV|SU|ZZ"),
    "374": re.compile(r"\d{3}|A[A-Z0-9]{2}|ZZZ|MRR|WAY"),
    "473": _codes("A C D E F H L N P R T U X Z"),
    "623": re.compile(r"[ACEMNPT][DST]|[CEMPAT]T|GM|H[DST]|LT|UT|0[1-9]|1\d|2[0-4]"),
    "720": re.compile(r"[1-8]|I[0-9A-Z]{1,2}"),
    "723": re.compile(r"[1-9]|1[0-3]|I[0-9A-Z]{1,2}"),
    "962": re.compile(r"[1-9]"),
}
HEADERS = _codes("AK AT AD AC AE AH RD RJ")
CARRIER_STATUSES = _codes(
    "A3 A7 A9 AA AB AF AG AH AI AJ AL AM AN AO AP AR AV B6 BA BC C1 CA CB CD CH CL CM CP D1 D2 DE DG DN EA I1 J1 K1 L1 NA "
    "NS OA OF OO P1 PR R1 RB RL S1 SD X1 X2 X3 X4 X5 X6 X8 X9 XB XC XD"
)

# EDIFACT: data element 6063 (quantities), 1229 (actions on a line), and what numbers 1225 and 2005 can be.
QUANTITIES = _codes(
    "1 2 3 5 6 11 12 17 18 21 33 36 40 45 46 47 48 49 52 53 54 55 56 57 58 59 60 61 66 67 69 70 71 72 73 74 75 76 78 79 "
    "80 81 83 84 85 90 96 99 102 107 108 109 110 113 114 115 116 117 118 119 120 121 123 124 125 127 128 129 130 131 132 "
    "133 135 136 137 138 139 143 144 145 146 147 148 152 153 154 155 156 157 158 159 160 161 163 164 165 170 171 172 173 "
    "174 175 176 177 178 179 180 185 186 187 189 190 191 192 193 194 195 196 197 198 199 200 201 202 203 204 205 "
    "206 207 208 209 210 211 212 213 214 215 216 220 265 270 296 17E 11E 21E 60E 61E 66E"
)
ACTIONS = _codes("1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36")
_LAST_FUNCTION, _LAST_DATE = 70, 850


def is_known_x12(reference: str, code: str) -> bool:
    """Whether `code` is one of those of the X12 data element, or its list is not kept here."""
    known = X12.get(reference)
    if known is None:
        return True
    return code in known if isinstance(known, frozenset) else known.fullmatch(code) is not None


def is_function(code: str) -> bool:
    """Data element 1225: what a message is to the ones before it."""
    return code.isascii() and code.isdecimal() and len(code) < 4 and int(code) <= _LAST_FUNCTION


def is_date_code(code: str) -> bool:
    """Data element 2005: numbers, and codes of a subset that end with a letter."""
    return not (code.isascii() and code.isdecimal()) or (len(code) < 4 and int(code) <= _LAST_DATE)
