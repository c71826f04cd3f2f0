"""What the gate of one SKU guards, as plain records: stock levels, supplies, lines, pegs, holds, backorders."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from msgspec import Struct

from core.domain.priority import Priority, Standing
from core.domain.states import BackorderCause, BackorderState, LotState, OrderLineStatus, PegKind, ShipPolicy


@dataclass(slots=True)
class StockLevel:
    """Counters of one (SKU, location), base units: `allocated` + `unsellable` <= `on_hand`."""

    location_id: int
    on_hand: int = 0
    unsellable: int = 0
    allocated: int = 0
    is_changed: bool = False
    is_stored: bool = False
    """Read from its row: it need not be made."""

    @property
    def available(self) -> int:
        return self.on_hand - self.unsellable - self.allocated


@dataclass(slots=True)
class Lot:
    """Units of one batch at one location; `expires_on` is the last day of their life."""

    id: int | None
    location_id: int
    code: str
    expires_on: date | None = None
    state: LotState = LotState.SELLABLE
    on_hand: int = 0
    unsellable: int = 0
    allocated: int = 0
    is_new: bool = False
    is_changed: bool = False
    """Its state is another now; the counters follow the movements."""

    @property
    def available(self) -> int:
        return self.on_hand - self.unsellable - self.allocated


@dataclass(slots=True)
class Transfer:
    """A move between two locations: a HARD peg at the source, a supply at the destination."""

    id: int | None
    from_location_id: int
    to_location_id: int
    quantity: int
    shipped: int = 0
    received: int = 0
    lost: int = 0
    state: str = "planned"
    is_new: bool = False
    is_changed: bool = False


@dataclass(slots=True)
class Supply:
    """A dated quantity that becomes usable on `usable_date`; `pegged` of its open part is spoken for."""

    id: int | None
    location_id: int
    kind: str
    quantity: int
    usable_date: date
    received: int = 0
    cancelled: int = 0
    pegged: int = 0
    paper_date: date | None = None
    overdue_days: int = 1
    overdue_checked_on: date | None = None
    date_basis: str = "LEAD_TIME"
    date_revision: int = 0
    last_sequence: str | None = None
    supplier_id: int | None = None
    purchase_order_line_id: int | None = None
    ship_notice_line_id: int | None = None
    transfer: Transfer | None = None
    transfer_id: int | None = None
    split_from: Supply | None = None
    split_from_id: int | None = None
    is_new: bool = False
    is_changed: bool = False

    @property
    def open(self) -> int:
        return self.quantity - self.received - self.cancelled

    @property
    def unpegged(self) -> int:
        return self.open - self.pegged

    def effective_date(self, today: date) -> date:
        """Overdue supply slides instead of vanishing: it counts `overdue_days` after today."""
        return self.usable_date if self.usable_date >= today else today + timedelta(days=self.overdue_days)


@dataclass(frozen=True, slots=True)
class KitPart:
    """Of which kit line a component line is a part: `quantity` units of it go into one kit."""

    sku_id: int
    line_number: int
    """Number of the kit among the lines that were asked for, from 1."""
    quantity: int
    ships_together: bool = True
    """Nothing of the kit line leaves before all of it is there."""


@dataclass(slots=True)
class Line:
    """One order line; always ordered = open + allocated + backordered + shipped + cancelled."""

    id: int | None
    order_id: int
    line_number: int
    ordered: int
    customer_id: int | None = None
    open: int = 0
    allocated: int = 0
    backordered: int = 0
    shipped: int = 0
    cancelled: int = 0
    ready: int = 0
    delivered: int = 0
    channel: str = ""
    requested_date: date | None = None
    ship_by: date | None = None
    ship_policy: ShipPolicy = ShipPolicy.PARTIAL_BACKORDER_REST
    substitutes_allowed: bool = False
    min_life_days: int | None = None
    """Days of life its lots must have left at delivery, where that is more than customer, channel or SKU ask for."""
    substituted_for_line_id: int | None = None
    kit: KitPart | None = None
    priority: int = 0
    status: OrderLineStatus = OrderLineStatus.RECEIVED
    version: int = 1
    location_id: int | None = None
    destination_id: int | None = None
    demand_class: str = ""
    """Whose protected stock the line keeps off: the class of the order's channel."""
    promise_id: int | None = None
    promise_sequence: int = 0
    promised: date | None = None
    """Complete date of the current promise: delivery where it is known, else ship day."""
    times_bumped: int = 0
    """How often a younger line was served before it."""
    is_priority_manual: bool = False
    """A planner has set `priority`; it stays as it is."""
    order_ships_complete: bool = False
    standing: Standing | None = None
    """What speaks for it and does not lie in its book; None where it was not ranked."""
    rank: Priority | None = None
    """Its priority at this moment, with what it is made of."""
    binding: dict[str, Any] | None = None
    """What limits the coverage that was just committed, for the evidence of the promise that follows."""
    told_claims: frozenset[tuple[int, date]] | None = None
    """(location, day) of the claims that a promise of this change speaks of; None: it has none yet."""
    dropped_claims: frozenset[tuple[int, date]] = frozenset()
    """Those of stored claims that this change has dropped: the customer was told of them."""
    is_new: bool = False
    is_changed: bool = False


