"""Reads a partner's file, or learns from its samples, in a child process within bounds of time and memory: a bomb costs the
child, not the process that was asked."""

from __future__ import annotations

import atexit
import os
import pickle
import select
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from core.edi.interchanges import ReadResult
from core.edi.reading_child import LENGTH
from core.errors import ReadingEnded

SECONDS = 120.0
LEARNING_SECONDS = 20.0
LEARNING_PATIENCE = 8.0
"""Both together are less than an operation of the API may take."""
_ROOT = Path(__file__).resolve().parents[2]


class ReadingProcess:
    """One child for a process, started with the first file and again after it had to be ended; one file at a time."""

    task = "read"
    _patience = -1.0
    """Seconds to wait for the file before; -1: as long as it takes."""
    _is_kept = True

    def __init__(self, seconds: float = SECONDS) -> None:
        self.seconds = seconds
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None

    def read(self, data: bytes) -> ReadResult:
        """What the file holds, by the child's own answer. It blocks.

        Raises ReadingEnded where there was no answer within the bounds: that may be the machine's fault.
        """
        return self._answer_to(data)

    def _answer_to(self, data: bytes) -> Any:
        if not self._lock.acquire(timeout=self._patience):
            raise ReadingEnded(f"Others are before these {len(data)} bytes.")
        try:
            return self._ask(data)
        except TimeoutError as failure:
            self.end()
            text = f"Reading the file of {len(data)} bytes took longer than {self.seconds:g} seconds and was ended."
            raise ReadingEnded(text) from failure
        except (OSError, EOFError, pickle.UnpicklingError) as failure:
            self.end()
            text = f"The process that read the file of {len(data)} bytes ended: {type(failure).__name__}."
            raise ReadingEnded(text) from failure
        finally:
            if not self._is_kept:
                self.end()
            self._lock.release()

    def _ask(self, data: bytes) -> ReadResult:
        child = self._started()
        if child.stdin is None or child.stdout is None:
            raise EOFError
        until = time.monotonic() + self.seconds
        into, out = child.stdin.fileno(), child.stdout.fileno()
        waiting = memoryview(LENGTH.pack(len(data)) + data)
        while waiting:
            _, ready, _ = select.select([], [into], [], _left(until))
            if not ready:
                raise TimeoutError
            waiting = waiting[os.write(into, waiting[: select.PIPE_BUF]) :]
        (length,) = LENGTH.unpack(_take(out, LENGTH.size, until))
        return pickle.loads(_take(out, length, until))  # noqa: S301 our own child wrote it

    def _started(self) -> subprocess.Popen[bytes]:
        if self._child is not None and self._child.poll() is not None:
            self.end()
        if self._child is None:
            self._child = subprocess.Popen(
                [sys.executable, "-m", "core.edi.reading_child", self.task],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                cwd=_ROOT,
                env={"PYTHONPATH": str(_ROOT), "PATH": os.environ.get("PATH", "")},
                bufsize=0,
            )
        return self._child

    def end(self) -> None:
        """End the child, if there is one; the next file starts another."""
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            child.communicate()


class LearningProcess(ReadingProcess):
    """A child for each proposal, and one proposal at a time: entering a partner is rare."""

    task = "learn"
    _patience = LEARNING_PATIENCE
    _is_kept = False

    def __init__(self, seconds: float = LEARNING_SECONDS) -> None:
        super().__init__(seconds)

    def learn(self, files: list[tuple[str, bytes]]) -> dict[str, Any]:
        """What `learn_guide.learn` says of the files. It blocks. Raises ReadingEnded as `read` does."""
        return self._answer_to(pickle.dumps(files, protocol=5))


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _take(source: int, length: int, until: float) -> bytes:
    found = bytearray()
    while len(found) < length:
        ready, _, _ = select.select([source], [], [], _left(until))
        piece = os.read(source, min(length - len(found), 1 << 20)) if ready else b""
        if ready and not piece:
            raise EOFError
        found += piece
    return bytes(found)


READING = ReadingProcess()
LEARNING = LearningProcess()
atexit.register(READING.end)
atexit.register(LEARNING.end)
