"""What buying and dating need to know: policies, who supplies a SKU on which terms, and how late a supplier comes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from core.domain import edge_value
from core.domain.eta import FEWEST_OBSERVATIONS, quantile
from core.domain.late_pegs import MovePolicy
from core.domain.promising import DEFAULT_LEAD_TIME_DAYS
from core.ports import Transaction

RECENT_RECEIPTS = 60
"""Newest receipts of a supplier that count for how late it comes: what it did long ago says little, and reading it costs."""

RECENT_DOCUMENTS = 500
"""Newest orders and ship notices among whose receipts those are looked for, so that a long history costs nothing."""

NEWEST_RECEIPTS_OF_SUPPLIERS = """unnest($1::bigint[]) as x(supplier_id) cross join lateral (
            (select g.id, g.location_id, g.received_at
            from (select id from purchase_order o where o.supplier_id = x.supplier_id order by id desc limit $3) o
            join goods_receipt g on g.purchase_order_id = o.id order by g.id desc limit $2)
            union all
            (select g.id, g.location_id, g.received_at
            from (select id from ship_notice n where n.supplier_id = x.supplier_id order by id desc limit $3) n
            join goods_receipt g on g.ship_notice_id = n.id order by g.id desc limit $2)
            order by id desc limit $2) r
        join location p on p.id = r.location_id
        join goods_receipt_line l on l.goods_receipt_id = r.id"""
"""Of each supplier in $1 its $2 newest receipts (r, at location p) with their lines (l), among its $3 newest documents."""


async def load_policies(uow: Transaction) -> dict[str, Any]:
    """All business parameters by code."""
    return {row["code"]: row["value"] for row in await uow.sql.fetch("select code, value from policy")}


def move_policy(policies: dict[str, Any]) -> MovePolicy:
    """When customers' days move: `promise_hysteresis_days`, `promise_pull_in_days` (absent: never by itself), and
    `peg_value_margin`."""
    return MovePolicy(
        int(policies.get("promise_hysteresis_days", 2)),
        policies.get("promise_pull_in_days"),
        policies.get(edge_value.POLICY, edge_value.DEFAULT_MARGIN),
    )


@dataclass(frozen=True, slots=True)
class Terms:
    """The preferred offer for a SKU; `lead_time_p80` in calendar days, `price` in minor units."""

    supplier_id: int
    price: int
    currency: str
    moq: int
    order_multiple: int
    lead_time_p80: int
    supplier_location_id: int | None
    expedite_days: int | None = None
    expedite_fee: int = 0
    expedite_unit_fee: int = 0
    is_approved: bool = True
    agreed_p80: int | None = None
    """What was agreed before lead times followed what is observed; None: nothing has been observed yet."""

    @property
    def asked_days(self) -> int:
        """Days within which goods are asked for: never more than agreed, for who is asked later comes later."""
        return self.lead_time_p80 if self.agreed_p80 is None else min(self.agreed_p80, self.lead_time_p80)


async def load_terms(uow: Transaction, sku_ids: Iterable[int]) -> dict[int, Terms]:
    """The preferred supplier of each SKU (else the one with the shortest lead time); SKUs nobody supplies are absent."""
    rows = await uow.sql.fetch(
        """select distinct on (x.sku_id) x.*, s.location_id
        from supplier_sku x join supplier s on s.id = x.supplier_id where x.sku_id = any($1::bigint[]) and x.is_approved
        order by x.sku_id, x.is_preferred desc, x.lead_time_p80, x.supplier_id""",
        sorted(set(sku_ids)),
    )
    return {r["sku_id"]: _terms(r) for r in rows}


async def load_offers(uow: Transaction, supplier_id: int, sku_ids: Iterable[int]) -> dict[int, Terms]:
    """This supplier's own terms by SKU, barred ones too; SKUs it does not deliver are absent."""
    rows = await uow.sql.fetch(
        """select x.*, s.location_id from supplier_sku x join supplier s on s.id = x.supplier_id
        where x.supplier_id = $1 and x.sku_id = any($2::bigint[])""",
        supplier_id,
        sorted(set(sku_ids)),
    )
    return {r["sku_id"]: _terms(r) for r in rows}


def _terms(row: Any) -> Terms:
    return Terms(
        row["supplier_id"],
        row["price"],
        row["currency"],
        row["moq"],
        row["order_multiple"],
        row["lead_time_p80"],
        row["location_id"],
        row["expedite_days"],
        row["expedite_fee"],
        row["expedite_unit_fee"],
        row["is_approved"],
        row["agreed_lead_time_p80"],
    )


async def load_lead_days(uow: Transaction, sku_ids: Iterable[int]) -> dict[int, int]:
    """P80 in calendar days of ordering each SKU anew; the default where nobody supplies it."""
    terms = await load_terms(uow, sku_ids)
    return {s: terms[s].lead_time_p80 if s in terms else DEFAULT_LEAD_TIME_DAYS for s in sku_ids}


async def load_lateness(uow: Transaction, supplier_ids: Iterable[int]) -> dict[tuple[int, str], int]:
    """P80 of how many days after its paper date a supply came, by (supplier, date basis); absent below 20 receipts."""
    rows = await uow.sql.fetch(
        f"""select s.supplier_id, s.date_basis, ((r.received_at at time zone p.time_zone)::date - s.paper_date) as late
        from {NEWEST_RECEIPTS_OF_SUPPLIERS} join supply s on s.sku_id = l.sku_id and s.id = l.supply_id
        where s.paper_date is not null""",
        sorted(set(supplier_ids)),
        RECENT_RECEIPTS,
        RECENT_DOCUMENTS,
    )
    days: dict[tuple[int, str], list[int]] = defaultdict(list)
    for row in rows:
        days[row["supplier_id"], row["date_basis"]].append(row["late"])
    found = {key: quantile(values, 0.8) for key, values in days.items() if len(values) >= FEWEST_OBSERVATIONS}
    return {key: late for key, late in found.items() if late is not None}


async def held_orders(uow: Transaction, order_ids: Iterable[int]) -> set[int]:
    """Those of the orders that are on hold."""
    rows = await uow.sql.fetch(
        "select distinct order_id from order_hold where order_id = any($1::bigint[]) and released_at is null",
        sorted(set(order_ids)),
    )
    return {row["order_id"] for row in rows}


async def allowed_sources(uow: Transaction, order_ids: Iterable[int]) -> dict[int, list[int] | None]:
    """Locations from which each order's channel sells; None: all."""
    rows = await uow.sql.fetch(
        """select o.id, c.location_ids from sales_order o join channel c on c.code = o.channel
        where o.id = any($1::bigint[])""",
        sorted(set(order_ids)),
    )
    return {row["id"]: row["location_ids"] for row in rows}
