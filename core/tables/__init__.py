"""The tables of the database: columns, constraints and indexes, no behaviour."""

from core.tables import (
    access,
    backorder,
    catalogue,
    course,
    demand,
    edi,
    kits,
    ledger,
    network,
    plumbing,
    quota,
    rebalancing,
    repromising,
    shipment,
    simulation,
    stock,
    supply,
)
from core.tables.columns import metadata

__all__ = [
    "access",
    "backorder",
    "catalogue",
    "course",
    "demand",
    "edi",
    "kits",
    "ledger",
    "metadata",
    "network",
    "plumbing",
    "quota",
    "rebalancing",
    "repromising",
    "shipment",
    "simulation",
    "stock",
    "supply",
]
