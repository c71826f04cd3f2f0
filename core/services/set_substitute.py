"""Say which SKU may replace another, at which ratio and rank, and whether the customer is asked; who waits profits at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.domain.states import SkuStatus
from core.errors import InvalidInput, NotFound, SkuNotSellable
from core.ports import Transaction
from core.repositories.codes import sku_ids_of
from core.repositories.follow_course import request_course
from core.repositories.kits import kit_parts

MAX_RATIO = 1_000
MAX_RANK = 1_000
MOST = 50
"""Substitutes of one SKU: the course of a backorder weighs them all."""


@dataclass(frozen=True, slots=True)
class SetSubstitute:
    """What is None stays, or begins as: one unit for one, of rank 1 (tried first), with the customer's consent."""

    sku: str
    substitute: str
    ratio: int | None = None
    rank: int | None = None
    needs_consent: bool | None = None


async def set_substitute(uow: Transaction, request: SetSubstitute) -> int:
    """Write it; returns the id of the SKU that may be replaced. Backorders that take substitutes are looked at anew.

    Options that were offered stand until they are chosen or their deadline. Raises UnknownSku, SkuNotSellable (a discontinued
    substitute) and InvalidInput (itself, a kit, figures that cannot be, too many).
    """
    sku_id, other_id = await _ids(uow, request.sku, request.substitute)
    for field, value, most in (("ratio", request.ratio, MAX_RATIO), ("rank", request.rank, MAX_RANK)):
        if value is not None and not 1 <= value <= most:
            raise InvalidInput(f"{value} is not between 1 and {most}.", path=("input", field), value=value)
    if sku_id == other_id:
        raise InvalidInput("A SKU does not replace itself.", path=("input", "substitute"), value=request.substitute)
    kits = await kit_parts(uow, [sku_id, other_id])
    for field, code, id in (("sku", request.sku, sku_id), ("substitute", request.substitute, other_id)):
        if id in kits:
            raise InvalidInput(
                f"{code!r} is a kit: what is short of it are its components; set substitutes for them.",
                path=("input", field),
                value=code,
            )
    # of two at once the second sees what the first has written
    await uow.sql.execute("select from sku where id = $1 for no key update", sku_id)
    status = await uow.sql.fetchval("select status from sku where id = $1", other_id)
    if status == SkuStatus.DISCONTINUED:
        raise SkuNotSellable(request.substitute, status, path=("input", "substitute"))
    before = await _known(uow, sku_id, other_id)
    if before is None:
        count = await uow.sql.fetchval("select count(*) from substitute where sku_id = $1", sku_id)
        if count >= MOST:
            raise InvalidInput(
                f"{request.sku!r} has {MOST} substitutes already: substituteRemove takes one away.",
                path=("input", "sku"),
            )
    known = before or {"ratio": 1, "rank": 1, "needsConsent": True}
    after = {
        "ratio": known["ratio"] if request.ratio is None else request.ratio,
        "rank": known["rank"] if request.rank is None else request.rank,
        "needsConsent": known["needsConsent"] if request.needs_consent is None else request.needs_consent,
    }
    await uow.sql.execute(
        """insert into substitute (sku_id, substitute_sku_id, ratio, rank, needs_consent, created_at)
        values ($1, $2, $3, $4, $5, $6) on conflict (sku_id, substitute_sku_id) do update set ratio = excluded.ratio,
            rank = excluded.rank, needs_consent = excluded.needs_consent""",
        sku_id,
        other_id,
        *after.values(),
        uow.now,
    )
    uow.audit(
        "substituteSet",
        f"sku:{sku_id}",
        before and {**before, "substitute": other_id},
        {**after, "substitute": other_id},
    )
    if after != before and await _waits(uow, sku_id):
        request_course(uow, [sku_id])
    return sku_id


async def remove_substitute(uow: Transaction, sku: str, substitute: str) -> int:
    """From now on it is neither taken nor offered; returns the id of the SKU. Raises UnknownSku and NotFound."""
    sku_id, other_id = await _ids(uow, sku, substitute)
    before = await _known(uow, sku_id, other_id)
    if before is None:
        raise NotFound("substitute", f"{substitute} for {sku}", path=("input", "substitute"))
    await uow.sql.execute("delete from substitute where sku_id = $1 and substitute_sku_id = $2", sku_id, other_id)
    uow.audit("substituteRemove", f"sku:{sku_id}", {**before, "substitute": other_id}, None)
    return sku_id


async def _ids(uow: Transaction, sku: str, substitute: str) -> tuple[int, int]:
    one = await sku_ids_of(uow, [sku], ("input", "sku"))
    other = await sku_ids_of(uow, [substitute], ("input", "substitute"))
    return one[sku], other[substitute]


async def _known(uow: Transaction, sku_id: int, other_id: int) -> dict[str, Any] | None:
    row = await uow.sql.fetchrow(
        "select ratio, rank, needs_consent from substitute where sku_id = $1 and substitute_sku_id = $2 for update",
        sku_id,
        other_id,
    )
    return None if row is None else {"ratio": row["ratio"], "rank": row["rank"], "needsConsent": row["needs_consent"]}


async def _waits(uow: Transaction, sku_id: int) -> bool:
    return await uow.sql.fetchval(
        """select exists (select from backorder b join order_line l on l.sku_id = b.sku_id and l.id = b.order_line_id
            where b.sku_id = $1 and b.closed_at is null and l.substitutes_allowed)""",
        sku_id,
    )
