"""Quotas: which of them bind an asker, what is left of them by which day, and what a promise uses up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

from core.domain.allowance import Allowance, WaitsFor
from core.domain.records import Line, Peg, Quota, QuotaUse
from core.domain.states import PegKind

if TYPE_CHECKING:
    from core.domain.book import SkuBook
    from core.domain.proposals import Proposal

WEEKS_AHEAD = 53
"""Windows of a weekly quota that are looked at; what even they do not allow is promised after the last."""


class Asker(Struct, frozen=True):
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


def counts_on(quota: Quota, day: date) -> bool:
    """Does the quota limit what is claimed for `day`?"""
    return quota.from_day <= day and (quota.until_day is None or day <= quota.until_day)


def _end_of_window(quota: Quota, day: date) -> date:
    """The first day after the window of `day`."""
    if quota.period == "WINDOW":
        return date.max if quota.until_day is None else quota.until_day + timedelta(days=1)
    return window_of(quota, day) + timedelta(days=7)


def _spent(quota: Quota, used: Mapping[date, int]) -> dict[date, int]:
    """Units used by window; days before and after those of the quota count nowhere."""
    spent: dict[date, int] = {}
    for day, units in used.items():
        if counts_on(quota, day):
            spent[window_of(quota, day)] = spent.get(window_of(quota, day), 0) + units
    return spent


def allowance_of(quota: Quota, used: Mapping[date, int], today: date) -> Allowance | None:
    """What the quota leaves from today on, given the units used per day; None when it is over.

    What a window leaves over is not for the next; before its first day and after its last one a quota limits nothing,
    but what is claimed for its days counts, however long before it is claimed.
    """
    if quota.until_day is not None and today > quota.until_day:
        return None
    spent = _spent(quota, used)
    first = max(quota.from_day, today)
    end = None if quota.until_day is None else quota.until_day + timedelta(days=1)
    steps: list[tuple[date, int | None]] = [(today, None)] if today < first else []
    start = window_of(quota, first)
    for _ in range(1 if quota.period == "WINDOW" else WEEKS_AHEAD):
        if end is not None and start >= end:
            break
        steps.append((max(start, first), max(0, quota.quantity - spent.get(start, 0))))
        start += timedelta(days=7)
    steps.append((start if end is None else end, None))
    return Allowance(tuple(steps), WaitsFor.QUOTA, quota.id)


def allowances_for(book: SkuBook, asker: Asker, sources: Sequence[int]) -> Sequence[Allowance]:
    """What the SKU's quotas leave to the asker, from the earliest present day among its sources."""
    if not book.quotas:
        return ()
    today = min(book.today[place] for place in sources or book.today)
    found: list[Allowance] = []
    for quota in book.quotas:
        if binds(quota, asker):
            allowance = allowance_of(quota, _used(book, quota), today)
            if allowance is not None:
                found.append(allowance)
    return found


def _used(book: SkuBook, quota: Quota) -> dict[date, int]:
    return {day: units for (quota_id, day), units in book.quota_used.items() if quota_id == quota.id}


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
            if line.id is not None:
                shares = book.quota_shares.setdefault((allowance.quota_id, line.id), {})
                shares[day] = shares.get(day, 0) + part.quantity


def may_serve(book: SkuBook, peg: Peg, day: date) -> int:
    """Units of a claim that may be served on `day`, earlier than it claims them, by the quotas its line has used.

    A claim that stands within the window of `day`, or before, has its share of it. One that stands in a later window
    takes what its line has used of earlier ones without getting it (its day was moved), then what the window has left.
    """
    line, limit = peg.line, peg.quantity
    if line is None or not book.quota_shares:
        return limit
    for quota in book.quotas:
        shares = book.quota_shares.get((quota.id, line.id or 0))
        if not shares or not counts_on(quota, day) or peg.need_date < _end_of_window(quota, day):
            continue
        kept = max(0, -_excess(book, quota, line, shares, day))
        left = max(0, quota.quantity - _spent(quota, _used(book, quota)).get(window_of(quota, day), 0))
        limit = min(limit, kept + left)
    return limit


def waits_for_quota(book: SkuBook, line: Line) -> tuple[int, int]:
    """(units that wait only for the window of their quota, all units that wait) of a line."""
    waiting = [peg for peg in book.pegs_of(line) if peg.kind != PegKind.HARD]
    return sum(p.quantity for p in waiting if book.waits_for_quota(p)), sum(p.quantity for p in waiting)


def move_use(book: SkuBook, line: Line, day: date) -> None:
    """Count in the window of `day` what the line has got or claims by its end and had used of later ones."""
    for quota in book.quotas:
        shares = book.quota_shares.get((quota.id, line.id or 0))
        if not shares or not counts_on(quota, day):
            continue
        excess, end = _excess(book, quota, line, shares, day), _end_of_window(quota, day)
        for later in sorted(other for other in shares if other >= end):
            units = min(excess, shares[later])
            if units <= 0:
                break
            excess -= units
            for when, more in ((later, -units), (day, units)):
                shares[when] = shares.get(when, 0) + more
                key = (quota.id, when)
                book.quota_used[key] = book.quota_used.get(key, 0) + more
            book.quota_rewrites.add((quota.id, line.id or 0))


def _excess(book: SkuBook, quota: Quota, line: Line, shares: Mapping[date, int], day: date) -> int:
    """Units the line has got or claims by the end of the window of `day` beyond what it has used by then.

    What it was promised before the quota was there is bound by nothing and counted nowhere.
    """
    end = _end_of_window(quota, day)
    waiting = sum(p.quantity for p in book.pegs_of(line) if p.kind != PegKind.HARD and p.need_date < end)
    unbound = max(0, line.ordered - line.cancelled - sum(shares.values()))
    used = sum(units for when, units in shares.items() if when < end)
    return line.allocated + line.shipped + waiting - unbound - used
