"""May a change make a purchase order dearer: by the approval limit for a rule, by the approval routes for a person."""

from __future__ import annotations

from collections.abc import Iterable

from core.domain.approval_routes import POLICY, in_place_of, read_routes, step_for
from core.domain.calendars import local_day
from core.domain.purchasing import is_approved_by_rule
from core.errors import Forbidden
from core.ports import Transaction
from core.repositories.approvals import absences_on, order_to_approve
from core.repositories.purchase_orders import PurchaseOrderHead, PurchaseOrderLine
from core.repositories.supplying import load_policies
from core.services.apply_acknowledgement import AcknowledgeLine
from core.services.raise_purchase_requests import APPROVAL_LIMIT


async def may_cost(
    uow: Transaction,
    head: PurchaseOrderHead,
    lines: Iterable[PurchaseOrderLine],
    changed: Iterable[AcknowledgeLine],
) -> bool:
    """May the policy accept the change: it makes the order no dearer, or the order stays within the approval limit."""
    before, after = _totals(lines, changed)
    if after <= before:
        return True
    currency = await uow.sql.fetchval("select currency from purchase_order where id = $1", head.id)
    limit = (await load_policies(uow)).get(APPROVAL_LIMIT)
    return is_approved_by_rule(after, limit.get(currency) if isinstance(limit, dict) else limit)


async def check_may_cost(
    uow: Transaction,
    head: PurchaseOrderHead,
    lines: Iterable[PurchaseOrderLine],
    changed: Iterable[AcknowledgeLine],
) -> None:
    """Raise Forbidden when this person made the order, or alone may not approve what it comes to; only while the routes
    are on."""
    before, after = _totals(lines, changed)
    routes = read_routes((await load_policies(uow)).get(POLICY))
    if routes is None or after <= before:
        return
    order, person = await order_to_approve(uow, head.id), uow.principal.id
    if person == order.maker:
        text = "Who made a purchase order does not approve that it becomes dearer."
        raise Forbidden(text, path=("input", "id"), person=person)
    today = local_day(uow.now, order.time_zone)
    step = step_for(routes, after, order.currency)
    if step is None or step.needed > 1 or not in_place_of(person, step, await absences_on(uow, today), today):
        text = f"The approval routes do not let this person alone approve {after}; order the difference anew."
        raise Forbidden(text, path=("input", "id"), person=person)


def _totals(lines: Iterable[PurchaseOrderLine], changed: Iterable[AcknowledgeLine]) -> tuple[int, int]:
    """What is ordered and neither cancelled nor refused comes to, now and after the change; minor units."""
    by_number = {line.line_number: line for line in changed}
    before = after = 0
    for line in lines:
        units = line.parts.ordered - line.parts.cancelled - line.parts.rejected
        before += units * line.price
        new = by_number.get(line.line_number)
        price = line.price if new is None or new.price is None else new.price
        after += (units if new is None else units + new.added - new.rejected) * price
    return before, after
