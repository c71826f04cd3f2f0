"""Answer a set of options: the customer's choice, or the default when the deadline has passed; exactly one of them."""

from __future__ import annotations

from dataclasses import dataclass

from core.domain.book import SkuBook
from core.domain.offering import accept_wait, note, settle_state, withdraw
from core.domain.promising import promise
from core.domain.records import Backorder, Line
from core.domain.states import (
    BackorderState,
    EntitlementKind,
    OptionOfferState,
    PromiseReason,
    ResolutionKind,
    ShipPolicy,
)
from core.errors import DomainError, IllegalTransition, InvalidInput, NotFound, OptionClosed
from core.ports import Transaction
from core.repositories.course_facts import course_rows, note_options, save_course_rows
from core.repositories.customer_notices import NoticeDraft, put_notices
from core.repositories.option_offers import (
    Offer,
    Option,
    close_offers,
    grant_entitlement,
    newest_offer,
    offer_by_id,
    offer_of_option,
    options_of,
)
from core.repositories.orders import find_backorder_order, touch_orders
from core.repositories.save_book import save_books
from core.services.cancel_backorder import check_backorder_version, open_backorder
from core.services.cancel_order import Cut, carry_out
from core.services.follow_up import request_shipments
from core.services.substitute_line import replace_short_part
from core.services.take_orders import OpenedOrders, TakenOrders, open_orders, take_orders

OUTDATED = "OUTDATED"


@dataclass(frozen=True, slots=True)
class ChooseOption:
    """An option by its id, or by its kind in the newest set of the backorder."""

    sku_id: int
    backorder_id: int | None = None
    option_id: int | None = None
    kind: ResolutionKind | None = None
    expected_version: int | None = None


@dataclass(frozen=True, slots=True)
class OptionOutcome:
    """What was done: the backorder after it, its order, and the line that was added for a substitute."""

    sku_id: int
    backorder_id: int
    order_id: int
    version: int
    kind: ResolutionKind
    line_id: int | None = None
    substitute_sku_id: int | None = None
    entitlement_id: int | None = None


@dataclass(slots=True)
class _Answer:
    """One answer on its way."""

    offer: Offer
    option: Option
    order_id: int
    by_default: bool
    line_id: int | None = None

    @property
    def cause(self) -> str:
        return f"{'DEFAULT' if self.by_default else 'OPTION'}_{self.option.kind}"


async def choose_option(uow: Transaction, request: ChooseOption) -> OptionOutcome:
    """Take one of the options that are offered, and carry it out at once.

    Raises NotFound, OptionClosed (chosen, expired, withdrawn, past its deadline, or the facts are no longer those that
    were offered), VersionConflict, IllegalTransition (the order is on hold), InsufficientStock (of a substitute).
    """
    offer = await _find(uow, request)
    order_id, _ = await find_backorder_order(uow, offer.sku_id, offer.backorder_id)
    chosen = _pick(await options_of(uow, offer), request)
    return await _answer(uow, _Answer(offer, chosen, order_id, by_default=False), request.expected_version)


async def expire_offer(uow: Transaction, sku_id: int, offer_id: int) -> OptionOutcome | None:
    """Carry out the default of a set whose deadline has passed; None when somebody has answered it meanwhile.

    A set whose facts have changed, or whose default cannot be carried out, is taken back instead (None too): no set
    outlives its deadline but for a hold, which ends by its own.
    """
    offer = await offer_by_id(uow, sku_id, offer_id)
    if offer is None:
        return None
    order_id, _ = await find_backorder_order(uow, offer.sku_id, offer.backorder_id)
    default = next(option for option in await options_of(uow, offer) if option.is_default)
    try:
        async with uow.savepoint():
            return await _answer(uow, _Answer(offer, default, order_id, by_default=True), None)
    except (OptionClosed, IllegalTransition) as closed:
        if closed.facts["state"] != OUTDATED:
            return None
        await _take_back(uow, offer, order_id, "FACTS_CHANGED")
    except DomainError:
        await _take_back(uow, offer, order_id, "DEFAULT_REFUSED")
    return None


