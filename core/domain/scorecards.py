"""What a supplier's record says: computed from the facts as they are known now, so that late facts restate it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import pairwise
from statistics import median

from core.domain.eta import quantile


@dataclass(frozen=True, slots=True)
class LineStep:
    """How a line stood after something was said of it, on the day it was said."""

    day: date
    at: datetime
    promised_date: date | None
    unanswered: int
    cancelled: int


@dataclass(frozen=True, slots=True)
class LineReceipt:
    """Units of a line that were received; `bad` of them were damaged or failed inspection. `paper_date` is the last day
    that the supplier or its carrier stated for them (None: nobody did), `usable_date` the day that we believed in."""

    day: date
    units: int
    bad: int = 0
    paper_date: date | None = None
    usable_date: date | None = None


@dataclass(frozen=True, slots=True)
class OpenPart:
    """Units of a line that have not come, with the day that was stated for them and the one that we believe in."""

    paper_date: date
    usable_date: date


@dataclass(frozen=True, slots=True)
class LineFacts:
    """A purchase order line from the day it was sent; `steps` and `receipts` by time, `missing` as it is now. Prices in
    minor units."""

    sku_id: int
    sent_at: datetime
    sent_on: date
    ordered: int
    price: int
    requested_date: date | None = None
    steps: Sequence[LineStep] = ()
    receipts: Sequence[LineReceipt] = ()
    missing: Sequence[OpenPart] = ()


@dataclass(frozen=True, slots=True)
class Rate:
    """A share (0..1) of `count` cases; None where there was no case."""

    value: float | None
    count: int


@dataclass(frozen=True, slots=True)
class Spread:
    """Quantiles of `count` observations; None while there are too few of them to say."""

    p50: float | None
    p80: float | None
    count: int


@dataclass(frozen=True, slots=True)
class DateRecord:
    """How a supplier's stated days did: `bias` is the median of days late (negative: early), `spread` the days between
    the first and last tenth, `coverage` the share that came by the stated day, `believed` by the day we believed in.

    What has not come by its day is a case too, a miss, with the days it is late already: a supplier does not become
    punctual by what it never delivers.
    """

    bias: float | None
    spread: float | None
    coverage: Rate
    believed: Rate


@dataclass(frozen=True, slots=True)
class Scorecard:
    """The record over the days `from_day`..`to_day`, as of `to_day`."""

    from_day: date
    to_day: date
    on_time: Rate
    """Share of lines due in the window that were complete by the day first promised (else the day we asked for)."""
    in_full: Rate
    """Share of the units of these lines that have come by `to_day`; what was cancelled by the due day does not count."""
    lead_time: Spread
    """Days from sending to receipt, per receipt in the window."""
    lead_time_days: dict[int, int] = field(default_factory=dict)
    """Receipts by lead time in days."""
    acknowledgement_hours: Spread = Spread(None, None, 0)
    unacknowledged: int = 0
    """Lines sent in the window without an answer."""
    date_changes: int = 0
    """How often a promised day was changed in the window."""
    changed_lines: Rate = Rate(None, 0)
    """Share of the promised lines that it happened to."""
    quality: Rate = Rate(None, 0)
    """Share of received units that were good."""
    price_drift: Rate = Rate(None, 0)
    """Change of prices against the days as many before the window, weighted by units; `count` is SKUs compared."""
    dates: DateRecord = DateRecord(None, None, Rate(None, 0), Rate(None, 0))


def scorecard(lines: Iterable[LineFacts], from_day: date, to_day: date) -> Scorecard:
    """The scorecard of these lines. Facts after `to_day` are left out: the card of a past day is what was true then,
    with what became known of it since (a receipt that was booked late counts on the day on which it happened)."""
    known = [line for line in lines if line.sent_on <= to_day]
    due = [(line, day) for line in known if (day := due_day(line, to_day)) is not None and from_day <= day <= to_day]
    needed = {id(line): line.ordered - _cancelled(line, min(day, to_day)) for line, day in due}
    counted = [(line, day) for line, day in due if needed[id(line)] > 0]
    complete = sum(_received(line, day) >= needed[id(line)] for line, day in counted)
    wanted = sum(needed[id(line)] for line, _ in counted)
    came = sum(min(needed[id(line)], _received(line, to_day)) for line, _ in counted)
    receipts = [(line, r) for line in known for r in line.receipts if from_day <= r.day <= to_day]
    lead_times = [(r.day - line.sent_on).days for line, r in receipts]
    sent = [line for line in known if line.sent_on >= from_day]
    hours = [hour for line in sent if (hour := _answer_hours(line, to_day)) is not None]
    changes = [_changes(line, from_day, to_day) for line in known]
    promised = [n for line, n in zip(known, changes, strict=True) if _promised_steps(line, to_day)]
    units = sum(r.units for _, r in receipts)
    return Scorecard(
        from_day,
        to_day,
        _rate(complete, len(counted)),
        Rate(came / wanted if wanted else None, wanted),
        _spread(lead_times),
        dict(sorted(Counter(lead_times).items())),
        _spread(hours),
        len(sent) - len(hours),
        sum(changes),
        _rate(sum(n > 0 for n in promised), len(promised)),
        Rate(1 - sum(min(r.bad, r.units) for _, r in receipts) / units if units else None, units),
        _price_drift(known, from_day, to_day),
        _dates([r for _, r in receipts], _overdue(known, to_day), to_day),
    )


SILENCE_WEIGHT = 4
"""Cases that the assumption "a silent supplier keeps half as many days as usual" weighs as much as."""


def confidence_when_silent(lines: Iterable[LineFacts], hours: float, from_day: date, to_day: date) -> Rate:
    """How likely an order that is still unanswered after so many hours is complete on its day.

    The share of the lines due in the window that were as long unanswered, drawn to half of the supplier's usual share
    (half, where it has no record) with the weight of SILENCE_WEIGHT cases; `count` is the cases seen.
    """
    known = list(lines)
    usual = scorecard(known, from_day, to_day).on_time.value
    silent = [line for line in known if (took := _answer_hours(line, to_day)) is None or took > hours]
    record = scorecard(silent, from_day, to_day).on_time
    prior = 0.5 * (1.0 if usual is None else usual)
    hits = (record.value or 0.0) * record.count
    return Rate((hits + SILENCE_WEIGHT * prior) / (record.count + SILENCE_WEIGHT), record.count)


def due_day(line: LineFacts, as_of: date) -> date | None:
    """The day a line is measured against: the first that the supplier promised, else the one that we asked for."""
    steps = _promised_steps(line, as_of)
    return steps[0].promised_date if steps else line.requested_date


def _promised_steps(line: LineFacts, as_of: date) -> list[LineStep]:
    return [step for step in line.steps if step.promised_date is not None and step.day <= as_of]


def _cancelled(line: LineFacts, as_of: date) -> int:
    steps = [step.cancelled for step in line.steps if step.day <= as_of]
    return steps[-1] if steps else 0


def _received(line: LineFacts, by: date) -> int:
    return sum(receipt.units for receipt in line.receipts if receipt.day <= by)


def _answer_hours(line: LineFacts, as_of: date) -> float | None:
    answered = next(
        (s for s in line.steps if s.day <= as_of and s.unanswered == 0 and s.cancelled < line.ordered), None
    )
    return None if answered is None else max(0.0, (answered.at - line.sent_at).total_seconds() / 3600)


def _changes(line: LineFacts, from_day: date, to_day: date) -> int:
    steps = _promised_steps(line, to_day)
    pairs = pairwise(steps)
    return sum(b.promised_date != a.promised_date and b.day >= from_day for a, b in pairs)


def _price_drift(lines: Sequence[LineFacts], from_day: date, to_day: date) -> Rate:
    first = from_day - (to_day - from_day) - timedelta(days=1)
    now: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    before: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    for line in lines:
        side = now if line.sent_on >= from_day else before if line.sent_on >= first else None
        if side is not None:
            side[line.sku_id][0] += line.price * line.ordered
            side[line.sku_id][1] += line.ordered
    both = [sku_id for sku_id in now if sku_id in before and before[sku_id][0] > 0]
    paid = sum(now[s][0] for s in both)
    would = sum(before[s][0] / before[s][1] * now[s][1] for s in both)
    return Rate(paid / would - 1 if both else None, len(both))


def _overdue(lines: Sequence[LineFacts], to_day: date) -> list[OpenPart]:
    """Parts whose stated day was over by the end of `to_day` without them, also such as have come since."""
    since = [
        OpenPart(r.paper_date, r.usable_date or r.paper_date)
        for line in lines
        for r in line.receipts
        if r.day > to_day and r.paper_date is not None
    ]
    missing = [part for line in lines for part in line.missing]
    return [part for part in (*since, *missing) if part.paper_date < to_day]


def _dates(receipts: Sequence[LineReceipt], overdue: Sequence[OpenPart], to_day: date) -> DateRecord:
    late = [(r.day - r.paper_date).days for r in receipts if r.paper_date is not None]
    late = sorted(late + [(to_day - part.paper_date).days for part in overdue])
    if not late:
        return DateRecord(None, None, Rate(None, 0), Rate(None, 0))
    tenth = len(late) // 10
    believed = [r.day <= r.usable_date for r in receipts if r.paper_date is not None and r.usable_date is not None]
    believed += [False for part in overdue if part.usable_date < to_day]
    return DateRecord(
        float(median(late)),
        float(late[-1 - tenth] - late[tenth]),
        _rate(sum(day <= 0 for day in late), len(late)),
        _rate(sum(believed), len(believed)),
    )


def _rate(hits: int, cases: int) -> Rate:
    return Rate(hits / cases if cases else None, cases)


def _spread(values: Sequence[float]) -> Spread:
    whole = [round(value * 60) for value in values]
    p50, p80 = quantile(whole, 0.5), quantile(whole, 0.8)
    return Spread(None if p50 is None else p50 / 60, None if p80 is None else p80 / 60, len(values))
