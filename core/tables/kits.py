"""Bundles: which SKUs, and how many of each, one unit of a kit is made of."""

from datetime import datetime

from core.tables import columns as c


class KitComponent(c.Row, table=True):
    """`quantity` units of the component go into one kit; written under the gates of both. A kit is no component."""

    __table_args__ = (
        c.check("quantity > 0", "quantity"),
        c.check("kit_sku_id <> component_sku_id", "not_itself"),
        c.index("kit_component_component_idx", "component_sku_id"),
    )

    kit_sku_id: int = c.key(references="sku.id")
    component_sku_id: int = c.key(references="sku.id")
    quantity: int = c.integer()
    created_at: datetime = c.created()
    updated_at: datetime = c.updated()
