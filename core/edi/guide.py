"""A partner's guide: what this trading partner means where the standard leaves it open, as versioned data, not code."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any

from core.errors import InvalidInput

_X12_VERSION = re.compile(r"00\d{4}[A-Z0-9]{0,6}")


class LineKey(StrEnum):
    """Which element carries the number of our purchase-order line."""

    PO_LINE_NUMBER = "po_line_number"
    BUYER_SKU = "buyer_sku"
    GTIN = "gtin"
    VENDOR_CODE = "vendor_code"


class PartialBackorder(StrEnum):
    """The five ways of saying "6 now, 4 later" for a line of 10."""

    PARTIAL_WITH_ACCEPTED = "partial_with_accepted"  # BP 6
    BACKORDER_ALONE = "backorder_alone"  # IB 4
    ACCEPT_AND_BACKORDER = "accept_and_backorder"  # IA 6, IB 4
    PARTIAL_AND_BACKORDER = "partial_and_backorder"  # BP 6, IB 4
    PARTIAL_WITH_BACKORDERED = "partial_with_backordered"  # BP 4


class Remainder(StrEnum):
    """What becomes of the rest when a supplier accepts another quantity (IQ)."""

    CANCEL = "cancel"
    BACKORDER = "backorder"
    REVIEW = "review"


class Strictness(StrEnum):
    STRICT = "strict"
    ACCEPT = "accept"
    REPAIR = "repair"


class PartialDate(StrEnum):
    """Whether the date of a BP is that of the accepted part or of the backordered balance."""

    PART = "part"
    BALANCE = "balance"


class Standard(StrEnum):
    """In which standard we write to a partner."""

    X12 = "X12"
    EDIFACT = "EDIFACT"


class GroupAnswer(StrEnum):
    """With which set we acknowledge a partner's groups of X12."""

    FUNCTIONAL = "997"
    IMPLEMENTATION = "999"


class StockReport(StrEnum):
    """Whether an article that a stock report does not list has no stock (full) or is unchanged (delta)."""

    FULL = "full"
    DELTA = "delta"


class OrderNumber(StrEnum):
    """How a partner writes the numbers of our orders: as we do, with zeros in front, or their digits alone."""

    AS_SENT = "as_sent"
    PADDED = "padded"
    DIGITS = "digits"


