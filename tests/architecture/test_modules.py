"""How modules look: each says what it is for, and none grows without end."""

from __future__ import annotations

import ast
from pathlib import Path

LONGEST = 450
KNOWN_LONGER = {
    "api/operations.py",  # the table of contents of the API: one entry a root field, nothing else
    "core/domain/book.py",  # the operations that keep the identities of one SKU; it may not be written from elsewhere
    "migrations/versions/2026_11_21_2200_spine.py",  # all tables of the first revision
}


def test_every_module_opens_with_what_it_is_for(modules: dict[str, ast.Module]):
    silent = [path for path, module in modules.items() if module.body and not ast.get_docstring(module)]
    assert silent == []


def test_no_module_grows_beyond_its_limit(root: Path, modules: dict[str, ast.Module]):
    lengths = {path: len((root / path).read_text(encoding="utf-8").splitlines()) for path in modules}
    longer = {path for path, length in lengths.items() if length > LONGEST}
    assert longer == KNOWN_LONGER


def test_no_module_is_a_drawer_for_everything(modules: dict[str, ast.Module]):
    drawers = {"utils", "util", "helpers", "common", "misc"}
    assert [path for path in modules if drawers & {Path(part).stem for part in Path(path).parts}] == []


def test_the_domain_never_asks_for_the_time(modules: dict[str, ast.Module]):
    """Time is an argument of every rule."""
    asked = [
        f"{path}:{node.lineno}"
        for path, module in modules.items()
        if path.startswith("core/domain/")
        for node in ast.walk(module)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("now", "utcnow", "today", "time", "monotonic")
        and ast.unparse(node.func.value) in ("datetime", "date", "time")
    ]
    assert asked == []
