"""Answer what can be sold now and when the rest comes; reads only, by the rule that places orders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from core.domain.availability import Timeline
from core.domain.book import SkuBook
from core.domain.network import Network
from core.domain.promising import Demand, Proposal, available_now, propose
from core.domain.records import StockLevel
from core.errors import InvalidInput, UnknownSku
from core.ports import Transaction
from core.queries.availability import read_curves, sellable_skus, selling_channel, timeline_of
from core.repositories.network import load_network

MAX_SKUS = 100
PUBLIC_MAX_SHOWN = 10
"""What a publishable key sees at most, unless the channel says otherwise."""
NOT_SOLD = ("BLOCKED", "DISCONTINUED")
"""An order for these is held, so nothing is allocated to it."""


@dataclass(frozen=True, slots=True)
class AvailabilityQuestion:
    """`locations` narrows to these codes; `ship_to` is (country, postal code); `is_public` caps what is shown."""

    skus: Sequence[str]
    quantity: int = 1
    channel: str | None = None
    locations: Sequence[str] | None = None
    ship_to: tuple[str, str] | None = None
    is_public: bool = False


@dataclass(frozen=True, slots=True)
class LocationAnswer:
    """One location's figures in base units; `curve` is its timeline."""

    location_id: int
    on_hand: int
    allocated: int
    reserved: int
    safety_stock: int
    on_order: int
    available_now: int
    curve: Timeline

    def steps(self, horizon_days: int) -> list[tuple[date, int]]:
        """Steps of the cumulative ATP up to the horizon; the look-ahead behind them never ends."""
        last = self.curve.today + timedelta(days=horizon_days)
        return [step for step in self.curve.steps() if step[0] <= last]


@dataclass(frozen=True, slots=True)
class SkuAvailability:
    """One SKU's answer. `available_now` is what an order would be allocated now at most; `shown` is that, capped."""

    sku_id: int
    version: int
    as_of: datetime
    valid_until: datetime
    state: str
    available_now: int
    cap: int | None
    locations: list[LocationAnswer]
    proposal: Proposal | None
    slices: list[dict[str, Any]] = field(default_factory=list)
    """The proposal in the shape of a promise's slices."""

    @property
    def shown(self) -> int:
        return self.available_now if self.cap is None else min(self.available_now, self.cap)

    def atp(self, horizon_days: int) -> list[tuple[date, int]]:
        """Steps of the ATP summed over the locations (never the look-ahead of the summed curve), capped as shown."""
        curves = [place.curve for place in self.locations]
        days = sorted({day for place in self.locations for day, _ in place.steps(horizon_days)})
        steps: list[tuple[date, int]] = []
        for day in days:
            total = sum(curve.atp(day) for curve in curves)
            total = total if self.cap is None else min(total, self.cap)
            if not steps or steps[-1][1] != total:
                steps.append((day, total))
        return steps


async def answer_availability(uow: Transaction, question: AvailabilityQuestion) -> list[SkuAvailability | UnknownSku]:
    """Answers in the order of `question.skus`; an unknown code is an UnknownSku in its place, and fails no other.

    Raises InvalidInput for an unknown channel or location, a quantity below 1, or more than MAX_SKUS codes.
    """
    _check(question)
    channel = await selling_channel(uow.sql, question.channel) if question.channel is not None else None
    if question.channel is not None and channel is None:
        raise InvalidInput(f"There is no channel {question.channel!r}.", field="channel", value=question.channel)
    network = await load_network(uow)
    destination_id, sources = _route(question, network, channel)
    known = {row["code"]: row for row in await sellable_skus(uow.sql, list(set(question.skus)))}
    stocked = sources or network.sources(None)  # without a route the version still names the answer
    places = sorted({*stocked, *(donor for source in stocked for donor in network.donors(source))})
    demand_class = channel["protected_class"] if channel is not None else ""
    rows = await read_curves(uow.sql, [sku["id"] for sku in known.values()], places, uow.now, demand_class)
    curves: dict[int, dict[int, Any]] = {}
    for row in rows:
        curves.setdefault(row["sku_id"], {})[row["location_id"]] = row
    shown_by_channel = channel["max_shown"] if channel is not None else None
    cap = shown_by_channel if shown_by_channel is not None else (PUBLIC_MAX_SHOWN if question.is_public else None)
    answers = {
        code: _answer(sku, curves.get(sku["id"], {}), question.quantity, destination_id, sources, network, uow.now, cap)
        for code, sku in known.items()
    }
    return [answers.get(code) or UnknownSku(code) for code in question.skus]


def _check(question: AvailabilityQuestion) -> None:
    if question.quantity < 1:
        raise InvalidInput("The quantity must be at least 1.", field="quantity", value=question.quantity)
    if len(question.skus) > MAX_SKUS:
        raise InvalidInput(f"At most {MAX_SKUS} SKUs at once.", field="skus", value=len(question.skus))


