"""What a customer with a backorder may choose: one set of options, with price, date, deadline and default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from core.domain.delay_rules import DelayRule
from core.domain.policy_words import unknown_name, unusable
from core.domain.states import ResolutionKind

POLICY = "backorder_options"
DEFAULT_POLICY: dict[str, Any] = {
    "deadlineHours": 72,
    "default": "WAIT",
    "kinds": [str(kind) for kind in ResolutionKind],
    "chargeDifference": False,
    "compensation": None,
}
"""`compensation`: null, or {basisPoints, minWaitDays, maximum (minor units by currency)}."""
_COMPENSATION = frozenset({"basisPoints", "minWaitDays", "maximum"})

_ORDER = (
    ResolutionKind.WAIT,
    ResolutionKind.PART_SHIP,
    ResolutionKind.SUBSTITUTE,
    ResolutionKind.COMPENSATE,
    ResolutionKind.CANCEL,
)


@dataclass(frozen=True, slots=True)
class OptionPolicy:
    """How options are made. `basis_points` of the value of the short part are the compensation for waiting."""

    deadline: timedelta = timedelta(hours=72)
    default: ResolutionKind = ResolutionKind.WAIT
    kinds: frozenset[ResolutionKind] = frozenset(ResolutionKind)
    charge_difference: bool = False
    basis_points: int = 0
    min_wait_days: int = 0
    maximum: Mapping[str, int] = field(default_factory=dict)


def read_policy(value: Any) -> OptionPolicy:
    """The stored policy; fields that are absent keep their default. Raises InvalidInput naming what is wrong."""
    if not isinstance(value, Mapping):
        raise unusable(POLICY, 'an object, such as {"deadlineHours": 48}', value)
    if surplus := set(value) - set(DEFAULT_POLICY):
        raise unknown_name(POLICY, sorted(surplus)[0], DEFAULT_POLICY)
    given = {**DEFAULT_POLICY, **value}
    hours, kinds, charge = given["deadlineHours"], given["kinds"], given["chargeDifference"]
    if not _is_number(hours) or not 0 < hours <= 24 * 90:
        raise unusable(POLICY, "hours above 0, at most 2160 (90 days)", hours, "deadlineHours")
    if not isinstance(kinds, list) or not kinds:
        raise unusable(POLICY, f"a list of one or more of {', '.join(ResolutionKind)}", kinds, "kinds")
    for kind in kinds:
        if not isinstance(kind, str) or kind not in ResolutionKind.__members__:
            raise unusable(POLICY, f"some of {', '.join(ResolutionKind)}", kind, "An entry of kinds")
    if given["default"] not in ("WAIT", "CANCEL"):
        raise unusable(POLICY, "WAIT or CANCEL", given["default"], "default")
    if given["default"] not in kinds:
        raise unusable(
            POLICY, f"one of its kinds, or add it to kinds ({', '.join(kinds)})", given["default"], "default"
        )
    if not isinstance(charge, bool):
        raise unusable(POLICY, "true or false", charge, "chargeDifference")
    points, wait, maximum = _compensation(given["compensation"])
    return OptionPolicy(
        timedelta(hours=hours),
        ResolutionKind(given["default"]),
        frozenset(ResolutionKind(kind) for kind in kinds),
        charge,
        points,
        wait,
        maximum,
    )


def _compensation(given: Any) -> tuple[int, int, Mapping[str, int]]:
    if given is None:
        return 0, 0, {}
    if not isinstance(given, Mapping):
        wanted = 'null, or an object such as {"basisPoints": 500, "minWaitDays": 5}'
        raise unusable(POLICY, wanted, given, "compensation")
    if surplus := set(given) - _COMPENSATION:
        raise unknown_name(POLICY, sorted(surplus)[0], _COMPENSATION, "compensation")
    points, wait, maximum = given.get("basisPoints", 0), given.get("minWaitDays", 0), given.get("maximum", {})
    if not _is_whole(points) or not 0 <= points <= 10_000:
        wanted = "a whole number between 0 and 10000 (hundredths of a percent of the value)"
        raise unusable(POLICY, wanted, points, "basisPoints in compensation")
    if not _is_whole(wait) or wait < 0:
        raise unusable(POLICY, "a whole number of days from 0 on", wait, "minWaitDays in compensation")
    if not isinstance(maximum, Mapping) or not all(_is_whole(amount) and amount >= 0 for amount in maximum.values()):
        wanted = 'minor units by currency, such as {"KRW": 5000}'
        raise unusable(POLICY, wanted, maximum, "maximum in compensation")
    return points, wait, dict(maximum)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


@dataclass(frozen=True, slots=True)
class SubstituteOffer:
    """A SKU that could be sent instead: `ratio` units of it for one; `free` units could be given now."""

    sku_id: int
    ratio: int
    unit_price: int
    currency: str
    free: int
    expected: date | None
    needs_consent: bool = True
    rank: int = 1


@dataclass(frozen=True, slots=True)
class OptionFacts:
    """What is offered is decided by these. Quantities are base units, money minor units of `currency`.

    `withheld` are units that are there but wait for the rest, because line or order has to leave whole. Who is
    compensated for this backorder already is not offered it again.
    """

    quantity: int
    unit_price: int
    currency: str
    now: datetime
    expected: date | None = None
    wait_days: int | None = None
    withheld: int = 0
    substitutes: tuple[SubstituteOffer, ...] = ()
    rule: DelayRule | None = None
    is_compensated: bool = False


@dataclass(frozen=True, slots=True)
class OptionDraft:
    """One option. `price` is what the customer pays on top, `price_difference` what the substitute is worth more."""

    kind: ResolutionKind
    quantity: int
    expected: date | None
    price: int = 0
    price_difference: int = 0
    compensation: int | None = None
    substitute_sku_id: int | None = None
    ratio: int | None = None
    is_default: bool = False


@dataclass(frozen=True, slots=True)
class OptionSet:
    """Exactly one of the options is the default: what happens at the deadline when nobody has chosen."""

    options: tuple[OptionDraft, ...]
    deadline: datetime

    @property
    def default(self) -> OptionDraft:
        return next(option for option in self.options if option.is_default)


def make_options(facts: OptionFacts, policy: OptionPolicy) -> OptionSet | None:
    """The set of options, or None when there is no choice (fewer than two). Pure: equal facts, equal options.

    A delay rule that asks for consent makes CANCEL the default and CANCEL and WAIT always part of the set, and its
    days of consideration the deadline.
    """
    rule = facts.rule
    needs_consent = rule is not None and rule.consent_needed
    kinds = policy.kinds | ({ResolutionKind.WAIT, ResolutionKind.CANCEL} if needs_consent else set())
    found: dict[ResolutionKind, OptionDraft] = {
        ResolutionKind.WAIT: OptionDraft(ResolutionKind.WAIT, facts.quantity, facts.expected),
        ResolutionKind.CANCEL: OptionDraft(ResolutionKind.CANCEL, facts.quantity, None),
    }
    if facts.withheld > 0:
        found[ResolutionKind.PART_SHIP] = OptionDraft(ResolutionKind.PART_SHIP, facts.withheld, facts.expected)
    if (chosen := best_substitute(facts)) is not None:
        found[ResolutionKind.SUBSTITUTE] = _substitute(facts, chosen, policy)
    if not facts.is_compensated and (amount := compensation(facts, policy)):
        found[ResolutionKind.COMPENSATE] = OptionDraft(
            ResolutionKind.COMPENSATE, facts.quantity, facts.expected, compensation=amount
        )
    default = ResolutionKind.CANCEL if needs_consent else policy.default
    days = rule.consent_days if rule is not None and needs_consent else None
    deadline = facts.now + (policy.deadline if days is None else timedelta(days=days))
    drafts = [found[kind] for kind in _ORDER if kind in found and kind in kinds]
    if len(drafts) < 2:
        return None
    return OptionSet(tuple(_marked(draft, draft.kind is default) for draft in drafts), deadline)


def best_substitute(facts: OptionFacts, *, without_consent: bool = False) -> SubstituteOffer | None:
    """The best ranked substitute that covers the whole short part now and comes no later than waiting would."""
    fitting = [
        offer
        for offer in facts.substitutes
        if offer.free >= facts.quantity * offer.ratio
        and offer.currency == facts.currency
        and (facts.expected is None or (offer.expected is not None and offer.expected <= facts.expected))
        and not (without_consent and offer.needs_consent)
    ]
    return min(fitting, key=lambda offer: (offer.rank, offer.sku_id), default=None)


def _substitute(facts: OptionFacts, offer: SubstituteOffer, policy: OptionPolicy) -> OptionDraft:
    difference = facts.quantity * (offer.ratio * offer.unit_price - facts.unit_price)
    return OptionDraft(
        ResolutionKind.SUBSTITUTE,
        facts.quantity,
        offer.expected,
        price=max(0, difference) if policy.charge_difference else 0,
        price_difference=difference,
        compensation=-difference if difference < 0 else None,
        substitute_sku_id=offer.sku_id,
        ratio=offer.ratio,
    )


def compensation(facts: OptionFacts, policy: OptionPolicy) -> int:
    """Minor units for waiting, rounded down; 0 when nothing is due. An unknown date counts as a long wait."""
    if not policy.basis_points or (facts.wait_days is not None and facts.wait_days < policy.min_wait_days):
        return 0
    amount = facts.quantity * facts.unit_price * policy.basis_points // 10_000
    return min(amount, policy.maximum.get(facts.currency, amount))


def _marked(draft: OptionDraft, is_default: bool) -> OptionDraft:
    return OptionDraft(
        draft.kind,
        draft.quantity,
        draft.expected,
        draft.price,
        draft.price_difference,
        draft.compensation,
        draft.substitute_sku_id,
        draft.ratio,
        is_default,
    )
