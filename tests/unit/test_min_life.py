"""How long a lot must still live at delivery: whose rule counts, and what a line asks for itself."""

from __future__ import annotations

from datetime import UTC, datetime

from core.domain.lots import Lots
from core.domain.network import Network


def test_a_line_may_ask_for_more_life_than_the_rule_never_for_less():
    lots = Lots(
        "S",
        True,
        5,
        Network({}, {}),
        datetime(2026, 11, 2, tzinfo=UTC),
        by_customer={1: 2, 7: 9},
        by_channel={"web": 3},
    )
    assert [lots.min_life_of(None, "", asked) for asked in (None, 3, 8)] == [5, 5, 8]
    assert [lots.min_life_of(7, "web"), lots.min_life_of(None, "web"), lots.min_life_of(7, "web", 4)] == [9, 3, 9]
