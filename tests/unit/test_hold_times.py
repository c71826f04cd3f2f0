"""How long holds last: defaults by kind, a company's own figures, and those of a channel before them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from core.domain.book import SkuBook
from core.domain.records import StockLevel
from core.domain.reserving import HoldTime, hold_time, split_hold
from core.domain.states import ReservationKind
from core.errors import InvalidInput

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


def test_a_hold_ends_when_asked_but_never_after_its_maximum_nor_the_last_instant_of_its_units():
    now = datetime(2026, 11, 2, 9, tzinfo=UTC)
    lasts = HoldTime(600, HOUR)

    def seconds(ttl: int | None, latest: datetime | None = None) -> float:
        return (lasts.expiry(now, ttl, latest) - now).total_seconds()

    assert [seconds(ttl) for ttl in (None, 60, 2 * HOUR)] == [600, 60, HOUR]
    assert [seconds(ttl, now + timedelta(seconds=300)) for ttl in (None, 60)] == [300, 60]
    for wrong in (0, -1):
        with pytest.raises(InvalidInput):
            lasts.expiry(now, wrong)


def test_units_are_held_at_one_place_if_one_suffices_else_where_most_is_first():
    today = date(2026, 11, 2)
    book = SkuBook(1, "S", 1, datetime(2026, 11, 2, 9, tzinfo=UTC), dict.fromkeys((1, 2, 3), today))
    book.levels = {place: StockLevel(place, units) for place, units in ((1, 2), (2, 5), (3, 4))}
    assert split_hold(book, 4, [1, 2, 3], None) == [(2, 4)]
    assert split_hold(book, 7, [1, 2, 3], None) == [(2, 5), (3, 2)]
    assert split_hold(book, 99, [1, 2], None) == [(2, 5), (1, 2)]
