"""The recount after the swarm: every unit from the movement ledger, every event, every key, every log."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from core.database import Database
from core.services.anchor_seals import inspect_heads
from core.services.recount_ledgers import recount
from core.services.verify_ledgers import verify_ledgers
from core.settings import Settings
from core.unit_of_work import run_unit_of_work

# Independent of the product's own checks: written from the data model, without looking at them.
OWN_RECOUNT: dict[str, str] = {
    "oversold": "select sku_id, location_id from stock_level where allocated + unsellable > on_hand",
    "counter is not its ledger": """select s.sku_id, s.location_id, s.on_hand, s.unsellable, s.allocated, m.h, m.u, m.a
        from stock_level s cross join lateral (select coalesce(sum(x.on_hand_delta), 0) as h,
            coalesce(sum(x.unsellable_delta), 0) as u, coalesce(sum(x.allocated_delta), 0) as a from stock_movement x
            where x.sku_id = s.sku_id and x.location_id = s.location_id) m
        where s.on_hand <> m.h or s.unsellable <> m.u or s.allocated <> m.a""",
    "allocated without a HARD peg": """select s.sku_id, s.location_id from stock_level s where s.allocated <> (
        select coalesce(sum(p.quantity), 0) from peg p where p.sku_id = s.sku_id and p.location_id = s.location_id
            and p.kind = 'HARD')""",
    "line is not its pegs": """select l.sku_id, l.id, l.allocated, l.open + l.backordered, p.hard, p.waiting
        from order_line l cross join lateral (select coalesce(sum(x.quantity) filter (where x.kind = 'HARD'), 0) as hard,
            coalesce(sum(x.quantity) filter (where x.kind <> 'HARD'), 0) as waiting
            from peg x where x.sku_id = l.sku_id and x.order_line_id = l.id) p
        where l.allocated <> p.hard or l.open + l.backordered <> p.waiting""",
    "supply is not its pegs": """select s.sku_id, s.id from supply s where s.pegged <> (
        select coalesce(sum(p.quantity), 0) from peg p where p.sku_id = s.sku_id and p.supply_id = s.id)""",
    "backorder is not its line": """select l.sku_id, l.id from order_line l where l.backordered <> (
        select coalesce(sum(b.quantity), 0) from backorder b where b.sku_id = l.sku_id and b.order_line_id = l.id
            and b.closed_at is null)""",
    "one key, two orders": """select external_number from sales_order where external_number is not null
        group by channel, external_number having count(*) > 1""",
    "hold that nobody ends": "select group_id from reservation where state = 'held' and expires_at < now() - interval '1 minute'",
    "positions with a gap": """select position from (select position, lag(position) over (order by position) as before
        from event) x where before is not null and position <> before + 1""",
    "order event out of order": """select a.position from (select position, order_id, (payload ->> 'version')::int as version,
            lag((payload ->> 'version')::int) over (partition by order_id order by position) as before
        from event where topic = 'order') a where version < before""",
    "order change without its event": """select o.id, o.number, o.version, e.told from sales_order o
        cross join lateral (select max((x.payload ->> 'version')::int) as told from event x
            where x.topic = 'order' and x.order_id = o.id) e
        where o.external_number like 'swarm-%' and e.told is distinct from o.version""",
    "backorder change without its event": """select b.sku_id, b.id, b.version, e.told from backorder b
        cross join lateral (select max((x.payload ->> 'version')::int) as told from event x
            where x.topic = 'backorder' and x.key = 'backorder:' || b.id) e
        where b.created_at > (select min(occurred_at) from event) and e.told is distinct from b.version""",
    "backorder without a next step": """select b.sku_id, b.id, b.state, b.updated_at from backorder b
            join order_line l on l.sku_id = b.sku_id and l.id = b.order_line_id
            left join backorder_course c on c.sku_id = b.sku_id and c.backorder_id = b.id
            left join option_offer o on o.sku_id = b.sku_id and o.backorder_id = b.id and o.state = 'OPEN'
            cross join lateral (select count(*) filter (where p.kind = 'OPEN') as bare,
                    count(*) filter (where p.kind = 'OPEN' and p.cause = 'QUOTA') as rationed from peg p
                where p.sku_id = b.sku_id and p.order_line_id = l.id and p.kind <> 'HARD') p
            cross join lateral (select exists (select from order_hold h
                where h.order_id = l.order_id and h.released_at is null) as held) h
        where b.closed_at is null and (
            (b.state in ('PROVISIONAL', 'SOURCING') and not coalesce(c.is_paused, false) and p.rationed = 0)
            or (b.state = 'AWAITING_SUPPLY' and p.bare = 0) or (b.state in ('PEGGED', 'DELAYED') and p.bare > 0)
            or (b.state = 'ON_HOLD') <> h.held
            or (b.state = 'OPTION_OFFERED' and (o.id is null or o.deadline < now() - interval '2 minutes'))
            or b.state = 'CANCEL_PENDING')""",
    "nothing was asked of a supplier": """select b.sku_id, b.id, b.state, c.steps::text from backorder b
            left join backorder_course c on c.sku_id = b.sku_id and c.backorder_id = b.id
        where b.closed_at is null and b.state = 'AWAITING_SUPPLY' and not coalesce(c.is_paused, false)
            and not exists (select from peg p where p.sku_id = b.sku_id and p.order_line_id = b.order_line_id
                and p.kind = 'OPEN' and p.cause = 'QUOTA')
            and not exists (select from purchase_order_line p where p.sku_id = b.sku_id
                and p.unanswered + p.accepted + p.supplier_backordered + p.held + p.in_transit > 0)""",
    "order hold past its end": """select id, order_id from order_hold where released_at is null
        and release_deadline < now() - interval '2 minutes' and on_deadline <> 'ESCALATE'""",
    "unit without a document": """select k.id, k.code, m.received, r.units, m.shipped, s.units, m.returned, b.units from sku k
        cross join lateral (select coalesce(sum(on_hand_delta) filter (where kind = 'received'), 0) as received,
            -coalesce(sum(on_hand_delta) filter (where kind = 'shipped'), 0) as shipped,
            coalesce(sum(on_hand_delta) filter (where kind = 'returned'), 0) as returned from stock_movement x
            where x.sku_id = k.id and x.occurred_at > (select min(placed_at) from sales_order
                where external_number like 'swarm-%')) m
        cross join lateral (select coalesce(sum(x.quantity + x.over_delivered), 0) as units from goods_receipt_line x
            join goods_receipt g on g.id = x.goods_receipt_id
            where x.sku_id = k.id and not exists (select from supply t where t.sku_id = k.id and t.id = x.supply_id and t.kind = 'transfer')
                and x.created_at > (select min(placed_at) from sales_order where external_number like 'swarm-%')) r
        cross join lateral (select coalesce(sum(x.quantity), 0) as units from shipment_line x
            join shipment h on h.id = x.shipment_id where x.sku_id = k.id and h.shipped_at >
                (select min(placed_at) from sales_order where external_number like 'swarm-%')) s
        cross join lateral (select coalesce(sum(x.quantity), 0) as units from order_return x
            where x.sku_id = k.id and x.received_at > (select min(placed_at) from sales_order
                where external_number like 'swarm-%')) b
        where (m.received, m.shipped, m.returned) is distinct from (r.units, s.units, b.units)""",
    "line without its promise": """select l.sku_id, l.id, l.promise_sequence, p.n, p.newest from order_line l
        cross join lateral (select count(*) as n, max(x.sequence) as newest, max(x.id) as id from promise x
            where x.sku_id = l.sku_id and x.order_line_id = l.id) p
        where p.n <> l.promise_sequence or coalesce(p.newest, 0) <> l.promise_sequence
            or l.current_promise_id is distinct from p.id or (p.n = 0 and l.status not in ('RECEIVED', 'CANCELLED'))""",
    "lot is not its ledger": """select l.sku_id, l.id, l.on_hand, l.unsellable, l.allocated, m.h, m.u, m.a from lot l
        cross join lateral (select coalesce(sum(x.on_hand_delta), 0) as h, coalesce(sum(x.unsellable_delta), 0) as u,
            coalesce(sum(x.allocated_delta), 0) as a from stock_movement x where x.sku_id = l.sku_id and x.lot_id = l.id) m
        where (l.on_hand, l.unsellable, l.allocated) is distinct from (m.h, m.u, m.a) or l.allocated + l.unsellable > l.on_hand""",
    "moved without its lot": """select x.sku_id, x.id from stock_movement x join sku k on k.id = x.sku_id
        where k.tracks_lots <> (x.lot_id is not null)""",
    "unit left more than once": """select u.sku_id, u.code, u.state, m.out, m.back from serial_unit u
        cross join lateral (select count(*) filter (where x.kind = 'shipped') as out,
            count(*) filter (where x.kind = 'returned') as back from serial_movement x
            where x.sku_id = u.sku_id and x.serial_unit_id = u.id) m
        where m.out - m.back <> (u.state = 'shipped')::int""",
    "units without their numbers": """select k.code, s.units, n.units as numbers, n.gone, h.units as shipped from sku k
        cross join lateral (select coalesce(sum(x.on_hand), 0) + coalesce((select sum(t.shipped - t.received)
            from transfer t where t.sku_id = k.id), 0) as units from stock_level x where x.sku_id = k.id) s
        cross join lateral (select count(*) filter (where x.state in ('in_stock', 'quarantined')) as units,
            count(*) filter (where x.state = 'shipped') as gone from serial_unit x where x.sku_id = k.id) n
        cross join lateral (select coalesce(sum(x.shipped), 0) - coalesce((select sum(r.quantity) from order_return r
            where r.sku_id = k.id), 0) as units from order_line x where x.sku_id = k.id) h
        where k.tracks_serials and (s.units, h.units) is distinct from (n.units, n.gone)""",
    "parts of a kit out of step": """select order_id, kit_line_number, array_agg((ordered - cancelled)::numeric / kit_quantity)
        from order_line where kit_sku_id is not null group by 1, 2
        having count(distinct (ordered - cancelled)::numeric / kit_quantity) > 1
            or bool_or((ordered - cancelled) % kit_quantity <> 0)""",
    "claim before the release day": """select p.sku_id, p.id, p.need_date, k.available_from from peg p
        join sku k on k.id = p.sku_id join order_line l on l.sku_id = p.sku_id and l.id = p.order_line_id
        where k.status = 'PREORDER' and p.kind <> 'HARD' and p.need_date < k.available_from""",
    "message that nobody finished": "select id, kind from edi_document where delivery = 'received'",
}
BAD_LOG = re.compile(
    r"violates \w+[ -]\w+ constraint|deadlock detected|InvariantBroken|without the gate of SKU|is append-only",
    re.IGNORECASE,
)


STORY = """select 'line' as what, to_jsonb(l) - 'created_at' as row, 0 as n from order_line l where l.id = $1
    union all select 'peg', to_jsonb(p), 1 from peg p where p.order_line_id = $1
    union all select 'promise ' || sequence, jsonb_build_object('cause', cause_kind, 'at', created_at, 'slices', slices), 2
        from promise where order_line_id = $1
    union all select 'movement', jsonb_build_object('kind', kind, 'at', occurred_at, 'allocated', allocated_delta,
        'cause', cause_kind), 3 from stock_movement where order_line_id = $1
    union all select 'event ' || e.kind, jsonb_build_object('at', e.occurred_at, 'line', e.payload -> 'lineNumber',
        'quantity', e.payload -> 'quantity', 'reason', e.payload -> 'reason'), 3
        from event e join order_line l on l.order_id = e.order_id where l.id = $1
    order by 3, 2"""


async def _stories(database: Database, found: dict[str, Any]) -> list[str]:
    """What happened to the first lines at fault, so that a report can be followed up."""
    told: list[str] = []
    for check, _, rows in found["auditor"]:
        for row in rows[:1]:
            if row.get("order_line_id"):
                told.append(f"--- {check}: line {row['order_line_id']}")
                told += [f"{r['what']}: {r['row']}" for r in await database.system.fetch(STORY, row["order_line_id"])]
    for order_id, number, *_ in found["order change without its event"][:2]:
        told.append(f"--- order change without its event: {number}")
        told += [
            f"{r['what']}: {r['row']}"
            for r in await database.system.fetch(
                """select 'order' as what, jsonb_build_object('version', version, 'at', updated_at, 'status', status) as row
                from sales_order where id = $1
                union all select 'audit', jsonb_build_object('operation', a.operation, 'object', a.object, 'by', a.request_id)
                from audit_entry a join sales_order o on o.updated_at = a.at where o.id = $1
                union all select 'event at that instant', jsonb_build_object('topic', e.topic, 'kind', e.kind,
                    'payload', e.payload) from event e join sales_order o on o.updated_at = e.occurred_at where o.id = $1
                union all select 'line', jsonb_build_object('line', l.id, 'at', l.updated_at, 'status', l.status)
                from order_line l where l.order_id = $1""",
                order_id,
            )
        ]
    return told


async def judge(dsn: str, data: Path, seal_key: bytes, numbers: dict[str, str], seen: list[int]) -> dict[str, Any]:
    """Everything that must be empty or equal; an empty list under every name means that the system is sound."""
    found: dict[str, Any] = {}
    async with Database(Settings(database_url=dsn, env="test", pool_size=2)) as database:
        for name, sql in OWN_RECOUNT.items():
            found[name] = [tuple(row) for row in await database.system.fetch(sql)][:10]
        found["auditor"] = [
            (difference.check, difference.count, difference.rows[:3])
            for difference in await run_unit_of_work(database, recount)
        ]
        file = inspect_heads(data / "seals.log", seal_key)
        reports = await run_unit_of_work(database, lambda uow: verify_ledgers(uow, file.heads, key=seal_key))
        found["seals"] = [*file.faults, *(fault for report in reports for fault in report.faults)]
        placed = {
            row["external_number"]: row["number"]
            for row in await database.system.fetch(
                "select external_number, number from sales_order where external_number like 'swarm-%'"
            )
        }
        found["acknowledged and not there"] = [pair for pair in numbers.items() if placed.get(pair[0]) != pair[1]]
        found["there and never acknowledged"] = sorted(placed.keys() - numbers.keys())[:10]
        events = [
            row["position"]
            for row in await database.system.fetch(
                "select position from event where topic = 'order' and position >= $1 and position <= $2 order by position",
                seen[0] if seen else 0,
                seen[-1] if seen else -1,
            )
        ]
        found["events not delivered once in order"] = [] if events == seen else _first_difference(events, seen)
        found["deadlocks"] = await database.system.fetchval(
            "select deadlocks from pg_stat_database where datname = current_database()"
        )
        found["dead jobs"] = [
            (row["function"], (row["error"] or "")[:300])
            for row in await database.system.fetch("select function, error from job_run where state = 'dead'")
        ]
        found["stories"] = await _stories(database, found)
    found["constraints met"] = _bad_lines(data / "log")
    return found


def _first_difference(events: list[int], seen: list[int]) -> list[Any]:
    missing, more = sorted(set(events) - set(seen))[:5], sorted(set(seen) - set(events))[:5]
    doubled = len(seen) - len(set(seen))
    ordered = seen == sorted(seen)
    return [{"missing": missing, "unknown": more, "doubled": doubled, "ordered": ordered, "events": len(events)}]


def _bad_lines(folder: Path) -> list[str]:
    lines: list[str] = []
    for log in sorted(folder.glob("*.log")):
        for line in log.read_text(errors="replace").splitlines():
            if BAD_LOG.search(line):
                lines.append(f"{log.name}: {line.strip()[:220]}")
    return lines[:20]
