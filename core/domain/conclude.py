"""The last step of a change of stock or supply: quantities, promise and expected date of every line it touched."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from core.domain.book import SkuBook
from core.domain.book_supplies import expected_of, refresh_expected
from core.domain.network import Network
from core.domain.promising import promise
from core.domain.records import Line
from core.domain.states import PromiseReason


def conclude(
    book: SkuBook,
    network: Network,
    lines: Iterable[Line],
    reason: PromiseReason,
    *,
    cause_id: int | None = None,
    evidence: dict[str, Any] | None = None,
    always: bool = False,
) -> list[Line]:
    """Settle each line once; promise anew where the promised day moves (or `always`); the lines without repeats."""
    done: dict[int, Line] = {}
    for line in lines:
        if id(line) in done:
            continue
        done[id(line)] = line
        previous = expected_of(book, line)
        book.settle(line, str(reason))
        promise(
            book,
            line,
            network,
            book.now,
            reason,
            cause_kind=str(reason),
            cause_id=cause_id,
            evidence=evidence,
            only_if_moved=not always,
        )
        refresh_expected(book, line, network, previous, str(reason))
    return list(done.values())
