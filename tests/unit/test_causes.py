"""The cause of a shortage, in its order of judgement, with the rows that prove it."""

from dataclasses import replace
from datetime import date

import pytest

from core.domain.causes import (
    HISTORY,
    BlockedStock,
    Demand,
    LateSupply,
    Reordering,
    ShortageFacts,
    ShortAnswer,
    StockCorrection,
    StockElsewhere,
    UnreceivedDelivery,
    classify,
    rejudge,
)
from core.domain.states import BackorderCause as Kind

DAY = date(2026, 6, 10)
PLAIN = ShortageFacts(
    sku_id=7,
    location_id=1,
    order_line_id=71,
    shortage=4,
    demand=Demand(line_quantity=5, units_last_7_days=20, daily_mean=3.0, daily_sd=1.0, mean_line_quantity=4.0),
    reordering=Reordering(inventory_position=12, reorder_point=20, lead_time_days=10, observed_lead_time_days=14),
)
# every kind of proof at once, weakest last: taking the strongest away must give the next
EVERYTHING = replace(
    PLAIN,
    corrections=(StockCorrection(31, 1, "counted", -3, DAY), StockCorrection(32, 1, "counted", 5, DAY)),
    blocked=(BlockedStock(1, 2, (41,)),),
    unreceived=(UnreceivedDelivery(51, 9, DAY, ship_notice_id=52),),
    short_answers=(ShortAnswer(61, 4, 1), ShortAnswer(62, 0, 0)),
    late=(LateSupply(81, 61, 6, 5, DAY), LateSupply(82, 61, 6, 0, DAY)),
    demand=replace(PLAIN.demand, line_quantity=12, recent_line_ids=(70, 71)),
    elsewhere=(StockElsewhere(2, 1, 2, (90,)),),
)


def test_evidence_names_only_the_rows_that_prove_it():
    cause = classify(EVERYTHING)
    assert cause.kind is Kind.STOCK_RECORD_ERROR
    assert cause.evidence == {
        "shortage": 4,
        "explained": 3,
        "stockMovements": [{"id": 31, "locationId": 1, "kind": "counted", "delta": -3, "happenedOn": "2026-06-10"}],
    }


def test_order_of_judgement():
    facts, found = EVERYTHING, []
    for without in (
        {"corrections": ()},
        {"blocked": ()},
        {"unreceived": ()},
        {"short_answers": ()},
        {"late": ()},
        {"demand": PLAIN.demand},
        {"elsewhere": ()},
        {},
    ):
        found.append((classify(facts).kind, classify(facts).evidence["explained"]))
        facts = replace(facts, **without)
    assert found == [
        (Kind.STOCK_RECORD_ERROR, 3),
        (Kind.QUALITY, 2),
        (Kind.RECEIVING_DELAY, 4),
        (Kind.SUPPLIER_SHORT, 4),
        (Kind.SUPPLIER_DELAY, 4),
        (Kind.DEMAND_SPIKE, 4),
        (Kind.ALLOCATION_CHOICE, 3),
        (Kind.FORECAST_ERROR, 4),
    ]


@pytest.mark.parametrize(
    ("facts", "rows"),
    [
        ({"blocked": EVERYTHING.blocked}, {"blockedStock": [{"locationId": 1, "quantity": 2, "stockMovements": [41]}]}),
        (
            {"short_answers": EVERYTHING.short_answers},
            {"purchaseOrderLines": [{"id": 61, "supplierBackordered": 4, "rejected": 1}]},
        ),
        (
            {"late": EVERYTHING.late},
            {
                "supplies": [
                    {"id": 81, "purchaseOrderLineId": 61, "quantity": 6, "daysLate": 5, "expected": "2026-06-10"}
                ]
            },
        ),
        (
            {"elsewhere": EVERYTHING.elsewhere},
            {"stockElsewhere": [{"locationId": 2, "protected": 1, "allocated": 2, "orderLines": [90]}]},
        ),
    ],
)
def test_rows_of_each_cause(facts: dict, rows: dict):
    evidence = classify(replace(PLAIN, **facts)).evidence
    assert {name: evidence[name] for name in rows} == rows


