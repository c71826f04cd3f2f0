"""The elements of the EDIFACT segments that we read, as a compact table: type, longest text, need, per component.

Lengths are the largest of the directories D.93A to D.21B, so that none of them is refused what it allows. A row has the
elements in order; `:` parts components; `an` text, `n` number, `!` required, `x5` that a component or element comes up to
five times. What is not listed here is let through as it is. The service segments are those of ISO 9735.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

_CODED = "an17:an17"  # code list and agency, behind a coded value

SEGMENTS: dict[str, str] = {
    "UNH": "an14! an6!:an3!:an3!:an3!:an6:an6:an6 an35 n2:an1 an14:an3:an3:an3 an14:an3:an3:an3 an14:an3:an3:an3",
    "UNT": "n10! an14!",
    "UNS": "an1!",
    "BGM": f"an3:{_CODED}:an35 an70:an9:an6 an3 an3",
    "DTM": "an3!:an35:an3",
    "RFF": "an3!:an70:an6:an35:an6",
    "NAD": f"an3! an35:{_CODED} an70x5 an70x5:an3 an70x4 an70 an9:{_CODED}:an70 an17 an3",
    "LIN": f"an6 an3 an48:an3:{_CODED} an3:an6 n2 an3",
    "PIA": f"an3! an48:an3:{_CODED} an48:an3:{_CODED} an48:an3:{_CODED} an48:an3:{_CODED} an48:an3:{_CODED}",
    "QTY": "an3!:an35!:an8",
    "QVR": f"n15:an3 an3 an3:{_CODED}:an256",
    "IMD": f"an3 an3:{_CODED} an17:{_CODED}:an256:an256:an3 an3",
    "MOA": "an3!:n35:an3:an3:an3",
    "PRI": "an3!:n15:an3:an3:n9:an8 an3",
    "CUX": "an3!:an3:an3:n4 an3:an3:an3:n4 n12 an3",
    "FTX": f"an3! an3 an17:{_CODED} an512x5 an3 an3",
    "LOC": f"an3! an35:{_CODED}:an256 an35:{_CODED}:an256 an35:{_CODED}:an256 an3",
    "CTA": "an3 an35:an256",
    "COM": "an512:an3 an512:an3 an512:an3",
    "PAC": f"n8 an3:an3:an3 an17:{_CODED}:an35 an3:an35:an3:an35:an3 an3:an3",
    "PCI": f"an3 an35x10 an3 an3:{_CODED}",
    "GIN": "an3! an35!:an35 an35:an35 an35:an35 an35:an35 an35:an35",
    "CPS": "an35! an35 an3",
    "CNT": "an3!:n18!:an8",
    "CNI": "an5 an70:an3:an70:an3:an9:an6 n4",
    "TDT": f"an3! an17 an3:an17 an8:an17 an17:{_CODED}:an128 an3 an3:an3:an17 an35:{_CODED}:an70:an3 an3 an3",
    "STS": f"an3:{_CODED} " + " ".join([f"an3:{_CODED}:an256"] * 6),
    "INV": "an3 an3 an3 an3 an3:an17:an17:an17:an35",
    "ALI": "an3 an3 an3 an3 an3 an3 an3",
    "PCD": f"an3!:n10:an3:{_CODED} an3",
    "ERC": f"an17!:{_CODED}",
    "UCI": "an14! an35!:an4:an35:an35 an35!:an4:an35:an35 an3! an3 an3 n3:n3:n4",
    "UCF": "an14! an35:an4 an35:an4 an3! an3 an3 n3:n3:n4",
    "UCM": "an14! an6!:an3:an3:an3:an6:an6:an6 an3! an3 an3 n3:n3:n4",
    "UCS": "n6! an3",
    "UCD": "an3! n3!:n3:n4",
}
_PART = re.compile(r"(an|n)(\d+)(!?)(?:x(\d+))?")


@dataclass(frozen=True, slots=True)
class Component:
    """What may stand at one place; `longest` counts characters."""

    is_number: bool
    longest: int
    is_required: bool


@lru_cache(maxsize=64)
def components_of(tag: str) -> tuple[tuple[Component, ...], ...] | None:
    """The components of every element of a segment; None for a segment that the table does not have."""
    row = SEGMENTS.get(tag)
    return None if row is None else tuple(_element(element) for element in row.split())


def _element(text: str) -> tuple[Component, ...]:
    found: list[Component] = []
    for part in text.split(":"):
        match = _PART.fullmatch(part)
        if match is None:
            raise ValueError(f"{part!r} is not an element of the table.")
        kind, longest, need, times = match.groups()
        found.extend([Component(kind == "n", int(longest), bool(need))] * int(times or 1))
    return tuple(found)
