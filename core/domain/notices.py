"""What customers are told: subject and text of every notice, from its facts, in the customer's language."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from core.domain.states import PromiseReason
from core.errors import InvalidInput


class NoticeTemplate(StrEnum):
    """What a notice tells; the comment names its facts (dates ISO or `date`, deadlines as `zoned` writes them, names text
    or text by language)."""

    BACKORDER_OPENED = "BACKORDER_OPENED"  # orderNumber skuName quantity expected(null: not known yet)
    PROMISE_MOVED = "PROMISE_MOVED"  # orderNumber skuName quantity previousPromised promised(null) reason
    SHIPPED = "SHIPPED"  # orderNumber skuName otherItems quantity carrier(null) trackingNumber(null) expected(null)
    DELIVERED = "DELIVERED"  # orderNumber skuName otherItems quantity deliveredOn
    ORDER_HELD = "ORDER_HELD"  # orderNumber reason deadline(null) onDeadline(null: as CANCEL or RELEASE)
    BACKORDER_FILLED = "BACKORDER_FILLED"  # orderNumber skuName quantity shipDate(null)
    ORDER_CANCELLED = "ORDER_CANCELLED"  # orderNumber skuName quantity (both null: the whole order)
    OPTION_OFFERED = "OPTION_OFFERED"  # orderNumber skuName quantity expected(null) options default deadline
    OPTION_CHOSEN = "OPTION_CHOSEN"  # orderNumber skuName quantity option byDefault expected(null)


DEFAULT_LANGUAGE = "en"

# not strftime: its words follow the machine's locale
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_WEEKDAYS_KO = "월화수목금토일"

_REASONS: dict[str, dict[PromiseReason, str]] = {
    "en": {
        PromiseReason.PLACED: "your order was placed",
        PromiseReason.ALLOCATED: "the goods are now set aside for you",
        PromiseReason.LINE_CHANGED: "the order was changed",
        PromiseReason.HOLD_RELEASED: "your order was on hold and is now released",
        PromiseReason.SUPPLY_DATED: "the supplier has given a date",
        PromiseReason.SUPPLY_ADVANCED: "the delivery to us comes earlier than planned",
        PromiseReason.SUPPLY_DELAYED: "the delivery to us is delayed",
        PromiseReason.SUPPLY_LOST: "the delivery to us was cancelled or lost",
        PromiseReason.SUPPLIER_BACKORDERED: "the supplier cannot deliver all of it at once",
        PromiseReason.STOCK_CORRECTED: "a stock count found fewer goods than recorded",
        PromiseReason.REPROMISED: "we planned all waiting orders anew",
        PromiseReason.SUBSTITUTED: "a substitute was chosen",
        PromiseReason.OPTION_CHOSEN: "you chose this option",
        PromiseReason.REPRIORITISED: "the priority of the order was changed",
        PromiseReason.RELEASE_MOVED: "the release day of the product has changed",
        PromiseReason.ROUTE_CHANGED: "the days on which we ship or deliver have changed",
    },
    "ko": {
        PromiseReason.PLACED: "주문이 접수되었습니다",
        PromiseReason.ALLOCATED: "고객님의 상품이 확보되었습니다",
        PromiseReason.LINE_CHANGED: "주문 내용이 변경되었습니다",
        PromiseReason.HOLD_RELEASED: "보류되었던 주문이 다시 진행됩니다",
        PromiseReason.SUPPLY_DATED: "공급업체가 입고 일자를 확정했습니다",
        PromiseReason.SUPPLY_ADVANCED: "입고가 예정보다 앞당겨졌습니다",
        PromiseReason.SUPPLY_DELAYED: "입고가 지연되고 있습니다",
        PromiseReason.SUPPLY_LOST: "예정된 입고가 취소되거나 분실되었습니다",
        PromiseReason.SUPPLIER_BACKORDERED: "공급업체가 전량을 한 번에 공급하지 못합니다",
        PromiseReason.STOCK_CORRECTED: "재고 실사 결과 기록보다 수량이 부족했습니다",
        PromiseReason.REPROMISED: "대기 중인 주문 전체의 일정을 다시 계획했습니다",
        PromiseReason.SUBSTITUTED: "대체 상품이 선택되었습니다",
        PromiseReason.OPTION_CHOSEN: "고객님께서 이 방법을 선택하셨습니다",
        PromiseReason.REPRIORITISED: "주문의 우선순위가 변경되었습니다",
        PromiseReason.RELEASE_MOVED: "상품의 출시일이 변경되었습니다",
        PromiseReason.ROUTE_CHANGED: "출고 또는 배송 가능 일자가 변경되었습니다",
    },
}

_HOLD_REASONS: dict[str, dict[str, str]] = {
    "en": {
        "PAYMENT": "the payment has not gone through",
        "ADDRESS": "the delivery address is incomplete",
        "FRAUD": "the order is being checked",
        "CREDIT": "the credit limit is reached",
        "DUPLICATE": "it looks like a second copy of another order",
        "SKU_NOT_SELLABLE": "an article cannot be sold at present",
        "CUSTOMER_REQUEST": "you asked us to wait",
        "MANUAL": "we are checking it",
    },
    "ko": {
        "PAYMENT": "결제가 완료되지 않았습니다",
        "ADDRESS": "배송지 주소가 완전하지 않습니다",
        "FRAUD": "주문을 확인하고 있습니다",
        "CREDIT": "신용 한도에 도달했습니다",
        "DUPLICATE": "다른 주문과 중복된 것으로 보입니다",
        "SKU_NOT_SELLABLE": "현재 판매할 수 없는 상품이 있습니다",
        "CUSTOMER_REQUEST": "고객님께서 보류를 요청하셨습니다",
        "MANUAL": "담당자가 확인하고 있습니다",
    },
}


def zoned(at: datetime, zone: str) -> str:
    """An instant as the clocks of a zone show it, with the zone's name (RFC 9557)."""
    return f"{at.astimezone(ZoneInfo(zone)).isoformat(timespec='seconds')}[{zone}]"


