"""The component lines of one kit line as a group: they leave together and are cancelled in whole kits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from core.domain.book import SkuBook
from core.domain.records import Line
from core.domain.states import OrderLineStatus
from core.errors import InvalidInput

Lines = Sequence[tuple[SkuBook, Line]]


def incomplete_kits(lines: Lines) -> set[int]:
    """id() of the lines of one order that may not leave yet, because a part of their kit line still waits."""
    groups: dict[int, list[Line]] = defaultdict(list)
    for _, line in lines:
        if line.kit is not None and line.kit.ships_together and line.status != OrderLineStatus.CANCELLED:
            groups[line.kit.line_number].append(line)
    return {
        id(line) for group in groups.values() if any(line.open + line.backordered for line in group) for line in group
    }


def check_kit_quantity(line: Line, quantity: int | None, path: tuple[str, ...]) -> None:
    """Raises InvalidInput when `quantity` units of a component line are no whole kits."""
    kit = line.kit
    if kit is not None and quantity is not None and quantity % kit.quantity:
        raise InvalidInput(
            f"Line {line.line_number} is part of a kit, {kit.quantity} units of it in each: take a multiple of"
            f" {kit.quantity}; the other parts of the kit go with it.",
            path=path,
            value=quantity,
        )


def refuse_kit_change(line: Line, path: tuple[str, ...]) -> None:
    """Raises InvalidInput: one component line of a kit is not changed alone."""
    if line.kit is not None:
        raise InvalidInput(
            f"Line {line.line_number} is part of a kit and is not changed alone: cancel whole kits, or order others.",
            path=path,
            value=line.line_number,
        )


def in_whole_kits(lines: Lines, cuts: Mapping[int, int]) -> dict[int, int]:
    """Units to cancel by id(line), of one order, made whole kits.

    `cuts` are the wanted units by id(line). Of a kit line as many kits go as the largest cut of a component touches,
    but only kits of which nothing has left; every component gives up its units of them. Other lines stay as asked.
    """
    groups: dict[int, list[Line]] = defaultdict(list)
    for _, line in lines:
        if line.kit is not None:
            groups[line.kit.line_number].append(line)
    whole = dict(cuts)
    for group in groups.values():
        sizes = {id(line): line.kit.quantity for line in group if line.kit is not None}
        wanted = max(-(-cuts.get(id(line), 0) // sizes[id(line)]) for line in group)
        here = min((line.open + line.backordered + line.allocated) // sizes[id(line)] for line in group)
        for line in group:
            whole[id(line)] = min(wanted, here) * sizes[id(line)]
    return {key: units for key, units in whole.items() if units}
