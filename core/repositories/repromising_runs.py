"""Rows of runs, of what they propose, and of saved variants."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

import msgspec

from core.domain.network import Network
from core.domain.repromising.effects import Effect, Why
from core.domain.repromising.proposal import Change
from core.domain.states import RepromisingDiffState as DiffState
from core.domain.states import RepromisingRunState
from core.errors import NotFound
from core.ports import Transaction

COLUMNS = [
    "sku_id",
    "run_id",
    "order_line_id",
    "before",
    "after",
    "reason",
    "gate_version",
    "state",
    "order_id",
    "effect",
    "days",
    "is_forced",
    "is_charged",
    "segment",
    "applied_at",
    "created_at",
]


async def insert_run(
    uow: Transaction, variant: str | None, policy: dict[str, Any], budget: dict[str, Any] | None, seed: int | None
) -> int:
    """A run that is to be computed; without a seed its own number is one."""
    return await uow.sql.fetchval(
        """insert into repromising_run (state, variant, policy, budget, seed, actor, created_at, updated_at)
        values ('computing', $1, $2, $3, coalesce($4, currval('repromising_run_id_seq')), $5, $6, $6) returning id""",
        variant,
        policy,
        budget,
        seed,
        uow.principal.id,
        uow.now,
    )


async def lock_run(uow: Transaction, run_id: int) -> dict[str, Any]:
    """The run, locked. Only while no gate is held. Raises NotFound."""
    row = await uow.sql.fetchrow("select * from repromising_run where id = $1 for no key update", run_id)
    if row is None:
        raise NotFound("re-promising run", str(run_id))
    return dict(row)


async def set_state(uow: Transaction, run_id: int, state: RepromisingRunState, **columns: Any) -> None:
    """Move the run on, with the given columns; its version rises."""
    names = list(columns)
    sets = "".join(f", {name} = ${n + 4}" for n, name in enumerate(names))
    await uow.sql.execute(
        f"update repromising_run set state = $2, version = version + 1, updated_at = $3{sets} where id = $1",
        run_id,
        str(state),
        uow.now,
        *[columns[name] for name in names],
    )


async def take_publishers_turn(uow: Transaction) -> None:
    """One publisher at a time, over all runs, until the transaction ends. Only before the run's row and the gates."""
    await uow.sql.execute("select pg_advisory_xact_lock(hashtextextended('repromising:publish', 0))")


async def spared_orders(uow: Transaction, window_days: int, run_id: int) -> list[int]:
    """Orders that another run has worsened by its own choice within the window."""
    rows = await uow.sql.fetch(
        """select distinct order_id from repromising_diff
        where applied_at > $1 and is_charged and order_id is not null and run_id <> $2""",
        uow.now - timedelta(days=window_days),
        run_id,
    )
    return [row["order_id"] for row in rows]


def parts_json(
    parts: Sequence[tuple[int, int, int, bool]], network: Network, destination_id: int | None
) -> dict[str, Any]:
    """Parts of a line as they are stored: ship days ISO, `complete` the last of them, `delivery` at the customer."""
    shown, last, arrives = [], 0, date.min
    for place, day, units, sourced in parts:
        shown.append({"location": place, "day": _iso(day), "quantity": units, "sourced": sourced})
        last = max(last, day)
        leaves = _day(day)
        arrives = max(arrives, network.delivery_date(place, destination_id, leaves) or leaves)
    return {
        "parts": shown,
        "complete": _iso(last) if shown else None,
        "delivery": arrives.isoformat() if shown else None,
    }


@lru_cache(maxsize=4_096)
def _day(ordinal: int) -> date:
    return date.fromordinal(ordinal)


@lru_cache(maxsize=4_096)
def _iso(ordinal: int) -> str:
    return date.fromordinal(ordinal).isoformat()


def parts_of(stored: dict[str, Any] | None) -> list[tuple[int, int, int, bool]]:
    """The reverse of `parts_json`."""
    return [
        (p["location"], date.fromisoformat(p["day"]).toordinal(), p["quantity"], p["sourced"])
        for p in (stored or {}).get("parts", ())
    ]


def diff_row(
    change: Change, run_id: int, version: int, network: Network, state: DiffState, now: datetime, applied: bool = False
) -> tuple[Any, ...]:
    """One row of `COLUMNS`."""
    return (
        change.sku_id,
        run_id,
        change.line_id,
        parts_json(change.before, network, change.destination_id),
        parts_json(change.after, network, change.destination_id),
        str(change.why),
        version,
        str(state),
        change.order_id,
        str(change.effect),
        change.days,
        change.is_forced,
        change.effect is Effect.LOST and not change.is_forced and change.why is not Why.FREED,
        change.segment or None,
        now if applied else None,
        now,
    )


