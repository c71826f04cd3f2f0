"""What it is worth that a claim is served in time: when one that is late may have the source of another's promise.

An edge of the pegging stays unless a move takes lateness away, or raises the value of all by a set margin. The value of
an edge is lost by the day: units x days late x points of its line.
"""

from __future__ import annotations

from core.domain.priority import SCALE, TIER_STEP, Tier
from core.domain.records import Line

POLICY = "peg_value_margin"
DEFAULT_MARGIN = 900
"""Points x days per unit: what grades, margins and age weigh in six weeks does not reach it, a law or contract at stake does."""
BREACH_POINTS = TIER_STEP / SCALE


def points(line: Line) -> float:
    """What a day of a unit's wait weighs: the sum that ranks the line, a breach at hand a whole tier more.

    A planner's own score replaces it. How its supply stands, and that it is at risk, does not count: that changes with the very
    move that is weighed, and two lines would take one source from each other again and again.
    """
    rank = line.rank
    if line.is_priority_manual or rank is None:
        return line.priority / SCALE
    own = sum(part.value * part.weight for part in rank.components if part.name != "supplierRisk")
    return own + (BREACH_POINTS if rank.tier is Tier.BREACH else 0)


def gain(own: float, days_saved: int, other: float, days_lost: int) -> float:
    """Value that a unit of a source wins when it goes from one promise to another, in points x days."""
    return own * days_saved - other * days_lost
