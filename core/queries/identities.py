"""The identities of the data model as SQL: each query lists the rows for which one of them does not hold."""

from __future__ import annotations

CHECKS: dict[str, str] = {
    "counters_equal_movements": """
        select coalesce(s.sku_id, m.sku_id) as sku_id, coalesce(s.location_id, m.location_id) as location_id,
            s.on_hand, m.on_hand as moved_on_hand, s.unsellable, m.unsellable as moved_unsellable,
            s.allocated, m.allocated as moved_allocated
        from stock_level s full join (
            select sku_id, location_id, sum(on_hand_delta) as on_hand, sum(unsellable_delta) as unsellable,
                sum(allocated_delta) as allocated from stock_movement group by sku_id, location_id
        ) m on m.sku_id = s.sku_id and m.location_id = s.location_id
        where coalesce(s.on_hand, 0) <> coalesce(m.on_hand, 0)
            or coalesce(s.unsellable, 0) <> coalesce(m.unsellable, 0)
            or coalesce(s.allocated, 0) <> coalesce(m.allocated, 0)""",
    "stock_not_over_allocated": """
        select sku_id, location_id, on_hand, unsellable, allocated from stock_level
        where allocated + unsellable > on_hand or least(on_hand, unsellable, allocated) < 0""",
    "allocated_equals_hard_pegs": """
        select coalesce(s.sku_id, p.sku_id) as sku_id, coalesce(s.location_id, p.location_id) as location_id,
            s.allocated, p.hard
        from stock_level s full join (
            select sku_id, location_id, sum(quantity) as hard from peg where kind = 'HARD' group by sku_id, location_id
        ) p on p.sku_id = s.sku_id and p.location_id = s.location_id
        where coalesce(s.allocated, 0) <> coalesce(p.hard, 0)""",
    "lots_equal_on_hand": """
        select s.sku_id, s.location_id, s.on_hand, coalesce(l.on_hand, 0) as in_lots
        from stock_level s join sku k on k.id = s.sku_id and k.tracks_lots
        left join (select sku_id, location_id, sum(on_hand) as on_hand from lot group by sku_id, location_id) l
            on l.sku_id = s.sku_id and l.location_id = s.location_id
        where s.on_hand <> coalesce(l.on_hand, 0)""",
    "line_balances": """
        select sku_id, id as order_line_id, ordered, open, allocated, backordered, shipped, cancelled from order_line
        where ordered <> open + allocated + backordered + shipped + cancelled
            or least(open, allocated, backordered, shipped, cancelled) < 0 or ready > allocated or delivered > shipped""",
    "line_equals_pegs": """
        select coalesce(l.sku_id, p.sku_id) as sku_id, coalesce(l.id, p.order_line_id) as order_line_id,
            l.allocated, p.hard, l.open + l.backordered as uncovered, p.waiting
        from order_line l full join (
            select sku_id, order_line_id, sum(quantity) filter (where kind = 'HARD') as hard,
                sum(quantity) filter (where kind <> 'HARD') as waiting
            from peg where order_line_id is not null group by sku_id, order_line_id
        ) p on p.sku_id = l.sku_id and p.order_line_id = l.id
        where coalesce(l.allocated, 0) <> coalesce(p.hard, 0)
            or coalesce(l.open + l.backordered, 0) <> coalesce(p.waiting, 0)""",
    "shipped_equals_shipments": """
        select coalesce(l.sku_id, s.sku_id) as sku_id, coalesce(l.id, s.order_line_id) as order_line_id,
            l.shipped, s.left_us, l.delivered, s.arrived, l.ready, s.planned
        from order_line l full join (
            select i.sku_id, i.order_line_id,
                sum(i.quantity) filter (where h.status in ('SHIPPED', 'DELIVERED')) as left_us,
                sum(i.quantity) filter (where h.status = 'DELIVERED') as arrived,
                sum(i.quantity) filter (where h.status = 'PLANNED') as planned
            from shipment_line i join shipment h on h.id = i.shipment_id group by i.sku_id, i.order_line_id
        ) s on s.sku_id = l.sku_id and s.order_line_id = l.id
        where coalesce(l.shipped, 0) <> coalesce(s.left_us, 0) or coalesce(l.delivered, 0) <> coalesce(s.arrived, 0)
            or coalesce(l.ready, 0) <> coalesce(s.planned, 0)""",
    "backorder_equals_line": """
        select coalesce(l.sku_id, b.sku_id) as sku_id, coalesce(l.id, b.order_line_id) as order_line_id,
            l.backordered, b.quantity, b.ids
        from order_line l full join (
            select sku_id, order_line_id, sum(quantity) as quantity, array_agg(id) as ids
            from backorder where closed_at is null group by sku_id, order_line_id
        ) b on b.sku_id = l.sku_id and b.order_line_id = l.id
        where coalesce(l.backordered, 0) <> coalesce(b.quantity, 0) or cardinality(b.ids) > 1""",
    "backorder_closed_is_empty": """
        select sku_id, id as backorder_id, quantity, closed_at from backorder
        where (closed_at is null) <> (quantity > 0)""",
    "backorder_is_its_last_event": """
        select b.sku_id, b.id as backorder_id, b.state, e.to_state, e.events, e.newest
        from backorder b left join (
            select sku_id, backorder_id, count(*) as events, max(sequence) as newest, min(sequence) as oldest,
                (array_agg(to_state order by sequence desc))[1] as to_state
            from backorder_event group by sku_id, backorder_id
        ) e on e.sku_id = b.sku_id and e.backorder_id = b.id
        where e.to_state is distinct from b.state or e.events <> e.newest or e.oldest <> 1""",
    "supply_balances": """
        select sku_id, id as supply_id, quantity, received, cancelled, pegged from supply
        where received + cancelled > quantity or pegged > quantity - received - cancelled
            or least(received, cancelled, pegged) < 0""",
    "supply_equals_pegs": """
        select coalesce(s.sku_id, p.sku_id) as sku_id, coalesce(s.id, p.supply_id) as supply_id, s.pegged, p.quantity
        from supply s full join (
            select sku_id, supply_id, sum(quantity) as quantity from peg where supply_id is not null
            group by sku_id, supply_id
        ) p on p.sku_id = s.sku_id and p.supply_id = s.id
        where coalesce(s.pegged, 0) <> coalesce(p.quantity, 0)""",
    "purchase_line_balances": """
        select sku_id, id as purchase_order_line_id, ordered, unanswered, accepted, supplier_backordered, held,
            in_transit, received, rejected, cancelled
        from purchase_order_line
        where ordered <> unanswered + accepted + supplier_backordered + held + in_transit + received + rejected
            + cancelled""",
    "purchase_line_equals_supplies": """
        select l.sku_id, l.id as purchase_order_line_id, l.ordered, s.quantity, l.received, s.received as supply_received,
            l.rejected + l.cancelled as gone, s.cancelled as supply_cancelled
        from purchase_order_line l join purchase_order o on o.id = l.purchase_order_id
        left join (
            select sku_id, purchase_order_line_id, sum(quantity) as quantity, sum(received) as received,
                sum(cancelled) as cancelled
            from supply where purchase_order_line_id is not null group by sku_id, purchase_order_line_id
        ) s on s.sku_id = l.sku_id and s.purchase_order_line_id = l.id
        where s.quantity is distinct from l.ordered or s.received is distinct from l.received
            or s.cancelled is distinct from l.rejected + l.cancelled""",
    "transfer_balances": """
        select t.sku_id, t.id as transfer_id, t.state, t.quantity, t.shipped, t.received, t.lost, p.hard,
            s.quantity as supply, s.received as supply_received, s.cancelled as supply_cancelled
        from transfer t
        left join (select sku_id, transfer_id, sum(quantity) as hard from peg where transfer_id is not null
            group by sku_id, transfer_id) p on p.sku_id = t.sku_id and p.transfer_id = t.id
        left join (select sku_id, transfer_id, sum(quantity) as quantity, sum(received) as received,
            sum(cancelled) as cancelled from supply where transfer_id is not null
            group by sku_id, transfer_id) s on s.sku_id = t.sku_id and s.transfer_id = t.id
        where s.received is distinct from t.received
            or t.shipped > t.quantity or t.received + t.lost > t.shipped
            or case when t.state = 'planned' then coalesce(p.hard, 0) <> t.quantity - t.shipped
                else coalesce(p.hard, 0) <> 0 end
            or (t.state <> 'cancelled' and s.quantity - s.cancelled <> t.quantity - t.lost)""",
    "promise_sequence_has_no_gap": """
        select sku_id, order_line_id, count(*) as promises, min(sequence) as oldest, max(sequence) as newest
        from promise group by sku_id, order_line_id having count(*) <> max(sequence) or min(sequence) <> 1""",
    "current_promise_is_the_newest": """
        select l.sku_id, l.id as order_line_id, l.current_promise_id, p.newest
        from order_line l left join (
            select distinct on (sku_id, order_line_id) sku_id, order_line_id, id as newest
            from promise order by sku_id, order_line_id, sequence desc
        ) p on p.sku_id = l.sku_id and p.order_line_id = l.id
        where l.current_promise_id is distinct from p.newest""",
    # A slice named a supply: it is covered, or its OPEN peg is younger than the promise (the supply was lost since).
    "dated_promise_has_pegs": """
        select l.sku_id, l.id as order_line_id, q.sequence, c.promised,
            coalesce(p.covered, 0) + l.shipped + l.cancelled as covered
        from order_line l
        join promise q on q.sku_id = l.sku_id and q.id = l.current_promise_id
        cross join lateral (
            select coalesce(sum((s ->> 'quantity')::int), 0) as promised from jsonb_array_elements(q.slices) s
            where s ->> 'source' <> 'LEAD_TIME' and s ->> 'shipDate' is not null
        ) c
        cross join lateral (
            select sum(g.quantity) as covered from peg g where g.sku_id = l.sku_id and g.order_line_id = l.id
                and (g.kind <> 'OPEN' or greatest(g.created_at, g.updated_at) > q.created_at)
        ) p
        where c.promised > coalesce(p.covered, 0) + l.shipped + l.cancelled""",
    "peg_is_where_its_supply_is": """
        select p.sku_id, p.id as peg_id, p.order_line_id, p.supply_id, p.location_id,
            s.location_id as supply_location_id
        from peg p join supply s on s.sku_id = p.sku_id and s.id = p.supply_id
        where p.location_id <> s.location_id""",
    "order_has_its_event": """
        select o.id as order_id, o.number from sales_order o
        where o.placed_at > coalesce((select occurred_at from event order by position limit 1), 'infinity')
            and not exists (select from event e where e.order_id = o.id)
            and not exists (select from outbox b where b.order_id = o.id)""",
    "order_key_is_used_once": """
        select channel, external_number, count(*) as orders from sales_order where external_number is not null
        group by channel, external_number having count(*) > 1""",
}
"""Name -> query. An empty answer means that the identity holds. Each query is one statement, hence one snapshot."""
