"""Take the day's snapshots, fill in the outcomes that have become known, and match suggestions with what was done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.ports import Transaction
from core.queries.gate_versions import gate_versions
from core.queries.risk_snapshot import FIGURES, figures_as_of
from core.repositories.risk_scores import Score, match_actions
from core.repositories.risk_snapshots import write_labels, write_probabilities, write_snapshots
from core.services.store_scores import load_risk_rules, store_scores

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Taken:
    """Figures to score, with the gate versions from before they were read: what changes meanwhile is scored again."""

    taken_at: datetime
    rows: Rows
    versions: Mapping[int, int]
    snapshots: int
    labelled: int
    matched: Mapping[str, int]


async def keep_snapshots(uow: Transaction, sku_ids: Sequence[int] | None = None) -> int:
    """One row per SKU and location for its present day, from what is recorded by now; returns how many."""
    return await write_snapshots(uow, await figures_as_of(uow.sql, uow.now, sku_ids), FIGURES)


async def take_risk_snapshots(uow: Transaction) -> Taken:
    """Snapshots of everything; running it again on the same day replaces them."""
    rules = await load_risk_rules(uow)
    versions = await gate_versions(uow.sql)
    labelled = await write_labels(uow, rules.horizon_days)
    matched = await match_actions(uow, rules.horizon_days)
    count = await keep_snapshots(uow)
    rows = await uow.sql.fetch("select * from risk_snapshot where taken_at = $1 order by sku_id, location_id", uow.now)
    return Taken(uow.now, [dict(row) for row in rows], versions, count, labelled, matched)


async def read_risk_figures(uow: Transaction, sku_ids: Sequence[int]) -> Taken:
    """Figures of these SKUs as they are now, without a snapshot: for a score between two of them."""
    versions = await gate_versions(uow.sql, sku_ids)
    rows = await figures_as_of(uow.sql, uow.now, sku_ids)
    return Taken(uow.now, rows, versions, 0, 0, {})


async def store_spoken(
    uow: Transaction, taken: Taken, rows: Rows, model_id: int | None, spoke: str, said: Sequence[Any]
) -> dict[str, int]:
    """Store what was `said` of `rows` (score, probability, reasons each), and on the snapshots if there are any."""
    keys = [(row["sku_id"], row["location_id"]) for row in rows]
    scores = [
        Score(*key, one.score, one.probability, row["backordered"] > 0, one.reasons)
        for key, row, one in zip(keys, rows, said, strict=True)
    ]
    done = await store_scores(uow, model_id, spoke, scores, dict(zip(keys, rows, strict=True)), taken.versions)
    if taken.snapshots:
        await write_probabilities(uow, model_id, taken.taken_at, keys, [one.probability for one in said])
    return done
