"""The two pages for people: what runs here, and a console to try queries and subscriptions in development."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from functools import cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from api.examples import examples
from core.settings import Settings

CONSOLE = Path(__file__).with_name("console.html")
CONSOLE_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'"
)


def root_of(settings: Settings) -> Callable[[Request], Awaitable[Response]]:
    """`GET /`: name, environment and links."""
    links = {
        "graphql": "/graphql",
        "health": "/healthz",
        "readiness": "/readyz",
        "metrics": "/metrics",
        "edi": "/edi/{partner}",
        "documentation": "docs/api.md",
    }
    if settings.allows_introspection:
        links["playground"] = "/graphiql"

    async def root(request: Request) -> Response:
        return JSONResponse(
            {
                "name": "backorder-manager",
                "what": "Backorder management: an order-promising engine with a realtime GraphQL API",
                "environment": settings.env,
                "transports": ["POST /graphql", "GET /graphql", "SSE /graphql", "WebSocket /graphql"],
                "links": links,
            }
        )

    return root


@cache
def console_page() -> str:
    """The page with the examples in it, as JSON that cannot end its script element."""
    offered = [{**asdict(example), "tokenArguments": _token_arguments(example.token)} for example in examples()]
    text = json.dumps(offered, ensure_ascii=False).replace("<", "\\u003c")
    return CONSOLE.read_text(encoding="utf-8").replace("{{EXAMPLES}}", text)


def _token_arguments(token: str) -> str:
    role, _, code = token.partition(" ")
    return f"{role} --{role.lower()} {code}" if code else role


async def console(request: Request) -> Response:
    """`GET /graphiql`: a console without anything from other hosts."""
    return HTMLResponse(console_page(), headers={"content-security-policy": CONSOLE_POLICY})
