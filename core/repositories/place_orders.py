"""What placing a batch of orders reads before the gates and writes besides the books: set based."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from core.domain.book import SkuBook
from core.domain.kits import Kit
from core.domain.placing import OrderRequest, signature
from core.ports import Transaction


@dataclass(frozen=True, slots=True)
class Known:
    """Reference rows of a batch, by the codes the requests use."""

    channels: dict[str, Any]
    customers: dict[str, Any]
    skus: dict[str, Any]
    existing: dict[tuple[str, str], tuple[int, str]]
    reserved: dict[str, list[int]]
    policies: dict[str, Any]
    kits: dict[str, Kit]
    """Those of the SKUs that are kits; `skus` holds their components as well."""


async def lock_numbers(uow: Transaction, orders: list[OrderRequest]) -> None:
    """Serialise requests with the same (channel, external number), before anything else is locked."""
    names = [f"order:{o.channel}:{o.external_number}" for o in orders if o.external_number]
    if names:
        await uow.sql.execute(
            """select pg_advisory_xact_lock(k) from (select distinct hashtextextended(n, 0) as k
            from unnest($1::text[]) n order by k) s""",
            names,
        )


async def load_known(uow: Transaction, orders: list[OrderRequest]) -> Known:
    sql = uow.sql
    channels = {r["code"]: r for r in await sql.fetch("select * from channel")}
    codes = sorted({o.customer_code for o in orders if o.customer_code})
    customers = {
        r["code"]: r
        for r in (
            await sql.fetch("select id, code, tier from customer where code = any($1::text[])", codes) if codes else ()
        )
    }
    skus = {r["code"]: r for r in await sql.fetch(_SKUS, sorted({line.sku for o in orders for line in o.lines}))}
    kits = {code: Kit(row["id"], row["parts"]) for code, row in skus.items() if row["parts"]}
    components = sorted({part for kit in kits.values() for part in kit.parts} - skus.keys())
    if components:
        skus |= {r["code"]: r for r in await sql.fetch(_SKUS, components)}
    numbers = [(o.channel, o.external_number) for o in orders if o.external_number]
    existing = {
        (r["channel"], r["external_number"]): (r["id"], r["number"])
        for r in (
            await sql.fetch(
                """select o.id, o.number, o.channel, o.external_number from sales_order o
                join unnest($1::text[], $2::text[]) as u(channel, number)
                    on o.channel = u.channel and o.external_number = u.number""",
                [channel for channel, _ in numbers],
                [number for _, number in numbers],
            )
            if numbers
            else ()
        )
    }
    reserved: dict[str, list[int]] = defaultdict(list)
    groups = [o.group_id for o in orders if o.group_id]
    if groups:
        for r in await sql.fetch(
            "select group_id::text as group_id, sku_id from reservation where group_id = any($1::text[]::uuid[])",
            groups,
        ):
            reserved[r["group_id"]].append(r["sku_id"])
    policies = {r["code"]: r["value"] for r in await sql.fetch("select code, value from policy")}
    return Known(channels, customers, skus, existing, dict(reserved), policies, kits)


async def check_statuses(uow: Transaction, known: Known, books: Mapping[int, SkuBook]) -> None:
    """Raises an error that runs the use case again when a SKU was blocked, or released, before its gate was taken.

    `books` are those of the lines; of kits, whose own gates are not taken, the rows are read again.
    """
    now = {book.sku: book.status for book in books.values()}
    if known.kits:
        kits = await uow.sql.fetch("select code, status from sku where code = any($1::text[])", sorted(known.kits))
        now |= {row["code"]: row["status"] for row in kits}
    if any(known.skus[code]["status"] != status for code, status in now.items()):
        raise asyncpg.SerializationError("the status of a SKU has changed while its gate was taken")


_SKUS = """select k.id, k.code, k.status, k.currency, k.weight_g, k.unit_cost, k.unit_price,
    coalesce(s.lead_time_p80, 30) as lead_time,
    (select jsonb_object_agg(c.code, x.quantity) from kit_component x join sku c on c.id = x.component_sku_id
        where x.kit_sku_id = k.id) as parts
from sku k left join lateral (select lead_time_p80 from supplier_sku x where x.sku_id = k.id
    order by x.is_preferred desc, x.lead_time_p80, x.supplier_id limit 1) s on true
where k.code = any($1::text[])"""


async def recent_signatures(uow: Transaction, customer_ids: list[int], since: datetime) -> dict[int, set[frozenset]]:
    """What these customers have ordered since then, one signature per order."""
    if not customer_ids:
        return {}
    lines: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    for r in await uow.sql.fetch(
        """select o.customer_id, o.id, l.sku_id, l.ordered from sales_order o join order_line l on l.order_id = o.id
        where o.customer_id = any($1::bigint[]) and o.placed_at >= $2 and o.status <> 'CANCELLED'""",
        customer_ids,
        since,
    ):
        lines[r["customer_id"], r["id"]].append((r["sku_id"], r["ordered"]))
    found: dict[int, set[frozenset]] = defaultdict(set)
    for (customer_id, _), pairs in lines.items():
        found[customer_id].add(signature(pairs))
    return found


async def insert_orders(uow: Transaction, rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    await uow.sql.execute(
        """insert into sales_order (id, number, external_number, channel, customer_id, status, ship_to, ship_complete,
            payment_state, destination_id, currency, placed_at) overriding system value
        select * from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::jsonb[],
            $8::bool[], $9::text[], $10::bigint[], $11::text[], $12::timestamptz[])""",
        *[
            [row[name] for row in rows]
            for name in (
                "id",
                "number",
                "external_number",
                "channel",
                "customer_id",
                "status",
                "ship_to",
                "ship_complete",
                "payment_state",
                "destination_id",
                "currency",
                "placed_at",
            )
        ],
    )


async def insert_holds(uow: Transaction, rows: list[tuple[int, str, datetime | None, str]]) -> None:
    """(order id, reason, deadline, what happens then)."""
    if rows:
        await uow.sql.execute(
            """insert into order_hold (order_id, reason, placed_by, placed_at, release_deadline, on_deadline)
            select u.order_id, u.reason, $5, $6, u.deadline, u.action
            from unnest($1::bigint[], $2::text[], $3::timestamptz[], $4::text[]) as u(order_id, reason, deadline,
                action)""",
            [row[0] for row in rows],
            [row[1] for row in rows],
            [row[2] for row in rows],
            [row[3] for row in rows],
            uow.principal.id,
            uow.now,
        )
