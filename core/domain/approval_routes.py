"""Who may approve a purchase order: by amount and by person, with substitutes for the absent, and never one's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from core.errors import Forbidden, InvalidInput

POLICY = "approval_routes"
DEFAULT: dict[str, Any] = {"isOn": False, "steps": []}
_STEP = frozenset({"upTo", "currency", "approvers", "needed"})


@dataclass(frozen=True, slots=True)
class RouteStep:
    """Orders up to `up_to` minor units (None: any) of `currency` (None: any) need `needed` of these persons."""

    up_to: int | None
    currency: str | None
    approvers: tuple[str, ...]
    needed: int = 1


@dataclass(frozen=True, slots=True)
class Absence:
    """`substitute` decides for `person` on these days, both included."""

    person: str
    substitute: str
    from_day: date
    until_day: date


def read_routes(policy: Any) -> list[RouteStep] | None:
    """The steps by amount, or None while routes are off. Raises InvalidInput for what cannot be."""
    if policy is None:
        return None
    if not isinstance(policy, Mapping) or set(policy) - set(DEFAULT) or not isinstance(policy.get("isOn", False), bool):
        raise InvalidInput(f"{POLICY} is an object of isOn and steps.", field=POLICY)
    steps = policy.get("steps", [])
    if not isinstance(steps, Sequence) or isinstance(steps, str):
        raise InvalidInput(f"steps of {POLICY} is a list.", field=POLICY)
    found = [_step(step) for step in steps]
    found.sort(key=lambda step: (step.up_to is None, step.up_to or 0))
    return found if policy.get("isOn", False) else None


def _step(step: Any) -> RouteStep:
    if not isinstance(step, Mapping) or set(step) - _STEP:
        raise InvalidInput(f"A step of {POLICY} is an object of {', '.join(sorted(_STEP))}.", field=POLICY)
    up_to, people, needed = step.get("upTo"), step.get("approvers", []), step.get("needed", 1)
    currency = step.get("currency")
    if up_to is not None and (isinstance(up_to, bool) or not isinstance(up_to, int) or up_to < 0):
        raise InvalidInput("upTo is an amount in minor units, or null.", field=POLICY, value=str(up_to))
    if not isinstance(people, Sequence) or isinstance(people, str) or not all(isinstance(p, str) and p for p in people):
        raise InvalidInput("approvers is a list of persons.", field=POLICY)
    if isinstance(needed, bool) or not isinstance(needed, int) or not 1 <= needed <= len(set(people)):
        raise InvalidInput("needed is between 1 and the number of approvers.", field=POLICY, value=str(needed))
    if currency is not None and (not isinstance(currency, str) or len(currency) != 3):
        raise InvalidInput("currency is an ISO 4217 code.", field=POLICY, value=str(currency))
    return RouteStep(up_to, currency, tuple(dict.fromkeys(people)), needed)


def step_for(steps: Sequence[RouteStep], total: int, currency: str) -> RouteStep | None:
    """The first step whose amount covers the total; None when nobody may approve so much."""
    fitting = (s for s in steps if s.currency in (None, currency) and (s.up_to is None or total <= s.up_to))
    return next(fitting, None)


def in_place_of(person: str, step: RouteStep, absences: Sequence[Absence], today: date) -> list[str]:
    """The approvers of the step for whom `person` may decide today: itself first, then who is absent. One who is absent
    decides nothing; a substitute who is absent passes it on. Of absences that overlap the one that began last counts."""
    begun = sorted(absences, key=lambda a: a.from_day)
    away = {a.person: a.substitute for a in begun if a.from_day <= today <= a.until_day}
    found = []
    for approver in step.approvers:
        acting, seen = approver, {approver}
        while acting in away and away[acting] not in seen:
            acting = away[acting]
            seen.add(acting)
        if acting == person and acting not in away:
            found.append(approver)
    return sorted(found, key=lambda approver: approver != person)


def decide(
    person: str,
    maker: str | None,
    step: RouteStep | None,
    absences: Sequence[Absence],
    today: date,
    given: Mapping[str, str],
) -> tuple[str, bool]:
    """For whom `person` approves, and whether that completes the step. `given`: who has approved, by whom they stand for.

    Raises Forbidden for one's own order, for somebody who may not decide, and for a second approval by one person.
    """
    if person == maker:
        raise Forbidden("Who made a purchase order does not approve it.", path=("input", "number"), person=person)
    if step is None:
        raise Forbidden("The approval routes let nobody approve this amount.", path=("input", "number"), person=person)
    if person in given.values():
        raise Forbidden("The same person does not approve twice.", path=("input", "number"), person=person)
    seats = [seat for seat in in_place_of(person, step, absences, today) if seat not in given]
    if not seats:
        raise Forbidden(
            f"Only {', '.join(step.approvers)} or their substitutes approve this amount.",
            path=("input", "number"),
            person=person,
        )
    seats_given = [seat for seat in given if seat in step.approvers]
    return seats[0], len(seats_given) + 1 >= step.needed
