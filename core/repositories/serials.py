"""Serialised units: known once per SKU, where each is now, and every step of its life."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.domain.records import Lot
from core.errors import InvalidInput
from core.ports import Transaction
from core.repositories.write_stock import draw_ids


@dataclass(frozen=True, slots=True)
class SerialChange:
    """One step: what happened (`SerialStep`) to a unit, where it is then, and for which line it left."""

    sku_id: int
    code: str
    kind: str
    location_id: int | None
    lot: Lot | None = None
    is_sellable: bool = True
    order_line_id: int | None = None
    shipment_id: int | None = None
    from_location_id: int | None = None
    """Where the unit must have been; None: anywhere."""

    @property
    def state(self) -> str:
        if self.kind in ("shipped", "scrapped"):
            return self.kind
        return "in_stock" if self.is_sellable else "quarantined"


_HERE = ("in_stock", "quarantined")
_FROM: dict[str, tuple[str, ...]] = {
    "moved": _HERE,
    "quarantined": _HERE,
    "unquarantined": _HERE,
    "scrapped": _HERE,
    "shipped": ("in_stock",),
    "returned": ("shipped",),
}
"""States from which a step is possible; `received` is for numbers that are new, or that were scrapped or lost."""


async def take_serials(
    uow: Transaction, changes: Sequence[SerialChange], cause_kind: str, cause_id: int | None = None
) -> None:
    """Write the steps under the gates of their SKUs; lots must have their ids (save the books first).

    Raises InvalidInput for a number that is new where it must be known, known where it must be new, in another state
    or place, or of another line than the one it comes back from.
    """
    if not changes:
        return
    rows = await uow.sql.fetch(
        """select s.* from serial_unit s join unnest($1::bigint[], $2::text[]) as u(sku_id, code)
        on s.sku_id = u.sku_id and s.code = u.code""",
        [change.sku_id for change in changes],
        [change.code for change in changes],
    )
    known = {(row["sku_id"], row["code"]): row for row in rows}
    seen: set[tuple[int, str]] = set()
    for change in changes:
        if (change.sku_id, change.code) in seen:
            raise InvalidInput(
                f"The serial number {change.code!r} stands twice.", path=("input", "serials"), value=change.code
            )
        seen.add((change.sku_id, change.code))
    for change in changes:
        _check(change, known.get((change.sku_id, change.code)))
    new = [change for change in changes if (change.sku_id, change.code) not in known]
    ids = {
        (change.sku_id, change.code): i
        for change, i in zip(new, await draw_ids(uow, "serial_unit", len(new)), strict=True)
    }
    ids |= {key: row["id"] for key, row in known.items()}
    await uow.sql.execute(
        """insert into serial_unit (sku_id, id, code, location_id, lot_id, state, order_line_id, shipment_id, created_at,
            updated_at) overriding system value
        select u.*, $9, $9 from unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::bigint[], $6::text[],
            $7::bigint[], $8::bigint[]) as u
        on conflict (sku_id, code) do update set location_id = excluded.location_id, lot_id = excluded.lot_id,
            state = excluded.state, order_line_id = excluded.order_line_id, shipment_id = excluded.shipment_id,
            updated_at = excluded.updated_at""",
        [change.sku_id for change in changes],
        [ids[change.sku_id, change.code] for change in changes],
        [change.code for change in changes],
        [change.location_id for change in changes],
        [_lot_id(change, known) for change in changes],
        [change.state for change in changes],
        [change.order_line_id for change in changes],
        [change.shipment_id for change in changes],
        uow.now,
    )
    await uow.sql.execute(
        """insert into serial_movement (sku_id, serial_unit_id, kind, location_id, lot_id, order_line_id, shipment_id,
            cause_kind, cause_id, actor, occurred_at)
        select u.*, $8, $9, $10, $11 from unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::bigint[],
            $6::bigint[], $7::bigint[]) as u""",
        [change.sku_id for change in changes],
        [ids[change.sku_id, change.code] for change in changes],
        [change.kind for change in changes],
        [change.location_id for change in changes],
        [_lot_id(change, known) for change in changes],
        [change.order_line_id for change in changes],
        [change.shipment_id for change in changes],
        cause_kind,
        cause_id,
        uow.principal.id,
        uow.now,
    )


def _lot_id(change: SerialChange, known: dict[tuple[int, str], Any]) -> int | None:
    if change.lot is not None:
        return change.lot.id
    row = known.get((change.sku_id, change.code))
    return row["lot_id"] if row is not None else None


def _check(change: SerialChange, row: Any) -> None:
    path = ("input", "serials")
    if change.kind == "received":
        if row is not None and row["state"] != "scrapped":
            raise InvalidInput(
                f"The serial number {change.code!r} is known already: it is {row['state']}.",
                path=path,
                value=change.code,
            )
        return
    if row is None:
        raise InvalidInput(f"There is no unit with serial number {change.code!r}.", path=path, value=change.code)
    if row["state"] not in _FROM[change.kind]:
        raise InvalidInput(
            f"The unit with serial number {change.code!r} is {row['state']}.", path=path, value=change.code
        )
    if change.from_location_id is not None and row["location_id"] != change.from_location_id:
        raise InvalidInput(f"The unit with serial number {change.code!r} is not here.", path=path, value=change.code)
    if change.kind == "shipped" and change.lot is not None and row["lot_id"] != change.lot.id:
        raise InvalidInput(
            f"The unit with serial number {change.code!r} is not of lot {change.lot.code!r}.",
            path=path,
            value=change.code,
        )
    if change.kind == "returned" and row["order_line_id"] != change.order_line_id:
        raise InvalidInput(
            f"The unit with serial number {change.code!r} did not leave on this line.", path=path, value=change.code
        )
