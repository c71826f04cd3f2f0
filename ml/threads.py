"""One thread for the models: small batches on many threads are ten times slower, on a busy machine a hundred times."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Any

from threadpoolctl import ThreadpoolController


def one_thread() -> AbstractContextManager[Any]:
    """Within it OpenMP has one thread, whatever OMP_NUM_THREADS said when the libraries were loaded."""
    return _controller().limit(limits=1, user_api="openmp")


@lru_cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()
