"""Answer what can be sold now and when the rest comes; reads only, by the rule that places orders."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from core.domain.availability import Timeline
from core.domain.binding import Spot
from core.domain.book import SkuBook
from core.domain.lots import Lots
from core.domain.network import Network
from core.domain.placing import check_life
from core.domain.promising import Demand, Proposal, available_now, propose
from core.domain.quotas import Asker, allowances_for
from core.domain.records import Lot, Quota, StockLevel
from core.errors import InvalidInput, UnknownSku
from core.ports import Transaction
from core.queries.availability import ask, expiring_of, save_curves, timeline_of
from core.queries.dated_sources import dated_sources
from core.repositories.network import STAMP, known_network, load_network

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
    customer_id: int | None = None
    """Whose quotas bind besides the channel's: the caller's own, when it is a customer."""
    min_life_days: int | None = None
    """Days of life that lots must have left at delivery, where that is more than customer, channel or SKU ask for."""


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
    parts: Mapping[str, int] = field(default_factory=dict)
    """Units by component code when the SKU is a kit; its own figures say nothing then (`answer_kits`)."""
    low_stock_at: int = 0
    status: str = "ACTIVE"
    network: int = 0
    """Version of the network it was computed from."""

    @property
    def gates(self) -> dict[int, int]:
        """The gate versions it was computed from, by SKU."""
        return {self.sku_id: self.version}

    @property
    def shown(self) -> int:
        return self.available_now if self.cap is None else min(self.available_now, self.cap)

    @property
    def limiting(self) -> tuple[int, Spot] | None:
        """(SKU, where to look) for what keeps its last part from being earlier."""
        return None if self.proposal is None or self.proposal.spot is None else (self.sku_id, self.proposal.spot)

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


MAX_LOOKS = 3
"""How often an answer is begun anew while planners change the network beside it."""


async def answer_availability(uow: Transaction, question: AvailabilityQuestion) -> list[SkuAvailability | UnknownSku]:
    """Answers in the order of `question.skus`; an unknown code is an UnknownSku in its place, and fails no other.

    Raises InvalidInput for an unknown channel or location, a quantity below 1, or more than MAX_SKUS codes.
    """
    _check(question)
    network = known_network() or await load_network(uow)
    rows = await _ask(uow, question, network)
    for _ in range(MAX_LOOKS):
        if known_network(rows[0]["stamp"]) is network:
            break
        network = await load_network(uow)
        rows = await _ask(uow, question, network)
    head = rows[0]
    if question.channel is not None and head["channel"] is None:
        raise InvalidInput(f"There is no channel {question.channel!r}.", field="channel", value=question.channel)
    destination_id, sources = _route(question, network, head["location_ids"])
    skus = {row["code"]: row for row in rows if row["id"] is not None}
    needed = set(_places(question, network, sources))
    pairs: dict[int, dict[int, Any]] = {row["id"]: {} for row in skus.values()}
    for row in rows:
        if row["id"] is not None and row["location_id"] in needed and row["version"] is not None:
            pairs[row["id"]][row["location_id"]] = row
    missing = sorted(sku_id for sku_id, found in pairs.items() if found.keys() != needed)
    for row in await save_curves(uow.sql, missing, sorted(needed), uow.now, head["protected_class"]) if missing else ():
        pairs[row["sku_id"]][row["location_id"]] = row
    asker = Asker(question.channel, question.customer_id, head["tier"] or "STANDARD")
    books = {sku["id"]: _book(sku, pairs[sku["id"]], network, uow.now, head, asker) for sku in skus.values()}
    cap = head["max_shown"] if head["max_shown"] is not None else (PUBLIC_MAX_SHOWN if question.is_public else None)
    until = _next_moment(sources, network, uow.now)
    answers = {
        code: _answer(
            sku,
            books[sku["id"]],
            pairs[sku["id"]],
            question.quantity,
            destination_id,
            sources,
            network,
            uow.now,
            cap,
            asker,
            question.min_life_days,
            until,
            head["network"],
        )
        for code, sku in skus.items()
    }
    await _name_sources(uow, answers.values())
    return [answers.get(code) or UnknownSku(code) for code in question.skus]


async def _name_sources(uow: Transaction, answers: Iterable[SkuAvailability]) -> None:
    """Say which kind of supply a dated slice waits for; one more statement, only where a promise rests on some."""
    dated = [
        (answer.sku_id, part, shown)
        for answer in answers
        if answer.proposal is not None
        for part, shown in zip(answer.proposal.slices, answer.slices, strict=True)
        if part.kind == "DATED"
    ]
    if not dated:
        return
    wanted = [(sku_id, part.location_id, part.arrival_date or part.ship_date) for sku_id, part, _ in dated]
    rows = await dated_sources(uow.sql, wanted, uow.now)
    for (_, _, shown), row in zip(dated, rows, strict=True):
        # without a supply it is stock that waits: for its quota, or for the release of a pre-order
        shown["source"], shown["basis"] = row["source"] or "ON_HAND", row["basis"] or "ON_HAND"


async def _ask(uow: Transaction, question: AvailabilityQuestion, network: Network) -> list[Any]:
    """The one statement, for every location that may matter whatever the channel says."""
    destination_id = None if question.ship_to is None else network.destination(*question.ship_to)
    places = _places(question, network, network.sources(destination_id))
    codes = sorted(set(question.skus))
    return await ask(uow.sql, codes, places, uow.now, question.channel, question.customer_id, STAMP)


def _places(question: AvailabilityQuestion, network: Network, sources: Sequence[int]) -> list[int]:
    """The locations whose curves an answer needs: the sources and those that can transfer to them."""
    stocked = sources or network.sources(None)  # without a route the version still names the answer
    return sorted({*stocked, *(donor for source in stocked for donor in network.donors(source))})


def _book(sku: Any, rows: dict[int, Any], network: Network, now: datetime, head: Any, asker: Asker) -> SkuBook:
    """A book that holds just the SKU's curves, levels and quotas, and of what expires how long it lives."""
    book = SkuBook(
        sku["id"],
        sku["code"],
        max((row["version"] for row in rows.values()), default=0),
        now,
        {location_id: network.today(location_id, now) for location_id in network.locations},
        {p: StockLevel(p, row["on_hand"], row["unsellable"], row["allocated"]) for p, row in rows.items()},
        available_from=sku["available_from"],
        horizon_days=head["horizon_days"],
        _timelines={place: {"": timeline_of(row)} for place, row in rows.items()},
    )
    if sku["tracks_expiry"]:
        book.lots = lots = Lots(sku["code"], True, sku["min_life_days"], network, now)
        if sku["life_of_customer"] is not None and asker.customer_id is not None:
            lots.by_customer = {asker.customer_id: sku["life_of_customer"]}
        if sku["life_of_channel"] is not None:
            lots.by_channel = {asker.channel or "": sku["life_of_channel"]}
        for place, row in rows.items():
            units, claims = expiring_of(row)
            lots.rows += [Lot(None, place, "", last_day, on_hand=free) for last_day, free in units]
            book.timeline(place).expire(lots.expiring(place, lots.min_life), claims)
    _limit(book, sku["quotas"] or ())
    return book


