"""Notices read naturally in English and Korean, and say which fact they lack."""

from datetime import UTC, datetime

import pytest

from core.domain.notices import _HOLD_REASONS, _REASONS, _TEXTS, LANGUAGES, NoticeTemplate, render, zoned
from core.domain.states import HoldReason, PromiseReason
from core.errors import InvalidInput

NAME = {"en": "Kettle, 1.7 l", "ko": "전기 주전자 1.7L"}
MOVED = {
    "orderNumber": "SO-1003",
    "skuName": NAME,
    "quantity": 4,
    "previousPromised": "2026-06-12",
    "promised": "2026-06-23",
    "reason": "SUPPLY_DELAYED",
}
FACTS: dict[NoticeTemplate, dict] = {
    NoticeTemplate.BACKORDER_OPENED: {
        "orderNumber": "SO-1003",
        "skuName": NAME,
        "quantity": 4,
        "expected": "2026-06-12",
    },
    NoticeTemplate.PROMISE_MOVED: MOVED,
    NoticeTemplate.SHIPPED: {
        "orderNumber": "SO-1003",
        "skuName": NAME,
        "otherItems": 0,
        "quantity": 1,
        "carrier": "CJ",
        "trackingNumber": "77",
        "expected": None,
    },
    NoticeTemplate.DELIVERED: {
        "orderNumber": "SO-1003",
        "skuName": NAME,
        "otherItems": 0,
        "quantity": 4,
        "deliveredOn": "2026-06-23",
    },
    NoticeTemplate.ORDER_HELD: {
        "orderNumber": "SO-1003",
        "reason": "PAYMENT",
        "deadline": "2026-06-12",
        "onDeadline": "CANCEL",
    },
    NoticeTemplate.BACKORDER_FILLED: {"orderNumber": "SO-1003", "skuName": NAME, "quantity": 4, "shipDate": None},
    NoticeTemplate.ORDER_CANCELLED: {"orderNumber": "SO-1003", "skuName": NAME, "quantity": 4},
    NoticeTemplate.OPTION_OFFERED: {
        "orderNumber": "SO-1003",
        "skuName": NAME,
        "quantity": 4,
        "expected": "2026-06-23",
        "options": ["WAIT", "CANCEL"],
        "default": "WAIT",
        "deadline": "2026-06-12",
    },
    NoticeTemplate.OPTION_CHOSEN: {
        "orderNumber": "SO-1003",
        "skuName": NAME,
        "quantity": 4,
        "option": "WAIT",
        "byDefault": False,
        "expected": "2026-06-23",
    },
}


def test_a_moved_promise_says_why_in_both_languages():
    assert render("PROMISE_MOVED", "en", MOVED) == (
        "Order SO-1003: new date",
        "The date for 4 units of Kettle, 1.7 l in your order SO-1003 has changed from Friday 12 June 2026 "
        "to Tuesday 23 June 2026. Reason: the delivery to us is delayed.",
    )
    assert render("PROMISE_MOVED", "ko-KR", MOVED) == (
        "주문 SO-1003: 배송 예정일 변경",
        "주문 SO-1003의 전기 주전자 1.7L 4개의 배송 예정일이 2026년 6월 12일(금)에서 "
        "2026년 6월 23일(화)로 변경되었습니다. 사유: 입고가 지연되고 있습니다.",
    )


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", NoticeTemplate)
def test_every_template_renders_and_names_each_missing_fact(template: NoticeTemplate, language: str):
    facts = FACTS[template]
    subject, text = render(template, language, facts)
    assert "SO-1003" in subject
    assert "SO-1003" in text
    assert text.endswith(".")
    assert "None" not in text
    for name in facts:
        if name == "onDeadline":
            continue
        with pytest.raises(InvalidInput) as refused:
            render(template, language, {key: value for key, value in facts.items() if key != name})
        assert refused.value.facts == {"field": name}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_has_words(language: str):
    assert set(_REASONS[language]) == set(PromiseReason)
    assert set(_HOLD_REASONS[language]) == set(HoldReason)
    assert set(_TEXTS[language]) == set(NoticeTemplate)


def test_quantities_and_unknown_dates_read_naturally():
    assert render("SHIPPED", "en", FACTS[NoticeTemplate.SHIPPED])[1] == (
        "1 unit of Kettle, 1.7 l from your order SO-1003 left us with CJ. Tracking number: 77."
    )
    many = FACTS[NoticeTemplate.SHIPPED] | {"otherItems": 2, "quantity": 9}
    assert "Kettle, 1.7 l and 2 other items (9 units in all) from your order" in render("SHIPPED", "en", many)[1]
    assert "외 2종 9개가 발송되었습니다" in render("SHIPPED", "ko", many)[1]
    opened = FACTS[NoticeTemplate.BACKORDER_OPENED] | {"quantity": 1200, "expected": None}
    assert "1,200 units of Kettle" in render("BACKORDER_OPENED", "en", opened)[1]
    assert "1,200개는 현재" in render("BACKORDER_OPENED", "ko", opened)[1]
    whole = {"orderNumber": "SO-1003", "skuName": None, "quantity": None}
    assert render("ORDER_CANCELLED", "en", whole)[1] == "Your order SO-1003 was cancelled."
    assert render("ORDER_CANCELLED", "ko", whole)[1] == "주문 SO-1003 전체가 취소되었습니다."


@pytest.mark.parametrize("template", ["ORDER_HELD", "OPTION_OFFERED"])
def test_a_deadline_is_told_by_the_clocks_of_who_reads_it(template: NoticeTemplate):
    at = datetime(2026, 11, 23, 2, 0, 30, tzinfo=UTC)
    facts = FACTS[template] | {"deadline": zoned(at, "America/New_York")}
    assert facts["deadline"] == "2026-11-22T21:00:30-05:00[America/New_York]"
    assert "by Sunday 22 November 2026, 21:00 (America/New_York)" in render(template, "en", facts)[1]
    assert "2026년 11월 22일(일), 21:00 (America/New_York)까지" in render(template, "ko", facts)[1]
    assert " by Friday 12 June 2026" in render(template, "en", FACTS[template])[1], "written before it had a time"


def test_a_language_we_do_not_write_becomes_english():
    assert render("PROMISE_MOVED", "fr", MOVED) == render("PROMISE_MOVED", "en", MOVED)
    assert render("PROMISE_MOVED", None, MOVED) == render("PROMISE_MOVED", "en", MOVED)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"promised": "soon"}, "The fact 'promised' of the notice PROMISE_MOVED must be a date."),
        ({"quantity": 0}, "The fact 'quantity' of the notice PROMISE_MOVED must be a positive whole number."),
        ({"reason": "BAD_LUCK"}, "The fact 'reason' of the notice PROMISE_MOVED must be one of PLACED, "),
        ({"skuName": " "}, "The fact 'skuName' of the notice PROMISE_MOVED must be a text."),
    ],
)
def test_a_wrong_fact_is_named(wrong: dict, message: str):
    with pytest.raises(InvalidInput) as refused:
        render("PROMISE_MOVED", "en", MOVED | wrong)
    assert refused.value.message.startswith(message)


def test_names_cannot_add_lines_or_templates():
    facts = MOVED | {"orderNumber": "SO-1\r\nBcc: x", "skuName": "{quantity.__class__}\u202e"}
    subject, text = render("PROMISE_MOVED", "en", facts)
    assert subject == "Order SO-1 Bcc: x: new date"
    assert "{quantity.__class__} in your order" in text


def test_unknown_template():
    with pytest.raises(InvalidInput, match="There is no notice template 'GREETING'"):
        render("GREETING", "en", {})
