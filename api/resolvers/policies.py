"""Business parameters: what holds, and how it is changed."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from strawberry import Info, argument

from api.context import Context
from api.resolvers.arguments import IdempotencyKey
from api.resolvers.mutation import run_mutation
from api.schema.errors import user_error
from api.schema.policy import Policy, PolicyChangeInput, PolicyPayload
from core.domain.policies import BY_CODE, RULES, PolicyRule
from core.domain.policy_examples import example_of
from core.errors import InvalidInput
from core.queries.policies import stored_policies
from core.services.change_policy import ChangePolicy, change_policy
from core.unit_of_work import UnitOfWork


def _text(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _policy(rule: PolicyRule, stored: Any) -> Policy:
    return Policy(
        code=rule.code,
        description=rule.description,
        value=_text(rule.default if stored is None else stored["value"]),
        default=_text(rule.default),
        example=_text(example_of(rule.code, rule.default)),
        is_default=stored is None,
        version=0 if stored is None else stored["version"],
        updated_at=None if stored is None else stored["updated_at"],
    )


async def policies(info: Info) -> list[Policy]:
    """All parameters by name."""
    async with info.context.read() as sql:
        stored = await stored_policies(sql)
    return [_policy(rule, stored.get(rule.code)) for rule in sorted(RULES, key=lambda rule: rule.code)]


async def policy_change(
    info: Info,
    input: Annotated[PolicyChangeInput, argument(description="Which parameter, which value.")],
    idempotency_key: IdempotencyKey,
) -> PolicyPayload:
    """Change one parameter."""
    context: Context = info.context
    try:
        value = None if input.value is None else msgspec.json.decode(input.value)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        hint = ""
        if (rule := BY_CODE.get(input.code)) is not None:
            hint = f" This would do: {_text(example_of(rule.code, rule.default))}"
        wrong = InvalidInput(f"The value is not JSON.{hint}", path=("input", "value"), field="value", value=input.value)
        return PolicyPayload(user_errors=[user_error(wrong, context.language)])

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        await change_policy(uow, ChangePolicy(input.code, value, input.expected_version))
        return {"code": input.code}

    done = await run_mutation(context, "policyChange", input, idempotency_key, use_case)
    if "code" not in done.result:
        return PolicyPayload(user_errors=done.errors)
    async with context.read() as sql:
        stored = await stored_policies(sql)
    code = done.result["code"]
    return PolicyPayload(policy=_policy(BY_CODE[code], stored.get(code)), user_errors=done.errors)
