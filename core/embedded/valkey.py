"""A private Valkey on a Unix socket with an append-only file: started, adopted or recovered in a data folder."""

from __future__ import annotations

import atexit
import os
import re
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from core.embedded.binaries import valkey_binary
from core.embedded.folders import private_folder, socket_folder
from core.embedded.processes import ServerProcess, data_folder, living_processes, log_since, open_log, start_lock
from core.errors import EmbeddedServerError

START_SECONDS = 60.0


@dataclass(slots=True)
class ValkeyHandle:
    """A running server: its URL (redis-py and arq) and pid."""

    url: str
    pid: int
    adopted: bool
    _process: ServerProcess

    def is_alive(self) -> bool:
        return self._process.is_alive()

    def stop(self) -> None:
        """Shut down with the append-only file on disk. Returns when the process is gone."""
        self._process.end((signal.SIGTERM, 15), (signal.SIGKILL, 10))
        atexit.unregister(self.stop)


def start_valkey(data_dir: Path) -> ValkeyHandle:
    """Start, adopt or recover the Valkey of `data_dir`. Raises EmbeddedServerError with one sentence."""
    data_dir = data_folder(data_dir)
    with start_lock(data_dir, "valkey"):
        folder = private_folder(data_dir / "valkey", os.geteuid(), os.getegid())
        path = socket_folder(data_dir) / "valkey.sock"
        process = _running(folder, path)
        adopted = process is not None
        if process is None:
            path.unlink(missing_ok=True)
            process = _launch(folder, path, data_dir / "log" / "valkey.log")
    handle = ValkeyHandle(f"unix://{path}", process.pid, adopted, process)
    atexit.register(handle.stop)
    return handle


def _ask(path: Path, command: str) -> bytes:
    """One command over the socket; b"" when nobody answers."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(2)
            client.connect(str(path))
            client.sendall(f"{command}\r\n".encode())
            return client.recv(65_536)
    except OSError:
        return b""


def _running(folder: Path, path: Path) -> ServerProcess | None:
    """The server an earlier run left behind: adopted by its answer, ended when it lost its socket."""
    limit = time.monotonic() + START_SECONDS
    while _ask(path, "PING").startswith(b"-LOADING") and time.monotonic() < limit:
        time.sleep(0.05)
    answer = re.search(rb"process_id:(\d+)", _ask(path, "INFO server"))
    if answer:
        return ServerProcess(int(answer.group(1)))
    for orphan in living_processes("valkey-server", folder):
        # It cannot be reached any more, and two writers would ruin the append-only file.
        ServerProcess(orphan.pid).end((signal.SIGTERM, 10), (signal.SIGKILL, 5))
    return None


def _launch(folder: Path, path: Path, log: Path) -> ServerProcess:
    descriptor = open_log(log)
    offset = os.fstat(descriptor).st_size
    settings = {
        "port": "0",
        "unixsocket": str(path),
        "unixsocketperm": "700",
        "dir": str(folder),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "daemonize": "no",
        "maxmemory-policy": "noeviction",
    }
    arguments = [part for key, value in settings.items() for part in (f"--{key}", value)]
    try:
        child = subprocess.Popen(
            [str(valkey_binary()), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=descriptor,
            cwd=folder,
            start_new_session=True,  # Ctrl-C in the terminal must not reach it before its clients are done
        )
    except OSError as error:
        raise EmbeddedServerError(f"Valkey cannot be started: {error.strerror}.") from error
    finally:
        os.close(descriptor)
    process = ServerProcess(child.pid, child)
    limit = time.monotonic() + START_SECONDS
    while process.is_alive():
        if _ask(path, "PING").startswith(b"+PONG"):
            return process
        if time.monotonic() > limit:
            process.end((signal.SIGKILL, 10))
            raise EmbeddedServerError(f"Valkey did not become ready within {START_SECONDS:.0f} s; see {log}.")
        time.sleep(0.01)
    lines = [line for line in log_since(log, offset) if line.strip()]
    reason = lines[-1].strip().rstrip(".") if lines else "no reason given"
    raise EmbeddedServerError(
        f"Valkey cannot start on the data in {folder} ({reason}); "
        f"it holds no business data: move the folder away and start again (log: {log})."
    )
