"""Who is served first when stock is scarce: tier before everything, then what a planner has added."""

from __future__ import annotations

TIER_RANK = {"STRATEGIC": 4, "VIP": 4, "GOLD": 3, "SILVER": 2, "STANDARD": 1, "BASIC": 0}
TIER_STEP = 1_000_000


def priority_score(tier: str, boost: int = 0) -> int:
    """Score of a line, higher first; inside a tier `boost` (below 1,000,000) decides, then age.

    Tiers are lexicographic: no boost lifts a line over the next tier.
    """
    return TIER_RANK.get(tier.upper(), 1) * TIER_STEP + max(min(boost, TIER_STEP - 1), 0)
