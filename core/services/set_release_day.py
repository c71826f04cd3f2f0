"""Say from which day on a SKU leaves: until then it is a pre-order, and what waits for it is promised anew."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from core.domain.conclude import conclude
from core.domain.release_days import move_release
from core.domain.states import OrderLineStatus, PromiseReason, SkuStatus
from core.errors import InvalidInput
from core.ports import Transaction
from core.repositories.codes import sku_ids_of
from core.repositories.gates import take_gates
from core.repositories.load_book import load_books
from core.repositories.network import load_network
from core.repositories.save_book import save_books
from core.services.allocate_waiting import serve_books
from core.services.change_selling_rules import refuse_kit
from core.services.follow_up import request_allocation, request_purchase


@dataclass(frozen=True, slots=True)
class SetReleaseDay:
    """A pre-order until `available_from`; None puts the SKU on sale at once."""

    sku: str
    available_from: date | None


async def set_release_day(uow: Transaction, request: SetReleaseDay) -> int:
    """Make a SKU a pre-order, move its release day, or put it on sale; returns its id.

    What waits without stock is promised anew with the reason RELEASE_MOVED: later when its day is before the release,
    earlier by rank when the release was what it waited for. What is allocated stays. Raises UnknownSku, and
    InvalidInput for a kit and for a SKU that is blocked or discontinued.
    """
    sku_id = (await sku_ids_of(uow, [request.sku], ("input", "sku")))[request.sku]
    versions = await take_gates(uow, [sku_id])
    await refuse_kit(uow, sku_id, request.sku, "A release day")
    before = await uow.sql.fetchrow("select status, available_from from sku where id = $1", sku_id)
    if before["status"] not in (SkuStatus.ACTIVE, SkuStatus.PREORDER):
        raise InvalidInput(f"{request.sku!r} is {before['status']}.", path=("input", "sku"), value=request.sku)
    status = SkuStatus.ACTIVE if request.available_from is None else SkuStatus.PREORDER
    await uow.sql.execute(
        "update sku set status = $2, available_from = $3, updated_at = $4 where id = $1",
        sku_id,
        str(status),
        request.available_from,
        uow.now,
    )
    moved = await _promise_anew(uow, versions, before["available_from"] if before["status"] == "PREORDER" else None)
    uow.audit(
        "skuReleaseSet",
        f"sku:{sku_id}",
        {"status": before["status"], "availableFrom": _iso(before["available_from"])},
        {"status": str(status), "availableFrom": _iso(request.available_from), "linesPromisedAnew": moved},
    )
    return sku_id


async def _promise_anew(uow: Transaction, versions: dict[int, int], before: date | None) -> int:
    """Move claims and promises; returns how many promises moved."""
    (sku_id,) = versions
    network = await load_network(uow)
    book = (await load_books(uow, versions, network, lines="waiting"))[sku_id]
    lines = move_release(book, network, before)
    await serve_books(uow, [book], network)
    waiting = [line for line in lines if line.status != OrderLineStatus.RECEIVED]
    conclude(book, network, waiting, PromiseReason.RELEASE_MOVED)
    for line in lines:
        if line.status == OrderLineStatus.RECEIVED:
            book.settle(line, str(PromiseReason.RELEASE_MOVED))
    book.is_changed = book.curve_changed = True
    await save_books(uow, [book])
    request_allocation(uow, [sku_id])
    if any(line.backordered for line in lines):
        request_purchase(uow, [sku_id])
    return sum(fact.kind == "PROMISE_MOVED" for fact in book.line_facts)


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
