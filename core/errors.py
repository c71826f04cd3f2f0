"""Named failures: each carries its facts and a stable code, and means that nothing was changed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any, ClassVar


class BackorderManagerError(Exception):
    """Base of every failure this product names."""


class ConfigurationError(BackorderManagerError):
    """The process cannot start as it was told to; the message says what to change."""


class EmbeddedServerError(ConfigurationError):
    """A private PostgreSQL or Valkey cannot be started; the message says which and the way out."""


class InvariantBroken(BackorderManagerError):
    """An identity of the data model would not hold after this change: a bug, never a user's mistake."""

    def __init__(self, check: str, rows: Any) -> None:
        super().__init__(f"{check}: {rows}")
        self.check = check
        self.rows = rows


class GiveUp(BackorderManagerError):
    """A job cannot ever succeed with this input: it ends with this reason and is kept as a dead letter."""


class ReadingEnded(BackorderManagerError):
    """The process that read a partner's file ended or took too long: nothing is known of the file, another try may read it."""


class DomainError(BackorderManagerError):
    """A refusal a caller can act on. `code` is the published user-error code, `path` the input field at fault."""

    code: ClassVar[str] = "BAD_USER_INPUT"
    path: tuple[str, ...] = ()

    def __init__(self, message: str, *, path: tuple[str, ...] = (), **facts: Any) -> None:
        super().__init__(message)
        self.message = message
        self.path = path
        self.facts = facts


@contextmanager
def refused_at(*path: str, subject: str = "") -> Iterator[None]:
    """A refusal inside, unless it names its place itself, gets this one and the words for what it is about."""
    try:
        yield
    except DomainError as error:
        if not error.path:
            error.path = path
            error.message = f"{subject}: {error.message}" if subject else error.message
        raise


class InvalidInput(DomainError):
    """A value of the input cannot be used; `field` names it and `value` repeats it."""

    code = "INVALID_INPUT"


class NotFound(DomainError):
    """The named thing does not exist, or not for this caller."""

    code = "NOT_FOUND"

    def __init__(self, kind: str, key: str, *, path: tuple[str, ...] = ()) -> None:
        super().__init__(f"There is no {kind} {key!r} that you may see.", path=path, kind=kind, key=key)


class UnknownSku(DomainError):
    code = "UNKNOWN_SKU"

    def __init__(self, sku: str, *, path: tuple[str, ...] = ()) -> None:
        super().__init__(f"There is no SKU {sku!r}.", path=path, sku=sku)


class SkuNotSellable(DomainError):
    code = "SKU_NOT_SELLABLE"

    def __init__(self, sku: str, status: str, *, path: tuple[str, ...] = ()) -> None:
        super().__init__(f"SKU {sku!r} is {status} and cannot be sold.", path=path, sku=sku, status=status)


class InsufficientStock(DomainError):
    """`available` is the ATP at the day that was asked for, in base units."""

    code = "INSUFFICIENT_STOCK"

    def __init__(self, sku: str, wanted: int, available: int, *, path: tuple[str, ...] = ()) -> None:
        super().__init__(
            f"{wanted} of SKU {sku!r} wanted, {available} available.",
            path=path,
            sku=sku,
            wanted=wanted,
            available=available,
        )


class DuplicateOrder(DomainError):
    code = "DUPLICATE_ORDER"

    def __init__(self, channel: str, external_number: str, order_id: int, number: str) -> None:
        super().__init__(
            f"Order {external_number!r} of channel {channel!r} exists already as {number}.",
            path=("input", "externalNumber"),
            channel=channel,
            externalNumber=external_number,
            orderId=order_id,
            orderNumber=number,
        )


class IdempotencyMismatch(DomainError):
    code = "IDEMPOTENCY_MISMATCH"

    def __init__(self, key: str) -> None:
        super().__init__(
            f"The idempotency key {key!r} was used with another input; use a new key.",
            path=("idempotencyKey",),
            key=key,
        )


class IdempotencyInProgress(DomainError):
    code = "IDEMPOTENCY_IN_PROGRESS"

    def __init__(self, key: str) -> None:
        super().__init__(
            f"A request with the idempotency key {key!r} is still running; ask again.",
            path=("idempotencyKey",),
            key=key,
        )


class VersionConflict(DomainError):
    code = "VERSION_CONFLICT"

    def __init__(self, kind: str, key: str, expected: int, actual: int) -> None:
        super().__init__(
            f"The {kind} {key!r} is at version {actual}, not {expected}: read it again.",
            path=("input", "expectedVersion"),
            kind=kind,
            key=key,
            expected=expected,
            actual=actual,
        )


class IllegalTransition(DomainError):
    """A state cannot follow the present one."""

    code = "ILLEGAL_TRANSITION"

    def __init__(self, kind: str, key: str, state: str, wanted: str) -> None:
        super().__init__(
            f"The {kind} {key} is {state} and cannot become {wanted}.", kind=kind, key=key, state=state, wanted=wanted
        )


class ReservationExpired(DomainError):
    code = "RESERVATION_EXPIRED"

    def __init__(self, reservation: str) -> None:
        super().__init__(f"The reservation {reservation!r} has expired or was released.", reservation=reservation)


class OptionClosed(DomainError):
    """The options are no longer open; `state` says what became of them and `chosen` which was taken, if any."""

    code = "OPTION_CLOSED"

    def __init__(self, backorder: str, state: str, chosen: str | None = None) -> None:
        what = f"{state}, {chosen} was taken" if chosen else state
        super().__init__(
            f"The options of backorder {backorder} are closed: {what}.",
            backorder=backorder,
            state=state,
            chosen=chosen,
        )


class QuantityExceeded(DomainError):
    """More than the open quantity; `open_quantity` says how much may be used, in base units."""

    code = "QUANTITY_EXCEEDED"

    def __init__(self, what: str, wanted: int, open_quantity: int, *, path: tuple[str, ...] = ()) -> None:
        super().__init__(
            f"{wanted} wanted, but only {open_quantity} {what}.", path=path, wanted=wanted, openQuantity=open_quantity
        )


class DateInPast(DomainError):
    """`today` is the earliest calendar day among the locations that can serve."""

    code = "DATE_IN_PAST"

    def __init__(self, field: str, value: date, today: date, *, path: tuple[str, ...] = ()) -> None:
        super().__init__(
            f"{field} {value} lies before today, {today}.", path=path, field=field, value=value.isoformat()
        )


class Forbidden(DomainError):
    """The role may not do this at all (rows of others are NotFound instead)."""

    code = "FORBIDDEN"
