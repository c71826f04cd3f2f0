"""The catalogue of error codes is current, and holds every code that the code can answer with."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from pathlib import Path

import api
import core
from api.commands.error_catalogue import CLOSE_CODES, FILE, error_catalogue
from api.error_handlers import CATALOGUE, ErrorCode
from api.schema.errors import UserErrorCode
from api.transport import reading, websocket
from core.errors import DomainError

INSIDE = {"EDI_UNUSABLE"}
"""Caught where it is raised: the reason of a document in quarantine."""
ROOT = Path(__file__).resolve().parents[2]


def test_the_checked_in_page_is_that_of_the_code() -> None:
    assert FILE.read_text(encoding="utf-8") == error_catalogue()


def test_every_code_of_an_error_is_in_the_catalogue_and_used() -> None:
    assert set(CATALOGUE) == set(ErrorCode)
    raised: set[str] = set()
    for file in (ROOT / "api").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "ErrorCode":
                raised.add(node.attr)
            if isinstance(node, ast.Dict):
                raised |= {
                    value.value
                    for key, value in zip(node.keys, node.values, strict=True)
                    if isinstance(key, ast.Constant) and key.value == "code"
                    if isinstance(value, ast.Constant) and isinstance(value.value, str)
                }
    assert raised == {code.value for code in ErrorCode}


def test_every_refusal_of_the_product_has_a_published_code() -> None:
    for package in (core, api):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    classes = list(DomainError.__subclasses__())
    for cls in classes:
        classes += cls.__subclasses__()
    found = {cls.code for cls in classes if cls.__module__.startswith(("core.", "api.", "workers."))}
    assert found - {code.value for code in UserErrorCode} == INSIDE
    assert len(found) >= 14


def test_every_close_code_of_the_socket_is_told() -> None:
    codes = {value for name, value in vars(websocket).items() if name.isupper() and isinstance(value, int)}
    codes.add(reading.TOO_MANY_FRAMES)
    not_told = {
        websocket.NO_STATUS,
        websocket.POLICY,
    }  # what only the log says, and what becomes a 403 before the handshake
    assert {code for code in codes if code >= 1000} - not_told == set(CLOSE_CODES)
