"""Judges one batch of mutated and random files in a process of its own, under a limit of memory and of time per file.

`python edi_fuzz_child.py SEED COUNT`: prints one JSON line; a file that fails is printed as its number and its cause, and
the same seed makes the same files again.
"""

import json
import os
import random
import resource
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from core.edi.decoders import DECODERS
from core.edi.edifact_messages import KINDS
from core.edi.judge_file import judge_file
from core.edi.x12 import FUNCTIONAL_IDS
from tests.unit.edi_messages import EDIFACT, X12, edifact_file, x12_file

MEMORY = 1_500_000_000
SECONDS = 20
MARKS = [
    b"*",
    b"~",
    b">",
    b"^",
    b"+",
    b":",
    b"'",
    b"?",
    b"\n",
    b"\r\n",
    b"\x00",
    b"\x1a",
    b"\xff",
    b"\xef\xbb\xbf",
    b" ",
]
PIECES = [
    b"ISA*",
    b"IEA*1*",
    b"GS*",
    b"GE*",
    b"ST*855*",
    b"SE*",
    b"UNA",
    b"UNB+",
    b"UNH+1+",
    b"UNT+",
    b"UNZ+",
    b"UNG+",
    b"TA1*",
]


def bases() -> list[bytes]:
    """Sound files of every kind, and the real ones where they are at hand (the small ones)."""
    found = [x12_file(kind, body) for kind, body in X12.items()] + [edifact_file(k, b) for k, b in EDIFACT.items()]
    folder = Path(os.environ.get("BACKORDER_DATA") or "nowhere", "edi")
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if path.is_file() and path.stat().st_size < 20_000:
            found.append(path.read_bytes())
    return found


def made(chance: random.Random, known: list[bytes]) -> bytes:
    if chance.random() < 0.15:
        start = chance.choice([b"", b"", chance.choice(PIECES), chance.choice(known)[: chance.randrange(200)]])
        return start + chance.randbytes(chance.randrange(400))
    data = bytearray(chance.choice(known))
    if chance.random() < 0.1:
        data += chance.choice(known)
    for _ in range(chance.choice([1, 1, 1, 2, 3, 8, 30])):
        at = chance.randrange(len(data) + 1)
        what = chance.randrange(8)
        if what == 0:
            data[at:at] = chance.choice(MARKS) * chance.choice([1, 1, 2, 50])
        elif what == 1:
            del data[at : at + chance.choice([1, 1, 3, 20, 200])]
        elif what == 2:
            data[at : at + 1] = chance.randbytes(1)
        elif what == 3:
            data[at:at] = chance.choice(PIECES)
        elif what == 4:
            data[at:at] = data[at : at + chance.choice([5, 40, 400])] * chance.choice([1, 2, 20])
        elif what == 5:
            del data[at:]
        elif what == 6:
            other = chance.choice(known)
            begin = chance.randrange(len(other) + 1)
            data[at:at] = other[begin : begin + chance.randrange(300)]
        else:
            mark = chance.choice(MARKS)
            data = bytearray(bytes(data).replace(chance.choice(MARKS), mark, chance.choice([1, -1])))
        if len(data) > 200_000:
            del data[200_000:]
    return bytes(data)


def main(seed: int, count: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    known = bases()
    chance = random.Random(seed)
    failed: list[str] = []
    slowest = 0.0
    verdicts: dict[str, int] = {}
    for number in range(count):
        data = made(chance, known)
        signal.alarm(SECONDS * 6)
        began = time.process_time()
        try:
            found = judge_file(data)
            json.dumps(found, allow_nan=False)
        except BaseException as failure:
            failed.append(f"file {number}: {type(failure).__name__}: {failure}")
            continue
        took = time.process_time() - began
        slowest = max(slowest, took)
        verdicts[found["verdict"]] = verdicts.get(found["verdict"], 0) + 1
        if any(fault["code"] == "unjudged" for fault in found["faults"]):
            failed.append(f"file {number}: {found['faults'][0]['message']}")
        if took > SECONDS:
            failed.append(f"file {number}: {took:.1f} s for {len(data)} bytes")
    signal.alarm(0)
    kinds = sorted((set(FUNCTIONAL_IDS) | set(KINDS)) - set(DECODERS))
    print(json.dumps({"failed": failed[:20], "slowest": round(slowest, 3), "verdicts": verdicts, "undecoded": kinds}))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
