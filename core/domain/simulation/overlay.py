"""The changes of a scenario, laid over a book before and while it is played: nothing live is touched."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from core.domain.book import SkuBook
from core.domain.buying import dock_day
from core.domain.eta import usable_date
from core.domain.late_pegs import Cause, MovePolicy, repair
from core.domain.network import Network
from core.domain.records import Supply
from core.domain.states import DateBasis, PromiseReason

FURTHEST = date(9999, 1, 1)


@dataclass(frozen=True, slots=True)
class Scope:
    """Which SKUs and suppliers a change speaks of, by id; None: all."""

    sku_ids: frozenset[int] | None = None
    supplier_ids: frozenset[int] | None = None

    def has_sku(self, sku_id: int) -> bool:
        return self.sku_ids is None or sku_id in self.sku_ids

    def has_supplier(self, supplier_id: int | None) -> bool:
        return self.supplier_ids is None or supplier_id in self.supplier_ids


@dataclass(frozen=True, slots=True)
class LeadTimeChange:
    """Purchases take `days` more (negative: fewer) calendar days: those not shipped yet, and those still to be made."""

    days: int
    scope: Scope = Scope()


@dataclass(frozen=True, slots=True)
class SafetyStockChange:
    """Protected stock of every class becomes `factor` times what it is, or `quantity` at each location."""

    factor: float | None = None
    quantity: int | None = None
    scope: Scope = Scope()


@dataclass(frozen=True, slots=True)
class SupplyOutage:
    """What would reach the dock from `from_date` until before `until` reaches it on `until`; None: never.

    The days are those that a supplier writes: what comes on them is usable when it has been received.
    """

    from_date: date
    until: date | None = None
    scope: Scope = Scope()


@dataclass(frozen=True, slots=True)
class Promotion:
    """Expected demand times `uplift` on the days from `from_date` to `until`, both included."""

    from_date: date
    until: date
    uplift: float
    scope: Scope = Scope()


@dataclass(frozen=True, slots=True)
class ExtraPurchase:
    """`quantity` more of a SKU, usable at a location on a day."""

    sku_id: int
    location_id: int
    quantity: int
    usable_date: date


@dataclass(frozen=True, slots=True)
class PriorityRule:
    """Open lines of customers with this grade are served with this score."""

    grade: str
    score: int


Change = LeadTimeChange | SafetyStockChange | SupplyOutage | Promotion | ExtraPurchase | PriorityRule


@dataclass(frozen=True, slots=True)
class Scenario:
    """A named set of changes; none at all is the baseline."""

    name: str
    changes: tuple[Change, ...] = ()

    def lead_days(self, sku_id: int, supplier_id: int | None) -> int:
        """Days by which a purchase made in the scenario takes longer."""
        return sum(
            c.days
            for c in self.changes
            if isinstance(c, LeadTimeChange) and c.scope.has_sku(sku_id) and c.scope.has_supplier(supplier_id)
        )

    def uplift(self, sku_id: int, day: date) -> float:
        """Factor on the expected demand of a day."""
        factor = 1.0
        for change in self.changes:
            if (
                isinstance(change, Promotion)
                and change.scope.has_sku(sku_id)
                and change.from_date <= day <= change.until
            ):
                factor *= change.uplift
        return factor

    def delayed_until(self, sku_id: int, supplier_id: int | None, day: date) -> date | None:
        """When something due at the dock on `day` comes under the outages; None: never."""
        for change in self.changes:
            if not isinstance(change, SupplyOutage) or not change.scope.has_sku(sku_id):
                continue
            if change.scope.has_supplier(supplier_id) and change.from_date <= day < (change.until or FURTHEST):
                if change.until is None:
                    return None
                day = change.until
        return day


@dataclass(frozen=True, slots=True)
class Dating:
    """How a day that a supplier writes becomes a usable one, as live: `receiving_days` are working days of the location,
    `late_days` the P80 of what comes late, by (supplier id, date basis)."""

    receiving_days: int = 0
    late_days: Mapping[tuple[int, str], int] = field(default_factory=dict)

    def dock(self, network: Network, supply: Supply, today: date) -> date:
        """The day on which a supply reaches the dock: as it was written, else as long before its day as receiving takes."""
        if supply.paper_date is not None and supply.date_basis != DateBasis.LEAD_TIME and supply.usable_date >= today:
            return supply.paper_date
        return dock_day(network, supply.location_id, supply.effective_date(today), self.receiving_days)

    def usable(self, network: Network, location_id: int, dock: date, basis: str, supplier_id: int | None) -> date:
        """The day on which what the supplier writes for `dock` can be given out."""
        late = self.late_days.get((supplier_id or 0, basis), 0)
        return usable_date(dock, DateBasis(basis), late, self.receiving_days, network.locations[location_id].calendar)


@dataclass(slots=True)
class Parties:
    """What the book does not hold: customers' grades by customer id, and how the days of suppliers are read."""

    grades: dict[int, str] = field(default_factory=dict)
    dating: Dating = field(default_factory=Dating)


