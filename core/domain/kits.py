"""Kits: one line of a bundle becomes lines of its components, and what follows for them as a group."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from core.domain.placing import MAX_QUANTITY, LineRequest, OrderRequest
from core.domain.records import KitPart
from core.domain.states import ShipPolicy
from core.errors import DomainError, InvalidInput


@dataclass(frozen=True, slots=True)
class Kit:
    """What one unit of a kit is made of: units by component code."""

    sku_id: int
    parts: Mapping[str, int]


def check_kits(order: OrderRequest, kits: Mapping[str, Kit]) -> list[DomainError]:
    """What is wrong with the kit lines of a request, each with the path of the input field."""
    errors: list[DomainError] = []
    for index, line in enumerate(order.lines):
        if (kit := kits.get(line.sku)) is None:
            continue
        path = ("input", "lines", str(index))
        if line.ship_policy == ShipPolicy.PARTIAL_CANCEL_REST:
            errors.append(
                InvalidInput(
                    f"{line.sku!r} is a kit: its rest cannot be cancelled part by part; take COMPLETE or"
                    " PARTIAL_BACKORDER_REST, and cancel whole kits.",
                    path=(*path, "shipPolicy"),
                    value=str(line.ship_policy),
                )
            )
        most = MAX_QUANTITY // max(kit.parts.values())
        if line.quantity > most:
            errors.append(
                InvalidInput(
                    f"The quantity {line.quantity} of kit {line.sku!r} is above {most}.",
                    path=(*path, "quantity"),
                    value=line.quantity,
                )
            )
    return errors


def explode(order: OrderRequest, kits: Mapping[str, Kit], *, ships_together: bool = True) -> OrderRequest:
    """The order with each kit line replaced by lines of its components, by code, in the kit's place.

    Every component line keeps date and policy of the kit line and knows its kit, the kit line's number among the
    lines that were asked for, and how many units one kit takes. `ships_together`: see `KitPart`.
    """
    if not any(line.sku in kits for line in order.lines):
        return order
    lines: list[LineRequest] = []
    for number, line in enumerate(order.lines, start=1):
        kit = kits.get(line.sku)
        if kit is None:
            lines.append(line)
            continue
        for component, units in sorted(kit.parts.items()):
            part = KitPart(kit.sku_id, number, units, ships_together)
            lines.append(replace(line, sku=component, quantity=line.quantity * units, kit=part))
    return replace(order, lines=lines)
