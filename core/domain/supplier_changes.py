"""Changes that a supplier asks for: what it proposes for our lines, and when a rule accepts that without a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from core.errors import InvalidInput

POLICY = "supplier_changes"
DEFAULT_POLICY: dict[str, Any] = {}
_FIGURES = {"maxDelayDays": 366, "maxCutPercent": 100, "maxRaisePercent": 1000, "maxPricePercent": 1000}


class ChangeState(StrEnum):
    """Where a change that a supplier asks for stands."""

    PROPOSED = "PROPOSED"
    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"
    SUPERSEDED = "SUPERSEDED"


class ChangeSource(StrEnum):
    """The way by which a change was asked for."""

    EDI = "EDI"
    PORTAL = "PORTAL"


@dataclass(frozen=True, slots=True)
class ChangeRule:
    """The window in which a proposal is accepted by itself; None: a person decides.

    More units are taken up to a share of what was ordered, a higher price up to a share of ours. Without that share a
    lower price needs a person too: it may be one for other units than ours.
    """

    max_delay_days: int | None = None
    max_cut_percent: int = 0
    max_raise_percent: int = 0
    max_price_percent: int | None = None


@dataclass(frozen=True, slots=True)
class ProposedLine:
    """One line as it stands and as proposed, in base units; `known` is the day we counted on, `latest` the last one now.

    `is_open_ended`: some of it has no day, or is on hold. `raised` units come on top. A proposal that is about the
    `price` alone (minor units; `known_price` is ours) leaves units and days as they are.
    """

    open: int
    cut: int
    known: date | None
    latest: date | None
    is_open_ended: bool = False
    raised: int = 0
    price: int | None = None
    known_price: int = 0
    is_price_alone: bool = False


def change_rule(value: Any) -> ChangeRule:
    """The rule out of the policy's value. Raises InvalidInput for one that cannot be."""
    if not isinstance(value, Mapping):
        raise InvalidInput(f"The policy {POLICY} must be an object.", field=POLICY, value=str(value))
    for name, figure in value.items():
        highest = _FIGURES.get(name)
        if highest is None:
            raise InvalidInput(f"The policy {POLICY} has no {name!r}.", field=POLICY, value=str(value))
        if isinstance(figure, bool) or not isinstance(figure, int) or not 0 <= figure <= highest:
            text = f"{name} of the policy {POLICY} must be a whole number between 0 and {highest}."
            raise InvalidInput(text, field=POLICY, value=str(figure))
    return ChangeRule(
        value.get("maxDelayDays"),
        value.get("maxCutPercent", 0),
        value.get("maxRaisePercent", 0),
        value.get("maxPricePercent"),
    )


def is_accepted_by_rule(lines: Sequence[ProposedLine], rule: ChangeRule) -> bool:
    """May all of these be accepted without a person? None of them later, cut, raised or dearer than the rule allows."""
    return bool(lines) and all(_fits(line, rule) for line in lines)


def _fits(line: ProposedLine, rule: ChangeRule) -> bool:
    if (
        line.price is not None
        and line.price != line.known_price
        and not _may_be_priced(line.price, line.known_price, rule)
    ):
        return False
    if line.is_price_alone:
        return True
    if rule.max_delay_days is None or line.is_open_ended or line.cut * 100 > line.open * rule.max_cut_percent:
        return False
    if line.raised * 100 > line.open * rule.max_raise_percent:
        return False
    if line.latest is None:
        return line.cut == line.open
    return line.known is not None and line.latest <= line.known + timedelta(days=rule.max_delay_days)


def _may_be_priced(price: int, known: int, rule: ChangeRule) -> bool:
    return rule.max_price_percent is not None and (price - known) * 100 <= known * rule.max_price_percent
