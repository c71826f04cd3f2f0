"""Write proposals to move stock: one open per SKU and pair of locations, closed when they are taken, old or void."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from core.domain.rebalancing import Move, RebalancingState
from core.errors import IllegalTransition, NotFound
from core.ports import Transaction


@dataclass(frozen=True, slots=True)
class ProposalRow:
    """A proposal under its row lock."""

    id: int
    sku_id: int
    from_location_id: int
    to_location_id: int
    quantity: int


async def write_proposals(
    uow: Transaction, sku_ids: Collection[int], moves: Sequence[Move], currencies: Mapping[int, str], expires: datetime
) -> tuple[int, set[int]]:
    """Make the open proposals of these SKUs say what `moves` say. Repeating changes nothing.

    Returns how many are new, and the SKUs for which one brings less than before or was withdrawn. One that still holds
    keeps the day on which it expires, however often it is looked at; `expires` is for new ones.
    """
    open_rows = await uow.sql.fetch(
        """select sku_id, from_location_id, to_location_id, quantity from rebalancing_proposal
        where sku_id = any($1::bigint[]) and state = 'OPEN' order by id for no key update""",
        sorted(sku_ids),
    )
    offered = {(m.sku_id, m.from_location_id, m.to_location_id): m.quantity for m in moves}
    less = {sku_id for sku_id, origin, target, units in open_rows if offered.get((sku_id, origin, target), 0) < units}
    await uow.sql.execute(
        """update rebalancing_proposal p set state = 'WITHDRAWN', closed_at = $5, updated_at = $5
        where p.sku_id = any($1::bigint[]) and p.state = 'OPEN' and not exists (
            select from unnest($2::bigint[], $3::bigint[], $4::bigint[]) as u(sku_id, origin, target)
            where u.sku_id = p.sku_id and u.origin = p.from_location_id and u.target = p.to_location_id)""",
        sorted(sku_ids),
        [m.sku_id for m in moves],
        [m.from_location_id for m in moves],
        [m.to_location_id for m in moves],
        uow.now,
    )
    if not moves:
        return 0, less
    rows = await uow.sql.fetch(
        """insert into rebalancing_proposal (sku_id, from_location_id, to_location_id, quantity, urgency, cost, carbon_g,
            currency, arrives_on, reason, expires_at, created_at, updated_at)
        select u.*, $11, $12, $12 from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::int[], $5::int[],
            $6::bigint[], $7::bigint[], $8::text[], $9::date[], $10::jsonb[]) as u
        on conflict (sku_id, from_location_id, to_location_id) where state = 'OPEN' do update set
            quantity = excluded.quantity, urgency = excluded.urgency, cost = excluded.cost,
            carbon_g = excluded.carbon_g, arrives_on = excluded.arrives_on, reason = excluded.reason,
            updated_at = excluded.updated_at
        returning xmax = 0 as is_new""",
        [m.sku_id for m in moves],
        [m.from_location_id for m in moves],
        [m.to_location_id for m in moves],
        [m.quantity for m in moves],
        [m.urgency for m in moves],
        [m.cost for m in moves],
        [m.carbon_g for m in moves],
        [currencies[m.sku_id] for m in moves],
        [m.arrives_on for m in moves],
        [m.reason for m in moves],
        expires,
        uow.now,
    )
    return sum(row["is_new"] for row in rows), less


async def expire_proposals(uow: Transaction) -> set[int]:
    """Close what nobody has taken in time; returns the SKUs."""
    rows = await uow.sql.fetch(
        """update rebalancing_proposal set state = 'EXPIRED', closed_at = $1, updated_at = $1
        where state = 'OPEN' and expires_at <= $1 returning sku_id""",
        uow.now,
    )
    return {row["sku_id"] for row in rows}


async def lock_proposal(uow: Transaction, proposal_id: int) -> ProposalRow:
    """An open proposal that still holds, locked; call it after the gate of its SKU.

    Raises NotFound, or IllegalTransition when it was taken, withdrawn or has expired.
    """
    row = await uow.sql.fetchrow(
        """select id, sku_id, from_location_id, to_location_id, quantity, state, expires_at from rebalancing_proposal
        where id = $1 for no key update""",
        proposal_id,
    )
    if row is None:
        raise NotFound("rebalancing proposal", str(proposal_id), path=("input", "proposalId"))
    state = row["state"] if row["expires_at"] > uow.now else RebalancingState.EXPIRED
    if state != RebalancingState.OPEN:
        raise IllegalTransition("rebalancing proposal", str(proposal_id), state, RebalancingState.ACCEPTED)
    return ProposalRow(row["id"], row["sku_id"], row["from_location_id"], row["to_location_id"], row["quantity"])


async def accept_proposal(uow: Transaction, proposal_id: int, transfer_id: int) -> None:
    await uow.sql.execute(
        """update rebalancing_proposal set state = 'ACCEPTED', transfer_id = $2, closed_at = $3, updated_at = $3
        where id = $1""",
        proposal_id,
        transfer_id,
        uow.now,
    )
