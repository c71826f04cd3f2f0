"""Why a SKU may go short, in words: one sentence per reason, in the languages of the product."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

LANGUAGES = ("en", "ko")

REASONS: dict[str, dict[str, str]] = {
    "STOCK": {
        "en": "{on_hand} on hand lasts {cover} months of forecast.",
        "ko": "현재고 {on_hand}개는 예측 수요 {cover}개월분입니다.",
    },
    "LITTLE_STOCK": {
        "en": "{on_hand} on hand, with {sales} sold in the last three months.",
        "ko": "현재고는 {on_hand}개이고, 지난 3개월 판매는 {sales}개입니다.",
    },
    "NO_STOCK": {"en": "Nothing is on hand.", "ko": "현재고가 없습니다."},
    "INBOUND": {
        "en": "{in_transit} inbound against a forecast of {forecast} in three months.",
        "ko": "입고 예정 {in_transit}개, 3개월 예측 수요 {forecast}개입니다.",
    },
    "PAST_DUE": {
        "en": "{past_due} units from the supplier are past due.",
        "ko": "공급처 납기가 지난 수량이 {past_due}개입니다.",
    },
    "FORECAST": {
        "en": "{forecast} are forecast for three months, {sales} were sold in the last three.",
        "ko": "향후 3개월 예측은 {forecast}개, 지난 3개월 판매는 {sales}개입니다.",
    },
    "SALES": {
        "en": "{last_month} were sold last month, {monthly} in an ordinary one.",
        "ko": "지난달 판매는 {last_month}개, 평소 한 달은 {monthly}개입니다.",
    },
    "SUPPLIER": {
        "en": "The supplier was on time in {on_time} % of the last six months.",
        "ko": "공급처의 최근 6개월 정시 납품률은 {on_time} %입니다.",
    },
    "LEAD_TIME": {"en": "New goods take {weeks} weeks.", "ko": "새로 주문하면 {weeks}주 걸립니다."},
    "MINIMUM": {
        "en": "{position} on hand and inbound against a minimum of {minimum}.",
        "ko": "현재고와 입고 예정 {position}개, 최소 재고 {minimum}개입니다.",
    },
    "BACKORDERED": {
        "en": "{backordered} units are owed to customers already.",
        "ko": "이미 고객에게 밀린 수량이 {backordered}개입니다.",
    },
}


def say_reason(code: str, facts: Mapping[str, float], language: str = "en") -> str:
    """The sentence of a reason; numbers are written without needless decimals, unknown ones as "?".

    Raises KeyError for a code that is none; another language than those of LANGUAGES is answered in English.
    """
    return in_words(REASONS[code], facts, language)


def in_words(sentences: Mapping[str, str], facts: Mapping[str, float], language: str) -> str:
    """The sentence of a language (English for one that is missing) with its figures; one that nobody kept is "?"."""
    sentence = sentences.get(language, sentences["en"])
    return sentence.format_map(defaultdict(lambda: "?", {name: _written(value) for name, value in facts.items()}))


def _written(value: float) -> str:
    if value != value:  # NaN
        return "?"
    return f"{value:,.0f}" if abs(value - round(value)) < 0.05 or abs(value) >= 100 else f"{value:,.1f}"
