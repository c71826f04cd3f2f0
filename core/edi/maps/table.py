"""The X12 sets we know, as a compact table: the order of segments and loops of each set.

A set is a tuple of rows: a segment `TAG[!] [max]` (`!` = required), or a loop as a tuple whose first row is its opening
segment.
"""

from __future__ import annotations

from typing import TypeAlias


def _some(tags: str) -> tuple[str, ...]:
    return tuple(f"{tag} >1" for tag in tags.split())


_PARTY = ("N1", *_some("N2 N3 N4 REF PER DTM FOB TD5 L11 G62 SN1 NM1"))
_PARTY_ORDER = ("N1", *_some("N2 N3 N4 REF PER DTM FOB TD1 TD5 TD3 TD4 PKG SAC"))

_CHANGE_HEAD = (
    *_some(
        "CUR REF PER TAX FOB CTP PAM CSH SAC ITD DIS INC DTM LDT LIN SPO PID MEA PWK PKG TD1 TD5 TD3 TD4 MAN CTB TXI"
    ),
    ("N9", *_some("DTM MSG MTX")),
    _PARTY_ORDER,
)
_CHANGE_LINE = (
    *_some("LIN CUR CN1 PO3 CTP PAM MEA"),
    ("PID", *_some("MEA")),
    *_some("PWK PO4 REF PER SAC IT8 CSH ITD DIS INC TAX FOB SDQ IT3 DTM TC2 LDT"),
    *_some("TD1 TD5 TD3 TD4 PCT MAN MSG SPI SPO AMT CTB TXI QTY PKG SI"),
    ("ACK", *_some("DTM LDT REF MSG")),
    "QTY >1",
    ("SCH", *_some("TD1 TD5 TD3 TD4 REF")),
    ("N9", *_some("DTM MSG MTX")),
    _PARTY_ORDER,
    ("SLN", *_some("PID ITA PO3 TAX SAC DTM CTP PO4 ACK REF")),
    *_some("PD PDD"),
)

Row: TypeAlias = "str | tuple[Row, ...]"