@dataclass(frozen=True, slots=True)
class _Facts:
    """The facts of one notice, each read in the form of one language; what is missing is an error with its name."""

    template: NoticeTemplate
    language: str
    values: Mapping[str, Any]

    def _raw(self, name: str) -> Any:
        if name not in self.values:
            raise InvalidInput(f"The notice {self.template} lacks the fact {name!r}.", field=name)
        return self.values[name]

    def _wrong(self, name: str, wanted: str) -> InvalidInput:
        return InvalidInput(
            f"The fact {name!r} of the notice {self.template} must be {wanted}.",
            field=name,
            value=str(self.values[name]),
        )

    def text(self, name: str) -> str:
        value = self._raw(name)
        if isinstance(value, Mapping):
            value = value.get(self.language) or value.get(DEFAULT_LANGUAGE)
        if not isinstance(value, str) or not value.strip():
            raise self._wrong(name, "a text")
        # one line and nothing invisible: a name must not be able to add a header or a paragraph of its own
        return " ".join("".join(c if unicodedata.category(c)[0] != "C" else " " for c in value).split())

    def has(self, name: str) -> bool:
        return self._raw(name) is not None

    def quantity(self, name: str = "quantity") -> str:
        value = self._raw(name)
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise self._wrong(name, "a positive whole number")
        if self.language == "ko":
            return f"{value:,}개"
        return f"{value:,} unit" if value == 1 else f"{value:,} units"

    def goods(self) -> str:
        """What a shipment holds: `quantity` units of `skuName`, or of it and `otherItems` more SKUs."""
        others = self._raw("otherItems")
        if not isinstance(others, int) or isinstance(others, bool) or others < 0:
            raise self._wrong("otherItems", "a whole number")
        if self.language == "ko":
            return (
                f"{self.text('skuName')} 외 {others}종 {self.quantity()}"
                if others
                else f"{self.text('skuName')} {self.quantity()}"
            )
        if not others:
            return f"{self.quantity()} of {self.text('skuName')}"
        return f"{self.text('skuName')} and {others} other item{'s' if others > 1 else ''} ({self.quantity()} in all)"

    def date(self, name: str) -> str:
        value = self._raw(name)
        if isinstance(value, str):
            try:
                value = date.fromisoformat(value[:10])
            except ValueError as error:
                raise self._wrong(name, "a date") from error
        if not isinstance(value, date):
            raise self._wrong(name, "a date")
        if self.language == "ko":
            return f"{value.year}년 {value.month}월 {value.day}일({_WEEKDAYS_KO[value.weekday()]})"
        return f"{_WEEKDAYS[value.weekday()]} {value.day} {_MONTHS[value.month - 1]} {value.year}"

    def moment(self, name: str) -> str:
        """A day, and where the fact says so the time of that day and whose it is."""
        day, value = self.date(name), str(self._raw(name))
        return f"{day}, {value[11:16]} ({value.partition('[')[2].rstrip(']')})" if value.endswith("]") else day

    def reason(self, words: Mapping[str, Mapping[Any, str]]) -> str:
        return self.word("reason", words)

    def word(self, name: str, words: Mapping[str, Mapping[Any, str]]) -> str:
        """What a value of a fixed list is called."""
        value = self._raw(name)
        known = words[self.language]
        if value not in known:
            raise self._wrong(name, "one of " + ", ".join(known))
        return known[value]

    def words(self, name: str, words: Mapping[str, Mapping[Any, str]]) -> str:
        """A list of such values, each called by its name."""
        values, known = self._raw(name), words[self.language]
        if not isinstance(values, list) or not values or any(value not in known for value in values):
            raise self._wrong(name, "a list of " + ", ".join(known))
        return "; ".join(known[value] for value in values)