@dataclass(slots=True)
class Peg:
    """What covers (part of) a line or a transfer now. `need_date` is the day it claims on the timeline."""

    id: int | None
    location_id: int
    need_date: date
    quantity: int
    kind: PegKind
    line_id: int | None = None
    line: Line | None = None
    transfer_id: int | None = None
    transfer: Transfer | None = None
    supply: Supply | None = None
    lot: Lot | None = None
    cause: str | None = None
    run_id: int | None = None
    demand_class: str = ""
    """The class of a line that was not loaded, where a class has protected stock of its own."""
    is_changed: bool = False

    @property
    def lot_id(self) -> int | None:
        return self.lot.id if self.lot is not None else None

    def belongs_to(self, line: Line) -> bool:
        return self.line is line or (line.id is not None and self.line_id == line.id)


@dataclass(frozen=True, slots=True)
class Quota:
    """`quantity` units per week (WEEK) or once (WINDOW) for what of channel, customer and tier is given."""

    id: int
    channel: str | None
    customer_id: int | None
    tier: str | None
    period: str
    from_day: date
    until_day: date | None
    quantity: int


@dataclass(frozen=True, slots=True)
class QuotaUse:
    """Units of a line that count against a quota in the window of `day`."""

    quota_id: int
    line: Line
    day: date
    quantity: int


@dataclass(slots=True)
class Hold:
    """A live reservation row."""

    id: int
    group_id: str
    location_id: int
    need_date: date
    quantity: int


@dataclass(slots=True)
class Backorder:
    """The short part of a line, while it is above zero."""

    id: int | None
    line: Line
    quantity: int
    state: BackorderState
    opened_at: datetime
    cause: BackorderCause | None = None
    evidence: dict[str, Any] = field(default_factory=dict)
    expected_date: date | None = None
    priority: dict[str, Any] = field(default_factory=dict)
    location_id: int | None = None
    held_from_state: BackorderState | None = None
    delayed_from: date | None = None
    """The customer's day before the delay, while it is DELAYED."""
    closed_at: datetime | None = None
    version: int = 1
    is_new: bool = False
    is_changed: bool = False


class Movement(Struct, frozen=True):
    """One ledger row; the counters change by the same three figures."""

    location_id: int
    kind: str
    on_hand: int = 0
    unsellable: int = 0
    allocated: int = 0
    cause_kind: str = ""
    cause_id: int | None = None
    line: Line | None = None
    transfer: Transfer | None = None
    lot: Lot | None = None


class BackorderFact(Struct, frozen=True):
    """One step in a backorder's life, for its history and its event."""

    backorder: Backorder
    kind: str
    from_state: BackorderState | None
    to_state: BackorderState
    quantity: int
    cause: str
    expected: date | None = None
    previous_expected: date | None = None
    filled: int = 0
    """Units that were short until this step, when it is the one to FILLED."""


class LineFact(Struct, frozen=True):
    """Something an order's watcher is told about one line."""

    line: Line
    kind: str
    quantity: int | None = None
    promised: date | None = None
    previous_promised: date | None = None
    reason: str | None = None


class PromiseDraft(Struct, frozen=True):
    """A promise to append: what the customer is told, by which cause, on which evidence."""

    line: Line
    sequence: int
    quantity: int
    complete: bool
    slices: list[dict[str, Any]]
    slice_supplies: list[Supply | None]
    cause_kind: str
    cause_id: int | None
    evidence: dict[str, Any]
