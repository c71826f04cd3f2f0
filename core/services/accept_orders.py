"""Judge order requests: what is refused, what is held, and from where the rest may be served."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from core.domain.book import SkuBook
from core.domain.kits import check_kits, explode
from core.domain.network import Network
from core.domain.order import order_status
from core.domain.placing import OrderRequest, check_form, reasons_to_hold, signature
from core.domain.records import Line
from core.domain.states import HoldReason, OrderStatus
from core.errors import DomainError, DuplicateOrder, InvalidInput, UnknownSku
from core.ports import Transaction
from core.repositories.place_orders import Known, recent_signatures


@dataclass(frozen=True, slots=True)
class OrderResult:
    """`outcome`: placed, repeated (the same channel and external number exists) or refused (see `errors`)."""

    outcome: str
    order_id: int | None = None
    number: str | None = None
    errors: list[DomainError] = field(default_factory=list)
    backorder_ids: list[tuple[int, int]] = field(default_factory=list)
    reservation_expired: bool = False


@dataclass(slots=True)
class Accepted:
    """An order on its way into the books."""

    position: int
    request: OrderRequest
    holds: list[HoldReason]
    customer_id: int | None
    tier: str
    destination_id: int | None
    sources: list[int]
    order_id: int = 0
    has_hold: bool = False
    """Its reservation was still held, and by no order before it."""
    lines: list[tuple[SkuBook, Line]] = field(default_factory=list)

    @property
    def number(self) -> str:
        return f"SO{self.order_id:08d}"

    @property
    def status(self) -> OrderStatus:
        if self.holds:
            return OrderStatus.RECEIVED
        return order_status(line.status for _, line in self.lines)


async def accept_orders(
    uow: Transaction, requests: list[OrderRequest], known: Known, network: Network
) -> tuple[dict[int, OrderResult], list[Accepted]]:
    """Refuse what cannot be an order and judge the rest; numbers given twice inside the batch repeat the first."""
    results: dict[int, OrderResult] = {}
    accepted: list[Accepted] = []
    window = timedelta(minutes=float(policy(known, "duplicate_window_minutes", 10)))
    customers = [known.customers[r.customer_code]["id"] for r in requests if r.customer_code in known.customers]
    seen = await recent_signatures(uow, customers, uow.now - window)
    in_batch: set[tuple[str, str]] = set()
    for position, request in enumerate(requests):
        errors = _check(request, known, network, uow.now) + check_kits(request, known.kits)
        number = (request.channel, request.external_number or "")
        existing = known.existing.get(number)
        if existing is not None:
            duplicate = DuplicateOrder(request.channel, number[1], *existing)
            results[position] = OrderResult("repeated", existing[0], existing[1], [duplicate])
            continue
        if request.external_number and number in in_batch:
            errors.append(
                InvalidInput(
                    f"External number {number[1]!r} stands twice in the batch.", path=("input", "externalNumber")
                )
            )
        if errors:
            results[position] = OrderResult("refused", errors=errors)
            continue
        in_batch.add(number)
        customer = known.customers.get(request.customer_code or "")
        destination_id = network.destination(request.ship_to.country, request.ship_to.postal_code)
        sources = network.sources(destination_id, known.channels[request.channel]["location_ids"])
        asked = [known.skus[line.sku]["status"] for line in request.lines]
        together = policy(known, "kit_release", "COMPLETE") == "COMPLETE"
        request = explode(request, known.kits, ships_together=together)
        mark = signature((known.skus[x.sku]["id"], x.quantity) for x in request.lines)
        holds = reasons_to_hold(
            request,
            [*asked, *(known.skus[line.sku]["status"] for line in request.lines)],
            has_route=bool(sources) and (destination_id is not None or not network.zones),
            is_repeat=customer is not None and mark in seen.get(customer["id"], ()),
        )
        if customer is not None:
            seen.setdefault(customer["id"], set()).add(mark)
        if not sources:
            sources = network.sources(None)
        accepted.append(
            Accepted(
                position,
                request,
                holds,
                customer["id"] if customer is not None else None,
                customer["tier"] if customer is not None else "STANDARD",
                destination_id,
                sources,
            )
        )
    return results, accepted


def _check(request: OrderRequest, known: Known, network: Network, now: datetime) -> list[DomainError]:
    channel = known.channels.get(request.channel)
    errors = check_form(request, network.earliest_day(now, channel["location_ids"] if channel else None))
    if request.channel not in known.channels:
        errors.append(
            InvalidInput(
                f"There is no channel {request.channel!r}; known: {', '.join(sorted(known.channels))}.",
                path=("input", "channel"),
                value=request.channel,
            )
        )
    if request.customer_code and request.customer_code not in known.customers:
        errors.append(
            InvalidInput(
                f"There is no customer {request.customer_code!r}.",
                path=("input", "customer", "code"),
                value=request.customer_code,
            )
        )
    for index, line in enumerate(request.lines):
        if line.sku not in known.skus:
            errors.append(UnknownSku(line.sku, path=("input", "lines", str(index), "sku")))
    return errors


def policy(known: Known, code: str, default: Any) -> Any:
    return known.policies.get(code, default)