def lay_over(book: SkuBook, scenario: Scenario, network: Network, policy: MovePolicy, parties: Parties) -> None:
    """Change the book as the scenario says; late claims are repaired by the rule that repairs them live."""
    _protect(book, scenario)
    for change in scenario.changes:
        if isinstance(change, ExtraPurchase) and change.sku_id == book.sku_id:
            book.add_supply(
                Supply(
                    None,
                    change.location_id,
                    "purchase",
                    change.quantity,
                    change.usable_date,
                    paper_date=change.usable_date,
                    date_basis=str(DateBasis.CONFIRMED_ORDER),
                )
            )
        elif isinstance(change, PriorityRule):
            for line in book.lines.values():
                if parties.grades.get(line.customer_id or 0, "STANDARD").upper() == change.grade.upper():
                    line.priority, line.is_priority_manual = change.score, True
    moved = [
        s
        for s in list(book.supplies)
        if s.kind == "purchase" and s.open and _redate(book, s, scenario, network, parties.dating)
    ]
    if moved:
        later = PromiseReason.SUPPLY_DELAYED
        repair(book, network, moved, Cause(later), replace(policy, pull_in_days=policy.pull_in_days or 1))


def _redate(book: SkuBook, supply: Supply, scenario: Scenario, network: Network, dating: Dating) -> bool:
    """Give a purchase the day that its supplier would write in the scenario; True when it has another one now."""
    today = book.today[supply.location_id]
    dock = dating.dock(network, supply, today)
    days = 0 if supply.ship_notice_line_id else scenario.lead_days(book.sku_id, supply.supplier_id)
    due = max(today, dock + timedelta(days=days))
    comes = scenario.delayed_until(book.sku_id, supply.supplier_id, due)
    if comes is None:
        for line in book.cancel_supply(supply, supply.open, str(PromiseReason.SUPPLY_LOST)):
            book.settle(line, str(PromiseReason.SUPPLY_LOST))
        return False
    if comes == due and not days:
        return False
    basis = supply.date_basis or str(DateBasis.LEAD_TIME)
    if comes != due and basis == DateBasis.LEAD_TIME:
        basis = str(DateBasis.CONFIRMED_ORDER)
    before, supply.paper_date = supply.usable_date, comes
    book.redate_supply(
        supply, dating.usable(network, supply.location_id, comes, basis, supply.supplier_id), basis, None
    )
    return supply.usable_date != before


def _protect(book: SkuBook, scenario: Scenario) -> None:
    for change in scenario.changes:
        if not isinstance(change, SafetyStockChange) or not change.scope.has_sku(book.sku_id):
            continue
        if change.quantity is not None:
            start = min(book.today.values())
            places: Iterable[int] = book.levels or book.today
            book.protected = {"": {place: [(start, change.quantity)] for place in places}}
        elif change.factor is not None:
            book.protected = {
                name: {
                    place: [(day, round(quantity * change.factor)) for day, quantity in steps]
                    for place, steps in places.items()
                }
                for name, places in book.protected.items()
            }
        book.forget_curves()
