"""What the tests of the house look at: the tree of the product and its parsed modules."""

from __future__ import annotations

import ast
from functools import lru_cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("api", "core", "migrations", "ml", "workers")


@lru_cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def modules() -> dict[str, ast.Module]:
    """Every module of the product, by its path from the root."""
    files = [ROOT / "manage.py", *(file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.py")))]
    return {file.relative_to(ROOT).as_posix(): parsed(file) for file in files}


@pytest.fixture(scope="session")
def imports(modules: dict[str, ast.Module]) -> dict[str, set[str]]:
    """Top-level names that each module imports, also inside functions; imports for types only are left out."""
    found: dict[str, set[str]] = {}
    for path, module in modules.items():
        typing_only = {
            node
            for test in ast.walk(module)
            if isinstance(test, ast.If) and "TYPE_CHECKING" in ast.unparse(test.test)
            for node in ast.walk(test)
        }
        names: set[str] = set()
        for node in ast.walk(module):
            if node in typing_only:
                continue
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module.partition(".")[0])
        found[path] = names
    return found