async def write_diff(uow: Transaction, rows: Iterable[tuple[Any, ...]]) -> None:
    """Store proposed changes by COPY, a block at a time."""
    block: list[tuple[Any, ...]] = []
    for row in rows:
        block.append(row)
        if len(block) == 20_000:
            await uow.sql.copy_records_to_table("repromising_diff", records=block, columns=COLUMNS)
            block = []
    if block:
        await uow.sql.copy_records_to_table("repromising_diff", records=block, columns=COLUMNS)


async def next_skus(uow: Transaction, run_id: int, limit: int) -> list[int]:
    """SKUs with changes that are not published yet."""
    rows = await uow.sql.fetch(
        """select distinct sku_id from repromising_diff where run_id = $1 and state = 'proposed'
        order by sku_id limit $2""",
        run_id,
        limit,
    )
    return [row["sku_id"] for row in rows]


async def proposed_rows(uow: Transaction, run_id: int, sku_ids: Sequence[int]) -> list[Any]:
    """What is proposed for these SKUs and not published yet."""
    return await uow.sql.fetch(
        """select sku_id, id, order_line_id, order_id, before, after, reason, gate_version, effect, is_forced, is_charged
        from repromising_diff where run_id = $1 and sku_id = any($2::bigint[]) and state = 'proposed'
        order by sku_id, id""",
        run_id,
        list(sku_ids),
    )


async def charged_orders(uow: Transaction, run_id: int, without: Sequence[int]) -> int:
    """Orders that this run worsens by its own choice, those of the SKUs `without` left out."""
    return await uow.sql.fetchval(
        """select count(distinct order_id) from repromising_diff where run_id = $1 and is_charged
        and state in ('proposed', 'applied', 'recomputed') and not sku_id = any($2::bigint[])""",
        run_id,
        list(without),
    )


async def mark(uow: Transaction, keys: Sequence[tuple[int, int]], state: DiffState) -> None:
    """Give rows (SKU id, id) their final state."""
    if not keys:
        return
    await uow.sql.execute(
        """update repromising_diff d set state = $3, updated_at = $4,
            applied_at = case when $3 in ('applied', 'recomputed') then $4::timestamptz end
        from unnest($1::bigint[], $2::bigint[]) as u(sku_id, id) where d.sku_id = u.sku_id and d.id = u.id""",
        [sku_id for sku_id, _ in keys],
        [id for _, id in keys],
        str(state),
        uow.now,
    )


async def replace_rows(uow: Transaction, run_id: int, sku_ids: Sequence[int], rows: list[tuple[Any, ...]]) -> None:
    """What was recomputed takes the place of what had been proposed; proposals that fell away are dropped."""
    lines = [(row[0], row[2]) for row in rows]
    await uow.sql.execute(
        """delete from repromising_diff d using unnest($3::bigint[], $4::bigint[]) as u(sku_id, line_id)
        where d.run_id = $1 and d.sku_id = any($2::bigint[]) and d.state = 'proposed'
            and d.sku_id = u.sku_id and d.order_line_id = u.line_id""",
        run_id,
        list(sku_ids),
        [sku_id for sku_id, _ in lines],
        [line_id for _, line_id in lines],
    )
    await uow.sql.execute(
        """update repromising_diff set state = 'dropped', updated_at = $3
        where run_id = $1 and sku_id = any($2::bigint[]) and state = 'proposed'""",
        run_id,
        list(sku_ids),
        uow.now,
    )
    await write_diff(uow, rows)


async def count_states(uow: Transaction, run_id: int) -> dict[str, int]:
    """Changes by their state."""
    rows = await uow.sql.fetch(
        "select state, count(*) as n from repromising_diff where run_id = $1 group by state", run_id
    )
    return {row["state"]: row["n"] for row in rows}


def fingerprint(rows: Sequence[tuple[Any, ...]]) -> bytes:
    """The proposal without ids and instants, in a fixed order: equal proposals have equal bytes."""
    return msgspec.json.encode([[row[0], row[2], row[3], row[4], row[5], row[9], row[10]] for row in rows])


async def count_waiting_skus(uow: Transaction, run_id: int) -> int:
    """SKUs that are still to be published."""
    return await uow.sql.fetchval(
        "select count(distinct sku_id) from repromising_diff where run_id = $1 and state = 'proposed'", run_id
    )


async def fail_abandoned(uow: Transaction, function: str) -> None:
    """Runs in computation whose job is dead have failed; those whose job was cancelled are."""
    await uow.sql.execute(
        """update repromising_run r set version = version + 1, updated_at = $2, error = j.error,
            state = case j.state when 'cancelled' then 'cancelled' else 'failed' end
        from (select distinct on (key) key, state, error from job_run where function = $1 order by key, id desc) j
        where r.state = 'computing' and j.key = r.id::text and j.state in ('dead', 'failed', 'cancelled')""",
        function,
        uow.now,
    )