async def _take_back(uow: Transaction, offer: Offer, order_id: int, reason: str) -> None:
    """Withdraw an open set; where the facts have changed, the course may put the question anew."""
    taken = await take_orders(uow, [order_id])
    opened = await open_orders(uow, taken)
    book = opened.books[offer.sku_id]
    backorder = open_backorder(opened, offer.sku_id, offer.backorder_id, "ended", "OPTION_WITHDRAWN")
    withdraw(book, backorder, f"OPTIONS:{reason}")
    await close_offers(uow, [(offer.sku_id, offer.id)], OptionOfferState.WITHDRAWN, reason)
    await save_books(uow, opened.books.values())
    if reason == "FACTS_CHANGED":
        key = (offer.sku_id, offer.backorder_id)
        rows = await course_rows(uow, [key])
        note_options(rows[key], uow.now, "WITHDRAWN", [offer.quantity, None])
        await save_course_rows(uow, rows)


async def _find(uow: Transaction, request: ChooseOption) -> Offer:
    """The set that is meant; a customer finds only its own."""
    if request.option_id is not None:
        offer = await offer_of_option(uow, request.sku_id, request.option_id)
    elif request.backorder_id is not None:
        await find_backorder_order(uow, request.sku_id, request.backorder_id, ("input", "backorderId"))
        offer = await newest_offer(uow, request.sku_id, request.backorder_id)
        if offer is None:
            raise OptionClosed(str(request.backorder_id), "NOT_OFFERED")
    else:
        raise InvalidInput("Name the option, or the backorder and the kind.", path=("input", "id"))
    if offer is None:
        raise NotFound("option", str(request.option_id), path=("input", "id"))
    return offer


def _pick(options: list[Option], request: ChooseOption) -> Option:
    for option in options:
        if option.id == request.option_id or (request.option_id is None and option.kind is request.kind):
            return option
    raise NotFound("option", str(request.kind), path=("input", "kind"))


async def _answer(uow: Transaction, answer: _Answer, expected_version: int | None) -> OptionOutcome:
    offer, option = answer.offer, answer.option
    more = [option.substitute_sku_id] if option.substitute_sku_id is not None else []
    taken = await take_orders(uow, [answer.order_id], more_skus=more)
    opened = await open_orders(uow, taken)
    current = await offer_by_id(uow, offer.sku_id, offer.id)
    assert current is not None
    _check_open(uow, current, answer)
    backorder = open_backorder(opened, offer.sku_id, offer.backorder_id, "ended", "OPTION_CHOSEN")
    check_backorder_version(backorder, expected_version)
    if backorder.state is not BackorderState.OPTION_OFFERED:
        raise IllegalTransition("backorder", str(backorder.id), backorder.state, "OPTION_CHOSEN")
    _check_facts(current, backorder, option)
    await close_offers(
        uow,
        [(offer.sku_id, offer.id)],
        OptionOfferState.EXPIRED if answer.by_default else OptionOfferState.CHOSEN,
        answer.cause,
        option.id,
    )
    book, line = opened.books[offer.sku_id], backorder.line
    note(book, backorder, "OPTION_CHOSEN", answer.cause)
    units = backorder.quantity
    await _carry_out(uow, taken, opened, book, backorder, answer)
    granted = await _grant(uow, taken, answer)
    await _tell(uow, taken, book, line, units, answer)
    before = {"offer": offer.id, "quantity": units}
    uow.audit(
        "backorderOptionChoose", f"backorder:{offer.sku_id}:{offer.backorder_id}", before, {"cause": answer.cause}
    )
    return OptionOutcome(
        offer.sku_id,
        offer.backorder_id,
        answer.order_id,
        backorder.version,
        option.kind,
        answer.line_id,
        option.substitute_sku_id if answer.line_id is not None else None,
        granted,
    )


def _check_open(uow: Transaction, offer: Offer, answer: _Answer) -> None:
    """Under the gate: who comes second is told what became of the set."""
    if offer.state is not OptionOfferState.OPEN:
        raise OptionClosed(str(offer.backorder_id), str(offer.state), offer.chosen)
    if answer.by_default != (offer.deadline <= uow.now):
        raise OptionClosed(str(offer.backorder_id), "PAST_DEADLINE")


