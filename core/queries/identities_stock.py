"""Identities of stock: counters, the ledger behind them, allocations, lots, and where units come from."""

from __future__ import annotations

STOCK: dict[str, str] = {
    "counters_equal_movements": """
        select coalesce(s.sku_id, m.sku_id) as sku_id, coalesce(s.location_id, m.location_id) as location_id,
            s.on_hand, m.on_hand as moved_on_hand, s.unsellable, m.unsellable as moved_unsellable,
            s.allocated, m.allocated as moved_allocated
        from [stock_level] s full join (
            select sku_id, location_id, sum(on_hand_delta) as on_hand, sum(unsellable_delta) as unsellable,
                sum(allocated_delta) as allocated from [stock_movement] x group by sku_id, location_id
        ) m on m.sku_id = s.sku_id and m.location_id = s.location_id
        where coalesce(s.on_hand, 0) <> coalesce(m.on_hand, 0)
            or coalesce(s.unsellable, 0) <> coalesce(m.unsellable, 0)
            or coalesce(s.allocated, 0) <> coalesce(m.allocated, 0)""",
    "stock_not_over_allocated": """
        select sku_id, location_id, on_hand, unsellable, allocated from [stock_level] x
        where allocated + unsellable > on_hand or least(on_hand, unsellable, allocated) < 0""",
    "allocated_equals_hard_pegs": """
        select coalesce(s.sku_id, p.sku_id) as sku_id, coalesce(s.location_id, p.location_id) as location_id,
            s.allocated, p.hard
        from [stock_level] s full join (
            select sku_id, location_id, sum(quantity) as hard from [peg] x where kind = 'HARD' group by sku_id, location_id
        ) p on p.sku_id = s.sku_id and p.location_id = s.location_id
        where coalesce(s.allocated, 0) <> coalesce(p.hard, 0)""",
    "lots_equal_on_hand": """
        select s.sku_id, s.location_id, s.on_hand, coalesce(l.on_hand, 0) as in_lots, s.unsellable,
            coalesce(l.unsellable, 0) as unsellable_in_lots, s.allocated, coalesce(l.allocated, 0) as allocated_in_lots
        from [stock_level] s join [sku] k on k.id = s.sku_id and k.tracks_lots
        left join (select sku_id, location_id, sum(on_hand) as on_hand, sum(unsellable) as unsellable,
            sum(allocated) as allocated from [lot] x group by sku_id, location_id) l
            on l.sku_id = s.sku_id and l.location_id = s.location_id
        where (s.on_hand, s.unsellable, s.allocated)
            is distinct from (coalesce(l.on_hand, 0), coalesce(l.unsellable, 0), coalesce(l.allocated, 0))""",
    "lots_equal_movements": """
        select coalesce(l.sku_id, m.sku_id) as sku_id, coalesce(l.id, m.lot_id) as lot_id, l.on_hand,
            m.on_hand as moved_on_hand, l.unsellable, m.unsellable as moved_unsellable, l.allocated,
            m.allocated as moved_allocated
        from [lot] l full join (
            select x.sku_id, x.lot_id, sum(x.on_hand_delta) as on_hand, sum(x.unsellable_delta) as unsellable,
                sum(x.allocated_delta) as allocated
            from [stock_movement] x where x.lot_id is not null group by x.sku_id, x.lot_id
        ) m on m.sku_id = l.sku_id and m.lot_id = l.id
        where (coalesce(l.on_hand, 0), coalesce(l.unsellable, 0), coalesce(l.allocated, 0))
            is distinct from (coalesce(m.on_hand, 0), coalesce(m.unsellable, 0), coalesce(m.allocated, 0))""",
    # A unit that is under way between two locations is in stock and at its source until it is scanned at the other end
    # or lost by its number. Of units in lots a recall sets aside the lot.
    "serials_equal_on_hand": """
        select k.id as sku_id, coalesce(s.on_hand, 0) as on_hand, coalesce(t.under_way, 0) as under_way,
            coalesce(u.serials, 0) as serials, coalesce(s.unsellable, 0) as unsellable,
            coalesce(u.quarantined, 0) as quarantined
        from [sku] k
        left join (select sku_id, sum(on_hand) as on_hand, sum(unsellable) as unsellable
            from [stock_level] x group by sku_id) s on s.sku_id = k.id
        left join (select sku_id, sum(units) as under_way from (
                select sku_id, shipped - received as units from [transfer] x
                union all select sku_id, -1 from [serial_movement] x where kind = 'scrapped' and cause_kind = 'transfer'
            ) u group by sku_id) t on t.sku_id = k.id
        left join (select sku_id, count(*) as serials, count(*) filter (where state = 'quarantined') as quarantined
            from [serial_unit] x where state in ('in_stock', 'quarantined')
            group by sku_id) u on u.sku_id = k.id
        where k.tracks_serials and (coalesce(s.on_hand, 0) + coalesce(t.under_way, 0) <> coalesce(u.serials, 0)
            or not k.tracks_lots and coalesce(s.unsellable, 0) <> coalesce(u.quarantined, 0))""",
    "lots_equal_hard_pegs": """
        select coalesce(l.sku_id, p.sku_id) as sku_id, coalesce(l.id, p.lot_id) as lot_id, l.allocated, p.hard
        from [lot] l full join (
            select x.sku_id, x.lot_id, sum(x.quantity) as hard from [peg] x where x.kind = 'HARD' and x.lot_id is not null
            group by x.sku_id, x.lot_id
        ) p on p.sku_id = l.sku_id and p.lot_id = l.id
        where coalesce(l.allocated, 0) <> coalesce(p.hard, 0)""",
    # Only a document brings units in or lets them go; counts and adjustments are movements with a named actor.
    "units_have_a_document": """
        select coalesce(m.sku_id, d.sku_id) as sku_id, coalesce(m.location_id, d.location_id) as location_id,
            coalesce(m.kind, d.kind) as kind, coalesce(m.units, 0) as moved, coalesce(d.units, 0) as documented
        from (
            select x.sku_id, x.location_id, x.kind, sum(x.on_hand_delta) as units from [stock_movement] x
            where x.kind in ('received', 'shipped', 'transfer_in', 'transfer_out', 'returned')
            group by x.sku_id, x.location_id, x.kind
        ) m full join (
            select sku_id, location_id, kind, sum(units) as units from (
                select g.sku_id, r.location_id, 'received' as kind, g.quantity + g.over_delivered as units
                    from [goods_receipt_line] g join goods_receipt r on r.id = g.goods_receipt_id
                    left join [supply] s on s.sku_id = g.sku_id and s.id = g.supply_id where s.transfer_id is null
                union all select i.sku_id, i.location_id, 'shipped', -i.quantity
                    from [shipment_line] i join shipment h on h.id = i.shipment_id where h.status in ('SHIPPED', 'DELIVERED')
                union all select t.sku_id, t.to_location_id, 'transfer_in', t.received from [transfer] t
                union all select t.sku_id, t.from_location_id, 'transfer_out', -t.shipped from [transfer] t
                union all select o.sku_id, o.location_id, 'returned', o.quantity from [order_return] o
            ) u group by sku_id, location_id, kind
        ) d on d.sku_id = m.sku_id and d.location_id = m.location_id and d.kind = m.kind
        where coalesce(m.units, 0) <> coalesce(d.units, 0)""",
    "movement_is_of_its_kind": """
        select x.sku_id, x.id as stock_movement_id, x.kind, x.on_hand_delta, x.unsellable_delta, x.allocated_delta
        from [stock_movement] x where not case
            when x.kind = 'allocated' then x.allocated_delta > 0 and x.on_hand_delta = 0 and x.unsellable_delta = 0
            when x.kind = 'released' then x.allocated_delta < 0 and x.on_hand_delta = 0 and x.unsellable_delta = 0
            when x.kind in ('shipped', 'transfer_out')
                then x.on_hand_delta < 0 and x.allocated_delta = x.on_hand_delta and x.unsellable_delta = 0
            when x.kind in ('received', 'transfer_in', 'returned')
                then x.on_hand_delta > 0 and x.allocated_delta = 0 and x.unsellable_delta = 0
            when x.kind = 'quarantined' then x.unsellable_delta > 0 and x.on_hand_delta = 0 and x.allocated_delta = 0
            when x.kind = 'unquarantined' then x.unsellable_delta < 0 and x.on_hand_delta = 0 and x.allocated_delta = 0
            when x.kind = 'scrapped' then x.on_hand_delta < 0 and x.unsellable_delta = x.on_hand_delta and x.allocated_delta = 0
            else x.allocated_delta = 0 end""",
    "movement_names_its_lot": """
        select x.sku_id, x.id as stock_movement_id, x.kind, x.lot_id from [stock_movement] x join [sku] k on k.id = x.sku_id
        where k.tracks_lots and x.lot_id is null or x.lot_id is not null and not exists (select from [lot] l
            where l.sku_id = x.sku_id and l.id = x.lot_id and l.location_id = x.location_id)""",
    "line_equals_movements": """
        select coalesce(l.sku_id, m.sku_id) as sku_id, coalesce(l.id, m.order_line_id) as order_line_id, l.allocated,
            m.allocated as moved_allocated, l.shipped, m.shipped as moved_shipped, r.units as returned,
            m.returned as moved_returned
        from [order_line] l full join (
            select x.sku_id, x.order_line_id, sum(x.allocated_delta) as allocated,
                -sum(x.on_hand_delta) filter (where x.kind = 'shipped') as shipped,
                sum(x.on_hand_delta) filter (where x.kind = 'returned') as returned
            from [stock_movement] x where x.order_line_id is not null group by x.sku_id, x.order_line_id
        ) m on m.sku_id = l.sku_id and m.order_line_id = l.id
        left join (select x.sku_id, x.order_line_id, sum(x.quantity) as units from [order_return] x
            group by x.sku_id, x.order_line_id) r on r.sku_id = l.sku_id and r.order_line_id = l.id
        where coalesce(l.allocated, 0) <> coalesce(m.allocated, 0) or coalesce(l.shipped, 0) <> coalesce(m.shipped, 0)
            or coalesce(r.units, 0) <> coalesce(m.returned, 0) or coalesce(r.units, 0) > coalesce(l.shipped, 0)""",
    "serial_is_where_it_went_last": """
        select coalesce(u.sku_id, m.sku_id) as sku_id, coalesce(u.id, m.serial_unit_id) as serial_unit_id, u.code, u.state,
            m.kind as last_step, u.location_id, m.location_id as moved_to, u.order_line_id, m.order_line_id as moved_for
        from [serial_unit] u full join (
            select distinct on (x.sku_id, x.serial_unit_id) x.* from [serial_movement] x
            order by x.sku_id, x.serial_unit_id, x.id desc
        ) m on m.sku_id = u.sku_id and m.serial_unit_id = u.id
        where u.id is null or m.id is null
            or (u.location_id, u.lot_id, u.order_line_id, u.shipment_id)
                is distinct from (m.location_id, m.lot_id, m.order_line_id, m.shipment_id)
            or u.state <> case when m.kind in ('shipped', 'scrapped', 'quarantined') then m.kind
                when m.kind = 'unquarantined' then 'in_stock'
                when u.state in ('in_stock', 'quarantined') then u.state else 'in_stock' end""",
    "gate_is_not_behind": """
        select k.id as sku_id, g.version, m.newest from [sku] k left join sku_gate g on g.sku_id = k.id
        left join (select x.sku_id, max(x.gate_version) as newest from [stock_movement] x group by x.sku_id) m
            on m.sku_id = k.id
        where g.sku_id is null or g.version < m.newest""",
}
