"""What callers of the API tell of a shipment: that it left, that it arrived; never ahead of now, nor otherwise than it stands."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from core.domain.picking import PATH, Pick
from core.errors import InvalidInput
from core.ports import Transaction
from core.services.confirm_delivery import ConfirmDelivery, confirm_deliveries
from core.services.confirm_shipment import ConfirmShipment, confirm_shipments
from core.services.take_shipments import ShipmentChange

SKEW = timedelta(minutes=5)
"""As much may a caller's clock be ahead of ours."""
SAME = timedelta(seconds=1)
"""Instants closer than this are the same one, as clients round them."""


async def tell_shipped(uow: Transaction, request: ConfirmShipment) -> ShipmentChange:
    """Ship as `confirm_shipments` does; one that has left already stays as it is if nothing else is said of it.

    Raises InvalidInput too for an instant ahead of now, and for what contradicts how the shipment left.
    """
    _check_past("shippedAt", request.shipped_at, uow.now)
    (change,) = await confirm_shipments(uow, [request])
    if change.stood:
        row = await uow.sql.fetchrow(
            'select carrier, tracking_number as "trackingNumber", shipped_at from shipment where id = $1',
            change.shipment_id,
        )
        for field, said in (("carrier", request.carrier), ("trackingNumber", request.tracking_number)):
            if said is not None and said != row[field]:
                raise _stands(request.number, "left", field, said, row[field])
        _check_same(request.number, "left", "shippedAt", request.shipped_at, row["shipped_at"])
        if request.picks:
            await _check_picks(uow, change, request.picks)
    return change


async def tell_delivered(uow: Transaction, request: ConfirmDelivery) -> ShipmentChange:
    """Deliver as `confirm_deliveries` does; one that has arrived already stays as it is if no other instant is said.

    Raises InvalidInput too for an instant ahead of now or before the shipment left. Where a warehouse told of the
    leaving by its own message only the day of it counts: its messages need not say more.
    """
    _check_past("deliveredAt", request.delivered_at, uow.now)
    (change,) = await confirm_deliveries(uow, [request])
    if request.delivered_at is None:
        return change
    row = await uow.sql.fetchrow(
        """select s.shipped_at, s.delivered_at,
            case when s.advice is null then s.shipped_at else date_trunc('day', s.shipped_at, l.time_zone) end as least
        from shipment s join location l on l.id = s.location_id where s.id = $1""",
        change.shipment_id,
    )
    if change.stood:
        _check_same(request.shipment_number, "arrived", "deliveredAt", request.delivered_at, row["delivered_at"])
    elif request.delivered_at < row["least"]:
        raise InvalidInput(
            f"Shipment {request.shipment_number} left at {row['shipped_at'].isoformat()}: it cannot have arrived before."
            " Say a later instant, or none for now.",
            path=("input", "deliveredAt"),
            field="deliveredAt",
            value=request.delivered_at.isoformat(),
        )
    return change


def _check_past(field: str, at: datetime | None, now: datetime) -> None:
    if at is not None and at > now + SKEW:
        raise InvalidInput(
            f"{at.isoformat()} is still to come: it is {now.isoformat()}. Say when it was, or nothing for now.",
            path=("input", field),
            field=field,
            value=at.isoformat(),
        )


def _check_same(number: str, done: str, field: str, said: datetime | None, stands: datetime) -> None:
    if said is not None and abs(said - stands) >= SAME:
        raise _stands(number, done, field, said.isoformat(), stands.isoformat())


async def _check_picks(uow: Transaction, change: ShipmentChange, picks: Sequence[Pick]) -> None:
    """Each line that is named left in as many units, of the lots and with the serial numbers that are named."""
    left: dict[int, dict[str | None, int]] = defaultdict(dict)
    for row in await uow.sql.fetch(
        """select l.line_number, t.code as lot, sum(x.quantity)::int as quantity from shipment_line x
        join order_line l on l.sku_id = x.sku_id and l.id = x.order_line_id
        left join lot t on t.sku_id = x.sku_id and t.id = x.lot_id
        where x.shipment_id = $1 group by 1, 2 order by 1, 2""",
        change.shipment_id,
    ):
        left[row["line_number"]][row["lot"]] = row["quantity"]
    said: dict[int, dict[str | None, int]] = defaultdict(lambda: defaultdict(int))
    for pick in picks:
        said[pick.line_number][pick.lot] += pick.quantity
    for number, by_lot in said.items():
        stands: dict[Any, int] = left.get(number, {})
        if by_lot != (stands if any(by_lot) else {None: sum(stands.values())}):
            raise _stands(
                change.number, "left", "picks", _words(number, by_lot), [_words(n, x) for n, x in left.items()]
            )
    named = {(pick.line_number, code) for pick in picks for code in pick.serials}
    rows = await uow.sql.fetch(
        """select l.line_number, u.code from serial_unit u
        join serial_movement m on m.sku_id = u.sku_id and m.serial_unit_id = u.id
        join order_line l on l.sku_id = m.sku_id and l.id = m.order_line_id
        where u.sku_id in (select sku_id from shipment_line where shipment_id = $1) and u.code = any($2::text[])
            and m.shipment_id = $1 and m.kind = 'shipped'""",
        change.shipment_id,
        sorted(code for _, code in named),
    )
    if unknown := sorted(named - {(row["line_number"], row["code"]) for row in rows}):
        number, code = unknown[0]
        raise InvalidInput(
            f"Shipment {change.number} has left already, and {code!r} not with it on line {number}: this stands. Leave"
            " the picks out.",
            path=PATH,
            field="picks",
            value=code,
        )


def _words(number: int, by_lot: dict[str | None, int]) -> str:
    return f"line {number}: " + ", ".join(f"{n} of lot {lot!r}" if lot else str(n) for lot, n in by_lot.items())


def _stands(number: str, done: str, field: str, said: str, stands: Any) -> InvalidInput:
    return InvalidInput(
        f"Shipment {number} has {done} already, {field} {stands!r}: this stands, not {said!r}. Leave {field} out, or say"
        " the same.",
        path=("input", field),
        field=field,
        value=said,
    )
