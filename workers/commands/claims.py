"""What only one stack may hold: its data folder and its port. A refusal is one sentence with the way out."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import socket
from pathlib import Path

from core.errors import ConfigurationError


class StackError(ConfigurationError):
    """The stack cannot start; the message is one sentence with the way out, `exit_code` what a command ends with."""

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class FolderInUse(StackError):
    """Another stack runs on this data folder."""

    def __init__(self, data_dir: Path, owner: str) -> None:
        super().__init__(
            f"The data folder {data_dir} is in use by another stack{owner}; stop that one, or choose another folder "
            "with --data.",
            exit_code=3,
        )


class PortInUse(StackError):
    """Somebody else listens there."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(
            f"Port {port} on {host} is in use by another program; stop it, or choose another port with --port.",
            exit_code=4,
        )


def claim_folder(data_dir: Path) -> int:
    """Hold the data folder until the returned descriptor is closed or the process ends. Raises FolderInUse."""
    path = data_dir / "up.lock"
    lock = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise FolderInUse(data_dir, _owner(path)) from None
    os.ftruncate(lock, 0)
    return lock


def note_owner(lock: int, url: str) -> None:
    """Write who holds the folder, for the sentence that the next one reads."""
    os.ftruncate(lock, 0)
    os.pwrite(lock, json.dumps({"pid": os.getpid(), "url": url}).encode(), 0)


def claim_port(host: str, port: int) -> socket.socket:
    """Listen (port 0: on a free one). The socket is handed to the API: while that restarts, callers wait.

    Raises PortInUse or StackError.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (socket.gaierror, OverflowError):
        raise StackError(f"{host} port {port} is no address of this machine; choose others.", 4) from None
    listener = socket.socket(family, kind)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Inherited by what is accepted: uvicorn takes a handed-over socket for a Unix one and would leave Nagle on.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.bind(address)
        listener.listen(2048)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise PortInUse(host, port) from None
        raise StackError(f"Port {port} on {host} cannot be used ({error.strerror}); choose another.", 4) from None
    return listener


def _owner(path: Path) -> str:
    try:
        owner = json.loads(path.read_text(encoding="utf-8"))
        return f" (pid {owner['pid']} at {owner['url']})"
    except (OSError, ValueError, KeyError):
        return ""
