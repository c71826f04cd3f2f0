"""What a replay found: figures from the database and the live stream, as JSON and as a table."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import asyncpg
from rich.console import Console
from rich.table import Table

from core.database import Database
from core.services.reconcile_stock import recount
from core.settings import Settings
from core.unit_of_work import run_unit_of_work
from workers.commands.replaying.stream import stream_head


@dataclass(frozen=True, slots=True)
class Report:
    """Rates are shares of 1, quantities base units, `seconds` wall time; names are those of the published report."""

    orders: int
    lines: int
    units: int
    unitFillRate: float
    lineFillRate: float
    backordersOpened: int
    backordersFilled: int
    backordersOpen: int
    backordersCancelled: int
    backordersByCause: dict[str, int]
    backorderEvidence: dict[str, dict[str, Any]]
    """One backorder of each cause with the rows that prove it."""
    firstPromiseKeptRate: float | None
    medianPromiseDays: float | None
    lateDaysP90: float | None
    promiseMovesPerOrder: float
    purchaseOrders: int
    purchaseOrderLines: int
    foresight: bool
    """Did reorder points follow forecasts."""
    averageStockUnits: float
    averageStockValue: float
    """On hand at the ends of all days, at cost in major units of the company's currency."""
    ediDocumentsByOutcome: dict[str, int]
    oversoldUnits: int
    ledgerDifferences: int
    differences: list[dict[str, Any]]
    datedPromisesWithoutPeg: int
    outboxEvents: int
    publishedEvents: int
    rejectedRows: int
    rejectsFile: str
    seconds: float
    linesPerSecond: float
    peakMemoryMb: float
    secondsByPhase: dict[str, float]
    """Of this run, by what was played; `rest` is waiting for the system's own jobs."""

    @property
    def is_sound(self) -> bool:
        """The three zeros: nothing oversold, no difference in the ledger, no event lost on its way."""
        return not self.oversoldUnits and not self.ledgerDifferences and self.outboxEvents == self.publishedEvents

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


_DEMAND = """
select count(distinct o.id) as orders, count(*) as lines, coalesce(sum(l.ordered), 0) as units,
    coalesce(sum(f.at_once), 0) as units_at_once, count(*) filter (where f.at_once >= l.ordered) as lines_at_once
from sales_order o join order_line l on l.order_id = o.id
left join lateral (select sum((s ->> 'quantity')::int) filter (where s ->> 'source' = 'ON_HAND') as at_once
    from promise p cross join lateral jsonb_array_elements(p.slices) s
    where p.sku_id = l.sku_id and p.order_line_id = l.id and p.sequence = 1) f on true
"""

_PROMISES = """
with first as (
    select l.sku_id, l.id, o.placed_at::date as placed, l.ordered, l.cancelled, l.shipped, l.delivered,
        (select max(coalesce(s ->> 'deliveryDate', s ->> 'shipDate'))::date from jsonb_array_elements(p.slices) s) as promised
    from promise p join order_line l on l.sku_id = p.sku_id and l.id = p.order_line_id
    join sales_order o on o.id = l.order_id where p.sequence = 1 and l.cancelled < l.ordered),
done as (
    select s.sku_id, s.order_line_id, max(h.delivered_at)::date as delivered, sum(s.quantity) as quantity
    from shipment_line s join shipment h on h.id = s.shipment_id where h.status = 'DELIVERED' group by 1, 2),
due as (
    select f.promised, f.placed, d.delivered, coalesce(d.quantity, 0) >= f.ordered - f.cancelled as complete
    from first f left join done d on d.sku_id = f.sku_id and d.order_line_id = f.id
    where f.promised < $1::date or coalesce(d.quantity, 0) >= f.ordered - f.cancelled)
select count(*) as due, count(*) filter (where complete and delivered <= promised) as kept,
    percentile_cont(0.9) within group (order by greatest(0, coalesce(case when complete then delivered end, $1::date) - promised))
        as late_p90,
    (select percentile_cont(0.5) within group (order by promised - placed) from first) as median_days,
    (select count(*) from promise where sequence > 1) as moves
from due
"""

_BACKORDERS = """
select cause, count(*) as opened, count(*) filter (where state = 'FILLED') as filled,
    count(*) filter (where closed_at is null) as open,
    count(*) filter (where closed_at is not null and state <> 'FILLED') as cancelled from backorder group by cause order by cause
"""

_EDI = """
select direction || ' ' || kind || ' ' || outcome as name, sum(n)::int as count from (
    select 'in' as direction, kind, case when quarantine_state is not null then 'quarantined'
        when applied_at is not null then 'applied' else 'read' end as outcome, count(*) as n
    from edi_document group by 1, 2, 3
    union all select 'out', kind, state, count(*) from edi_outbound group by 1, 2, 3) x group by 1 order by 1
"""

_STOCK = """
with moved as (
    select (m.occurred_at at time zone 'UTC')::date as day, sum(m.on_hand_delta) as units, sum(m.on_hand_delta * k.unit_cost) as value
    from stock_movement m join sku k on k.id = m.sku_id group by 1),
held as (
    select sum(coalesce(m.units, 0)) over (order by d.day) as units, sum(coalesce(m.value, 0)) over (order by d.day) as value
    from generate_series((select min(day) from moved), $1::date, interval '1 day') as d(day) left join moved m on m.day = d.day)
select avg(units) as units, avg(value) as value from held
"""

