"""Store what a model said: scores, reasons, suggestions, and news for those who watch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.domain.risk_actions import suggest_actions
from core.domain.risk_policy import POLICY, RiskRules, risk_rules
from core.events import Event
from core.ports import Transaction
from core.queries.risk_facts import situations
from core.repositories.risk_scores import Score, take_followed, write_actions, write_scores
from core.repositories.supplying import load_policies

RISKY_ROWS = 2_000
"""Places for which actions are looked for at a time; beyond, the riskiest."""


async def load_risk_rules(uow: Transaction) -> RiskRules:
    """The policy `risk` as it stands."""
    return risk_rules((await load_policies(uow)).get(POLICY))


async def store_scores(
    uow: Transaction,
    model_id: int | None,
    spoke: str,
    scores: Sequence[Score],
    figures: Mapping[tuple[int, int], Mapping[str, Any]],
    versions: Mapping[int, int],
) -> dict[str, int]:
    """Replace the scores of these places; suggestions are made where acting pays (`act_above`), others expire.

    `versions` are those of the gates when the figures were read. A chance that moved by `tell_above`, or across
    `act_above`, is announced.
    """
    rules = await load_risk_rules(uow)
    before = await write_scores(uow, model_id, spoke, scores, versions)
    chances = {(s.sku_id, s.location_id): s.probability for s in scores}
    risky = sorted((s for s in scores if s.probability >= rules.act_above), key=lambda s: -s.probability)[:RISKY_ROWS]
    found = await situations(uow.sql, [figures[s.sku_id, s.location_id] for s in risky], uow.now) if risky else {}
    suggestions = {key: suggest_actions(found[key]) if key in found else [] for key in chances}
    await take_followed(uow, sorted({sku_id for sku_id, _ in chances}))
    new = await write_actions(uow, model_id, suggestions, chances)
    told = 0
    for key, chance in chances.items():
        last = before.get(key)
        crossed = (last is None or last < rules.act_above) != (chance < rules.act_above)
        if (last is None and chance >= rules.act_above) or (
            last is not None and (crossed or abs(chance - last) >= max(rules.tell_above, 1e-9))
        ):
            told += 1
            facts = {"skuId": key[0], "locationId": key[1], "probability": chance, "previous": last, "spoke": spoke}
            kind = "RISEN" if last is None or chance > last else "FALLEN"
            uow.announce(Event("risk", kind, facts, key=f"{key[0]}:{key[1]}", sku_id=key[0]))
    return {"scored": len(scores), "suggested": new, "told": told}
