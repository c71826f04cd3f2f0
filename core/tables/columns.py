"""The few kinds of column our tables are made of, and the base class that names tables and constraints."""

import re
from collections.abc import Iterable
from enum import StrEnum
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.orm import declared_attr
from sqlalchemy.types import UserDefinedType
from sqlmodel import Field, SQLModel

metadata = sa.MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ck": "%(table_name)s_%(constraint_name)s",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    }
)


class Row(SQLModel):
    """Base of every table class; the table is the class name in snake case."""

    metadata: ClassVar[sa.MetaData] = metadata  # type: ignore[misc]

    @declared_attr.directive
    def __tablename__(cls) -> str:  # type: ignore[override]  # SQLModel types it as a plain declared_attr
        return re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()  # type: ignore[attr-defined]


class Xid8(UserDefinedType[str]):
    """PostgreSQL's 64-bit transaction id; only compared inside the database."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "XID8"


ischema_names.setdefault("xid8", Xid8)


def _column(kind: Any, *items: Any, null: bool = False, default: Any = None, name: str | None = None) -> Any:
    server_default = None if default is None else sa.text(default)
    column = sa.Column(name, kind, *items, nullable=null, server_default=server_default)
    return Field(default=None, sa_column=column)


def identity() -> Any:
    """A `bigint` key by the database; CACHE 1, because the order of events relies on the order of ids."""
    return Field(default=None, sa_column=sa.Column(sa.BigInteger, sa.Identity(cache=1), primary_key=True))


def key(kind: Any = sa.BigInteger, references: str | None = None) -> Any:
    """A part of the primary key that is given, not generated."""
    items = (sa.ForeignKey(references),) if references else ()
    return Field(sa_column=sa.Column(kind, *items, primary_key=True, autoincrement=False))


def sku_key(references_sku: bool = False) -> Any:
    """First part of the key of a table that the SKU's gate guards."""
    return key(references="sku.id" if references_sku else None)


def ref(target: str, null: bool = False) -> Any:
    """A foreign key to one `bigint` column."""
    return _column(sa.BigInteger, sa.ForeignKey(target), null=null)


def bigint(null: bool = False, default: int | None = None) -> Any:
    """A `bigint`: ids of other tables, versions, minor units of money."""
    return _column(sa.BigInteger, null=null, default=None if default is None else str(default))


def integer(null: bool = False, default: int | None = None) -> Any:
    """An `integer`: quantities in base units, days, counts."""
    return _column(sa.Integer, null=null, default=None if default is None else str(default))


def smallint(default: int) -> Any:
    """A `smallint`: small numbers of days."""
    return _column(sa.SmallInteger, default=str(default))


def xid8() -> Any:
    """The transaction that changed the row, or null."""
    return _column(Xid8, null=True)


def only_row() -> Any:
    """Key of a table with one row."""
    return Field(default=True, sa_column=sa.Column(sa.Boolean, primary_key=True, server_default=sa.true()))


def country(null: bool = False) -> Any:
    """ISO 3166 two-letter code."""
    return _column(sa.CHAR(2), null=null)


def time_of_day(null: bool = False) -> Any:
    """A wall-clock time in the zone of its location."""
    return _column(sa.Time, null=null)


def text_ref(target: str) -> Any:
    """A foreign key to one text column."""
    return _column(sa.Text, sa.ForeignKey(target))


def number(null: bool = False) -> Any:
    """A double precision number: measured quantiles and rates, never money or quantities."""
    return _column(sa.Double, null=null)


def text(null: bool = False, default: str | None = None, name: str | None = None) -> Any:
    """A `text` column."""
    return _column(sa.Text, null=null, default=None if default is None else f"'{default}'", name=name)


def currency(null: bool = False) -> Any:
    """ISO 4217 code."""
    return _column(sa.CHAR(3), null=null)


def flag(default: bool = False) -> Any:
    """A boolean that is never null."""
    return _column(sa.Boolean, default="true" if default else "false")


def claim() -> Any:
    """A boolean that nobody may know yet."""
    return _column(sa.Boolean, null=True)


def day(null: bool = False) -> Any:
    """A `date` in the zone of its location."""
    return _column(sa.Date, null=null)


def instant(null: bool = False, now: bool = False) -> Any:
    """A `timestamptz`."""
    return _column(sa.DateTime(timezone=True), null=null, default="now()" if now else None)


def created() -> Any:
    """When the row was written; services that run on a simulated clock set it themselves."""
    return instant(now=True)


updated = created


def json(null: bool = False, default: str | None = None) -> Any:
    """A `jsonb` document."""
    return _column(postgresql.JSONB, null=null, default=None if default is None else f"'{default}'::jsonb")


def binary(null: bool = False, name: str | None = None) -> Any:
    """A `bytea`."""
    return _column(sa.LargeBinary, null=null, name=name)


def array(kind: Any, null: bool = False) -> Any:
    """A PostgreSQL array."""
    return _column(postgresql.ARRAY(kind), null=null)


def uuid() -> Any:
    """A UUID."""
    return _column(sa.Uuid)


def check(rule: str, name: str) -> sa.CheckConstraint:
    """A CHECK named `<table>_<name>`."""
    return sa.CheckConstraint(rule, name=name)


def one_of(column: str, values: type[StrEnum] | Iterable[str]) -> sa.CheckConstraint:
    """The CHECK that keeps a text column to the values of its enum; the test suite compares the two."""
    listed = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{column} in ({listed})", name=column)


def child_of(table: str, column: str) -> sa.ForeignKeyConstraint:
    """A composite foreign key: the child's SKU cannot differ from its parent's."""
    return sa.ForeignKeyConstraint(["sku_id", column], [f"{table}.sku_id", f"{table}.id"])


def index(name: str, *columns: str, where: str | None = None, include: list[str] | None = None, unique: bool = False):
    """A named index, partial and covering when asked."""
    options: dict[str, Any] = {}
    if where:
        options["postgresql_where"] = sa.text(where)
    if include:
        options["postgresql_include"] = include
    return sa.Index(name, *columns, unique=unique, **options)


unique = sa.UniqueConstraint
