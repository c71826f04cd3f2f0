"""The supervisor: restarts what dies, stops in order, and never outlives its children nor they it."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from workers.commands.supervisor import Program, Supervisor

pytestmark = pytest.mark.anyio

FOR_EVER = "import time\nwhile True: time.sleep(1)"
STUBBORN = "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('up', flush=True)\n" + FOR_EVER


def _program(folder: Path, name: str, script: str, grace: float = 5.0) -> Program:
    return Program(name, (sys.executable, "-c", script), dict(os.environ), folder, folder / f"{name}.log", grace=grace)


async def _until(condition: object, seconds: float = 10.0) -> None:
    assert callable(condition)
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


async def test_a_child_that_dies_is_started_again_and_said_so(tmp_path: Path) -> None:
    said: list[str] = []
    supervisor = Supervisor(said.append)
    await supervisor.start(_program(tmp_path, "api", FOR_EVER))
    first = supervisor.pids["api"]
    os.kill(first, signal.SIGKILL)
    await _until(lambda: supervisor.pids.get("api") not in (None, first))
    second = supervisor.pids["api"]
    assert said == [
        f"api (pid {first}) was killed by SIGKILL; it is started again in 0.25 s (log: {tmp_path / 'api.log'})"
    ]
    assert supervisor.deaths("api") == 1
    await supervisor.stop("api")
    assert supervisor.pids == {}
    assert not psutil.pid_exists(second)


async def test_the_delay_grows_with_every_early_death(tmp_path: Path) -> None:
    said: list[str] = []
    supervisor = Supervisor(said.append)
    await supervisor.start(_program(tmp_path, "relay", "raise SystemExit(7)"))
    await _until(lambda: len(said) >= 3)
    await supervisor.stop("relay")
    assert [line.split("; ")[1].split(" (log")[0] for line in said[:3]] == [
        "it is started again in 0.25 s",
        "it is started again in 0.5 s",
        "it is started again in 1 s",
    ]
    assert all("ended with code 7" in line for line in said)


async def test_a_child_that_ignores_sigterm_is_killed_after_its_grace(tmp_path: Path) -> None:
    said: list[str] = []
    supervisor = Supervisor(said.append)
    await supervisor.start(_program(tmp_path, "worker", STUBBORN, grace=0.3))
    pid = supervisor.pids["worker"]
    await _until(lambda: (tmp_path / "worker.log").read_text() == "up\n")
    await supervisor.stop("worker")
    assert not psutil.pid_exists(pid)
    assert said == ["worker did not stop within 0.3 s and is killed"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties children to their parent")
async def test_children_die_with_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    script = (
        "import asyncio, os, sys; from pathlib import Path; sys.path.insert(0, os.getcwd());"
        "from workers.commands.supervisor import Program, Supervisor\n"
        "async def run():\n"
        "    supervisor = Supervisor(print)\n"
        f"    program = Program('api', (sys.executable, '-c', {FOR_EVER!r}), dict(os.environ), Path('.'),"
        f" Path({str(tmp_path / 'api.log')!r}))\n"
        "    await supervisor.start(program)\n"
        "    print(supervisor.pids['api'], flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(run())"
    )
    owner = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    pid = int(owner.stdout.readline())
    assert psutil.pid_exists(pid)
    owner.kill()
    owner.wait()
    owner.stdout.close()
    await _until(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
