"""Deadlines of suppliers: when an answer or a ship notice is due, and what a clock that has gone on makes of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from core.domain.supplier_states import DeadlineKind, DeadlineState
from core.errors import InvalidInput

POLICY = "supplier_deadlines"
DEFAULT: dict[str, Any] = {
    "acknowledgementHours": 48,
    "shipNoticeHoursBefore": 24,
    "warnShare": 0.75,
    "escalateHours": 24,
    "suppliers": {},
}
_FIGURES = frozenset(DEFAULT) - {"suppliers"}
LIVE = (DeadlineState.OPEN, DeadlineState.WARNED, DeadlineState.BREACHED, DeadlineState.ESCALATED)


@dataclass(frozen=True, slots=True)
class DeadlineRules:
    """Hours after sending by which the answer is due, hours before the promised day by which the ship notice is; None:
    not expected. A warning comes after `warn_share` of the time, an escalation `escalate_hours` after the breach."""

    acknowledgement_hours: float | None = 48
    ship_notice_hours_before: float | None = 24
    warn_share: float = 0.75
    escalate_hours: float = 24


@dataclass(frozen=True, slots=True)
class Times:
    """When to warn, when it is late, when to escalate."""

    warn_at: datetime
    due_at: datetime
    escalate_at: datetime


def deadline_rules(policy: Any, supplier: str = "", guide_hours: Mapping[str, Any] | None = None) -> DeadlineRules:
    """The rules of a supplier: its own part of the policy over its partner guide over the general part.

    `guide_hours` are the deadlines of the partner's guide (`acknowledgement_hours`). Raises InvalidInput for a policy
    that cannot be.
    """
    if policy is None:
        policy = {}
    if not isinstance(policy, Mapping) or set(policy) - set(DEFAULT):
        raise InvalidInput(f"{POLICY} is an object of {', '.join(DEFAULT)}.", field=POLICY)
    own = policy.get("suppliers", {})
    if not isinstance(own, Mapping) or any(not isinstance(x, Mapping) or set(x) - _FIGURES for x in own.values()):
        raise InvalidInput(f"suppliers of {POLICY} is an object of such figures by supplier code.", field=POLICY)
    general = {**DEFAULT, **policy}
    if guide_hours and guide_hours.get("acknowledgement_hours") is not None and "acknowledgementHours" not in policy:
        general["acknowledgementHours"] = guide_hours["acknowledgement_hours"]
    for part in (general, *own.values()):
        _check(part)
    chosen = {**general, **own.get(supplier, {})}
    return DeadlineRules(
        chosen["acknowledgementHours"], chosen["shipNoticeHoursBefore"], chosen["warnShare"], chosen["escalateHours"]
    )


def _check(part: Mapping[str, Any]) -> None:
    for name, value in part.items():
        if name == "suppliers":
            continue
        may_be_null = name in ("acknowledgementHours", "shipNoticeHoursBefore")
        if value is None and may_be_null:
            continue
        highest = 1 if name == "warnShare" else 24 * 366
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= highest:
            raise InvalidInput(
                f"{name} of {POLICY} must be a number from 0 to {highest}.", field=POLICY, value=str(value)
            )


def acknowledgement_times(rules: DeadlineRules, sent_at: datetime) -> Times | None:
    """When the answer to an order sent at `sent_at` is due; None where none is expected."""
    if rules.acknowledgement_hours is None:
        return None
    hours = timedelta(hours=rules.acknowledgement_hours)
    return _times(rules, sent_at, sent_at + hours)


def receipt_times(rules: DeadlineRules, queued_at: datetime, due_at: datetime | None, is_refused: bool) -> Times | None:
    """When the receipt for a document of ours is due. One that was refused is late already: somebody has to mend it."""
    if is_refused:
        return Times(queued_at, queued_at, queued_at)
    return None if due_at is None else _times(rules, queued_at, due_at)


def ship_notice_times(rules: DeadlineRules, confirmed_at: datetime, first_day: date, time_zone: str) -> Times | None:
    """When the ship notice of units that were promised for `first_day` (it begins in `time_zone`) is due; None: never."""
    if rules.ship_notice_hours_before is None:
        return None
    begins = datetime.combine(first_day, time(), ZoneInfo(time_zone)).astimezone(UTC)  # hours, also when clocks change
    due = begins - timedelta(hours=rules.ship_notice_hours_before)
    return _times(rules, confirmed_at, max(due, confirmed_at))


def _times(rules: DeadlineRules, start: datetime, due: datetime) -> Times:
    return Times(start + (due - start) * rules.warn_share, due, due + timedelta(hours=rules.escalate_hours))


def state_at(state: DeadlineState, times: Times, now: datetime, is_met: bool, is_wanted: bool) -> DeadlineState:
    """The state at `now`: met or no longer wanted ends it, else the clock drives it; it never goes back while `times`
    stand, and a deadline that was moved out starts anew."""
    if state not in LIVE:
        return state
    if is_met:
        return DeadlineState.MET
    if not is_wanted:
        return DeadlineState.DROPPED
    if now >= times.escalate_at:
        return DeadlineState.ESCALATED
    if now >= times.due_at:
        return DeadlineState.BREACHED
    return DeadlineState.WARNED if now >= times.warn_at else DeadlineState.OPEN


def steps_to(before: DeadlineState, after: DeadlineState, times: Times) -> list[DeadlineState]:
    """What happened between two looks, in its order, each of which is told: a look after a pause finds several.

    A step that ended in the moment it began, as of a document that was refused, is none.
    """
    if after not in LIVE or (before in LIVE and LIVE.index(after) <= LIVE.index(before)):
        return [after]
    start = LIVE.index(before) if before in LIVE else 0
    ends = {
        DeadlineState.WARNED: (times.warn_at, times.due_at),
        DeadlineState.BREACHED: (times.due_at, times.escalate_at),
    }
    passed = LIVE[start + 1 : LIVE.index(after) + 1]
    return [step for step in passed if step is after or ends[step][0] < ends[step][1]] or [after]


def alarm_of(kind: DeadlineKind, state: DeadlineState) -> str:
    """The word under which a change of state is announced, `ACKNOWLEDGEMENT_BREACHED` for one."""
    return f"{kind}_{state}"
