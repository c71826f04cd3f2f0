"""The identities of the data model as SQL: each query lists the rows for which one of them does not hold.

An answer without rows means that the identity holds. Each query is one statement, hence one snapshot, over a range of
SKUs or of orders, so that a big database is recounted in small steps that hold up nobody.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from core.queries.identities_demand import DEMAND
from core.queries.identities_promise import PROMISE
from core.queries.identities_stock import STOCK
from core.queries.identities_supply import SUPPLY

_KEYED_BY_ID = ("sku", "sales_order")
_ORDERS: dict[str, str] = {
    "order_has_its_event": """
        select o.id as order_id, o.number from [sales_order] o
        where o.placed_at > coalesce((select occurred_at from event order by position limit 1), 'infinity')
            and not exists (select from event e where e.order_id = o.id)
            and not exists (select from outbox b where b.order_id = o.id)""",
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


@dataclass(frozen=True, slots=True)
class Identity:
    """`sql` takes the first and the last id of a range as $1 and $2, and the present instant as $3 when `dated`."""

    sql: str
    range: Literal["sku", "sales_order"]

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
    **{name: Identity(_ranged(sql), "sku") for name, sql in {**STOCK, **DEMAND, **SUPPLY, **PROMISE}.items()},
    **{name: Identity(_ranged(sql), "sales_order") for name, sql in _ORDERS.items()},
}
"""By name; docs/auditor.md says what each proves."""
