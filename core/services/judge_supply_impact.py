"""Whom a supply serves, and whose day would move if it came later or not at all; nothing is changed."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from core.domain.book import SkuBook
from core.domain.conclude import conclude
from core.domain.late_pegs import Cause, MovePolicy, repair
from core.domain.network import Network
from core.domain.records import Line, Supply
from core.domain.simulation.overlay import Dating
from core.domain.states import DateBasis, PromiseReason
from core.errors import InvalidInput, NotFound
from core.ports import Transaction
from core.queries.gate_versions import gate_versions
from core.queries.open_supplies import lines_on_supplies, open_supplies
from core.repositories.load_book import read_books
from core.repositories.network import load_network
from core.repositories.supplying import load_lateness, load_policies, move_policy

MAX_DAYS = 365


@dataclass(frozen=True, slots=True)
class SupplyImpactQuestion:
    """Which supplies (a purchase order, one of its lines, or a ship notice), and what would become of them."""

    purchase_order: str | None = None
    line_number: int | None = None
    ship_notice: str | None = None
    supplier: str | None = None
    """Whose ship notice, where two suppliers use one number."""
    days_later: int = 0
    """Calendar days at the dock, as the supplier would write it; 0 only asks who depends on it."""
    lost: bool = False


@dataclass(frozen=True, slots=True)
class AffectedLine:
    """A line that hangs on the supplies, or gives way to one that does: `quantity` units of them, and its promise and
    shortage now and then."""

    sku_id: int
    line_id: int
    order_id: int
    customer_id: int | None
    quantity: int
    promised: date | None
    would_be_promised: date | None
    backordered: int
    would_be_backordered: int

    @property
    def days_later(self) -> int:
        if self.promised is None or self.would_be_promised is None:
            return 0
        return (self.would_be_promised - self.promised).days


async def judge_supply_impact(uow: Transaction, question: SupplyImpactQuestion) -> list[AffectedLine]:
    """Lines that hang on the supplies, those hit hardest first; the rules are those that run when it really happens.

    Who hangs on them is one statement; what would become of them is played on their books. Call it on one snapshot.
    Raises InvalidInput, and NotFound when nothing of it is still to come.
    """
    _check(question)
    named = {
        "purchase_order": question.purchase_order,
        "line_number": question.line_number,
        "ship_notice": question.ship_notice,
        "supplier": question.supplier,
    }
    missing = NotFound("open supply of", question.purchase_order or question.ship_notice or "", path=("input",))
    if not (question.lost or question.days_later):
        hanging = await lines_on_supplies(uow.sql, **named)
        if hanging is None:
            raise missing
        return sorted((_as_it_is(row) for row in hanging), key=lambda a: a.line_id)
    found = await open_supplies(uow.sql, **named)
    if not found:
        raise missing
    wanted: dict[int, set[int]] = defaultdict(set)
    for row in found:
        wanted[row["sku_id"]].add(row["id"])
    network = await load_network(uow)
    policies = await load_policies(uow)
    policy = move_policy(policies)
    books = await read_books(uow.sql, uow.now, await gate_versions(uow.sql, wanted), network, lines="waiting")
    suppliers = {s.supplier_id or 0 for book in books.values() for s in book.supplies}
    dating = Dating(int(policies.get("receiving_days", 0)), await load_lateness(uow, suppliers))
    affected: list[AffectedLine] = []
    for sku_id, book in books.items():
        supplies = [s for s in book.supplies if s.id in wanted[sku_id]]
        affected += _play(book, network, supplies, question, policy, dating)
    return sorted(affected, key=lambda a: (-a.days_later, a.backordered - a.would_be_backordered, a.line_id))


def _as_it_is(row: Any) -> AffectedLine:
    told, short = row["promised_date"], row["backordered"]
    return AffectedLine(
        row["sku_id"], row["id"], row["order_id"], row["customer_id"], row["quantity"], told, told, short, short
    )


def _check(question: SupplyImpactQuestion) -> None:
    if (question.purchase_order is None) == (question.ship_notice is None):
        raise InvalidInput("Name a purchase order or a ship notice, one of them.", path=("input",))
    if question.line_number is not None and question.purchase_order is None:
        raise InvalidInput("A line number belongs to a purchase order.", path=("input", "lineNumber"))
    if not 0 <= question.days_later <= MAX_DAYS:
        raise InvalidInput(
            f"A supply can be asked about up to {MAX_DAYS} days later, not {question.days_later}.",
            path=("input", "daysLater"),
            value=question.days_later,
        )
    if question.lost and question.days_later:
        raise InvalidInput("What is lost does not come later: ask one or the other.", path=("input", "lost"))


def _play(
    book: SkuBook,
    network: Network,
    supplies: list[Supply],
    question: SupplyImpactQuestion,
    policy: MovePolicy,
    dating: Dating,
) -> list[AffectedLine]:
    units: dict[int, int] = defaultdict(int)
    lines: dict[int, tuple[Line, Line]] = {}
    changed = {id(supply) for supply in supplies}
    as_they_are = {id(line): replace(line) for line in book.lines.values()}
    for peg in book.pegs:
        if peg.supply is not None and id(peg.supply) in changed and peg.line is not None:
            units[id(peg.line)] += peg.quantity
            lines[id(peg.line)] = (peg.line, as_they_are[id(peg.line)])
    if question.lost:
        losers = [line for supply in supplies for line in book.cancel_supply(supply, supply.open, "SUPPLY_LOST")]
        conclude(book, network, losers, PromiseReason.SUPPLY_LOST)
    else:
        for supply in supplies:
            today = book.today[supply.location_id]
            dock = max(today, dating.dock(network, supply, today)) + timedelta(days=question.days_later)
            basis = supply.date_basis or str(DateBasis.LEAD_TIME)
            if basis == DateBasis.LEAD_TIME:  # a delay is what the supplier says
                basis = str(DateBasis.CONFIRMED_ORDER)
            day = dating.usable(network, supply.location_id, dock, basis, supply.supplier_id)
            book.redate_supply(supply, day, basis, None)
        for line in repair(book, network, supplies, Cause(PromiseReason.SUPPLY_DELAYED), policy):
            lines.setdefault(id(line), (line, as_they_are[id(line)]))
    return [
        AffectedLine(
            book.sku_id,
            line.id or 0,
            line.order_id,
            line.customer_id,
            units[key],
            before.promised,
            line.promised,
            before.backordered,
            line.backordered,
        )
        for key, (line, before) in lines.items()
    ]
