"""Take a SKU into the catalogue."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from core.domain.sku_fields import SkuFields, check_identity, check_tracking, shortest_gtin
from core.domain.states import SkuStatus
from core.errors import InvalidInput
from core.ports import Transaction

_UNTRACKED = {"tracks_lots": False, "tracks_expiry": False, "tracks_serials": False, "min_life_days": 0}


@dataclass(frozen=True, slots=True)
class CreateSku:
    """`available_from`: its release day, when it is a pre-order at first."""

    code: str
    currency: str
    unit: str = "EA"
    available_from: date | None = None
    fields: SkuFields = field(default_factory=SkuFields)


async def free_gtin(uow: Transaction, sku_id: int | None, gtin: str) -> str | None:
    """The form in which the GTIN is kept; None for ''. Raises InvalidInput for one that another SKU has.

    Whoever asks for the same GTIN meanwhile waits until this transaction ends.
    """
    if not gtin:
        return None
    gtin = shortest_gtin(gtin)
    await uow.sql.execute("select pg_advisory_xact_lock(hashtextextended($1, 0))", f"gtin:{gtin}")
    taken = await uow.sql.fetchval("select code from sku where gtin = $1 and id is distinct from $2", gtin, sku_id)
    if taken is not None:
        raise InvalidInput(f"SKU {taken!r} has this GTIN.", path=("input", "gtin"), value=gtin)
    return gtin


async def create_sku(uow: Transaction, request: CreateSku) -> int:
    """Write the SKU, on sale or as a pre-order; its gate opens with it. Returns its id.

    Raises InvalidInput, also for a code that is taken and for a SKU without any name.
    """
    check_identity(request.code, request.unit, request.currency)
    request.fields.check()
    given = request.fields.given
    check_tracking({**_UNTRACKED, **given})
    if not given.get("name"):
        raise InvalidInput("A SKU has a name in at least one language.", path=("input", "names"))
    if "gtin" in given:
        given["gtin"] = await free_gtin(uow, None, given["gtin"])
    status = SkuStatus.ACTIVE if request.available_from is None else SkuStatus.PREORDER
    row: dict[str, Any] = {
        "code": request.code,
        "currency": request.currency,
        "unit": request.unit,
        "status": str(status),
        "available_from": request.available_from,
        "created_at": uow.now,
        "updated_at": uow.now,
        **given,
    }
    marks = ", ".join(f"${n}" for n in range(1, len(row) + 1))
    sku_id = await uow.sql.fetchval(
        f"insert into sku ({', '.join(row)}) values ({marks}) on conflict (code) do nothing returning id", *row.values()
    )
    if sku_id is None:
        raise InvalidInput(f"There is a SKU {request.code!r} already.", path=("input", "code"), value=request.code)
    uow.audit("skuCreate", f"sku:{sku_id}", None, {"code": request.code, "status": str(status), **given})
    return sku_id
