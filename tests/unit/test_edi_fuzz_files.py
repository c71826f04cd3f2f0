"""100,000 mutated and random files: each gets a verdict, in bounded time and memory, and nothing ever crashes."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core.edi.judge_file import judge_file
from tests.unit.edi_messages import EDIFACT, X12, edifact_file, x12_file

CHILD = Path(__file__).with_name("edi_fuzz_child.py")
FILES = int(os.environ.get("EDI_FUZZ_FILES", "100000"))
BATCH = 2_500


def run(seed: int, count: int) -> dict:
    done = subprocess.run(
        [sys.executable, str(CHILD), str(seed), str(count)], capture_output=True, text=True, timeout=1500, check=False
    )
    assert done.returncode == 0, f"batch {seed} ended with {done.returncode}: {done.stderr[-2000:]}"
    return {"seed": seed, **json.loads(done.stdout)}


@pytest.mark.parametrize("file", [x12_file(*x) for x in X12.items()] + [edifact_file(*x) for x in EDIFACT.items()])
def test_the_files_that_are_mutated_are_sound(file: bytes):
    assert judge_file(file)["verdict"] == "accepted"


def test_a_small_batch():
    found = run(20261122, 150)
    assert (found["failed"], found["undecoded"]) == ([], [])
    assert set(found["verdicts"]) == {"accepted", "accepted with notes", "rejected"}


@pytest.mark.long
@pytest.mark.timeout(1750)
def test_a_hundred_thousand_files():
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda seed: run(seed, BATCH), range(FILES // BATCH)))
    assert [(batch["seed"], batch["failed"]) for batch in found if batch["failed"]] == []
    assert sum(sum(batch["verdicts"].values()) for batch in found) == FILES
