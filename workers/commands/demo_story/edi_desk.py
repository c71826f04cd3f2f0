"""The supplier's EDI desk: reads what lies in its `out` folder, drops its answers into `in`, with real X12 files."""

from __future__ import annotations

import itertools
import os
from datetime import UTC, date, datetime
from pathlib import Path

from core.edi.decode_850 import decode_850
from core.edi.decode_997 import decode_997
from core.edi.documents import (
    AcknowledgedLine,
    Acknowledgement,
    CarrierEvent,
    CarrierStatus,
    Effect,
    FunctionalAcknowledgement,
    LineStatus,
    PurchaseOrderDocument,
    ShipNotice,
    ShippedLine,
    ShippedOrder,
)
from core.edi.interchanges import TransactionSet
from core.edi.reader import read
from core.edi.supplier_side import write_214, write_855, write_856
from core.edi.x12_writer import Envelope
from migrations.demo_company import OUR_EDI_ID, PARTNERS

CARRIER = "HAUL"


class EdiDesk:
    """One partner's side of the folders."""

    def __init__(self, edi_dir: Path, partner: str) -> None:
        self.folder = edi_dir / partner
        self._id = next(row[2] for row in PARTNERS if row[0] == partner)
        self._controls = itertools.count(1)
        self.last_group = ""

    def orders(self) -> dict[str, tuple[Path, PurchaseOrderDocument]]:
        """Every purchase order in `out`, by its number, as the supplier reads it."""
        found = {}
        for path, document in self._sets("850"):
            order = decode_850(document).document
            if order is not None:
                found[order.number] = (path, order)
        return found

    def acknowledgements(self) -> dict[str, tuple[Path, FunctionalAcknowledgement]]:
        """Every 997 in `out`, by the control number of our group that it answers."""
        answers = ((path, decode_997(document).document) for path, document in self._sets("997"))
        return {answer.group_control: (path, answer) for path, answer in answers if answer is not None}

    def _sets(self, kind: str) -> list[tuple[Path, TransactionSet]]:
        paths = (p for p in sorted((self.folder / "out").iterdir()) if p.is_file() and p.suffix != ".tmp")
        return [
            (path, document)
            for path in paths
            for interchange in read(path.read_bytes()).interchanges
            for group in interchange.groups
            for document in group.sets
            if document.kind == kind
        ]

    def acknowledge(self, order: PurchaseOrderDocument, parts: list[tuple[str, int, date]]) -> Path:
        """An 855 with one ACK segment per part (status code, quantity, day at the dock) on the first line."""
        line = order.lines[0]
        statuses = tuple(LineStatus(code, quantity, day, "067", Effect.ACCEPT) for code, quantity, day in parts)
        answered = AcknowledgedLine(
            "", line.line_number, line.buyer_sku, line.vendor_code, "", line.quantity, line.unit, statuses
        )
        now = datetime.now(UTC)
        answer = Acknowledgement(order.number, "AC", now.date(), "", (answered,), supplier_reference="SR-1")
        return self._drop(f"855-{order.number}.edi", write_855(answer, self._envelope(now)))

    def ship(self, order: PurchaseOrderDocument, quantity: int, today: date, expected: date, tracking: str) -> Path:
        """An 856 for `quantity` of the first line that leaves today."""
        line = order.lines[0]
        shipped = ShippedLine(line.line_number, line.buyer_sku, line.vendor_code, quantity, line.unit)
        notice = ShipNotice(
            f"ASN-{order.number}", "00", today, expected, CARRIER, tracking, (ShippedOrder(order.number, (shipped,)),)
        )
        return self._drop(f"856-{order.number}.edi", write_856(notice, self._envelope(datetime.now(UTC))))

    def delay(self, order: PurchaseOrderDocument, tracking: str, expected: date) -> Path:
        """A carrier's 214: delayed (SD) for a mechanical breakdown (AI), with the day now expected at the dock."""
        now = datetime.now(UTC).replace(second=0, microsecond=0)
        event = CarrierEvent("SD", "AI", now, None)
        status = CarrierStatus(tracking, tracking, (order.number,), (event,), carrier=CARRIER, estimated_date=expected)
        return self._drop(f"214-{order.number}.edi", write_214(status, self._envelope(now)))

    def _drop(self, name: str, data: bytes) -> Path:
        """Write as `.tmp`, then rename: a half-written file is never taken."""
        path = self.folder / "in" / name
        partial = path.with_suffix(".tmp")
        partial.write_bytes(data)
        os.replace(partial, path)
        return path

    def _envelope(self, at: datetime) -> Envelope:
        number = next(self._controls)
        self.last_group = str(number)
        return Envelope("ZZ", self._id, "ZZ", OUR_EDI_ID, self._id, OUR_EDI_ID, number, number, number, at)
