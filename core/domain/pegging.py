"""Which dated supply covers which demand: as late as possible, and stable.

Sources are exchanged without changing (location, need date, quantity), so pegging never changes ATP.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from core.domain.records import Peg, Supply
from core.domain.states import PegKind


@dataclass(frozen=True, slots=True)
class Share:
    """`quantity` base units of one supply."""

    supply: Supply
    quantity: int


def take_unpegged(supplies: Iterable[Supply], need_date: date, quantity: int, today: date) -> list[Share]:
    """Unpegged quantities that are usable by `need_date`, the latest first, up to `quantity`."""
    shares: list[Share] = []
    usable = [s for s in supplies if s.unpegged > 0 and s.effective_date(today) <= need_date]
    for supply in sorted(usable, key=lambda s: (s.effective_date(today), s.id or 0), reverse=True):
        if quantity <= 0:
            break
        share = min(quantity, supply.unpegged)
        shares.append(Share(supply, share))
        quantity -= share
    return shares


def rebuild(
    supplies: list[Supply], pegs: list[Peg], need_date: date, quantity: int, today: date
) -> tuple[dict[int, list[Share]], list[Share]] | None:
    """Cover `quantity` more at `need_date` by exchanging the sources of FIRM and SOFT pegs that stay on time.

    Returns the new shares per peg (by position in `pegs`) and those of the new demand, or None when no exchange of
    sources covers all. Demands are served from the latest need date backward, each with the latest supply it can
    use, which is optimal for one-sided deadlines. Pegs that are late already keep their source.
    """
    movable = [
        (peg.need_date, index, peg.quantity)
        for index, peg in enumerate(pegs)
        if peg.kind in (PegKind.FIRM, PegKind.SOFT)
        and peg.supply is not None
        and peg.supply.effective_date(today) <= peg.need_date
    ]
    left = {id(s): s.unpegged for s in supplies}
    for _, index, amount in movable:
        supply = pegs[index].supply
        assert supply is not None
        left[id(supply)] += amount
    by_date = sorted(supplies, key=lambda s: (s.effective_date(today), s.id or 0), reverse=True)
    plan: dict[int, list[Share]] = {}
    for need, index, amount in sorted([*movable, (need_date, -1, quantity)], key=lambda d: (d[0], d[1]), reverse=True):
        shares: list[Share] = []
        keep = pegs[index].supply if index >= 0 else None
        candidates = [s for s in by_date if s.effective_date(today) <= need]
        if keep is not None:
            latest = candidates[0].effective_date(today) if candidates else None
            if keep.effective_date(today) == latest:
                candidates.sort(key=lambda s: s is not keep)
        for supply in candidates:
            share = min(amount, left[id(supply)])
            if share > 0:
                shares.append(Share(supply, share))
                left[id(supply)] -= share
                amount -= share
            if amount == 0:
                break
        if amount:
            return None
        plan[index] = shares
    return plan, plan.pop(-1)
