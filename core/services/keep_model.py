"""Keep a newly fitted model and let it speak if it is better; or let an earlier one speak again."""

from __future__ import annotations

from dataclasses import dataclass

from core.domain.model_choice import Figures, judge
from core.events import Event, JobRequest
from core.ports import Transaction
from core.repositories.learning_models import (
    RISK,
    NewModel,
    activate_model,
    insert_model,
    lock_models,
    model_before,
    refuse_model,
)

__all__ = ["RISK", "Kept", "NewModel", "keep_model", "roll_back_model"]


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of a candidate."""

    model_id: int
    promoted: bool
    reason: str


async def keep_model(
    uow: Transaction,
    model: NewModel,
    incumbent: Figures | None,
    judged_positives: int,
    against: Figures | None = None,
    unseen_positives: int | None = None,
) -> Kept:
    """Keep the candidate whatever happens; it takes over only when `core/domain/model_choice.py:judge` says so.

    `incumbent` are the figures of the model that speaks on the judged days that it never saw, `against` the candidate's on the
    same ones; None before the first.
    """
    await lock_models(uow, model.kind)
    verdict = judge(
        model.metrics, incumbent, model.baseline, judged_positives, is_rule=model.spoke == "rule",
        against=against, unseen_positives=unseen_positives,
    )  # fmt: skip
    model_id = await insert_model(uow, model, verdict.reason)
    before = None
    if verdict.promote:
        before = await activate_model(uow, model.kind, model_id)
        _tell(uow, "PROMOTED", model.kind, model_id, before)
    else:
        await refuse_model(uow, model_id)
    uow.audit(
        "modelKeep",
        f"learning_model:{model_id}",
        {"active": before},
        {"promoted": verdict.promote, "reason": verdict.reason},
    )
    return Kept(model_id, verdict.promote, verdict.reason)


async def roll_back_model(uow: Transaction, kind: str, model_id: int | None = None, reason: str = "") -> int:
    """Let the model that spoke before speak again, or the named one; everything is scored anew. Returns its id.

    Raises NotFound when there is none, IllegalTransition for one that never spoke.
    """
    await lock_models(uow, kind)
    _, wanted = await model_before(uow, kind, model_id)
    before = await activate_model(uow, kind, wanted)
    uow.audit("modelRollBack", f"learning_model:{wanted}", {"active": before}, {"active": wanted, "reason": reason})
    _tell(uow, "ROLLED_BACK", kind, wanted, before)
    uow.enqueue(JobRequest("score_risk", "all", queue="learning"))
    return wanted


def _tell(uow: Transaction, kind: str, model: str, model_id: int, before: int | None) -> None:
    uow.announce(Event("model", kind, {"model": model, "modelId": model_id, "previousId": before}, key=model))
