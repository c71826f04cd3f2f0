"""Change a business parameter; it holds from the next decision on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.domain.course import POLICY as COURSE
from core.domain.options import POLICY as OPTIONS
from core.domain.policies import BY_CODE, check_policy
from core.errors import NotFound, VersionConflict
from core.events import JobRequest
from core.ports import Transaction

RELEASE_GATE = "release_gate"


@dataclass(frozen=True, slots=True)
class ChangePolicy:
    """`value` is plain JSON; None goes back to the default. `expected_version` 0: nothing is stored yet."""

    code: str
    value: Any
    expected_version: int | None = None


async def change_policy(uow: Transaction, request: ChangePolicy) -> int:
    """Store the value; returns the parameter's version, 0 at its default.

    Raises NotFound for a parameter that we do not know, InvalidInput for a value that it cannot have, VersionConflict.
    """
    if request.code not in BY_CODE:
        raise NotFound("policy", request.code, path=("input", "code"))
    if request.value is not None:
        check_policy(request.code, request.value)
    await uow.sql.execute("select pg_advisory_xact_lock(hashtextextended('policy:' || $1, 0))", request.code)
    row = await uow.sql.fetchrow("select value, version from policy where code = $1", request.code)
    before, version = (row["value"], row["version"]) if row is not None else (None, 0)
    if request.expected_version is not None and request.expected_version != version:
        raise VersionConflict("policy", request.code, request.expected_version, version)
    if request.value is None:
        await uow.sql.execute("delete from policy where code = $1", request.code)
        version = 0
    else:
        version = await uow.sql.fetchval(
            """insert into policy (code, value, version, updated_at) values ($1, $2, 1, $3)
            on conflict (code) do update set value = excluded.value, version = policy.version + 1,
                updated_at = excluded.updated_at
            returning version""",
            request.code,
            request.value,
            uow.now,
        )
    uow.audit("policyChange", f"policy:{request.code}", {"value": before}, {"value": request.value})
    if request.code in (COURSE, OPTIONS):
        uow.enqueue(JobRequest("review_backorders", "policy"))
    if request.code in (COURSE, RELEASE_GATE):
        uow.enqueue(JobRequest("release_kept_orders", "policy", queue="bulk"))
    return version
