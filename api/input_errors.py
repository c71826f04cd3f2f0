"""What graphql-core says of a value that does not fit: with the values that would, without what was sent in it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

Allowed = Mapping[str, Sequence[str]]
"""Values of each enum, by its name; empty where the schema is not shown."""

_ECHO = re.compile(r"(?:, found|[.?] Found|; found|(?<=value)): ?(?:[{\[]|.{200}).*", re.DOTALL)
"""The echo of an object, a list or a long text: it may hold what a person told us. A short value says what is wrong."""
_CAUSE = re.compile(r", but encountered error '.*?'(?=; found|$)", re.DOTALL)
_ENUM = re.compile(r"in '(\w+)' enum\.|Enum '(\w+)' cannot represent")


def plain_message(message: str) -> str:
    """The message in words of GraphQL, without the objects and lists that it was about."""
    told = _ECHO.sub(lambda match: "?" if match[0].startswith("?") else "", _CAUSE.sub("", message))
    told = told.replace("not to be None.", "not to be null.")
    return told if told.endswith((".", "?")) or told == message else f"{told}."


def allowed_values(message: str, enums: Allowed) -> Sequence[str]:
    """The values of the enum that the message is about; none when it is about no enum, or one that is not shown."""
    match = _ENUM.search(message)
    return enums.get(match[1] or match[2], ()) if match else ()
