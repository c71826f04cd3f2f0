"""The demo as its user meets it: green on this machine, loud and exact when a step is not what it should be."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import psutil
import pytest

from migrations.demo_company import OPENING_STOCK
from workers.commands.demo_story import figures
from workers.commands.demo_story.chronicle import Chronicle, StepFailed
from workers.commands.demo_story.days import Days, seconds_until_quiet

ROOT = Path(__file__).resolve().parents[2]


def run_demo(*options: str) -> tuple[int, str, str]:
    environment = {key: value for key, value in os.environ.items() if key not in ("DATABASE_URL", "REDIS_URL")}
    done = subprocess.run(
        [sys.executable, "manage.py", "demo", *options],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.long  # `make demo` tells it after the tests in every run of CI
@pytest.mark.timeout(300)
def test_the_story_is_told_whole_and_leaves_nothing_behind() -> None:
    with tempfile.TemporaryDirectory(prefix="bm-demo-") as place:
        data = Path(place) / "data"
        code, out, errors = run_demo("--json", "--data", str(data))
        told: dict[str, Any] = json.loads(out.strip().splitlines()[-1]) if out.strip() else {}
        assert (code, told.get("failure"), told.get("ok")) == (0, None, True), errors
        assert len(told["steps"]) == 18
        assert told["checks"] > 100
        assert not data.exists()
        left = [p.pid for p in psutil.process_iter(["cmdline"]) if str(place) in " ".join(p.info["cmdline"] or [])]
        assert left == []


def test_a_folder_with_something_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("keep")
    code, _, errors = run_demo("--data", str(tmp_path))
    assert (code, "needs an empty data folder" in errors) == (2, True)
    assert (tmp_path / "mine").read_text() == "keep"


def test_a_wrong_step_names_itself_what_was_expected_and_what_came() -> None:
    chronicle = Chronicle(quiet=True)
    chronicle.step("The first receipt")
    chronicle.expect("equal in JSON", ((1, date(2026, 11, 23)),), [[1, "2026-11-23"]])
    with pytest.raises(StepFailed) as failed:
        chronicle.expect("allocated", {"buyer": (3, 5)}, {"buyer": [2, 6]})
    assert str(failed.value).split("\n") == [
        "The first receipt: allocated",
        "  expected  {'buyer': [3, 5]}",
        "  came      {'buyer': [2, 6]}",
    ]
    with pytest.raises(StepFailed, match="at most 1 s"):
        chronicle.within("the file", 1.0, 1.2)
    assert chronicle.checks == 1


def test_the_seed_fits_the_story_and_another_would_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert figures.check() == []
    assert (figures.WANTED, figures.LEFT, figures.BY_TRANSFER, figures.SHORT) == (15, 4, 3, 8)
    monkeypatch.setitem(OPENING_STOCK, figures.MUG, (20, 0, 0, 0))
    assert figures.check() == ["MUG-BLUE is not short of 25"]


def test_the_days_follow_cut_off_weekend_and_holidays() -> None:
    friday_noon = Days(datetime(2026, 12, 18, 4, 0, tzinfo=UTC))  # 13:00 in Seoul: Busan's cut-off (12:00) is over
    assert friday_noon.leaves_now(figures.HOME) == date(2026, 12, 18)
    assert friday_noon.leaves_now(figures.RESERVE) == date(2026, 12, 21)
    assert friday_noon.after_transfer() == date(2026, 12, 23)
    assert friday_noon.delivered(date(2026, 12, 24)) == date(2026, 12, 26)  # Christmas is closed, Saturday is driven
    assert friday_noon.usable(date(2026, 12, 24)) == date(2026, 12, 28)


@pytest.mark.parametrize(
    ("now", "wait"),
    [
        (datetime(2026, 11, 23, 5, 59, 0, tzinfo=UTC), 61),  # 15:00 in Seoul
        (datetime(2026, 11, 23, 14, 59, 30, tzinfo=UTC), 31),  # midnight in Seoul
        (datetime(2026, 11, 23, 10, 0, 0, tzinfo=UTC), 0),
    ],
)
def test_the_story_waits_for_a_cut_off_to_pass(now: datetime, wait: int) -> None:
    assert seconds_until_quiet(now) == wait
