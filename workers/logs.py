"""How worker processes write their log: one line per event to stderr, JSON in production, never a local variable."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from core.settings import Settings

_QUOTED = re.compile(r"(?<!\w)(['\"])([^'\"\n]{3,}?)\1(?!\w)")
_KEY = re.compile(r"(\)=\()[^\n]*?(\))")
_SPOKEN = ("error", "reason", "exception")


def mask(text: str) -> str:
    """A sentence about what partners or customers sent, with what it quotes cut to its first letter."""
    return _KEY.sub(r"\1***\2", _QUOTED.sub(lambda found: f"{found[1]}{found[2][0]}***{found[1]}", text))


def mask_values(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Order numbers, names and addresses that errors quote stay out of the log; where they arose is shown as it is."""
    for name in _SPOKEN:
        value = event.get(name)
        if isinstance(value, str):
            # the lines of a traceback are indented, what the error says is not
            lines = value.split("\n")
            event[name] = "\n".join(line if line[:1] == " " else mask(line) for line in lines)
    return event


def configure_logging(settings: Settings) -> None:
    """Plain tracebacks only: the locals of a frame may hold secrets and personal data."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            mask_values,
            structlog.processors.JSONRenderer()
            if settings.is_production
            else structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
            ),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(asctime)s %(name)s %(message)s")
