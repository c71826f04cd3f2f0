"""Tokens for a person: approvals and the audit name people, not roles."""

import base64
import json
from pathlib import Path

import typer
from typer.testing import CliRunner

from workers.commands.token import token

app = typer.Typer()
app.command()(token)


def subject(*arguments: str) -> str:
    done = CliRunner().invoke(app, list(arguments))
    assert done.exit_code == 0, done.output
    part = done.stdout.strip().split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))["sub"]


def test_a_token_is_for_a_role_or_for_a_person(tmp_path: Path):
    folder = ["--data", str(tmp_path)]
    assert subject("PLANNER", *folder) == "planner"
    assert subject("PLANNER", "--person", "ann", *folder) == "ann"
    assert subject("SUPPLIER", "--supplier", "CLAYHOUSE", *folder) == "supplier:CLAYHOUSE"
    assert subject("SUPPLIER", "--supplier", "CLAYHOUSE", "--person", "ann", *folder) == "supplier:CLAYHOUSE:ann"
    assert subject("CUSTOMER", "--customer", "MINSEO", "--person", "ann", *folder) == "customer:MINSEO:ann"
    assert CliRunner().invoke(app, ["PLANNER", "--person", " ", *folder]).exit_code == 2
