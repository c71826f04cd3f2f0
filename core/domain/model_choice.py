"""Whether a newly fitted model may speak: better than who speaks now, and than the yardstick, on days it never saw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

FEWEST_POSITIVES = 10
"""Outcomes on the judged days below which nothing can be said of a ranking."""
TOLERATED = 0.005
"""By how much the Brier skill may be worse while the ranking is better."""
PSI_ALARM = 0.25
"""Population stability index from which the inputs count as another population (the customary bound)."""
RATIO_ALARM = (0.8, 1.25)
"""Mean prediction over observed rate outside of which the model needs a new base rate (reference/ml.md section 4)."""

Figures = Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the candidate takes over, and why (not)."""

    promote: bool
    reason: str


def judge(
    candidate: Figures,
    incumbent: Figures | None,
    baseline: Figures,
    positives: int,
    *,
    is_rule: bool,
    against: Figures | None = None,
    unseen_positives: int | None = None,
) -> Verdict:
    """Compare on the same judged days: `pr_auc` decides, `brier_skill` must not be worse by more than TOLERATED.

    The incumbent's figures are those of the days that it never saw, `against` the candidate's on the same ones (None: both
    saw none of the judged days); with fewer than FEWEST_POSITIVES outcomes on them the incumbent goes on.

    The rule of the cold start speaks where nobody does yet, and takes over from itself with a newer base rate; it never
    takes over from a model that was learned.
    """
    if is_rule:
        if incumbent is None or incumbent.get("is_rule"):
            return Verdict(True, "too few outcomes to learn from: the ratio rule speaks")
        return Verdict(False, "too few outcomes to learn from, and a learned model speaks")
    ours = candidate.get("pr_auc")
    if positives < FEWEST_POSITIVES or ours is None:
        return Verdict(
            False, f"{positives} outcomes on the judged days are too few to compare ({FEWEST_POSITIVES} needed)"
        )
    unseen = positives if unseen_positives is None else unseen_positives
    if incumbent is not None and not incumbent.get("is_rule") and unseen < FEWEST_POSITIVES:
        return Verdict(
            False,
            f"{unseen} outcomes since the model that speaks learned are too few to compare ({FEWEST_POSITIVES} needed)",
        )
    rivals = (
        ("the ratio rule", baseline, candidate),
        ("the model that speaks", incumbent, candidate if against is None else against),
    )
    for name, other, own in rivals:
        theirs, ours = None if other is None else other.get("pr_auc"), own.get("pr_auc")
        if theirs is None or ours is None:
            continue
        if ours <= theirs:
            return Verdict(False, f"precision {ours:.3f} is not above {theirs:.3f} of {name}")
        skill, theirs = own.get("brier_skill"), None if other is None else other.get("brier_skill")
        if skill is not None and theirs is not None and skill < theirs - TOLERATED:
            return Verdict(False, f"Brier skill {skill:.3f} is worse than {theirs:.3f} of {name}")
    beaten = "the ratio rule" if incumbent is None else "the ratio rule and the model that spoke"
    return Verdict(True, f"precision {candidate['pr_auc']:.3f} is above {beaten}")


def drift_alarms(psi: Mapping[str, float], mean_prediction: float | None, observed_rate: float | None) -> list[str]:
    """What about a model's inputs and answers has changed too much, in words; empty when it still fits."""
    alarms = [
        f"{name}: the figures are distributed otherwise than in the training (PSI {value:.2f})"
        for name, value in sorted(psi.items(), key=lambda item: -item[1])
        if value > PSI_ALARM
    ]
    if mean_prediction and observed_rate == 0:
        alarms.append(f"calibration: {mean_prediction:.1%} of the places were said to run short, and none did")
    elif mean_prediction is not None and observed_rate:
        ratio = mean_prediction / observed_rate
        if not RATIO_ALARM[0] <= ratio <= RATIO_ALARM[1]:
            alarms.append(f"calibration: {ratio:.2f} times as many shortages are said as came")
    return alarms