_Text = tuple[str, str]


def _backorder_opened_en(f: _Facts) -> _Text:
    when = f"We expect to deliver them on {f.date('expected')}." if f.has("expected") else "We are finding a date."
    return (
        f"Order {f.text('orderNumber')}: a part will come later",
        f"{f.quantity()} of {f.text('skuName')} in your order {f.text('orderNumber')} cannot come from stock now. "
        f"{when} We will tell you if that changes.",
    )


def _backorder_opened_ko(f: _Facts) -> _Text:
    when = f"{f.date('expected')} 도착 예정입니다." if f.has("expected") else "일정을 확인하고 있습니다."
    return (
        f"주문 {f.text('orderNumber')}: 일부 상품은 나중에 배송됩니다",
        f"주문 {f.text('orderNumber')}의 {f.text('skuName')} {f.quantity()}는 현재 재고로 바로 보내 드릴 수 없습니다. "
        f"{when} 변경되면 알려 드리겠습니다.",
    )


def _promise_moved_en(f: _Facts) -> _Text:
    now = f.date("promised") if f.has("promised") else "a date that we do not know yet"
    was = f.date("previousPromised") if f.has("previousPromised") else "no date"
    return (
        f"Order {f.text('orderNumber')}: new date",
        f"The date for {f.quantity()} of {f.text('skuName')} in your order {f.text('orderNumber')} has changed "
        f"from {was} to {now}. Reason: {f.reason(_REASONS)}.",
    )


def _promise_moved_ko(f: _Facts) -> _Text:
    now = (
        f"{f.date('promised')}로 변경되었습니다." if f.has("promised") else "아직 확정되지 않은 날짜로 변경되었습니다."
    )
    was = f"{f.date('previousPromised')}에서 " if f.has("previousPromised") else ""
    return (
        f"주문 {f.text('orderNumber')}: 배송 예정일 변경",
        f"주문 {f.text('orderNumber')}의 {f.text('skuName')} {f.quantity()}의 배송 예정일이 {was}{now} "
        f"사유: {f.reason(_REASONS)}.",
    )


def _shipped_en(f: _Facts) -> _Text:
    carrier = f" with {f.text('carrier')}" if f.has("carrier") else ""
    tracking = f" Tracking number: {f.text('trackingNumber')}." if f.has("trackingNumber") else ""
    when = f" Expected delivery: {f.date('expected')}." if f.has("expected") else ""
    return (
        f"Order {f.text('orderNumber')}: shipped",
        f"{f.goods()} from your order {f.text('orderNumber')} left us{carrier}.{tracking}{when}",
    )


def _shipped_ko(f: _Facts) -> _Text:
    carrier = f" 배송사: {f.text('carrier')}." if f.has("carrier") else ""
    tracking = f" 운송장 번호: {f.text('trackingNumber')}." if f.has("trackingNumber") else ""
    when = f" 도착 예정일: {f.date('expected')}." if f.has("expected") else ""
    return (
        f"주문 {f.text('orderNumber')}: 발송되었습니다",
        f"주문 {f.text('orderNumber')}의 {f.goods()}가 발송되었습니다.{carrier}{tracking}{when}",
    )


