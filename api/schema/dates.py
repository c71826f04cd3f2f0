"""From rows to promises, pegs and date estimates: the shapes that several types share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from enum import Enum
from typing import Any

from api.schema.node import Row
from api.schema.promise import DateEstimate, Peg, Promise, PromiseRecord, PromiseSlice, SupplySource
from core.domain.date_parts import DatePart

MIN_OBSERVATIONS = 20
"""Below this many past arrivals no quantile is shown."""


def _day(value: Any) -> date | None:
    return date.fromisoformat(value) if isinstance(value, str) else value


def estimate(
    expected: Any, timezone: str, basis: str, *, promised: Any = None, parts: Sequence[DatePart] = ()
) -> DateEstimate:
    """A date estimate; its quantiles are read when they are asked for, from what was measured of its parts."""
    day = _day(expected)
    assert day is not None
    return DateEstimate(day=day, parts=tuple(parts), promised=_day(promised), timezone=timezone, basis=basis)  # type: ignore[arg-type]


def source_of(sku_id: int, kind: str, row: Mapping[str, Any]) -> SupplySource:
    """The source of a peg or slice from the ids of its supply."""
    line, transfer = row.get("purchase_order_line_id"), row.get("transfer_id")
    return SupplySource(
        kind=kind,  # type: ignore[arg-type]
        location_id=row["location"],
        purchase_order_line_key=None if line is None else (sku_id, line),
        ship_notice_id=row.get("ship_notice_id"),
        transfer_key=None if transfer is None else (sku_id, transfer),
        told_supply=None if row.get("supply") is None else (sku_id, row["supply"]),
    )


def slice_of(sku_id: int, part: Mapping[str, Any]) -> PromiseSlice:
    """A slice as the promise ledger keeps it: {location, quantity, source, basis, shipDate, deliveryDate, ...}."""
    zone, delivery_zone = part.get("timezone") or "UTC", part.get("delivery_timezone") or part.get("timezone") or "UTC"
    basis, delivery = part.get("basis") or _basis(part["source"]), part.get("deliveryDate")
    ship = _day(part["shipDate"])
    assert ship is not None
    supply = part.get("supply")
    leaves = DatePart(ship, part["location"], None if supply is None else (sku_id, supply))
    arrives = replace(leaves, carried=(_day(delivery) or ship) - ship, destination_id=part.get("destination"))
    return PromiseSlice(
        quantity=part["quantity"],
        source=source_of(sku_id, part["source"], part),
        ship_date=estimate(ship, zone, basis, promised=ship, parts=[leaves]),
        delivery_date=None
        if delivery is None
        else estimate(delivery, delivery_zone, basis, promised=delivery, parts=[arrives]),
    )


def _basis(source: str) -> str:
    known = {"ON_HAND", "TRANSFER", "SHIP_NOTICE", "LEAD_TIME"}
    return source if source in known else "CONFIRMED_ORDER"


_DOUBT = {basis: n for n, basis in enumerate(("ON_HAND", "SHIP_NOTICE", "TRANSFER"))} | {"LEAD_TIME": 9}
"""Of parts that come on one day the least sure one gives the basis; what is not named lies between."""


def _last(dates: Sequence[DateEstimate | None]) -> DateEstimate | None:
    """When all of it has come: the day of the last and least sure part, on the distribution of the latest of all."""
    known = [day for day in dates if day is not None]
    if not known or len(known) < len(dates):
        return None
    last = max(known, key=lambda day: (day.day, _DOUBT.get(str(day.basis), len(_DOUBT))))
    return replace(last, parts=tuple(part for day in known for part in day.parts))


def promise_from(
    sku_id: int, quantity: int, complete: bool, parts: Sequence[Mapping[str, Any]], limits: Any = None
) -> Promise:
    """A promise of these slices; its dates are those of the last slice. `limits`: see `Promise.binding`."""
    slices = sorted((slice_of(sku_id, part) for part in parts), key=lambda s: s.ship_date.day)
    return Promise(
        quantity=quantity,
        complete=complete,
        slices=slices,
        ship_date=_last([s.ship_date for s in slices]),
        delivery_date=_last([s.delivery_date for s in slices]),
        sku_id=sku_id,
        limits=limits or _limits_of(slices),
    )


def _limits_of(slices: Sequence[PromiseSlice]) -> dict[str, Any] | None:
    """What limits a promise that kept no constraint, read from the source of its last slice."""
    if not slices:
        return None
    last = slices[-1]
    known = {"ON_HAND": "NONE", "TRANSFER": "TRANSFER", "LEAD_TIME": "LEAD_TIME"}
    kind = known.get(str(last.source.kind.value if isinstance(last.source.kind, Enum) else last.source.kind), "SUPPLY")
    return {"kind": kind, "date": last.ship_date.day.isoformat()}


def promise_of(rows: Sequence[Row]) -> Promise | None:
    """The newest promise of a line, from its promises oldest first; None before the first."""
    if not rows or not rows[-1]["slices"]:
        return None
    return _promise(rows[-1])


def _promise(row: Row) -> Promise:
    return promise_from(row["sku_id"], row["quantity"], row["complete"], row["slices"], row["binding"])


def record_of(row: Row, previous: Row | None) -> PromiseRecord:
    """One entry of a line's promise history."""
    return PromiseRecord(
        promised=row["promised"],
        basis=row["basis"],
        made_at=row["made_at"],
        reason=row["reason"],
        previous=None if previous is None else previous["promised"],
        sequence=row["sequence"],
        promise=_promise(row),
    )


def pegs_of(rows: Sequence[Row]) -> list[Peg]:
    """The pegs of a line, firmest and soonest first."""
    return [
        Peg(
            quantity=row["quantity"],
            firmness=row["firmness"],
            supply=source_of(row["sku_id"], row["source"], row),
            expected=estimate(row["expected_date"], row["timezone"], row["basis"], parts=_peg_parts(row)),
        )
        for row in rows
    ]


def _peg_parts(row: Row) -> list[DatePart]:
    """When the goods of a peg are there: nothing is to be waited for where they are on hand."""
    if row.get("supply_id") is None:
        return []
    return [DatePart(None, row["location"], (row["sku_id"], row["supply_id"]))]


def backorder_expected(row: Row, pegs: Sequence[Row] = ()) -> DateEstimate | None:
    """When a backorder should be covered, by the `pegs` of its line; the promised day stands beside it.

    While a part of it has no supply yet, nothing is known beyond the day.
    """
    if row["expected_date"] is None:
        return None
    waiting = [peg for peg in pegs if peg["firmness"] != "HARD"]
    parts = (
        [part for peg in waiting for part in _peg_parts(peg)] if all(peg.get("supply_id") for peg in waiting) else []
    )
    return estimate(row["expected_date"], row["timezone"], row["basis"], promised=row["promised_date"], parts=parts)
