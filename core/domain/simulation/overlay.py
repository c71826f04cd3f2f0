"""The changes of a scenario, laid over a book before and while it is played: nothing live is touched."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from core.domain.book import SkuBook
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
    """What would come from `from_date` until before `until` comes at `until`, as late in it as it was; None: never."""

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
        """When something due on `day` comes under the outages; None: never."""
        for change in self.changes:
            if not isinstance(change, SupplyOutage) or not change.scope.has_sku(sku_id):
                continue
            if change.scope.has_supplier(supplier_id) and change.from_date <= day < (change.until or FURTHEST):
                if change.until is None:
                    return None
                day = change.until
        return day


@dataclass(slots=True)
class Parties:
    """Facts about the lines of the snapshot that the book does not hold: customers' grades by customer id."""

    grades: dict[int, str] = field(default_factory=dict)


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
    moved: list[Supply] = []
    for supply in list(book.supplies):
        if supply.kind != "purchase" or supply.open == 0:
            continue
        today = book.today[supply.location_id]
        before = supply.effective_date(today)
        days = 0 if supply.ship_notice_line_id else scenario.lead_days(book.sku_id, supply.supplier_id)
        day = scenario.delayed_until(book.sku_id, supply.supplier_id, max(today, before + timedelta(days=days)))
        if day is None:
            for line in book.cancel_supply(supply, supply.open, str(PromiseReason.SUPPLY_LOST)):
                book.settle(line, str(PromiseReason.SUPPLY_LOST))
        elif day != before:
            book.redate_supply(supply, day, supply.date_basis, None)
            moved.append(supply)
    if moved:
        later = PromiseReason.SUPPLY_DELAYED
        repair(book, network, moved, Cause(later), replace(policy, pull_in_days=policy.pull_in_days or 1))


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
