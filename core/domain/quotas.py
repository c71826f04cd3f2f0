"""Quotas: which of them bind an asker, what is left of them by which day, and what a promise uses up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from core.domain.allowance import Allowance, WaitsFor
from core.domain.book import SkuBook
from core.domain.proposals import Proposal
from core.domain.records import Line, Quota, QuotaUse

WEEKS_AHEAD = 53
"""Windows of a weekly quota that are looked at; what even they do not allow is promised after the last."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, as far as quotas care."""

    channel: str | None = None
    customer_id: int | None = None
    tier: str | None = None


def binds(quota: Quota, asker: Asker) -> bool:
    """A quota binds everybody it names; what it leaves open it leaves to all together."""
    return (
        quota.channel in (None, asker.channel)
        and quota.customer_id in (None, asker.customer_id)
        and quota.tier in (None, asker.tier)
    )


def window_of(quota: Quota, day: date) -> date:
    """First day of the window that `day` lies in."""
    return quota.from_day if quota.period == "WINDOW" else day - timedelta(days=day.weekday())


def allowance_of(quota: Quota, used: Mapping[date, int], today: date) -> Allowance | None:
    """What the quota leaves from today on, given the units used per day; None when it has not begun or is over.

    What a window leaves over is not for the next; after its last day a quota limits nothing.
    """
    if today < quota.from_day or (quota.until_day is not None and today > quota.until_day):
        return None
    spent: dict[date, int] = {}
    for day, units in used.items():
        spent[window_of(quota, day)] = spent.get(window_of(quota, day), 0) + units
    end = None if quota.until_day is None else quota.until_day + timedelta(days=1)
    steps: list[tuple[date, int | None]] = []
    start = window_of(quota, today)
    for _ in range(1 if quota.period == "WINDOW" else WEEKS_AHEAD):
        if end is not None and start >= end:
            break
        steps.append((max(start, today), max(0, quota.quantity - spent.get(start, 0))))
        start += timedelta(days=7)
    steps.append((start if end is None else end, None))
    return Allowance(tuple(steps), WaitsFor.QUOTA, quota.id)


def allowances_for(book: SkuBook, asker: Asker, sources: Sequence[int]) -> Sequence[Allowance]:
    """What the SKU's quotas leave to the asker, from today at the first of its sources."""
    if not book.quotas:
        return ()
    today = book.today[sources[0]] if sources else min(book.today.values())
    found: list[Allowance] = []
    for quota in book.quotas:
        if binds(quota, asker):
            used = {day: units for (quota_id, day), units in book.quota_used.items() if quota_id == quota.id}
            allowance = allowance_of(quota, used, today)
            if allowance is not None:
                found.append(allowance)
    return found


def use_quotas(book: SkuBook, line: Line, proposal: Proposal) -> None:
    """Count a proposal that is carried out against the quotas that bound it, each slice in the window of its day."""
    for allowance in proposal.allowances:
        if allowance.quota_id is None:
            continue
        for part in proposal.slices:
            day = book.today[part.location_id] if part.kind == "ON_HAND" else part.ship_date
            book.quota_uses.append(QuotaUse(allowance.quota_id, line, day, part.quantity))
            key = (allowance.quota_id, day)
            book.quota_used[key] = book.quota_used.get(key, 0) + part.quantity