def _delivered_en(f: _Facts) -> _Text:
    return (
        f"Order {f.text('orderNumber')}: delivered",
        f"{f.goods()} from your order {f.text('orderNumber')} arrived on {f.date('deliveredOn')}.",
    )


def _delivered_ko(f: _Facts) -> _Text:
    return (
        f"주문 {f.text('orderNumber')}: 배송이 완료되었습니다",
        f"주문 {f.text('orderNumber')}의 {f.goods()}가 {f.date('deliveredOn')}에 도착했습니다.",
    )


def _order_held_en(f: _Facts) -> _Text:
    after = ""
    if f.has("deadline"):
        then = {"CANCEL": "it will be cancelled", "RELEASE": "it goes on by itself"}.get(
            f.values.get("onDeadline") or "", "we will get in touch"
        )
        after = f" If nothing changes by {f.moment('deadline')}, {then}."
    return (
        f"Order {f.text('orderNumber')}: on hold",
        f"Your order {f.text('orderNumber')} is on hold: {f.reason(_HOLD_REASONS)}.{after}",
    )


def _order_held_ko(f: _Facts) -> _Text:
    after = ""
    if f.has("deadline"):
        then = {"CANCEL": "주문이 취소됩니다", "RELEASE": "주문이 자동으로 진행됩니다"}.get(
            f.values.get("onDeadline") or "", "별도로 연락드리겠습니다"
        )
        after = f" {f.moment('deadline')}까지 변동이 없으면 {then}."
    return (
        f"주문 {f.text('orderNumber')}: 보류 중입니다",
        f"주문 {f.text('orderNumber')}의 처리가 보류되었습니다. 사유: {f.reason(_HOLD_REASONS)}.{after}",
    )


def _backorder_filled_en(f: _Facts) -> _Text:
    when = f" They leave us on {f.date('shipDate')}." if f.has("shipDate") else ""
    return (
        f"Order {f.text('orderNumber')}: the rest is ready",
        f"The missing {f.quantity()} of {f.text('skuName')} for your order {f.text('orderNumber')} are here.{when}",
    )


def _backorder_filled_ko(f: _Facts) -> _Text:
    when = f" {f.date('shipDate')} 발송 예정입니다." if f.has("shipDate") else ""
    return (
        f"주문 {f.text('orderNumber')}: 나머지 상품이 준비되었습니다",
        f"주문 {f.text('orderNumber')}에서 부족했던 {f.text('skuName')} {f.quantity()}가 입고되었습니다.{when}",
    )


def _order_cancelled_en(f: _Facts) -> _Text:
    what = f"{f.quantity()} of {f.text('skuName')} in your order" if f.has("quantity") else "Your order"
    verb = "were" if f.has("quantity") and f.values["quantity"] != 1 else "was"
    return (f"Order {f.text('orderNumber')}: cancelled", f"{what} {f.text('orderNumber')} {verb} cancelled.")


def _order_cancelled_ko(f: _Facts) -> _Text:
    what = f"의 {f.text('skuName')} {f.quantity()}가" if f.has("quantity") else " 전체가"
    return (f"주문 {f.text('orderNumber')}: 취소되었습니다", f"주문 {f.text('orderNumber')}{what} 취소되었습니다.")


_OPTIONS: dict[str, dict[str, str]] = {
    "en": {
        "WAIT": "wait for the goods",
        "PART_SHIP": "get what is there now, the rest later",
        "SUBSTITUTE": "take another article instead",
        "CANCEL": "cancel what is missing",
        "COMPENSATE": "wait, with a compensation",
    },
    "ko": {
        "WAIT": "입고될 때까지 기다리기",
        "PART_SHIP": "준비된 상품을 먼저 받고 나머지는 나중에 받기",
        "SUBSTITUTE": "다른 상품으로 받기",
        "CANCEL": "부족한 수량 취소하기",
        "COMPENSATE": "보상을 받고 기다리기",
    },
}


def _option_offered_en(f: _Facts) -> _Text:
    when = f" We expect them on {f.date('expected')}." if f.has("expected") else " We do not know a date yet."
    return (
        f"Order {f.text('orderNumber')}: please choose",
        f"{f.quantity()} of {f.text('skuName')} in your order {f.text('orderNumber')} are missing.{when} "
        f"You may choose: {f.words('options', _OPTIONS)}. "
        f"If we do not hear from you by {f.moment('deadline')}: {f.word('default', _OPTIONS)}.",
    )


