"""Rows of orders: found by number, locked after the gates, brought up to date."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

import asyncpg

from core.domain.access import Role
from core.domain.records import Line
from core.errors import NotFound
from core.ports import Transaction
from core.repositories.announce_changes import announce_order
from core.repositories.save_book import OrderFacts


@dataclass(frozen=True, slots=True)
class OrderRow:
    """An order under its row lock, with what its channel says about where it may ship from."""

    id: int
    number: str
    channel: str
    customer_id: int | None
    status: str
    version: int
    ship_complete: bool
    destination_id: int | None
    allowed_locations: list[int] | None


async def find_orders(uow: Transaction, numbers: Collection[str]) -> dict[str, int]:
    """Order ids by number. Raises NotFound for the first that does not exist or is not this customer's."""
    rows = await uow.sql.fetch(
        """select id, number from sales_order where number = any($1::text[])
        and ($2::bigint is null or customer_id = $2)""",
        sorted(set(numbers)),
        _own_customer(uow),
    )
    found = {row["number"]: row["id"] for row in rows}
    for number in numbers:
        if number not in found:
            raise NotFound("order", number, path=("input", "number"))
    return found


def _own_customer(uow: Transaction) -> int | None:
    return (uow.principal.customer_id or 0) if uow.principal.role == Role.CUSTOMER else None


async def lines_of_orders(uow: Transaction, order_ids: Iterable[int], *, unplanned: bool = False) -> list[Any]:
    """(order_id, sku_id, id, line_number) of the lines of these orders, by order and line number.

    `unplanned`: only those with stock that is on no shipment yet or that stand on one although they have to leave whole
    and wait again, and all of an order that ships complete or of a kit that does.
    """
    return await uow.sql.fetch(
        """select l.order_id, l.sku_id, l.id, l.line_number from order_line l join sales_order o on o.id = l.order_id
        where l.order_id = any($1::bigint[]) and (not $2 or l.allocated > l.ready or o.ship_complete
            or (l.ready > 0 and l.open + l.backordered > 0 and l.ship_policy = 'COMPLETE')
            or (l.kit_sku_id is not null and l.kit_ships_together))
        order by l.order_id, l.line_number""",
        sorted(set(order_ids)),
        unplanned,
    )


async def kept_orders(uow: Transaction, status: str, after: int, limit: int) -> list[tuple[int, bool]]:
    """The next `limit` orders of this status by id: (id, may a rule alone keep a part of it from the warehouse).

    That is stock on no shipment, of an order that is not on hold, where nothing that has to leave with it waits.
    """
    rows = await uow.sql.fetch(
        """select o.id, exists (select from order_line l where l.order_id = o.id and l.allocated > l.ready
                and not (l.ship_policy = 'COMPLETE' and l.open + l.backordered > 0))
            and not exists (select from order_hold h where h.order_id = o.id and h.released_at is null)
            and not (o.ship_complete and exists (
                select from order_line l where l.order_id = o.id and l.open + l.backordered > 0)) as is_kept
        from sales_order o where o.status = $1 and o.id > $2 order by o.id limit $3""",
        status,
        after,
        limit,
    )
    return [(row["id"], row["is_kept"]) for row in rows]


async def lock_orders(uow: Transaction, order_ids: Iterable[int]) -> dict[int, OrderRow]:
    """Lock order rows, sorted by id; call it after the gates. Unknown ids are absent."""
    rows = await uow.sql.fetch(
        """select o.id, o.number, o.channel, o.customer_id, o.status, o.version, o.ship_complete, o.destination_id,
            c.location_ids
        from sales_order o join channel c on c.code = o.channel where o.id = any($1::bigint[])
        order by o.id for no key update of o""",
        sorted(set(order_ids)),
    )
    return {
        r["id"]: OrderRow(
            r["id"],
            r["number"],
            r["channel"],
            r["customer_id"],
            r["status"],
            r["version"],
            r["ship_complete"],
            r["destination_id"],
            r["location_ids"],
        )
        for r in rows
    }


def again_with_more_gates() -> Exception:
    """Raised when an order has gained a line of a SKU whose gate is not held: the whole use case runs again."""
    return asyncpg.SerializationError("an order has gained a SKU while its gates were taken")


async def touch_orders(uow: Transaction, order_ids: Iterable[int]) -> dict[int, OrderFacts]:
    """Raise the version of orders of which something but no line has changed."""
    rows = await uow.sql.fetch(
        """update sales_order set version = version + 1, updated_at = $2 where id = any($1::bigint[])
        returning id, number, channel, customer_id, status, version""",
        sorted(set(order_ids)),
        uow.now,
    )
    facts = {
        r["id"]: OrderFacts(r["id"], r["number"], r["channel"], r["customer_id"], r["status"], r["version"])
        for r in rows
    }
    for order in facts.values():
        announce_order(uow, order)
    return facts


async def find_backorder_order(
    uow: Transaction, sku_id: int, backorder_id: int, path: tuple[str, ...] = ("input", "id")
) -> tuple[int, str]:
    """Order id and state of a backorder. Raises NotFound when it does not exist or is not this customer's."""
    row = await uow.sql.fetchrow(
        """select l.order_id, b.state from backorder b join order_line l on l.sku_id = b.sku_id and l.id = b.order_line_id
        where b.sku_id = $1 and b.id = $2 and ($3::bigint is null or b.customer_id = $3)""",
        sku_id,
        backorder_id,
        _own_customer(uow),
    )
    if row is None:
        raise NotFound("backorder", str(backorder_id), path=path)
    return row["order_id"], row["state"]


async def find_return(uow: Transaction, number: str) -> tuple[int, int] | None:
    """Id and order id of a return document that is there already."""
    row = await uow.sql.fetchrow("select id, order_id from order_return where number = $1", number)
    return None if row is None else (row["id"], row["order_id"])


async def returned_quantity(uow: Transaction, sku_id: int, line_id: int) -> int:
    """Units of a line that have come back so far."""
    return await uow.sql.fetchval(
        "select coalesce(sum(quantity), 0)::int from order_return where sku_id = $1 and order_line_id = $2",
        sku_id,
        line_id,
    )


async def insert_return(
    uow: Transaction,
    return_id: int,
    number: str,
    line: Line,
    sku_id: int,
    location_id: int,
    quantity: int,
    reason: str,
    condition: str,
    replacement: tuple[int, int] | None = None,
) -> None:
    """Keep a return; `replacement`: SKU id and id of the line that is sent instead."""
    await uow.sql.execute(
        """insert into order_return (id, number, order_id, order_line_id, sku_id, location_id, quantity, reason,
            condition, received_at, created_at, updated_at, replacement_sku_id, replacement_line_id)
            overriding system value
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $10, $11, $12)""",
        return_id,
        number,
        line.order_id,
        line.id,
        sku_id,
        location_id,
        quantity,
        reason,
        condition,
        uow.now,
        *(replacement or (None, None)),
    )


async def replacement_of(uow: Transaction, return_id: int) -> tuple[int, int] | None:
    """SKU id and line id of what was sent for a return; None when nothing was."""
    row = await uow.sql.fetchrow(
        "select replacement_sku_id, replacement_line_id from order_return where id = $1", return_id
    )
    found = None if row is None else (row["replacement_sku_id"], row["replacement_line_id"])
    return None if found is None or found[1] is None else found
