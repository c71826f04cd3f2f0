"""One value that each parameter may have, as a planner would write it: the shape that a description only names."""

from __future__ import annotations

from typing import Any

EXAMPLES: dict[str, Any] = {
    "allocation": {
        "default": "PRIORITY",
        "skus": {"MUG-BLUE": "FAIR_SHARE"},
        "groupBy": "GRADE",
        "weights": {"VIP": 2},
        "floors": {"VIP": 10},
        "pack": 6,
        "minimum": 1,
    },
    "approval_routes": {
        "isOn": True,
        "steps": [
            {"upTo": 100_000, "currency": "USD", "approvers": ["ann"], "needed": 1},
            {"upTo": None, "approvers": ["ann", "bob"], "needed": 2},
        ],
    },
    "backorder_course": [
        {"step": "OTHER_SITES"},
        {"step": "SUBSTITUTE", "isOn": False},
        {"step": "PURCHASE", "minAgeHours": 4},
        {"step": "OPTIONS", "waitLongerThanDays": 14, "tiers": ["STANDARD"], "minValue": 1_000, "maxValue": 50_000},
        {"step": "RELEASE"},
    ],
    "backorder_options": {
        "deadlineHours": 48,
        "default": "WAIT",
        "kinds": ["WAIT", "CANCEL", "COMPENSATE"],
        "chargeDifference": True,
        "compensation": {"basisPoints": 500, "minWaitDays": 7, "maximum": {"USD": 2_000}},
    },
    "exchange_rates": {"USD": 1, "EUR": 1.08, "KRW": 0.00073},
    "hold_deadline_action": {"PAYMENT": "CANCEL", "ADDRESS": "ESCALATE"},
    "hold_deadline_hours": {"PAYMENT": 24, "ADDRESS": 48},
    "peg_value_margin": 50,
    "priority": {
        "weights": {"bumped": 5},
        "contractGrades": ["VIP"],
        "atRiskDays": 2,
        "breachDays": 0,
        "slackDays": 14,
        "ageDays": 30,
        "deadlineDays": {"grades": {"VIP": 3}, "countries": {"KR": 5}},
    },
    "promise_horizon_days": 120,
    "promise_pull_in_days": 3,
    "purchase_approval_limit": {"USD": 500_000, "KRW": None},
    "rebalancing": {
        "isOn": True,
        "shortDays": 7,
        "targetDays": 14,
        "keepDays": 28,
        "minUnits": 6,
        "maxCostPercent": 10,
        "validDays": 3,
    },
    "redistribution": {"isOn": True, "maxCostPerUnit": 300, "maxDays": 3, "rescueLate": True},
    "release_gate": {"linePercent": 50, "orderPercent": 80},
    "demand_plan": {
        "country": "KR",
        "events": [
            {
                "name": "Chuseok",
                "from": "2027-09-06",
                "until": "2027-09-17",
                "factor": 1.8,
                "serviceLevel": 0.98,
                "skus": ["LAMP-DESK"],
            },
            {"name": "spring sale", "from": "2027-04-05", "until": "2027-04-11", "factor": None, "skus": None},
        ],
    },
    "replenishment": {
        "isAutomatic": False,
        "serviceLevels": {"AX": 0.98},
        "orderCost": 5_000,
        "holdingRate": 0.2,
        "overstockWeeks": 26,
        "ageingWeeks": 13,
        "budgetPercent": None,
    },
    "reservation_ttl": {
        "seconds": 900,
        "maximumSeconds": 3_600,
        "quote": {"seconds": 86_400},
        "channels": {"web": {"seconds": 600}},
    },
    "risk": {"horizonDays": 14, "actAbove": 0.3, "tellAbove": 0.2, "testDays": 60, "retrainDays": 7},
    "edi_retention_days": 730,
    "supplier_changes": {"maxDelayDays": 3, "maxCutPercent": 10, "maxRaisePercent": 5, "maxPricePercent": 2},
    "supplier_deadlines": {"acknowledgementHours": 24, "suppliers": {"BRIGHTWORKS": {"acknowledgementHours": 72}}},
}
"""Of the others the default is an example itself."""


def example_of(code: str, default: Any) -> Any:
    """A value that the parameter may have."""
    return EXAMPLES.get(code, default)
