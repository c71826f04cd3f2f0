"""Reads files of partners in a process of its own: `python -m core.edi.reading_child read`, started by `read_apart`.

A frame is a length of 8 bytes and as many bytes. In: the bytes of a file. Out: the pickled `ReadResult`. With `learn`, in:
the pickled names and bytes of samples; out: the pickled proposal. It has no credentials in its environment, a limit of
memory, and ends with its parent.
"""

from __future__ import annotations

import pickle
import resource
import struct
import sys
from collections.abc import Callable
from typing import BinaryIO

from core.edi.interchanges import Fault, Level, ReadResult, Severity
from core.edi.learn_guide import learn
from core.edi.reader import read

LENGTH = struct.Struct(">Q")
MEMORY_BYTES = 3_000_000_000


def refusal(code: str, message: str) -> ReadResult:
    """A file of which nothing can be used."""
    return ReadResult((), (Fault(Level.FILE, Severity.ERROR, code, message),))


def answer(data: bytes) -> bytes:
    """The pickled result; a mistake of ours, or memory that runs out, is a fault of the file and not the end."""
    try:
        return pickle.dumps(read(data), protocol=5)
    except Exception as failure:
        text = f"The file could not be read, which is a mistake of this program: {type(failure).__name__}: {failure}"
        return pickle.dumps(refusal("unread", text[:500]), protocol=5)


def proposal(data: bytes) -> bytes:
    """The pickled proposal of `learn`; what fails ends the process."""
    return pickle.dumps(learn(pickle.loads(data)), protocol=5)  # noqa: S301 our own parent wrote it


TASKS: dict[str, Callable[[bytes], bytes]] = {"read": answer, "learn": proposal}


def serve(requests: BinaryIO, answers: BinaryIO, task: Callable[[bytes], bytes] = answer) -> None:
    """One file after the other until the parent closes its end."""
    while len(head := requests.read(LENGTH.size)) == LENGTH.size:
        data = requests.read(LENGTH.unpack(head)[0])
        found = task(data)
        answers.write(LENGTH.pack(len(found)))
        answers.write(found)
        answers.flush()


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    serve(sys.stdin.buffer, sys.stdout.buffer, TASKS[sys.argv[1]])
