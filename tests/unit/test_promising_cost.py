"""Asking about a SKU costs no more than its events: lines of our code that run are counted, not seconds."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from types import FrameType
from typing import Any

from core.domain.book import SkuBook
from core.domain.calendars import WorkCalendar
from core.domain.network import Lane, Location, Network
from core.domain.promising import Demand, available_now, propose
from core.domain.records import Peg, StockLevel, Supply
from core.domain.states import PegKind

DAILY = WorkCalendar(frozenset(range(1, 8)))
TODAY = date(2026, 11, 2)
A, ZONE = 1, 2
OURS = str(Path(__file__).resolve().parents[2] / "core" / "domain")


def lines_run(work: Callable[[], Any]) -> int:
    """How many lines of core/domain run."""
    counted = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal counted
        if not frame.f_code.co_filename.startswith(OURS):
            return None
        counted += event == "line"
        return trace

    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(None)
    return counted


def crowded(events: int) -> tuple[SkuBook, Network, datetime]:
    """Half supplies of two, half claims of one, a day each."""
    now = datetime.combine(TODAY, time(9), UTC)
    book = SkuBook(1, "S", 1, now, {A: TODAY, ZONE: TODAY})
    book.levels[A] = StockLevel(A, 3)
    for n in range(events // 2):
        book.supplies.append(Supply(n + 1, A, "purchase", 2, TODAY + timedelta(days=n + 1)))
        book.pegs.append(Peg(n + 1, A, TODAY + timedelta(days=n + 1), 1, PegKind.OPEN, line_id=n + 10))
    places = {n: Location(n, str(n), kind, "UTC", time(12), DAILY) for n, kind in ((A, "dc"), (ZONE, "destination"))}
    return book, Network(places, {(A, ZONE): Lane(A, ZONE, 1, DAILY)}), now


def cost(events: int) -> int:
    book, network, now = crowded(events)
    quantity = events // 4

    def look() -> None:
        assert available_now(book, [A]) == 3
        assert (
            propose(book, Demand(quantity, ZONE, None, [A], lead_time_days=20_000), network, now).quantity == quantity
        )

    return lines_run(look)


def test_the_cost_is_linear_up_to_ten_thousand_events():
    small, large = cost(1_000), cost(10_000)
    assert large < 11 * small, (small, large)
    assert large < 120 * 10_000, "lines per event"
