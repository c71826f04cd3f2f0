"""Choose from whom to buy a SKU, and say why: the least expected cost of purchase, lateness and expediting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from core.domain import exchange
from core.domain.supplier_choice import Costs, Need, Offer, Part, Plan, cheapest_plan, single_plan
from core.errors import InvalidInput
from core.repositories.sourcing import Source, load_sources, selling_prices

POLICY = "sourcing"


@dataclass(frozen=True, slots=True)
class Option:
    """One way to buy everything: what it would cost alone; `part` is None where the source cannot deliver so much."""

    source: Source
    offer: Offer
    part: Part | None
    late_days: float
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """The chosen plan among all options. `reason`: ONLY_SOURCE, CHEAPEST, LESS_LATE, MORE_RELIABLE or SPLIT; `saves` is
    what the next best single source would cost more (None: no other could deliver). Money in minor units of `currency`,
    that of the preferred source; `uncompared` sources are in another one without a rate."""

    sku_id: int
    currency: str
    plan: Plan | None
    options: Sequence[Option]
    reason: str | None
    saves: int | None
    sources: Mapping[str, Source]
    uncompared: Sequence[Source] = ()


def comparable(sources: Sequence[Source], rates: Any) -> list[Source]:
    """The sources whose money can be turned into that of the first, each with its rate."""
    found = ((source, exchange.worth(rates, source.currency, sources[0].currency)) for source in sources)
    return [replace(source, rate=rate) for source, rate in found if rate is not None]


def costs_of(policy: Any, price: int, currency: str, sources: Sequence[Source], rates: Any = None) -> Costs:
    """What a late unit costs a day, in the money of comparable sources: a share of its selling price, or of the dearest
    purchase price where the former's worth is not known."""
    policy = policy or {}
    rate = exchange.worth(rates, currency, sources[0].currency)
    base = price * rate if price and rate is not None else max(source.price * source.rate for source in sources)
    return Costs(
        base * int(policy.get("lateBasisPointsPerDay", 200)) / 10_000, int(policy.get("surplusPercent", 25)) / 100
    )


def refill_weight(policy: Any) -> float:
    """The share of the late cost that units bear which only fill up stock."""
    return int((policy or {}).get("refillPercent", 25)) / 100


def choose(
    sku_id: int, sources: Sequence[Source], needs: Sequence[Need], costs: Costs, *, expedited: bool = True
) -> Choice:
    """Compare every offer and split; `sources` are comparable, the preferred one first."""
    usable, currency = sources, sources[0].currency
    by_code = {source.code: source for source in usable}
    offers = [offer for source in usable for offer in source.offers(expedited=expedited)]
    units = max(1, sum(need.quantity for need in needs))
    able = [offer for offer in offers if offer.order_quantity(1) is not None] or offers  # not one that has nothing
    costs = replace(costs, worth=min(offer.unit_price(units) for offer in able))
    plan = cheapest_plan(offers, needs, costs)
    taken = {(p.offer.code, p.offer.is_expedited) for p in plan.parts} if plan is not None else set()
    singles = {(o.code, o.is_expedited): single_plan(o, needs, costs) for o in offers}
    options = []
    for offer in offers:
        alone = singles[offer.code, offer.is_expedited]
        late = sum(offer.late_days(need.days) * need.quantity for need in needs) / units
        part = alone.parts[0] if alone is not None else None
        options.append(Option(by_code[offer.code], offer, part, late, (offer.code, offer.is_expedited) in taken))
    others = [p.total for key, p in singles.items() if p is not None and (len(taken) > 1 or key not in taken)]
    saves = None if plan is None or not others else round(min(others) - plan.total)
    return Choice(
        sku_id, currency, plan, options, None if plan is None else _reason(plan, singles, offers), saves, by_code
    )


def _reason(plan: Plan, singles: Mapping[tuple[str, bool], Plan | None], offers: Sequence[Offer]) -> str:
    if len(plan.parts) > 1:
        return "SPLIT"
    if len(offers) == 1:
        return "ONLY_SOURCE"
    part = next(iter(plan.parts))
    possible = [(o, p) for o in offers if (p := singles[o.code, o.is_expedited]) is not None]
    paid = part.purchase + part.fee + part.surplus
    if all(p.parts[0].purchase + p.parts[0].fee + p.parts[0].surplus >= paid for _, p in possible):
        return "CHEAPEST"
    cheaper = min(possible, key=lambda item: item[1].parts[0].purchase + item[1].parts[0].fee)[0]
    return "MORE_RELIABLE" if part.offer.mean_days >= cheaper.mean_days else "LESS_LATE"


async def sourcing_choice(
    sql: Any, policies: Mapping[str, Any], sku_id: int, quantity: int, need_date: date, today: date, now: datetime
) -> Choice | None:
    """The choice for one need of one SKU; None when nobody supplies it. Raises InvalidInput for a quantity below 1."""
    if not 1 <= quantity <= 1_000_000:
        raise InvalidInput("A quantity is between 1 and 1,000,000.", path=("quantity",), value=quantity)
    sources = (await load_sources(sql, [sku_id], now)).get(sku_id)
    if not sources:
        return None
    price, currency = (await selling_prices(sql, [sku_id]))[sku_id]
    needs = [Need((need_date - today).days, quantity)]
    rates = policies.get(exchange.POLICY)
    usable = comparable(sources, rates)
    choice = choose(sku_id, usable, needs, costs_of(policies.get(POLICY), price, currency, usable, rates))
    known = {source.supplier_id for source in usable}
    return replace(choice, uncompared=[source for source in sources if source.supplier_id not in known])


def evidence(choice: Choice) -> dict[str, Any]:
    """The choice as it is kept with a purchase order."""
    assert choice.plan is not None
    return {
        "reason": choice.reason,
        "currency": choice.currency,
        "expectedCost": round(choice.plan.total),
        "saves": choice.saves,
        "parts": [
            {"supplier": p.offer.code, "quantity": p.quantity, "isExpedited": p.offer.is_expedited}
            for p in choice.plan.parts
        ],
        "compared": [
            {
                "supplier": o.offer.code,
                "isExpedited": o.offer.is_expedited,
                "total": None if o.part is None else round(o.part.total),
                "lateDays": round(o.late_days, 2),
            }
            for o in choice.options
        ],
    }
