"""A declarative permission for root fields: the roles that may call it, readable by the access matrix."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from graphql import GraphQLError
from strawberry.extensions import FieldExtension
from strawberry.types import Info
from strawberry.types.field import StrawberryField
from strawberry.utils.await_maybe import await_maybe

from core.domain.access import Principal, Role
from core.telemetry import is_on, span

ALL_ROLES = frozenset(Role) - {Role.SYSTEM}


def unauthenticated() -> GraphQLError:
    return GraphQLError(
        "Authenticate first: send a bearer token or an API key.", extensions={"code": "UNAUTHENTICATED"}
    )


def forbidden(field: str, principal: Principal) -> GraphQLError:
    who = "publishable keys" if principal.is_publishable else f"role {principal.role.value}"
    return GraphQLError(f"{field} is not open to {who}.", extensions={"code": "FORBIDDEN"})


class RolePermission(FieldExtension):
    """Refuses callers without one of `allowed`, and publishable keys unless the field says it is for them."""

    def __init__(self, allowed: frozenset[Role], publishable: bool) -> None:
        self.allowed = allowed
        self.publishable = publishable

    def check(self, info: Info[Any, Any]) -> None:
        """Raise UNAUTHENTICATED or FORBIDDEN when the principal of this operation may not call the field."""
        principal: Principal | None = info.context.caller
        if principal is None:
            raise unauthenticated()
        if principal.role not in self.allowed or (principal.is_publishable and not self.publishable):
            denials = getattr(info.context, "denials", None)
            if denials is not None:
                denials.count(principal, info.field_name)
            raise forbidden(info.field_name, principal)

    def resolve(self, next_: Callable[..., Any], source: Any, info: Info[Any, Any], **kwargs: Any) -> Any:
        self.check(info)
        return next_(source, info, **kwargs)

    async def resolve_async(
        self, next_: Callable[..., Awaitable[Any]], source: Any, info: Info[Any, Any], **kwargs: Any
    ) -> Any:
        self.check(info)
        found = next_(source, info, **kwargs)  # a subscription's is an async generator
        if not is_on():
            return await await_maybe(found)
        with span(f"{info._raw_info.parent_type.name}.{info._raw_info.field_name}"):
            return await await_maybe(found)


def roles(*allowed: Role, publishable: bool = False) -> RolePermission:
    """Field extension for a root field: `@strawberry.field(extensions=[roles(Role.PLANNER, Role.ADMIN)])`.

    Without a role every authenticated caller may; `publishable` opens it to publishable keys too.
    """
    return RolePermission(frozenset(allowed) or ALL_ROLES, publishable)


def granted_roles(field: StrawberryField) -> frozenset[Role] | None:
    """The roles that may call a root field; None when nobody has decided."""
    for extension in field.extensions:
        if isinstance(extension, RolePermission):
            return extension.allowed
    return None
