"""Ready documents for every audience: the console offers them, and a test executes each on the small company.

A file opens with lines `# audience: what it is for`, `# token: ROLE CODE`, `# variables: JSON` and `# gives: name = path`. In the
variables `{{key}}` is a fresh key, `{{today+N}}` a day, `{{after}}` a cursor, and any other name what an example before gave.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent
_HEAD = re.compile(r"^# (\w+): (.*)$")
AUDIENCES = ("widget", "portal", "mobile", "supplier", "warehouse", "planner")


@dataclass(frozen=True, slots=True)
class Example:
    """One document; `variables` is JSON with names to fill in, `gives` maps names to paths in the answer's data."""

    name: str
    audience: str
    title: str
    token: str
    variables: str
    gives: dict[str, str]
    document: str


def read_example(name: str, text: str) -> Example:
    """The example of a file's text. Raises ValueError when its first lines are not of the agreed form."""
    heads: list[tuple[str, str]] = []
    lines = text.splitlines(keepends=True)
    while lines and (match := _HEAD.match(lines[0].rstrip("\n"))):
        heads.append((match[1], match[2]))
        lines.pop(0)
    if not heads or heads[0][0] not in AUDIENCES:
        raise ValueError(f"{name}: the first line names the audience and what the example is for")
    facts = dict(heads[1:])
    if "token" not in facts:
        raise ValueError(f"{name}: a line says which token it wants")
    given = [value.partition(" = ") for key, value in heads if key == "gives"]
    return Example(
        name, heads[0][0], heads[0][1], facts["token"], facts.get("variables", "{}"), {n: p for n, _, p in given},
        "".join(lines),
    )  # fmt: skip


@cache
def examples() -> tuple[Example, ...]:
    """All of them, by audience and number."""
    found = [read_example(file.stem, file.read_text(encoding="utf-8")) for file in _FOLDER.glob("*.graphql")]
    return tuple(sorted(found, key=lambda example: (AUDIENCES.index(example.audience), example.name)))
