"""Figures that no forecast may silently eat: a line of a thousandfold quantity, one far from the usual, weeks without a record."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from core.domain.states import InputFaultAction, InputFaultReason

SLIP = 1_000
SLIP_RANGE = (0.2, 5.0)
"""A quantity that is usual once it is divided by a thousand, within these bounds, was written in another unit."""
GAP_NEEDS = 20
"""Units a week that a company asks for at least, so that a week without any is a missing record and not a quiet one."""


@dataclass(frozen=True, slots=True)
class InputFault:
    """`usual` is what stands there ordinarily; `units_off` what has to be taken off the demand of its week."""

    subject: str
    reason: InputFaultReason
    action: InputFaultAction
    sku_id: int | None
    location_id: int | None
    day: date | None
    value: float | None
    usual: float | None
    units_off: int = 0


def judge_line(sku_id: int, location_id: int, line_id: int, day: date, units: int, median: float) -> InputFault:
    """What to do with a line of more than fifty times the usual quantity: a unit slip is taken back, the rest left out."""
    back = units / SLIP
    is_slip = units % SLIP == 0 and median > 0 and SLIP_RANGE[0] <= back / median <= SLIP_RANGE[1]
    return InputFault(
        f"order_line:{line_id}",
        InputFaultReason.UNIT_SLIP if is_slip else InputFaultReason.OUTLIER,
        InputFaultAction.REPAIRED if is_slip else InputFaultAction.LEFT_OUT,
        sku_id,
        location_id,
        day,
        float(units),
        float(median),
        units - int(back) if is_slip else units,
    )


def missing_weeks(totals: Sequence[float]) -> list[int]:
    """Weeks (as places in `totals`, newest first) in which nothing at all was asked for, between weeks in which much was."""
    known = [total for total in totals if total > 0]
    if not known or sorted(known)[len(known) // 2] < GAP_NEEDS:
        return []
    last = max(place for place, total in enumerate(totals) if total > 0)
    first = min(place for place, total in enumerate(totals) if total > 0)
    return [place for place in range(first, last) if totals[place] == 0]


def kept_share(pairs: Iterable[tuple[float, float, float]]) -> float:
    """Which share of demand still comes while a shelf is empty: pooled over (units, share of the week out, usual units).

    What such weeks lack of the usual is lost to the part of them in which the shelf was empty. 1 where as much is asked
    for as otherwise, or where fewer than 30 empty weeks say anything: then nothing was lost.
    """
    lost = usual = 0.0
    count = 0
    for units, share, mean in pairs:
        if share >= 0.5 and mean > 0:
            count += 1
            lost += mean - units
            usual += mean * share
    return min(1.0, max(0.0, 1 - lost / usual)) if count >= 30 else 1.0