def _option_offered_ko(f: _Facts) -> _Text:
    when = f" {f.date('expected')} 도착 예정입니다." if f.has("expected") else " 아직 일정을 알 수 없습니다."
    return (
        f"주문 {f.text('orderNumber')}: 처리 방법을 선택해 주십시오",
        f"주문 {f.text('orderNumber')}의 {f.text('skuName')} {f.quantity()}가 부족합니다.{when} "
        f"선택하실 수 있는 방법: {f.words('options', _OPTIONS)}. "
        f"{f.moment('deadline')}까지 회신이 없으면 다음과 같이 처리됩니다: {f.word('default', _OPTIONS)}.",
    )


def _option_chosen_en(f: _Facts) -> _Text:
    who = "As nobody chose in time" if f._raw("byDefault") else "As you chose"
    when = f" Expected: {f.date('expected')}." if f.has("expected") else ""
    return (
        f"Order {f.text('orderNumber')}: your choice",
        f"{who}, this holds for {f.quantity()} of {f.text('skuName')} in your order {f.text('orderNumber')}: "
        f"{f.word('option', _OPTIONS)}.{when}",
    )


def _option_chosen_ko(f: _Facts) -> _Text:
    who = "기한 내에 선택하지 않으셔서" if f._raw("byDefault") else "고객님께서 선택하신 대로"
    when = f" 도착 예정일: {f.date('expected')}." if f.has("expected") else ""
    return (
        f"주문 {f.text('orderNumber')}: 선택 결과",
        f"{who} 주문 {f.text('orderNumber')}의 {f.text('skuName')} {f.quantity()}를 다음과 같이 처리합니다: "
        f"{f.word('option', _OPTIONS)}.{when}",
    )


_TEXTS: dict[str, dict[NoticeTemplate, Callable[[_Facts], _Text]]] = {
    "en": {
        NoticeTemplate.BACKORDER_OPENED: _backorder_opened_en,
        NoticeTemplate.PROMISE_MOVED: _promise_moved_en,
        NoticeTemplate.SHIPPED: _shipped_en,
        NoticeTemplate.DELIVERED: _delivered_en,
        NoticeTemplate.ORDER_HELD: _order_held_en,
        NoticeTemplate.BACKORDER_FILLED: _backorder_filled_en,
        NoticeTemplate.ORDER_CANCELLED: _order_cancelled_en,
        NoticeTemplate.OPTION_OFFERED: _option_offered_en,
        NoticeTemplate.OPTION_CHOSEN: _option_chosen_en,
    },
    "ko": {
        NoticeTemplate.BACKORDER_OPENED: _backorder_opened_ko,
        NoticeTemplate.PROMISE_MOVED: _promise_moved_ko,
        NoticeTemplate.SHIPPED: _shipped_ko,
        NoticeTemplate.DELIVERED: _delivered_ko,
        NoticeTemplate.ORDER_HELD: _order_held_ko,
        NoticeTemplate.BACKORDER_FILLED: _backorder_filled_ko,
        NoticeTemplate.ORDER_CANCELLED: _order_cancelled_ko,
        NoticeTemplate.OPTION_OFFERED: _option_offered_ko,
        NoticeTemplate.OPTION_CHOSEN: _option_chosen_ko,
    },
}
LANGUAGES = tuple(_TEXTS)


def render(template: str, language: str | None, facts: Mapping[str, Any]) -> tuple[str, str]:
    """Subject and text of a notice. "ko-KR" reads as "ko"; a language we do not write becomes English.

    Raises InvalidInput for an unknown template and for a fact that is missing or of the wrong kind, naming it.
    """
    if template not in NoticeTemplate.__members__:
        raise InvalidInput(f"There is no notice template {template!r}.", field="template", value=template)
    known = NoticeTemplate(template)
    spoken = (language or DEFAULT_LANGUAGE).replace("_", "-").partition("-")[0].lower()
    if spoken not in _TEXTS:
        spoken = DEFAULT_LANGUAGE
    return _TEXTS[spoken][known](_Facts(known, spoken, facts))
