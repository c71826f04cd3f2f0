"""A replay of a written history through a full stack, undisturbed and with every process killed in turn."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from core.embedded import discard_private_data

ROOT = Path(__file__).resolve().parents[2]
PROCESSES = ("api", "relay", "worker-fast", "worker-bulk", "valkey", "postgres")


def write_history(path: Path, days: int, orders_a_day: int, seed: int = 7) -> int:
    """A believable small history; returns its rows. Some demand spikes, some cancellations, some rubbish."""
    draw = random.Random(seed)
    products = [(f"{20000 + n}{'AB'[n % 2] if n % 3 else ''}", draw.choice((2, 4, 8, 20))) for n in range(40)]
    rows, number, sold = [], 500000, []
    start = datetime(2011, 3, 7, 9, 0)
    for day in range(days):
        at = start + timedelta(days=day)
        for _ in range(orders_a_day if at.weekday() < 6 else 2):
            number += 1
            at += timedelta(minutes=draw.randint(1, 8))
            customer = draw.choice(("", *(str(13000 + n) + ".0" for n in range(25))))
            for code, usual in draw.sample(products, draw.randint(1, 8)):
                quantity = draw.randint(1, usual) * (12 if draw.random() < 0.02 else 1)
                rows.append(
                    (number, code, "THING", quantity, at, "2.50", customer, draw.choice(("United Kingdom", "France")))
                )
                if customer:
                    sold.append(rows[-1])
            if draw.random() < 0.05 and sold:
                back = draw.choice(sold)
                rows.append((f"C{number}", back[1], "THING", -min(3, back[3]), at, "2.50", back[6], back[7]))
            if draw.random() < 0.03:
                rows.append((number, "POST", "POSTAGE", 1, at, "18.00", customer, "France"))
    with path.open("w") as stream:
        stream.write("InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n")
        for invoice, code, name, quantity, when, price, customer, country in rows:
            stream.write(f"{invoice},{code},{name},{quantity},{when:%Y-%m-%d %H:%M},{price},{customer},{country}\n")
    return len(rows)


def command(history: Path, data: Path, *more: str) -> list[str]:
    return [sys.executable, "manage.py", "replay", str(history), "--data", str(data), "--json", *more]


def environment() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL")} | {"PYTHONPATH": str(ROOT)}


def assert_sound(report: dict, rows: int) -> None:
    assert report["oversoldUnits"] == 0
    assert report["ledgerDifferences"] == 0, report["differences"]
    assert report["outboxEvents"] == report["publishedEvents"] > 0
    assert report["datedPromisesWithoutPeg"] == 0
    assert 0 < report["lines"] <= rows


@pytest.fixture
def data_dir(tmp_path_factory):
    import tempfile

    path = Path(tempfile.mkdtemp(prefix="bm-replay-"))
    yield path
    discard_private_data(path)


@pytest.mark.timeout(280)
def test_a_replay_is_sound_and_explains_its_backorders(tmp_path, data_dir):
    history = tmp_path / "history.csv"
    rows = write_history(history, 15, 8)
    done = subprocess.run(
        command(history, data_dir), cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=270
    )
    assert done.returncode == 0, done.stderr[-3000:]
    report = json.loads(done.stdout)
    assert_sound(report, rows)
    assert report["backordersOpened"] == sum(report["backordersByCause"].values()) > 0
    assert (
        report["backordersOpened"]
        == report["backordersFilled"] + report["backordersOpen"] + report["backordersCancelled"]
    )
    assert set(report["backorderEvidence"]) == set(report["backordersByCause"])
    assert report["purchaseOrders"] > 0
    assert report["ediDocumentsByOutcome"].get("in 855 applied", 0) > 0
    rejects = (data_dir / "rejects.csv").read_text().splitlines()
    assert len(rejects) == report["rejectedRows"] + 1
    assert any("the code 'POST' is no product" in line for line in rejects)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_every_process_is_killed_in_turn_and_the_three_zeros_hold(tmp_path, data_dir):
    history = tmp_path / "history.csv"
    rows = write_history(history, 40, 10)
    running = subprocess.Popen(
        command(history, data_dir),
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    killed = []
    try:
        wait_for(lambda: (data_dir / "pids.json").exists(), running, 120)
        time.sleep(3)
        for name in PROCESSES * 2:
            if running.poll() is not None:
                break
            if kill(name, data_dir):
                killed.append(name)
            time.sleep(4)
        out, error = running.communicate(timeout=800)
    finally:
        if running.poll() is None:
            running.send_signal(signal.SIGINT)
            running.communicate(timeout=60)
    assert set(killed) == set(PROCESSES), "the history is too short to kill all of them"
    assert running.returncode == 0, error[-3000:]
    assert_sound(json.loads(out), rows)


@pytest.mark.long
@pytest.mark.timeout(600)
def test_interrupted_and_resumed_it_plays_every_row_once(tmp_path, data_dir):
    history = tmp_path / "history.csv"
    write_history(history, 20, 8)
    first = subprocess.Popen(
        command(history, data_dir),
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for(lambda: (data_dir / "pids.json").exists(), first, 120)
    time.sleep(6)
    first.send_signal(signal.SIGINT)
    first.communicate(timeout=60)
    assert first.returncode == 130
    done = subprocess.run(
        command(history, data_dir, "--resume"), cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=500
    )
    assert done.returncode == 0, done.stderr[-3000:]
    report = json.loads(done.stdout)
    expected_orders, expected_lines = sold_orders(history)
    assert_sound(report, expected_lines)
    assert (report["orders"], report["lines"]) == (expected_orders, expected_lines)


def kill(name: str, data_dir: Path) -> bool:
    """Kill the process of that name; a process that was just restarted may not stand in the file yet."""
    for _ in range(20):
        pid = json.loads((data_dir / "pids.json").read_text()).get(name)
        if pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                return True
        time.sleep(0.3)
    return False


def sold_orders(history: Path) -> tuple[int, int]:
    from workers.commands.replaying.history import read_history

    orders = [i for i in read_history(history) if not i.is_return and i.rows]
    return len(orders), sum(len(i.rows) for i in orders)


def wait_for(condition, process, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.stderr.read()[-3000:]
        assert time.monotonic() < deadline, "it did not start in time"
        time.sleep(0.1)
