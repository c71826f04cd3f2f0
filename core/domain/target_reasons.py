"""Why a stock target says what it says, in words: one sentence per reason, in the languages of the product."""

from __future__ import annotations

from collections.abc import Mapping

from core.domain.risk_reasons import in_words

REASONS: dict[str, dict[str, str]] = {
    "REPLENISH": {
        "en": "{position} free and inbound have reached the reorder point of {reorderPoint}; {expected} are expected to be asked "
        "for until new goods come, in {leadDays} days.",
        "ko": "가용 재고와 입고 예정 {position}개가 발주점 {reorderPoint}개에 도달했습니다. 새 입고까지 {leadDays}일 동안 예상 "
        "수요는 {expected}개입니다.",
    },
    "STOCKOUT_RISK": {
        "en": "{position} free and inbound are less than the {expected} expected until new goods come, in {leadDays} days.",
        "ko": "가용 재고와 입고 예정 {position}개는 새 입고까지 {leadDays}일 동안의 예상 수요 {expected}개보다 적습니다.",
    },
    "OVERSTOCK": {
        "en": "{position} free and inbound are more than is wanted; the reorder point is {reorderPoint}.",
        "ko": "가용 재고와 입고 예정 {position}개는 필요한 양보다 많습니다. 발주점은 {reorderPoint}개입니다.",
    },
    "AGEING": {
        "en": "Nobody has asked for it in {idleWeeks} weeks; {position} are there or inbound.",
        "ko": "{idleWeeks}주 동안 수요가 없었습니다. 가용 재고와 입고 예정은 {position}개입니다.",
    },
    "BACKORDERED": {
        "en": "{units} wait there without a source.",
        "ko": "공급원 없이 기다리는 수량이 {units}개입니다.",
    },
    "TRANSFER_FIRST": {
        "en": "Another location can spare {units} for less than they cost.",
        "ko": "다른 거점에서 {units}개를 구매보다 저렴하게 옮길 수 있습니다.",
    },
    "DEMAND_CHANGES": {
        "en": "Season, holidays, planned events or prices change demand by {units} until new goods come.",
        "ko": "계절, 공휴일, 계획된 행사 또는 가격으로 새 입고까지 수요가 {units}개 달라집니다.",
    },
    "FORECAST_MISSED": {
        "en": "{units} went short there in the last quarter because the forecast was too low.",
        "ko": "지난 분기에 예측이 낮아 {units}개가 부족했습니다.",
    },
}


def say_target(code: str, facts: Mapping[str, float], language: str = "en") -> str:
    """The sentence of a reason of `core/services/keep_demand.py:keep_targets`. Raises KeyError for a code that is none."""
    return in_words(REASONS[code], facts, language)
