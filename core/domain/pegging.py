"""Which dated supply covers which demand: as late as possible, and stable.

Sources are exchanged without changing (location, need date, quantity), so pegging never changes ATP.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from core.domain.records import Peg, Supply
from core.domain.states import PegKind


@dataclass(frozen=True, slots=True)
class Share:
    """`quantity` base units of one supply."""

    supply: Supply
    quantity: int


@dataclass(frozen=True, slots=True)
class Exchange:
    """`quantity` of a peg leaves its supply for another that comes in time for it too."""

    peg: Peg
    supply: Supply
    quantity: int


def take_unpegged(supplies: Iterable[Supply], need_date: date, quantity: int, today: date) -> list[Share]:
    """Unpegged quantities that are usable by `need_date`, the latest first, up to `quantity`.

    The latest supply that is in time: what comes early stays free for those who need it early.
    """
    shares: list[Share] = []
    usable = [s for s in supplies if s.unpegged > 0 and s.effective_date(today) <= need_date]
    for supply in sorted(usable, key=lambda s: (s.effective_date(today), s.id or 0), reverse=True):
        if quantity <= 0:
            break
        share = min(quantity, supply.unpegged)
        shares.append(Share(supply, share))
        quantity -= share
    return shares


class _Flow:
    """Who sits on which supply, in units, while exchanges are looked for; pegs that are late keep their source."""

    def __init__(self, supplies: Sequence[Supply], pegs: Iterable[Peg], today: date) -> None:
        self.day = {id(s): s.effective_date(today) for s in supplies}
        self.supplies = sorted(supplies, key=lambda s: (self.day[id(s)], s.id or 0), reverse=True)
        self.left = {id(s): s.unpegged for s in supplies}
        self.sits: dict[int, dict[int, tuple[Peg, int]]] = {id(s): {} for s in supplies}
        for peg in pegs:
            supply = peg.supply
            if supply is None or id(supply) not in self.day or peg.kind not in (PegKind.FIRM, PegKind.SOFT):
                continue
            if self.day[id(supply)] <= peg.need_date:
                self.sits[id(supply)][id(peg)] = (peg, peg.quantity)

    def longest(self, supply: Supply) -> Peg | None:
        """The peg on this supply that can wait longest; of equals one that is free to move, then the youngest."""
        found = [peg for peg, units in self.sits[id(supply)].values() if units]
        return max(found, key=lambda p: (p.need_date, p.kind == PegKind.SOFT, p.id or 1 << 62), default=None)

    def chain(self, need_date: date) -> list[tuple[Supply, Peg | None]]:
        """The shortest way to a free unit: supplies from the one that is wanted to the free one, with who moves on."""
        came: dict[int, tuple[Supply, Peg] | None] = {}
        queue: deque[Supply] = deque()
        for supply in self.supplies:
            if self.day[id(supply)] <= need_date:
                came[id(supply)] = None
                queue.append(supply)
        while queue:
            supply = queue.popleft()
            if self.left[id(supply)] > 0:
                way: list[tuple[Supply, Peg | None]] = [(supply, None)]
                while (step := came[id(way[0][0])]) is not None:
                    way.insert(0, step)
                return way
            peg = self.longest(supply)
            if peg is None:
                continue
            for other in self.supplies:
                if id(other) not in came and self.day[id(other)] <= peg.need_date:
                    came[id(other)] = (supply, peg)
                    queue.append(other)
        return []

    def move(self, way: list[tuple[Supply, Peg | None]], quantity: int) -> int:
        """Push up to `quantity` units along the chain; returns how many went."""
        units = min(quantity, self.left[id(way[-1][0])])
        for supply, peg in way[:-1]:
            units = min(units, self.sits[id(supply)][id(peg)][1])
        self.left[id(way[-1][0])] -= units
        for (supply, peg), (following, _) in pairwise(way):
            assert peg is not None
            self.sits[id(supply)][id(peg)] = (peg, self.sits[id(supply)][id(peg)][1] - units)
            there = self.sits[id(following)].get(id(peg), (peg, 0))
            self.sits[id(following)][id(peg)] = (peg, there[1] + units)
        return units


def make_room(
    supplies: Sequence[Supply], pegs: Sequence[Peg], need_date: date, quantity: int, today: date
) -> tuple[list[Exchange], list[Share]]:
    """Cover up to `quantity` at `need_date` by letting FIRM and SOFT pegs take other supplies that suit them too.

    Nobody becomes late, and nobody moves who need not: the shortest chains of exchanges are taken first (augmenting
    paths, so what stays uncovered no exchange can cover). Returns the exchanges and the shares of the new demand.
    """
    flow = _Flow(supplies, pegs, today)
    shares: dict[int, Share] = {}
    while quantity > 0:
        way = flow.chain(need_date)
        if not way:
            break
        units = flow.move(way, quantity)
        first = way[0][0]
        before = shares[id(first)].quantity if id(first) in shares else 0
        shares[id(first)] = Share(first, before + units)
        quantity -= units
    exchanges = [
        Exchange(peg, supply, units)
        for supply in flow.supplies
        for peg, units in flow.sits[id(supply)].values()
        if units and peg.supply is not supply
    ]
    return exchanges, list(shares.values())
