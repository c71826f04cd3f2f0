"""What a supplier sends about one purchase order line, and what the line comes to, in whatever order it comes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import hypothesis.strategies as st

from core.edi.documents import (
    AcknowledgedLine,
    Acknowledgement,
    Effect,
    LineStatus,
    ShipNotice,
    ShippedLine,
    ShippedOrder,
)
from core.edi.supplier_side import write_855, write_856
from core.edi.x12_writer import Envelope


@dataclass(frozen=True)
class Story:
    """Of `ordered` units all are accepted, then `backordered` of them come later; `shipped` leave, notice by notice.

    `times` says over which ways each file comes (0 folder, 1 POST, 2 GraphQL), `order` how deliveries are mixed.
    """

    ordered: int
    backordered: int
    shipped: tuple[int, ...]
    times: tuple[tuple[int, ...], ...]
    order: int

    @property
    def parts(self) -> dict[str, int]:
        """The line after one clean delivery; parts of nothing are left out."""
        gone = sum(self.shipped)
        left = {
            "accepted": self.ordered - self.backordered - gone,
            "supplier_backordered": self.backordered,
            "in_transit": gone,
        }
        return {name: units for name, units in left.items() if units}


@st.composite
def stories(draw: st.DrawFn) -> Story:
    ordered = draw(st.integers(4, 30))
    backordered = draw(st.integers(1, ordered - 2))
    notices, left = [], ordered - backordered
    for _ in range(draw(st.integers(0, 3))):
        if left > 1:
            notices.append(draw(st.integers(1, left - 1)))
            left -= notices[-1]
    ways = st.lists(st.integers(0, 2), min_size=1, max_size=4).map(tuple)
    times = tuple(draw(ways) for _ in range(3 + len(notices)))
    return Story(ordered, backordered, tuple(notices), times, draw(st.integers(0, 2**16)))


def files_of(
    story: Story, number: str, sku: str, partner: tuple[str, str], first_control: int, today: date
) -> list[bytes]:
    """Two answers, the first once more in another file, and the ship notices. `partner`: its address and ours."""
    controls = iter(range(first_control, first_control + 100))

    def envelope() -> Envelope:
        control = next(controls)
        at = datetime.combine(today, datetime.min.time()) + timedelta(minutes=control - first_control)
        return Envelope("ZZ", partner[0], "ZZ", partner[1], partner[0], partner[1], control, control, 1, at)

    def answered(*parts: tuple[str, int, int]) -> bytes:
        statuses = tuple(
            LineStatus(code, units, today + timedelta(days=days), "067", Effect.ACCEPT) for code, units, days in parts
        )
        line = AcknowledgedLine("1", "1", sku, "", "", story.ordered, "EA", statuses)
        return write_855(Acknowledgement(number, "AC", today, "", (line,)), envelope())

    first = answered(("IA", story.ordered, 12))
    files = [first, answered(("IA", story.ordered - story.backordered, 12), ("IB", story.backordered, 30))]
    for turn, units in enumerate(story.shipped):
        line = ShippedLine("1", sku, "", units, "EA")
        name = f"SN-{number}-{turn}"
        arrival = today + timedelta(days=9)
        notice = ShipNotice(name, "00", today, arrival, "C", f"T-{name}", (ShippedOrder(number, (line,)),))
        files.append(write_856(notice, envelope()))
    return [*files, first + b"\r\n"]
