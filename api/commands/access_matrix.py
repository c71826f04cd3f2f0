"""The access matrix as a page: root fields and types by role, computed from the code, never written by hand."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from graphql import GraphQLInterfaceType, GraphQLObjectType, get_named_type

from api.operations import Mutation, Query, Subscription, schema
from api.permissions.owners import OWNERS, STAFF_ROLES, Owner
from api.permissions.roles import RolePermission
from api.resolvers.catalogue import NODE_ROLES
from core.domain.access import Role

FILE = Path(__file__).resolve().parents[2] / "docs" / "access.md"
ROLES = tuple(role for role in Role if role is not Role.SYSTEM)
ROOTS = {"Query": Query, "Mutation": Mutation, "Subscription": Subscription}

HEAD = """# Who may call what, and gets whose rows

Written by `python3 manage.py schema export` from `api/operations.py`, `api/permissions/owners.py` and
`api/resolvers/catalogue.py`; do not edit it. `make check` fails while it is not what the code says, and while a root field
has no roles or a type no owner rule. Every cell is tried by `tests/graphql_api/test_schema_access.py` and
`tests/graphql_api/test_access_by_owner.py`.

An owner rule holds wherever an object is reached: by its root field, by `node`, and through other objects, where a foreign one
is null or left out. It is written into every query (`core/queries/scope.py`); for CUSTOMER and SUPPLIER row-level security
of the database says it a second time ([decision 5](decisions/0005-two-roles-and-row-level-security.md)).

Beside GraphQL, `POST /edi/{partner}` takes files from the SUPPLIER of that partner, WAREHOUSE, PLANNER and ADMIN; nothing is read there.
"""


def permission_of(field: Any) -> RolePermission | None:
    """The decision about a root field; None when nobody has decided."""
    return next((extension for extension in field.extensions if isinstance(extension, RolePermission)), None)


def root_matrix() -> dict[str, dict[str, RolePermission | None]]:
    """Decision by root type and field."""
    name_of = schema.config.name_converter.get_graphql_name
    return {
        root: {name_of(field): permission_of(field) for field in cls.__strawberry_definition__.fields}
        for root, cls in ROOTS.items()
    }


def is_plumbing(type_: GraphQLObjectType) -> bool:
    """Roots, payloads, pages and user errors: they say nothing but what the objects in them say."""
    return (
        type_.name.startswith("__")
        or type_.name in (*ROOTS, "PageInfo")
        or type_.name.endswith(("Payload", "Connection", "Edge"))
        or any(one.name == "UserError" for one in type_.interfaces)
    )


def undecided() -> list[str]:
    """Root fields without roles, types without an owner rule, and rules without a type."""
    types = {
        name
        for name, type_ in schema._schema.type_map.items()
        if isinstance(type_, GraphQLObjectType) and not is_plumbing(type_)
    }
    fields = [f"{root}.{name}" for root, found in root_matrix().items() for name, one in found.items() if one is None]
    return sorted([*fields, *(types ^ OWNERS.keys())])


def reached(role: Role) -> set[str]:
    """Names of the object types of which `role` may get a row."""
    graph = schema._schema
    waiting: list[Any] = []
    for root, found in root_matrix().items():
        members = graph.type_map[root].fields  # pyright: ignore[reportAttributeAccessIssue]
        waiting += [
            get_named_type(members[name].type) for name, one in found.items() if one is None or role in one.allowed
        ]
    seen: set[str] = set()
    while waiting:
        type_ = waiting.pop()
        if isinstance(type_, GraphQLInterfaceType):
            found = graph.get_possible_types(type_)
            waiting += [one for one in found if type_.name != "Node" or role in NODE_ROLES.get(one.name, ())]
        elif isinstance(type_, GraphQLObjectType) and type_.name not in seen:
            if type_.name in OWNERS and role not in OWNERS[type_.name].roles:
                continue
            seen.add(type_.name)
            waiting += [get_named_type(member.type) for member in type_.fields.values()]
    return seen


def type_matrix() -> dict[str, dict[Role, str]]:
    """What each role gets of each type: all, own, part, made, by id, or nothing ("")."""
    by_role = {role: reached(role) for role in ROLES}
    return {
        name: {role: _cell(owner, role) if name in by_role[role] else "" for role in ROLES}
        for name, owner in sorted(OWNERS.items())
    }


def _cell(owner: Owner, role: Role) -> str:
    if owner is Owner.PART:
        return "part"
    if owner is Owner.CALLER:
        return "own"
    if owner is Owner.EVERYONE or role in STAFF_ROLES:
        return "all"
    if role is Role.STOREFRONT:
        return "by id" if owner is Owner.BEARER else "made"
    return "own"


def _table(title: str, rows: Mapping[str, list[str]], last: str) -> str:
    heads = [title, *(role.value for role in ROLES), last]
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    return "\n".join([*lines, *(f"| `{name}` | {' | '.join(cells)} |" for name, cells in rows.items())]) + "\n"


def access_matrix() -> str:
    """The page as Markdown."""
    text = HEAD + "\n## Root fields\n\n`node` finds only the types that are not empty for the role below.\n"
    for root, found in root_matrix().items():
        rows = {
            name: [
                *("yes" if one is not None and role in one.allowed else "" for role in ROLES),
                "yes" if one is not None and one.publishable else "",
            ]
            for name, one in found.items()
        }
        text += f"\n### {root}\n\n{_table(root, rows, 'publishable keys')}"
    text += "\n## Types\n\nPayloads, pages and user errors are left out: they say what the objects in them say.\n\n"
    rows = {name: [*cells.values(), OWNERS[name].name] for name, cells in type_matrix().items()}
    text += _table("Type", rows, "rule")
    text += "\n| Rule | A row of such a type |\n|---|---|\n"
    return text + "".join(f"| {owner.name} | {owner.value} |\n" for owner in Owner)
