"""Refusals a client can act on: one typed user error per failure of the business, mapped here and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, fields
from enum import Enum
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import strawberry
from strawberry import Info, field

from api.schema.enums import described
from api.schema.node import build
from core.errors import DomainError

if TYPE_CHECKING:
    from api.schema.order import Order


class UserErrorCode(Enum):
    """Codes of core.errors, published."""

    BAD_USER_INPUT = "BAD_USER_INPUT"
    INVALID_INPUT = "INVALID_INPUT"
    NOT_FOUND = "NOT_FOUND"
    UNKNOWN_SKU = "UNKNOWN_SKU"
    SKU_NOT_SELLABLE = "SKU_NOT_SELLABLE"
    INSUFFICIENT_STOCK = "INSUFFICIENT_STOCK"
    DUPLICATE_ORDER = "DUPLICATE_ORDER"
    IDEMPOTENCY_MISMATCH = "IDEMPOTENCY_MISMATCH"
    IDEMPOTENCY_IN_PROGRESS = "IDEMPOTENCY_IN_PROGRESS"
    VERSION_CONFLICT = "VERSION_CONFLICT"
    ILLEGAL_TRANSITION = "ILLEGAL_TRANSITION"
    RESERVATION_EXPIRED = "RESERVATION_EXPIRED"
    QUANTITY_EXCEEDED = "QUANTITY_EXCEEDED"
    OPTION_CLOSED = "OPTION_CLOSED"
    DATE_IN_PAST = "DATE_IN_PAST"
    FORBIDDEN = "FORBIDDEN"


described(
    UserErrorCode,
    "Stable code of a user error.",
    BAD_USER_INPUT="The input cannot be used.",
    INVALID_INPUT="A value of the input cannot be used.",
    NOT_FOUND="The named thing does not exist, or not for this caller.",
    UNKNOWN_SKU="There is no such SKU.",
    SKU_NOT_SELLABLE="The SKU may not be sold.",
    INSUFFICIENT_STOCK="Less is available than wanted.",
    DUPLICATE_ORDER="The channel has placed an order with this number before.",
    IDEMPOTENCY_MISMATCH="The idempotency key was used with another input.",
    IDEMPOTENCY_IN_PROGRESS="A request with this idempotency key is still running.",
    VERSION_CONFLICT="Somebody has changed it in the meantime.",
    ILLEGAL_TRANSITION="Its present state does not allow this.",
    RESERVATION_EXPIRED="The reservation has expired or was released.",
    QUANTITY_EXCEEDED="More than the open quantity.",
    OPTION_CLOSED="The options are no longer open.",
    DATE_IN_PAST="The day lies in the past.",
    FORBIDDEN="The caller may not do this.",
)


@strawberry.interface(description="A refusal that the caller can act on; nothing was changed for its cause.")
class UserError:
    """Base of all user errors."""

    code: UserErrorCode = field(description="Stable code.")
    message: str = field(description="For people, in the caller's language.")
    path: list[str] | None = field(description="Input field at fault, from the root of the arguments.")


@strawberry.type(description="The input cannot be used.")
class BadInput(UserError):
    """Fallback for refusals without a type of their own."""


@strawberry.type(description="A value of the input cannot be used.")
class InvalidInput(UserError):
    """core.errors.InvalidInput."""

    field: str | None = strawberry.field(description="Name of the field.", default=None)
    value: str | None = strawberry.field(description="The value as it was given.", default=None)


@strawberry.type(description="The named thing does not exist, or not for this caller.")
class NotFound(UserError):
    """core.errors.NotFound."""

    kind: str = field(description="What was looked for.")
    key: str = field(description="By which number, code or id.")


@strawberry.type(description="There is no such SKU.")
class UnknownSku(UserError):
    """core.errors.UnknownSku."""

    sku: str = field(description="The code that was given.")


@strawberry.type(description="The SKU may not be sold.")
class SkuNotSellable(UserError):
    """core.errors.SkuNotSellable."""

    sku: str = field(description="Its code.")
    status: str = field(description="Its state.")


@strawberry.type(description="Less is available than wanted.")
class InsufficientStock(UserError):
    """core.errors.InsufficientStock."""

    sku: str = field(description="Code of the SKU.")
    wanted: int = field(description="Units that were asked for.")
    available: int = field(description="Units that can be promised for that day.")


@strawberry.type(description="The channel has placed an order with this number before.")
class DuplicateOrder(UserError):
    """core.errors.DuplicateOrder."""

    order_id: strawberry.Private[int | None] = None
    channel: str = field(description="The channel.")
    external_number: str = field(description="The channel's number.")
    order_number: str = field(description="Our number of the existing order.")

    @field(description="The existing order.")
    async def order(self, info: Info) -> Annotated[Order, strawberry.lazy("api.schema.order")] | None:
        if self.order_id is None:
            return None
        return build("Order", await info.context.loaders.order_by_id.load(self.order_id))


@strawberry.type(description="The idempotency key was used with another input.")
class IdempotencyMismatch(UserError):
    """core.errors.IdempotencyMismatch."""

    key: str = field(description="The key.")


@strawberry.type(description="A request with this idempotency key is still running; ask again.")
class IdempotencyInProgress(UserError):
    """core.errors.IdempotencyInProgress."""

    key: str = field(description="The key.")


@strawberry.type(description="Somebody has changed it in the meantime: read it again.")
class VersionConflict(UserError):
    """core.errors.VersionConflict."""

    kind: str = field(description="What was to be changed.")
    key: str = field(description="Its number or id.")
    expected: int = field(description="The version that the caller expected.")
    actual: int = field(description="Its version now.")


@strawberry.type(description="Its present state does not allow this.")
class IllegalTransition(UserError):
    """core.errors.IllegalTransition."""

    kind: str = field(description="What was to be changed.")
    key: str = field(description="Its number or id.")
    state: str = field(description="Its state now.")
    wanted: str = field(description="The state that was asked for.")


@strawberry.type(description="The reservation has expired or was released.")
class ReservationExpired(UserError):
    """core.errors.ReservationExpired."""

    reservation: str = field(description="Its id.")


@strawberry.type(description="More than the open quantity.")
class QuantityExceeded(UserError):
    """core.errors.QuantityExceeded."""

    wanted: int = field(description="Units that were asked for.")
    open_quantity: int = field(description="Units that may be used.")


@strawberry.type(description="The options of a backorder are no longer open; it says what became of them.")
class OptionClosed(UserError):
    """core.errors.OptionClosed."""

    backorder: str = field(description="Number of the backorder.")
    state: str = field(
        description="CHOSEN, EXPIRED, WITHDRAWN, PAST_DEADLINE, OUTDATED (the facts have changed) or NOT_OFFERED."
    )
    chosen: str | None = field(description="Kind of the option that was taken, if any.", default=None)


@strawberry.type(description="The day lies in the past.")
class DateInPast(UserError):
    """core.errors.DateInPast."""

    field: str = strawberry.field(description="Name of the field.")
    value: str = strawberry.field(description="The day that was given.")


@strawberry.type(description="The caller may not do this.")
class NotAllowed(UserError):
    """core.errors.Forbidden."""


_COMMON = ("code", "message", "path")

TYPES: dict[str, type[UserError]] = {
    "BAD_USER_INPUT": BadInput,
    "INVALID_INPUT": InvalidInput,
    "NOT_FOUND": NotFound,
    "UNKNOWN_SKU": UnknownSku,
    "SKU_NOT_SELLABLE": SkuNotSellable,
    "INSUFFICIENT_STOCK": InsufficientStock,
    "DUPLICATE_ORDER": DuplicateOrder,
    "IDEMPOTENCY_MISMATCH": IdempotencyMismatch,
    "IDEMPOTENCY_IN_PROGRESS": IdempotencyInProgress,
    "VERSION_CONFLICT": VersionConflict,
    "ILLEGAL_TRANSITION": IllegalTransition,
    "RESERVATION_EXPIRED": ReservationExpired,
    "QUANTITY_EXCEEDED": QuantityExceeded,
    "OPTION_CLOSED": OptionClosed,
    "DATE_IN_PAST": DateInPast,
    "FORBIDDEN": NotAllowed,
}

KOREAN = {
    "BAD_USER_INPUT": "입력을 사용할 수 없습니다.",
    "INVALID_INPUT": "입력 값 {value}을(를) 사용할 수 없습니다({field}).",
    "NOT_FOUND": "볼 수 있는 {kind} {key}이(가) 없습니다.",
    "UNKNOWN_SKU": "SKU {sku}이(가) 없습니다.",
    "SKU_NOT_SELLABLE": "SKU {sku}은(는) 판매할 수 없습니다({status}).",
    "INSUFFICIENT_STOCK": "SKU {sku}: 요청 {wanted}개, 가능 {available}개.",
    "DUPLICATE_ORDER": "채널 {channel}의 주문 {externalNumber}은(는) 이미 {orderNumber}(으)로 있습니다.",
    "IDEMPOTENCY_MISMATCH": "멱등 키 {key}은(는) 다른 입력에 사용되었습니다. 새 키를 쓰십시오.",
    "IDEMPOTENCY_IN_PROGRESS": "멱등 키 {key}의 요청이 아직 처리 중입니다. 다시 시도하십시오.",
    "VERSION_CONFLICT": "{kind} {key}의 버전은 {expected}이(가) 아니라 {actual}입니다. 다시 읽으십시오.",
    "ILLEGAL_TRANSITION": "{kind} {key}은(는) {state} 상태라서 {wanted}(으)로 바꿀 수 없습니다.",
    "RESERVATION_EXPIRED": "예약 {reservation}은(는) 만료되었거나 해제되었습니다.",
    "QUANTITY_EXCEEDED": "요청 {wanted}개, 사용 가능 {openQuantity}개.",
    "OPTION_CLOSED": "부재고 {backorder}의 선택이 마감되었습니다({state}).",
    "DATE_IN_PAST": "{field} {value}은(는) 지난 날짜입니다.",
    "FORBIDDEN": "허용되지 않은 작업입니다.",
}
"""Messages by code; English ones come with the failure itself."""


def user_error(error: DomainError, language: str) -> UserError:
    """The typed user error of a failure, with its facts and a message in `language`."""
    return stored_user_error(
        {"code": error.code, "message": error.message, "path": list(error.path), "facts": error.facts}, language
    )


MAX_USER_ERRORS = 200
"""Told in one answer, the first ones: who has them right asks again."""


def stored_user_errors(stored: Iterable[Mapping[str, Any]], language: str) -> list[UserError]:
    """The first MAX_USER_ERRORS of {code, message, path, facts}, typed."""
    return [stored_user_error(error, language) for error in islice(stored, MAX_USER_ERRORS)]


def stored_user_error(stored: Mapping[str, Any], language: str) -> UserError:
    """The typed user error of {code, message, path, facts}, as an idempotency row keeps it."""
    code = stored["code"] if stored["code"] in TYPES else "BAD_USER_INPUT"
    facts = dict(stored.get("facts") or {})
    own = [member for member in fields(TYPES[code]) if member.init and member.name not in _COMMON]  # type: ignore[arg-type]
    if any(member.default is MISSING and _camel(member.name) not in facts for member in own):
        code, own = "BAD_USER_INPUT", []  # a failure without its facts has no type of its own
    values = {member.name: _fact(facts[name]) for member in own if (name := _camel(member.name)) in facts}
    path: Sequence[str] = stored.get("path") or ()
    return TYPES[code](
        code=UserErrorCode[code],
        message=_message(code, str(stored["message"]), facts, language),
        path=[str(part) for part in path] or None,
        **values,
    )


def _message(code: str, english: str, facts: Mapping[str, Any], language: str) -> str:
    if language != "ko":
        return english
    try:
        return KOREAN[code].format_map(facts)
    except KeyError:
        return english


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


def _fact(value: Any) -> Any:
    return value if isinstance(value, int) or value is None else str(value)
