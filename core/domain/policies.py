"""Every business parameter that planners may change without code: what it means, its default, and what it may be."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from core.domain import (
    approval_routes,
    course,
    demand_plan,
    edge_value,
    exchange,
    options,
    risk_policy,
    stock_classes,
    supplier_changes,
    supplier_deadlines,
)
from core.domain.policy_words import unknown_name, unusable
from core.domain.priority import priority_weights
from core.domain.rebalancing import rebalancing_rules
from core.domain.serving import serve_policy
from core.domain.shipping import release_gate
from core.domain.states import HoldDeadlineAction, HoldReason, ReservationKind
from core.errors import DomainError, InvalidInput


class Check(Protocol):
    """Raises InvalidInput when the value, which stands at `place` of the parameter, cannot be used."""

    def __call__(self, value: Any, place: str = "", /) -> None: ...


@dataclass(frozen=True, slots=True)
class PolicyRule:
    """One parameter. `default` holds while nothing is stored."""

    code: str
    description: str
    default: Any
    check: Callable[[Any], Any]
    """Raises InvalidInput when the value cannot be used."""


def whole(code: str, lowest: int, highest: int, *, or_null: bool = False) -> Check:
    """A whole number within bounds."""

    def check(value: Any, place: str = "", /) -> None:
        if value is None and or_null:
            return
        if isinstance(value, bool) or not isinstance(value, int) or not lowest <= value <= highest:
            wanted = f"a whole number between {lowest} and {highest}" + (", or null" if or_null else "")
            raise unusable(code, wanted, value, place)

    return check


def number(code: str, lowest: float, highest: float) -> Check:
    """A number within bounds."""

    def check(value: Any, place: str = "", /) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float) or not lowest <= value <= highest:
            raise unusable(code, f"a number between {lowest:g} and {highest:g}", value, place)

    return check


def one_of(code: str, values: Collection[str]) -> Check:
    """One of these words."""

    def check(value: Any, place: str = "", /) -> None:
        if value not in values:
            raise unusable(code, f"one of {', '.join(values)}", value, place)

    return check


def mapping(code: str, keys: Collection[str] | None, check_value: Check) -> Check:
    """An object whose names are among `keys` (None: any), each value as `check_value` says."""

    def check(value: Any, place: str = "", /) -> None:
        if not isinstance(value, Mapping):
            raise unusable(code, "an object" if keys is None else f"an object of {', '.join(keys)}", value, place)
        if keys is not None and (surplus := sorted(set(value) - set(keys))):
            raise unknown_name(code, surplus[0], keys, place)
        for name, part in value.items():
            check_value(part, f"{name} in {place}" if place else name)

    return check


def _currency_limit(value: Any, place: str = "", /) -> None:
    amount = whole("purchase_approval_limit", 0, 10**15, or_null=True)
    if isinstance(value, Mapping):
        mapping("purchase_approval_limit", None, amount)(value, place)
    else:
        amount(value, place)


_TTL_FIGURES = ("seconds", "maximumSeconds")


def _reservation_ttl(value: Any, place: str = "", /) -> None:
    code, kinds = "reservation_ttl", tuple(str(kind) for kind in ReservationKind)
    _must_be_object(code, value, place)
    seconds = whole(code, 1, 366 * 86_400)
    for name, part in value.items():
        inner = f"{name} in {place}" if place else name
        if name in _TTL_FIGURES:
            seconds(part, inner)
        elif name in kinds:
            mapping(code, _TTL_FIGURES, seconds)(part, inner)
        elif name == "channels":
            mapping(code, None, _reservation_ttl)(part, inner)
        else:
            raise unknown_name(code, name, (*_TTL_FIGURES, *kinds, "channels"), place)


def _must_be_object(code: str, value: Any, place: str = "") -> None:
    if not isinstance(value, Mapping):
        raise unusable(code, "an object, such as {} for its defaults", value, place)


def _course(value: Any, _: str = "", /) -> None:
    course.read_course(value)


def _options(value: Any, _: str = "", /) -> None:
    options.read_policy(value)


def _supplier_changes(value: Any, _: str = "", /) -> None:
    supplier_changes.change_rule(value)


def _serving(code: str) -> Check:
    def check(value: Any, _: str = "", /) -> None:
        _must_be_object(code, value)
        try:
            serve_policy({code: value})
        except InvalidInput as error:
            wanted = f"what `policies` says of it ({error.message.removeprefix('The policy cannot be: ').rstrip('.')})"
            raise unusable(code, wanted, value) from error

    return check


def _priority(value: Any, _: str = "", /) -> None:
    _must_be_object("priority", value)
    try:
        priority_weights(value)
    except (TypeError, ValueError, AttributeError) as error:
        raise unusable("priority", f"what `policies` says of it ({error})", value) from error


def _rebalancing(value: Any, _: str = "", /) -> None:
    _must_be_object("rebalancing", value)
    rebalancing_rules(value)


def _replenishment(value: Any, _: str = "", /) -> None:
    _must_be_object(stock_classes.POLICY, value)
    stock_classes.replenishment_rules(value)


def _demand_plan(value: Any, _: str = "", /) -> None:
    _must_be_object(demand_plan.POLICY, value)
    demand_plan.demand_plan(value)


def _risk(value: Any, _: str = "", /) -> None:
    _must_be_object(risk_policy.POLICY, value)
    risk_policy.risk_rules(value)


def _release_gate(value: Any, _: str = "", /) -> None:
    mapping("release_gate", ("linePercent", "orderPercent"), whole("release_gate", 0, 100))(value)
    release_gate(value)


def _anything(_: Any, __: str = "", /) -> None:
    """Judged by the caller."""


def _sourcing(value: Any, _: str = "", /) -> None:
    figures = {"lateBasisPointsPerDay": 10_000, "surplusPercent": 100, "refillPercent": 100}
    mapping("sourcing", figures, _anything)(value)
    for name, part in value.items():
        whole("sourcing", 0, figures[name])(part, name)


def _calibration(value: Any, _: str = "", /) -> None:
    code = "lead_time_calibration"
    mapping(code, ("isOn", "windowDays", "priorWeight"), _anything)(value)
    if not isinstance(value.get("isOn", True), bool):
        raise unusable(code, "true or false", value["isOn"], "isOn")
    whole(code, 1, 3_660)(value.get("windowDays", 365), "windowDays")
    whole(code, 1, 1_000)(value.get("priorWeight", 10), "priorWeight")


_HOURS = number("hold_deadline_hours", 0.01, 24 * 366)

RULES: tuple[PolicyRule, ...] = (
    PolicyRule(
        course.POLICY,
        "The steps a backorder goes through by itself, in this order: OTHER_SITES, SUBSTITUTE, PURCHASE, OPTIONS, "
        "RELEASE; each with isOn and the conditions tiers, minAgeHours, waitLongerThanDays, minValue, maxValue.",
        course.DEFAULT_COURSE,
        _course,
    ),
    PolicyRule(
        options.POLICY,
        "What customers with a backorder are offered: deadlineHours, default (WAIT or CANCEL), kinds, chargeDifference, "
        "compensation (basisPoints of the value, minWaitDays, maximum by currency).",
        options.DEFAULT_POLICY,
        _options,
    ),
    PolicyRule(
        "hold_deadline_hours",
        "Hours after which the deadline of a hold passes, by reason; 72 for a reason that is not named.",
        {},
        mapping("hold_deadline_hours", tuple(str(reason) for reason in HoldReason), _HOURS),
    ),
    PolicyRule(
        "hold_deadline_action",
        "What happens at the deadline of a hold, by reason: RELEASE, CANCEL or ESCALATE; CANCEL where none is named.",
        {},
        mapping(
            "hold_deadline_action",
            tuple(str(reason) for reason in HoldReason),
            one_of("hold_deadline_action", tuple(str(action) for action in HoldDeadlineAction)),
        ),
    ),
    PolicyRule(
        "duplicate_window_minutes",
        "The same basket of the same customer within this time is held as a duplicate.",
        10,
        number("duplicate_window_minutes", 0, 60 * 24 * 31),
    ),
    PolicyRule(
        "purchase_approval_limit",
        "Purchase orders up to this total (minor units, one figure or by currency) go out without a person; null: none.",
        None,
        _currency_limit,
    ),
    PolicyRule(
        "edi_retention_days",
        "Days after which the bytes of partners' files are erased, once all of their documents are settled; null: never.",
        None,
        whole("edi_retention_days", 1, 36_500, or_null=True),
    ),
    PolicyRule(
        supplier_changes.POLICY,
        "Changes that suppliers ask for which are accepted without a person: maxDelayDays (later than the day we count "
        "on; without it a person decides), maxCutPercent and maxRaisePercent (of a line's open quantity, 0 where not named), "
        "and maxPricePercent (by which a unit may become dearer; without it a person decides about any other price, a lower "
        "one too). What makes an order dearer than the approval limit is never accepted by itself.",
        supplier_changes.DEFAULT_POLICY,
        _supplier_changes,
    ),
    PolicyRule(
        approval_routes.POLICY,
        "Who approves purchase orders: isOn, and steps of upTo (minor units; null: any), currency, approvers and needed (how "
        "many of them). Off: any planner approves, and purchase_approval_limit alone decides what needs no person.",
        approval_routes.DEFAULT,
        approval_routes.read_routes,
    ),
    PolicyRule(
        supplier_deadlines.POLICY,
        "When suppliers owe us: acknowledgementHours after sending, shipNoticeHoursBefore the promised day (null: not "
        "expected), warnShare of the time, escalateHours after the breach; the same by supplier code under suppliers.",
        supplier_deadlines.DEFAULT,
        supplier_deadlines.deadline_rules,
    ),
    PolicyRule(
        "lead_time_calibration",
        "Lead times follow what suppliers really take: isOn, windowDays that count, priorWeight of what was agreed.",
        {"isOn": True, "windowDays": 365, "priorWeight": 10},
        _calibration,
    ),
    PolicyRule(
        exchange.POLICY,
        "What one unit of each currency is worth in one common measure, so that sources in several currencies can be "
        'compared, such as {"USD": 1, "EUR": 1.08, "KRW": 0.00073}; what has no rate is not compared.',
        {},
        mapping(exchange.POLICY, None, number(exchange.POLICY, 1e-9, 1e9)),
    ),
    PolicyRule(
        "sourcing",
        "What choosing a source weighs: lateBasisPointsPerDay of a unit's selling price for every day it is late, "
        "surplusPercent of the price of units above the need, refillPercent of the late cost for units that fill up stock.",
        {"lateBasisPointsPerDay": 200, "surplusPercent": 25, "refillPercent": 25},
        _sourcing,
    ),
    PolicyRule(
        "purchase_requests",
        "When what is short is bought: AT_ONCE, or consolidated by the DAILY review.",
        "AT_ONCE",
        one_of("purchase_requests", ("AT_ONCE", "DAILY")),
    ),
    PolicyRule(
        "release_to_warehouse",
        "When shipments are planned: AT_ONCE with the order, or BY_JOB a moment later.",
        "BY_JOB",
        one_of("release_to_warehouse", ("AT_ONCE", "BY_JOB")),
    ),
    PolicyRule(
        "promise_hysteresis_days",
        "An estimated date has to move by this many days before a customer is told.",
        2,
        whole("promise_hysteresis_days", 0, 365),
    ),
    PolicyRule(
        "promise_horizon_days",
        "Dated supply is promised up to so many days ahead; null: up to the lead time of ordering anew.",
        None,
        whole("promise_horizon_days", 1, 3_660, or_null=True),
    ),
    PolicyRule(
        "promise_pull_in_days",
        "A promise moves earlier by itself from this many days on; null: only by a run or a person.",
        None,
        whole("promise_pull_in_days", 0, 365, or_null=True),
    ),
    PolicyRule(
        edge_value.POLICY,
        "A claim whose supply is delayed gets the source of another's promise only where that is worth so much: points of the "
        "rank (a breach of law or contract at hand: 1,000) x days, per unit; 1,000,000,000: never.",
        edge_value.DEFAULT_MARGIN,
        number(edge_value.POLICY, 1, 1e9),
    ),
    PolicyRule(
        "receiving_days",
        "Working days from the dock until received goods are usable.",
        0,
        whole("receiving_days", 0, 60),
    ),
    PolicyRule(
        "allocation",
        "Who gets what comes free: default PRIORITY or FAIR_SHARE, skus by code; for fair shares groupBy, weights, floors, "
        "pack and minimum.",
        {},
        _serving("allocation"),
    ),
    PolicyRule(
        "rebalancing",
        "Moves between locations that are proposed once a day: isOn, shortDays (at risk below), targetDays, keepDays "
        "(a giver keeps), minUnits, maxCostPercent (of the price), validDays.",
        {},
        _rebalancing,
    ),
    PolicyRule(
        "redistribution",
        "Stock moves between locations for who waits: isOn, maxCostPerUnit, maxDays, rescueLate.",
        {},
        _serving("redistribution"),
    ),
    PolicyRule(
        "complete_lines",
        "A line that leaves whole keeps the parts it has (HOLD) or leaves them to others until all is there (FREE).",
        "HOLD",
        one_of("complete_lines", ("HOLD", "FREE")),
    ),
    PolicyRule(
        "kit_release",
        "Components of a kit leave together (COMPLETE) or as they come (PARTIAL).",
        "COMPLETE",
        one_of("kit_release", ("COMPLETE", "PARTIAL")),
    ),
    PolicyRule(
        "priority",
        "What makes a line's rank: weights by component, contractGrades, atRiskDays, breachDays, slackDays, ageDays, "
        "deadlineDays by grade and country.",
        {},
        _priority,
    ),
    PolicyRule(
        "release_gate",
        "Shipments are planned once linePercent of a line and orderPercent of an order are there.",
        {},
        _release_gate,
    ),
    PolicyRule(
        stock_classes.POLICY,
        "Stock targets: isAutomatic (reorder points of SKUs follow them), serviceLevels by class (AX to CZ), orderCost (minor "
        "units), holdingRate (a year), overstockWeeks, ageingWeeks, budgetPercent (of the stock that planners' own rules "
        "would tie up: levels follow from it; null: by class).",
        {},
        _replenishment,
    ),
    PolicyRule(
        demand_plan.POLICY,
        "What planners know of the coming demand: country (whose holidays count), and events: name, from, until, factor (times "
        "the usual demand; null: what earlier events made of it), serviceLevel meanwhile, skus (null: all).",
        {},
        _demand_plan,
    ),
    PolicyRule(
        risk_policy.POLICY,
        "Backorder risk: horizonDays (short within), actAbove (cost of acting over cost of a backorder), tellAbove (a chance "
        "that moved so much is told), testDays and retrainDays of its models.",
        {},
        _risk,
    ),
    PolicyRule(
        "reservation_ttl",
        "How long holds on stock last: seconds and maximumSeconds for carts, an object of both per other kind, and the "
        "same again under channels by channel code.",
        {},
        _reservation_ttl,
    ),
)
"""Everything that `policyChange` accepts. Whoever adds a parameter adds its rule here."""

BY_CODE: dict[str, PolicyRule] = {rule.code: rule for rule in RULES}


def check_policy(code: str, value: Any) -> None:
    """Raise InvalidInput unless `value` can be used for this parameter; its path is the input's `value`."""
    try:
        BY_CODE[code].check(value)
    except DomainError as error:
        error.path = ("input", "value")
        raise
