"""`POST /edi/{partner}`: a raw interchange in, a receipt out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from api.error_handlers import ErrorCode, format_failure
from api.permissions import AuthenticationFailed, Authenticator
from api.transport.request import EarlyResponse, Refused, read_body
from core.domain.access import Principal, Role
from core.errors import DomainError
from core.ports import Clock
from core.services.receive_edi_file import store_edi_file
from core.settings import Settings
from core.unit_of_work import UnitOfWork, run_unit_of_work

if TYPE_CHECKING:
    from core.database import Database

SENDERS = frozenset({Role.WAREHOUSE, Role.PLANNER, Role.ADMIN})


def edi_endpoint(
    database: Database, authenticator: Authenticator, settings: Settings, clock: Clock
) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint; open to the SUPPLIER of that partner, WAREHOUSE, PLANNER and ADMIN."""

    async def partner_of(code: str, caller: Principal | None) -> int:
        if caller is None:
            raise AuthenticationFailed("Authenticate first: send a bearer token or an API key.")
        if caller.is_publishable:
            raise Refused(403, ErrorCode.FORBIDDEN, "Publishable keys only read availability.")
        if "\0" in code:
            raise Refused(404, ErrorCode.BAD_REQUEST, "There is no such partner.")
        row = await database.system.fetchrow("select id, supplier_id from partner where code = $1 and is_active", code)
        is_own = row is not None and caller.supplier_id is not None and row["supplier_id"] == caller.supplier_id
        if caller.role not in SENDERS and not (caller.role is Role.SUPPLIER and is_own):
            raise Refused(403, ErrorCode.FORBIDDEN, "You may not deliver files for this partner.")
        if row is None:
            raise Refused(404, ErrorCode.BAD_REQUEST, f"There is no active partner {code!r}.")
        return row["id"]

    async def receive(request: Request) -> Response:
        request_id = request.scope.get("state", {}).get("request_id", "")
        code = request.path_params["partner"]
        try:
            caller = await authenticator.authenticate(request.headers.get("authorization"))
            await partner_of(code, caller)
            assert caller is not None
            body = await read_body(request.stream(), request.headers.get("content-length"), settings.edi_max_bytes)
            if not body:
                raise Refused(400, ErrorCode.BAD_REQUEST, "The body is empty: send the file as it is.")
            name = request.headers.get("x-transport-id") or request_id

            async def use_case(uow: UnitOfWork) -> int:
                return await store_edi_file(uow, code, "http", name, body)

            raw_id = await run_unit_of_work(database, use_case, clock=clock, principal=caller, request_id=request_id)
        except AuthenticationFailed as error:
            body_of = format_failure(ErrorCode.UNAUTHENTICATED, str(error), request_id)
            return JSONResponse(body_of, 401, {"WWW-Authenticate": "Bearer"})
        except Refused as error:
            body_of = format_failure(error.code, error.message, request_id)
            if error.status == 413:
                return EarlyResponse(json.dumps(body_of), 413, error.headers, "application/json")
            return JSONResponse(body_of, error.status, error.headers)
        except DomainError as error:
            body_of = format_failure(ErrorCode.BAD_USER_INPUT, error.message, request_id, reason=error.code)
            return JSONResponse(body_of, 422)
        receipt = {
            "rawId": raw_id,
            "partner": code,
            "bytes": len(body),
            "sha256": hashlib.sha256(body).hexdigest(),
            "transportId": name,
            "requestId": request_id,
        }
        return JSONResponse(receipt, 202)

    return receive
