"""Identities of what was said: each row against its last event, histories against theirs, options against their question.

Events are kept for a while only: what happened before the oldest of them is not judged by them.
"""

from __future__ import annotations

_KEPT = """coalesce((select case when position > 1 then occurred_at + interval '1 hour' end
                from event order by position limit 1), '-infinity')"""
"""From when on all events are there: facts of one moment may lie an hour of positions apart where old ones were dropped."""


def _last(topic: str, id: str) -> str:
    """The newest event of the row as a lateral table `t (payload)`: what waits in the outbox is younger than any event."""
    where = f"topic = '{topic}' and key = '{topic}:' || {id}"
    return f"""lateral (select x.payload from (
            (select 1 as step, payload from outbox where {where} order by id desc limit 1)
            union all (select 0, payload from event where {where} order by position desc limit 1)
        ) x order by x.step desc limit 1) t on true"""


TOLD: dict[str, str] = {
    "backorder_is_as_told": f"""
        select b.sku_id, b.id as backorder_id, b.version, t.payload ->> 'version' as told_version, b.state,
            t.payload ->> 'state' as told_state, b.quantity, t.payload ->> 'quantity' as told_quantity, b.expected_date,
            t.payload ->> 'expected' as told_expected
        from [backorder] b join {_last("backorder", "b.id")}
        where ((t.payload ->> 'version')::int, t.payload ->> 'state', (t.payload ->> 'quantity')::int,
                (t.payload ->> 'expected')::date)
            is distinct from (b.version, b.state, b.quantity, b.expected_date)""",
    "history_is_what_was_told": f"""
        select h.sku_id, h.backorder_id, h.id as backorder_event_id, h.sequence, h.to_state, h.quantity
        from [backorder_event] h where h.created_at > {_KEPT} and not exists (
            select from (select topic, key, occurred_at, payload from event
                union all select topic, key, occurred_at, payload from outbox) e
            where e.topic = 'backorder' and e.key = 'backorder:' || h.backorder_id and e.occurred_at = h.created_at
                and e.payload ->> 'state' = h.to_state and (e.payload ->> 'quantity')::int = h.quantity)""",
    "offered_has_one_open_choice": """
        select b.sku_id, b.id as backorder_id, b.state, count(o.id) as open_offers
        from [backorder] b left join [option_offer] o
            on o.sku_id = b.sku_id and o.backorder_id = b.id and o.state = 'OPEN'
        group by b.sku_id, b.id, b.state, b.held_from_state
        having count(o.id) <> case when b.state = 'OPTION_OFFERED'
            or b.state = 'ON_HOLD' and b.held_from_state = 'OPTION_OFFERED' then 1 else 0 end""",
    # A set is of the quantity that its backorder had when it was offered; what it has now is judged by the course.
    "offer_is_of_its_backorder": """
        select o.sku_id, o.id as offer_id, o.backorder_id, o.state, o.quantity
        from [option_offer] o where not exists (select from backorder_event h where h.sku_id = o.sku_id
            and h.backorder_id = o.backorder_id and h.to_state = 'OPTION_OFFERED' and h.created_at = o.offered_at
            and h.quantity = o.quantity)""",
    "options_are_one_set": """
        select coalesce(o.sku_id, r.sku_id) as sku_id, coalesce(o.id, r.offer_id) as offer_id, o.backorder_id, o.state,
            o.quantity, array_agg(r.id order by r.id) as option_ids
        from [option_offer] o full join [resolution_option] r on r.sku_id = o.sku_id and r.offer_id = o.id
        group by coalesce(o.sku_id, r.sku_id), coalesce(o.id, r.offer_id), o.id, o.backorder_id, o.state, o.quantity,
            o.chosen_option_id
        having o.id is null or count(r.id) < 2 or count(*) filter (where r.is_default) <> 1
            or bool_or(r.backorder_id <> o.backorder_id or r.deadline <> o.deadline
                or r.kind <> 'PART_SHIP' and r.quantity is distinct from o.quantity
                or r.kind in ('WAIT', 'PART_SHIP', 'COMPENSATE') and r.expected_date is distinct from o.expected_date)
            or (o.chosen_option_id is not null) <> (o.state in ('CHOSEN', 'EXPIRED'))
            or bool_or((r.chosen_at is not null) <> (r.id is not distinct from o.chosen_option_id))
            or o.chosen_option_id is not null and not bool_or(r.id = o.chosen_option_id)""",
    "entitlement_is_what_was_chosen": """
        select e.sku_id, e.id as entitlement_id, e.backorder_id, e.offer_id, e.kind, e.amount, r.compensation
        from [entitlement] e
        left join [option_offer] o on o.sku_id = e.sku_id and o.id = e.offer_id
        left join [resolution_option] r on r.sku_id = o.sku_id and r.id = o.chosen_option_id
        left join [backorder] b on b.sku_id = e.sku_id and b.id = e.backorder_id
        left join [order_line] l on l.sku_id = b.sku_id and l.id = b.order_line_id
        where (o.backorder_id, r.compensation, r.currency, l.order_id, l.customer_id,
                case r.kind when 'COMPENSATE' then 'COUPON' when 'SUBSTITUTE' then 'REFUND' end)
            is distinct from (e.backorder_id, e.amount, e.currency, e.order_id, e.customer_id, e.kind)""",
}
ORDERS_TOLD: dict[str, str] = {
    "order_has_its_event": """
        select o.id as order_id, o.number from [sales_order] o
        where o.placed_at > coalesce((select occurred_at from event order by position limit 1), 'infinity')
            and not exists (select from event e where e.order_id = o.id)
            and not exists (select from outbox b where b.order_id = o.id)""",
    "order_is_as_told": f"""
        select o.id as order_id, o.number, t.payload ->> 'orderNumber' as told_number, o.version,
            t.payload ->> 'version' as told_version, o.status, t.payload ->> 'status' as told_status
        from [sales_order] o join {_last("order", "o.id")}
        where ((t.payload ->> 'version')::int, t.payload ->> 'status', t.payload ->> 'orderNumber')
            is distinct from (o.version, o.status, o.number)""",
    "order_number_is_its_own": """
        select o.id as order_id, o.number from [sales_order] o where o.number <> 'SO' || lpad(o.id::text, 8, '0')""",
}
PURCHASES_TOLD: dict[str, str] = {
    "purchase_order_is_as_told": f"""
        select o.id as purchase_order_id, o.number, t.payload ->> 'purchaseOrderNumber' as told_number, o.version,
            t.payload ->> 'version' as told_version, o.status, t.payload ->> 'status' as told_status
        from [purchase_order] o join {_last("purchase_order", "o.id")}
        where ((t.payload ->> 'version')::int, t.payload ->> 'status', t.payload ->> 'purchaseOrderNumber')
            is distinct from (o.version, o.status, o.number)""",
}