_OVERSOLD = """
select coalesce((select sum(greatest(0, allocated + unsellable - on_hand) + greatest(0, -on_hand)) from stock_level), 0)
    + coalesce((select sum(greatest(0, -balance)) from (select sum(on_hand_delta) as balance from stock_movement
        group by sku_id, location_id) m), 0)
    + coalesce((select sum(greatest(0, shipped + allocated - ordered)) from order_line), 0)
    + coalesce((select sum(greatest(0, s.sent - l.ordered)) from order_line l join (select sku_id, order_line_id,
        sum(quantity) as sent from shipment_line n join shipment h on h.id = n.shipment_id
        where h.status in ('SHIPPED', 'DELIVERED') group by 1, 2) s on s.sku_id = l.sku_id and s.order_line_id = l.id), 0)
"""

_UNPEGGED = """
select count(*) from order_line l where l.open + l.backordered > 0 and l.current_promise_id is not null
    and coalesce((select sum(quantity) from peg p where p.sku_id = l.sku_id and p.order_line_id = l.id
        and p.kind <> 'HARD'), 0) < l.open + l.backordered
"""


async def make_report(
    database: Database,
    settings: Settings,
    *,
    lines: int,
    seconds: float,
    peak_memory_mb: float,
    rejected: int,
    rejects_file: str,
    phases: dict[str, float],
    foresight: bool = False,
) -> Report:
    """Count everything anew from the tables; `lines` are the rows of the file that were played."""
    sql = database.system
    today = (await sql.fetchval("select simulated_at from simulation_clock")).date()
    demand = await _one(sql, _DEMAND)
    promises = await _one(sql, _PROMISES, today)
    causes = await sql.fetch(_BACKORDERS)
    stock = await _one(sql, _STOCK, today)
    evidence = {
        row["cause"]: {"backorder": row["id"], "orderLine": row["order_line_id"], **(row["evidence"] or {})}
        for row in await sql.fetch(
            "select distinct on (cause) cause, id, order_line_id, evidence from backorder order by cause, id"
        )
    }
    differences = await run_unit_of_work(database, recount)
    published, waiting = await stream_head(settings), await sql.fetchval("select count(*) from outbox")
    position = await sql.fetchval("select position from relay")
    count = max(demand["lines"], 1)
    return Report(
        orders=demand["orders"],
        lines=demand["lines"],
        units=int(demand["units"]),
        unitFillRate=_rate(demand["units_at_once"], demand["units"]),
        lineFillRate=_rate(demand["lines_at_once"], count),
        backordersOpened=sum(row["opened"] for row in causes),
        backordersFilled=sum(row["filled"] for row in causes),
        backordersOpen=sum(row["open"] for row in causes),
        backordersCancelled=sum(row["cancelled"] for row in causes),
        backordersByCause={row["cause"]: row["opened"] for row in causes},
        backorderEvidence=evidence,
        firstPromiseKeptRate=_rate(promises["kept"], promises["due"]) if promises["due"] else None,
        medianPromiseDays=_figure(promises["median_days"]),
        lateDaysP90=_figure(promises["late_p90"]),
        promiseMovesPerOrder=_rate(promises["moves"], max(demand["orders"], 1)),
        purchaseOrders=await sql.fetchval("select count(*) from purchase_order") or 0,
        purchaseOrderLines=await sql.fetchval("select count(*) from purchase_order_line") or 0,
        foresight=foresight,
        averageStockUnits=round(float(stock["units"] or 0), 1),
        averageStockValue=round(float(stock["value"] or 0) / 100, 2),
        ediDocumentsByOutcome={row["name"]: row["count"] for row in await sql.fetch(_EDI)},
        oversoldUnits=int(await sql.fetchval(_OVERSOLD) or 0),
        ledgerDifferences=sum(difference.count for difference in differences),
        differences=[{"check": difference.check, "rows": difference.rows[:5]} for difference in differences],
        datedPromisesWithoutPeg=await sql.fetchval(_UNPEGGED) or 0,
        outboxEvents=(position or 0) + (waiting or 0),
        publishedEvents=published,
        rejectedRows=rejected,
        rejectsFile=rejects_file,
        seconds=round(seconds, 1),
        linesPerSecond=round(lines / seconds, 1) if seconds else 0.0,
        peakMemoryMb=round(peak_memory_mb, 1),
        secondsByPhase={name: round(value, 1) for name, value in sorted(phases.items(), key=lambda item: -item[1])},
    )


async def _one(sql: asyncpg.Pool, query: str, *arguments: Any) -> asyncpg.Record:
    row = await sql.fetchrow(query, *arguments, timeout=600)
    assert row is not None
    return row


def _rate(part: Any, whole: Any) -> float:
    return round(float(part) / float(whole), 4) if whole else 0.0


def _figure(value: Any) -> float | None:
    return None if value is None else round(float(value), 2)


def print_report(report: Report, console: Console) -> None:
    """The report as a table for people."""
    table = Table(title="Replay", show_header=False)
    table.add_column("figure")
    table.add_column("value", justify="right")
    for name, value in report.as_json().items():
        if name in ("backorderEvidence", "differences"):
            continue
        if isinstance(value, dict):
            table.add_row(name, "")
            for key, count in value.items():
                table.add_row(f"  {key}", f"{count:,}")
        elif isinstance(value, float):
            table.add_row(name, f"{value:,.4f}" if value < 1 else f"{value:,.1f}")
        else:
            table.add_row(name, f"{value:,}" if isinstance(value, int) else str(value))
    console.print(table)
    for cause, rows in report.backorderEvidence.items():
        console.print(f"[bold]{cause}[/bold] e.g. {rows}", soft_wrap=True)
    verdict = (
        "oversold 0, ledger differences 0, every event published" if report.is_sound else "NOT SOUND: see differences"
    )
    console.print(f"[bold {'green' if report.is_sound else 'red'}]{verdict}[/]")
