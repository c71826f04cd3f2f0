"""From rows to promises, pegs and date estimates: the shapes that several types share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from enum import Enum
from typing import Any

from api.schema.node import Row
from api.schema.promise import DateEstimate, Peg, Promise, PromiseRecord, PromiseSlice, SupplySource

MIN_OBSERVATIONS = 20
"""Below this many past arrivals no quantile is shown."""


def _day(value: Any) -> date | None:
    return date.fromisoformat(value) if isinstance(value, str) else value


def estimate(
    expected: Any, timezone: str, basis: str, *, promised: Any = None, quantiles: Mapping[str, Any] | None = None
) -> DateEstimate:
    """A date estimate; quantiles are shown only when enough arrivals back them."""
    given = quantiles or {}
    observations = int(given.get("observations") or 0)
    shown = given if observations >= MIN_OBSERVATIONS else {}
    day = _day(shown.get("p80")) or _day(expected)
    assert day is not None
    return DateEstimate(
        promised=_day(promised),
        expected=day,
        p50=_day(shown.get("p50")),
        p80=_day(shown.get("p80")),
        p95=_day(shown.get("p95")),
        timezone=timezone,
        basis=basis,  # type: ignore[arg-type]
        coverage=given.get("coverage"),
        observations=observations,
    )


def source_of(sku_id: int, kind: str, row: Mapping[str, Any]) -> SupplySource:
    """The source of a peg or slice from the ids of its supply."""
    line, transfer = row.get("purchase_order_line_id"), row.get("transfer_id")
    return SupplySource(
        kind=kind,  # type: ignore[arg-type]
        location_id=row["location"],
        purchase_order_line_key=None if line is None else (sku_id, line),
        ship_notice_id=row.get("ship_notice_id"),
        transfer_key=None if transfer is None else (sku_id, transfer),
    )


def slice_of(sku_id: int, part: Mapping[str, Any]) -> PromiseSlice:
    """A slice as the promise ledger keeps it: {location, quantity, source, basis, shipDate, deliveryDate, ...}."""
    zone, delivery_zone = part.get("timezone") or "UTC", part.get("delivery_timezone") or part.get("timezone") or "UTC"
    basis, delivery = part.get("basis") or _basis(part["source"]), part.get("deliveryDate")
    return PromiseSlice(
        quantity=part["quantity"],
        source=source_of(sku_id, part["source"], part),
        ship_date=estimate(part["shipDate"], zone, basis, promised=part["shipDate"], quantiles=part),
        delivery_date=None if delivery is None else estimate(delivery, delivery_zone, basis, promised=delivery),
    )


def _basis(source: str) -> str:
    known = {"ON_HAND", "TRANSFER", "SHIP_NOTICE", "LEAD_TIME"}
    return source if source in known else "CONFIRMED_ORDER"


def _last(dates: Sequence[DateEstimate | None]) -> DateEstimate | None:
    known = [day for day in dates if day is not None]
    return max(known, key=lambda day: day.expected) if known and len(known) == len(dates) else None


def promise_from(
    sku_id: int, quantity: int, complete: bool, parts: Sequence[Mapping[str, Any]], limits: Any = None
) -> Promise:
    """A promise of these slices; its dates are those of the last slice. `limits`: see `Promise.binding`."""
    slices = sorted((slice_of(sku_id, part) for part in parts), key=lambda s: s.ship_date.expected)
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
    return {"kind": kind, "date": last.ship_date.expected.isoformat()}


def promise_of(rows: Sequence[Row]) -> Promise | None:
    """The newest promise of a line, from its promises oldest first; None before the first."""
    if not rows or not rows[-1]["slices"]:
        return None
    row = rows[-1]
    return promise_from(row["sku_id"], row["quantity"], row["complete"], row["slices"], row["binding"])


def record_of(row: Row, previous: Row | None) -> PromiseRecord:
    """One entry of a line's promise history."""
    return PromiseRecord(
        promised=row["promised"],
        basis=row["basis"],
        made_at=row["made_at"],
        reason=row["reason"],
        previous=None if previous is None else previous["promised"],
    )


def pegs_of(rows: Sequence[Row]) -> list[Peg]:
    """The pegs of a line, firmest and soonest first."""
    return [
        Peg(
            quantity=row["quantity"],
            firmness=row["firmness"],
            supply=source_of(row["sku_id"], row["source"], row),
            expected=estimate(row["expected_date"], row["timezone"], row["basis"]),
        )
        for row in rows
    ]


def backorder_expected(row: Row) -> DateEstimate | None:
    """When a backorder should be covered; the promised day stands beside it."""
    if row["expected_date"] is None:
        return None
    return estimate(row["expected_date"], row["timezone"], row["basis"], promised=row["promised_date"])
