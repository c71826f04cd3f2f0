"""The played supplier: reads the 850 files in its `out` folders and answers with 855, 856 and 214 files in `in`.

It behaves like a real one: mostly punctual, sometimes late, short, split, refusing, or wrong. Everything it will send
for an order is decided when it reads the order, from the seed and the order's number, and kept as files named by their
day, so that a killed supplier goes on where it was.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from core.edi.decode_850 import decode_850
from core.edi.documents import (
    AcknowledgedLine,
    Acknowledgement,
    CarrierEvent,
    CarrierStatus,
    Effect,
    LineStatus,
    PurchaseOrderDocument,
    PurchaseOrderDocumentLine,
    ShipNotice,
    ShippedLine,
    ShippedOrder,
)
from core.edi.reader import read
from core.edi.supplier_side import write_214, write_855, write_856
from core.edi.x12_writer import Envelope
from workers.commands.replaying.company import OUR_EDI_ID, draw

CARRIER = "HAUL"


@dataclass(frozen=True, slots=True)
class Load:
    """What a lorry really brings: goods of one purchase order, of each line some damaged."""

    name: str
    partner: str
    purchase_order: str
    location: str
    lines: list[tuple[str, int, int]]
    """(our SKU, quantity, of it damaged)."""


class PlayedSupplier:
    """`edi_dir` holds the partners' folders; `agenda_dir` is the supplier's own memory."""

    def __init__(self, edi_dir: Path, agenda_dir: Path, seed: int) -> None:
        self.edi_dir, self.agenda_dir, self.seed = edi_dir, agenda_dir, seed
        self.agenda_dir.mkdir(parents=True, exist_ok=True)

    def read_orders(self, today: date) -> int:
        """Take the new files of every `out` folder and decide all answers; returns how many orders were read."""
        orders = 0
        for path in sorted(self.edi_dir.glob("*/out/*")):
            if not path.is_file() or path.name.startswith(".") or path.suffix == ".tmp":
                continue
            partner = path.parent.parent.name
            for interchange in read(path.read_bytes()).interchanges:
                for group in interchange.groups:
                    for document in group.sets:
                        if document.kind == "850" and (order := decode_850(document).document) is not None:
                            self._decide(partner, order, today)
                            orders += 1
            taken = path.parent / "taken"
            taken.mkdir(exist_ok=True)
            os.replace(path, taken / path.name)
        return orders

    def send_due(self, today: date) -> int:
        """Put the messages that are due into the partners' `in` folders; returns how many."""
        sent = 0
        for path in sorted(self.agenda_dir.glob("*.edi")):
            day, partner, name = path.name.split("__", 2)
            if date.fromisoformat(day) <= today:
                folder = self.edi_dir / partner / "in"
                folder.mkdir(parents=True, exist_ok=True)
                os.replace(path, folder / name)
                sent += 1
        return sent

    def arrivals(self, today: date) -> list[tuple[Path, Load]]:
        """Lorries that stand at the gate by today; the caller removes each file once its goods are booked."""
        found = []
        for path in sorted(self.agenda_dir.glob("*.load")):
            day, partner, name = path.name.split("__", 2)
            if date.fromisoformat(day) <= today:
                facts = json.loads(path.read_text())
                found.append(
                    (path, Load(name, partner, facts["po"], facts["to"], [tuple(line) for line in facts["lines"]]))
                )
        return found

    # --- deciding --------------------------------------------------------------------------------------------------

    def _decide(self, partner: str, order: PurchaseOrderDocument, today: date) -> None:
        mood = draw(self.seed, "mood", order.number)
        wanted = order.requested_date or max(
            (line.requested_date for line in order.lines if line.requested_date), default=today + timedelta(days=10)
        )
        arrival = max(
            today + timedelta(days=2), wanted - timedelta(days=int(3 * draw(self.seed, "early", order.number)))
        )
        answer = Answer(self, partner, order, today)
        if mood < 0.52:
            answer.accept(arrival)
            answer.ship(order.lines, arrival, part=1)
        elif mood < 0.66:
            late = arrival + timedelta(days=3 + int(9 * draw(self.seed, "late", order.number)))
            answer.accept(late, code="DR")
            answer.ship(order.lines, late, part=1)
        elif mood < 0.78:
            late = arrival + timedelta(days=2 + int(7 * draw(self.seed, "delay", order.number)))
            answer.accept(arrival)
            answer.ship(order.lines, arrival, part=1, really=late)
        elif mood < 0.90:
            answer.split(arrival, arrival + timedelta(days=7 + int(14 * draw(self.seed, "split", order.number))))
        elif mood < 0.95:
            answer.refuse_one(arrival)
        else:
            answer.confuse()
            answer.accept(arrival, after=1)
            answer.ship(order.lines, arrival, part=1)


