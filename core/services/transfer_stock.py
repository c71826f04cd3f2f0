"""Plan a transfer: stock is reserved at one location and becomes a dated supply at another."""

from __future__ import annotations

from dataclasses import dataclass

from core.domain.book_supplies import cover_open
from core.domain.conclude import conclude
from core.domain.shelf_life import movable
from core.domain.states import PromiseReason
from core.errors import InsufficientStock, InvalidInput
from core.ports import Transaction
from core.repositories.codes import lane_ends_of, sku_ids_of
from core.repositories.gates import take_gates
from core.repositories.load_book import load_books
from core.repositories.network import load_network
from core.repositories.rebalancing import accept_proposal, lock_proposal
from core.repositories.save_book import save_books
from core.repositories.supplying import load_lead_days
from core.services.follow_up import request_purchase


@dataclass(frozen=True, slots=True)
class TransferStock:
    """Move `quantity` base units of a SKU between two locations that a lane connects.

    `proposal_id` accepts a rebalancing proposal of that SKU and lane; the quantity may be another.
    """

    sku: str
    from_location: str
    to_location: str
    quantity: int
    proposal_id: int | None = None


@dataclass(frozen=True, slots=True)
class TransferResult:
    """The planned transfer."""

    transfer_id: int


async def transfer_stock(uow: Transaction, request: TransferStock) -> TransferResult:
    """Reserve the units and peg lines that wait at the destination to them.

    Raises InsufficientStock when the source does not have as much that nobody needs and that still lives long enough to
    be sold at the destination, InvalidInput without a lane or for
    a proposal of another move, NotFound and IllegalTransition for one that is not open any more.
    """
    if request.quantity < 1:
        raise InvalidInput("A transfer moves at least one unit.", path=("input", "quantity"), value=request.quantity)
    sku_id = (await sku_ids_of(uow, [request.sku], ("input", "sku")))[request.sku]
    source, target = await lane_ends_of(uow, request.from_location, request.to_location)
    versions = await take_gates(uow, [sku_id])
    if request.proposal_id is not None:
        proposal = await lock_proposal(uow, request.proposal_id)
        if (proposal.sku_id, proposal.from_location_id, proposal.to_location_id) != (sku_id, source, target):
            raise InvalidInput("The proposal is about another move.", path=("input", "proposalId"))
    network = await load_network(uow)
    if (source, target) not in network.lanes:
        raise InvalidInput(
            f"No lane leads from {request.from_location!r} to {request.to_location!r}.", path=("input", "toLocation")
        )
    book = (await load_books(uow, versions, network, lines="waiting"))[sku_id]
    arrives = network.moved_by(source, target, network.first_ship_day(source, uow.now), uow.now)
    available = movable(book, source, target, arrives)
    if request.quantity > available:
        raise InsufficientStock(request.sku, request.quantity, available, path=("input", "quantity"))
    supply = book.plan_transfer(source, target, request.quantity, arrives, "stockTransfer")
    lead_days = (await load_lead_days(uow, [sku_id]))[sku_id]
    gained = cover_open(book, network, lead_days, str(PromiseReason.SUPPLY_DATED))
    conclude(book, network, (line for line, _ in gained.values()), PromiseReason.SUPPLY_DATED)
    await save_books(uow, [book])
    assert supply.transfer is not None
    assert supply.transfer.id is not None
    transfer_id = supply.transfer.id
    if request.proposal_id is not None:
        await accept_proposal(uow, request.proposal_id, transfer_id)
        request_purchase(uow, [sku_id])  # what waited for the answer and is not served by it
    facts = {"quantity": request.quantity, "proposalId": request.proposal_id}
    uow.audit("stockTransfer", f"transfer:{transfer_id}", None, facts)
    return TransferResult(transfer_id)
