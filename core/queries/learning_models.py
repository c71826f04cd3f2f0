"""Which models there are, what they were fitted on, how good they were, and what later looks at them found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import asyncpg

_COLUMNS = """m.id, m.kind, m.spoke, m.state, m.sha256, m.format, m.trained_from, m.trained_until, m.rows, m.positives,
    m.features, m.libraries, m.metrics, m.baseline, m.cause, m.verdict, m.promoted_at, m.retired_at, m.created_at,
    length(m.artefact) as bytes"""


async def active_model(sql: asyncpg.Connection, kind: str) -> dict[str, Any] | None:
    """The model that speaks, with its bytes and its reference; None before the first."""
    row = await sql.fetchrow("select * from learning_model where kind = $1 and state = 'ACTIVE'", kind)
    return None if row is None else dict(row)


async def models_of(sql: asyncpg.Connection, kind: str, limit: int = 50) -> list[asyncpg.Record]:
    """Models of a kind without their bytes, newest first."""
    return await sql.fetch(
        f"select {_COLUMNS} from learning_model m where m.kind = $1 order by m.id desc limit $2", kind, limit
    )


async def models_by_ids(sql: asyncpg.Connection, ids: Sequence[int]) -> list[asyncpg.Record]:
    """These models without their bytes."""
    return await sql.fetch(f"select {_COLUMNS} from learning_model m where m.id = any($1::bigint[])", list(ids))


async def checks_of(sql: asyncpg.Connection, model_ids: Sequence[int], limit: int = 30) -> list[asyncpg.Record]:
    """The newest looks at these models, newest first."""
    return await sql.fetch(
        "select * from model_check where model_id = any($1::bigint[]) order by id desc limit $2", list(model_ids), limit
    )


async def track_record(sql: asyncpg.Connection, kind: str) -> list[asyncpg.Record]:
    """Per model: how many snapshots it scored, of how many the outcome is known, what it said and what came."""
    return await sql.fetch(
        """select m.id as model_id, count(*)::int as scored, count(s.went_short)::int as judged,
            avg(s.probability) filter (where s.went_short is not null) as mean_prediction,
            avg(s.went_short::int)::float8 as observed_rate, min(s.day) as first_day, max(s.day) as last_day
        from risk_snapshot s join learning_model m on m.id = s.model_id where m.kind = $1 and s.backordered = 0
        group by m.id order by m.id desc""",
        kind,
    )


async def judged_snapshots(sql: asyncpg.Connection, model_id: int, days: int) -> list[dict[str, Any]]:
    """(probability, went_short) of the snapshots that a model scored and whose outcome came within the last days."""
    rows = await sql.fetch(
        """select probability, went_short from risk_snapshot where model_id = $1 and went_short is not null
            and backordered = 0 and labelled_at > (select max(labelled_at) from risk_snapshot) - make_interval(days => $2)""",
        model_id,
        days,
    )
    return [dict(row) for row in rows]
