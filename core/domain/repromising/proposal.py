"""What a run proposes: as arrays, one entry per line, and as records of the lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.domain.repromising.effects import Effect, Why
from core.domain.repromising.snapshot import Ints, Raw
from core.domain.repromising.variant import Variant

EFFECTS, WHYS = tuple(Effect), tuple(Why)


@dataclass(slots=True)
class Change:
    """What becomes of one line; parts are (location id, day, units, has a source), by day."""

    line_id: int
    sku_id: int
    order_id: int
    before: list[tuple[int, int, int, bool]]
    after: list[tuple[int, int, int, bool]]
    effect: Effect
    why: Why
    days: int
    """By how many days the part that moves most moves back (of a line that gains, negative: forward)."""
    is_forced: bool
    """The present promise could not be kept anyway."""
    is_dropped: bool
    """Over the churn budget, or an exception that stays as it is: not to be published."""
    segment: str
    destination_id: int | None = None


@dataclass(slots=True)
class Plan:
    """The proposal as arrays, one entry per line that changes or is an exception, by (SKU, line)."""

    line: Ints
    """Rows of the lines."""
    effect: NDArray[np.int8]
    why: NDArray[np.int8]
    days: Ints
    is_forced: NDArray[np.bool_]
    is_dropped: NDArray[np.bool_]
    part_entry: Ints
    """Parts: to which entry each belongs, and (location row, day, units, has a source) before and after."""
    part_location: Ints
    part_day: Ints
    part_quantity: Ints
    part_sourced: NDArray[np.bool_]
    part_after: NDArray[np.bool_]
    segments: NDArray[np.int16]
    """Segment of every line of the snapshot."""
    orders_in_run: int = 0
    allowed: int | None = None
    """Orders that may be worsened; None: any number."""
    worsened: int = 0
    active_pools: int = 0
    turns: int = 1

    def changes(self, raw: Raw, variant: Variant) -> list[Change]:
        """The entries as records."""
        count = len(self.line)
        # by (entry, before or after, day): the parts of each side of each entry are then one slice
        side = self.part_entry * 2 + self.part_after
        order = np.lexsort((self.part_day, side))
        rows = list(
            zip(
                raw.location_ids[self.part_location[order]].tolist(),
                self.part_day[order].tolist(),
                self.part_quantity[order].tolist(),
                self.part_sourced[order].tolist(),
                strict=True,
            )
        )
        ends = np.cumsum(np.bincount(side, minlength=2 * count)).tolist()
        begins = [0, *ends]
        names = [*(segment.name for segment in variant.segments), ""]
        return [
            Change(
                line_id,
                sku_id,
                order_id,
                rows[begins[2 * n] : ends[2 * n]],
                rows[begins[2 * n + 1] : ends[2 * n + 1]],
                EFFECTS[effect],
                WHYS[why],
                days,
                is_forced,
                is_dropped,
                names[segment],
                destination or None,
            )
            for n, (
                line_id,
                sku_id,
                order_id,
                effect,
                why,
                days,
                is_forced,
                is_dropped,
                segment,
                destination,
            ) in enumerate(
                zip(
                    raw.facts.line[self.line].tolist(),
                    raw.sku_ids[raw.line_sku[self.line]].tolist(),
                    raw.facts.order[self.line].tolist(),
                    self.effect.tolist(),
                    self.why.tolist(),
                    self.days.tolist(),
                    self.is_forced.tolist(),
                    self.is_dropped.tolist(),
                    self.segments[self.line].tolist(),
                    raw.line_destination[self.line].tolist(),
                    strict=True,
                )
            )
        ]


def summary_of(plan: Plan) -> dict[str, Any]:
    """The counts of a proposal, as they are kept with it."""
    served = int(np.count_nonzero(plan.segments >= 0))
    dropped, live = plan.is_dropped, ~plan.is_dropped
    gained, lost, exceptions = (plan.effect == EFFECTS.index(effect) for effect in Effect)
    return {
        "ordersInRun": plan.orders_in_run,
        "linesInRun": served,
        "gained": int(np.count_nonzero(live & gained)),
        "lost": int(np.count_nonzero(live & lost)),
        "forced": int(np.count_nonzero(live & lost & plan.is_forced)),
        "unchanged": served - int(np.count_nonzero(live)),
        "exceptions": int(np.count_nonzero(exceptions)),
        "overBudget": int(np.count_nonzero(dropped & ~exceptions)),
        "ordersWorsened": plan.worsened,
        "ordersMayWorsen": plan.allowed,
    }
