"""What must hold for every order and backorder at every moment, counted by SQL that shares nothing with the product's.

Each query lists the rows at fault; the auditor has checks of its own, these are a second opinion.
"""

from __future__ import annotations

LEGAL = {
    "PROVISIONAL": "SOURCING FILLED CANCELLED CANCEL_PENDING ON_HOLD",
    "SOURCING": "AWAITING_SUPPLY PEGGED FILLED OPTION_OFFERED CANCEL_PENDING ON_HOLD",
    "AWAITING_SUPPLY": "PEGGED FILLED OPTION_OFFERED CANCEL_PENDING ON_HOLD",
    "PEGGED": "FILLED DELAYED AWAITING_SUPPLY OPTION_OFFERED CANCEL_PENDING ON_HOLD",
    "DELAYED": "PEGGED FILLED OPTION_OFFERED AWAITING_SUPPLY CANCEL_PENDING ON_HOLD",
    "OPTION_OFFERED": "PEGGED FILLED SUBSTITUTED AWAITING_SUPPLY CANCEL_PENDING ON_HOLD",
    "ON_HOLD": "CANCEL_PENDING",
    "CANCEL_PENDING": "CANCELLED",
}
"""Moves between states as the requirements list them; a parked backorder may besides go back to where it came from."""
PARKED = ("ON_HOLD", "CANCEL_PENDING")
TERMINAL = ("FILLED", "SUBSTITUTED", "CANCELLED")

