"""Builds input objects of busy mutations from a plan that is made once, instead of resolving every field each time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING
from typing import Any, NamedTuple, TypeVar

from strawberry.types.arguments import InputContext, convert_argument
from strawberry.types.base import StrawberryList, StrawberryOptional, has_object_definition

T = TypeVar("T", bound=type)


class _Field(NamedTuple):
    name: str
    """In the document."""
    target: str
    """In Python."""
    type: Any
    is_list: bool
    nested: type | None
    """An input object that has a plan too."""
    is_leaf: bool


class _Plan(NamedTuple):
    fields: list[_Field]
    missing: dict[str, None]
    """Fields without a default, which are null where the document leaves them out."""


_plans: dict[type, _Plan] = {}


def planned(cls: T) -> T:
    """Decorator above `strawberry.input`: objects are built as Strawberry builds them, but from a plan."""
    cls.__strawberry_definition__.from_input = build_input  # type: ignore[attr-defined]
    return cls


def build_input(cls: type, value: Mapping[str, Any], context: InputContext) -> Any:
    """The input object of `cls` with the coerced values of a document."""
    plan = _plans.get(cls)
    if plan is None:
        plan = _plans[cls] = _plan(cls, context)
    given: dict[str, Any] = dict(plan.missing)
    for field in plan.fields:
        if field.name in value:
            given[field.target] = _convert(field, value[field.name], context)
    return cls(**given)


def _convert(field: _Field, value: Any, context: InputContext) -> Any:
    if value is None or (field.is_leaf and not field.is_list):
        return value
    if field.is_leaf:
        return list(value)
    if field.nested is None:
        return context.convert(value, field.type, field.name)
    if field.is_list:
        return [build_input(field.nested, item, context) for item in value]
    return build_input(field.nested, value, context)


def _plan(cls: type, context: InputContext) -> _Plan:
    definition: Any = cls.__strawberry_definition__  # type: ignore[attr-defined]
    fields, missing = [], {}
    for field in definition.fields:
        if field.default_value is MISSING and field.default_factory is MISSING:
            missing[field.python_name] = None
        declared = field.resolve_type(type_definition=definition)
        inner = declared.of_type if isinstance(declared, StrawberryOptional) else declared
        is_list = isinstance(inner, StrawberryList)
        inner = inner.of_type if isinstance(inner, StrawberryList) else inner
        nested = None
        if has_object_definition(inner) and inner.__strawberry_definition__.from_input is build_input:
            nested = inner
        name = context.config.name_converter.from_field(field)
        fields.append(_Field(name, field.python_name, declared, is_list, nested, _is_leaf(inner, context)))
    return _Plan(fields, missing)


def _is_leaf(type_: Any, context: InputContext) -> bool:
    """Does Strawberry hand values of this type on as they are."""
    probe = object()
    try:
        return convert_argument(probe, type_, context.scalar_registry, context.config) is probe
    except Exception:
        return False
