"""Business parameters that planners change without a release."""

from __future__ import annotations

from datetime import datetime

import strawberry
from strawberry import field

from api.schema.errors import UserError


@strawberry.type(description="A business parameter that may be changed without code.")
class Policy:
    """One parameter."""

    code: str = field(description="Its name.")
    description: str = field(description="What it decides and what it may be.")
    value: str = field(description="What holds now, as JSON text.")
    default: str = field(description="What holds while nothing is stored, as JSON text.")
    example: str = field(
        description="A value it may have, as JSON text: which names an object has, and what stands there."
    )
    is_default: bool = field(description="Is nothing stored.")
    version: int = field(description="Raised by every change; 0 while nothing is stored.")
    updated_at: datetime | None = field(description="When it was changed last.", default=None)


@strawberry.input(description="A change of a business parameter.")
class PolicyChangeInput:
    """Input of policyChange."""

    code: str = field(description="Name of the parameter.")
    value: str | None = field(
        default=None,
        description="The new value as JSON text, of the shape of the policy's `example`; null: the default.",
    )
    expected_version: int | None = field(
        default=None, description="Refuse when it has another version; 0: while nothing is stored."
    )


@strawberry.type(description="Answer of policyChange.")
class PolicyPayload:
    """The parameter after it."""

    policy: Policy | None = field(description="The parameter.", default=None)
    user_errors: list[UserError] = field(description="What was refused and why; empty when all was done.")
