"""Write snapshots and, once it is known, what became of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from core.ports import Transaction


async def write_snapshots(uow: Transaction, rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> int:
    """Keep these figures (`names` of each row) as the snapshots of their days, taken now; a second look replaces the first.

    Returns how many. A row whose outcome is known is never replaced.
    """
    done = await uow.sql.execute(
        f"""insert into risk_snapshot (sku_id, location_id, day, taken_at, {", ".join(names)})
        select u.sku_id, u.location_id, u.day, $1, {", ".join(f"u.{name}" for name in names)}
        from unnest($2::bigint[], $3::bigint[], $4::date[], {", ".join(f"${n + 5}::float8[]" for n in range(len(names)))})
            as u(sku_id, location_id, day, {", ".join(names)})
        on conflict (sku_id, location_id, day) do update set taken_at = excluded.taken_at,
            {", ".join(f"{name} = excluded.{name}" for name in names)}
        where risk_snapshot.went_short is null""",
        uow.now,
        *([row[key] for row in rows] for key in ("sku_id", "location_id", "day", *names)),
    )
    return int(done.rpartition(" ")[2])


async def write_labels(uow: Transaction, horizon_days: int) -> int:
    """Say of every snapshot whose horizon has passed whether a line went short there within it; returns how many."""
    done = await uow.sql.execute(
        """update risk_snapshot s set labelled_at = $1, went_short = exists (
            select from backorder b where b.sku_id = s.sku_id and b.location_id = s.location_id
                and b.opened_at > s.taken_at and b.opened_at <= s.taken_at + $2::interval)
        where s.went_short is null and s.taken_at + $2::interval <= $1""",
        uow.now,
        timedelta(days=horizon_days),
    )
    return int(done.rpartition(" ")[2])


async def write_probabilities(
    uow: Transaction,
    model_id: int | None,
    taken_at: datetime,
    keys: Sequence[tuple[int, int]],
    probabilities: Sequence[float],
) -> None:
    """Keep on the snapshots of that instant what was said of them, and by which model."""
    await uow.sql.execute(
        """update risk_snapshot s set model_id = $1, probability = u.probability
        from unnest($2::bigint[], $3::bigint[], $4::float8[]) as u(sku_id, location_id, probability)
        where s.sku_id = u.sku_id and s.location_id = u.location_id and s.taken_at = $5""",
        model_id,
        [sku_id for sku_id, _ in keys],
        [location_id for _, location_id in keys],
        list(probabilities),
        taken_at,
    )
