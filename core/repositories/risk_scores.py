"""Write scores and suggested actions, and find out which suggestions were followed and what came of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import msgspec

from core.domain.risk_actions import Suggestion
from core.ports import Transaction


@dataclass(frozen=True, slots=True)
class Score:
    """What a model says of one SKU at one location; `reasons` are {code, weight, facts}, heaviest first."""

    sku_id: int
    location_id: int
    score: float
    probability: float
    is_short: bool
    reasons: Sequence[Mapping[str, Any]]


async def write_scores(
    uow: Transaction, model_id: int | None, spoke: str, scores: Sequence[Score], versions: Mapping[int, int]
) -> dict[tuple[int, int], float]:
    """Replace the newest scores of these places; returns the chances that stood there before, by (SKU, location)."""
    keys = ([s.sku_id for s in scores], [s.location_id for s in scores])
    before = await uow.sql.fetch(
        """select s.sku_id, s.location_id, s.probability from risk_score s
        join unnest($1::bigint[], $2::bigint[]) as u(sku_id, location_id) using (sku_id, location_id) for update of s""",
        *keys,
    )
    await uow.sql.execute(
        """insert into risk_score (sku_id, location_id, model_id, spoke, score, probability, is_short, reasons, gate_version,
            scored_at)
        select u.sku_id, u.location_id, $3, $4, u.score, u.probability, u.is_short, u.reasons::jsonb, u.version, $10
        from unnest($1::bigint[], $2::bigint[], $5::float8[], $6::float8[], $7::bool[], $8::text[], $9::bigint[])
            as u(sku_id, location_id, score, probability, is_short, reasons, version)
        on conflict (sku_id, location_id) do update set model_id = excluded.model_id, spoke = excluded.spoke,
            score = excluded.score, probability = excluded.probability, is_short = excluded.is_short,
            reasons = excluded.reasons, gate_version = excluded.gate_version, scored_at = excluded.scored_at""",
        *keys,
        model_id,
        spoke,
        [s.score for s in scores],
        [s.probability for s in scores],
        [s.is_short for s in scores],
        [_json(list(s.reasons)) for s in scores],
        [versions[s.sku_id] for s in scores],
        uow.now,
    )
    return {(row["sku_id"], row["location_id"]): row["probability"] for row in before}


async def write_actions(
    uow: Transaction,
    model_id: int | None,
    suggestions: Mapping[tuple[int, int], Sequence[Suggestion]],
    probabilities: Mapping[tuple[int, int], float],
) -> int:
    """Make the open suggestions of these places say what is given; returns how many are new.

    What is no longer suggested expires; what is suggested again keeps its instant.
    """
    keys = list(suggestions)
    rows = [(*key, action) for key, actions in suggestions.items() for action in actions]
    await uow.sql.execute(
        """update risk_action a set state = 'EXPIRED', closed_at = $3 from unnest($1::bigint[], $2::bigint[]) as u(sku_id, place)
        where a.sku_id = u.sku_id and a.location_id = u.place and a.state = 'OPEN' and not exists (
            select from unnest($4::bigint[], $5::bigint[], $6::text[]) as n(sku_id, place, kind)
            where n.sku_id = a.sku_id and n.place = a.location_id and n.kind = a.kind)""",
        [key[0] for key in keys],
        [key[1] for key in keys],
        uow.now,
        [row[0] for row in rows],
        [row[1] for row in rows],
        [str(row[2].kind) for row in rows],
    )
    found = await uow.sql.fetch(
        """insert into risk_action (sku_id, location_id, kind, mutation, input, facts, probability, model_id, suggested_at)
        select u.*, $8, $9 from unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::jsonb[], $6::jsonb[],
            $7::float8[]) as u
        on conflict (sku_id, location_id, kind) where state = 'OPEN' do update set input = excluded.input,
            facts = excluded.facts, mutation = excluded.mutation
        returning xmax = 0 as is_new""",
        [row[0] for row in rows],
        [row[1] for row in rows],
        [str(row[2].kind) for row in rows],
        [row[2].mutation for row in rows],
        [dict(row[2].input) for row in rows],
        [dict(row[2].facts) for row in rows],
        [probabilities[row[0], row[1]] for row in rows],
        model_id,
        uow.now,
    )
    return sum(row["is_new"] for row in found)


_TAKEN = """update risk_action a set state = 'TAKEN', taken_at = $1 where a.state = 'OPEN'
    and ($2::bigint[] is null or a.sku_id = any($2)) and case a.kind
    when 'TRANSFER' then exists (select from transfer t where t.sku_id = a.sku_id and t.to_location_id = a.location_id
        and t.created_at > a.suggested_at)
    when 'EXPEDITE' then exists (select from purchase_order_line l join purchase_order o on o.id = l.purchase_order_id
        join supplier p on p.id = l.supplier_id where l.sku_id = a.sku_id and o.location_id = a.location_id
        and p.code = a.input ->> 'supplier' and l.created_at > a.suggested_at)
    when 'ALTERNATIVE_SOURCE' then exists (select from purchase_order_line l join purchase_order o on o.id = l.purchase_order_id
        join supplier p on p.id = l.supplier_id where l.sku_id = a.sku_id and o.location_id = a.location_id
        and p.code = a.input ->> 'supplier' and l.created_at > a.suggested_at)
    when 'RESERVE' then exists (select from reservation r where r.sku_id = a.sku_id and r.location_id = a.location_id
        and r.kind = lower(a.input ->> 'kind') and r.created_at > a.suggested_at)
    when 'RAISE_PRIORITY' then exists (select from order_line l join backorder b on b.sku_id = l.sku_id
        and b.order_line_id = l.id where b.sku_id = a.sku_id and b.id = (a.input -> 'id' ->> 'id')::bigint
        and l.is_priority_manual)
    when 'SUBSTITUTE' then exists (select from backorder b where b.sku_id = a.sku_id
        and b.id = (a.input -> 'backorderId' ->> 'id')::bigint and b.state = 'SUBSTITUTED')
    else false end returning a.id"""
_OUTCOMES = """update risk_action a set closed_at = $1, outcome = jsonb_build_object('wentShort', exists (
    select from backorder b where b.sku_id = a.sku_id and b.location_id = a.location_id
        and b.opened_at > a.suggested_at and b.opened_at <= a.suggested_at + $2::interval), 'days', $3::int)
where a.state in ('TAKEN', 'EXPIRED') and a.outcome is null and a.suggested_at + $2::interval <= $1 returning a.id"""


async def take_followed(uow: Transaction, sku_ids: Sequence[int] | None = None) -> int:
    """Mark the open suggestions of these SKUs (None: of all) that were followed: what they ask for has been done since.

    Call it before `write_actions`: what was followed has often solved the matter, and would expire as no longer needed.
    """
    return len(await uow.sql.fetch(_TAKEN, uow.now, sku_ids))


async def match_actions(uow: Transaction, horizon_days: int) -> dict[str, int]:
    """Which open suggestions were followed, and what came of older ones."""
    taken = await take_followed(uow)
    closed = await uow.sql.fetch(_OUTCOMES, uow.now, timedelta(days=horizon_days), horizon_days)
    return {"taken": taken, "outcomes": len(closed)}


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
