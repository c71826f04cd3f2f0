"""A supplier gives the open units of purchase order lines other days: a change it asks for, as by an 865 of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from core.domain.supplier_changes import ChangeSource
from core.errors import InvalidInput, VersionConflict
from core.ports import Transaction
from core.repositories.purchase_orders import find_orders, read_lines
from core.services.apply_acknowledgement import AcknowledgeLine
from core.services.propose_supplier_change import ProposeSupplierChange, SupplierChangeResult, propose_supplier_change


async def reschedule_lines(
    uow: Transaction,
    number: str,
    supplier_id: int | None,
    schedules: Mapping[int, Sequence[tuple[int, date]]],
    sequence: str,
    note: str = "",
    expected_version: int | None = None,
) -> SupplierChangeResult:
    """By line number, the (quantity, day) parts in which the units that are not shipped come; held units stay held.

    It is a proposal: the policy `supplier_changes` accepts it, or a planner decides. Raises NotFound, InvalidInput
    unless the parts sum to the open units, VersionConflict.
    """
    head = (await find_orders(uow, [number], supplier_id, only_approved=True))[number]
    if expected_version is not None and expected_version != head.version:
        raise VersionConflict("purchase order", number, expected_version, head.version)
    known = {line.line_number: line.parts for line in (await read_lines(uow, [head.id])).values()}
    lines = []
    for index, (line_number, parts) in enumerate(schedules.items()):
        path = ("input", "lines", str(index))
        if line_number not in known:
            text = f"Purchase order {number!r} has no line {line_number}."
            raise InvalidInput(text, path=(*path, "lineNumber"), field="lineNumber", value=line_number)
        open_units = known[line_number].not_shipped - known[line_number].held
        stated = sum(quantity for quantity, _ in parts)
        if stated != open_units or any(quantity < 1 for quantity, _ in parts):
            raise InvalidInput(
                f"Line {line_number}: the parts sum to {stated}, but {open_units} units are open.",
                path=path,
                stated=stated,
                expected=open_units,
            )
        lines.append(AcknowledgeLine(line_number, accepted=list(parts), held=known[line_number].held))
    return await propose_supplier_change(
        uow, ProposeSupplierChange(number, supplier_id, lines, ChangeSource.PORTAL, sequence, note)
    )
