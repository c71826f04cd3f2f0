"""Turn what happened in the books into events for the outbox."""

from __future__ import annotations

from datetime import date
from typing import Any, Protocol

from core.domain.book import SkuBook
from core.domain.records import Backorder, BackorderFact, Line, LineFact
from core.events import Event
from core.ports import Transaction


class Order(Protocol):
    """The facts of an order that its events carry."""

    @property
    def id(self) -> int: ...
    @property
    def number(self) -> str: ...
    @property
    def channel(self) -> str: ...
    @property
    def customer_id(self) -> int | None: ...
    @property
    def status(self) -> str: ...
    @property
    def version(self) -> int: ...


REARRANGED = "REARRANGED"
"""Reason of a change of which nothing else is told: other claims, another rank, units off a planned shipment."""


def announce_changes(uow: Transaction, books: list[SkuBook], orders: dict[int, Any]) -> None:
    """One availability fact per SKU whose curve changed, then backorder facts, then line facts.

    Every version that has risen is told: by these facts, by what the service announces, or as REARRANGED.
    """
    for book in books:
        if book.curve_changed:
            uow.announce(availability_event(book.sku_id, book.sku, book.version))
        for fact in book.backorder_facts:
            order = orders[fact.backorder.line.order_id]
            uow.announce(_backorder_event(book, fact, order))
            if fact.kind == "OPENED":
                line = fact.backorder.line
                uow.announce(
                    order_event(
                        order,
                        "BACKORDER_OPENED",
                        line_number=line.line_number,
                        line_id=line.id,
                        sku_id=book.sku_id,
                        quantity=fact.quantity,
                        promised=line.promised,
                        reason=str(fact.backorder.cause),
                    )
                )
        for fact in book.line_facts:
            uow.announce(_line_event(book, fact, orders[fact.line.order_id]))
        _announce_versions(uow, book, orders)


def _announce_versions(uow: Transaction, book: SkuBook, orders: dict[int, Any]) -> None:
    for line in [*book.lines.values(), *book.new_lines]:
        if (line.is_changed or line.is_new) and orders[line.order_id].version > 1:
            uow.announce_version(_rearranged(book, line, orders[line.order_id]))
    moved = {id(fact.line): fact for fact in book.line_facts if fact.kind == "PROMISE_MOVED"}
    for backorder in book.backorders:
        if backorder.is_changed and not backorder.is_new:
            fact = _quiet_fact(backorder, moved.get(id(backorder.line)))
            uow.announce_version(_backorder_event(book, fact, orders[backorder.line.order_id]))


def announce_order(uow: Transaction, order: Order) -> None:
    """Tell the version of an order of which something but no line has changed, unless something else tells it."""
    uow.announce_version(order_event(order, "LINE_CHANGED", reason=REARRANGED))


def _rearranged(book: SkuBook, line: Line, order: Order) -> Event:
    return order_event(
        order, "LINE_CHANGED", line_number=line.line_number, line_id=line.id, sku_id=book.sku_id, reason=REARRANGED
    )


def _quiet_fact(backorder: Backorder, moved: LineFact | None) -> BackorderFact:
    """What is said of a backorder whose state stays: its day has moved with the promise, or something else changed."""
    return BackorderFact(
        backorder,
        "STATE_CHANGED" if moved is None else "EXPECTED_MOVED",
        backorder.state,
        backorder.state,
        backorder.quantity,
        REARRANGED if moved is None or moved.reason is None else moved.reason,
        previous_expected=None if moved is None else moved.previous_promised,
    )


def availability_event(sku_id: int, sku: str, version: int) -> Event:
    """What is there of a SKU, or when it would arrive, may be another now."""
    facts = {"sku": sku, "version": version}
    return Event("availability", "CHANGED", facts, key=f"sku:{sku_id}", sku_id=sku_id)


def order_event(
    order: Order,
    kind: str,
    *,
    line_number: int | None = None,
    line_id: int | None = None,
    sku_id: int | None = None,
    quantity: int | None = None,
    promised: date | None = None,
    previous_promised: date | None = None,
    reason: str | None = None,
) -> Event:
    """A fact about an order or one of its lines, as its watchers get it."""
    return Event(
        "order",
        kind,
        {
            "orderId": order.id,
            "orderNumber": order.number,
            "lineNumber": line_number,
            "lineId": line_id,
            "status": order.status,
            "version": order.version,
            "quantity": quantity,
            "promised": promised.isoformat() if promised else None,
            "previousPromised": previous_promised.isoformat() if previous_promised else None,
            "reason": reason,
        },
        key=f"order:{order.id}",
        sku_id=sku_id,
        order_id=order.id,
        customer_id=order.customer_id,
        channel=order.channel,
    )


def _line_event(book: SkuBook, fact: LineFact, order: Order) -> Event:
    return order_event(
        order,
        fact.kind,
        line_number=fact.line.line_number,
        line_id=fact.line.id,
        sku_id=book.sku_id,
        quantity=fact.quantity,
        promised=fact.promised,
        previous_promised=fact.previous_promised,
        reason=fact.reason,
    )


def _backorder_event(book: SkuBook, fact: BackorderFact, order: Order) -> Event:
    backorder, line = fact.backorder, fact.backorder.line
    return Event(
        "backorder",
        fact.kind,
        {
            "backorderId": backorder.id,
            "skuId": book.sku_id,
            "sku": book.sku,
            "orderId": order.id,
            "orderNumber": order.number,
            "lineNumber": line.line_number,
            "state": fact.to_state,
            "quantity": fact.quantity,
            "expected": backorder.expected_date.isoformat() if backorder.expected_date else None,
            "previousExpected": fact.previous_expected.isoformat() if fact.previous_expected else None,
            "reason": fact.cause,
            "version": backorder.version,
        },
        key=f"backorder:{backorder.id}",
        sku_id=book.sku_id,
        order_id=order.id,
        customer_id=order.customer_id,
        channel=order.channel,
    )
