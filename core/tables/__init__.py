"""The tables of the database: columns, constraints and indexes, no behaviour."""

from core.tables import (
    access,
    backorder,
    catalogue,
    demand,
    edi,
    kits,
    ledger,
    network,
    plumbing,
    shipment,
    stock,
    supply,
)
from core.tables.columns import metadata

__all__ = [
    "access",
    "backorder",
    "catalogue",
    "demand",
    "edi",
    "kits",
    "ledger",
    "metadata",
    "network",
    "plumbing",
    "shipment",
    "stock",
    "supply",
]
