"""Say what a kit is made of; orders placed from now on take these components."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.domain.placing import MAX_QUANTITY
from core.errors import InvalidInput
from core.events import Event
from core.ports import Transaction
from core.repositories.codes import sku_ids_of
from core.repositories.gates import take_gates
from core.repositories.kits import bounds_of, is_component, kit_parts, write_parts


@dataclass(frozen=True, slots=True)
class ChangeKit:
    """`parts`: units by component code; empty makes the SKU one that is no kit."""

    sku: str
    parts: Mapping[str, int]


async def change_kit(uow: Transaction, request: ChangeKit) -> int:
    """Write the components under the gates of kit and components, old and new; returns the kit's id.

    Lines that were ordered keep theirs. Raises UnknownSku, InvalidInput for a quantity below 1, a kit of itself, a kit
    among the components, a kit that is one, or an SKU that has stock, a release day, quotas or protected stock of its own.
    """
    for code, units in request.parts.items():
        if not 1 <= units <= MAX_QUANTITY or code == request.sku:
            raise InvalidInput(
                f"{units} of SKU {code!r} cannot go into one kit {request.sku!r}.",
                path=("input", "components"),
                value=code,
            )
    ids = await sku_ids_of(uow, [request.sku, *request.parts])
    kit_id = ids[request.sku]
    before = (await kit_parts(uow, [kit_id])).get(kit_id, [])
    versions = await take_gates(uow, {*ids.values(), *(component_id for component_id, _, _ in before)})
    wanted = {ids[code]: units for code, units in request.parts.items()}
    nested = await kit_parts(uow, wanted)
    if wanted and (nested or await is_component(uow, kit_id)):
        raise InvalidInput("A kit is no component of a kit.", path=("input", "components"))
    on_hand = await uow.sql.fetchval("select coalesce(sum(on_hand), 0)::int from stock_level where sku_id = $1", kit_id)
    if wanted and on_hand:
        raise InvalidInput(
            f"A kit has no stock of its own: {on_hand} units of {request.sku} are on hand; count them to 0 first.",
            path=("input", "sku"),
            value=request.sku,
        )
    if wanted and (bound := await bounds_of(uow, kit_id)):
        raise InvalidInput(
            f"A kit is sold as its components and has no {bound[0]} of its own: take it from {request.sku} first.",
            path=("input", "sku"),
            value=request.sku,
        )
    await write_parts(uow, kit_id, wanted)
    uow.audit(
        "kitChange",
        f"sku:{kit_id}",
        {"components": {code: units for _, code, units in before}},
        {"components": dict(request.parts)},
    )
    facts = {"sku": request.sku, "version": versions[kit_id]}
    uow.announce(Event("availability", "CHANGED", facts, sku_id=kit_id, key=request.sku))
    return kit_id
