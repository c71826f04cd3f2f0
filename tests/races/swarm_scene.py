"""Where the swarm plays: places, customers, and what the actors know of what was done."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.races.swarm_caller import Caller, Refused

SHOPS = ("DC-ICN", "DC-LTN", "STORE-SEOUL")
SHIP_TO = (("KR", "04524"), ("KR", "04524"), ("KR", "63121"), ("GB", "M1 2AB"), ("US", "97205"))
CUSTOMERS = ("MINSEO", "HOTEL-NAMSAN", "BAKER", "CAFE-LUNA", "WERNER", None, None)
TRANSFERS = (("RES-BUSAN", "DC-ICN"), ("RES-BUSAN", "DC-LTN"), ("DC-ICN", "STORE-SEOUL"))


@dataclass
class Scene:
    """What everybody knows of what was done; the memory is short, so that many meet on the same things."""

    seed: int
    dice: random.Random
    skus: list[str]
    goods: list[str]
    """SKUs with lots, serial numbers, components or a release day."""
    mutations: set[str]
    shop: Caller
    planner: Caller
    dock: Caller
    done: Counter[str]
    edi_dir: Path
    orders: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    """Orders of which something was shipped."""
    holds: list[str] = field(default_factory=list)
    purchases: list[tuple[str, str]] = field(default_factory=list)
    transfers: list[tuple[str, str, str, int]] = field(default_factory=list)
    serials: dict[str, list[str]] = field(default_factory=dict)
    """By location, the serial numbers that a clerk would look for there."""
    numbers: dict[str, str] = field(default_factory=dict)
    """Our external number -> the order's number, as acknowledged."""

    def wares(self, most: int) -> list[str]:
        """Up to `most` SKUs that somebody wants, every fourth time with something special among them."""
        found = self.dice.sample(self.skus, self.dice.randint(1, min(most, len(self.skus))))
        return [*found[1:], self.dice.choice(self.goods)] if self.dice.random() < 0.25 else found

    def recent(self, things: list[Any]) -> Any:
        """One of the newest twenty; Refused when there is none yet."""
        if not things:
            raise Refused(["NOTHING_YET"])
        return self.dice.choice(things[-20:])


Verb = Callable[[Scene], Awaitable[None]]
Deed = tuple[Verb, int, str]
"""A verb, how often it is drawn, and the mutation that it needs."""
