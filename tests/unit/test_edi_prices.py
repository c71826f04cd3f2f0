"""What a price of a supplier comes to for one base unit of ours, by its basis and currency, and when it is another one than ours."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from core.edi.decode_855 import decode_855
from core.edi.decode_860 import decode_865
from core.edi.decode_ordrsp import decode_ordrsp
from core.edi.documents import AcknowledgedLine, Decoded
from core.edi.guide import DEFAULT_GUIDE
from core.edi.prices import prices_in
from core.edi.reader import read
from core.edi.resolve_line import other_price

GUIDE = replace(DEFAULT_GUIDE, unit_map={"CA": 12, "CT": 12, "PCE": 1})


def x12(kind: str, body: str):
    isa = "ISA*00*          *00*          *ZZ*SUPPLIER       *ZZ*BACKORDER      *261120*1030*U*00401*000000007*0*P*>~"
    size = body.count("~") + 2
    text = f"{isa}GS*PR*SUP*US*20261120*1030*7*X*004010~ST*{kind}*0001~{body}SE*{size}*0001~GE*1*7~IEA*1*000000007~"
    return read(text.encode()).interchanges[0].groups[0].sets[0]


def edifact(body: str):
    text = f"UNB+UNOC:3+SUP:14+US:14+261120:1030+7'UNH+1+ORDRSP:D:96A:UN'{body}UNT+{body.count(chr(39)) + 2}+1'UNZ+1+7'"
    return read(text.encode()).interchanges[0].groups[0].sets[0]


def priced(found: Decoded) -> tuple[AcknowledgedLine, list[str]]:
    assert found.document is not None
    return found.document.lines[0], [fault.code for fault in found.faults]


@pytest.mark.parametrize(
    ("unit", "price", "basis", "expected", "faults"),
    [
        ("CA", "60.00", "", "5", []),
        ("CA", "5.00", "PE", "5.00", []),
        ("CA", "60.00", "CT", "5", []),
        ("EA", "500", "HP", "5", []),
        ("CA", "60.00", "PD", "5", []),
        ("EA", "5.00", "PP", None, ["price"]),
        ("EA", "5.00", "RT", None, ["price"]),
    ],
)
def test_the_basis_of_a_price_says_of_how_many_units(unit, price, basis, expected, faults):
    wanted = None if expected is None else Decimal(expected)
    answer = decode_855(
        x12("855", f"BAK*00*AC*PO1*20261119~PO1*1*10*{unit}*{price}*{basis}*BP*S~ACK*IA*10*{unit}~"), GUIDE
    )
    line, said = priced(answer)
    assert (line.price, said) == (wanted, faults)
    poc = f"BCA*04*AC*PO1***20261119***SO9*20261119~POC*1*PC*10**{unit}*{price}*{basis}*BP*S~"
    change = decode_865(x12("865", poc), GUIDE)
    assert change.document is not None
    assert (change.document.changes[0].price, change.document.acknowledgement.lines[0].price) == (wanted, wanted)
    assert [fault.code for fault in change.faults] == faults


@pytest.mark.parametrize(
    ("pri", "expected", "faults"),
    [
        ("AAA:60", "5", []),
        ("AAA:5:::1:PCE", "5", []),
        ("AAA:500:::100:PCE", "5", []),
        ("AAA:5:::1:KGM", None, ["price"]),
        ("AAA:5:::0:PCE", None, ["price"]),
    ],
)
def test_the_basis_of_an_edifact_price_says_of_how_many_units(pri, expected, faults):
    body = f"BGM+231+R1+4'DTM+137:20261119:102'RFF+ON:PO1'LIN+1+5'PIA+5+S:BP'QTY+21:10:CT'PRI+{pri}'"
    line, said = priced(decode_ordrsp(edifact(body), GUIDE))
    assert (line.price, said) == (None if expected is None else Decimal(expected), faults)


def test_a_price_in_another_currency_is_not_compared():
    body = "BAK*00*AC*PO1*20261119~CUR*SE*EUR~PO1*1*10*EA*5***BP*S~ACK*IA*10*EA~PO1*2*10*EA*6***BP*T~CUR*SE*USD~ACK*IA*10*EA~"
    answer = decode_855(x12("855", body), GUIDE).document
    assert answer is not None
    kept, said = prices_in(answer, "USD")
    assert [line.price for line in kept.lines] == [None, Decimal(6)]
    assert said == ["The price of line 1 is in EUR, the order in USD."]
    edi = edifact(
        "BGM+231+R1+4'DTM+137:20261119:102'RFF+ON:PO1'CUX+2:EUR:9'LIN+1+5'PIA+5+S:BP'QTY+21:10:PCE'PRI+AAA:5'"
    )
    assert priced(decode_ordrsp(edi, GUIDE))[0].currency == "EUR"


@pytest.mark.parametrize(
    ("theirs", "ours", "expected"),
    [
        (Decimal(10) / 12, "0.83", None),
        (Decimal(10) / 12, "0.84", "0.83"),
        (Decimal("5.004"), "5.00", None),
        (Decimal("0.004"), "5.00", None),
        (Decimal("499.6"), "500", None),
    ],
)
def test_prices_are_compared_in_minor_units(theirs, ours, expected):
    assert other_price(theirs, Decimal(ours), DEFAULT_GUIDE) == (None if expected is None else Decimal(expected))
