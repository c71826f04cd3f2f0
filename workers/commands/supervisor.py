"""Keeps child processes running: starts them, restarts what dies, stops them in order, and never outlives them."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from core.embedded.processes import open_log

FIRST_DELAY = 0.25
"""Seconds before the first restart; doubled by every death that follows soon."""
LONGEST_DELAY = 15.0
HEALTHY_SECONDS = 30.0
"""A child that ran this long starts over with the first delay."""

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def _die_with_parent() -> None:
    """In the child, before exec: the kernel kills it when the supervisor goes, however it goes (Linux only)."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


@dataclass(frozen=True, slots=True)
class Program:
    """One child: how to run it, where it logs, and the seconds it gets to finish after SIGTERM."""

    name: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    folder: Path
    log: Path
    descriptors: tuple[int, ...] = ()
    grace: float = 10.0


@dataclass(slots=True)
class _Child:
    program: Program
    keeper: asyncio.Task[None] | None = None
    process: asyncio.subprocess.Process | None = None
    deaths: int = 0
    stopping: bool = False
    started: asyncio.Event = field(default_factory=asyncio.Event)


class Supervisor:
    """Runs programs until `stop`. Use it from the main thread: the kernel ties children to the thread that made them.

    `say` gets one line per death or restart.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._children: dict[str, _Child] = {}

    async def start(self, program: Program) -> None:
        """Start and from now on keep the program; returns when the process exists (not when it is ready)."""
        child = _Child(program)
        self._children[program.name] = child
        child.keeper = asyncio.create_task(self._keep(child), name=f"keep-{program.name}")
        started = asyncio.create_task(child.started.wait())
        await asyncio.wait({started, child.keeper}, return_when=asyncio.FIRST_COMPLETED)
        started.cancel()
        if child.keeper.done():
            child.keeper.result()

    @property
    def pids(self) -> dict[str, int]:
        """Pid of every child that is running now."""
        return {
            name: child.process.pid
            for name, child in self._children.items()
            if child.process is not None and child.process.returncode is None
        }

    @property
    def names(self) -> list[str]:
        """Every child that was started, running or not."""
        return list(self._children)

    def deaths(self, name: str) -> int:
        """How often this child has died by itself since it was started."""
        return self._children[name].deaths

    async def stop(self, *names: str) -> None:
        """SIGTERM to these children at once, SIGKILL to the process group of whoever is left after its grace."""
        await asyncio.gather(*(self._end(self._children[name]) for name in names if name in self._children))

    async def _keep(self, child: _Child) -> None:
        delay = FIRST_DELAY
        while not child.stopping:
            born = time.monotonic()
            process = await self._spawn(child.program)
            child.process = process
            child.started.set()
            if child.stopping:
                process.terminate()
            code = await process.wait()
            if child.stopping:
                return
            child.deaths += 1
            if time.monotonic() - born > HEALTHY_SECONDS:
                delay = FIRST_DELAY
            how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
            self._say(
                f"{child.program.name} (pid {process.pid}) {how}; it is started again in {delay:.2g} s "
                f"(log: {child.program.log})"
            )
            await asyncio.sleep(delay)
            delay = min(delay * 2, LONGEST_DELAY)

    async def _spawn(self, program: Program) -> asyncio.subprocess.Process:
        log = open_log(program.log)
        try:
            return await asyncio.create_subprocess_exec(
                *program.arguments,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=dict(program.environment),
                cwd=program.folder,
                pass_fds=program.descriptors,
                start_new_session=True,  # Ctrl-C reaches only us; we stop the others in order
                preexec_fn=_die_with_parent,
            )
        finally:
            os.close(log)

    async def _end(self, child: _Child) -> None:
        child.stopping = True
        process, keeper = child.process, child.keeper
        if process is not None and process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), child.program.grace)
            except TimeoutError:
                self._say(f"{child.program.name} did not stop within {child.program.grace:g} s and is killed")
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # also whatever it started itself
            await process.wait()
        if keeper is not None:
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)
