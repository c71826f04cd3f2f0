"""Write forecasts, what became of earlier ones, broken figures, and stock targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from core.domain.input_faults import InputFault
from core.ports import Transaction

JUDGED_AFTER = timedelta(days=28)
_JUDGE = """update demand_forecast f set actual = coalesce((
    select sum((s.part ->> 'quantity')::int) from promise p
    join order_line l on l.sku_id = p.sku_id and l.id = p.order_line_id
    join sales_order o on o.id = l.order_id cross join lateral jsonb_array_elements(p.slices) as s(part)
    where p.sequence = 1 and p.sku_id = f.sku_id and (s.part ->> 'location')::bigint = f.location_id
        and o.placed_at > f.made_at and o.placed_at <= f.made_at + $2::interval), 0)
where f.actual is null and f.made_at + $2::interval <= $1"""
_FORECAST = (
    "method", "weekly_mean", "centre", "weekly_variance", "centre_variance", "weeks_known", "weeks_corrected",
    "weeks_left_out", "p90_horizon",
)  # fmt: skip
_TARGET = (
    "abc", "xyz", "service_level", "weekly_mean", "weekly_sd", "lead_time_days", "lead_time_sd_days", "safety_stock",
    "reorder_point", "order_quantity", "on_hand", "position", "suggested", "cover_days", "flags", "urgency", "reasons",
    "effect",
)  # fmt: skip


async def judge_forecasts(uow: Transaction) -> int:
    """Say of every forecast whose four weeks have passed what was asked for in them; returns how many."""
    done = await uow.sql.execute(_JUDGE, uow.now, JUDGED_AFTER)
    return int(done.rpartition(" ")[2])


async def write_forecasts(uow: Transaction, rows: Sequence[Mapping[str, Any]]) -> None:
    """Today's forecasts; those of an earlier run of the same day are replaced."""
    await uow.sql.executemany(
        f"""insert into demand_forecast (sku_id, location_id, made_on, made_at, {", ".join(_FORECAST)})
        values ($1, $2, $3, $4, {", ".join(f"${n + 5}" for n in range(len(_FORECAST)))})
        on conflict (sku_id, location_id, made_on) do update set made_at = excluded.made_at,
            {", ".join(f"{name} = excluded.{name}" for name in _FORECAST)}""",
        [
            (row["sku_id"], row["location_id"], uow.now.date(), uow.now, *(row[name] for name in _FORECAST))
            for row in rows
        ],
    )


async def write_faults(uow: Transaction, faults: Sequence[InputFault]) -> int:
    """List broken figures once each; returns how many are new."""
    rows = await uow.sql.fetch(
        """insert into input_fault (subject, reason, action, sku_id, location_id, day, value, usual, found_at)
        select u.*, $9 from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::date[], $7::float8[],
            $8::float8[]) as u on conflict (subject, reason) do nothing returning id""",
        [fault.subject for fault in faults],
        [str(fault.reason) for fault in faults],
        [str(fault.action) for fault in faults],
        [fault.sku_id for fault in faults],
        [fault.location_id for fault in faults],
        [fault.day for fault in faults],
        [fault.value for fault in faults],
        [fault.usual for fault in faults],
        uow.now,
    )
    return len(rows)


async def write_targets(uow: Transaction, rows: Sequence[Mapping[str, Any]]) -> None:
    """Replace all targets by these."""
    await uow.sql.execute("delete from stock_target")
    await uow.sql.executemany(
        f"""insert into stock_target (sku_id, location_id, computed_at, {", ".join(_TARGET)})
        values ($1, $2, $3, {", ".join(f"${n + 4}" for n in range(len(_TARGET)))})""",
        [(row["sku_id"], row["location_id"], uow.now, *(row[name] for name in _TARGET)) for row in rows],
    )
