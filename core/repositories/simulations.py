"""Rows of simulations."""

from __future__ import annotations

from typing import Any

from core.domain.states import SimulationState
from core.ports import Transaction


async def insert_simulation(
    uow: Transaction, name: str, horizon_days: int, seed: int, question: dict[str, Any]
) -> tuple[int, int]:
    """A new simulation that waits to be computed; (id, version)."""
    row = await uow.sql.fetchrow(
        """insert into simulation_run (name, horizon_days, seed, question, actor, created_at, updated_at)
        values ($1, $2, $3, $4, $5, $6, $6) returning id, version""",
        name,
        horizon_days,
        seed,
        question,
        uow.principal.id,
        uow.now,
    )
    return row["id"], row["version"]


async def lock_simulation(uow: Transaction, id: int) -> Any:
    """The row, locked, or None."""
    return await uow.sql.fetchrow("select * from simulation_run where id = $1 for no key update", id)


async def finish_simulation(
    uow: Transaction,
    id: int,
    state: SimulationState,
    *,
    result: dict[str, Any] | None = None,
    error: str | None = None,
    snapshot_at: Any = None,
) -> bool:
    """Give a simulation that is being computed its end; False when it has one already."""
    done = await uow.sql.fetchval(
        """update simulation_run set state = $2, result = $3, error = $4, snapshot_at = $5, finished_at = $6,
            updated_at = $6, version = version + 1 where id = $1 and state = 'COMPUTING' returning id""",
        id,
        str(state),
        result,
        error,
        snapshot_at,
        uow.now,
    )
    return done is not None


async def end_abandoned(uow: Transaction) -> None:
    """Simulations whose job is dead have failed; those whose job was cancelled are."""
    await uow.sql.execute(
        """update simulation_run s set version = version + 1, updated_at = $1, finished_at = $1, error = j.error,
            state = case j.state when 'cancelled' then 'CANCELLED' else 'FAILED' end
        from (select distinct on (key) key, state, error from job_run where function = 'run_simulation'
            order by key, id desc) j
        where s.state = 'COMPUTING' and j.key = s.id::text and j.state in ('dead', 'failed', 'cancelled')""",
        uow.now,
    )
