"""Keep a change that a supplier asks for: nothing moves until the policy's window or a planner accepts it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from core.domain.sequences import is_older, newest
from core.domain.supplier_changes import (
    DEFAULT_POLICY,
    POLICY,
    ChangeSource,
    ChangeState,
    ProposedLine,
    change_rule,
    is_accepted_by_rule,
)
from core.errors import InvalidInput
from core.events import Event
from core.ports import Transaction
from core.repositories.purchase_orders import PurchaseOrderHead, PurchaseOrderLine, find_orders, read_lines
from core.repositories.supplier_changes import add_change, close_changes, lock_changes, standing_changes
from core.repositories.supplying import load_policies
from core.services.apply_acknowledgement import (
    AcknowledgeLine,
    AcknowledgePurchaseOrder,
    AnsweredPart,
    apply_acknowledgement,
)
from core.services.judge_dearer_order import may_cost
from core.services.send_purchase_change import request_change_document

BY_POLICY = "policy"


@dataclass(frozen=True, slots=True)
class ProposeSupplierChange:
    """What the supplier asks for, line by line, in the terms of an answer: each restates the line's unshipped units
    (with those it would add), or asks for another price alone.

    An order's `sequence` sorts what its supplier says by age.
    """

    number: str
    supplier_id: int | None
    lines: Sequence[AcknowledgeLine]
    source: ChangeSource
    sequence: str = ""
    note: str = ""
    document_id: int | None = None


@dataclass(frozen=True, slots=True)
class SupplierChangeResult:
    """`state`: PROPOSED, or ACCEPTED by the policy. `outcome` is stale where the supplier has said something newer."""

    change_id: int | None
    purchase_order_id: int
    state: ChangeState
    outcome: str = "applied"


async def propose_supplier_change(uow: Transaction, request: ProposeSupplierChange) -> SupplierChangeResult:
    """Keep the proposal; an older one about the units, or the price, of the same lines is superseded.

    No quantity, day or price moves unless the policy says so.

    Raises NotFound, InvalidInput for a line that is not there or units that do not add up to what is not shipped.
    """
    if not request.lines:
        raise InvalidInput("The change names no line.", path=("input", "lines"))
    head = (await find_orders(uow, [request.number], request.supplier_id, only_approved=True))[request.number]
    await lock_changes(uow, head.id)
    known = {line.line_number: line for line in (await read_lines(uow, [head.id])).values()}
    _check(request, known)
    before = await standing_changes(uow, head.id)
    asked = {subject for line in request.lines for subject in _subjects(line)}
    said = [c["sequence"] for c in before if any(asked & _subjects(stored_line(facts)) for facts in c["lines"])]
    if is_older(request.sequence, newest([*said, *(known[line.line_number].last_sequence for line in request.lines)])):
        return SupplierChangeResult(None, head.id, ChangeState.SUPERSEDED, "stale")
    older = [
        c["id"]
        for c in before
        if c["state"] == ChangeState.PROPOSED
        and any(_main_subject(stored_line(facts)) in asked for facts in c["lines"])
    ]
    await close_changes(uow, older, str(ChangeState.SUPERSEDED))
    change_id = await add_change(
        uow,
        purchase_order_id=head.id,
        supplier_id=head.supplier_id,
        source=str(request.source),
        lines=[line_facts(line) for line in request.lines],
        note=request.note,
        sequence=request.sequence,
        document_id=request.document_id,
    )
    rule = change_rule((await load_policies(uow)).get(POLICY, DEFAULT_POLICY))
    state = ChangeState.PROPOSED
    proposed = [_as_proposed(line, known[line.line_number]) for line in request.lines]
    if is_accepted_by_rule(proposed, rule) and await may_cost(uow, head, known.values(), request.lines):
        applied = await apply_acknowledgement(
            uow,
            AcknowledgePurchaseOrder(
                head.number, head.supplier_id, request.lines, request.sequence, request.document_id
            ),
        )
        confirm_change(uow, head, applied.version, request.lines)
        state = ChangeState.ACCEPTED
        await close_changes(uow, [change_id], str(state), BY_POLICY)
    uow.audit(
        "supplierChangePropose", f"supplier_change:{change_id}", None, {"state": str(state), "order": head.number}
    )
    announce_change(uow, change_id, head, state)
    return SupplierChangeResult(change_id, head.id, state)


def announce_change(uow: Transaction, change_id: int, head: PurchaseOrderHead, state: ChangeState) -> None:
    """Tell planners and the supplier where the change stands."""
    uow.announce(
        Event(
            "edi",
            f"CHANGE_{state}",
            {"supplierChangeId": change_id, "purchaseOrderId": head.id, "purchaseOrderNumber": head.number},
            key=f"supplier_change:{change_id}",
            supplier_id=head.supplier_id,
        )
    )


def confirm_change(uow: Transaction, head: PurchaseOrderHead, version: int, lines: Sequence[AcknowledgeLine]) -> None:
    """A supplier that changed a line waits for our order to say so too: ask for the change document."""
    request_change_document(
        uow, head, version, [line.line_number for line in lines], {x.line_number: _kind(x) for x in lines}
    )


def _kind(line: AcknowledgeLine) -> str:
    """Element 670: units up or down, price, both, or days."""
    if line.added or line.rejected:
        return "PQ" if line.price is not None else "QI" if line.added else "QD"
    return "CT" if line.price is None else "PC"


def line_facts(line: AcknowledgeLine) -> dict[str, Any]:
    """A line of a change as it is stored."""
    return {
        "lineNumber": line.line_number,
        "accepted": [_part_facts(part) for part in line.accepted],
        "backordered": [_part_facts(part) for part in line.backordered],
        "rejected": line.rejected,
        "held": line.held,
        **({"added": line.added} if line.added else {}),
        **({"price": line.price} if line.price is not None else {}),
    }


def stored_line(facts: Mapping[str, Any]) -> AcknowledgeLine:
    """The line of a change out of what is stored."""
    return AcknowledgeLine(
        facts["lineNumber"],
        [_stored_part(part) for part in facts["accepted"]],
        [_stored_part(part) for part in facts["backordered"]],
        facts["rejected"],
        facts["held"],
        facts.get("added", 0),
        facts.get("price"),
    )


def _part_facts(part: AnsweredPart | tuple[int, date | None]) -> dict[str, Any]:
    full = part if isinstance(part, AnsweredPart) else AnsweredPart(*part)
    on = full.date.isoformat() if full.date else None
    return {"quantity": full.quantity, "date": on, "isShipDate": full.is_ship_date}


def _stored_part(facts: Mapping[str, Any]) -> AnsweredPart:
    on = date.fromisoformat(facts["date"]) if facts["date"] else None
    return AnsweredPart(facts["quantity"], on, facts["isShipDate"])


def _main_subject(line: AcknowledgeLine) -> tuple[int, str]:
    """What the change is about: the price of a line, or its units with or without a price."""
    return line.line_number, "price" if line.is_price_alone else "units"


def _subjects(line: AcknowledgeLine) -> set[tuple[int, str]]:
    return {_main_subject(line)} | ({(line.line_number, "price")} if line.price is not None else set())


def _check(request: ProposeSupplierChange, known: Mapping[int, PurchaseOrderLine]) -> None:
    for index, line in enumerate(request.lines):
        path = ("input", "lines", str(index))
        ours = known.get(line.line_number)
        if ours is None:
            text = f"Purchase order {request.number!r} has no line {line.line_number}."
            raise InvalidInput(text, path=(*path, "lineNumber"), field="lineNumber", value=line.line_number)
        stated, expected = stated_units(line), ours.parts.not_shipped + line.added
        if stated != expected and not line.is_price_alone:
            text = f"Line {line.line_number}: the change speaks of {stated} units, {expected} are open."
            raise InvalidInput(text, path=path, stated=stated, expected=expected)


def stated_units(line: AcknowledgeLine) -> int:
    """All units that a line of a change speaks of."""
    return _units(line.accepted) + _units(line.backordered) + line.rejected + line.held


def _units(parts: Iterable[AnsweredPart | tuple[int, date | None]]) -> int:
    return sum(part[0] for part in parts)


def _as_proposed(line: AcknowledgeLine, ours: PurchaseOrderLine) -> ProposedLine:
    parts = [part[1] for part in (*line.accepted, *line.backordered)]
    days = [on for on in parts if on is not None]
    open_ended = bool(line.held) or len(days) < len(parts)
    known = ours.promised_date or ours.requested_date
    return ProposedLine(
        ours.parts.not_shipped,
        line.rejected,
        known,
        max(days, default=None),
        open_ended,
        line.added,
        line.price,
        ours.price,
        line.is_price_alone,
    )
