"""The identities of the data model as SQL: each query lists the rows for which one of them does not hold.

An answer without rows means that the identity holds. Each query is one statement, hence one snapshot, over a range of
SKUs, orders, purchase orders or runs, so that a big database is recounted in small steps that hold up nobody.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from core.queries.identities_demand import DEMAND
from core.queries.identities_promise import PROMISE
from core.queries.identities_stock import STOCK
from core.queries.identities_supply import SUPPLY
from core.queries.identities_told import ORDERS_TOLD, PURCHASES_TOLD, TOLD

_KEYED_BY_ID = ("sku", "sales_order", "purchase_order", "repromising_run")
_ORDERS: dict[str, str] = {
    "order_key_is_used_once": """
        select o.channel, o.external_number, min(o.id) as order_id, count(*) as orders
        from [sales_order] o join sales_order x on x.channel = o.channel and x.external_number = o.external_number
        group by o.channel, o.external_number, o.id having count(*) > 1""",
    "order_shows_its_least_advanced_line": """
        select o.id as order_id, o.number, o.status, s.status as should_be
        from [sales_order] o cross join lateral (
            select coalesce((array['RECEIVED', 'VALIDATED', 'ALLOCATED', 'SHIPMENT_RESERVED', 'SHIPPED', 'DELIVERED'])[
                min(case l.status when 'RECEIVED' then 1 when 'VALIDATED' then 2 when 'BACKORDERED' then 2
                    when 'ALLOCATED' then 3 when 'READY_TO_SHIP' then 4 when 'SHIPPED' then 5 when 'DELIVERED' then 6
                end)], 'CANCELLED') as status
            from order_line l where l.order_id = o.id having count(*) > 0
        ) s where o.status <> s.status""",
    "shipment_is_of_its_order": """
        select o.id as order_id, h.id as shipment_id, h.order_id as shipment_order_id, h.status, h.shipped_at, h.delivered_at,
            i.id as shipment_line_id
        from [sales_order] o join order_line l on l.order_id = o.id
        join shipment_line i on i.sku_id = l.sku_id and i.order_line_id = l.id join shipment h on h.id = i.shipment_id
        where h.order_id <> o.id or h.customer_id is distinct from o.customer_id
            or (h.status in ('SHIPPED', 'DELIVERED')) <> (h.shipped_at is not null)
            or (h.status = 'DELIVERED') <> (h.delivered_at is not null)""",
    "line_is_of_its_customer": """
        select o.id as order_id, l.id as order_line_id, o.customer_id, l.customer_id as customer_of_line
        from [sales_order] o join order_line l on l.order_id = o.id where l.customer_id is distinct from o.customer_id""",
    # An order of which a line was substituted is left out: its new line stands for a component.
    "kit_lines_keep_their_ratio": """
        select l.order_id, l.kit_line_number, array_agg(l.id order by l.line_number) as order_line_ids,
            array_agg((l.ordered - l.cancelled)::numeric / l.kit_quantity order by l.line_number) as kits
        from [sales_order] o join order_line l on l.order_id = o.id and l.kit_sku_id is not null
        where not exists (select from order_line s where s.order_id = o.id and s.substituted_for_line_id is not null)
        group by l.order_id, l.kit_line_number
        having min((l.ordered - l.cancelled)::numeric / l.kit_quantity)
            <> max((l.ordered - l.cancelled)::numeric / l.kit_quantity)
            or bool_or((l.ordered - l.cancelled) % l.kit_quantity <> 0)""",
}
_PURCHASES: dict[str, str] = {
    # Before it is sent a person or a rule says what it is.
    "purchase_order_shows_its_lines": """
        select o.id as purchase_order_id, o.number, o.status, l.ordered, l.received, l.open
        from [purchase_order] o cross join lateral (
            select sum(x.ordered) as ordered, sum(x.received) as received, sum(x.unanswered + x.accepted
                + x.supplier_backordered + x.held + x.in_transit) as open
            from purchase_order_line x where x.purchase_order_id = o.id having count(*) > 0
        ) l where case when l.open > 0 and o.status in ('DRAFT', 'AWAITING_APPROVAL', 'APPROVED') then false
            when l.open > 0 and l.received = 0 then o.status not in ('SENT', 'ACKNOWLEDGED')
            else o.status <> case when l.open > 0 then 'PARTIALLY_RECEIVED' when l.received = 0 then 'CANCELLED'
                when l.received = l.ordered then 'RECEIVED' else 'CLOSED' end end""",
}
_RUNS: dict[str, str] = {
    # While nothing of it is carried out a run has what it proposed; afterwards it has counted what became of it.
    "run_says_what_it_proposes": """
        select r.id as run_id, r.state, (r.summary ->> 'gained')::int as gained, d.gained as proposed_gained,
            (r.summary ->> 'lost')::int as lost, d.lost as proposed_lost
        from [repromising_run] r cross join lateral (
            select count(*) filter (where x.effect = 'GAINED') as gained, count(*) filter (where x.effect = 'LOST') as lost
            from repromising_diff x where x.run_id = r.id and x.state = 'proposed') d
        where r.state in ('proposed', 'approved') and ((r.summary ->> 'gained')::int, (r.summary ->> 'lost')::int)
            is distinct from (d.gained::int, d.lost::int)""",
    "run_says_what_it_published": """
        select r.id as run_id, r.state, (r.summary -> 'published')::text as published, d.states::text as counted
        from [repromising_run] r cross join lateral (
            select coalesce(jsonb_object_agg(y.state, y.n), '{}') as states from (select x.state, count(*) as n
                from repromising_diff x where x.run_id = r.id group by x.state) y) d
        where r.state = 'published' and r.summary -> 'published' is distinct from d.states""",
}


@dataclass(frozen=True, slots=True)
class Identity:
    """`sql` takes the first and the last id of a range as $1 and $2, and the present instant as $3 when `dated`."""

    sql: str
    range: Literal["sku", "sales_order", "purchase_order", "repromising_run"]

    @property
    def dated(self) -> bool:
        return "$3" in self.sql


def _ranged(sql: str) -> str:
    """Each `[table]` as its rows of the range."""

    def rows(match: re.Match[str]) -> str:
        table = match.group(1)
        return f"(select * from {table} where {'id' if table in _KEYED_BY_ID else 'sku_id'} between $1 and $2)"

    return re.sub(r"\[([a-z_]+)\]", rows, sql)


CHECKS: dict[str, Identity] = {
    **{name: Identity(_ranged(sql), "sku") for name, sql in {**STOCK, **DEMAND, **SUPPLY, **PROMISE, **TOLD}.items()},
    **{name: Identity(_ranged(sql), "sales_order") for name, sql in {**_ORDERS, **ORDERS_TOLD}.items()},
    **{name: Identity(_ranged(sql), "purchase_order") for name, sql in {**_PURCHASES, **PURCHASES_TOLD}.items()},
    **{name: Identity(_ranged(sql), "repromising_run") for name, sql in _RUNS.items()},
}
"""By name; docs/auditor.md says what each proves."""
