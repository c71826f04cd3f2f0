"""Purchasing: how much to order, what a supplier's answer does to a PO line, and the states of a purchase order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from core.domain.states import PurchaseOrderStatus
from core.errors import IllegalTransition, InvalidInput, InvariantBroken, QuantityExceeded

_S = PurchaseOrderStatus

PARTS = ("unanswered", "accepted", "supplier_backordered", "held", "in_transit", "received", "rejected", "cancelled")
"""The remaining quantities of a PO line; they always sum to what was ordered."""
OPEN_PARTS = ("unanswered", "accepted", "supplier_backordered", "held", "in_transit")
NOT_SHIPPED_PARTS = ("unanswered", "accepted", "supplier_backordered", "held")

# A supplier may answer, ship and deliver without the steps between (no 855, no 856); a lost or withdrawn ship notice
# gives back what it took. What was received, rejected or cancelled stays so: a change of mind is a new order.
_NOT_SHIPPED_MOVES = frozenset(PARTS) - {"unanswered"}
PART_MOVES: dict[str, frozenset[str]] = {
    "unanswered": _NOT_SHIPPED_MOVES,
    "accepted": _NOT_SHIPPED_MOVES - {"accepted"},
    "supplier_backordered": _NOT_SHIPPED_MOVES - {"supplier_backordered"},
    "held": _NOT_SHIPPED_MOVES - {"held"},
    "in_transit": frozenset({"received", "accepted", "cancelled"}),
    "received": frozenset(),
    "rejected": frozenset(),
    "cancelled": frozenset(),
}


def order_quantity(shortage: int, moq: int, order_multiple: int) -> int:
    """Units to order for `shortage`: at least `moq`, rounded up to `order_multiple`; 0 when nothing is short."""
    if moq < 1 or order_multiple < 1:
        raise InvalidInput(f"MOQ {moq} and order multiple {order_multiple} must be positive.", field="moq", value=moq)
    if shortage <= 0:
        return 0
    return -(-max(shortage, moq) // order_multiple) * order_multiple


def reorder_need(inventory_position: int, reorder_point: int, reorder_quantity: int) -> int:
    """The plain reorder-point rule, before MOQ and multiples: 0 above the reorder point or without one (0).

    At or below it `reorder_quantity`, or more when that would not lift the position above the reorder point.
    """
    if reorder_point <= 0 or inventory_position > reorder_point:
        return 0
    return max(reorder_quantity, reorder_point - inventory_position + 1)


def is_approved_by_rule(total: int, limit: int | None) -> bool:
    """May an order of `total` (minor units) go out without a person? Up to the limit; None: no limit was given."""
    return limit is not None and total <= limit


@dataclass(frozen=True, slots=True)
class PurchaseLine:
    """The quantities of one PO line in base units. Raises InvariantBroken unless the eight parts sum to `ordered`."""

    ordered: int
    unanswered: int = 0
    accepted: int = 0
    supplier_backordered: int = 0
    held: int = 0
    in_transit: int = 0
    received: int = 0
    rejected: int = 0
    cancelled: int = 0
    over_delivered: int = 0

    def __post_init__(self) -> None:
        parts = [getattr(self, part) for part in PARTS]
        if sum(parts) != self.ordered or min(*parts, self.over_delivered) < 0 or self.ordered <= 0:
            raise InvariantBroken("purchase order line quantities", {"ordered": self.ordered, "parts": parts})

    @property
    def open(self) -> int:
        """Still to come."""
        return sum(getattr(self, part) for part in OPEN_PARTS)

    @property
    def not_shipped(self) -> int:
        """Open and not on a ship notice: what an answer of the supplier may speak about."""
        return sum(getattr(self, part) for part in NOT_SHIPPED_PARTS)


def move(line: PurchaseLine, source: str, target: str, quantity: int) -> PurchaseLine:
    """`quantity` of part `source` becomes `target`.

    Raises IllegalTransition for a move that cannot be, QuantityExceeded for more than there is, InvalidInput for a
    quantity below 1.
    """
    if target not in PART_MOVES[source]:
        raise IllegalTransition("purchase order line quantity", str(quantity), source, target)
    if quantity < 1:
        raise InvalidInput(f"A quantity must be positive, not {quantity}.", field="quantity", value=quantity)
    available = getattr(line, source)
    if quantity > available:
        raise QuantityExceeded(f"of the purchase order line are {source}", quantity, available)
    return replace(line, **{source: available - quantity, target: getattr(line, target) + quantity})


def _take(line: PurchaseLine, sources: tuple[str, ...], target: str, quantity: int) -> PurchaseLine:
    for source in sources:
        part = min(quantity, getattr(line, source))
        if part > 0:
            line = move(line, source, target, part)
            quantity -= part
    return line


def answer(
    line: PurchaseLine, *, accepted: int = 0, supplier_backordered: int = 0, held: int = 0, rejected: int = 0
) -> PurchaseLine:
    """The supplier's answer: it restates everything that has not been shipped, and replaces what it said before.

    Raises InvalidInput when the sum is not the unshipped quantity: such an answer is quarantined, never guessed at.
    """
    stated = accepted + supplier_backordered + held + rejected
    if min(accepted, supplier_backordered, held, rejected) < 0 or stated != line.not_shipped:
        raise InvalidInput(
            f"The answer speaks of {stated} units, but {line.not_shipped} are not shipped.",
            stated=stated,
            expected=line.not_shipped,
        )
    return replace(
        line,
        unanswered=0,
        accepted=accepted,
        supplier_backordered=supplier_backordered,
        held=held,
        rejected=line.rejected + rejected,
    )


def raised(line: PurchaseLine, quantity: int) -> PurchaseLine:
    """`quantity` more is ordered; what the supplier says of it comes next. Raises InvalidInput below 1."""
    if quantity < 1:
        raise InvalidInput(f"A quantity must be positive, not {quantity}.", field="quantity", value=quantity)
    return replace(line, ordered=line.ordered + quantity, unanswered=line.unanswered + quantity)


def ship(line: PurchaseLine, quantity: int) -> PurchaseLine:
    """A ship notice over `quantity`, accepted units first. Raises QuantityExceeded beyond what is unshipped."""
    if quantity > line.not_shipped:
        raise QuantityExceeded("of the purchase order line are not shipped", quantity, line.not_shipped)
    return _take(line, ("accepted", "unanswered", "supplier_backordered", "held"), "in_transit", quantity)


def receive(line: PurchaseLine, quantity: int) -> PurchaseLine:
    """A receipt of `quantity`, announced or not; what exceeds the open quantity becomes `over_delivered`."""
    if quantity < 1:
        raise InvalidInput(f"A quantity must be positive, not {quantity}.", field="quantity", value=quantity)
    ordered = min(quantity, line.open)
    line = _take(line, ("in_transit", "accepted", "unanswered", "supplier_backordered", "held"), "received", ordered)
    return replace(line, over_delivered=line.over_delivered + quantity - ordered)


def spread_receipt(quantity: int, *expected: Sequence[int]) -> list[int]:
    """Units of one receipt by line, where several lines order the same SKU and the dock names none of them.

    Each of `expected` holds the units that every line expects, in order: first what is announced, then all that is open.
    What exceeds everything is on the first line that expects any, else on the first.
    """
    shares = [0] * len(expected[0])
    for units in expected:
        for i, most in enumerate(units):
            shares[i] += max(0, min(quantity - sum(shares), most - shares[i]))
    shares[next((i for i, most in enumerate(expected[-1]) if most), 0)] += quantity - sum(shares)
    return shares


def close_short(line: PurchaseLine, *, by_supplier: bool = False) -> PurchaseLine:
    """Nothing more will come: every open part is cancelled, or rejected when the supplier says so."""
    if not by_supplier:
        return _take(line, OPEN_PARTS, "cancelled", line.open)
    line = _take(line, ("in_transit",), "accepted", line.in_transit)
    return _take(line, NOT_SHIPPED_PARTS, "rejected", line.open)


STATUS_MOVES: dict[PurchaseOrderStatus, frozenset[PurchaseOrderStatus]] = {
    _S.DRAFT: frozenset({_S.AWAITING_APPROVAL, _S.APPROVED, _S.CANCELLED}),
    _S.AWAITING_APPROVAL: frozenset({_S.APPROVED, _S.DRAFT, _S.CANCELLED}),
    _S.APPROVED: frozenset({_S.SENT, _S.CANCELLED}),
    _S.SENT: frozenset({_S.ACKNOWLEDGED, _S.PARTIALLY_RECEIVED, _S.RECEIVED, _S.CLOSED, _S.CANCELLED}),
    _S.ACKNOWLEDGED: frozenset({_S.PARTIALLY_RECEIVED, _S.RECEIVED, _S.CLOSED, _S.CANCELLED}),
    _S.PARTIALLY_RECEIVED: frozenset({_S.RECEIVED, _S.CLOSED}),
    _S.RECEIVED: frozenset({_S.CLOSED}),
    _S.CLOSED: frozenset(),
    _S.CANCELLED: frozenset(),
}

BEFORE_SENDING = frozenset({_S.DRAFT, _S.AWAITING_APPROVAL, _S.APPROVED})


def check_status_move(number: str, before: PurchaseOrderStatus, after: PurchaseOrderStatus) -> None:
    """Raise IllegalTransition unless purchase order `number` may go from `before` to `after`; it may always stay."""
    if before is not after and after not in STATUS_MOVES[before]:
        raise IllegalTransition("purchase order", number, before, after)


def purchase_order_status(current: PurchaseOrderStatus, lines: Iterable[PurchaseLine]) -> PurchaseOrderStatus:
    """The state that the lines' quantities imply.

    Before sending a person or a rule decides, so `current` stays unless everything was cancelled. Afterwards: RECEIVED
    when all that was ordered came, CLOSED when the rest never will, CANCELLED when nothing came and nothing will.
    """
    all_lines = list(lines)
    if not all_lines or current in (_S.CLOSED, _S.CANCELLED):
        return current
    received = sum(line.received for line in all_lines)
    if not any(line.open for line in all_lines):
        if not received:
            return _S.CANCELLED
        return _S.RECEIVED if received == sum(line.ordered for line in all_lines) else _S.CLOSED
    if current in BEFORE_SENDING:
        return current
    if received:
        return _S.PARTIALLY_RECEIVED
    is_silent = all(line.unanswered + line.cancelled == line.ordered for line in all_lines)
    return _S.SENT if current is _S.SENT and is_silent else _S.ACKNOWLEDGED
