"""What is sold and who takes part: SKUs with gates, packs and substitutes, customers, suppliers and their offers."""

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from core.domain.states import SkuStatus
from core.tables import columns as c


class Sku(c.Row, table=True):
    """A stock keeping unit; quantities everywhere are integers of its base unit, costs and prices minor units."""

    __table_args__ = (
        c.unique("code"),
        c.one_of("status", SkuStatus),
        c.check("min_life_days >= 0", "min_life_days"),
        c.check("tracks_lots or not tracks_expiry", "expiry_needs_lots"),
        c.check("gtin ~ '^((?!0{8})[0-9]{8}|(?!0000)[0-9]{12}|[1-9][0-9]{12,13})$'", "gtin_form"),
        c.index("sku_gtin_idx", "gtin", where="gtin is not null", unique=True),
    )

    id: int | None = c.identity()
    code: str = c.text()
    name: dict[str, str] = c.json()
    unit: str = c.text(default="EA")
    status: str = c.text(default="ACTIVE")
    tracks_lots: bool = c.flag()
    tracks_serials: bool = c.flag()
    tracks_expiry: bool = c.flag()
    min_life_days: int = c.integer(default=0)
    weight_g: int = c.integer(default=0)
    unit_cost: int = c.bigint(default=0)
    unit_price: int = c.bigint(default=0)
    currency: str = c.currency()
    low_stock_at: int = c.integer(default=5)
    reorder_point: int = c.integer(default=0)
    reorder_quantity: int = c.integer(default=0)
    available_from: date | None = c.day(null=True)
    """Release day of a PREORDER SKU."""
    gtin: str | None = c.text(null=True)
    """GTIN in its shortest form of 8, 12, 13 or 14 digits, by which partners name the article."""
    created_at: datetime = c.created()
    updated_at: datetime = c.updated()


class SkuGate(c.Row, table=True):
    """The mutex of everything that changes a SKU's availability, and its version; a trigger inserts it."""

    __table_args__ = ({"postgresql_with": {"fillfactor": 40}},)

    sku_id: int = c.sku_key(references_sku=True)
    version: int = c.bigint(default=1)
    changed_by: str | None = c.xid8()
    created_at: datetime = c.created()


class SkuPack(c.Row, table=True):
    """How many base units one pack holds."""

    __table_args__ = (c.check("units > 0", "units"),)

    sku_id: int = c.key(references="sku.id")
    code: str = c.key(sa.Text)
    units: int = c.integer()
    created_at: datetime = c.created()


class Substitute(c.Row, table=True):
    """A SKU that may replace another, `ratio` units of it for one."""

    __table_args__ = (c.check("ratio > 0", "ratio"), c.check("sku_id <> substitute_sku_id", "not_itself"))

    sku_id: int = c.key(references="sku.id")
    substitute_sku_id: int = c.key(references="sku.id")
    ratio: int = c.integer(default=1)
    rank: int = c.integer(default=1)
    needs_consent: bool = c.flag(True)
    created_at: datetime = c.created()


class Customer(c.Row, table=True):
    """Who buys; nothing personal here."""

    __table_args__ = (c.unique("code"),)

    id: int | None = c.identity()
    code: str = c.text()
    tier: str = c.text(default="STANDARD")
    language: str = c.text(default="en")
    created_at: datetime = c.created()
    updated_at: datetime = c.updated()


class CustomerPerson(c.Row, table=True):
    """The personal fields of a customer, erasable apart."""

    customer_id: int = c.key(references="customer.id")
    name: str | None = c.text(null=True)
    email: str | None = c.text(null=True)
    phone: str | None = c.text(null=True)
    address: dict[str, Any] | None = c.json(null=True)
    created_at: datetime = c.created()
    updated_at: datetime = c.updated()


class Supplier(c.Row, table=True):
    """Who delivers to us, in which zone and on which working days."""

    __table_args__ = (c.unique("code"),)

    id: int | None = c.identity()
    code: str = c.text()
    name: str = c.text()
    time_zone: str = c.text(default="UTC")
    calendar_id: int | None = c.ref("calendar.id", null=True)
    location_id: int | None = c.ref("location.id", null=True)
    created_at: datetime = c.created()
    updated_at: datetime = c.updated()


class SupplierSku(c.Row, table=True):
    """What a supplier delivers: its code, price in minor units, order multiples and lead time in days."""

    __table_args__ = (
        c.check("moq > 0 and order_multiple > 0", "multiples"),
        c.check("expedite_days >= 0 and expedite_fee >= 0 and expedite_unit_fee >= 0", "expedite"),
        c.check(
            "lead_time_days between 0 and 3650 and lead_time_p80 between 0 and 3650"
            " and agreed_lead_time_p80 between 0 and 3650 and expedite_days <= 3650",
            "lead_times",
        ),
        c.check("moq <= 1000000000 and order_multiple <= 1000000000", "quantities"),
        c.index("supplier_sku_sku_idx", "sku_id", "supplier_id"),
        c.index("supplier_sku_vendor_code_idx", "supplier_id", "vendor_code"),
    )

    supplier_id: int = c.key(references="supplier.id")
    sku_id: int = c.key(references="sku.id")
    vendor_code: str | None = c.text(null=True)
    price: int = c.bigint(default=0)
    currency: str = c.currency()
    moq: int = c.integer(default=1)
    order_multiple: int = c.integer(default=1)
    lead_time_days: int = c.integer()
    lead_time_p80: int = c.integer()
    is_preferred: bool = c.flag()
    is_approved: bool = c.flag(True)
    expedite_days: int | None = c.integer(null=True)
    """Lead time of an expedited order in days; null: cannot be expedited."""
    expedite_fee: int = c.bigint(default=0)
    expedite_unit_fee: int = c.bigint(default=0)
    agreed_lead_time_p80: int | None = c.integer(null=True)
    """What `lead_time_p80` was agreed to be; null until what was observed has replaced it."""
    observed_p50: int | None = c.integer(null=True)
    observed_p80: int | None = c.integer(null=True)
    observed_count: int = c.integer(default=0)
    calibrated_at: datetime | None = c.instant(null=True)
    created_at: datetime = c.created()
    updated_at: datetime = c.updated()


class ProtectedStock(c.Row, table=True):
    """Safety stock per demand class as a dated step function; written under the SKU's gate."""

    __table_args__ = (c.check("quantity >= 0", "quantity"),)

    sku_id: int = c.sku_key(references_sku=True)
    location_id: int = c.key(references="location.id")
    demand_class: str = c.key(sa.Text)
    from_date: date = c.key(sa.Date)
    quantity: int = c.integer()
    created_at: datetime = c.created()
    updated_at: datetime = c.updated()
