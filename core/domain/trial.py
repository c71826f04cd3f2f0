"""A copy of a book to try something in: what operations change is copied, what they only read is shared."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import fields, is_dataclass, replace
from operator import attrgetter
from typing import Any, TypeVar

from core.domain.book import SkuBook
from core.domain.claims_by_owner import ClaimsByOwner
from core.domain.records import Backorder, Hold, Line, Lot, Peg, StockLevel, Supply, Transfer

T = TypeVar("T")

_RECORDS = (Backorder, Hold, Line, Lot, Peg, StockLevel, Supply, Transfer)
"""Records that an operation may change."""


def _copier(kind: type) -> Callable[[Any], Any]:
    read = attrgetter(*(field.name for field in fields(kind)))
    return lambda record: kind(*read(record))


_COPIERS: dict[type, Callable[[Any], Any]] = {kind: _copier(kind) for kind in _RECORDS}


class Trial:
    """The copy: `book`, and `of` finds the copy of a record of the original."""

    def __init__(self, original: SkuBook) -> None:
        self._copies: dict[int, Any] = {}
        self.book = book = _shallow(original)
        book.levels = {key: self.of(level) for key, level in original.levels.items()}
        book.lines = {key: self.of(line) for key, line in original.lines.items()}
        book.new_lines = self._all(original.new_lines)
        book.bumped = self._all(original.bumped)
        book.holds = self._all(original.holds)
        book.transfers = self._all(original.transfers)
        book.supplies = self._all(original.supplies)
        book.pegs = self._all(original.pegs)
        book.backorders = self._all(original.backorders)
        book.quota_uses = [replace(use, line=self.of(use.line)) for use in original.quota_uses]
        if original.lots is not None:
            book.lots = _shallow(original.lots)
            book.lots.rows = self._all(original.lots.rows)
        book._timelines, book._owners = {}, ClaimsByOwner()
        for supply in book.supplies:
            supply.transfer, supply.split_from = self.of(supply.transfer), self.of(supply.split_from)
        for peg in book.pegs:
            peg.line, peg.transfer = self.of(peg.line), self.of(peg.transfer)
            peg.supply, peg.lot = self.of(peg.supply), self.of(peg.lot)
        for backorder in book.backorders:
            backorder.line = self.of(backorder.line)

    def of(self, record: T) -> T:
        """The copy of a record; None for None."""
        if record is None:
            return record
        known = self._copies.get(id(record))
        if known is None:
            known = self._copies[id(record)] = _COPIERS[type(record)](record)
        return known

    def stands_for(self, record: T, copy: T) -> None:
        """From now on `copy` is the copy of a record: one that was taken away and put back is another."""
        self._copies[id(record)] = copy

    def _all(self, records: Iterable[T]) -> list[T]:
        return [self.of(record) for record in records]


def _shallow(value: T) -> T:
    """The same kind of record with containers of its own, two levels deep; what lies in them is shared."""
    assert is_dataclass(value)
    return type(value)(*(_container(getattr(value, field.name)) for field in fields(value)))


def _container(value: Any, depth: int = 2) -> Any:
    if depth and type(value) is dict:
        return {key: _container(item, depth - 1) for key, item in value.items()}
    if depth and type(value) is list:
        return [_container(item, depth - 1) for item in value]
    return set(value) if type(value) is set else value