SETS: dict[str, tuple[Row, ...]] = {
    "850": (
        "BEG!",
        *_some(
            "NTE CUR REF PER TAX FOB CTP PAM CSH SAC ITD DIS INC DTM LDT LIN SI SPO PID MEA PWK PKG TD1 TD5 TD3 TD4 MAN "
            "PCT CTB TXI AMT SPI",
        ),
        ("N9", *_some("DTM MSG MTX")),
        _PARTY_ORDER,
        (
            "PO1!",
            *_some("LIN SN1 CUR CN1 PO3 CTP PAM MEA"),
            ("PID", *_some("MEA")),
            *_some("PWK PO4 REF PER SAC IT8 CSH ITD DIS INC TAX FOB SDQ IT3 DTM TC2"),
            *_some("TD1 TD5 TD3 TD4 PCT MAN MSG SPI SPO AMT CTB TXI QTY PKG LDT SI"),
            ("SCH", *_some("TD1 TD5 TD3 TD4 REF")),
            ("N9", *_some("DTM MSG MTX")),
            _PARTY_ORDER,
            ("SLN", *_some("PID ITA PO3 TAX SAC DTM CTP PO4 REF")),
            "AMT >1",
        ),
        ("CTT", "AMT >1"),
    ),
    "855": (
        "BAK!",
        *_some(
            "CUR REF PER TAX FOB CTP PAM CSH SAC ITD DIS INC DTM LDT LIN PID MEA PWK PKG TD1 TD5 TD3 TD4 MAN TXI CTB SI PCT AMT",
        ),
        ("N9", *_some("DTM MSG MTX")),
        _PARTY_ORDER,
        (
            "PO1",
            *_some("LIN SN1 CUR CN1 PO3 CTP PAM MEA"),
            ("PID", *_some("MEA")),
            *_some("PWK PO4 REF PER SAC IT8 CSH ITD DIS INC TAX FOB SDQ IT3 DTM TC2 LDT"),
            *_some("TD1 TD5 TD3 TD4 PCT MAN MSG SPI SPO AMT CTB TXI QTY PKG SI"),
            ("ACK", *_some("DTM LDT REF MSG")),
            "QTY >1",
            ("SCH", *_some("TD1 TD5 TD3 TD4 REF")),
            ("N9", *_some("DTM MSG MTX")),
            _PARTY_ORDER,
            ("SLN", *_some("PID ITA PO3 TAX SAC DTM CTP PO4 ACK REF")),
            *_some("PD PDD"),
        ),
        ("CTT", "AMT >1"),
    ),
    "856": (
        "BSN!",
        "DTM >1",
        (
            "HL!",
            *_some("LIN SN1 SLN PRF PO4 PID MEA PWK PKG TD1 TD5 TD3 TD4 REF PER"),
            ("CLD", *_some("REF DTM")),
            *_some("MAN DTM FOB PAL SAC CUR ETD"),
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
        *_some("MS1 MS2 MS3 L11 MEA K1 AT5 AT8 CD3 NM1 Q7"),
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
    "999": (
        "AK1!",
        ("AK2", ("IK3", "CTX >1", ("IK4", "CTX >1")), "IK5!"),
        "AK9!",
    ),
    "860": ("BCH!", *_CHANGE_HEAD, ("POC", *_CHANGE_LINE), ("CTT", "AMT >1")),
    "865": ("BCA!", *_CHANGE_HEAD, ("POC", *_CHANGE_LINE), ("CTT", "AMT >1")),
    "846": (
        "BIA!",
        *_some("CUR DTM REF PER MEA DTM LDT FOB PID"),
        _PARTY_ORDER,
        (
            "LIN!",
            *_some("PID MEA PKG DTM CTP CUR SAC PO4 PO3 REF PER LDT CTB"),
            ("QTY", *_some("SCH LDT MEA UIT DTM REF")),
            _PARTY_ORDER,
            ("SLN", *_some("PID MEA PO4 REF QTY")),
        ),
        "CTT",
    ),
    "810": (
        "BIG!",
        *_some("NTE CUR REF YNQ PER"),
        _PARTY_ORDER,
        *_some("ITD DTM FOB PID MEA PWK PKG L7 BAL INC PAM"),
        ("N9", *_some("MSG MTX")),
        (
            "IT1",
            *_some("CRC QTY CUR IT3 TXI CTP PAM MEA"),
            ("PID", *_some("MEA")),
            *_some("PWK PKG PO4 ITD REF YNQ PER SDQ DTM CAD L7 SR"),
            ("SAC", *_some("TXI CTP")),
            ("N9", *_some("MSG MTX")),
            ("SLN", *_some("DTM REF PID SAC TC2 TXI")),
            _PARTY_ORDER,
            ("LM", "LQ >1"),
            ("FA1", "FA2 >1"),
        ),
        "TDS!",
        *_some("TXI CAD AMT"),
        ("SAC", *_some("TXI")),
        ("ISS", "PID >1"),
        "CTT",
    ),
    "940": (
        "W05!",
        ("N1", *_some("N2 N3 N4 N9 G61 PER REF")),
        *_some("N9 G61 NTE G62 NTE MTX W09 W66 W09 W6 AMT PER"),
        (
            "LX",
            *_some("MAN N9 REF PAL G62"),
            ("W01", *_some("G69 N9 QTY NTE AMT G72 MEA W20 MTX LS LE G62")),
        ),
        *_some("W76 CTT"),
    ),
    "945": (
        "W06!",
        ("N1", *_some("N2 N3 N4 N9 G61 PER REF")),
        *_some("N9 G61 NTE G62 NTE W27 W28 W10 G72 MEA AMT PER"),
        (
            "LX",
            *_some("MAN PAL N9 AMT G62"),
            ("W12", *_some("G69 N9 MEA AMT QTY MAN W20 LS LE G62 NTE")),
        ),
        *_some("W03 CTT"),
    ),
    "861": (
        "BRA!",
        *_some("CUR REF PER DTM PRF TD1 TD3 TD4 TD5 MEA"),
        _PARTY_ORDER,
        (
            "RCD",
            *_some("SN1 CUR LIN PID PO4 REF PER DTM PRF MEA MAN TD1 TD3 TD5 NTE LM"),
            _PARTY_ORDER,
            ("SLN", *_some("PID REF DTM")),
        ),
        "CTT",
    ),
    "824": (
        "BGN!",
        _PARTY,
        (
            "OTI!",
            *_some("REF DTM PER AMT QTY NM1"),
            ("TED", *_some("CTX NTE RED LM LQ")),
            _PARTY,
        ),
    ),
}

# What sums up the lines of a set and stands behind them, and what opens a line.
SUMMARY = frozenset(("CTT", "TDS", "W76", "W03"))
LINES = frozenset(("HL", "PO1", "POC", "IT1", "LX", "RCD", "W01", "W12"))