def _check_facts(offer: Offer, backorder: Backorder, option: Option) -> None:
    """Nobody is held to what was not offered: more units or a later day are another question. Cancelling never is."""
    if option.kind is ResolutionKind.CANCEL:
        return
    later = offer.expected_date is not None and (
        backorder.expected_date is None or backorder.expected_date > offer.expected_date
    )
    if backorder.quantity != offer.quantity or later:
        raise OptionClosed(str(offer.backorder_id), OUTDATED)


async def _carry_out(
    uow: Transaction, taken: TakenOrders, opened: OpenedOrders, book: SkuBook, backorder: Backorder, answer: _Answer
) -> None:
    option, line = answer.option, backorder.line
    if option.kind is ResolutionKind.CANCEL:
        await carry_out(uow, taken, opened, [Cut(book, line, backorder.quantity)], answer.cause)
        return
    if option.kind is ResolutionKind.SUBSTITUTE:
        assert option.substitute_sku_id is not None
        assert option.ratio is not None
        new, _ = await replace_short_part(
            uow, taken, opened, backorder, option.substitute_sku_id, option.ratio, answer.cause
        )
        answer.line_id = new.id
        return
    if option.kind is ResolutionKind.PART_SHIP:
        await _let_parts_leave(uow, opened, line)
        settle_state(book, backorder, answer.cause)
    else:
        accept_wait(book, taken.network, backorder, answer.cause)
    consent = {
        "offerId": answer.offer.id,
        "optionId": option.id,
        "kind": str(option.kind),
        "byDefault": answer.by_default,
    }
    promise(
        book,
        line,
        taken.network,
        uow.now,
        PromiseReason.OPTION_CHOSEN,
        cause_kind=PromiseReason.OPTION_CHOSEN,
        cause_id=option.id,
        evidence={"consent": consent},
    )
    orders = await save_books(uow, opened.books.values())
    if answer.order_id not in orders:
        await touch_orders(uow, [answer.order_id])
    request_shipments(uow, [answer.order_id])


async def _let_parts_leave(uow: Transaction, opened: OpenedOrders, line: Line) -> None:
    """What is there need not wait for the rest any more: neither for that of the line nor for that of the order."""
    await uow.sql.execute(
        "update sales_order set ship_complete = false, updated_at = $2 where id = $1", line.order_id, uow.now
    )
    if line.ship_policy is ShipPolicy.COMPLETE:
        line.ship_policy = ShipPolicy.PARTIAL_BACKORDER_REST
        line.is_changed = True


async def _grant(uow: Transaction, taken: TakenOrders, answer: _Answer) -> int | None:
    """What the option gives the customer besides the goods."""
    option = answer.option
    kind = {ResolutionKind.COMPENSATE: EntitlementKind.COUPON, ResolutionKind.SUBSTITUTE: EntitlementKind.REFUND}.get(
        option.kind
    )
    if kind is None or not option.compensation or option.currency is None:
        return None
    customer_id = taken.orders[answer.order_id].customer_id
    return await grant_entitlement(
        uow, answer.offer, answer.order_id, customer_id, kind, option.compensation, option.currency
    )


async def _tell(uow: Transaction, taken: TakenOrders, book: SkuBook, line: Line, units: int, answer: _Answer) -> None:
    order = taken.orders[answer.order_id]
    option = answer.option
    draft = NoticeDraft(
        order.customer_id,
        order.id,
        "OPTION_CHOSEN",
        f"OPTION_CHOSEN:{book.sku_id}:{answer.offer.id}",
        book.sku_id,
        {
            "orderNumber": order.number,
            "lineNumber": line.line_number,
            "quantity": units,
            "option": str(option.kind),
            "byDefault": answer.by_default,
            "expected": line.promised.isoformat() if line.promised and option.kind != ResolutionKind.CANCEL else None,
        },
    )
    await put_notices(uow, [draft])
