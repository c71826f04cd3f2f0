"""Arguments that several root fields share, with their descriptions."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from strawberry import argument

IdempotencyKey: TypeAlias = Annotated[
    str,
    argument(
        description="Chosen by the caller, 1 to 255 characters; a repeat with the same key is answered, not done again."
    ),
]
After: TypeAlias = Annotated[
    str | None, argument(description="Resume after this cursor of any subscription; nothing is lost or repeated.")
]