@dataclass(slots=True)
class Answer:
    """Everything one purchase order gets back."""

    supplier: PlayedSupplier
    partner: str
    order: PurchaseOrderDocument
    today: date

    def accept(self, arrival: date, code: str = "IA", after: int = 0) -> None:
        self._acknowledge([(line, [_status(code, line.quantity, arrival)]) for line in self.order.lines], after=after)

    def split(self, first: date, second: date) -> None:
        """Two ACK segments per line: part accepted, the rest backordered for a later day."""
        lines, now, later = [], [], []
        for line in self.order.lines:
            part = max(
                1,
                int(
                    line.quantity * (0.4 + 0.4 * draw(self.supplier.seed, "part", self.order.number, line.line_number))
                ),
            )
            rest = line.quantity - part
            statuses = [_status("IA", part, first)] + ([_status("IB", rest, second)] if rest else [])
            lines.append((line, statuses))
            now.append(_with(line, part))
            if rest:
                later.append(_with(line, rest))
        self._acknowledge(lines)
        self.ship(now, first, part=1)
        if later:
            self.ship(later, second, part=2)

    def refuse_one(self, arrival: date) -> None:
        refused = self.order.lines[int(draw(self.supplier.seed, "refuse", self.order.number) * len(self.order.lines))]
        self._acknowledge(
            [
                (
                    line,
                    [_status("IR", line.quantity, None) if line is refused else _status("IA", line.quantity, arrival)],
                )
                for line in self.order.lines
            ]
        )
        self.ship([line for line in self.order.lines if line is not refused], arrival, part=1)

    def confuse(self) -> None:
        """An acknowledgement of an order that we never gave."""
        self._acknowledge(
            [(line, [_status("IA", line.quantity, None)]) for line in self.order.lines], number="X" + self.order.number
        )

    def ship(
        self, lines: list[PurchaseOrderDocumentLine] | tuple[PurchaseOrderDocumentLine, ...], arrival: date, part: int,
        really: date | None = None,
    ) -> None:  # fmt: skip
        """A ship notice two days before the day it states, the lorry, and the carrier's word when it is late."""
        if not lines:
            return
        leaves = max(self.today + timedelta(days=1), arrival - timedelta(days=2))
        tracking = f"TRK{_digits(self.order.number)}{part}"
        notice = ShipNotice(
            f"ASN-{self.order.number}-{part}", "00", leaves, arrival, CARRIER, tracking,
            (ShippedOrder(self.order.number, tuple(_shipped(line) for line in lines)),), noticed_on=leaves,
        )  # fmt: skip
        self._keep(leaves, f"856-{self.order.number}-{part}.edi", write_856(notice, self._envelope(leaves, 3 + part)))
        if really is not None:
            told = max(leaves, arrival - timedelta(days=1))
            event = CarrierEvent("SD", "AI", datetime.combine(told, time(9, 0), UTC), None)
            status = CarrierStatus(
                tracking, tracking, (self.order.number,), (event,), carrier=CARRIER, estimated_date=really
            )
            self._keep(told, f"214-{self.order.number}-{part}.edi", write_214(status, self._envelope(told, 6 + part)))
        goods = []
        for line in lines:
            hurt = draw(self.supplier.seed, "damage", self.order.number, line.line_number, part)
            goods.append((line.buyer_sku, line.quantity, max(1, line.quantity // 10) if hurt < 0.02 else 0))
        day = max(really or arrival, self.today + timedelta(days=1))
        late = draw(self.supplier.seed, "dock", self.order.number, part)
        day += timedelta(days=1 + int(3 * late)) if late < 0.12 else timedelta(0)
        destination = self.order.ship_to.code if self.order.ship_to is not None else "MAIN"
        path = self.supplier.agenda_dir / f"{day}__{self.partner}__{self.order.number}-{part}.load"
        _write(path, json.dumps({"po": self.order.number, "to": destination, "lines": goods}).encode())

    def _acknowledge(
        self,
        lines: list[tuple[PurchaseOrderDocumentLine, list[LineStatus]]],
        *,
        after: int = 0,
        number: str | None = None,
    ) -> None:
        on = self.today + timedelta(days=1 + after)
        answer = Acknowledgement(
            number or self.order.number,
            "AC",
            on,
            "",
            tuple(
                AcknowledgedLine(
                    "",
                    line.line_number,
                    line.buyer_sku,
                    line.vendor_code,
                    "",
                    line.quantity,
                    line.unit,
                    tuple(statuses),
                )
                for line, statuses in lines
            ),
            supplier_reference=f"SR{_digits(self.order.number)}",
        )
        name = f"855-{number or self.order.number}.edi"
        self._keep(on, name, write_855(answer, self._envelope(on, 1 if number else 2)))

    def _envelope(self, on: date, kind: int) -> Envelope:
        """Control numbers that depend on the order alone: nine digits, the last one tells the message."""
        control = (int(_digits(self.order.number)) % 9_999_999) * 10 + kind
        return Envelope(
            "ZZ", self.partner, "ZZ", OUR_EDI_ID, self.partner, OUR_EDI_ID, control, control, 1,
            datetime.combine(on, time(8, 0), UTC),
        )  # fmt: skip

    def _keep(self, day: date, name: str, data: bytes) -> None:
        _write(self.supplier.agenda_dir / f"{day}__{self.partner}__{name}", data)


def _write(path: Path, data: bytes) -> None:
    partial = path.with_suffix(".tmp")
    partial.write_bytes(data)
    os.replace(partial, path)


def _digits(number: str) -> str:
    return re.sub(r"\D", "", number) or "0"


def _status(code: str, quantity: int, on: date | None) -> LineStatus:
    return LineStatus(code, quantity, on, "067" if on else "", Effect.ACCEPT)


def _with(line: PurchaseOrderDocumentLine, quantity: int) -> PurchaseOrderDocumentLine:
    return PurchaseOrderDocumentLine(line.line_number, line.buyer_sku, line.vendor_code, quantity, line.unit)


def _shipped(line: PurchaseOrderDocumentLine) -> ShippedLine:
    return ShippedLine(line.line_number, line.buyer_sku, line.vendor_code, line.quantity, line.unit)
