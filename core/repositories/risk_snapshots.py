"""Write snapshots and, once it is known, what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from core.ports import Transaction
from core.queries.risk_snapshot import AS_OF, FIGURES, ON_TIME_DAYS


async def write_snapshots(uow: Transaction, sku_ids: Sequence[int] | None = None) -> int:
    """One row per SKU and location for its present day, from what is recorded by now; a second look replaces the first.

    Returns how many. A row whose outcome is known is never replaced.
    """
    columns = ", ".join(FIGURES)
    done = await uow.sql.execute(
        f"""insert into risk_snapshot (sku_id, location_id, day, taken_at, {columns})
        select f.sku_id, f.location_id, f.day, $1::timestamptz, {", ".join(f"f.{name}" for name in FIGURES)} from ({AS_OF}) f
        on conflict (sku_id, location_id, day) do update set taken_at = excluded.taken_at,
            {", ".join(f"{name} = excluded.{name}" for name in FIGURES)}
        where risk_snapshot.went_short is null""",
        uow.now,
        ON_TIME_DAYS,
        None if sku_ids is None else list(sku_ids),
        None,
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
    uow: Transaction, model_id: int | None, keys: Sequence[tuple[int, int]], probabilities: Sequence[float]
) -> None:
    """Keep on the snapshots of this instant what was said of them, and by which model."""
    await uow.sql.execute(
        """update risk_snapshot s set model_id = $1, probability = u.probability
        from unnest($2::bigint[], $3::bigint[], $4::float8[]) as u(sku_id, location_id, probability)
        where s.sku_id = u.sku_id and s.location_id = u.location_id and s.taken_at = $5""",
        model_id,
        [sku_id for sku_id, _ in keys],
        [location_id for _, location_id in keys],
        list(probabilities),
        uow.now,
    )
