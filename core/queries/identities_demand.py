"""Identities of demand: lines, what covers them, backorders and holds."""

from __future__ import annotations

DEMAND: dict[str, str] = {
    "line_balances": """
        select sku_id, id as order_line_id, ordered, open, allocated, backordered, shipped, cancelled from [order_line] x
        where ordered <> open + allocated + backordered + shipped + cancelled
            or least(open, allocated, backordered, shipped, cancelled) < 0 or ready > allocated or delivered > shipped""",
    "line_status_is_what_it_has": """
        select x.sku_id, x.id as order_line_id, x.status, s.status as should_be
        from [order_line] x cross join lateral (
            select case when x.ordered = x.cancelled then 'CANCELLED'
                when x.status = 'RECEIVED' and x.shipped = 0 then 'RECEIVED' when x.backordered > 0 then 'BACKORDERED'
                when x.open > 0 then 'VALIDATED' when x.allocated > x.ready then 'ALLOCATED'
                when x.ready > 0 then 'READY_TO_SHIP' when x.shipped > x.delivered then 'SHIPPED'
                else 'DELIVERED' end as status
        ) s where x.status <> s.status""",
    "line_has_its_order": """
        select x.sku_id, x.id as order_line_id, x.order_id from [order_line] x
        where not exists (select from sales_order o where o.id = x.order_id)""",
    "line_equals_pegs": """
        select coalesce(l.sku_id, p.sku_id) as sku_id, coalesce(l.id, p.order_line_id) as order_line_id,
            l.allocated, p.hard, l.open + l.backordered as uncovered, p.waiting
        from [order_line] l full join (
            select sku_id, order_line_id, sum(quantity) filter (where kind = 'HARD') as hard,
                sum(quantity) filter (where kind <> 'HARD') as waiting
            from [peg] x where order_line_id is not null group by sku_id, order_line_id
        ) p on p.sku_id = l.sku_id and p.order_line_id = l.id
        where coalesce(l.allocated, 0) <> coalesce(p.hard, 0)
            or coalesce(l.open + l.backordered, 0) <> coalesce(p.waiting, 0)""",
    "shipped_equals_shipments": """
        select coalesce(l.sku_id, s.sku_id) as sku_id, coalesce(l.id, s.order_line_id) as order_line_id,
            l.shipped, s.left_us, l.delivered, s.arrived, l.ready, s.planned
        from [order_line] l full join (
            select i.sku_id, i.order_line_id,
                sum(i.quantity) filter (where h.status in ('SHIPPED', 'DELIVERED')) as left_us,
                sum(i.quantity) filter (where h.status = 'DELIVERED') as arrived,
                sum(i.quantity) filter (where h.status = 'PLANNED') as planned
            from [shipment_line] i join shipment h on h.id = i.shipment_id group by i.sku_id, i.order_line_id
        ) s on s.sku_id = l.sku_id and s.order_line_id = l.id
        where coalesce(l.shipped, 0) <> coalesce(s.left_us, 0) or coalesce(l.delivered, 0) <> coalesce(s.arrived, 0)
            or coalesce(l.ready, 0) <> coalesce(s.planned, 0)""",
    "shipment_line_leaves_from_its_shipment": """
        select i.sku_id, i.id as shipment_line_id, i.shipment_id, i.location_id, h.location_id as shipment_location_id
        from [shipment_line] i left join shipment h on h.id = i.shipment_id
        where i.location_id is distinct from h.location_id""",
    "backorder_equals_line": """
        select coalesce(l.sku_id, b.sku_id) as sku_id, coalesce(l.id, b.order_line_id) as order_line_id,
            l.backordered, b.quantity, b.ids
        from [order_line] l full join (
            select sku_id, order_line_id, sum(quantity) as quantity, array_agg(id) as ids
            from [backorder] x where closed_at is null group by sku_id, order_line_id
        ) b on b.sku_id = l.sku_id and b.order_line_id = l.id
        where coalesce(l.backordered, 0) <> coalesce(b.quantity, 0) or cardinality(b.ids) > 1""",
    "backorder_closed_is_empty": """
        select sku_id, id as backorder_id, quantity, closed_at from [backorder] x
        where (closed_at is null) <> (quantity > 0)""",
    "backorder_is_its_last_event": """
        select coalesce(b.sku_id, e.sku_id) as sku_id, coalesce(b.id, e.backorder_id) as backorder_id, b.state, e.to_state,
            e.events, e.newest, e.broken_at
        from [backorder] b full join (
            select sku_id, backorder_id, count(*) as events, max(sequence) as newest, min(sequence) as oldest,
                (array_agg(to_state order by sequence desc))[1] as to_state,
                min(sequence) filter (where from_state is distinct from before) as broken_at
            from (select y.*, lag(y.to_state) over (partition by y.sku_id, y.backorder_id order by y.sequence) as before
                from [backorder_event] y) x
            group by sku_id, backorder_id
        ) e on e.sku_id = b.sku_id and e.backorder_id = b.id
        where e.to_state is distinct from b.state or e.events <> e.newest or e.oldest <> 1 or e.broken_at is not null""",
    # Nobody reads a hold that is over; one that stays `held` for long says that nothing sweeps.
    "hold_is_swept": """
        select r.sku_id, r.id as reservation_id, r.group_id::text as group_id, r.quantity, r.expires_at
        from [reservation] r where r.state = 'held' and r.expires_at < $3::timestamptz - interval '10 minutes'""",
    "hold_is_used_within_its_size": """
        select r.sku_id, r.id as reservation_id, r.group_id::text as group_id, r.state, r.quantity, r.used, r.order_id
        from [reservation] r where r.used > 0 and r.order_id is null
            or r.kind not in ('internal', 'promotion') and (r.used > r.quantity or (r.used > 0 and r.state <> 'committed'))""",
    # Short is what comes too late or from nowhere; a pre-order waits for its release.
    "backordered_is_what_comes_late": """
        select l.sku_id, l.id as order_line_id, l.ship_by, l.open, l.backordered, p.late
        from [order_line] l join [sku] k on k.id = l.sku_id and k.available_from is null
        cross join lateral (select coalesce(sum(g.quantity), 0) as late from peg g
            where g.sku_id = l.sku_id and g.order_line_id = l.id and g.kind <> 'HARD'
                and (g.kind = 'OPEN' or l.ship_by is null or g.need_date > l.ship_by)) p
        where l.backordered <> case when l.status = 'RECEIVED' then 0 else p.late end""",
    "held_backorder_has_a_hold": """
        select b.sku_id, b.id as backorder_id, b.state, l.order_id
        from [backorder] b join [order_line] l on l.sku_id = b.sku_id and l.id = b.order_line_id
        where b.closed_at is null and (b.state = 'ON_HOLD') <> exists (select from order_hold h
            where h.order_id = l.order_id and h.released_at is null)""",
    "substitute_stands_for_its_line": """
        select n.sku_id, n.id as order_line_id, n.order_id, n.substituted_for_line_id
        from [order_line] n where n.substituted_for_line_id is not null and not exists (
            select from order_line l join backorder b on b.sku_id = l.sku_id and b.order_line_id = l.id
            where l.order_id = n.order_id and l.id = n.substituted_for_line_id and l.cancelled > 0
                and b.state = 'SUBSTITUTED')""",
    "return_is_of_its_order": """
        select r.sku_id, r.id as order_return_id, r.order_id, r.order_line_id, r.replacement_line_id
        from [order_return] r left join [order_line] l on l.sku_id = r.sku_id and l.id = r.order_line_id
        left join order_line n on n.sku_id = r.replacement_sku_id and n.id = r.replacement_line_id
        where l.order_id is distinct from r.order_id
            or r.replacement_line_id is not null and n.order_id is distinct from r.order_id""",
    "quota_is_used_by_what_was_ordered": """
        select u.sku_id, u.quota_id, u.order_line_id, sum(u.quantity) as used, l.ordered
        from [quota_use] u left join [order_line] l on l.sku_id = u.sku_id and l.id = u.order_line_id
        group by u.sku_id, u.quota_id, u.order_line_id, l.ordered having sum(u.quantity) > coalesce(l.ordered, 0)""",
}
