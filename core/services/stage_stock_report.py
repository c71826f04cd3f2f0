"""Take in a supplier's stock report (846, INVRPT): staged whole, guarded against a feed that went wrong."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta

from core.edi.guide import StockReport
from core.edi.interchanges import Fault, Level, Severity
from core.edi.stock_documents import InventoryReport, StockKind, StockLine
from core.ports import Transaction
from core.repositories.edi import Partner
from core.repositories.supplier_stock import StagedStock, newest_stock, stage, supplied_skus
from core.services.edi_outcome import STAGED, Applied, Unusable, doubt

FEWEST_KNOWN = 10
"""A feed of fewer articles than this may go to zero as a whole."""


async def stage_stock_report(
    uow: Transaction, report: InventoryReport, faults: tuple[Fault, ...], partner: Partner, document_id: int
) -> Applied:
    """Keep what it says of the articles that the supplier delivers; `staged` until all its chunks are written.

    In a full feed an article that is missing has no stock, in a delta it is unchanged. A report older than the newest
    one is stale. Raises Unusable for a feed that takes too many articles to zero at once. It never confirms a line.
    """
    if partner.supplier_id is None:
        raise Unusable("partner", f"Partner {partner.code!r} is not a supplier.")
    skus = await supplied_skus(uow, partner.supplier_id)
    newest, known = await newest_stock(uow, partner.supplier_id)
    as_of = _as_of(report, uow.now)
    if as_of > uow.now + timedelta(days=1):
        raise Unusable("date", f"The report is of the future: {as_of.isoformat()}.")
    if newest is not None and as_of < newest:
        return Applied("stale", report.number, None, faults)
    found, strangers = by_sku(report, skus)
    if partner.guide.stock_report is StockReport.FULL:
        found = {sku_id: found.get(sku_id) or StagedStock(sku_id, 0) for sku_id in skus}
    check_drop(known, found, partner.guide.stock_drop_percent)
    notes = tuple(_stranger(line) for line in strangers)
    told = {"articles": len(found), "unknown": len(strangers), "asOf": as_of.isoformat()}
    if found:
        await stage(uow, document_id, partner.supplier_id, as_of, [found[sku_id] for sku_id in sorted(found)])
    return Applied(STAGED if found else "applied", report.number, None, (*faults, *notes), told)


def by_sku(
    report: InventoryReport, skus: Mapping[int, tuple[str, str, str]]
) -> tuple[dict[int, StagedStock], list[StockLine]]:
    """Summed over places and lots; and the lines that name nothing the supplier delivers."""
    ours = {code: sku_id for sku_id, (code, _, _) in skus.items()}
    theirs = {vendor: sku_id for sku_id, (_, vendor, _) in skus.items() if vendor}
    numbered = {gtin.lstrip("0"): sku_id for sku_id, (_, _, gtin) in skus.items() if gtin}
    found: dict[int, StagedStock] = {}
    strangers = []
    for line in report.lines:
        sku_id = ours.get(line.buyer_sku) or numbered.get(line.gtin.lstrip("0")) or theirs.get(line.vendor_code)
        if sku_id is None:
            strangers.append(line)
            continue
        available = sellable(line)
        if available is None:
            continue
        before = found.get(sku_id, StagedStock(sku_id, 0))
        days = [on for on in (before.next_date, line.available_on) if on is not None]
        coming = line.first(StockKind.PROJECTED, StockKind.ON_ORDER)
        found[sku_id] = StagedStock(
            sku_id,
            before.available + available,
            min(days, default=None),
            before.next_quantity if coming is None else (before.next_quantity or 0) + coming,
        )
    return found, strangers


def sellable(line: StockLine) -> int | None:
    """What can be sold: as stated, else what is on hand without what is held, committed or unusable."""
    stated = line.first(StockKind.AVAILABLE)
    if stated is not None:
        return max(0, stated)
    on_hand = line.first(StockKind.ON_HAND)
    if on_hand is None:
        return None
    gone = [line.first(kind) or 0 for kind in (StockKind.HELD, StockKind.COMMITTED, StockKind.UNUSABLE)]
    return max(0, on_hand - sum(gone))


def check_drop(known: Mapping[int, int], found: Mapping[int, StagedStock], percent: int) -> None:
    """Raise Unusable when more than `percent` of the articles that had stock would have none."""
    stocked = {sku_id for sku_id, available in known.items() if available > 0}
    emptied = [sku_id for sku_id in stocked if sku_id in found and found[sku_id].available == 0]
    if len(stocked) >= FEWEST_KNOWN and len(emptied) * 100 > len(stocked) * percent:
        text = f"The report takes {len(emptied)} of {len(stocked)} articles to zero; {percent} percent are allowed."
        raise Unusable("drop_guard", text, [doubt("quantity", text)])


def _stranger(line: StockLine) -> Fault:
    name = line.buyer_sku or line.vendor_code or line.gtin or line.line_number
    text = f"The supplier delivers no article {name[:40]!r}."
    return Fault(Level.BUSINESS, Severity.WARNING, "item", text, line.segment_number, "LIN")


def _as_of(report: InventoryReport, now: datetime) -> datetime:
    """The moment of the report: its day, and the time in its sequence where one was sent."""
    if report.reported_on is None:
        return now
    digits = report.sequence.partition("-")[0][8:12]
    at = time(0)
    if len(digits) == 4 and digits.isdecimal() and int(digits[:2]) < 24 and int(digits[2:]) < 60:
        at = time(int(digits[:2]), int(digits[2:]))
    return datetime.combine(report.reported_on, at, UTC)