def _route(question: AvailabilityQuestion, network: Network, channel: Any) -> tuple[int | None, list[int]]:
    """The destination and the locations that may serve it, in the order an order would use them."""
    destination_id = None if question.ship_to is None else network.destination(*question.ship_to)
    allowed = channel["location_ids"] if channel is not None else None
    if question.ship_to is not None and destination_id is None:
        return None, []
    sources = network.sources(destination_id, allowed)
    if question.locations is not None:
        ids = {place.code: place.id for place in network.locations.values()}
        unknown = [code for code in question.locations if code not in ids]
        if unknown:
            raise InvalidInput(f"There is no location {unknown[0]!r}.", field="locations", value=unknown[0])
        wanted = {ids[code] for code in question.locations}
        sources = [source for source in sources if source in wanted]
    return destination_id, sources


def _answer(
    sku: Any,
    rows: dict[int, Any],
    quantity: int,
    destination_id: int | None,
    sources: list[int],
    network: Network,
    now: datetime,
    cap: int | None,
) -> SkuAvailability:
    curves = {location_id: timeline_of(row) for location_id, row in rows.items()}
    today = {location_id: network.today(location_id, now) for location_id in network.locations}
    version = max((row["version"] for row in rows.values()), default=0)
    levels = {
        place: StockLevel(place, row["on_hand"], row["unsellable"], row["allocated"]) for place, row in rows.items()
    }
    kept = {place: {"": curve} for place, curve in curves.items()}
    book = SkuBook(sku["id"], sku["code"], version, now, today, levels, _timelines=kept)
    is_sold = sku["status"] not in NOT_SOLD
    free = available_now(book, sources) if is_sold else 0
    proposal = None
    if is_sold and sources:
        proposal = propose(book, Demand(quantity, destination_id, None, sources, sku["lead_time"]), network, now)
    return SkuAvailability(
        sku_id=sku["id"],
        version=version,
        as_of=now,
        valid_until=_valid_until([rows[place] for place in rows], sources, network, now),
        state=state_of(sku["status"], free, sku["low_stock_at"], can_promise=proposal is not None),
        available_now=free,
        cap=cap,
        locations=[
            LocationAnswer(
                location_id=place,
                on_hand=rows[place]["on_hand"],
                allocated=rows[place]["allocated"],
                reserved=rows[place]["reserved"],
                safety_stock=rows[place]["safety_stock"],
                on_order=rows[place]["on_order"],
                available_now=available_now(book, [place]),
                curve=curves[place],
            )
            for place in sources
            if place in rows
        ],
        proposal=proposal,
        slices=[] if proposal is None else _slices(proposal, destination_id, network),
    )


def state_of(status: str, available: int, low_stock_at: int, *, can_promise: bool) -> str:
    """The published state of a SKU; it does not depend on the quantity that was asked for."""
    if status == "DISCONTINUED":
        return "DISCONTINUED"
    if status == "BLOCKED":
        return "OUT_OF_STOCK"
    if available > 0:
        return "LOW_STOCK" if available <= low_stock_at else "IN_STOCK"
    if status == "PREORDER":
        return "PREORDER"
    return "BACKORDERABLE" if can_promise else "OUT_OF_STOCK"


def _valid_until(rows: Sequence[Any], sources: list[int], network: Network, now: datetime) -> datetime:
    """The next moment the answer can change without a write: a hold expires, midnight or a cut-off passes."""
    moments = [row["next_expiry"] for row in rows if row["next_expiry"] is not None]
    for location_id in sources or list(network.locations):
        place = network.locations[location_id]
        zone = ZoneInfo(place.time_zone)
        today = now.astimezone(zone).date()
        moments.append(datetime.combine(today + timedelta(days=1), time(), zone))
        moments.append(datetime.combine(today, place.cutoff_time, zone))
    return min((moment for moment in moments if moment > now), default=now + timedelta(minutes=1)).astimezone(
        now.tzinfo
    )


_SOURCES = {
    "ON_HAND": ("ON_HAND", "ON_HAND"),
    "DATED": ("PURCHASE_ORDER", "CONFIRMED_ORDER"),
    "TRANSFER": ("TRANSFER", "TRANSFER"),
    "LEAD_TIME": ("LEAD_TIME", "LEAD_TIME"),
}


def _slices(proposal: Proposal, destination_id: int | None, network: Network) -> list[dict[str, Any]]:
    zone = network.locations[destination_id].time_zone if destination_id is not None else None
    return [
        {
            "location": part.location_id,
            "quantity": part.quantity,
            "source": _SOURCES[part.kind][0],
            "basis": _SOURCES[part.kind][1],
            "shipDate": part.ship_date.isoformat(),
            "deliveryDate": part.delivery_date.isoformat() if part.delivery_date is not None else None,
            "timezone": network.locations[part.location_id].time_zone,
            "delivery_timezone": zone,
        }
        for part in proposal.slices
    ]
