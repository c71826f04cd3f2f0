"""One event of a subscription becomes one result: executed for itself, or once for all to whom it says the same."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

import msgspec
import strawberry
from graphql import execute_subscription_event
from strawberry.execution import optimized_is_awaitable
from strawberry.utils.await_maybe import await_maybe

from api.context import Context
from api.error_handlers import root_cause
from api.live import SharedRead, once
from api.transport.request import GraphQLRequest
from core.away import is_away

if TYPE_CHECKING:
    from api.transport.preparing import Prepared


MAX_LOOKS = 3
"""So often PostgreSQL has answered, and an event could still not be read: then it is not PostgreSQL that is away."""


def build_executor(
    schema: strawberry.Schema,
    request: GraphQLRequest,
    prepared: Prepared,
    context: Context,
    *,
    event: Any = None,
    hides_suggestions: bool = False,
) -> Any:
    """What GraphQL-core executes with, or the list of errors of variables that do not fit."""
    return schema.execution_context_class.build(
        schema._schema,
        prepared.document,
        root_value=event,
        context_value=context,
        raw_variable_values=request.variables,
        operation_name=prepared.name,
        is_awaitable=optimized_is_awaitable,  # pyright: ignore[reportArgumentType]
        hide_suggestions=hides_suggestions,
    )


class EventExecution:
    """Executes the events of one subscription.

    While nothing happens it holds no executor: thousands wait, and of those who are told the same one executes.
    """

    __slots__ = ("_context", "_executor", "_prepared", "_request", "_schema")

    def __init__(
        self, schema: strawberry.Schema, request: GraphQLRequest, prepared: Prepared, context: Context
    ) -> None:
        self._schema, self._request, self._prepared, self._context = schema, request, prepared, context
        self._executor: Any = None

    async def __call__(self, event: Any) -> Any:
        """The result of one event. What cannot be read because PostgreSQL is away is read when it is back."""
        looks, hub = 0, self._context.hub
        while True:
            result = await self._once(event)
            waits = any(is_away(root_cause(error)) for error in result.errors or ())
            if not waits or hub is None or looks == MAX_LOOKS:
                return result
            looks += await hub.next_look()

    async def _once(self, event: Any) -> Any:
        shared: SharedRead | None = getattr(event, "shared", None)
        if shared is None or self._context.caller is None:
            return await self._execute(event)
        result = await once(shared, self._key(event), lambda: self._execute(event, is_kept=False))
        if result.errors:  # they name the request: to each its own
            return await self._execute(event)
        return result

    async def _execute(self, event: Any, *, is_kept: bool = True) -> Any:
        executor = self._executor
        if executor is None:
            executor = build_executor(self._schema, self._request, self._prepared, self._context)
            assert not isinstance(executor, list), "the subscription could begin with these variables"
            self._executor = executor if is_kept else None
        of_event = executor.build_per_event_executor(event)
        # What GraphQL-core remembers by the identity of lists of this one event would stay for the life of the stream.
        of_event._relevant_sub_fields = {}
        return await await_maybe(execute_subscription_event(of_event))

    def _key(self, event: Any) -> Hashable:
        """Everything that the answer depends on beside what was read: document, variables, and who asks."""
        caller, request, context = self._context.caller, self._request, self._context
        assert caller is not None
        variables = msgspec.json.encode(request.variables, order="sorted") if request.variables else b""
        kind = (caller.role, caller.customer_id, caller.supplier_id, caller.is_publishable, caller.scopes)
        document = (request.query, self._prepared.name, variables)
        return (event.cursor, id(event.availability), *document, *kind, context.language)
