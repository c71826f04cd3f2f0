"""The swarm as a test: a whole system under fire, then a recount of everything."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def _run(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "tests/races/swarm.py", *options], cwd=ROOT, capture_output=True, text=True, timeout=420
    )


def test_the_program_explains_itself():
    shown = _run("--help")
    assert shown.returncode == 0
    assert "--seconds" in shown.stdout
    assert "--seed" in shown.stdout


@pytest.mark.long
@pytest.mark.timeout(480)
@pytest.mark.parametrize(
    "options",
    [("--skus", "4"), ("--skus", "60"), ("--skus", "8", "--servers", "--every", "6")],
    ids=["few", "many", "servers"],
)
def test_nothing_differs_after_a_swarm_under_kills(options):
    report = _run("--json", "--seconds", "40", "--seed", "11", "--patience", "240", *options)
    facts = json.loads(report.stdout)
    assert facts["differences"] == {}, report.stderr
    assert (report.returncode, facts["deadlocks"]) == (0, 0)
    done = facts["done"]
    assert done["SIGKILLs"] + done.get("postgres killed", 0) + done.get("valkey killed", 0) > 3
    assert done["backends ended"] > 3
    assert done["orderPlace"] > 50
