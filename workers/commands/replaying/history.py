"""An order history file: its rows as orders and returns, and the rows that are none of them, with the reason."""

from __future__ import annotations

import contextlib
import csv
import gzip
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import TextIO

from core.errors import ConfigurationError

COLUMNS = ("InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country")
PRODUCT = re.compile(r"^\d{5}[A-Z]{0,3}$")
"""What a product code looks like; POST, M, DOT, BANK CHARGES and the like are services and corrections."""
ABSURD_QUANTITY = 10_000
"""More units than this in one line is a slip that its sender takes back minutes later."""
MAX_PRICE = 10_000_000
FORMATS = ("%m/%d/%Y %H:%M", "%m/%d/%y %H:%M", "%d.%m.%Y %H:%M")
"""Tried after ISO 8601."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the file that can be used; `quantity` is positive, `number` its line in the file."""

    number: int
    sku: str
    description: str
    quantity: int
    price: int
    """Minor units."""


@dataclass(slots=True)
class Invoice:
    """One invoice: an order, or (`is_return`) goods sent back or an order taken back."""

    number: str
    placed_at: datetime
    customer: str | None
    country: str
    is_return: bool
    rows: list[Row] = field(default_factory=list)
    row_count: int = 0
    """Rows of the file it came from, the rejected ones as well."""


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that was left out, with a plain reason."""

    number: int
    reason: str
    row: dict[str, str]


def _open(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8", errors="replace", newline="")
    return path.open(encoding="utf-8-sig", errors="replace", newline="")


@lru_cache(maxsize=4096)
def _instant(text: str) -> datetime | None:
    with contextlib.suppress(ValueError):
        at = datetime.fromisoformat(text.strip())
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    for pattern in FORMATS:
        try:
            return datetime.strptime(text.strip(), pattern).replace(tzinfo=UTC)
        except ValueError:
            continue
    return None


def _judge(raw: dict[str, str]) -> tuple[str, datetime | None, int]:
    """Reason to reject ('' for none), the instant, the quantity."""
    at = _instant(raw["InvoiceDate"] or "")
    if at is None:
        return f"the date {raw['InvoiceDate']!r} cannot be read", None, 0
    try:
        quantity = int((raw["Quantity"] or "").strip())
    except ValueError:
        return f"the quantity {raw['Quantity']!r} is not a whole number", at, 0
    code = (raw["StockCode"] or "").strip().upper()
    is_return = (raw["InvoiceNo"] or "").strip().upper().startswith("C")
    if not (raw["InvoiceNo"] or "").strip():
        return "it has no invoice number", at, quantity
    if not PRODUCT.match(code):
        return f"the code {code!r} is no product", at, quantity
    if quantity == 0:
        return "the quantity is zero", at, quantity
    if abs(quantity) > ABSURD_QUANTITY:
        return f"the quantity {quantity} is absurd (more than {ABSURD_QUANTITY})", at, quantity
    if is_return and quantity > 0:
        return "a cancellation with a positive quantity", at, quantity
    if not is_return and quantity < 0:
        return "a negative quantity that is no cancellation (a stock correction)", at, quantity
    if is_return and not (raw["CustomerID"] or "").strip():
        return "a cancellation without a customer: its order cannot be found", at, quantity
    return "", at, quantity


def _price(text: str) -> int:
    try:
        return min(max(round(float(text) * 100), 0), MAX_PRICE)
    except (ValueError, OverflowError):
        return 0


def read_history(path: Path, rejects: list[Reject] | None = None) -> Iterator[Invoice]:
    """The invoices of a file (CSV, plain or gzip), in its order; rejected rows go to `rejects` as they are met.

    Rows of one invoice stand together in the file. Raises ConfigurationError when a column is missing.
    """
    with _open(path) as stream:
        reader = csv.DictReader(stream)
        missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
        if missing:
            raise ConfigurationError(f"{path.name} lacks the columns {', '.join(missing)}; it has {reader.fieldnames}.")
        current: Invoice | None = None
        for number, raw in enumerate(reader, start=2):
            reason, at, quantity = _judge(raw)
            name = (raw["InvoiceNo"] or "").strip().upper()
            if current is None or current.number != name:
                if current is not None:
                    yield current
                current = Invoice(
                    name,
                    at or (current.placed_at if current else datetime(2000, 1, 1, tzinfo=UTC)),
                    _customer(raw["CustomerID"]),
                    (raw["Country"] or "").strip(),
                    name.startswith("C"),
                )
            current.row_count += 1
            if reason:
                if rejects is not None:
                    rejects.append(Reject(number, reason, {key: raw.get(key) or "" for key in COLUMNS}))
                continue
            current.rows.append(
                Row(
                    number,
                    (raw["StockCode"] or "").strip().upper(),
                    (raw["Description"] or "").strip(),
                    abs(quantity),
                    _price(raw["UnitPrice"]),
                )
            )
        if current is not None:
            yield current


def _customer(text: str | None) -> str | None:
    name = (text or "").strip().removesuffix(".0")
    return name or None


@dataclass(slots=True)
class SkuFacts:
    """What the file says of one product, for the company that sells it."""

    description: str = ""
    units: int = 0
    lines: int = 0
    price: int = 0
    largest: int = 0
    weeks: dict[date, int] = field(default_factory=dict)
    """Units by week (its Monday)."""

    def busy_week(self) -> float:
        """Units of a busy week: nine in ten weeks with a sale are quieter."""
        ranked = sorted(self.weeks.values())
        return float(ranked[min(len(ranked) - 1, int(0.9 * len(ranked)))]) if ranked else 0.0


@dataclass(slots=True)
class Survey:
    """One pass over the window of a file: what has to exist before its orders can be placed."""

    first_day: date
    last_day: date
    lines: int = 0
    invoices: int = 0
    rejects: list[Reject] = field(default_factory=list)
    skus: dict[str, SkuFacts] = field(default_factory=dict)
    customers: set[str] = field(default_factory=set)
    countries: set[str] = field(default_factory=set)

    @property
    def days(self) -> int:
        return (self.last_day - self.first_day).days + 1


def window(path: Path, start: date | None, weeks: int | None) -> tuple[date, date]:
    """The first and last day to replay. Raises ConfigurationError when nothing of the file lies between."""
    days = [invoice.placed_at.date() for invoice in read_history(path)]
    days = [day for day in days if start is None or day >= start]
    if not days:
        raise ConfigurationError(f"{path.name} has no order on or after {start}.")
    first = start or min(days)
    last = max(days) if weeks is None else min(max(days), first + timedelta(days=7 * weeks - 1))
    return first, last


def survey(path: Path, start: date | None, weeks: int | None) -> Survey:
    """Read the file once; memory grows with its products and rejects, not with its lines."""
    first, last = window(path, start, weeks)
    found = Survey(first, last)
    rejects: list[Reject] = []
    for invoice in read_history(path, rejects):
        inside = first <= invoice.placed_at.date() <= last
        if inside:
            found.rejects += rejects
            found.invoices += 1
            found.lines += invoice.row_count
            found.countries.add(invoice.country)
            if invoice.customer:
                found.customers.add(invoice.customer)
            for row in invoice.rows:
                facts = found.skus.setdefault(row.sku, SkuFacts())
                facts.description = facts.description or row.description
                facts.price = max(facts.price, row.price)
                if not invoice.is_return:
                    facts.units += row.quantity
                    facts.lines += 1
                    facts.largest = max(facts.largest, row.quantity)
                    monday = invoice.placed_at.date() - timedelta(days=invoice.placed_at.weekday())
                    facts.weeks[monday] = facts.weeks.get(monday, 0) + row.quantity
        rejects.clear()
    return found
