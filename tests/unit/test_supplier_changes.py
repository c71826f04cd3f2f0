"""What a supplier asks for, line by line, and the window in which the policy accepts it by itself."""

from __future__ import annotations

from datetime import date

import pytest

from core.domain.supplier_changes import ChangeRule, ProposedLine, change_rule, is_accepted_by_rule
from core.edi.change_documents import ChangedLine
from core.edi.documents import AcknowledgedLine
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


@pytest.mark.parametrize(("change", "quantity"), [("CA", 12), ("QI", 12), ("PC", 10), ("AI", 1), ("??", None)])
def test_more_units_another_price_and_unknown_changes_need_a_person(change, quantity):
    line = AcknowledgedLine("1", "1", "S", "", "", None, "EA", ())
    found = resolve_change(8, 10, line, ChangedLine("1", change, quantity=quantity), DEFAULT_GUIDE)
    assert found.mismatch is not None


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
    "value", [{"maxDelayDays": -1}, {"maxCutPercent": 101}, {"days": 1}, [], {"maxDelayDays": True}]
)
def test_a_policy_that_cannot_be(value):
    with pytest.raises(InvalidInput):
        change_rule(value)
