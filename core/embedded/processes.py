"""Finding, watching and ending server processes, also those of an earlier run and those that nobody reaps."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from core.errors import EmbeddedServerError

LOG_LIMIT = 20_000_000
"""Bytes after which a log is set aside at the next start."""


class ServerProcess:
    """One server by its pid: our child (reaped by us) or an orphan of an earlier run (a zombie counts as gone)."""

    def __init__(self, pid: int, child: subprocess.Popen[bytes] | None = None) -> None:
        self.pid = pid
        self._child = child
        try:
            self._process: psutil.Process | None = psutil.Process(pid)
        except psutil.NoSuchProcess:
            self._process = None

    def is_alive(self) -> bool:
        if self._child is not None and self._child.poll() is not None:
            return False
        if self._process is None:
            return False
        try:
            return self._process.is_running() and self._process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    def signal(self, number: signal.Signals) -> None:
        if self.is_alive() and self._process is not None:
            try:
                self._process.send_signal(number)
            except psutil.NoSuchProcess:
                return

    def wait(self, seconds: float) -> bool:
        """True when the process is gone within that time."""
        limit = time.monotonic() + seconds
        while self.is_alive():
            if time.monotonic() > limit:
                return False
            time.sleep(0.02)
        if self._child is not None:
            self._child.poll()  # seen as a zombie: reap it
        return True

    def end(self, *steps: tuple[signal.Signals, float]) -> None:
        """Send each signal in turn until the process is gone, waiting so many seconds after it."""
        for number, seconds in steps:
            self.signal(number)
            if self.wait(seconds):
                return


def living_processes(name: str, folder: Path) -> list[psutil.Process]:
    """Live processes of that name that work in `folder`: the servers (and their helpers) that use its data."""
    found = []
    for process in psutil.process_iter(["name", "status"]):
        if not (process.info["name"] or "").startswith(name) or process.info["status"] == psutil.STATUS_ZOMBIE:
            continue
        try:
            if Path(process.cwd()) == folder:
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
    return found


@contextmanager
def start_lock(data_dir: Path, name: str) -> Iterator[None]:
    """Only one process at a time starts or adopts the server of this folder."""
    descriptor = os.open(data_dir / f".{name}.lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def data_folder(data_dir: Path) -> Path:
    """The data folder, made if missing, as an absolute path. Raises EmbeddedServerError when it cannot be used."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        (data_dir / "log").mkdir(exist_ok=True)
    except OSError as error:
        raise EmbeddedServerError(f"The data folder {data_dir} cannot be used ({error.strerror}).") from error
    return data_dir.resolve()


def open_log(path: Path) -> int:
    """A descriptor that appends to the log; one grown too long is kept once as `.1`."""
    if path.exists() and path.stat().st_size > LOG_LIMIT:
        path.replace(path.with_suffix(path.suffix + ".1"))
    return os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)


def log_since(path: Path, offset: int) -> list[str]:
    """The lines a server wrote after `offset`."""
    try:
        with path.open("rb") as log:
            log.seek(offset)
            return log.read().decode(errors="replace").splitlines()
    except OSError:
        return []
