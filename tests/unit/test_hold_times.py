"""How long holds last: defaults by kind, a company's own figures, and those of a channel before them."""

from __future__ import annotations

import pytest

from core.domain.reserving import hold_time
from core.domain.states import ReservationKind

HOUR, DAY = 3_600, 86_400


@pytest.mark.parametrize(
    ("kind", "seconds", "maximum"),
    [
        ("CART", 600, HOUR),
        ("QUOTE", 7 * DAY, 30 * DAY),
        ("PREORDER", 30 * DAY, 365 * DAY),
        ("INTERNAL", DAY, 90 * DAY),
        ("PROMOTION", 30 * DAY, 365 * DAY),
    ],
)
def test_every_kind_lasts_as_long_as_documented_when_nobody_says(kind, seconds, maximum):
    found = hold_time(None, ReservationKind[kind])
    assert (found.seconds, found.maximum) == (seconds, maximum)


def test_a_channels_own_figure_goes_before_the_companys_and_the_maximum_before_both():
    policy = {
        "seconds": 900,
        "quote": {"seconds": DAY},
        "channels": {"MARKET": {"seconds": 60, "quote": {"seconds": 40 * DAY, "maximumSeconds": 2 * DAY}}},
    }
    cart, quote = ReservationKind.CART, ReservationKind.QUOTE
    assert [hold_time(policy, cart, channel).seconds for channel in (None, "WEB", "MARKET")] == [900, 900, 60]
    assert [hold_time(policy, quote, channel).seconds for channel in (None, "MARKET")] == [DAY, 2 * DAY]
    assert hold_time(policy, ReservationKind.INTERNAL).seconds == DAY, "a figure without a kind is that of carts"
