"""What a supplier should do next about a purchase order, read from its lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_LIVE = ("SENT", "ACKNOWLEDGED", "PARTIALLY_RECEIVED")


def asks_of(status: str, lines: Sequence[tuple[Mapping[str, Any], Mapping[str, Any] | None]]) -> list[dict[str, Any]]:
    """The asks of a purchase order, by line: unanswered units, units without a date, units due, and late ones.

    Each line comes with what `waiting_by_line_keys` knows of the orders that rely on it.
    """
    asks: list[dict[str, Any]] = []
    if str(status) not in _LIVE:
        return asks

    def ask(kind: str, line: Mapping[str, Any], quantity: int, due_date: Any) -> None:
        if quantity > 0:
            asks.append({"kind": kind, "line_number": line["line_number"], "quantity": quantity, "due_date": due_date})

    for line, waiting in lines:
        ask("ACKNOWLEDGE", line, line["unanswered"], None)
        ask("CONFIRM_DATE", line, line["held"], line["requested_date"])
        ask("SHIP", line, line["confirmed"], line["promised_date"] or line["requested_date"])
        if waiting is not None:
            ask("EXPEDITE", line, waiting["late_quantity"], waiting["late_need_date"])
    return asks
