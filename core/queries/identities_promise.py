"""Identities of promises: their sequence, what covered them when they were given, and what covers the claims now."""

from __future__ import annotations

PROMISE: dict[str, str] = {
    "promise_sequence_has_no_gap": """
        select sku_id, order_line_id, count(*) as promises, min(sequence) as oldest, max(sequence) as newest
        from [promise] x group by sku_id, order_line_id having count(*) <> max(sequence) or min(sequence) <> 1""",
    "current_promise_is_the_newest": """
        select coalesce(l.sku_id, p.sku_id) as sku_id, coalesce(l.id, p.order_line_id) as order_line_id,
            l.current_promise_id, p.newest, l.promise_sequence, p.sequence, l.promised_date, p.promised
        from [order_line] l full join (
            select distinct on (sku_id, order_line_id) sku_id, order_line_id, id as newest, sequence, (
                select max(coalesce(s ->> 'deliveryDate', s ->> 'shipDate')::date) from jsonb_array_elements(slices) s
            ) as promised
            from [promise] x order by sku_id, order_line_id, sequence desc
        ) p on p.sku_id = l.sku_id and p.order_line_id = l.id
        where l.current_promise_id is distinct from p.newest or l.promise_sequence is distinct from coalesce(p.sequence, 0)
            or l.promised_date is distinct from p.promised""",
    "promise_is_the_sum_of_its_slices": """
        select x.sku_id, x.order_line_id, x.id as promise_id, x.quantity, s.quantity as in_slices
        from [promise] x cross join lateral (
            select coalesce(sum((t.slice ->> 'quantity')::int), 0) as quantity
            from jsonb_array_elements(x.slices) as t(slice)
        ) s where x.quantity <> s.quantity""",
    # Another day or place of a claim is a promise of its own, so that the newest speaks of all. Whose line is not validated
    # is told of a new way or release day when it is.
    "claim_stands_as_promised": """
        select g.sku_id, g.id as peg_id, g.order_line_id, g.kind, g.location_id, g.need_date, q.sequence
        from [peg] g join [order_line] l on l.sku_id = g.sku_id and l.id = g.order_line_id
        left join [promise] q on q.sku_id = l.sku_id and q.id = l.current_promise_id
        where g.kind <> 'HARD' and not (l.status = 'RECEIVED' and (
                exists (select from sku k where k.id = l.sku_id and k.updated_at > l.created_at)
                or exists (select from lane w where w.updated_at > l.created_at)
                or exists (select from calendar c where c.updated_at > l.created_at)))
            and not exists (select from jsonb_array_elements(q.slices) as t(slice)
            where (t.slice ->> 'location')::bigint = g.location_id and (t.slice ->> 'shipDate')::date = g.need_date)""",
    "line_has_a_promise": """
        select l.sku_id, l.id as order_line_id, l.status from [order_line] l
        where l.promise_sequence = 0 and l.status not in ('RECEIVED', 'CANCELLED')""",
    # A slice named a supply of its own: it is covered, or its OPEN peg is younger than the promise (the supply was lost since).
    "dated_promise_has_pegs": """
        select l.sku_id, l.id as order_line_id, q.sequence, c.promised,
            coalesce(p.covered, 0) + l.shipped + l.cancelled as covered
        from [order_line] l
        join [promise] q on q.sku_id = l.sku_id and q.id = l.current_promise_id
        cross join lateral (
            select coalesce(sum((s ->> 'quantity')::int), 0) as promised from jsonb_array_elements(q.slices) s
            where s ->> 'source' <> 'LEAD_TIME' and s ->> 'shipDate' is not null and s ->> 'isUnpegged' is null
        ) c
        cross join lateral (
            select sum(g.quantity) as covered from [peg] g where g.sku_id = l.sku_id and g.order_line_id = l.id
                and (g.kind <> 'OPEN' or greatest(g.created_at, g.updated_at) > q.created_at)
        ) p
        where least(c.promised, l.ordered) > coalesce(p.covered, 0) + l.shipped + l.cancelled""",
    # What the timeline promised and no supply could be pegged to stands as LEAD_TIME on a day that no supplier can make;
    # so may what only waits for its quota: nobody has to deliver it.
    "lead_time_promise_is_not_too_early": """
        select q.sku_id, q.order_line_id, q.sequence, (t.slice ->> 'shipDate')::date as ship_date,
            (t.slice ->> 'quantity')::int as quantity, (q.created_at at time zone l.time_zone)::date + v.days as earliest
        from [promise] q cross join lateral jsonb_array_elements(q.slices) as t(slice)
        join location l on l.id = (t.slice ->> 'location')::bigint
        join [order_line] o on o.sku_id = q.sku_id and o.id = q.order_line_id
        cross join lateral (
            select coalesce(min(least(x.lead_time_days, x.lead_time_p80)), 30) as days, max(x.updated_at) as changed
            from supplier_sku x where x.sku_id = q.sku_id
        ) v
        where q.sequence = 1 and q.cause_kind = 'PLACED' and t.slice ->> 'source' = 'LEAD_TIME'
            and t.slice ->> 'waitsFor' is distinct from 'QUOTA'
            and not exists (select from [peg] w where w.sku_id = q.sku_id and w.order_line_id = q.order_line_id
                and w.kind = 'OPEN' and w.cause = 'QUOTA' and w.need_date = (t.slice ->> 'shipDate')::date)
            and q.created_at > $3::timestamptz - interval '2 days'
            and (t.slice ->> 'shipDate')::date < (q.created_at at time zone l.time_zone)::date + v.days
            and coalesce(v.changed, '-infinity') < least(q.created_at, o.created_at)
            and not exists (select from order_hold h where h.order_id = o.order_id and h.placed_at <= q.created_at)""",
    # Claims on the day of their supply, over stock and supplies: never below zero, and never below protected stock by
    # what was claimed; units that were lost, supplies that moved and protection raised since are shortages, not oversell.
    "timeline_covers_its_claims": """
        with place as (
            select x.sku_id, x.location_id, ($3::timestamptz at time zone l.time_zone)::date as today
            from (select y.sku_id, y.location_id from [peg] y union select r.sku_id, r.location_id from [reservation] r
                where r.state = 'held' and r.expires_at > $3) x join location l on l.id = x.location_id
        ),
        claim as (
            select g.sku_id, g.location_id, greatest(g.need_date, p.today,
                    case when s.usable_date < p.today then p.today + s.overdue_days else s.usable_date end) as day,
                g.quantity, g.created_at
            from [peg] g join place p using (sku_id, location_id)
            left join [supply] s on s.sku_id = g.sku_id and s.id = g.supply_id where g.kind in ('FIRM', 'SOFT')
            union all
            select r.sku_id, r.location_id, greatest(r.need_date, p.today), r.quantity, r.created_at
            from [reservation] r join place p using (sku_id, location_id)
            where r.state = 'held' and r.expires_at > $3
                and not exists (select from [stock_movement] m where m.sku_id = r.sku_id and m.location_id = r.location_id
                    and m.on_hand_delta < m.unsellable_delta and m.kind not in ('shipped', 'transfer_out')
                    and greatest(m.occurred_at, m.created_at) >= r.created_at)
                and not exists (select from [supply] s where s.sku_id = r.sku_id and s.location_id = r.location_id
                    and (s.date_revision > 0 or s.cancelled > 0 or s.usable_date < p.today))
        ),
        event as (
            select c.sku_id, c.location_id, c.day, -c.quantity as claimed, 0 as base, 0 as protected from claim c
            union all
            select p.sku_id, p.location_id, p.today, -s.allocated, s.on_hand - s.unsellable, 0
            from place p join [stock_level] s using (sku_id, location_id)
            union all
            select p.sku_id, p.location_id, case when s.usable_date < p.today then p.today + s.overdue_days
                else s.usable_date end, 0, s.quantity - s.received - s.cancelled, 0
            from place p join [supply] s using (sku_id, location_id) where s.quantity > s.received + s.cancelled
            union all
            select p.sku_id, p.location_id, greatest(x.from_date, p.today), 0, 0, x.quantity - x.before
            from place p join (select y.*, lag(y.quantity, 1, 0) over (partition by y.sku_id, y.location_id
                order by y.from_date) as before from [protected_stock] y where y.demand_class = '') x
                using (sku_id, location_id)
        ),
        run as (
            select sku_id, location_id, day, sum(sum(claimed)) over w as claimed, sum(sum(base)) over w as base,
                sum(sum(protected)) over w as protected
            from event group by sku_id, location_id, day
            window w as (partition by sku_id, location_id order by day)
        ),
        low as (
            select distinct on (sku_id, location_id) sku_id, location_id, day, base + claimed as projected, protected,
                min(base - protected) over (partition by sku_id, location_id) as uncommitted
            from run order by sku_id, location_id, base + claimed - protected, day
        )
        select low.sku_id, low.location_id, low.day, low.projected, low.protected
        from low left join (select y.sku_id, y.location_id, min(y.created_at) as at from [peg] y
            group by y.sku_id, y.location_id) oldest using (sku_id, location_id)
        where low.projected < 0 or low.projected < low.protected and low.uncommitted >= 0
            and not exists (select from [protected_stock] y where y.sku_id = low.sku_id
                and y.location_id = low.location_id and (y.demand_class <> '' or y.updated_at >= oldest.at))
            and not exists (select from [supply] s where s.sku_id = low.sku_id and s.location_id = low.location_id
                and (s.date_revision > 0 or s.cancelled > 0 or s.usable_date < low.day))
            and not exists (select from [stock_movement] m where m.sku_id = low.sku_id
                and m.location_id = low.location_id and m.on_hand_delta < m.unsellable_delta
                and m.kind not in ('shipped', 'transfer_out') and m.created_at >= oldest.at)""",
}
