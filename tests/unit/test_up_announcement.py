"""What `up` prints when it is ready."""

from __future__ import annotations

from pathlib import Path

import pytest

from workers.commands.stack import Stack
from workers.commands.up import _where_to_ask


@pytest.mark.parametrize(
    ("environment", "said"),
    [("development", "to paste into http://127.0.0.1:8010/graphiql"), ("production", "for a client of")],
)
def test_only_a_system_with_a_console_names_it(environment: str, said: str, tmp_path: Path) -> None:
    stack = Stack(tmp_path, 8010, environment)
    where = _where_to_ask(stack)
    assert where.startswith(said)
    assert ("graphiql" in where) == (environment == "development")
