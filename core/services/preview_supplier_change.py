"""Try a change that a supplier asks for: which lines and whose orders it would hit if it were accepted."""

from __future__ import annotations

from typing import Any

from core.errors import DomainError, NotFound
from core.queries.hit_orders import order_lines, purchase_lines
from core.repositories.supplier_changes import find_change
from core.services.decide_supplier_change import DecideSupplierChange, decide_supplier_change
from core.services.preview_edi_document import Preview, Undo, changes_of
from core.unit_of_work import UnitOfWork


async def preview_supplier_change(uow: UnitOfWork, change_id: int) -> Preview:
    """Accept it in a savepoint that is rolled back. Nothing is written, told or enqueued.

    Raises NotFound, IllegalTransition for a change that was decided; `quarantined` with the reason where it cannot be
    accepted as it stands.
    """
    change = await find_change(uow, change_id)
    if change is None:
        raise NotFound("supplier change", str(change_id), path=("input", "id"))
    orders = [change["purchase_order_id"]]
    before = await purchase_lines(uow.sql, orders), await order_lines(uow.sql, orders)
    found: list[Any] = []
    try:
        async with uow.sql.transaction():
            trial = UnitOfWork(uow.sql, uow.now, uow.principal, uow.request_id)
            found.append(await decide_supplier_change(trial, DecideSupplierChange(change_id, True)))
            found.append(await purchase_lines(uow.sql, orders))
            found.append(await order_lines(uow.sql, orders, list(before[1])))
            raise Undo
    except Undo:
        pass
    except DomainError as refusal:
        if change["state"] != "PROPOSED":
            raise
        return Preview("quarantined", refusal.message)
    new = await order_lines(uow.sql, [], list(found[2]))
    return Preview(
        "applied",
        purchase_lines=changes_of(before[0], found[1]),
        order_lines=changes_of({**new, **before[1]}, found[2]),
    )
