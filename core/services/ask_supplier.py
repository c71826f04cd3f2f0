"""Ask a supplier something urgent, and take its answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from core.domain.access import Role
from core.domain.supplier_states import RequestKind, RequestState
from core.errors import DateInPast, IllegalTransition, InvalidInput, NotFound
from core.events import Event
from core.ports import Transaction
from core.repositories.supplier_portal import (
    add_request,
    lock_request,
    sent_order,
    supplied_skus,
    supplier_id_of,
    write_answer,
)


@dataclass(frozen=True, slots=True)
class AskSupplier:
    """`purchase_order` names the order that should come earlier, if it is about one."""

    supplier: str
    kind: RequestKind
    sku: str
    quantity: int
    need_date: date
    purchase_order: str | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class AnswerRequest:
    """What the supplier can do; `quantity` None or 0 declines. It is a word, not a confirmation of an order."""

    number: str
    quantity: int | None
    date: date | None = None
    note: str = ""


async def ask_supplier(uow: Transaction, request: AskSupplier) -> str:
    """Put the request before the supplier; returns its number. Raises NotFound, InvalidInput, DateInPast."""
    if request.quantity < 1:
        raise InvalidInput("A quantity must be positive.", path=("input", "quantity"), value=request.quantity)
    if request.need_date < uow.now.date():
        raise DateInPast("needDate", request.need_date, uow.now.date(), path=("input", "needDate"))
    supplier_id = await supplier_id_of(uow, request.supplier)
    skus = await supplied_skus(uow, supplier_id, [request.sku])
    if request.sku not in skus:
        raise InvalidInput(
            f"Supplier {request.supplier!r} does not deliver SKU {request.sku!r}.",
            path=("input", "sku"),
            value=request.sku,
        )
    order = None
    if request.purchase_order is not None:
        try:
            order = await sent_order(uow, request.purchase_order, supplier_id)
        except NotFound as error:
            error.path = ("input", "purchaseOrder")
            raise
    number = await add_request(
        uow,
        supplier_id,
        str(request.kind),
        skus[request.sku],
        None if order is None else order.id,
        request.quantity,
        request.need_date,
        request.note.strip(),
    )
    _announce(uow, "ASKED", number, supplier_id)
    uow.audit("supplierRequestCreate", f"supplier_request:{number}", None, {"kind": str(request.kind)})
    return number


async def ask_to_expedite(uow: Transaction, purchase_order_id: int) -> None:
    """Put the urgent request of an emergency's order before its supplier, now that the order is sent."""
    row = await uow.sql.fetchrow(
        "select supplier_id, cause -> 'expedite' as wanted, cause ->> 'actor' as actor from purchase_order where id = $1",
        purchase_order_id,
    )
    wanted = row["wanted"]
    if wanted is None:
        return
    number = await add_request(
        uow,
        row["supplier_id"],
        str(RequestKind.EXPEDITE),
        wanted["skuId"],
        purchase_order_id,
        wanted["quantity"],
        max(uow.now.date(), date.fromisoformat(wanted["needDate"])),
        "",
        row["actor"],
    )
    _announce(uow, "ASKED", number, row["supplier_id"])


async def answer_request(uow: Transaction, answer: AnswerRequest) -> str:
    """Keep the supplier's answer; returns the request's number.

    Raises NotFound for a request to somebody else, IllegalTransition when it was answered, InvalidInput for more than
    was asked, or a quantity without a day.
    """
    own = uow.principal.supplier_id if uow.principal.role is Role.SUPPLIER else None
    row = await lock_request(uow, answer.number, own)
    state = RequestState.ANSWERED if answer.quantity else RequestState.DECLINED
    if row["state"] != RequestState.OPEN:
        raise IllegalTransition("supplier request", answer.number, row["state"], str(state))
    if answer.quantity is not None and not 0 <= answer.quantity <= row["quantity"]:
        raise InvalidInput(
            f"{row['quantity']} units were asked for.", path=("input", "quantity"), value=answer.quantity
        )
    if answer.quantity and answer.date is None:
        raise InvalidInput("Say when the units can come.", path=("input", "date"), field="date")
    await write_answer(uow, row["id"], str(state), answer.quantity, answer.date, answer.note.strip())
    _announce(uow, str(state), answer.number, row["supplier_id"])
    uow.audit(
        "supplierRequestAnswer", f"supplier_request:{answer.number}", {"state": row["state"]}, {"state": str(state)}
    )
    return answer.number


def _announce(uow: Transaction, kind: str, number: str, supplier_id: int) -> None:
    uow.announce(
        Event("supplier", kind, {"requestNumber": number}, key=f"supplier_request:{number}", supplier_id=supplier_id)
    )
