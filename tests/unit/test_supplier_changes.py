"""What a supplier asks for, line by line, and the window in which the policy accepts it by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from core.domain.supplier_changes import ChangeRule, ProposedLine, change_rule, is_accepted_by_rule
from core.edi.change_documents import ChangedLine
from core.edi.documents import AcknowledgedLine, Effect, LineStatus
from core.edi.guide import DEFAULT_GUIDE
from core.edi.resolve_change import resolve_change
from core.errors import InvalidInput

KNOWN = date(2026, 12, 1)


@pytest.mark.parametrize(
    ("change", "quantity", "left", "accepted", "rejected"),
    [
        ("CT", None, None, 8, 0),
        ("QD", 7, None, 5, 3),  # 10 stand, 2 of them shipped: 7 wanted are 5 still to come
        ("QD", None, 6, 6, 2),
        ("DI", None, None, 0, 8),
        ("RZ", 10, None, 8, 0),
    ],
)
def test_a_change_without_statuses_restates_what_is_open(change, quantity, left, accepted, rejected):
    line = AcknowledgedLine("1", "1", "S", "", "", None, "EA", ())
    asked = ChangedLine("1", change, quantity=quantity, left_to_receive=left)
    found = resolve_change(8, 10, line, asked, DEFAULT_GUIDE, (("067", KNOWN),))
    assert (found.accepted_quantity, found.rejected, found.mismatch) == (accepted, rejected, None)
    assert [part.date for part in found.accepted] == [KNOWN] * bool(accepted)


@pytest.mark.parametrize(
    ("change", "quantity", "price", "accepted", "added", "asked"),
    [
        ("QI", 12, None, 10, 2, None),
        ("CA", 12, None, 10, 2, None),
        ("PQ", 12, "7.50", 10, 2, "7.50"),
        ("PQ", 9, "7.10", 7, 0, None),  # within 2 percent of 7.00
        ("PC", 10, "7.50", 0, 0, "7.50"),
        ("PC", None, "7.10", 0, 0, None),
        ("PR", None, "6.00", 8, 0, "6.00"),
    ],
)
def test_more_units_and_another_price_are_asked_for(change, quantity, price, accepted, added, asked):
    line = AcknowledgedLine("1", "1", "S", "", "", None, "EA", ())
    wanted = ChangedLine("1", change, quantity=quantity, price=None if price is None else Decimal(price))
    guide = replace(DEFAULT_GUIDE, price_tolerance_percent=2)
    found = resolve_change(8, 10, line, wanted, guide, (), Decimal("7.00"))
    assert (found.accepted_quantity, found.added, found.mismatch) == (accepted, added, None)
    assert found.price == (None if asked is None else Decimal(asked))
    assert found.answered is (accepted > 0)


def test_statuses_of_a_raised_line_speak_of_what_it_is_raised_to():
    status = LineStatus("IA", 10, KNOWN, "067", Effect.ACCEPT, "IA")
    line = AcknowledgedLine("1", "1", "S", "", "", None, "EA", (status,))
    found = resolve_change(8, 10, line, ChangedLine("1", "QI", quantity=12), DEFAULT_GUIDE)
    assert (found.accepted_quantity, found.added, found.mismatch) == (10, 2, None)


@pytest.mark.parametrize(
    ("change", "quantity"), [("QI", 9), ("QD", 12), ("PC", 10), ("PQ", 12), ("??", None), ("CA", 1)]
)
def test_a_rise_that_is_none_a_price_not_named_and_unknown_changes_need_a_person(change, quantity):
    line = AcknowledgedLine("1", "1", "S", "", "", None, "EA", ())
    found = resolve_change(8, 10, line, ChangedLine("1", change, quantity=quantity), DEFAULT_GUIDE)
    assert found.mismatch is not None


@pytest.mark.parametrize(("price", "added"), [(None, 5), ("7.10", 5), ("9.00", 0), ("6.00", 0)])
def test_an_additional_line_at_another_price_needs_a_person_for_a_line_has_one_price(price, added):
    line = AcknowledgedLine("2", "2", "S", "", "", None, "EA", (), (("067", KNOWN),))
    wanted = ChangedLine("2", "AI", quantity=5, price=None if price is None else Decimal(price))
    found = resolve_change(8, 10, line, wanted, replace(DEFAULT_GUIDE, price_tolerance_percent=2), (), Decimal("7.00"))
    assert (found.added, found.price, found.mismatch is None) == (added, None, bool(added))


@pytest.mark.parametrize(
    ("line", "accepted"),
    [
        (ProposedLine(10, 0, KNOWN, date(2026, 12, 4)), True),
        (ProposedLine(10, 0, KNOWN, date(2026, 12, 5)), False),
        (ProposedLine(10, 2, KNOWN, KNOWN), True),
        (ProposedLine(10, 3, KNOWN, KNOWN), False),
        (ProposedLine(10, 0, None, KNOWN), False),
        (ProposedLine(10, 0, KNOWN, KNOWN, is_open_ended=True), False),
    ],
)
def test_the_window_of_the_policy(line: ProposedLine, accepted: bool):
    assert is_accepted_by_rule([line], ChangeRule(3, 20)) is accepted
    assert not is_accepted_by_rule([line], ChangeRule())


@pytest.mark.parametrize(
    ("line", "accepted"),
    [
        (ProposedLine(10, 0, KNOWN, KNOWN, raised=1), True),
        (ProposedLine(10, 0, KNOWN, KNOWN, raised=2), False),
        (ProposedLine(10, 0, KNOWN, None, price=105, known_price=100, is_price_alone=True), True),
        (ProposedLine(10, 0, KNOWN, None, price=106, known_price=100, is_price_alone=True), False),
        (ProposedLine(10, 0, KNOWN, KNOWN, price=90, known_price=100), True),
    ],
)
def test_units_on_top_and_dearer_ones_up_to_a_share(line: ProposedLine, accepted: bool):
    assert is_accepted_by_rule([line], ChangeRule(3, 20, 10, 5)) is accepted


def test_any_other_price_needs_a_person_while_no_share_is_set():
    lower = ProposedLine(10, 0, KNOWN, None, price=42, known_price=500, is_price_alone=True)
    assert not is_accepted_by_rule([lower], change_rule({}))
    assert not is_accepted_by_rule(
        [replace(lower, latest=KNOWN, is_price_alone=False)], change_rule({"maxDelayDays": 3})
    )
    assert is_accepted_by_rule([lower], change_rule({"maxPricePercent": 0}))


@pytest.mark.parametrize(
    "value", [{"maxDelayDays": -1}, {"maxCutPercent": 101}, {"days": 1}, [], {"maxDelayDays": True}]
)
def test_a_policy_that_cannot_be(value):
    with pytest.raises(InvalidInput):
        change_rule(value)
