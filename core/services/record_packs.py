"""Keep the cartons and pallets of a ship notice under their SSCCs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from core.domain.supplier_states import PackKind
from core.edi.decode_856 import is_sscc
from core.errors import InvalidInput, QuantityExceeded
from core.ports import Transaction
from core.repositories.ship_notices import find_notice
from core.repositories.supplier_portal import add_packs, packed_units, packs_of

SSCC_LIFE = timedelta(days=365)
"""GS1: an SSCC is not used again within a year."""


@dataclass(frozen=True, slots=True)
class PackedLine:
    """Units of one SKU in a pack."""

    sku: str
    quantity: int
    lot: str | None = None


@dataclass(frozen=True, slots=True)
class NoticePack:
    """`sscc`: 18 digits, or 20 with the application identifier 00 in front."""

    sscc: str
    kind: PackKind = PackKind.CARTON
    lines: Sequence[PackedLine] = field(default_factory=tuple)


async def record_packs(
    uow: Transaction, supplier_id: int, notice: str, packs: Sequence[NoticePack], shipped: dict[str, int] | None = None
) -> list[str]:
    """Add packs to a notice of the supplier; those it has already stay. Returns the SSCCs.

    `shipped`: units by SKU on the notice, above which packs may not hold. Raises InvalidInput for a wrong check digit,
    an SSCC named twice, or one that the supplier used within a year on another notice; QuantityExceeded.
    """
    codes: list[str] = []
    for index, pack in enumerate(packs):
        code = pack.sscc.strip().removeprefix("00") if len(pack.sscc.strip()) == 20 else pack.sscc.strip()
        if not is_sscc(code) or code in codes:
            why = "is named twice" if code in codes else "is no SSCC: 18 digits, the last a check digit"
            raise InvalidInput(f"{code!r} {why}.", path=("input", "packs", str(index), "sscc"), value=code)
        codes.append(code)
    contents = _contents(packs)
    known = await find_notice(uow, supplier_id, notice)
    if known is None:
        raise InvalidInput(f"There is no ship notice {notice!r}.", path=("input", "number"), value=notice)
    there = await packed_units(uow, known.id, codes)
    for sku, quantity in contents.items():
        quantity += there.get(sku, 0)
        if shipped is not None and quantity > shipped.get(sku, 0):
            open_units = shipped.get(sku, 0)
            raise QuantityExceeded(f"of SKU {sku!r} are on the notice", quantity, open_units, path=("input", "packs"))
    used = await packs_of(uow, supplier_id, codes, uow.now - SSCC_LIFE)
    for index, code in enumerate(codes):
        if used.get(code, known.id) != known.id:
            text = f"SSCC {code} was used on another notice within a year."
            raise InvalidInput(text, path=("input", "packs", str(index), "sscc"), value=code)
    if codes:
        rows: list[tuple[str, str, list[dict[str, Any]]]] = [
            (code, str(pack.kind), [{"sku": x.sku, "quantity": x.quantity, "lot": x.lot} for x in pack.lines])
            for code, pack in zip(codes, packs, strict=True)
        ]
        await add_packs(uow, supplier_id, known.id, rows)
    return codes


def _contents(packs: Sequence[NoticePack]) -> dict[str, int]:
    units: dict[str, int] = {}
    for index, pack in enumerate(packs):
        for at, line in enumerate(pack.lines):
            if line.quantity < 1:
                path = ("input", "packs", str(index), "contents", str(at), "quantity")
                raise InvalidInput("A packed quantity must be positive.", path=path, value=line.quantity)
            units[line.sku] = units.get(line.sku, 0) + line.quantity
    return units