@pytest.mark.parametrize(
    ("demand", "explained"),
    [
        (Demand(11, 20, 3.0, 1.0, 4.0), None),  # below three usual lines
        (Demand(12, 20, 3.0, 1.0, 4.0), 4),
        (Demand(5, 31, 3.0, 1.0, 4.0), None),  # a week of 31 is not half above 21
        (Demand(5, 32, 3.0, 1.0, 4.0), 4),
        (Demand(5, 32, 3.0, 3.0, 4.0), None),  # nor above 21 + 2 * sqrt(7) * 3
        (Demand(5, 41, 4.0, 0.0, 4.0), None),
        (Demand(5, 42, 4.0, 0.0, 4.0), 4),  # half above 28, exactly
        (Demand(12, 12, mean_line_quantity=4.0), 4),  # a young SKU: only its lines are known
        (Demand(12, 12), None),
    ],
)
def test_spike_needs_an_unusual_line_or_week(demand: Demand, explained: int | None):
    cause = classify(replace(PLAIN, demand=demand))
    assert cause.kind is (Kind.FORECAST_ERROR if explained is None else Kind.DEMAND_SPIKE)
    assert cause.evidence["explained"] == (explained or PLAIN.shortage)
    assert cause.evidence["orderLines"] == [71]


def test_a_spike_says_from_how_many_units_on_a_week_is_one():
    week = classify(replace(PLAIN, demand=Demand(5, 32, 3.0, 1.0, 4.0))).evidence
    assert (week["unitsLast7Days"], week["spikeFromUnits"]) == (32, 32)  # 1.5 * 21 = 31.5
    line = classify(replace(PLAIN, demand=Demand(12, 12, mean_line_quantity=4.0))).evidence
    assert line["spikeFromUnits"] is None


def test_forecast_error_shows_what_reordering_assumed():
    evidence = classify(PLAIN).evidence
    assert (evidence["reorderPoint"], evidence["inventoryPosition"], evidence["leadTimeDemand"]) == (20, 12, 42)


def test_nothing_short_has_no_cause():
    with pytest.raises(ValueError, match="nothing is short"):
        classify(replace(PLAIN, shortage=0))


SHORT = {"short_answers": EVERYTHING.short_answers}
COUNTED = {"corrections": EVERYTHING.corrections}


@pytest.mark.parametrize(
    ("present", "facts", "found"),
    [
        (Kind.FORECAST_ERROR, SHORT, Kind.SUPPLIER_SHORT),  # a fact takes the place of a guess
        (Kind.DEMAND_SPIKE, {}, None),
        (Kind.SUPPLIER_SHORT, SHORT, None),
        (Kind.SUPPLIER_SHORT, SHORT | COUNTED, Kind.STOCK_RECORD_ERROR),  # the harder fact
        (Kind.QUALITY, SHORT, Kind.SUPPLIER_SHORT),  # the goods are no longer blocked
        (Kind.FORECAST_ERROR, SHORT | {"shortage": 0}, None),
    ],
)
def test_a_verdict_gives_way_to_a_harder_fact_or_when_nothing_shows_it_any_more(present, facts, found):
    cause = rejudge(present, {}, replace(PLAIN, **facts), DAY)
    assert (cause and cause.kind) == found


def test_earlier_verdicts_are_kept_newest_first():
    old = [{"cause": "QUALITY", "until": f"2026-05-{n:02d}", "evidence": {}} for n in range(HISTORY, 0, -1)]
    evidence = {"shortage": 6, "previous": old}
    cause = rejudge(Kind.FORECAST_ERROR, evidence, replace(PLAIN, **SHORT), DAY)
    assert cause is not None
    assert (cause.evidence["shortage"], cause.evidence["explained"]) == (4, 4)
    newest = {"cause": "FORECAST_ERROR", "until": "2026-06-10", "evidence": {"shortage": 6}}
    assert cause.evidence["previous"] == [newest, *old[:-1]]
