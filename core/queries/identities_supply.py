"""Identities of supply: what is open, what was received, who is pegged to it and by when."""

from __future__ import annotations

SUPPLY: dict[str, str] = {
    "supply_balances": """
        select sku_id, id as supply_id, quantity, received, cancelled, pegged from [supply] x
        where received + cancelled > quantity or pegged > quantity - received - cancelled
            or least(received, cancelled, pegged) < 0""",
    "supply_equals_pegs": """
        select coalesce(s.sku_id, p.sku_id) as sku_id, coalesce(s.id, p.supply_id) as supply_id, s.pegged, p.quantity
        from [supply] s full join (
            select sku_id, supply_id, sum(quantity) as quantity from [peg] x where supply_id is not null
            group by sku_id, supply_id
        ) p on p.sku_id = s.sku_id and p.supply_id = s.id
        where coalesce(s.pegged, 0) <> coalesce(p.quantity, 0)""",
    "purchase_line_balances": """
        select sku_id, id as purchase_order_line_id, ordered, unanswered, accepted, supplier_backordered, held,
            in_transit, received, rejected, cancelled
        from [purchase_order_line] x
        where ordered <> unanswered + accepted + supplier_backordered + held + in_transit + received + rejected
            + cancelled""",
    "purchase_line_equals_supplies": """
        select coalesce(l.sku_id, s.sku_id) as sku_id, coalesce(l.id, s.purchase_order_line_id) as purchase_order_line_id,
            l.ordered, s.quantity, l.received, s.received as supply_received,
            l.rejected + l.cancelled as gone, s.cancelled as supply_cancelled
        from [purchase_order_line] l
        full join (
            select sku_id, purchase_order_line_id, sum(quantity) as quantity, sum(received) as received,
                sum(cancelled) as cancelled
            from [supply] x where purchase_order_line_id is not null group by sku_id, purchase_order_line_id
        ) s on s.sku_id = l.sku_id and s.purchase_order_line_id = l.id
        where s.quantity is distinct from l.ordered or s.received is distinct from l.received
            or s.cancelled is distinct from l.rejected + l.cancelled""",
    "transfer_balances": """
        select k.sku_id, k.transfer_id, t.state, t.quantity, t.shipped, t.received, t.lost, p.hard,
            s.quantity as supply, s.received as supply_received, s.cancelled as supply_cancelled
        from (select sku_id, id as transfer_id from [transfer] x
            union select sku_id, transfer_id from [peg] x where transfer_id is not null
            union select sku_id, transfer_id from [supply] x where transfer_id is not null) k
        left join [transfer] t on t.sku_id = k.sku_id and t.id = k.transfer_id
        left join (select sku_id, transfer_id, sum(quantity) as hard from [peg] x where transfer_id is not null
            group by sku_id, transfer_id) p on p.sku_id = k.sku_id and p.transfer_id = k.transfer_id
        left join (select sku_id, transfer_id, sum(quantity) as quantity, sum(received) as received,
            sum(cancelled) as cancelled from [supply] x where transfer_id is not null
            group by sku_id, transfer_id) s on s.sku_id = k.sku_id and s.transfer_id = k.transfer_id
        where t.id is null or s.received is distinct from t.received
            or t.shipped > t.quantity or t.received + t.lost > t.shipped
            or case when t.state = 'planned' then coalesce(p.hard, 0) <> t.quantity - t.shipped
                else coalesce(p.hard, 0) <> 0 end
            or (t.state <> 'cancelled' and s.quantity - s.cancelled <> t.quantity - t.lost)""",
    "peg_is_where_its_supply_is": """
        select p.sku_id, p.id as peg_id, p.order_line_id, p.supply_id, p.location_id,
            s.location_id as supply_location_id
        from [peg] p join [supply] s on s.sku_id = p.sku_id and s.id = p.supply_id
        where p.location_id <> s.location_id""",
    "received_equals_receipts": """
        select s.sku_id, s.id as supply_id, s.received, coalesce(g.quantity, 0) as receipts
        from [supply] s left join (
            select x.sku_id, x.supply_id, sum(x.quantity) as quantity from [goods_receipt_line] x group by x.sku_id, x.supply_id
        ) g on g.sku_id = s.sku_id and g.supply_id = s.id
        where s.kind = 'purchase' and s.received <> coalesce(g.quantity, 0)""",
    "over_deliveries_equal_receipts": """
        select coalesce(l.sku_id, g.sku_id) as sku_id, coalesce(l.units, 0) as over_delivered,
            coalesce(g.units, 0) as receipts
        from (select sku_id, sum(over_delivered) as units from [purchase_order_line] x group by sku_id) l
        full join (select sku_id, sum(over_delivered) as units from [goods_receipt_line] x group by sku_id) g
            on g.sku_id = l.sku_id
        where coalesce(l.units, 0) <> coalesce(g.units, 0)""",
    # A claim earlier than its supply is told to the customer, except within the hysteresis for estimates.
    "peg_is_not_before_its_supply": """
        select p.sku_id, p.id as peg_id, p.order_line_id, p.supply_id, p.need_date, s.usable_date, b.state
        from [peg] p join [supply] s on s.sku_id = p.sku_id and s.id = p.supply_id
        left join [backorder] b on b.sku_id = p.sku_id and b.order_line_id = p.order_line_id and b.closed_at is null
        where p.order_line_id is not null and s.usable_date > p.need_date
            + coalesce((select (value #>> '{}')::int from policy where code = 'promise_hysteresis_days'), 2)
            and coalesce(b.state, '') not in ('DELAYED', 'OPTION_OFFERED', 'ON_HOLD', 'CANCEL_PENDING')""",
    # Whatever changes a supply is written down beside it; a day that stands nowhere was never said.
    "supply_is_as_recorded": """
        select coalesce(s.sku_id, h.sku_id) as sku_id, coalesce(s.id, h.supply_id) as supply_id, s.usable_date,
            h.usable_date as recorded_usable, s.paper_date, h.paper_date as recorded_paper, s.date_basis,
            h.date_basis as recorded_basis, s.quantity - s.received - s.cancelled as open, h.open_quantity as recorded_open
        from [supply] s full join (select distinct on (x.sku_id, x.supply_id) x.* from [supply_history] x
            order by x.sku_id, x.supply_id, x.id desc) h on h.sku_id = s.sku_id and h.supply_id = s.id
        where (s.usable_date, s.paper_date, s.date_basis, s.quantity - s.received - s.cancelled, s.location_id, s.kind,
                s.supplier_id)
            is distinct from (h.usable_date, h.paper_date, h.date_basis, h.open_quantity, h.location_id, h.kind,
                h.supplier_id)""",
    "supply_comes_where_it_was_sent": """
        select s.sku_id, s.id as supply_id, s.kind, s.location_id, coalesce(o.location_id, t.to_location_id) as sent_to,
            s.supplier_id, o.supplier_id as ordered_from
        from [supply] s
        left join [purchase_order_line] l on l.sku_id = s.sku_id and l.id = s.purchase_order_line_id
        left join purchase_order o on o.id = l.purchase_order_id
        left join [transfer] t on t.sku_id = s.sku_id and t.id = s.transfer_id
        where s.location_id <> coalesce(o.location_id, t.to_location_id, s.location_id)
            or l.id is not null and (s.supplier_id, l.supplier_id) is distinct from (o.supplier_id, o.supplier_id)
            or s.kind <> case when l.id is not null then 'purchase' when t.id is not null then 'transfer' else s.kind end""",
    "in_transit_equals_ship_notices": """
        select l.sku_id, l.id as purchase_order_line_id, l.in_transit, coalesce(s.open, 0) as announced
        from [purchase_order_line] l left join (
            select x.sku_id, x.purchase_order_line_id, sum(x.quantity - x.received - x.cancelled) as open
            from [supply] x where x.ship_notice_line_id is not null group by x.sku_id, x.purchase_order_line_id
        ) s on s.sku_id = l.sku_id and s.purchase_order_line_id = l.id
        where l.in_transit <> coalesce(s.open, 0)""",
    "ship_notice_line_equals_supplies": """
        select coalesce(n.sku_id, s.sku_id) as sku_id, coalesce(n.id, s.ship_notice_line_id) as ship_notice_line_id,
            n.quantity, s.quantity as supplies
        from [ship_notice_line] n full join (
            select x.sku_id, x.ship_notice_line_id, sum(x.quantity) as quantity from [supply] x
            where x.ship_notice_line_id is not null group by x.sku_id, x.ship_notice_line_id
        ) s on s.sku_id = n.sku_id and s.ship_notice_line_id = n.id
        where n.quantity is distinct from s.quantity""",
}
