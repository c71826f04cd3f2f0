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
        select l.sku_id, l.id as purchase_order_line_id, l.ordered, s.quantity, l.received, s.received as supply_received,
            l.rejected + l.cancelled as gone, s.cancelled as supply_cancelled
        from [purchase_order_line] l join purchase_order o on o.id = l.purchase_order_id
        left join (
            select sku_id, purchase_order_line_id, sum(quantity) as quantity, sum(received) as received,
                sum(cancelled) as cancelled
            from [supply] x where purchase_order_line_id is not null group by sku_id, purchase_order_line_id
        ) s on s.sku_id = l.sku_id and s.purchase_order_line_id = l.id
        where s.quantity is distinct from l.ordered or s.received is distinct from l.received
            or s.cancelled is distinct from l.rejected + l.cancelled""",
    "transfer_balances": """
        select t.sku_id, t.id as transfer_id, t.state, t.quantity, t.shipped, t.received, t.lost, p.hard,
            s.quantity as supply, s.received as supply_received, s.cancelled as supply_cancelled
        from [transfer] t
        left join (select sku_id, transfer_id, sum(quantity) as hard from [peg] x where transfer_id is not null
            group by sku_id, transfer_id) p on p.sku_id = t.sku_id and p.transfer_id = t.id
        left join (select sku_id, transfer_id, sum(quantity) as quantity, sum(received) as received,
            sum(cancelled) as cancelled from [supply] x where transfer_id is not null
            group by sku_id, transfer_id) s on s.sku_id = t.sku_id and s.transfer_id = t.id
        where s.received is distinct from t.received
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
    # A claim earlier than its supply is told to the customer, except within the hysteresis for estimates.
    "peg_is_not_before_its_supply": """
        select p.sku_id, p.id as peg_id, p.order_line_id, p.supply_id, p.need_date, s.usable_date, b.state
        from [peg] p join [supply] s on s.sku_id = p.sku_id and s.id = p.supply_id
        left join [backorder] b on b.sku_id = p.sku_id and b.order_line_id = p.order_line_id and b.closed_at is null
        where p.order_line_id is not null and s.usable_date > p.need_date
            + coalesce((select (value #>> '{}')::int from policy where code = 'promise_hysteresis_days'), 2)
            and coalesce(b.state, '') not in ('DELAYED', 'OPTION_OFFERED', 'ON_HOLD', 'CANCEL_PENDING')""",
}
