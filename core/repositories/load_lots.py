"""Read the lots of the SKUs that track them into their books."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

import asyncpg

from core.domain.book import SkuBook
from core.domain.lots import Lots
from core.domain.network import Network
from core.domain.records import Lot
from core.domain.states import LotState
from core.ports import Transaction

SKU_COLUMNS = "id, code, tracks_lots, tracks_expiry, tracks_serials, min_life_days"
"""What `attach_lots` needs to know of a SKU."""


async def attach_lots(
    sql: asyncpg.Connection, books: Mapping[int, SkuBook], skus: Iterable[Any], network: Network, now: datetime
) -> None:
    """Give each book of a SKU that tracks lots its lots with units; `skus` are rows of `SKU_COLUMNS`.

    Costs nothing where no SKU tracks lots.
    """
    for row in skus:
        books[row["id"]].tracks_serials = row["tracks_serials"]
    tracking = [row for row in skus if row["tracks_lots"]]
    if not tracking:
        return
    keys = [row["id"] for row in tracking]
    for row in tracking:
        books[row["id"]].lots = Lots(row["code"], row["tracks_expiry"], row["min_life_days"], network, now)
    for row in await sql.fetch(
        f"""{_LOTS} where x.sku_id = any($1::bigint[]) and (x.on_hand > 0 or x.state = 'quarantined')
        order by x.sku_id, x.id""",
        keys,
    ):
        _add(books, row)
    customers: dict[int, dict[int, int]] = {key: {} for key in keys}
    channels: dict[int, dict[str, int]] = {key: {} for key in keys}
    for row in await sql.fetch(
        "select sku_id, channel, customer_id, days from minimum_life where sku_id = any($1::bigint[])", keys
    ):
        if row["customer_id"] is not None:
            customers[row["sku_id"]][row["customer_id"]] = row["days"]
        else:
            channels[row["sku_id"]][row["channel"]] = row["days"]
    for key in keys:
        lots = books[key].lots
        assert lots is not None
        lots.by_customer, lots.by_channel = customers[key], channels[key]


_LOTS = """select x.sku_id, x.id, x.location_id, x.code, x.expires_on, x.state, x.on_hand, x.unsellable, x.allocated
from lot x"""


async def attach_named_lots(uow: Transaction, book: SkuBook, codes: Collection[str]) -> None:
    """Add the lots with these codes that have no units now; call it under the gate before a lot is opened."""
    if book.lots is None or not codes:
        return
    known = {lot.id for lot in book.lots.rows}
    for row in await uow.sql.fetch(
        f"{_LOTS} where x.sku_id = $1 and x.code = any($2::text[]) order by x.id", book.sku_id, sorted(set(codes))
    ):
        if row["id"] not in known:
            _add({book.sku_id: book}, row)


def _add(books: Mapping[int, SkuBook], row: Any) -> None:
    lots = books[row["sku_id"]].lots
    assert lots is not None
    values = {name: value for name, value in dict(row).items() if name != "sku_id"}
    lot = Lot(**{**values, "state": LotState(row["state"])})
    lots.rows.append(lot)
    if lot.state == LotState.QUARANTINED:
        lots.blocked.add(lot.code)


async def lots_under_way(uow: Transaction, sku_id: int, transfer_id: int) -> dict[str, int]:
    """Units by lot code that have left on a transfer and have not arrived, as the ledger says, first expired first."""
    rows = await uow.sql.fetch(
        """select t.code, -sum(m.on_hand_delta)::int as units
        from stock_movement m join lot t on t.sku_id = m.sku_id and t.id = m.lot_id
        where m.sku_id = $1 and m.cause_kind = 'transfer' and m.cause_id = $2 and m.kind in ('transfer_out', 'transfer_in')
        group by t.code having sum(m.on_hand_delta) < 0 order by min(t.expires_on) nulls last, t.code""",
        sku_id,
        transfer_id,
    )
    return {row["code"]: row["units"] for row in rows}


async def lots_that_left(uow: Transaction, sku_id: int, line_id: int) -> dict[str, int]:
    """Units by lot code that a line has shipped and that have not come back, oldest shipment first."""
    rows = await uow.sql.fetch(
        """select t.code, -sum(m.on_hand_delta)::int as units from stock_movement m
        join lot t on t.sku_id = m.sku_id and t.id = m.lot_id
        where m.sku_id = $1 and m.order_line_id = $2 and m.kind in ('shipped', 'returned')
        group by t.code having sum(m.on_hand_delta) < 0 order by min(m.id)""",
        sku_id,
        line_id,
    )
    return {row["code"]: row["units"] for row in rows}


async def blocked_units(uow: Transaction, sku_id: int, lot_ids: Collection[int]) -> dict[int, int]:
    """Units by lot id that a recall has set aside and no release has given back."""
    rows = await uow.sql.fetch(
        """select lot_id, sum(unsellable_delta)::int as units from stock_movement
        where sku_id = $1 and lot_id = any($2::bigint[]) and cause_kind in ('lot_block', 'lot_release')
        group by lot_id""",
        sku_id,
        list(lot_ids),
    )
    return {row["lot_id"]: row["units"] for row in rows}


async def skus_with_expired_lots(uow: Transaction) -> list[int]:
    """SKUs of which units can still be sold although their lot's last day is over at its location."""
    rows = await uow.sql.fetch(
        """select distinct x.sku_id from lot x join location l on l.id = x.location_id
        where x.on_hand > x.unsellable and x.expires_on < ($1::timestamptz at time zone l.time_zone)::date
        order by x.sku_id""",
        uow.now,
    )
    return [row["sku_id"] for row in rows]
