"""What is remembered of documents: what was used lately, up to a weight, for whoever asks from whichever thread."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Memory(Generic[K, V]):
    """A dictionary that forgets what was used longest ago; a value heavier than `heaviest` is not kept at all."""

    def __init__(self, most: int, heaviest: int = 1) -> None:
        self._most = most
        self._heaviest = heaviest
        self._weight = 0
        self._values: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: K) -> V | None:
        """The value, while it is known."""
        with self._lock:
            found = self._values.get(key)
            if found is None:
                return None
            self._values.move_to_end(key)
            return found[0]

    def keep(self, key: K, value: V, weight: int = 1) -> None:
        """Keep `value`; what was used longest ago makes room."""
        if weight > self._heaviest:
            return
        with self._lock:
            before = self._values.pop(key, None)
            self._weight += weight - (0 if before is None else before[1])
            self._values[key] = value, weight
            while self._weight > self._most:
                self._weight -= self._values.popitem(last=False)[1][1]

    def __contains__(self, key: K) -> bool:
        return key in self._values

    def __len__(self) -> int:
        return len(self._values)
