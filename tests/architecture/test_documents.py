"""The documents say what is there: folders, settings, commands, links, and the place of every rule."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import pytest

from core.settings import Settings

IGNORED = {"__pycache__", "node_modules", "build", "dist"}
DOT_FOLDERS = {".ci"}


def documents(root: Path) -> list[Path]:
    return [root / "README.md", root / "CHANGELOG.md", *sorted((root / "docs").rglob("*.md"))]


def section(text: str, title: str) -> str:
    """What stands below the heading `title`, up to the next heading of that level."""
    match = re.search(rf"^## {re.escape(title)}$(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert match is not None, f"README.md has no section {title!r}"
    return match.group(1)


@pytest.fixture(scope="module")
def readme(root: Path) -> str:
    return (root / "README.md").read_text(encoding="utf-8")


def folders(root: Path) -> set[str]:
    """Every folder that holds files of the project itself."""
    found: set[str] = set()
    waiting = [root]
    while waiting:
        for entry in waiting.pop().iterdir():
            hidden = entry.name.startswith(".") and entry.name not in DOT_FOLDERS
            if not entry.is_dir() or hidden or entry.name in IGNORED:
                continue
            waiting.append(entry)
            if any(file.is_file() and file.suffix != ".pyc" for file in entry.iterdir()):
                found.add(entry.relative_to(root).as_posix() + "/")
    return found


def test_map_of_folders_matches_the_tree(root: Path, readme: str):
    listed = re.findall(r"^\| `([^`]+/)` \|", section(readme, "Map of the folders"), re.MULTILINE)
    assert len(listed) == len(set(listed))
    assert set(listed) == folders(root)


def test_settings_table_matches_the_settings(readme: str):
    rows = re.findall(r"^\| `([A-Z_]+)` \| (.*?) \|", section(readme, "Settings"), re.MULTILINE)
    assert [name for name, _ in rows] == [name.upper() for name in Settings.model_fields]
    for name, shown in rows:
        default = Settings.model_fields[name.lower()].default
        text = default.get_secret_value() if hasattr(default, "get_secret_value") else default
        assert shown == ("" if text in ("", None) else f"`{str(text).lower() if isinstance(text, bool) else text}`"), (
            name
        )


def test_every_relative_link_leads_somewhere(root: Path):
    broken = []
    for document in documents(root):
        text = re.sub(r"```.*?```", "", document.read_text(encoding="utf-8"), flags=re.DOTALL)
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if re.match(r"[a-z]+:", target):
                continue
            path, _, anchor = target.partition("#")
            file = (document.parent / path).resolve() if path else document
            if not file.exists() or (anchor and anchor not in anchors(file)):
                broken.append(f"{document.relative_to(root)}: {target}")
    assert broken == []


def anchors(document: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def symbols(module: ast.Module) -> set[str]:
    """Functions, classes, methods and constants of a module, methods as Class.method."""
    found: set[str] = set()
    for node in module.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            found |= {
                f"{node.name}.{n.name}" for n in node.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)
            }
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        found |= {target.id for target in targets if isinstance(target, ast.Name)}
    return found


def test_every_place_that_is_named_exists(root: Path, modules: dict[str, ast.Module]):
    """`path/file.py` and `path/file.py:Class.method` in any document."""
    wrong = []
    for document in documents(root):
        text = document.read_text(encoding="utf-8")
        for path, symbol in re.findall(r"`((?:[\w.-]+/)*[\w-]+\.py)(?::([\w.]+))?`", text):
            name = f"{document.relative_to(root)}: {path}:{symbol}"
            if not (root / path).is_file() or (symbol and symbol not in symbols(modules[path])):
                wrong.append(name)
    assert wrong == []


def test_every_path_that_is_named_exists(root: Path):
    wrong = []
    for document in documents(root):
        text = re.sub(r"```.*?```", "", document.read_text(encoding="utf-8"), flags=re.DOTALL)
        tops = "|".join(sorted(entry.name for entry in root.iterdir() if entry.is_dir() and entry.name[0] != "."))
        for path in re.findall(rf"`((?:{tops})/[\w./-]*)`", text):
            if not (root / path).exists():
                wrong.append(f"{document.relative_to(root)}: {path}")
    assert wrong == []


def test_every_command_that_is_named_exists(root: Path):
    targets = set(re.findall(r"^([a-z-]+):.*##", (root / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    sys.path[:0] = [] if str(root) in sys.path else [str(root)]
    from manage import COMMANDS

    wrong = []
    for document in documents(root):
        text = document.read_text(encoding="utf-8")
        code = "\n".join(re.findall(r"```.*?```|`[^`\n]+`", text, re.DOTALL))
        for target in re.findall(r"\bmake ([a-z-]+)", code):
            if target not in targets:
                wrong.append(f"{document.relative_to(root)}: make {target}")
        for command in re.findall(r"manage\.py ([a-z]+)", code):
            module = COMMANDS.get(command, ("",))[0].replace(".", "/")
            if not module or not (root / f"{module}.py").is_file():
                wrong.append(f"{document.relative_to(root)}: manage.py {command}")
    assert wrong == []


def test_decisions_are_numbered_and_listed(root: Path):
    records = sorted(path.name for path in (root / "docs" / "decisions").glob("[0-9]*.md"))
    assert [int(name[:4]) for name in records] == list(range(1, len(records) + 1))
    index = (root / "docs" / "decisions" / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"\]\((\d{4}-[\w-]+\.md)\)", index) == records
