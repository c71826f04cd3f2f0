"""What an order request must be, and why an order is held before it is validated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from core.domain.records import KitPart
from core.domain.states import HoldReason, ShipPolicy
from core.errors import DateInPast, DomainError, InvalidInput

MAX_LINES = 2_000
MAX_QUANTITY = 1_000_000
"""Above this a quantity is taken for a slip of the keyboard."""
MAX_LIFE_DAYS = 36_500


@dataclass(frozen=True, slots=True)
class ShipTo:
    """Where an order goes. Country (ISO 3166 alpha-2) and postal code decide the delivery zone."""

    country: str
    postal_code: str = ""
    name: str = ""
    line1: str = ""
    city: str = ""

    def as_json(self) -> dict[str, str]:
        return {
            "country": self.country.upper(),
            "postalCode": self.postal_code,
            "name": self.name,
            "line1": self.line1,
            "city": self.city,
        }


@dataclass(frozen=True, slots=True)
class LineRequest:
    """One wanted line; `requested_date` is the day of delivery at the customer."""

    sku: str
    quantity: int
    requested_date: date | None = None
    ship_policy: ShipPolicy = ShipPolicy.PARTIAL_BACKORDER_REST
    substitutes_allowed: bool = False
    min_life_days: int | None = None
    """Days of life its lots must have left at delivery; less than customer, channel or SKU ask for changes nothing."""
    kit: KitPart | None = None
    """Set when the line is a component of a kit that was asked for (`core.domain.kits.explode`)."""


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """One wanted order, as a channel sends it."""

    channel: str
    lines: list[LineRequest]
    ship_to: ShipTo
    external_number: str | None = None
    customer_code: str | None = None
    ship_complete: bool = False
    reservation_id: str | None = None
    payment_state: str = "OK"
    placed_at: datetime | None = None
    request_id: str = ""
    """Of the call that brought it, for the audit trail; "" for that of the transaction."""

    @property
    def group_id(self) -> str | None:
        """The reservation's id as it is stored; None without one, or when it cannot be one."""
        try:
            return str(UUID(self.reservation_id)) if self.reservation_id else None
        except ValueError:
            return None


def check_form(order: OrderRequest, today: date) -> list[DomainError]:
    """What is wrong with the request itself, each with the path of the input field."""
    errors: list[DomainError] = []
    if not order.lines:
        errors.append(InvalidInput("An order needs at least one line.", path=("input", "lines")))
    if len(order.lines) > MAX_LINES:
        errors.append(InvalidInput(f"An order has at most {MAX_LINES} lines.", path=("input", "lines")))
    if len(order.ship_to.country.strip()) != 2:
        errors.append(
            InvalidInput(
                f"The country {order.ship_to.country!r} is not a two-letter code (ISO 3166).",
                path=("input", "shipTo", "country"),
                value=order.ship_to.country,
            )
        )
    if order.reservation_id and order.group_id is None:
        errors.append(
            InvalidInput(
                f"{order.reservation_id!r} is not the id of a reservation.",
                path=("input", "reservationId"),
                value=order.reservation_id,
            )
        )
    for index, line in enumerate(order.lines):
        path = ("input", "lines", str(index))
        if not 0 < line.quantity <= MAX_QUANTITY:
            errors.append(
                InvalidInput(
                    f"The quantity {line.quantity} of SKU {line.sku!r} is not between 1 and {MAX_QUANTITY}.",
                    path=(*path, "quantity"),
                    value=line.quantity,
                )
            )
        if (error := check_life(line.min_life_days, (*path, "minLifeDays"))) is not None:
            errors.append(error)
        if line.requested_date is not None and line.requested_date < today:
            errors.append(DateInPast("requestedDate", line.requested_date, today, path=(*path, "requestedDate")))
    return errors


def check_life(days: int | None, path: tuple[str, ...]) -> InvalidInput | None:
    """What is wrong with the days of life that somebody asks for; None when nothing is."""
    if days is None or 0 <= days <= MAX_LIFE_DAYS:
        return None
    return InvalidInput(f"{days} days of life are not between 0 and {MAX_LIFE_DAYS}.", path=path, value=days)


def reasons_to_hold(
    order: OrderRequest, sku_statuses: Iterable[str], has_route: bool, is_repeat: bool
) -> list[HoldReason]:
    """Why the order may not be validated yet: payment, address, a SKU that is not sellable, a likely double."""
    holds = []
    if order.payment_state in ("FAILED", "PENDING"):
        holds.append(HoldReason.PAYMENT)
    if not has_route or not order.ship_to.country.strip():
        holds.append(HoldReason.ADDRESS)
    if any(status in ("BLOCKED", "DISCONTINUED") for status in sku_statuses):
        holds.append(HoldReason.SKU_NOT_SELLABLE)
    if is_repeat:
        holds.append(HoldReason.DUPLICATE)
    return holds


def signature(lines: Iterable[tuple[int, int]]) -> frozenset[tuple[tuple[int, int], int]]:
    """What makes two orders of one customer look like one: the same SKUs in the same quantities."""
    return frozenset(Counter(lines).items())