class AllOrNone(StrEnum):
    """What falls with a set that cannot be applied."""

    SET = "set"
    GROUP = "group"
    INTERCHANGE = "interchange"


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Hours after sending by which an answer is due; None where none is expected."""

    functional_acknowledgement_hours: int | None = 24
    acknowledgement_hours: int | None = 48
    ship_notice_hours: int | None = None


@dataclass(frozen=True, slots=True)
class PartnerGuide:
    """`code_map` turns the partner's line statuses into standard ones, `header_map` BAK02 likewise, `unit_map` gives
    base units per unit of measure, `ib_quantity_is_ordered` says that ACK02 of an IB repeats the ordered quantity.

    `standard` is what we write, EDIFACT by `edifact_directory` (D96A) and the code of a subset. A stock report that takes
    more than `stock_drop_percent` of the articles to zero is set aside; prices may differ by `price_tolerance_percent`.
    `all_or_none`: what falls with a set that cannot be applied: itself, its group, or its whole interchange. A partner that
    sends nothing for `silence_hours` is an alert (None: judged by its usual pauses). `warehouse` is the code of the
    location of ours that the partner runs: what leaves there is released to it by a 940. `group_answer` is
    the set that acknowledges its groups. `order_number` is how it writes the numbers of our orders; from the first of
    the `order_suffix_marks` on they are its own (a release: `-01`). `line_reference` is
    the code of the reference (REF01) in which it repeats the numbers of our lines. `x12_version` (GS08) is that of the X12 that we write.
    """

    line_key: LineKey = LineKey.PO_LINE_NUMBER
    partial_backorder_encoding: PartialBackorder = PartialBackorder.ACCEPT_AND_BACKORDER
    partial_date: PartialDate = PartialDate.PART
    ib_quantity_is_ordered: bool = False
    iq_policy: Remainder = Remainder.CANCEL
    quantity_tolerance: int = 0
    duplicate_window_days: int = 30
    strictness: Strictness = Strictness.ACCEPT
    code_map: Mapping[str, str] = field(default_factory=dict)
    header_map: Mapping[str, str] = field(default_factory=dict)
    unit_map: Mapping[str, int] = field(default_factory=dict)
    deadlines: Deadlines = Deadlines()
    standard: Standard = Standard.X12
    edifact_directory: str = "D96A"
    edifact_association: str = ""
    stock_report: StockReport = StockReport.DELTA
    stock_drop_percent: int = 30
    price_tolerance_percent: int = 0
    all_or_none: AllOrNone = AllOrNone.SET
    silence_hours: int | None = None
    warehouse: str = ""
    group_answer: GroupAnswer = GroupAnswer.FUNCTIONAL
    order_number: OrderNumber = OrderNumber.AS_SENT
    order_suffix_marks: str = ""
    line_reference: str = ""
    x12_version: str = "004010"

    def to_json(self) -> dict[str, Any]:
        plain = {item.name: getattr(self, item.name) for item in fields(self)}
        for name in ("code_map", "header_map", "unit_map"):
            plain[name] = dict(plain[name])
        plain["deadlines"] = {item.name: getattr(self.deadlines, item.name) for item in fields(Deadlines)}
        return {name: value.value if isinstance(value, StrEnum) else value for name, value in plain.items()}

    @classmethod
    def from_json(cls, guide: Mapping[str, Any]) -> PartnerGuide:
        """Missing keys take their defaults. InvalidInput names an unknown key or a value that cannot be."""
        unknown = sorted(set(guide) - {item.name for item in fields(cls)})
        if unknown:
            raise InvalidInput(f"A partner guide has no {unknown[0]!r}.", path=("guide", unknown[0]))
        values: dict[str, Any] = {}
        for name, value in guide.items():
            try:
                values[name] = _CASTS[name](value)
            except (TypeError, ValueError, AttributeError) as error:
                raise InvalidInput(f"{name} of a partner guide cannot be {value!r}.", path=("guide", name)) from error
        return cls(**values)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError(value)
    return value


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(value)
    return value


def _hours(value: Any) -> int | None:
    return None if value is None else _count(value)


def _word(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _version(value: Any) -> str:
    if not isinstance(value, str) or not _X12_VERSION.fullmatch(value):
        raise ValueError(value)
    return value


def _marks(value: Any) -> str:
    if not isinstance(value, str) or any(mark.isalnum() or mark.isspace() for mark in value):
        raise ValueError(value)
    return value


def _words(value: Mapping[str, Any]) -> dict[str, str]:
    return {str(code): str(meaning) for code, meaning in value.items()}


def _factors(value: Mapping[str, Any]) -> dict[str, int]:
    factors = {str(unit): _count(factor) for unit, factor in value.items()}
    if 0 in factors.values():
        raise ValueError(value)
    return factors


def _deadlines(value: Mapping[str, Any]) -> Deadlines:
    return Deadlines(**{name: None if hours is None else _count(hours) for name, hours in value.items()})


_CASTS: dict[str, Any] = {
    "line_key": LineKey,
    "partial_backorder_encoding": PartialBackorder,
    "partial_date": PartialDate,
    "ib_quantity_is_ordered": _flag,
    "iq_policy": Remainder,
    "quantity_tolerance": _count,
    "duplicate_window_days": _count,
    "strictness": Strictness,
    "code_map": _words,
    "header_map": _words,
    "unit_map": _factors,
    "deadlines": _deadlines,
    "standard": Standard,
    "edifact_directory": _word,
    "edifact_association": _word,
    "stock_report": StockReport,
    "stock_drop_percent": _count,
    "price_tolerance_percent": _count,
    "warehouse": _word,
    "group_answer": GroupAnswer,
    "order_number": OrderNumber,
    "order_suffix_marks": _marks,
    "line_reference": _word,
    "x12_version": _version,
    "all_or_none": AllOrNone,
    "silence_hours": _hours,
}

DEFAULT_GUIDE = PartnerGuide()
