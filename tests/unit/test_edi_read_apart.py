"""A file that is read in a child process: the same result, and a named error instead of a worker that hangs or dies."""

import io
import os
import signal

import pytest

from core.edi.learn_guide import learn
from core.edi.read_apart import LearningProcess, ReadingProcess
from core.edi.reader import read
from core.edi.reading_child import LENGTH, serve
from core.errors import ReadingEnded
from tests.unit.edi_messages import X12, x12_file

FILE = x12_file("855", X12["855"])


def test_a_child_reads_as_we_do_and_a_new_one_follows_one_that_died():
    reading = ReadingProcess()
    assert reading.read(FILE) == read(FILE)
    child = reading._child
    assert child is not None
    os.kill(child.pid, signal.SIGSTOP)
    reading.seconds = 0.05
    with pytest.raises(ReadingEnded, match=r"longer than 0\.05 seconds"):
        reading.read(FILE)
    assert child.poll() is not None
    reading.seconds = 120
    assert reading.read(b"").faults == read(b"").faults
    assert reading._child is not None
    os.kill(reading._child.pid, signal.SIGKILL)
    reading._child.wait()
    assert reading.read(FILE) == read(FILE)
    reading.end()


def test_the_child_answers_frame_by_frame_until_its_input_ends():
    requests = io.BytesIO(LENGTH.pack(len(FILE)) + FILE + LENGTH.pack(0) + b"\0\0")
    answers = io.BytesIO()
    serve(requests, answers)
    found = answers.getvalue()
    (first,) = LENGTH.unpack(found[:8])
    (second,) = LENGTH.unpack(found[8 + first : 16 + first])
    assert len(found) == 16 + first + second


def test_a_child_learns_as_we_do_and_is_gone_then():
    learning, samples = LearningProcess(seconds=120), [("855", FILE), ("junk", b"none")]
    assert learning.learn(samples) == learn(samples)
    assert learning._child is None
    learning._patience = 0.01
    with learning._lock, pytest.raises(ReadingEnded, match="before these"):
        learning.learn(samples)
