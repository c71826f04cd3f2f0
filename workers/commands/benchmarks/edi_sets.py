"""How many 855 sets a second one core reads, validates and turns into documents, beside pyx12's reader alone."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from pyx12.x12file import X12Reader as Pyx12Reader

from core.edi.decode_855 import EFFECTS, decode_855
from core.edi.documents import AcknowledgedLine, Acknowledgement, LineStatus
from core.edi.interchanges import Verdict, verdict
from core.edi.reader import read
from core.edi.supplier_side import write_855
from core.edi.x12_writer import Envelope

SETS = 400
LINES = 2
ROUNDS = 5


def measure() -> dict[str, Any]:
    """Sets per second of processor time, the best of some rounds: other work on the machine does not count.

    The yardstick reads the same bytes into segments and checks nothing but the envelope.
    """
    content = acknowledgements(SETS, LINES)
    text = content.decode("ascii")
    ours = _best(lambda: _read_validated(content))
    theirs = _best(lambda: sum(1 for _ in Pyx12Reader(io.StringIO(text))))
    return {
        "name": "edi_855_sets_per_second",
        "figure": round(SETS / ours),
        "unit": "sets/s per core",
        "yardstick": "pyx12 reader alone, no validation",
        "yardstick_figure": round(SETS / theirs),
        "ratio": round(theirs / ours, 3),
    }


def acknowledgements(sets: int, lines: int) -> bytes:
    """One interchange of `sets` acknowledgements of `lines` lines, every second one with a partial backorder."""
    at = datetime(2026, 11, 20, 10, 30)
    envelope = Envelope("ZZ", "SUPPLIER", "ZZ", "BACKORDER", "SUP", "US", 7, 7, 1, at)
    one = write_855(_answer(0, lines), envelope).decode("ascii").split("\n")
    head, tail = one[:2], one[-3:]
    body: list[str] = []
    for number in range(sets):
        written = write_855(_answer(number, lines), envelope).decode("ascii").split("\n")[2:-3]
        control = f"{number + 1:04d}"
        written[0] = f"ST*855*{control}~"
        written[-1] = written[-1].rpartition("*")[0] + f"*{control}~"
        body.extend(written)
    tail[0] = f"GE*{sets}*7~"
    return "\n".join([*head, *body, *tail]).encode("ascii")


def _answer(number: int, lines: int) -> Acknowledgement:
    on = date(2026, 12, 1) + timedelta(days=number % 30)
    accepted = (LineStatus("IA", 10, on, "067", EFFECTS["IA"], "IA"),)
    parted = (
        LineStatus("IA", 6, on, "067", EFFECTS["IA"], "IA"),
        LineStatus("IB", 4, on + timedelta(days=14), "067", EFFECTS["IB"], "IB"),
    )
    found = tuple(
        AcknowledgedLine(
            str(line),
            str(line),
            f"SKU-{number}-{line}",
            f"V-{line}",
            "",
            10,
            "EA",
            parted if (number + line) % 2 else accepted,
        )
        for line in range(1, lines + 1)
    )
    return Acknowledgement(f"PO-{number:06d}", "AC", date(2026, 11, 21), "", found, f"SO-{number}")


def _read_validated(content: bytes) -> None:
    documents = [d for i in read(content).interchanges for group in i.groups for d in group.sets]
    for document in documents:
        if verdict(document.faults) is not Verdict.ACCEPTED or decode_855(document).document is None:
            raise AssertionError(f"Set {document.control} was not read: {document.faults}")


def _best(work: Callable[[], object]) -> float:
    """Seconds of processor time of the fastest round."""
    found = []
    for _ in range(ROUNDS):
        began = time.process_time()
        work()
        found.append(time.process_time() - began)
    return min(found)
