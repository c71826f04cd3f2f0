"""Publish a run: approve it, then carry it out in small chunks of SKUs, each atomic and safe to repeat."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from core.domain.book import SkuBook
from core.domain.network import Network
from core.domain.records import Line
from core.domain.repromising.books import raw_of_books
from core.domain.repromising.effects import Effect
from core.domain.repromising.plan import make_plan
from core.domain.repromising.proposal import Change
from core.domain.repromising.publish import Part, apply, moved_parts
from core.domain.repromising.stepwise import solve_steps
from core.domain.repromising.variant import Variant, variant_of
from core.domain.states import PegKind
from core.domain.states import RepromisingDiffState as DiffState
from core.domain.states import RepromisingRunState as State
from core.errors import IllegalTransition, VersionConflict
from core.events import JobRequest
from core.ports import Transaction
from core.repositories.gates import take_gates
from core.repositories.load_book import load_books
from core.repositories.network import load_network
from core.repositories.repromising_facts import read_facts
from core.repositories.repromising_runs import (
    charged_orders,
    count_states,
    count_waiting_skus,
    diff_row,
    lock_run,
    mark,
    next_skus,
    parts_of,
    proposed_rows,
    replace_rows,
    set_state,
    spared_orders,
    take_publishers_turn,
)
from core.repositories.save_book import save_books
from core.repositories.supplying import held_orders, load_lead_days
from core.services.follow_up import request_purchase, request_shipments
from core.services.start_repromising_run import PUBLISH

CHUNK = 50
"""SKUs per transaction: other writers of these SKUs wait for milliseconds (data-model section 3)."""


async def approve_repromising_run(uow: Transaction, run_id: int, expected_version: int | None = None) -> int:
    """Let a proposed run be published; its version. One whose publishing was stopped half-way goes on.

    Raises NotFound, VersionConflict, IllegalTransition.
    """
    run = await lock_run(uow, run_id)
    if expected_version is not None and run["version"] != expected_version:
        raise VersionConflict("re-promising run", str(run_id), expected_version, run["version"])
    if run["state"] in (State.APPROVED, State.PUBLISHING):
        uow.enqueue(JobRequest(PUBLISH, str(run_id), {"runId": run_id}, queue="bulk"))
        return run["version"]
    if run["state"] != State.PROPOSED:
        raise IllegalTransition("re-promising run", str(run_id), run["state"], State.APPROVED)
    await set_state(uow, run_id, State.APPROVED, approved_by=uow.principal.id, approved_at=uow.now)
    uow.enqueue(JobRequest(PUBLISH, str(run_id), {"runId": run_id}, queue="bulk"))
    uow.audit("repromisingRunPublish", f"repromising_run:{run_id}", {"state": run["state"]}, {"state": "approved"})
    return run["version"] + 1


@dataclass(slots=True)
class Chunk:
    """What one transaction published; `is_last` when nothing is left to do."""

    sku_ids: list[int] = field(default_factory=list)
    recomputed: int = 0
    is_last: bool = False


async def publish_chunk(uow: Transaction, run_id: int, size: int = CHUNK) -> Chunk:
    """Publish the next SKUs of an approved run. Run it until `is_last`; after a crash the next call goes on.

    Publishers of all runs take turns, and the run's row is locked before any gate. A SKU whose gate version or day has
    moved since the snapshot, or with an order that another run has worsened since and this one would worsen too, is
    decided again under its gate, against what is left of the budget.
    """
    await take_publishers_turn(uow)
    run = await lock_run(uow, run_id)
    if run["state"] == State.APPROVED:
        await set_state(uow, run_id, State.PUBLISHING)
    elif run["state"] != State.PUBLISHING:
        return Chunk(is_last=True)
    sku_ids = await next_skus(uow, run_id, size)
    if not sku_ids:
        counts = await count_states(uow, run_id)
        summary = {**(run["summary"] or {}), "published": counts}
        await set_state(uow, run_id, State.PUBLISHED, published_at=uow.now, summary=summary)
        uow.audit("repromisingRunPublished", f"repromising_run:{run_id}", None, counts)
        return Chunk(is_last=True)
    versions = await take_gates(uow, sku_ids)
    network = await load_network(uow)
    books = await load_books(uow, versions, network, lines="all")
    rows = await proposed_rows(uow, run_id, sku_ids)
    variant = variant_of(run["policy"])
    held = await held_orders(uow, {row["order_id"] for row in rows})
    spared = set(await spared_orders(uow, variant.budget.window_days, run_id))
    new_day = any(network.today(i, run["snapshot_at"]) != network.today(i, uow.now) for i in network.locations)
    stale = {
        row["sku_id"]
        for row in rows
        if new_day
        or versions[row["sku_id"]] - 1 != row["gate_version"]
        or row["order_id"] in held
        or (row["is_charged"] and row["order_id"] in spared)
    }
    gained: list[Line] = []
    opened = _open_units(books)
    gained += _apply_rows(books, network, run_id, [row for row in rows if row["sku_id"] not in stale], variant)
    await mark(uow, [(row["sku_id"], row["id"]) for row in rows if row["sku_id"] not in stale], DiffState.APPLIED)
    if stale:
        gained += await _recompute(uow, run, {s: books[s] for s in sorted(stale)}, network, variant)
    for book in books.values():
        book.run_id = run_id
    await save_books(uow, books.values())
    request_shipments(uow, {line.order_id for line in gained})
    request_purchase(uow, {s for s, units in _open_units(books).items() if units > opened[s]})
    return Chunk(sku_ids, len(stale))


def _open_units(books: dict[int, SkuBook]) -> dict[int, int]:
    return {s: sum(p.quantity for p in book.pegs if p.kind == PegKind.OPEN) for s, book in books.items()}


def _evidence(run_id: int, effect: str, why: str) -> dict[str, Any]:
    return {"run": run_id, "effect": effect, "why": why}


def _apply_rows(
    books: dict[int, SkuBook], network: Network, run_id: int, rows: Sequence[Any], variant: Variant
) -> list[Line]:
    moves: dict[int, dict[int, list[Part]]] = defaultdict(dict)
    evidence: dict[int, dict[int, dict[str, Any]]] = defaultdict(dict)
    for row in rows:
        moves[row["sku_id"]][row["order_line_id"]] = moved_parts(parts_of(row["before"]), parts_of(row["after"]))
        evidence[row["sku_id"]][row["order_line_id"]] = _evidence(run_id, row["effect"], row["reason"])
    return [
        line
        for sku_id, changes in moves.items()
        for line in apply(books[sku_id], network, run_id, changes, evidence[sku_id], reallocates=variant.reallocates)
    ]


async def _recompute(
    uow: Transaction, run: dict[str, Any], books: dict[int, SkuBook], network: Network, variant: Variant
) -> list[Line]:
    """Decide SKUs that have moved on again, one after the other within what the budget leaves."""
    run_id = run["id"]
    spared = np.array(sorted(await spared_orders(uow, variant.budget.window_days, run_id)), np.int64)
    allowed = (run["summary"] or {}).get("ordersMayWorsen")
    used = 0 if allowed is None else await charged_orders(uow, run_id, list(books))
    lead_days = await load_lead_days(uow, books)
    facts, location_ids, line_location, line_destination = await read_facts(uow, network, variant, books)
    raw = raw_of_books(books, facts, location_ids, line_location, line_destination, lead_days)
    left = None if allowed is None else max(0, allowed - used)
    plan = make_plan(raw, variant, network, spared_orders=spared, allowed=left, seed=run["seed"], solver=solve_steps)
    changes = plan.changes(raw, variant)
    stored = [
        diff_row(
            change,
            run_id,
            books[change.sku_id].version,
            network,
            DiffState.DROPPED if change.is_dropped else DiffState.RECOMPUTED,
            uow.now,
            applied=not change.is_dropped,
        )
        for change in changes
    ]
    await replace_rows(uow, run_id, list(books), stored)
    found: list[Line] = []
    for sku_id, book in books.items():
        mine: list[Change] = [
            c for c in changes if c.sku_id == sku_id and not c.is_dropped and c.effect is not Effect.EXCEPTION
        ]
        found += apply(
            book,
            network,
            run_id,
            {c.line_id: moved_parts(c.before, c.after) for c in mine},
            {c.line_id: _evidence(run_id, str(c.effect), str(c.why)) for c in mine},
            reallocates=variant.reallocates,
        )
    return found


async def waiting_skus(uow: Transaction, run_id: int) -> int:
    """SKUs that are still to be published, for the progress of the job."""
    return await count_waiting_skus(uow, run_id)