QUERIES: dict[str, str] = {
    "a line is the sum of its parts": """
        select id from order_line where ordered <> open + allocated + backordered + shipped + cancelled
        or least(ordered, open, allocated, backordered, shipped, cancelled, ready, delivered) < 0
        or ready > allocated or delivered > shipped""",
    "what a line has is its HARD claims, what it waits for the others": """
        select l.id from order_line l where l.allocated <> coalesce((select sum(p.quantity) from peg p
                where p.order_line_id = l.id and p.sku_id = l.sku_id and p.kind = 'HARD'), 0)
            or l.open + l.backordered <> coalesce((select sum(p.quantity) from peg p
                where p.order_line_id = l.id and p.sku_id = l.sku_id and p.kind <> 'HARD'), 0)""",
    "what has left is on shipments that have left": """
        select l.id from order_line l where l.shipped <> coalesce((select sum(i.quantity) from shipment_line i
                join shipment s on s.id = i.shipment_id where i.order_line_id = l.id and s.shipped_at is not null), 0)
            or l.ready <> coalesce((select sum(i.quantity) from shipment_line i join shipment s on s.id = i.shipment_id
                where i.order_line_id = l.id and s.status = 'PLANNED'), 0)""",
    "a short line has one backorder of just that quantity": """
        select l.id from order_line l left join backorder b
            on b.sku_id = l.sku_id and b.order_line_id = l.id and b.closed_at is null
        group by l.id, l.backordered having count(b.id) > 1 or coalesce(sum(b.quantity), 0) <> l.backordered""",
    "a backorder has ended when it is in an end state, with nothing left": """
        select id from backorder where (closed_at is not null) <> (state in ('FILLED', 'SUBSTITUTED', 'CANCELLED'))
            or (closed_at is not null) <> (quantity = 0)""",
    "a supply is never promised beyond what is open of it": """
        select s.id from supply s where s.pegged <> coalesce((select sum(quantity) from peg p where p.supply_id = s.id
                and p.sku_id = s.sku_id), 0) or s.pegged > s.quantity - s.received - s.cancelled""",
    "a purchase order line is the sum of its parts and of its supplies": """
        select l.id from purchase_order_line l where l.ordered <> l.unanswered + l.accepted + l.supplier_backordered
                + l.held + l.in_transit + l.received + l.rejected + l.cancelled
            or l.ordered <> coalesce((select sum(s.quantity) from supply s where s.purchase_order_line_id = l.id
                and s.sku_id = l.sku_id), 0)""",
    "stock is the sum of its movements": """
        select coalesce(s.sku_id, m.sku_id) as sku_id from stock_level s full join (select sku_id, location_id,
            sum(on_hand_delta) as h, sum(unsellable_delta) as u, sum(allocated_delta) as a from stock_movement group by 1, 2) m
            using (sku_id, location_id)
        where (coalesce(s.on_hand, 0), coalesce(s.unsellable, 0), coalesce(s.allocated, 0))
            is distinct from (coalesce(m.h, 0), coalesce(m.u, 0), coalesce(m.a, 0))""",
    "what is given away is there": """
        select s.sku_id from stock_level s where s.allocated + s.unsellable > s.on_hand
            or s.allocated <> coalesce((select sum(quantity) from peg p where p.sku_id = s.sku_id
                and p.location_id = s.location_id and p.kind = 'HARD'), 0)""",
    "promises are numbered without a gap, and the line names the last": """
        select l.id from order_line l left join promise p on p.sku_id = l.sku_id and p.order_line_id = l.id
        group by l.id, l.promise_sequence, l.current_promise_id
        having count(p.id) <> l.promise_sequence or coalesce(max(p.sequence), 0) <> l.promise_sequence
            or max(p.id) filter (where p.sequence = l.promise_sequence) is distinct from l.current_promise_id""",
    "a history has no gap and no jump, and ends where the backorder stands": """
        select e.backorder_id from (select sku_id, backorder_id, sequence, from_state, to_state,
                lag(to_state) over w as before, row_number() over w as n, lead(id) over w as later
            from backorder_event window w as (partition by sku_id, backorder_id order by sequence)) e
        join backorder b on b.sku_id = e.sku_id and b.id = e.backorder_id
        where e.n <> e.sequence or e.from_state is distinct from e.before or (e.later is null and e.to_state <> b.state)""",
    "whose order is on hold waits": """
        select b.id from backorder b join order_line l on l.sku_id = b.sku_id and l.id = b.order_line_id
        where b.closed_at is null and (b.state = 'ON_HOLD') <> exists (select from order_hold h
            where h.order_id = l.order_id and h.released_at is null)""",
    "a choice is open for just those that are offered one": """
        select b.id from backorder b left join option_offer o
            on o.sku_id = b.sku_id and o.backorder_id = b.id and o.state = 'OPEN'
        group by b.id, b.state, b.held_from_state having count(o.id) <> case when b.state = 'OPTION_OFFERED'
            or (b.state = 'ON_HOLD' and b.held_from_state = 'OPTION_OFFERED') then 1 else 0 end""",
    "a set of options has one default, and one answer when it was answered": """
        select o.id from option_offer o join resolution_option r on r.sku_id = o.sku_id and r.offer_id = o.id
        group by o.id, o.state, o.chosen_option_id having count(*) filter (where r.is_default) <> 1 or count(*) < 2
            or count(*) filter (where r.chosen_at is not null) <> case when o.state in ('CHOSEN', 'EXPIRED') then 1 else 0 end
            or (o.chosen_option_id is not null) <> (o.state in ('CHOSEN', 'EXPIRED'))""",
    "nobody rests on the way to being cancelled": """
        select id from backorder where state = 'CANCEL_PENDING'""",
    "a backorder gives its customer each right once": """
        select sku_id from entitlement group by sku_id, backorder_id, kind having count(*) > 1""",
    "no more comes back than has left, and what is sent for it is of the same order": """
        select l.id from order_line l join order_return r on r.order_line_id = l.id and r.sku_id = l.sku_id
            left join order_line n on n.id = r.replacement_line_id and n.sku_id = r.replacement_sku_id
        group by l.id, l.shipped, l.order_id having sum(r.quantity) > l.shipped
            or bool_or(r.replacement_line_id is not null and n.order_id is distinct from l.order_id)""",
    "who substitutes stands for what was given up": """
        select n.id from order_line n join order_line l on l.id = n.substituted_for_line_id
        where n.order_id <> l.order_id or l.cancelled = 0
            or not exists (select from backorder b where b.order_line_id = l.id and b.state = 'SUBSTITUTED')""",
    "who is DELAYED knows since which day": """
        select id from backorder where delayed_from is not null
            and state not in ('DELAYED', 'ON_HOLD', 'OPTION_OFFERED', 'CANCEL_PENDING')""",
    "an order shows its least advanced line": """
        select o.id from sales_order o join (select order_id, min(case status when 'RECEIVED' then 0 when 'VALIDATED' then 1
            when 'BACKORDERED' then 1 when 'ALLOCATED' then 2 when 'READY_TO_SHIP' then 3 when 'SHIPPED' then 4
            when 'DELIVERED' then 5 end) as least from order_line group by 1) l on l.order_id = o.id
        where o.status <> coalesce((array['RECEIVED', 'VALIDATED', 'ALLOCATED', 'SHIPMENT_RESERVED', 'SHIPPED',
            'DELIVERED'])[l.least + 1], 'CANCELLED')""",
    "every version of an order, a backorder and a purchase order is told": """
        select o.topic, o.id, o.version, max((x.payload ->> 'version')::int) as told from (
                select 'order' as topic, id, version, 'order:' || id as key from sales_order
                union all select 'backorder', id, version, 'backorder:' || id from backorder
                union all select 'purchase_order', id, version, 'purchase_order:' || id from purchase_order) o
            left join (select topic, key, payload from outbox union all select topic, key, payload from event) x
                on x.topic = o.topic and x.key = o.key
        group by o.topic, o.id, o.version having max((x.payload ->> 'version')::int) is distinct from o.version""",
    "every change of a line or a shipment is told by its order": """
        select x.what, x.id from (select 'line' as what, id, order_id, version, updated_at from order_line
                union all select 'shipment', id, order_id, version, updated_at from shipment) x
        where x.version > 1 and not exists (select from outbox o where o.topic = 'order' and o.order_id = x.order_id
            and o.occurred_at = x.updated_at)""",
    "every order has its event": """
        select o.id from sales_order o where not exists (select from outbox x where x.order_id = o.id)
            and not exists (select from event x where x.order_id = o.id)""",
}

TABLES = (
    *("sales_order", "order_line", "order_hold", "peg", "promise", "backorder", "backorder_event", "backorder_course"),
    *("option_offer", "resolution_option", "entitlement", "stock_level", "stock_movement", "supply", "transfer"),
    *("purchase_order", "purchase_order_line", "shipment", "shipment_line", "order_return", "goods_receipt"),
    *("goods_receipt_line", "notice", "audit_entry", "outbox", "reservation", "policy"),
)
DIGEST = "select md5(concat_ws('|', {parts}))".format(
    parts=", ".join(
        f"(select coalesce(md5(string_agg(x::text, ',' order by x::text)), '') from {table} x)" for table in TABLES
    )
)
"""One word for all that is stored; the gate's version does not count."""
