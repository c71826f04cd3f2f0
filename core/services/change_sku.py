"""Change what is said of a SKU; what a change makes free or short is offered, bought and promised anew."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from core.domain.sku_fields import SkuFields, check_tracking
from core.domain.states import SkuStatus
from core.errors import InvalidInput
from core.ports import Transaction
from core.repositories.codes import sku_ids_of
from core.repositories.gates import take_gates
from core.repositories.kits import kit_parts
from core.repositories.load_book import load_books
from core.repositories.network import load_network
from core.repositories.save_book import save_books
from core.services.create_sku import free_gtin
from core.services.follow_up import request_allocation, request_purchase
from core.services.set_release_day import SetReleaseDay, set_release_day

_TRACKING = ("tracks_lots", "tracks_expiry", "tracks_serials")
_COLUMNS = (
    "name, status, low_stock_at, reorder_point, reorder_quantity, weight_g, unit_cost, unit_price, min_life_days, gtin"
)


@dataclass(frozen=True, slots=True)
class ChangeSku:
    """`status`: ACTIVE, BLOCKED or DISCONTINUED; `available_from`: the release day of a pre-order. None: as it was."""

    sku: str
    status: SkuStatus | str | None = None
    available_from: date | None = None
    fields: SkuFields = field(default_factory=SkuFields)


async def change_sku(uow: Transaction, request: ChangeSku) -> int:
    """Write what was given under the gate; returns the SKU's id.

    Lots, expiry and serial numbers are tracked from the first unit on or never, so these change only before anything
    has moved. Lines that were ordered go on when a SKU is blocked or discontinued; new orders of it are held. Raises
    UnknownSku and InvalidInput.
    """
    request.fields.check()
    given: dict[str, Any] = request.fields.given
    sku_id = (await sku_ids_of(uow, [request.sku], ("input", "sku")))[request.sku]
    versions = await take_gates(uow, [sku_id])
    before = await uow.sql.fetchrow(f"select {_COLUMNS}, {', '.join(_TRACKING)} from sku where id = $1", sku_id)
    await _check(uow, sku_id, request, before, given)
    after = {**given, **({} if request.status is None else {"status": str(SkuStatus(request.status))})}
    if "name" in after:
        after["name"] = {**before["name"], **after["name"]}
    if "gtin" in after:
        after["gtin"] = await free_gtin(uow, sku_id, after["gtin"])
    changed = {name: value for name, value in after.items() if before[name] != value}
    release = request.available_from
    puts_on_sale = before["status"] == SkuStatus.PREORDER and changed.get("status") == SkuStatus.ACTIVE
    if puts_on_sale:
        del changed["status"]
    if changed:
        sets = ", ".join(f"{name} = ${n}" for n, name in enumerate(changed, start=3))
        await uow.sql.execute(
            f"update sku set {sets}, updated_at = $2 where id = $1", sku_id, uow.now, *changed.values()
        )
    uow.audit("skuChange", f"sku:{sku_id}", {name: before[name] for name in changed}, changed)
    if release is not None or puts_on_sale:
        await set_release_day(uow, SetReleaseDay(request.sku, release))
    elif changed:
        book = (await load_books(uow, versions, await load_network(uow)))[sku_id]
        book.is_changed = book.curve_changed = True
        await save_books(uow, [book])
        if changed.keys() & {"min_life_days", "status"}:
            request_allocation(uow, [sku_id])
    if changed.keys() & {"reorder_point", "reorder_quantity"}:
        request_purchase(uow, [sku_id])
    return sku_id


async def _check(uow: Transaction, sku_id: int, request: ChangeSku, before: Any, given: dict[str, Any]) -> None:
    check_tracking({**{name: before[name] for name in (*_TRACKING, "min_life_days")}, **given})
    if any(name in given and given[name] != before[name] for name in _TRACKING):
        if await uow.sql.fetchval("select exists (select from stock_movement where sku_id = $1)", sku_id):
            raise InvalidInput(
                f"Units of {request.sku!r} have moved: what is tracked of them is settled before the first one.",
                path=("input", "tracksSerials" if "tracks_serials" in given else "tracksLots"),
            )
        if await kit_parts(uow, [sku_id]):
            raise InvalidInput("A kit has no units of its own to track.", path=("input", "sku"), value=request.sku)
    if (
        request.status is not None
        and SkuStatus(request.status) == SkuStatus.PREORDER
        and request.available_from is None
    ):
        raise InvalidInput("A pre-order has a release day: give availableFrom.", path=("input", "availableFrom"))
    if request.available_from is not None and request.status not in (None, SkuStatus.PREORDER):
        raise InvalidInput(f"What is {request.status} has no release day.", path=("input", "availableFrom"))
