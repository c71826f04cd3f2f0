"""Header fields of an ASGI scope, without an object around them."""

from __future__ import annotations

from starlette.types import Scope


def all_of(scope: Scope, name: bytes) -> str | None:
    """All fields of this name as one, with commas between; None without any."""
    found = [value.decode("latin-1") for key, value in scope["headers"] if key == name]
    return ",".join(found) if found else None


def header(scope: Scope, name: bytes) -> str | None:
    """The first field of this name (in lower case); None without one."""
    for key, value in scope["headers"]:
        if key == name:
            return value.decode("latin-1")
    return None