def _limit(book: SkuBook, quotas: Iterable[dict[str, Any]]) -> None:
    names = ("id", "channel", "customer_id", "tier", "period", "quantity")
    for row in quotas:
        until = None if row["until_day"] is None else date.fromisoformat(row["until_day"])
        values = {name: row[name] for name in names}
        book.quotas.append(Quota(**values, from_day=date.fromisoformat(row["from_day"]), until_day=until))
        for day, units in (row["used"] or {}).items():
            book.quota_used[row["id"], date.fromisoformat(day)] = units


def _check(question: AvailabilityQuestion) -> None:
    if question.quantity < 1:
        raise InvalidInput("The quantity must be at least 1.", field="quantity", value=question.quantity)
    if (error := check_life(question.min_life_days, ("minLifeDays",))) is not None:
        raise error
    if question.ship_to is not None and len(question.ship_to[0].strip()) != 2:
        country = question.ship_to[0]
        message = f"The country {country!r} is not a two-letter code (ISO 3166)."
        raise InvalidInput(message, path=("shipTo", "country"), field="country", value=country)
    if len(question.skus) > MAX_SKUS:
        raise InvalidInput(f"At most {MAX_SKUS} SKUs at once.", field="skus", value=len(question.skus))


def _route(question: AvailabilityQuestion, network: Network, allowed: list[int] | None) -> tuple[int | None, list[int]]:
    """The destination and the locations that may serve it, in the order an order would use them."""
    destination_id = None if question.ship_to is None else network.destination(*question.ship_to)
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
    book: SkuBook,
    rows: dict[int, Any],
    quantity: int,
    destination_id: int | None,
    sources: list[int],
    network: Network,
    now: datetime,
    cap: int | None,
    asker: Asker,
    min_life_days: int | None,
    until: datetime,
    network_version: int,
) -> SkuAvailability:
    is_sold = sku["status"] not in NOT_SOLD
    version = max((row["version"] for row in rows.values()), default=sku["gate_version"])
    min_life = None
    if book.lots is not None:
        min_life = book.lots.min_life_of(asker.customer_id, asker.channel or "", min_life_days)
    demand = Demand(
        quantity,
        destination_id,
        None,
        sources,
        sku["lead_time"],
        allowances=allowances_for(book, asker, sources),
        min_life=min_life,
    )

    def free_at(places: list[int]) -> int:
        return available_now(book, places, "", demand.allowances, destination_id, min_life)

    free = free_at(sources) if is_sold else 0
    proposal = propose(book, demand, network, now) if is_sold and sources else None
    is_preorder = sku["status"] == "PREORDER" and (
        sku["available_from"] is None or (bool(sources) and book.is_preorder(sources[0]))
    )
    status = sku["status"] if sku["status"] != "PREORDER" or is_preorder else "ACTIVE"
    return SkuAvailability(
        sku_id=sku["id"],
        version=version,
        as_of=now,
        valid_until=min([until, *(row["next_expiry"] for row in rows.values() if row["next_expiry"] is not None)]),
        state=state_of(status, free, sku["low_stock_at"], can_promise=proposal is not None),
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
                available_now=free_at([place]),
                curve=book.timeline(place),
            )
            for place in sources
            if place in rows
        ],
        proposal=proposal,
        slices=[] if proposal is None else _slices(proposal, destination_id, network),
        parts=sku["parts"] or {},
        low_stock_at=sku["low_stock_at"],
        status=status,
        network=network_version,
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


def _next_moment(sources: list[int], network: Network, now: datetime) -> datetime:
    """The next midnight (quotas, release days and overdue supply change then) or cut-off of one of the locations."""
    moments = [now + timedelta(days=1)]
    for location_id in sources or list(network.locations):
        place = network.locations[location_id]
        zone = ZoneInfo(place.time_zone)
        today = now.astimezone(zone).date()
        moments.append(datetime.combine(today + timedelta(days=1), time(), zone))
        moments.append(datetime.combine(today, place.cutoff_time, zone))
    return min(moment for moment in moments if moment > now).astimezone(now.tzinfo)


_SOURCES = {
    "ON_HAND": ("ON_HAND", "ON_HAND"),
    "DATED": ("PURCHASE_ORDER", "LEAD_TIME"),
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
            "destination": destination_id,
        }
        for part in proposal.slices
    ]
