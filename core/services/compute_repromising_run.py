"""Compute a run from one snapshot, and store what it proposes; nobody's promise changes."""

from __future__ import annotations

import asyncio
import gc
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.domain.network import Network
from core.domain.repromising.plan import make_plan
from core.domain.repromising.proposal import Change, summary_of
from core.domain.repromising.snapshot import Raw
from core.domain.repromising.variant import Publication, Variant, variant_of
from core.domain.states import RepromisingDiffState, RepromisingRunState
from core.events import JobRequest
from core.ports import Transaction
from core.repositories.network import load_network
from core.repositories.repromising_runs import diff_row, fingerprint, lock_run, set_state, spared_orders, write_diff
from core.repositories.repromising_snapshot import read_snapshot
from core.services.start_repromising_run import PUBLISH

BY_POLICY = "policy"
"""Who approves a run that its variant publishes within the budget."""


@dataclass(slots=True)
class Inputs:
    """What a run was computed from: equal inputs give an equal proposal."""

    raw: Raw
    network: Network
    variant: Variant
    seed: int
    spared: list[int]


@dataclass(slots=True)
class Proposal:
    """The rows to store, and the facts that make the run comparable."""

    changes: list[Change]
    facts: dict[str, Any]
    summary: dict[str, Any]


async def read_inputs(uow: Transaction, run_id: int) -> Inputs | None:
    """Everything the run decides on, as of the one instant of this read-only unit of work; None: it is cancelled."""
    run = await uow.sql.fetchrow("select state, policy, seed from repromising_run where id = $1", run_id)
    if run is None or run["state"] != RepromisingRunState.COMPUTING:
        return None
    variant = variant_of(run["policy"])
    network = await load_network(uow)
    raw = await read_snapshot(uow, network, variant)
    return Inputs(raw, network, variant, run["seed"], await spared_orders(uow, variant.budget.window_days, run_id))


async def decide(inputs: Inputs) -> Proposal:
    """Apply the rule beside the event loop: heartbeats go on meanwhile."""
    return await asyncio.to_thread(_decide, inputs)


@contextmanager
def _collector_waits() -> Iterator[None]:
    """Hundreds of thousands of tuples without a cycle are made: collections in between would only walk them again."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@_collector_waits()
def _decide(inputs: Inputs) -> Proposal:
    raw = inputs.raw
    spared = np.array(sorted(inputs.spared), np.int64)
    plan = make_plan(raw, inputs.variant, inputs.network, spared_orders=spared, seed=inputs.seed)
    changes = plan.changes(raw, inputs.variant)
    facts = {
        "digest": hashlib.sha256(
            raw.digest().encode() + repr((inputs.seed, sorted(inputs.spared))).encode()
        ).hexdigest(),
        "skus": len(raw.sku_ids),
        "lines": len(raw.facts),
        "supplies": len(raw.supply.pool),
        "pools": plan.active_pools,
        "turns": plan.turns,
        "sparedOrders": len(inputs.spared),
    }
    return Proposal(changes, facts, summary_of(plan))


async def store_proposal(uow: Transaction, run_id: int, inputs: Inputs, proposal: Proposal, snapshot_at: Any) -> bool:
    """Write the proposal and move the run on, in one transaction; False when it was cancelled meanwhile.

    A variant that publishes within its budget is approved at once: what was over the budget is not in the proposal.
    """
    run = await lock_run(uow, run_id)
    if run["state"] != RepromisingRunState.COMPUTING:
        return False
    version = dict(zip(inputs.raw.sku_ids.tolist(), inputs.raw.versions.tolist(), strict=True))
    with _collector_waits():
        rows = [
            diff_row(
                change,
                run_id,
                version[change.sku_id],
                inputs.network,
                RepromisingDiffState.DROPPED if change.is_dropped else RepromisingDiffState.PROPOSED,
                uow.now,
            )
            for change in proposal.changes
        ]
    await write_diff(uow, rows)
    proposal.facts["proposal"] = hashlib.sha256(fingerprint(rows)).hexdigest()
    at_once = inputs.variant.publication is Publication.WITHIN_BUDGET
    await set_state(
        uow,
        run_id,
        RepromisingRunState.APPROVED if at_once else RepromisingRunState.PROPOSED,
        facts=proposal.facts,
        summary=proposal.summary,
        snapshot_at=snapshot_at,
        approved_by=BY_POLICY if at_once else None,
        approved_at=uow.now if at_once else None,
    )
    if at_once:
        uow.enqueue(JobRequest(PUBLISH, str(run_id), {"runId": run_id}, queue="bulk"))
    uow.audit("repromisingRunPropose", f"repromising_run:{run_id}", None, proposal.summary)
    return True


async def fail_run(uow: Transaction, run_id: int, error: str) -> None:
    """A run that cannot be computed says why; nothing else has changed."""
    run = await lock_run(uow, run_id)
    if run["state"] == RepromisingRunState.COMPUTING:
        await set_state(uow, run_id, RepromisingRunState.FAILED, error=error[:2000])
