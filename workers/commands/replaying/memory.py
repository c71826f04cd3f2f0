"""Peak memory of a stack's own processes, as the kernel counts it."""

from __future__ import annotations

import os
import resource
from pathlib import Path

SERVERS = ("postgres", "valkey")


def peak_memory_mb(pids: dict[str, int]) -> float:
    """Sum of the peak resident sizes of this process and the stack's API, relay and workers, in MB.

    PostgreSQL and Valkey are left out: their shared buffers would be counted once per process.
    """
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return own + sum(_peak(pid) for name, pid in pids.items() if name not in (*SERVERS, "up") and pid != os.getpid())


def _peak(pid: int) -> float:
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    return 0.0
