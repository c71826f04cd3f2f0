"""Header fields of an ASGI scope, without an object around them."""

from __future__ import annotations

from starlette.types import Scope


def header(scope: Scope, name: bytes) -> str | None:
    """The first field of this name (in lower case); None without one."""
    for key, value in scope["headers"]:
        if key == name:
            return value.decode("latin-1")
    return None
