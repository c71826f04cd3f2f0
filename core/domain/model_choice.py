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
    candidate: Figures, incumbent: Figures | None, baseline: Figures, positives: int, *, is_rule: bool
) -> Verdict:
    """Compare on the same judged days: `pr_auc` decides, `brier_skill` must not be worse by more than TOLERATED.

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
    for name, other in (("the ratio rule", baseline), ("the model that speaks", incumbent)):
        theirs = None if other is None else other.get("pr_auc")
        if theirs is None:
            continue
        if ours <= theirs:
            return Verdict(False, f"precision {ours:.3f} is not above {theirs:.3f} of {name}")
        skill, theirs = candidate.get("brier_skill"), None if other is None else other.get("brier_skill")
        if skill is not None and theirs is not None and skill < theirs - TOLERATED:
            return Verdict(False, f"Brier skill {skill:.3f} is worse than {theirs:.3f} of {name}")
    rivals = "the ratio rule" if incumbent is None else "the ratio rule and the model that spoke"
    return Verdict(True, f"precision {ours:.3f} is above {rivals}")


def drift_alarms(psi: Mapping[str, float], mean_prediction: float | None, observed_rate: float | None) -> list[str]:
    """What about a model's inputs and answers has changed too much, in words; empty when it still fits."""
    alarms = [
        f"{name}: the figures are distributed otherwise than in the training (PSI {value:.2f})"
        for name, value in sorted(psi.items(), key=lambda item: -item[1])
        if value > PSI_ALARM
    ]
    if mean_prediction is not None and observed_rate:
        ratio = mean_prediction / observed_rate
        if not RATIO_ALARM[0] <= ratio <= RATIO_ALARM[1]:
            alarms.append(f"calibration: {ratio:.2f} times as many shortages are said as came")
    return alarms
