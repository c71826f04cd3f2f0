"""Give the open units of purchase order lines other days, as a newer answer of the supplier would."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from core.errors import InvalidInput
from core.ports import Transaction
from core.repositories.purchase_orders import find_orders, read_lines
from core.services.apply_acknowledgement import AcknowledgeLine, AcknowledgePurchaseOrder, apply_acknowledgement
from core.services.create_purchase_order import PurchaseOrderChange


async def reschedule_lines(
    uow: Transaction,
    number: str,
    supplier_id: int | None,
    schedules: Mapping[int, Sequence[tuple[int, date]]],
    sequence: str,
    expected_version: int | None = None,
) -> PurchaseOrderChange:
    """By line number, the (quantity, day) parts in which the units that are not shipped come; held units stay held.

    Raises NotFound, InvalidInput unless the parts sum to the open units, VersionConflict.
    """
    head = (await find_orders(uow, [number], supplier_id, only_approved=True))[number]
    known = {line.line_number: line.parts for line in (await read_lines(uow, [head.id])).values()}
    lines = []
    for line_number, parts in schedules.items():
        if line_number not in known:
            raise InvalidInput(f"Purchase order {number!r} has no line {line_number}.", path=("input", "lines"))
        open_units = known[line_number].not_shipped - known[line_number].held
        stated = sum(quantity for quantity, _ in parts)
        if stated != open_units or any(quantity < 1 for quantity, _ in parts):
            raise InvalidInput(
                f"Line {line_number}: the parts sum to {stated}, but {open_units} units are open.",
                path=("input", "lines"),
                stated=stated,
                expected=open_units,
            )
        lines.append(AcknowledgeLine(line_number, accepted=list(parts), held=known[line_number].held))
    return await apply_acknowledgement(
        uow,
        AcknowledgePurchaseOrder(number, supplier_id, lines, sequence=sequence, expected_version=expected_version),
    )
